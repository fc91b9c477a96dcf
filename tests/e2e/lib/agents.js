// The gateway of a scripted HiClaw (hiclaw/world.js), with the real monitor API: consumers and routes as HiClaw's set-up makes
// them, a vendor for each of two providers, and traffic of its agents.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { KEY_OF, startWorld } from '../hiclaw/world.js';
import { Console, GATEWAY_HOST } from './console.js';
import { completion, json, modelOf, request, startUpstream } from './http.js';
import { startServe, tempDir } from './sluice.js';

export const ADMIN = { name: 'admin', password: 'secret-pw1' };

// A vendor that knows some models and answers with its own name.
async function startVendor(t, name, models) {
	return startUpstream(t, (req, res, body) => {
		if (req.method === 'GET') return json(res, 200, { object: 'list', data: models.map((id) => ({ id, object: 'model' })) });
		const model = modelOf(body);
		if (!models.includes(model)) return json(res, 404, { error: { message: `The model ${model} does not exist`, type: 'invalid_request_error', code: 'model_not_found' } });
		return json(res, 200, completion(`by ${name}`, model));
	});
}

export async function startAgents(t, { controller = true, args = [] } = {}) {
	const dir = tempDir(t);
	const vendors = { qwen: await startVendor(t, 'qwen', ['qwen3.5-plus', 'qwen-max']), kimi: await startVendor(t, 'kimi', ['kimi-k2.5', 'kimi-k2']) };
	const world = await startWorld(t, dir, { gateway: `http://${GATEWAY_HOST}:8080`, controller });
	const data = path.join(dir, 'data');
	fs.mkdirSync(path.join(data, 'resources'), { recursive: true });
	const env = { HICLAW_ADMIN_USER: ADMIN.name, HICLAW_ADMIN_PASSWORD: ADMIN.password, ...world.env };
	const serve = await startServe(t, { data, args: ['--hiclaw', '--manage-on-gateway', '--access-log', 'off', ...args], env });
	const api = new Console(serve);
	assert.equal((await api.call('POST /session/login', { username: ADMIN.name, password: ADMIN.password })).status, 201);
	for (const [name, key] of Object.entries(KEY_OF))
		await api.raw('POST /v1/consumers', { name: name === 'manager' ? name : `worker-${name}`, credentials: [{ type: 'key-auth', source: 'BEARER', values: [key] }] });
	await api.raw('POST /v1/ai/providers', { type: 'openai', name: 'qwen', tokens: ['vendor-key-qwen-0001'], protocol: 'openai/v1', tokenFailoverConfig: { enabled: false }, rawConfigs: { openaiCustomUrl: `http://${vendors.qwen.address}/v1`, hiclawMode: true } });
	await api.raw('POST /v1/ai/routes', { name: 'default-ai-route', domains: [GATEWAY_HOST], pathPredicate: { matchType: 'PRE', matchValue: '/v1', caseSensitive: false },
		upstreams: [{ provider: 'qwen', weight: 100, modelMapping: {} }], authConfig: { enabled: true, allowedCredentialTypes: ['key-auth'], allowedConsumers: ['manager', 'worker-alice', 'worker-bob'] } });
	// One of the monitor API: 'GET status'.
	const monitor = async (line, body) => {
		const [method, what] = line.split(' ');
		return request(serve.console, { method, path: `/ni_status/${what}`, body, headers: { cookie: api.cookie, 'x-requested-with': 'sluice' } });
	};
	// What an agent is answered.
	const ask = async (agent, model) => (await request(serve.port, { headers: { host: GATEWAY_HOST, authorization: `Bearer ${KEY_OF[agent]}` }, body: { model, messages: [{ role: 'user', content: 'hi' }] } })).json?.choices?.[0].message.content;
	const file = (...names) => JSON.parse(fs.readFileSync(path.join(world.agents, ...names), 'utf8'));
	return { ...world, vendors, serve, api, monitor, ask, file, data, url: `http://127.0.0.1:${serve.console}/` };
}
export const primaryOf = (config) => config.agents.defaults.model.primary;
