// Clients of two protocols on one gateway, with the official SDKs: Anthropic's at upstreams that speak Anthropic's
// protocol, OpenAI's at the rest; and the models that each consumer is offered.
import assert from 'node:assert/strict';
import test from 'node:test';
import { writeWorld } from './lib/resources.js';
import { completion, json, request, startUpstream } from './lib/http.js';
import { anthropic, refusal, sdk } from './lib/sdk.js';
import { startServe, tempDir } from './lib/sluice.js';

const MESSAGE = {
	id: 'msg_1',
	type: 'message',
	role: 'assistant',
	model: 'claude-x',
	content: [{ type: 'text', text: 'hello' }],
	stop_reason: 'end_turn',
	stop_sequence: null,
	usage: { input_tokens: 5, output_tokens: 7 },
};
const EVENTS = [
	['message_start', { message: { ...MESSAGE, content: [], stop_reason: null, usage: { input_tokens: 5, output_tokens: 1 } } }],
	['content_block_start', { index: 0, content_block: { type: 'text', text: '' } }],
	['content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'hel' } }],
	['content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'lo' } }],
	['content_block_stop', { index: 0 }],
	['message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 7 } }],
	['message_stop', {}],
];
const event = ([name, members]) => `event: ${name}\ndata: ${JSON.stringify({ type: name, ...members })}\n\n`;

// What the providers' own lists have, by credential; other vendors are asked, and have none.
const LISTS = {
	'sk-listed': ['gpt-4o', 'gpt-4o-mini', 'secret', 'good', 'text-x'],
	'sk-claude': ['claude-x', 'claude-y'],
};

function answer(req, res, body) {
	if (req.method === 'GET') {
		const list = LISTS[req.headers['x-api-key'] ?? req.headers.authorization.slice('Bearer '.length)];
		return list ? json(res, 200, { object: 'list', data: list.map((id) => ({ id, object: 'model' })) }) : json(res, 404, {});
	}
	const asked = JSON.parse(body);
	if (!req.url.includes('/messages')) return json(res, 200, completion('hello', asked.model));
	if (!asked.stream) return json(res, 200, MESSAGE);
	res.writeHead(200, { 'content-type': 'text/event-stream' });
	if (asked.model !== 'claude-cut') return res.end(EVENTS.map(event).join(''));
	res.write(EVENTS.slice(0, 3).map(event).join(''), () => setTimeout(() => res.destroy(), 20));
}

async function gateway(t) {
	const upstream = await startUpstream(t, answer);
	const provider = (id, more) => ({ id, address: upstream.address, token: `sk-${id}`, ...more });
	const data = writeWorld(tempDir(t), {
		providers: [
			provider('claude', { type: 'claude', extra: { modelsFromMapping: true }, mapping: { 'claude-mine': 'claude-x' } }),
			provider('deepseek', { type: 'deepseek' }),
			provider('listed', { mapping: { fast: 'gpt-4o-mini', good: 'gpt-4o', 'gpt-*': '', secret: 'x' },
				extra: { modelsFromMapping: true, modelDeny: ['secret'] } }),
			provider('others', { mapping: { hers: 'gpt-5' }, extra: { modelsFromMapping: true } }),
		],
		consumers: [{ name: 'his', key: 'his-key' }, { name: 'hers', key: 'her-key' }],
		routes: [
			{ name: 'claude', host: 'claude.test', path: '/', to: 'claude', allow: ['his'] },
			{ name: 'deepseek', host: 'deepseek.test', path: '/', to: 'deepseek', allow: ['his'] },
			{ name: 'listed', host: 'listed.test', path: '/', to: 'listed', allow: ['his', 'hers'] },
			{ name: 'others', host: 'others.test', path: '/', to: 'others', allow: ['hers'] },
		],
	});
	return { upstream, serve: await startServe(t, { data }) };
}

const Q = { model: 'claude-mine', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] };

test('Anthropic\'s SDK: a message, with the credential and the version where its servers want them', async (t) => {
	const { upstream, serve } = await gateway(t);
	const client = anthropic(serve.port, { host: 'claude.test', key: 'his-key' });
	const got = await client.messages.create(Q, { headers: { 'anthropic-beta': 'tools-1' } });
	assert.equal(got.content[0].text, 'hello');
	const [seen] = upstream.requests;
	assert.equal(seen.url, '/v1/messages');
	assert.equal(seen.headers.host, 'api.anthropic.com');
	assert.equal(seen.headers['x-api-key'], 'sk-claude');
	assert.equal(seen.headers.authorization, undefined);
	assert.match(seen.headers['anthropic-version'], /^20\d\d-/); // the SDK's own
	assert.equal(seen.headers['anthropic-beta'], 'tools-1');
	assert.equal(seen.body.toString(), JSON.stringify({ ...Q, model: 'claude-x' }));
});

test('Anthropic\'s SDK: a stream event by event, and its helper puts the message together', async (t) => {
	const { serve } = await gateway(t);
	const client = anthropic(serve.port, { host: 'claude.test', key: 'his-key' });
	const final = await client.messages.stream(Q).finalMessage();
	assert.equal(final.content[0].text, 'hello');
	assert.deepEqual({ ...final.usage }, { input_tokens: 5, output_tokens: 7 });
});

test('Anthropic\'s SDK: a stream that the upstream cuts ends in an error that it understands', async (t) => {
	const { serve } = await gateway(t);
	const client = anthropic(serve.port, { host: 'claude.test', key: 'his-key' });
	const error = await refusal(client.messages.stream({ ...Q, model: 'claude-cut' }).finalMessage());
	assert.match(error.message, /broke off/);
});

test('G080: deepseek serves Anthropic clients itself, with a Bearer token and no x-api-key', async (t) => {
	const { upstream, serve } = await gateway(t);
	const client = anthropic(serve.port, { host: 'deepseek.test', key: 'his-key' });
	await client.messages.create(Q);
	const [seen] = upstream.requests;
	assert.equal(seen.url, '/anthropic/v1/messages');
	assert.equal(seen.headers.authorization, 'Bearer sk-deepseek');
	assert.equal(seen.headers['x-api-key'], undefined);
	assert.equal(seen.body.toString(), JSON.stringify(Q));
});

test('a wrong key is an authentication error in the words of each SDK', async (t) => {
	const { serve } = await gateway(t);
	const his = await refusal(anthropic(serve.port, { host: 'claude.test', key: 'no' }).messages.create(Q));
	assert.equal(his.status, 401);
	assert.equal(his.error.error.type, 'authentication_error');
	const hers = await refusal(sdk(serve.port, { host: 'listed.test', key: 'no' }).models.list());
	assert.equal(hers.status, 401);
	assert.equal(hers.type, 'authentication_error');
});

test('models: each consumer is offered what would be served to it, in both SDKs', async (t) => {
	const { upstream, serve } = await gateway(t);
	const names = async (client) => {
		const all = [];
		for await (const model of client.models.list()) all.push(model.id);
		return all;
	};
	assert.deepEqual(await names(sdk(serve.port, { host: 'listed.test', key: 'her-key' })), ['fast', 'good', 'gpt-4o', 'gpt-4o-mini', 'text-x']);
	assert.deepEqual(await names(sdk(serve.port, { host: 'others.test', key: 'her-key' })), ['hers']);
	assert.deepEqual(await names(anthropic(serve.port, { host: 'claude.test', key: 'his-key' })), ['claude-mine', 'claude-x', 'claude-y']);
	assert.equal((await refusal(sdk(serve.port, { host: 'others.test', key: 'his-key' }).models.list())).status, 403);
	assert.equal((await sdk(serve.port, { host: 'listed.test', key: 'his-key' }).models.retrieve('good')).id, 'good');
	const missing = await refusal(sdk(serve.port, { host: 'listed.test', key: 'his-key' }).models.retrieve('secret'));
	assert.equal(missing.status, 404);
	assert.equal(missing.code, 'model_not_found');
	// One question to each provider, of the gateway's own, whoever asked: with the provider's credential and in its way.
	const asked = upstream.requests.map((r) => `${r.method} ${r.url} ${r.headers.host.replace(upstream.address, 'upstream')} ${r.headers['x-api-key'] ?? r.headers.authorization}`);
	assert.deepEqual(asked.sort(), [
		'GET /v1/models upstream Bearer sk-listed',
		'GET /v1/models upstream Bearer sk-others',
		'GET /v1/models?limit=1000 api.anthropic.com sk-claude',
	]);
	assert.match(serve.stderr(), /list of models http:\/\/127\.0\.0\.1:\d+\/v1\/models could not be fetched \(its status is 404\)/);
	assert.doesNotMatch(serve.stderr(), /sk-others|her-key/);
});

test('what a consumer is not offered can be refused by name', async (t) => {
	const { serve } = await gateway(t);
	const got = await request(serve.port, {
		headers: { host: 'listed.test', authorization: 'Bearer his-key' },
		body: { model: 'secret', messages: [] },
	});
	assert.equal(got.status, 403);
	assert.equal(got.headers['x-sluice-reason'], 'model.denied');
});
