// The playground's requests: as a consumer whose key the page never sees, to a host, bit by bit, with what the gateway
// decided beside it; and for nobody but the administrator.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { GATEWAY_HOST } from './lib/console.js';
import { completion, request } from './lib/http.js';
import { route, startWorld } from './lib/page.js';
import { until } from './lib/sluice.js';

const ask = (world, body, headers = {}) => request(world.port, { method: 'POST', path: '/page/try', headers: { cookie: world.api.cookie, 'x-requested-with': 'sluice', ...headers }, body });
const chat = (model, extra = {}) => ({ consumer: 'worker-alice', host: GATEWAY_HOST, body: { model, messages: [{ role: 'user', content: 'hi' }] }, ...extra });

test('a request of the playground goes where a consumer goes, and comes back with its decision', async (t) => {
	const world = await startWorld(t);
	const plain = await ask(world, chat('kimi-k2'));
	assert.deepEqual([plain.status, plain.headers['x-sluice-status']], [200, '200']);
	assert.match(plain.headers['x-sluice-decision'], /^served; route=ai-route-kimi-ai-route\.internal; consumer=worker-alice; provider=kimi;/);
	assert.equal(JSON.parse(plain.text).choices[0].message.content, 'The gate is open.');
	const seen = world.upstream.requests.at(-1);
	assert.match(seen.headers.authorization, /^Bearer sk-kimi-000000000[12]$/, "the provider's key, not the consumer's");
	assert.equal(seen.headers['x-sluice-explain'], undefined, 'the token stays here');
	assert.doesNotMatch(JSON.stringify(plain.headers) + plain.text, /wk-alice|sk-kimi/, 'no key comes back');

	const streamed = await ask(world, chat('qwen-plus', { body: { model: 'qwen-plus', stream: true, messages: [{ role: 'user', content: 'hi' }] } }));
	assert.match(streamed.headers['content-type'], /event-stream/);
	assert.match(streamed.text, /"content":"gate "[\s\S]*data: \[DONE\]/);

	// consumer, what else, the gateway's status, why
	const rows = [
		['worker-carol', {}, '403', 'who is let in nowhere is refused here too'],
		['', {}, '401', 'nobody'],
		['worker-alice', { host: 'other.test' }, '404', 'no route is for that host'],
	];
	for (const [consumer, extra, status, why] of rows) assert.equal((await ask(world, chat('qwen-plus', { consumer, ...extra }))).headers['x-sluice-status'], status, why);
	// what is no request of the playground
	for (const [body, status] of [[chat('x', { consumer: 'nobody-of-that-name' }), 400], [chat('x', { host: 'a b' }), 400], [chat('x', { path: 'v1' }), 400], [[], 400], ['x', 400]])
		assert.equal((await ask(world, body)).status, status, JSON.stringify(body));
	assert.equal((await ask(world, chat('x'), { cookie: '' })).status, 401, 'a stranger');
	assert.equal((await ask(world, chat('x'), { origin: 'http://evil.test' })).status, 403, 'a page of another site');
	assert.equal((await request(world.port, { method: 'GET', path: '/page/try' })).headers.allow, 'POST');
});

test('keys in a header and in the query are put where the consumer has them', async (t) => {
	const world = await startWorld(t);
	const c = world.api;
	await c.raw('POST /v1/consumers', { name: 'by-header', credentials: [{ type: 'key-auth', source: 'HEADER', key: 'x-api-key', values: ['hk-0000001'] }] });
	await c.raw('POST /v1/consumers', { name: 'by-query', credentials: [{ type: 'key-auth', source: 'QUERY', key: 'apikey', values: ['q+k/1&=é'] }] });
	await c.raw('POST /v1/ai/routes', route('both', 'qwen', { domains: ['both.test'], authConfig: { enabled: true, allowedCredentialTypes: ['key-auth'], allowedConsumers: ['by-header', 'by-query'] } }));
	for (const consumer of ['by-header', 'by-query']) {
		const got = await ask(world, chat('qwen-plus', { consumer, host: 'both.test' }));
		assert.equal(got.headers['x-sluice-status'], '200', `${consumer}: ${got.text}`);
		assert.match(got.headers['x-sluice-decision'], new RegExp(`consumer=${consumer};`));
	}
});

test('a client that leaves takes its request with it', async (t) => {
	const world = await startWorld(t);
	let upstream;
	world.upstream.server.removeAllListeners('request');
	const arrived = new Promise((done) => world.upstream.server.on('request', (req, res) => {
		upstream = res;
		res.writeHead(200, { 'content-type': 'text/event-stream' });
		res.write(`data: ${JSON.stringify(completion('x'))}\n\n`);
		done();
	}));
	const body = JSON.stringify(chat('qwen-plus', { body: { model: 'qwen-plus', stream: true, messages: [] } }));
	const req = http.request({ port: world.port, method: 'POST', path: '/page/try', headers: { cookie: world.api.cookie, 'content-type': 'application/json', 'content-length': body.length } });
	req.on('error', () => {});
	req.end(body);
	await arrived;
	let closed = false;
	upstream.on('close', () => (closed = true));
	req.destroy();
	await until('the request upstream to end', () => closed);
});
