// What the monitor API measures and tries: metrics, usage, Workers at work, tests of providers, models; and what a
// request to give an agent a model may not be (monitor-api.md 4.2, 4.4, 4.6 to 4.8, 6.4, 6.5, 6.7).
import assert from 'node:assert/strict';
import test from 'node:test';
import { completion, json, request, startUpstream } from './lib/http.js';
import { ALICE, AS, startMonitor } from './lib/monitor.js';
import { until } from './lib/sluice.js';

// A provider: what it answers to a list and to a completion is set by the test.
async function startProvider(t) {
	const p = await startUpstream(t, (req, res, body) => {
		p.seen.push({ path: req.url, body: body.length ? JSON.parse(body) : undefined });
		if (p.hold && !req.url.endsWith('/models')) p.held = () => json(res, 200, completion('late'));
		else if (req.url.endsWith('/models')) p.list(res);
		else p.complete(res);
	});
	p.reset = () => {
		p.seen = [];
		p.held = null;
		p.hold = false;
		p.list = (res) => json(res, 200, { data: Array.from({ length: 150 }, (_, i) => ({ id: `gpt-${i}` })) });
		p.complete = (res) => json(res, 200, completion('hi'));
	};
	p.reset();
	return p;
}

const html = (res) => {
	res.writeHead(200, { 'content-type': 'text/html' });
	res.end('<html>x</html>');
};

test('measures', async (t) => {
	const m = await startMonitor(t);
	const p = await startProvider(t);
	await m.addAgents();
	await m.ok('POST /ni_status/create-provider', { name: 'mine', type: 'openai', apiKey: 'sk-mine-0123456789', baseUrl: `http://${p.address}/v1` });
	const chat = (key = ALICE, model = 'gpt-1') =>
		request(m.serve.port, { headers: { host: 'aigw-local.hiclaw.io', authorization: `Bearer ${key}` }, body: { model, messages: [{ role: 'user', content: 'hi' }] } });

	await t.test('metrics: five members, of which none is invented', async () => {
		const got = await m.ok('GET /ni_status/metrics', undefined, { as: 'manager' });
		assert.deepEqual(Object.keys(got), ['cpu', 'memory', 'connections', 'rpm', 'timestamp']);
		for (const name of ['cpu', 'memory']) assert.ok(Number.isInteger(got[name]) && got[name] >= 0 && got[name] <= 100, `${name}: ${got[name]}`);
		assert.match(got.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
		await m.refused(401, 'AUTH_FAILED', 'GET /ni_status/metrics', undefined, { as: 'nobody' });
		await m.refused(403, 'FORBIDDEN', 'GET /ni_status/metrics', undefined, { as: 'alice' });
		const { details } = await m.ok('GET /ni_status/metrics?detail=1');
		for (const name of ['cpuCount', 'inFlight', 'latencyMs', 'tokensPerMinute', 'uptimeSeconds', 'series']) assert.ok(name in details, name);
		assert.ok(details.processRssBytes > 1 << 20, `${details.processRssBytes}: the sandbox does not hide it`);
		await m.refused(502, 'CONFIG_INCOMPLETE', 'POST /ni_status/reload', {});
	});

	await t.test('requests are counted, probes and management are not', async () => {
		for (let i = 0; i < 30; i++) assert.equal((await chat()).status, 200);
		await m.ok('POST /ni_status/test-provider', { provider: 'mine' });
		await request(m.serve.port, { method: 'GET', path: '/ni_status/metrics', headers: AS.admin });
		const got = await until('30 requests', async () => {
			const now = await m.ok('GET /ni_status/metrics');
			return now.rpm >= 30 && now;
		});
		assert.equal(got.rpm, 30, 'M-05');
		const by = async (kind) => (await m.ok(`GET /ni_status/usage?by=${kind}`)).series;
		for (const [kind, key] of [['total', 'total'], ['consumer', 'worker-alice'], ['provider', 'mine'], ['model', 'gpt-1']]) {
			const series = await by(kind);
			const one = kind === 'total' ? series[0] : series.find((s) => s.key === key);
			assert.ok(one, `${kind}: ${JSON.stringify(series)}`);
			assert.equal(one.points.reduce((sum, point) => sum + point[1], 0), 30, kind);
			assert.equal(one.points.reduce((sum, point) => sum + point[3], 0), 90, `${kind}: tokens`);
		}
		for (const bad of ['by=x', 'from=x', 'step=x', 'from=20&to=10']) await m.refused(400, 'INVALID_REQUEST', `GET /ni_status/usage?${bad}`);
	});

	await t.test('Workers: idle between turns is busy, nobody without a signal is guessed at', async () => {
		const { workers } = await until('Alice', async () => {
			const now = await m.ok('GET /ni_status/workers');
			return now.workers.find((w) => w.name === 'alice').requests1h === 30 && now;
		});
		const [alice, bob] = workers;
		assert.deepEqual([alice.name, alice.state, alice.evidence, alice.consumer, alice.authorized], ['alice', 'busy', ['G'], 'worker-alice', true]);
		assert.deepEqual([bob.name, bob.state, bob.reason, bob.evidence], ['bob', 'offline', 'no_signal', []], 'M-95');
		assert.deepEqual((await m.ok('GET /ni_status/workers')).workers.find((w) => w.name === 'bob'), bob, 'and again the same');
		const { worker } = await m.ok('GET /ni_status/workers/alice');
		assert.equal(worker.sparkline.reduce((x, y) => x + y, 0), 30);
		await m.refused(404, 'WORKER_NOT_FOUND', 'GET /ni_status/workers/nobody');
		await m.refused(400, 'INVALID_NAME', 'GET /ni_status/workers/A');
		await m.refused(409, 'CONFLICT', 'POST /ni_status/workers/alice/wake');
		await m.refused(403, 'FORBIDDEN', 'POST /ni_status/workers/alice/sleep', undefined, { as: 'manager' });

		p.hold = true;
		const turn = chat();
		const busy = await until('a request in flight', async () => {
			const { worker: w } = await m.ok('GET /ni_status/workers/alice');
			return w.inFlight === 1 && w;
		});
		assert.deepEqual([busy.state, busy.reason], ['busy', 'request_in_flight'], 'M-96');
		p.held();
		assert.equal((await turn).status, 200);
	});

	await t.test('a provider is tested', async () => {
		p.reset();
		const path = 'POST /ni_status/test-provider';
		const listed = await m.ok(path, { provider: 'mine' });
		assert.deepEqual(Object.entries(listed).slice(0, 2), [['success', true], ['models', 150]], 'M-33');
		assert.deepEqual([listed.via, listed.sample.length, 'modelFound' in listed], ['models', 20, false]);
		assert.deepEqual((await m.ok('GET /ni_status/providers/mine')).data.lastTest.ok, true);
		const found = await m.ok(path, { provider: 'mine', model: 'gpt-5-mini' });
		assert.deepEqual([found.modelFound, found.models], [true, 150]);
		const asked = p.seen.at(-1).body;
		assert.ok(asked.max_completion_tokens && !('max_tokens' in asked), 'M-23');
		p.list = (res) => json(res, 404, {});
		assert.equal((await m.ok(path, { provider: 'mine', model: 'gpt-1' })).via, 'completion', 'M-36');

		const refused = async (status, code, body, text) => {
			const got = await m.refused(status, code, path, body);
			assert.equal(got.json.error, text);
		};
		await refused(400, 'INVALID_REQUEST', {}, 'Provider name required');
		await refused(404, 'PROVIDER_NOT_FOUND', { provider: 'none' }, 'Provider not found');
		await m.console('PUT /v1/ai/providers/keyless', { name: 'keyless', type: 'openai', protocol: 'openai/v1', tokens: [] });
		if ((await m.console('GET /v1/ai/providers/keyless')).status === 200) await refused(400, 'NO_API_KEY', { provider: 'keyless' }, 'No API key configured');
		p.list = html;
		const page = await m.refused(502, 'PROVIDER_UNREACHABLE', path, { provider: 'mine' });
		assert.match(page.json.error, /^Invalid response/, 'M-35');
		p.list = (res) => json(res, 401, { error: { message: 'wrong key sk-mine-0123456789' } });
		const wrong = await m.refused(502, 'PROVIDER_UNREACHABLE', path, { provider: 'mine' });
		assert.match(wrong.json.error, /wrong key/);
		assert.ok(!wrong.text.includes('sk-mine-0123456789'));
		p.list = (res) => {
			res.writeHead(302, { location: 'http://169.254.169.254/' });
			res.end();
		};
		await m.refused(502, 'PROVIDER_UNREACHABLE', path, { provider: 'mine' }, undefined); // M-37: not followed
		assert.equal((await m.ok('GET /ni_status/providers/mine')).data.health, 'failed');
	});

	await t.test('models: what is known and what the provider says', async () => {
		p.reset();
		const all = (await m.ok('GET /ni_status/models')).models;
		assert.ok(all.some((x) => x.id === 'qwen3.5-plus' && x.contextWindow === 200000 && x.source === 'known'));
		await m.ok('POST /ni_status/test-provider', { provider: 'mine' });
		const mine = (await m.ok('GET /ni_status/models?provider=mine')).models;
		assert.equal(mine.filter((x) => x.source === 'provider').length, 150);
		assert.ok(mine.some((x) => x.id === 'gpt-5.4' && x.source === 'known') && !mine.some((x) => x.id === 'qwen3.5-plus'));
		const before = p.seen.length;
		await m.ok('GET /ni_status/models?provider=mine');
		assert.equal(p.seen.length, before, 'the list holds for a while');
		await m.refused(404, 'PROVIDER_NOT_FOUND', 'GET /ni_status/models?provider=none');
	});

	await t.test('what no agent is given', async () => {
		p.reset();
		const put = 'PUT /ni_status/assignment/manager';
		const good = { provider: 'mine', model: 'gpt-1' };
		for (const body of [{ model: 'gpt-1' }, { provider: 'mine' }, {}, '']) {
			const got = await m.refused(400, 'INVALID_REQUEST', put, body);
			assert.equal(got.json.error, 'Provider and model are required', 'M-13');
		}
		for (const contextWindow of ['abc', -1, 1.5, 1e99]) {
			const got = await m.refused(400, 'INVALID_REQUEST', put, { ...good, contextWindow });
			assert.equal(got.json.field, 'contextWindow', `M-14: ${contextWindow}`);
		}
		for (const model of ["m'$(id)", 'm"x', 'a\nb', 'a b', '', 'x'.repeat(257)].slice(0, 4).concat('x'.repeat(257)))
			await m.refused(400, 'INVALID_MODEL', put, { ...good, model });
		for (const [key, value] of [['apply', 'x'], ['onConflict', 'x'], ['strict', 'x'], ['dryRun', 1], ['provider', 1], ['model', []]])
			assert.equal((await m.refused(400, 'INVALID_REQUEST', put, { ...good, [key]: value })).json.field, key);
		for (const target of ['../../etc', 'Alice', 'worker:', 'a/b']) await m.refused(400, 'INVALID_NAME', 'POST /ni_status/set-model', { ...good, target });
		await m.refused(404, 'PROVIDER_NOT_FOUND', put, { ...good, provider: 'none' });
		await m.refused(403, 'FORBIDDEN', put, { ...good, skipTest: true }, { as: 'manager' });
		for (const name of ['A', 'manager', 'a_b', '']) assert.ok([400, 404].includes((await m.call(`PUT /ni_status/assignment/workers/${name}`, good)).status), name);
		assert.equal(p.seen.length, 0, 'nobody was asked');
		assert.deepEqual(await m.ok('GET /ni_status/assignment/workers'), {});
	});

	await t.test('an unreachable model: nothing changes, and the status of old where it is asked for', async () => {
		const routes = (await m.ok('GET /ni_status/route?all=1')).routes;
		p.complete = (res) => json(res, 401, { error: { message: 'no' } });
		const got = await m.refused(502, 'MODEL_NOT_REACHABLE', 'PUT /ni_status/assignment/manager', { provider: 'mine', model: 'gpt-1' });
		assert.match(got.json.error, /^Model not reachable: /);
		assert.match(got.json.hint, /Higress Console/);
		assert.equal(got.json.details.kind, 'auth');
		const legacy = await m.call('POST /ni_status/set-model?legacy=1', { provider: 'mine', model: 'gpt-1' });
		assert.deepEqual([legacy.status, legacy.json.success, legacy.json.code], [200, false, 'MODEL_NOT_REACHABLE'], 'M-30');
		for (const answer of [html, (res) => json(res, 200, { choices: [] })]) {
			p.complete = answer;
			await m.refused(502, 'MODEL_NOT_REACHABLE', 'POST /ni_status/set-model', { provider: 'mine', model: 'gpt-1' });
		}
		assert.deepEqual((await m.ok('GET /ni_status/route?all=1')).routes, routes, 'M-19');
		assert.equal((await m.ok('GET /ni_status/assignment/manager')).state, 'unmanaged');
	});

	await t.test('status', async () => {
		const got = await m.ok('GET /ni_status/status', undefined, { as: 'manager' });
		assert.deepEqual(Object.keys(got), ['success', 'gateway', 'monitor_listener', 'console', 'manager', 'routing', 'counts', 'attachments', 'pendingSync', 'warnings']);
		assert.deepEqual(got.gateway.listeners.monitor, m.serve.ready.monitor);
		assert.deepEqual(got.routing, { mode: 'single', default: 'mine', dedicated: 0 });
		assert.equal(got.counts.workers, 2);
		assert.ok(Object.values(got.attachments).every((a) => a.state === 'absent'), 'without --hiclaw there is nothing of HiClaw');
	});

	await t.test('200 at once, while a model is tried', async () => {
		p.reset();
		p.hold = true;
		const slow = m.call('POST /ni_status/set-model', { provider: 'mine', model: 'gpt-1' });
		await until('the test request', () => p.held);
		const all = await Promise.all(Array.from({ length: 200 }, () => m.call('GET /ni_status/metrics')));
		assert.ok(all.every((got) => got.status === 200), 'M-58');
		p.hold = false;
		p.held();
		const done = await slow;
		assert.ok([200, 500].includes(done.status), done.text); // without --hiclaw nothing can keep a configuration
	});
});
