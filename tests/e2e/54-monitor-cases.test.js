// Cases of the monitor API and of HiClaw that need a process looked at from outside: traced, killed, flooded with
// requests of any kind, without its port.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import test from 'node:test';
import { startHiclaw } from './lib/hiclaw.js';
import { completion, json, request, startUpstream } from './lib/http.js';
import { AS, startMonitor } from './lib/monitor.js';
import { startServe, tempDir, until } from './lib/sluice.js';

const provider = (t) => startUpstream(t, (req, res) => json(res, 200, req.url.endsWith('/models') ? { data: [{ id: 'm-1' }] } : completion('hi')));
const add = (m, name, up) => m.ok('POST /ni_status/create-provider', { name, type: 'openai', apiKey: 'k', baseUrl: `http://${up.address}/v1` });

test('a switch signals nobody and starts no process (HI-35, M-44), and is shown by all paths', async (t) => {
	const up = await provider(t);
	const hiclaw = await startHiclaw(t);
	const trace = `${tempDir(t)}/trace`;
	const calls = 'kill,tkill,tgkill,rt_sigqueueinfo,rt_tgsigqueueinfo,pidfd_send_signal,execve,execveat,fork,vfork';
	const m = await startMonitor(t, {
		args: ['--hiclaw'],
		env: { ...hiclaw.env, MONITOR_BIND: '127.0.0.1', MONITOR_PORT: '0' },
		ready: { wrap: ['strace', '-D', '-f', '-qq', '-e', `trace=${calls}`, '-e', 'signal=none', '-o', trace] },
	});
	await m.addAgents();
	await add(m, 'one', up);
	for (const [body, status] of [['{', 400], ['[]', 400], ['"x"', 400], ['', 400]])
		assert.equal((await m.call('PUT /ni_status/assignment/manager', body)).status, status, `M-16, M-17: ${body}`);
	await m.refused(400, 'INVALID_MODEL', 'PUT /ni_status/assignment/manager', { provider: 'one', model: "m'$(touch x)" });
	await m.ok('POST /ni_status/set-model', JSON.stringify({ provider: 'one', model: 'm-1', contextWindow: '100000', maxTokens: null }), { headers: { 'content-type': 'application/x-www-form-urlencoded' } });
	const manager = await m.ok('GET /ni_status/assignment/manager');
	assert.deepEqual([manager.model, manager.contextWindow], ['m-1', 100000], 'M-15, M-29, M-57: no target is the Manager, a number may be a text');
	await m.ok('POST /ni_status/set-model', { target: 'worker:alice', provider: 'one', model: 'm-1' });
	assert.equal((await m.ok('POST /ni_status/set-model', { target: 'alice', provider: 'one', model: 'm-1' })).changed, false, 'M-28: the same target');

	const workers = await m.ok('GET /ni_status/assignment/workers');
	assert.deepEqual([Object.keys(workers), workers.alice.model], [['alice'], 'm-1'], 'M-31');
	assert.deepEqual(Object.keys(await m.ok('GET /ni_status/assignment/workers?all=1')), ['alice', 'bob'], 'M-32');
	const all = await m.ok('GET /_admin/api/assignment');
	assert.deepEqual([all.manager.model, Object.keys(all.workers)], ['m-1', ['alice']], 'M-85');
	await m.refused(404, 'WORKER_NOT_FOUND', 'GET /_admin/api/assignment/workers/none');
	assert.equal((await m.ok('GET /ni_status/assignment/workers/none')).model, 'default');

	await m.serve.stop();
	const lines = fs.readFileSync(trace, 'utf8').split('\n').filter(Boolean);
	assert.ok(lines.some((line) => line.includes('execve(')), `the trace has the program's own start: ${lines}`);
	// Threads of our own may be woken by signals; what ends with a stranger's number may not be.
	const own = `(${m.serve.pid}|${[...new Set(lines.map((line) => line.split(' ')[0]))].join('|')})`;
	const strangers = lines.slice(1).filter((line) => !new RegExp(` (tgkill|tkill|kill)\\(${own},`).test(line));
	assert.deepEqual(strangers, []);
});

test('a restore that is killed leaves the old state or the new one (M-89)', async (t) => {
	const data = tempDir(t);
	const names = async (m) => (await m.console('GET /v1/ai/providers')).json.data.map((p) => p.name).sort();
	let m = await startMonitor(t, { data });
	for (const name of ['a', 'b', 'c']) await m.ok('POST /ni_status/create-provider', { name, type: 'openai', apiKey: 'k' });
	const { backup } = await m.ok('POST /ni_status/backups', {});
	for (const name of ['d', 'e']) await m.ok('POST /ni_status/create-provider', { name, type: 'openai', apiKey: 'k' });
	const dead = m.call(`POST /ni_status/backups/${backup.id}/restore`, {}).catch(() => null);
	// Its journal is there: it has begun, and may have ended.
	const before = fs.readdirSync(`${data}/state/backups`).length;
	await until('the restore to begin', () => fs.readdirSync(`${data}/state/backups`).length > before);
	await m.serve.stop('SIGKILL');
	await dead;
	m = await startMonitor(t, { data });
	const now = (await names(m)).join('');
	assert.ok(['abc', 'abcde'].includes(now), now);
	const routes = (await m.ok('GET /ni_status/route')).routes.map((r) => r.name[0]).sort().join('');
	assert.equal(routes, now, 'routes are of the same moment');
});

test('the port of the monitor is taken: everything is served, and the API on the gateway (HI-55)', async (t) => {
	const taken = net.createServer();
	await new Promise((done) => taken.listen(0, '127.0.0.1', done));
	t.after(() => taken.close());
	const serve = await startServe(t, {
		data: tempDir(t),
		args: ['--manage-on-gateway', '--monitor', `127.0.0.1:${taken.address().port}`],
		env: { HICLAW_ADMIN_PASSWORD: 'secret-pw1' },
	});
	assert.equal((await request(serve.port, { method: 'GET', path: '/ni_status/health' })).text, '{"status":"healthy"}');
	assert.equal((await request(serve.port, { method: 'GET', path: '/ni_status/providers', headers: AS.admin })).status, 200);
	assert.ok(serve.stderr().includes(`(process ${process.pid})); what it serves`), serve.stderr());
	assert.equal((await request(serve.port, { method: 'GET', path: '/ni_status/status', headers: AS.admin })).json.monitor_listener, 'unavailable');
});

// The same sequence each time; SLUICE_TEST_REQUESTS=1000000 is the whole case (M-100).
test('requests of any kind', async (t) => {
	const m = await startMonitor(t);
	const known = () => fs.readdirSync(m.serve.data).sort();
	const before = known();
	const n = Number(process.env.SLUICE_TEST_REQUESTS ?? 3000);
	let seed = 7;
	const pick = (list) => list[(seed = (seed * 1103515245 + 12345) % 2147483648) % list.length];
	const nouns = ['health', 'metrics', 'assignment', 'workers', 'providers', 'backups', 'route', 'usage', 'logs', 'history', 'models', 'status', 'set-model', 'reload', 'create-provider', 'test-provider', 'import', 'diff', 'restore', 'manager', 'alice', '..', '%2e%2e', 'a%2fb', '%00', '', 'x'.repeat(300), '20261121T150405Z-0f423f', '%ff', '{name}'];
	const bodies = [undefined, '', '{', '[]', 'null', '{"target":"../../etc","provider":1}', '{"provider":"p","model":"m","contextWindow":1e400}', `{"a":${'['.repeat(500)}${']'.repeat(500)}}`, '{"sections":["providers"],"mode":"replace"}', '{"name":"../a","apiKey":"k","baseUrl":"file:///etc/passwd"}', '\ufeff{}', '{"reason":"\ud800"}', '{"reason":"' + 'y'.repeat(600) + '"}'];
	const queries = ['', '?all=1', '?limit=99999999999999999999', '?before=-1', '?from=x&to=%', '?secrets=encrypted', '?explain=%00&consumer=..', '?step=0', '?legacy=1&strict=1&&=&', '?q=%ff%fe'];
	const one = async () => {
		const path = `${pick(['/ni_status', '/_admin/api', '/ni_status/', '/ni_status/./'])}/${[pick(nouns), pick(nouns), pick(nouns)].slice(0, pick([1, 2, 3])).join('/')}${pick(queries)}`;
		const method = pick(['GET', 'GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH']);
		const got = await request(m.port, { method, path, body: method === 'GET' ? undefined : pick(bodies), headers: AS[pick(['admin', 'admin', 'manager', 'alice', 'nobody'])] });
		assert.ok(got.status < 500 || got.status === 502, `${method} ${path}: ${got.status} ${got.text}`);
	};
	for (let i = 0; i < n; i += 20) await Promise.all(Array.from({ length: 20 }, one));
	assert.equal((await m.call('GET /ni_status/health', undefined, { as: 'nobody' })).text, '{"status":"healthy"}');
	assert.deepEqual(known(), before, 'no file where none belongs');
});

test('routes by the Console: twenty Workers are let in at the same time (HI-50), every member comes back (HI-51)', async (t) => {
	const m = await startMonitor(t);
	await m.addAgents();
	for (const name of ['one', 'two']) await m.ok('POST /ni_status/create-provider', { name, type: 'openai', apiKey: 'k' });
	const path = '/v1/ai/routes/default-ai-route';
	const read = async () => (await m.console(`GET ${path}`)).json.data;
	// As the controller does it: what was read with one name more, again after a 409.
	const admit = async (name) => {
		for (let turn = 0; turn < 40; turn++) {
			const route = await read();
			route.authConfig.allowedConsumers.push(name);
			const { status } = await m.console(`PUT ${path}`, route);
			if (status === 200) return;
			assert.equal(status, 409);
		}
		assert.fail(`${name} was never let in`);
	};
	const names = Array.from({ length: 20 }, (_, i) => `worker-${i}`);
	const before = (await read()).authConfig.allowedConsumers;
	await Promise.all(names.map(admit));
	assert.deepEqual((await read()).authConfig.allowedConsumers.sort(), [...new Set([...before, ...names])].sort());

	const entry = (key) => ({ add: [{ key, value: 'a' }], set: [{ key, value: 's' }], remove: [key] });
	const route = {
		name: 'default-ai-route',
		domains: ['a.example.com'],
		pathPredicate: { matchType: 'PRE', matchValue: '/v1', caseSensitive: false },
		headerPredicates: [{ key: 'x-a', matchType: 'EQUAL', matchValue: 'b', caseSensitive: true }],
		urlParamPredicates: [{ key: 'q', matchType: 'PRE', matchValue: 'c', caseSensitive: true }],
		upstreams: [{ provider: 'one', weight: 60, modelMapping: { 'gpt-*': 'm' } }, { provider: 'two', weight: 40, modelMapping: {} }],
		modelPredicates: [{ matchType: 'PRE', matchValue: 'gpt-', caseSensitive: true }, { matchType: 'EQUAL', matchValue: 'm', caseSensitive: true }],
		authConfig: { enabled: true, allowedCredentialTypes: ['key-auth'], allowedConsumers: ['manager'] },
		fallbackConfig: { enabled: true, upstreams: [{ provider: 'two', weight: 100, modelMapping: {} }], responseCodes: ['5xx'], fallbackStrategy: 'SEQ' },
		cors: { enabled: true, allowOrigins: ['https://a.test'], allowMethods: ['GET'], allowHeaders: ['x-b'], exposeHeaders: ['x-c'], maxAge: 60, allowCredentials: true },
		headerControl: { enabled: true, request: entry('x-d'), response: entry('x-e') },
		proxyNextUpstream: { enabled: true, attempts: 2, timeout: 30, conditions: ['error', 'http_503'] },
		customConfigs: { 'example.com/a': 'b' },
		customLabels: { 'example.com/c': 'd' },
	};
	const put = await m.console(`PUT ${path}`, { ...route, nobodyKnowsIt: { a: 1 } });
	assert.equal(put.status, 200, put.text);
	const { version, ...got } = await read();
	assert.ok(version);
	for (const [key, value] of Object.entries(route)) assert.deepEqual(got[key], value, key);
	assert.ok(!('nobodyKnowsIt' in got));
});
