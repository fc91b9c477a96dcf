// The clients that manage such a gateway, replayed with curl and jq (tests/clients) and, for the Console's front end, with
// node: K250 to K259. Each ends in a chat that a model server answers.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { ADMIN, bearer, DEFAULT_ROUTE, localProvider, MANAGER_KEY, startConsole } from './lib/console.js';
import { request } from './lib/http.js';
import { ROOT, run, startMock, tempDir } from './lib/sluice.js';

// A client against a gateway with a model server behind; gives what it printed.
async function client(t, { console: c, mock }, name, env = {}) {
	const got = await run([], {
		program: path.join(ROOT, 'tests/clients', `${name}.sh`),
		env: {
			CONSOLE: `http://127.0.0.1:${c.serve.console}`,
			GATEWAY: c.serve.url,
			MODEL_URL: `${mock.url}/v1`,
			ADMIN: ADMIN.name,
			PASSWORD: ADMIN.password,
			KEY: MANAGER_KEY,
			WORK: c.work ??= tempDir(t),
			...env,
		},
		ms: 60000,
	});
	assert.equal(got.code, 0, got.stdout + got.stderr);
	assert.doesNotMatch(got.stdout, /ERROR|WARNING/);
	assert.equal(got.stderr, '');
	return got.stdout;
}

async function world(t, options) {
	const mock = await startMock(t);
	return { console: await startConsole(t, options), mock };
}
const inside = async (w) => {
	await w.console.login();
	return w.console;
};
const ROUTE = 'GET /v1/ai/routes/default-ai-route';

test('K250: a container\'s first boot: everything is made, and a chat is served', async (t) => {
	const w = await world(t, { args: ['--hiclaw'], env: { MONITOR_BIND: '127.0.0.1', MONITOR_PORT: '0' } });
	const out = await client(t, w, 'boot', { GITHUB_TOKEN: 'ghp_0001' });
	assert.match(out, /a chat with the manager's key \(served\)/);
	const c = await inside(w);
	assert.match((await c.data('GET /v1/mcpServer/mcp-github')).rawConfigurations, /accessToken: ghp_0001\n/);
	assert.deepEqual((await c.data(ROUTE)).domains, ['aigw.example.com', 'aigw-local.hiclaw.io']);
	assert.equal((await c.data('GET /v1/domains')).length, 6);
	// The route is the domain's; who asks by its old name gets it, and nobody by another one.
	const headers = (host) => ({ host, authorization: `Bearer ${MANAGER_KEY}` });
	for (const [host, status] of Object.entries({ 'aigw-local.hiclaw.io': 200, 'AI-Gateway.hiclaw.io:8080': 200, 'ai-gateways.hiclaw.io': 404 })) {
		assert.equal((await request(c.serve.port, { headers: headers(host), body: { model: 'm', messages: [] } })).status, status, host);
		const explain = (...args) => run(['explain', '--resources', path.join(c.serve.data, 'resources'), '--host', host, '--path', '/v1/chat/completions', '--model', 'm', '--consumer', 'manager', ...args]);
		assert.equal((await explain('--hiclaw')).code, status === 200 ? 0 : 1, `explain ${host}`);
		if (/^AI/.test(host)) assert.equal((await explain()).code, 1, 'without HiClaw it is a name like any other');
	}
});

test('K251, K252: its later boots: what is there is found, with and without the steps of the first one', async (t) => {
	const w = await world(t);
	const mcp = { GITHUB_TOKEN: 'ghp_0001' };
	await client(t, w, 'boot', mcp);
	const c = await inside(w);
	const before = await c.data(ROUTE);
	await client(t, w, 'boot', { FIRST_BOOT: 'no', ...mcp });
	const after = await c.data(ROUTE);
	assert.notEqual(after.version, before.version);
	assert.deepEqual(after.authConfig, before.authConfig);
	assert.equal(after.headerControl.request.add[0].value, 'HiClaw/2.0');
	const key = 'gk-manager-0002';
	const out = await client(t, w, 'boot', { KEY: key });
	assert.match(out, /route matrix-homeserver: exists/);
	assert.deepEqual((await c.data('GET /v1/consumers/manager')).credentials[0].values, [key]);
});

test('other providers: qwen, which a boot cannot call, and one with only a URL', async (t) => {
	const w = await world(t);
	await client(t, w, 'boot', { PROVIDER: 'qwen' });
	const c = await inside(w);
	assert.deepEqual(await c.names('GET /v1/ai/providers'), ['qwen']);
	assert.match(await client(t, w, 'boot', { PROVIDER: 'custom' }), /served/);
	assert.equal((await c.data(ROUTE)).upstreams[0].provider, 'custom');
});

test('a cluster\'s boot, twice: services by name, one path for all models', async (t) => {
	const w = await world(t);
	for (const again of [/AI route \(201\)/, /AI route: exists/]) assert.match(await client(t, w, 'cluster'), again);
	const c = await inside(w);
	assert.deepEqual(await c.names('GET /v1/routes'), ['ai-route-default-ai-route.internal', 'element-web', 'matrix-homeserver']);
	assert.match(await client(t, await world(t), 'cluster', { PROVIDER: 'qwen', WORK: tempDir(t) }), /provider qwen \(201\)/);
});

test('MCP servers are added while the gateway runs; a permission is taken away and given back', async (t) => {
	const w = await world(t);
	await client(t, w, 'boot', { GITHUB_TOKEN: 'ghp_0001' });
	await client(t, w, 'workers', { WORKER: 'worker-alice', WORKER_KEY: 'gk-worker-alice' });
	const c = await inside(w);
	const allowed = async (name) => (await c.data(`GET /v1/mcpServer/consumers?mcpServerName=${name}`)).map((each) => each.consumerName);
	assert.deepEqual(await allowed('mcp-github'), ['manager', 'worker-alice']);
	await client(t, w, 'tools', { WORKERS: 'worker-alice worker-bob' });
	assert.deepEqual(await allowed('mcp-weather'), ['manager', 'worker-bob', 'worker-alice']);
	// What is not run is said so to who may call it, and to nobody else.
	const call = (key) => request(c.serve.port, { method: 'POST', path: '/mcp-servers/mcp-weather/mcp', body: {}, headers: { host: 'aigw-local.hiclaw.io', authorization: `Bearer ${key}` } });
	assert.deepEqual([(await call('none')).status, (await call('gk-worker-alice')).status], [401, 501]);
	const lint = await run(['lint', path.join(c.serve.data, 'resources')]);
	assert.doesNotMatch(lint.stdout, /: (error|warning): .*(mcp|MCP)/);
});

test('workers are added while the gateway runs: three at the same time', async (t) => {
	const w = await world(t);
	await client(t, w, 'boot');
	const each = (i) => client(t, w, 'workers', { WORKER: `worker-${i}`, WORKER_KEY: `gk-worker-${i}`, WORK: tempDir(t) });
	await Promise.all([1, 2, 3].map(each));
	const c = await inside(w);
	assert.deepEqual((await c.data(ROUTE)).authConfig.allowedConsumers.sort(), ['manager', 'worker-1', 'worker-2', 'worker-3']);
	assert.match(await client(t, w, 'workers', { WORKER: 'worker-1', WORKER_KEY: 'gk-worker-1' }), /admits worker-1 already/);
});

test('K253 to K255: the skill that switches models: installed twice, both switches, its page', async (t) => {
	const w = await world(t);
	await client(t, w, 'boot');
	const out = await client(t, w, 'plugin');
	assert.match(out, /a chat for model paged \(served\)/);
	const c = await inside(w);
	assert.deepEqual(await c.names('GET /v1/ai/routes'), ['default-ai-route', 'local-ai-route', 'paged-ai-route']);
});

test('K256, K257: the controller: its start, twice, and the life of a worker', async (t) => {
	const w = await world(t);
	const out = await client(t, w, 'controller');
	assert.match(out, /no AI route lists worker-alice/);
	const c = await inside(w);
	assert.match(await c.data('GET /system/higress-config'), /\n {6}idleTimeout: 900\n/);
	assert.deepEqual((await c.data(ROUTE)).authConfig.allowedConsumers, ['worker-alice']);
	assert.deepEqual(await c.names('GET /v1/consumers'), ['worker-alice']);
});

test('K258: the front end: log in, make, edit and remove what its pages show', async (t) => {
	const { console: c, mock } = await world(t);
	// As its HTTP layer does: time in every GET, the member data where there is one, anything else is an error dialog.
	const page = async (line, body) => {
		const got = await c.call(line.startsWith('GET') ? `${line}${line.includes('?') ? '&' : '?'}ts=${Date.now()}` : line, body);
		assert.ok(got.status < 300, `${line}: ${got.status} ${got.text}`);
		const json = got.text ? got.json : undefined;
		return json?.data ? json.data : json;
	};
	assert.ok(!(await page('GET /system/config'))['system.initialized']);
	await page('POST /system/init', { adminUser: ADMIN });
	assert.equal((await page('POST /session/login', { username: ADMIN.name, password: ADMIN.password, autoLogin: true })).name, 'admin');
	assert.equal((await page('GET /user/info')).name, 'admin');
	for (const list of ['proxy-servers', 'services', 'ai/providers', 'consumers', 'domains', 'ai/routes', 'tls-certificates', 'routes', 'service-sources', 'wasm-plugins?lang=en-US', 'mcpServer?pageNum=1&pageSize=100', 'global/plugin-instances']) assert.ok(Array.isArray(await page(`GET /v1/${list}`)), list);
	const form = { ...localProvider(mock), version: 0, protocol: 'openai/v1', proxyName: '', tokenFailoverConfig: { enabled: false } };
	await page('POST /v1/ai/providers', form);
	const [listed] = await page('GET /v1/ai/providers');
	const shown = new Set(['id', 'type', 'protocol', 'apiTokens', 'failover', 'retryOnFailure', 'proxyName']);
	const rawConfigs = Object.fromEntries(Object.entries(listed.rawConfigs).filter(([key]) => !shown.has(key)));
	assert.deepEqual(rawConfigs, form.rawConfigs);
	await page('PUT /v1/ai/providers/qwen', { ...listed, version: 0, rawConfigs, tokens: ['sk-******001', 'sk-second-00001'] });
	assert.deepEqual((await page('GET /v1/ai/providers'))[0].tokens, ['sk-qwen-00000001', 'sk-second-00001']);
	await page('POST /v1/consumers', bearer('manager', MANAGER_KEY));
	await page('PUT /v1/consumers/manager', { ...bearer('manager', MANAGER_KEY, 'gk-manager-0002'), version: 0 });
	await page('POST /v1/ai/routes', { ...DEFAULT_ROUTE, fallbackConfig_upstreams: 'qwen', fallbackConfig: { enabled: false, strategy: 'SEQ' } });
	const route = await page(ROUTE);
	await page('PUT /v1/ai/routes/default-ai-route', { ...route, customConfigs: {}, modelPredicates: null });
	const derived = '/v1/routes/ai-route-default-ai-route.internal';
	assert.equal((await page(`GET ${derived}`)).name, 'ai-route-default-ai-route.internal');
	const [plugin] = await page(`GET ${derived}/plugin-instances`);
	const instance = await page(`GET ${derived}/plugin-instances/${plugin.pluginName}`);
	const { configurations, ...edited } = instance;
	assert.ok(configurations.use_default_response_attributes);
	await page(`PUT ${derived}/plugin-instances/${plugin.pluginName}`, { ...edited, rawConfigurations: 'use_default_response_attributes: false' });
	assert.equal((await page(`GET ${derived}/plugin-instances/${plugin.pluginName}`)).configurations.use_default_response_attributes, false);
	await page('PUT /v1/mcpServer', { name: 'tools', type: 'OPEN_API', domains: [], services: [{ name: 'a.dns', port: 443, weight: 100 }], consumerAuthInfo: { enable: false, type: 'key-auth' }, mcpServerName: '' });
	const server = await page('GET /v1/mcpServer/tools');
	await page('PUT /v1/mcpServer', { ...server, mcpServerName: 'tools', rawConfigurations: 'server:\n  name: tools\ntools: []\n' });
	await page('PUT /v1/mcpServer', { ...(await page('GET /v1/mcpServer/tools')), mcpServerName: 'tools', consumerAuthInfo: { enable: true, type: 'key-auth', allowedConsumers: ['manager'] } });
	assert.deepEqual((await page('GET /v1/mcpServer/consumers?mcpServerName=tools&pageNum=1&pageSize=10')).map((each) => each.consumerName), ['manager']);
	await page('DELETE /v1/mcpServer/consumers', { mcpServerName: 'tools', consumers: ['manager'] });
	await page('DELETE /v1/mcpServer/tools');
	const { schema } = await page('GET /v1/wasm-plugins/key-auth/config');
	assert.ok(schema.jsonSchema.properties && schema.extensions['x-example-raw']);
	assert.equal(typeof (await page('GET /v1/wasm-plugins/key-auth/readme?lang=zh-CN')), 'string');
	const text = await page('GET /system/higress-config');
	assert.equal(typeof (await page('PUT /system/higress-config', { config: text })), 'string');
	for (const key of [MANAGER_KEY, 'gk-manager-0002']) assert.equal((await c.chat(key)).status, 200, 'K258 ends in a served chat');
	await page('DELETE /v1/ai/routes/default-ai-route');
	await page('DELETE /v1/consumers/manager');
	await page('DELETE /v1/ai/providers/qwen');
	for (const list of ['ai/providers', 'consumers', 'ai/routes', 'routes', 'service-sources']) assert.deepEqual(await page(`GET /v1/${list}`), [], list);
	await page('POST /user/changePassword', { oldPassword: ADMIN.password, newPassword: 'next' });
	assert.equal((await c.call('GET /user/info')).status, 401);
	await page('GET /session/logout');
});

test('K259: the tool server: each of its tools, with Basic credentials', async (t) => {
	const w = await world(t);
	await client(t, w, 'boot');
	const out = await client(t, w, 'operator');
	assert.equal(out.match(/^ok: it is second$/gm).length, 4);
});
