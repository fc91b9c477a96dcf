// The page's real world: a gateway beside a scripted HiClaw with a Manager and Workers in all states, providers that answer,
// one that does not, routes and traffic, all through the monitor API as the page has it. For tests and for the pictures.
import { once } from 'node:events';
import http from 'node:http';
import { Console, bearer } from './console.js';
import { startHiclaw } from './hiclaw.js';
import { json, request, startUpstream } from './http.js';
import { MANAGER, PASSWORD, startMonitor } from './monitor.js';

export const HOST = 'aigw-local.hiclaw.io';
export const TEAM = { alice: 'running', bob: 'running', carol: 'stopped', dave: null };
export const keyOf = (name) => (name === 'manager' ? MANAGER : `wk-${name}-0123456789abcdef`);
const CATALOGUE = {
	qwen: ['qwen3.6-plus', 'qwen3.5-plus', 'qwen3-coder-next', 'qwen3-max'],
	deepseek: ['deepseek-chat', 'deepseek-reasoner'],
	kimi: ['kimi-k2.5', 'kimi-k2-thinking'],
};
const WORDS = 'A sluice lets as much water through as the mill needs, and at each gate it says where it goes.'.split(' ');

// Answers as a vendor does: its list of models, chats whole or bit by bit, with the tokens that they took.
function vendor(name, ask) {
	return async (req, res, body) => {
		if (req.url.endsWith('/models')) return json(res, 200, { object: 'list', data: CATALOGUE[name].map((id) => ({ id, object: 'model' })) });
		const asked = JSON.parse(body.toString() || '{}');
		const plan = ask(name, asked) ?? {};
		if (plan.wait) await plan.wait;
		if (plan.status) return json(res, plan.status, { error: { message: 'the model is overloaded', type: 'server_error' } });
		const input = plan.input ?? 400;
		const output = plan.output ?? WORDS.length;
		const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
		if (!asked.stream) return json(res, 200, { id: 'c', object: 'chat.completion', created: 1, model: asked.model, choices: [{ index: 0, message: { role: 'assistant', content: WORDS.join(' ') }, finish_reason: 'stop' }], usage });
		res.writeHead(200, { 'content-type': 'text/event-stream' });
		const event = (object) => res.write(`data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: asked.model, ...object })}\n\n`);
		for (const [i, word] of WORDS.entries()) event({ choices: [{ index: 0, delta: { content: `${i ? ' ' : ''}${word}` } }] });
		event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
		event({ choices: [], usage });
		return res.end('data: [DONE]\n\n');
	};
}

// An address where nobody listens.
async function nobody() {
	const server = http.createServer();
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address();
	server.close();
	return `127.0.0.1:${port}`;
}

// ask(provider, request): { wait, status, input, output } of an answer, or nothing.
export async function startTeam(t, { ask = () => null, team = TEAM } = {}) {
	const world = { ask };
	world.hiclaw = await startHiclaw(t, team);
	world.monitor = await startMonitor(t, { args: ['--hiclaw'], env: { ...world.hiclaw.env, HICLAW_DEFAULT_MODEL: 'qwen3.6-plus' } });
	const { serve } = world.monitor;
	Object.assign(world, { url: `http://127.0.0.1:${serve.console}/`, api: new Console(serve) });
	await world.api.wrapped('POST /session/login', { username: 'admin', password: PASSWORD }).catch(async () => world.api.call('POST /session/login', { username: 'admin', password: PASSWORD }));
	for (const name of ['manager', ...Object.keys(team).map((w) => `worker-${w}`)]) await world.api.raw('POST /v1/consumers', bearer(name, keyOf(name.replace('worker-', ''))));
	for (const name of Object.keys(CATALOGUE)) {
		const up = await startUpstream(t, vendor(name, (...args) => world.ask(...args)));
		await world.monitor.ok('POST /ni_status/create-provider', { name, type: 'openai', apiKey: `sk-${name}-0123456789abcdef`, baseUrl: `http://${up.address}/v1` });
	}
	await world.monitor.ok('POST /ni_status/create-provider', { name: 'local', type: 'openai', apiKey: 'sk-local-0123456789', baseUrl: `http://${await nobody()}/v1` });
	world.chat = (who, model, extra = {}) => request(serve.port, { headers: { host: HOST, authorization: `Bearer ${keyOf(who)}` }, body: { model, messages: [{ role: 'user', content: 'How does a sluice work?' }], ...extra } });
	world.assign = (who, provider, model, extra = {}) => world.monitor.ok(`PUT /ni_status/assignment/${who === 'manager' ? who : `workers/${who}`}`, { provider, model, ...extra });
	return world;
}
