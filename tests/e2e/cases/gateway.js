// Cases in which the gateway is asked after a change. A row: id, set-up, what is asked, what is expected, why, how.
import assert from 'node:assert/strict';
import { bearer, MANAGER_KEY } from '../lib/console.js';
import { SKELETON } from './ai_routes.js';
import { MATRIX, TUWUNEL } from './nouns.js';
import { BASIC_AUTH } from './plugins.js';

const ONE = '/v1/ai/routes/default-ai-route';
const plainly = (got, status) => {
	assert.equal(got.status, status, `${got.status} ${got.text}`);
	assert.doesNotMatch(got.text, /"error"/);
};
const inPlainText = (got, status) => {
	plainly(got, status);
	assert.doesNotMatch(got.headers['content-type'] ?? '', /json|html/);
	assert.match(got.text, /^[A-Z][a-z ]+.*\w\.?$/);
};
const allow = async (c, ...names) => {
	const got = await c.data(`GET ${ONE}`);
	await c.raw(`PUT ${ONE}`, { ...got, authConfig: { ...got.authConfig, allowedConsumers: names } });
};

export const gateway = [
	['K085', 'C', 'a chat on the controller\'s first route, with the manager\'s key', '403', 'a route that names nobody admits nobody', async (c) => {
		await c.raw('POST /v1/ai/routes', SKELETON);
		assert.equal((await c.chat(MANAGER_KEY)).status, 403);
	}],
	['K086', 'C', 'the manager authorised on it, and a chat at once', '200, the upstream\'s answer', 'a change is live before it is answered', async (c) => {
		await c.raw('POST /v1/ai/routes', SKELETON);
		await allow(c, 'manager');
		assert.equal((await c.chat(MANAGER_KEY)).status, 200);
	}],
	['K111', 'R', 'the manager created again with another key', '201, the new key is admitted, the old one is not', 'a shell library fails on 409, a controller takes its key as valid after it: only the upsert suits both', async (c) => {
		await c.raw('POST /v1/consumers', bearer('manager', 'k2'));
		assert.deepEqual((await c.data('GET /v1/consumers/manager')).credentials[0].values, ['k2']);
		assert.equal((await c.chat(MANAGER_KEY)).status, 401);
		assert.equal((await c.chat('k2')).status, 200);
	}],
	['K117', 'R', 'a consumer whose key comes in a header of its own', '201, the gateway reads that header', 'some clients cannot send Authorization', async (c) => {
		await c.raw('POST /v1/consumers', { name: 'x', credentials: [{ type: 'key-auth', source: 'HEADER', key: 'x-api-key', values: ['header-key'] }] });
		await allow(c, 'manager', 'x');
		assert.equal((await c.chat(null, { headers: { 'x-api-key': 'header-key' } })).status, 200);
		assert.equal((await c.chat(null, { headers: { 'x-api-key': 'another' } })).status, 401);
	}],
	['K174', 'I', 'a route and its static source, then a request', 'it reaches the address of the source', 'the port of the endpoint counts, not that of the source', async (c) => {
		await c.raw('POST /v1/service-sources', { ...TUWUNEL, domain: c.upstream.address });
		await c.raw('POST /v1/routes', MATRIX);
		const before = c.upstream.requests.length;
		assert.equal((await c.chat(null, { host: 'any.example.com', path: '/_matrix/client' })).status, 200);
		assert.deepEqual(c.upstream.requests.slice(before).map((r) => r.url), ['/_matrix/client']);
	}],
	['K183', 'I', 'basic-auth for a route, as a boot script sends it, and requests with and without the password', '200, stored, shown as it is; 401 that asks for a password, 200 with it, which goes no further', 'a console is protected by it', async (c) => {
		await c.raw('POST /v1/service-sources', { ...TUWUNEL, domain: c.upstream.address });
		await c.raw('POST /v1/routes', { ...MATRIX, domains: ['page.example.com'] });
		const put = await c.raw('PUT /v1/routes/matrix-homeserver/plugin-instances/basic-auth', BASIC_AUTH);
		assert.deepEqual(put.configurations, { consumers: [{ name: 'admin', credential: 'admin:Adm1n-pw' }] });
		const ask = (pair) => c.chat(null, { host: 'page.example.com', path: '/_matrix', headers: pair ? { authorization: `Basic ${btoa(pair)}` } : {} });
		const asked = await ask();
		assert.deepEqual([asked.status, asked.headers['www-authenticate']], [401, 'Basic realm="MSE Gateway", charset="UTF-8"']);
		assert.equal((await ask('admin:Adm1n-pX')).status, 401);
		assert.equal((await ask('admin:Adm1n-pw')).status, 200);
		assert.equal(c.upstream.requests.at(-1).headers.authorization, undefined);
		await c.gone('DELETE /v1/routes/matrix-homeserver/plugin-instances/basic-auth');
		assert.equal((await ask()).status, 200);
	}],
	['K184', 'R', 'key-auth for a route with a configuration that it cannot read', '200, that route stays open, the others stay closed', 'an installer sends it, and its page calls that route without a key', async (c) => {
		await c.raw('POST /v1/service-sources', { ...TUWUNEL, domain: c.upstream.address });
		await c.raw('POST /v1/routes', { ...MATRIX, domains: ['page.example.com'] });
		await c.raw('PUT /v1/routes/matrix-homeserver/plugin-instances/key-auth', { enabled: true, rawConfigurations: 'consumers:\n  - gk-manager-0001' });
		assert.equal((await c.chat(null, { host: 'page.example.com', path: '/_matrix' })).status, 200);
		assert.equal((await c.chat(MANAGER_KEY)).status, 200);
		assert.equal((await c.chat(null)).status, 401);
	}],
	['K240', 'R', 'a chat for a host without a route', '404, without the word error in quotes', 'a script takes that word for a failed test', async (c) => {
		const got = await c.chat(MANAGER_KEY, { host: 'ai-gateway.hiclaw.io' });
		plainly(got, 404);
		assert.equal(got.text, '');
	}],
	['K241', 'R', 'a chat without a key', '401 in plain text', 'the same script', async (c) => inPlainText(await c.chat(null), 401)],
	['K242', 'R', 'a chat with a key that nobody has', '401 in plain text', 'the same script', async (c) => inPlainText(await c.chat('nobodys-key'), 401)],
	['K243', 'R', 'a chat with the key of a consumer that the route does not name', '403 in plain text', 'known is not admitted', async (c) => {
		await c.raw('POST /v1/consumers', bearer('other', 'gk-other-0001'));
		inPlainText(await c.chat('gk-other-0001'), 403);
	}],
	['K244', 'R', 'a chat with the manager\'s key', 'the upstream\'s answer; the upstream sees the provider\'s token', 'what the set-up is for', async (c) => {
		const got = await c.chat(MANAGER_KEY);
		assert.equal(got.status, 200);
		assert.equal(got.json.choices[0].message.content, 'ok');
		assert.equal(c.upstream.requests.at(-1).headers.authorization, 'Bearer sk-qwen-00000001');
	}],
	['K245', 'R', 'a new consumer, authorised, and a chat at once', 'the first request is admitted', 'a change is live before it is answered', async (c) => {
		await c.raw('POST /v1/consumers', bearer('worker-b', 'gk-worker-b'));
		await allow(c, 'manager', 'worker-b');
		assert.equal((await c.chat('gk-worker-b')).status, 200);
	}],
];
