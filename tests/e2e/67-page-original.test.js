// The original page, which is one file that its users have kept: what it asks of its own origin, request by request as its
// inventory says (web-ui.md 1 to 9), sent by a browser through a proxy that serves that file, and what it needs to go on.
// It knows nothing of sluice: no masks, no X-Requested-With.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import test from 'node:test';
import { ADMIN, primaryOf, startAgents } from './lib/agents.js';
import { openTab, startBrowser, tabsOf } from './lib/page.js';

const ORIGINAL = '<!doctype html><html lang="zh-CN"><title>AI Gateway Management</title><link rel="icon" href="data:,"><body></body></html>';

// Serves the file at /, and hands on everything else as it came, Host and Origin too.
async function startProxy(t, port) {
	const server = http.createServer((req, res) => {
		if (req.url === '/') return res.writeHead(200, { 'content-type': 'text/html' }).end(ORIGINAL);
		const up = http.request({ port, method: req.method, path: req.url, headers: req.headers }, (got) => {
			res.writeHead(got.statusCode, got.headers);
			got.pipe(res);
		});
		up.on('error', () => res.destroy());
		return req.pipe(up);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	return `http://127.0.0.1:${server.address().port}/`;
}

// Its functions, by what they are called on its buttons.
class Original {
	constructor(page) {
		this.page = page;
		this.calls = [];
	}

	async fetch(method, path, body) {
		const got = await this.page.evaluate(async ([m, p, b]) => {
			const res = await fetch(location.origin + p, { method: m, headers: { 'Content-Type': 'application/json' }, credentials: 'include', ...(b === undefined ? {} : { body: JSON.stringify(b) }) });
			return { status: res.status, text: await res.text() };
		}, [method, path, body]);
		this.calls.push(`${method} ${path} ${got.status}`);
		return { ...got, ok: got.status < 300, json: got.text ? JSON.parse(got.text) : null };
	}

	// On 401 and 403 it signs in, once, and asks again.
	async api(method, path, body) {
		const got = await this.fetch(method, path, body);
		if (![401, 403].includes(got.status)) return got;
		await this.login();
		return this.fetch(method, path, body);
	}

	async login() {
		const got = await this.fetch('POST', '/session/login', { username: ADMIN.name, password: ADMIN.password });
		assert.ok(got.ok, `${got.status} ${got.text}`);
	}

	async list(what) {
		const got = await this.api('GET', `/v1/${what}`);
		assert.ok(got.ok && got.json.success === true && Array.isArray(got.json.data), `${what}: ${got.text}`);
		return got.json.data;
	}

	// Before everything that changes something, and by BACKUP NOW: the envelopes as they came.
	async backup() {
		const [providers, routes, consumers] = await Promise.all(['ai/providers', 'ai/routes', 'consumers'].map(async (what) => (await this.api('GET', `/v1/${what}`)).json));
		for (const each of [providers, routes, consumers]) assert.equal(each.success, true);
		await this.page.evaluate((value) => localStorage.setItem('ai-gateway-backup', value), JSON.stringify({ timestamp: new Date().toISOString(), providers, routes, consumers }));
	}

	async save(old, form) {
		await this.backup();
		const body = { type: form.type, name: form.name, tokens: [form.key], version: 0, protocol: 'openai/v1', tokenFailoverConfig: { enabled: false } };
		if (form.type === 'custom') {
			const url = new URL(form.url);
			const source = { type: 'dns', name: form.name, port: Number(url.port), protocol: url.protocol.slice(0, -1), proxyName: '', domain: url.hostname };
			const there = await this.api('GET', `/v1/service-sources/${form.name}`);
			const stored = there.ok ? await this.api('PUT', `/v1/service-sources/${form.name}`, source) : await this.api('POST', '/v1/service-sources', source);
			assert.ok(stored.ok, `FAILED TO CREATE SERVICE SOURCE: ${stored.text}`);
			Object.assign(body, { type: 'openai', rawConfigs: { openaiCustomUrl: form.url, openaiCustomServiceName: `${form.name}.dns`, openaiCustomServicePort: Number(url.port), mergeConsecutiveMessages: true, _custom: true } });
		} else if (form.type === 'qwen') {
			body.rawConfigs = { qwenEnableSearch: false, qwenEnableCompatible: true, qwenFileIds: [] };
		} else if (form.url) {
			body.rawConfigs = { apiUrl: form.url };
		}
		if (old && old !== form.name) await this.api('DELETE', `/v1/ai/providers/${old}`);
		const got = old === form.name ? await this.api('PUT', `/v1/ai/providers/${form.name}`, body) : await this.api('POST', '/v1/ai/providers', body);
		return got.ok || got.status === 409;
	}

	async setModel(target, provider, model) {
		await this.backup();
		return this.api('POST', '/ni_status/set-model', { target, provider, model, contextWindow: 200000, maxTokens: 64000, reasoning: true });
	}

	// Its restore: providers only, answers unread.
	async restore() {
		const kept = JSON.parse(await this.page.evaluate(() => localStorage.getItem('ai-gateway-backup')));
		for (const provider of kept.providers.data) await this.api('POST', '/v1/ai/providers', provider);
	}
}

test('W-60: the original page, served from an address of its own, runs against sluice', async (t) => {
	tabsOf(t);
	const hiclaw = await startAgents(t);
	const proxy = await startProxy(t, hiclaw.serve.console);
	const browser = await startBrowser(t);
	const page = await openTab(t, browser, proxy, { expected: [/status of (400|404|409|502)/] });
	const original = new Original(page);

	await t.test('it starts: signs in, and loads everything', async () => {
		await original.login();
		const [providers, routes, consumers] = [await original.list('ai/providers'), await original.list('ai/routes'), await original.list('consumers')];
		assert.deepEqual(providers.map((p) => [p.name, p.type, p.tokens]), [['qwen', 'openai', ['vendor-key-qwen-0001']]], 'with its key: EDIT shows it');
		assert.deepEqual(routes.map((r) => [r.name, r.upstreams[0].provider, r.pathPredicate.matchValue]), [['default-ai-route', 'qwen', '/v1']]);
		assert.deepEqual(consumers.map((c) => c.name).filter((name) => name.startsWith('worker-')), ['worker-alice', 'worker-bob']);
		assert.ok(Array.isArray(await original.list('domains')), 'HIGRESS is ONLINE');
		for (const who of ['manager', 'workers/alice', 'workers/bob']) {
			const got = await original.api('GET', `/ni_status/assignment/${who}`);
			assert.deepEqual([got.status, got.json.provider, got.json.model], [200, 'default', 'default'], who);
		}
		const metrics = await original.api('GET', '/ni_status/metrics');
		assert.equal(metrics.status, 200);
		for (const name of ['cpu', 'memory', 'connections', 'rpm']) assert.ok(metrics.json[name] === null || Number.isInteger(metrics.json[name]), name);
		assert.deepEqual(original.calls.filter((line) => !line.endsWith(' 200') && !line.endsWith(' 201')), []);
	});

	await t.test('a provider of its own address: source and provider, once more, and its test', async () => {
		const form = { type: 'custom', name: 'kimi', key: 'vendor-key-kimi-0001', url: `http://localhost:${hiclaw.vendors.kimi.port}/v1` };
		assert.equal(await original.save(null, form), true);
		assert.ok(original.calls.includes('POST /v1/service-sources 201'));
		assert.equal(await original.save(null, form), true, 'what is there is replaced');
		assert.ok(original.calls.includes('PUT /v1/service-sources/kimi 200'));
		const got = await original.api('POST', '/ni_status/test-provider', { provider: 'kimi' });
		assert.deepEqual([got.status, got.json.success, got.json.models], [200, true, 2], got.text);
		const p = (await original.list('ai/providers')).find((x) => x.name === 'kimi');
		assert.deepEqual([p.rawConfigs.openaiCustomUrl, p.rawConfigs.openaiCustomServiceName, p.rawConfigs._custom], [form.url, 'kimi.dns', true], 'it shows TYPE: custom by that member');
	});

	await t.test('a test that fails has a reason', async () => {
		assert.equal(await original.save(null, { type: 'qwen', name: 'dead', key: 'sk-dead-0000001' }), true);
		await original.api('PUT', '/v1/ai/providers/dead', { type: 'openai', name: 'dead', tokens: ['sk-dead-0000001'], protocol: 'openai/v1', rawConfigs: { openaiCustomUrl: 'http://127.0.0.1:1/v1' } });
		const got = await original.api('POST', '/ni_status/test-provider', { provider: 'dead' });
		assert.equal(got.json.success, false);
		assert.match(got.json.error, /^Connection failed: /);
		const missing = await original.api('POST', '/ni_status/test-provider', { provider: 'nobody' });
		assert.equal(missing.json.error, 'Provider not found');
	});

	await t.test('models of the Manager and of a Worker', async () => {
		const got = await original.setModel('manager', 'kimi', 'kimi-k2.5');
		assert.deepEqual([got.status, got.json.success, got.json.target], [200, true, 'manager'], got.text);
		assert.equal(primaryOf(hiclaw.file('manager', 'openclaw.json')), 'hiclaw-gateway/kimi-k2.5');
		assert.equal((await original.setModel('alice', 'kimi', 'kimi-k2')).json.target, 'alice', 'a Worker by its bare name');
		assert.equal(primaryOf(hiclaw.file('alice', 'openclaw.json')), 'hiclaw-gateway/kimi-k2');
		assert.equal((await original.api('GET', '/ni_status/assignment/workers/alice')).json.model, 'kimi-k2');
		assert.equal(await hiclaw.ask('manager', 'kimi-k2.5'), 'by kimi');
		const refused = await original.setModel('manager', 'kimi', 'no-such-model');
		assert.equal(refused.json.success, false);
		assert.match(refused.json.error, /^Model not reachable: /);
		assert.equal((await original.setModel('manager', '', '')).json.error, 'Provider and model are required');
		assert.equal(primaryOf(hiclaw.file('manager', 'openclaw.json')), 'hiclaw-gateway/kimi-k2.5');
	});

	await t.test('an edit, a rename, which is a DELETE and a POST, and a deletion', async () => {
		assert.equal(await original.save('dead', { type: 'deepseek', name: 'dead', key: 'sk-other-0000001', url: 'https://api.example.test/v1' }), true);
		assert.deepEqual((await original.list('ai/providers')).find((p) => p.name === 'dead').tokens, ['sk-other-0000001']);
		assert.equal(await original.save('dead', { type: 'deepseek', name: 'renamed', key: 'sk-other-0000001' }), true);
		assert.deepEqual((await original.list('ai/providers')).map((p) => p.name).sort(), ['kimi', 'qwen', 'renamed']);
		await original.backup();
		assert.equal((await original.api('DELETE', '/v1/ai/providers/renamed')).ok, true);
		assert.deepEqual((await original.list('ai/providers')).map((p) => p.name).sort(), ['kimi', 'qwen']);
	});

	await t.test('RESET: what its backup holds is posted as it was listed', async () => {
		const before = await original.list('ai/providers');
		original.calls.length = 0;
		await original.restore();
		assert.deepEqual(original.calls.map((line) => line.split(' ').at(-1)), ['201', '201', '201']);
		const after = await original.list('ai/providers');
		assert.deepEqual(after.filter((p) => p.name !== 'renamed'), before, 'the others are what they were');
		const back = after.find((p) => p.name === 'renamed');
		assert.deepEqual([back.type, back.tokens], ['deepseek', ['sk-other-0000001']]);
		assert.equal(await hiclaw.ask('manager', 'kimi-k2.5'), 'by kimi', 'nothing else was touched');
	});

	await t.test('a session that has ended: it signs in and asks again', async () => {
		await page.context().clearCookies();
		original.calls.length = 0;
		assert.equal((await original.list('consumers')).length, 3);
		assert.deepEqual(original.calls, ['GET /v1/consumers 401', 'POST /session/login 201', 'GET /v1/consumers 200']);
		await page.context().clearCookies();
		original.calls.length = 0;
		assert.equal((await original.setModel('bob', 'qwen', 'qwen-max')).json.success, true);
		await page.context().clearCookies();
		assert.equal((await original.api('GET', '/ni_status/metrics')).status, 200, 'ni_status says 401 too');
	});

	await t.test('our page takes over what it has left in the browser', async () => {
		await page.evaluate(() => localStorage.setItem('higress_pass', 'admin'));
		const kept = await page.evaluate(() => JSON.parse(localStorage.getItem('ai-gateway-backup')));
		assert.deepEqual(Object.keys(kept), ['timestamp', 'providers', 'routes', 'consumers']);
		const imported = await hiclaw.monitor('POST backups/import', kept);
		assert.ok(imported.status < 300, imported.text);
	});
});
