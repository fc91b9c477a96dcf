// Models of agents beside a gateway that is managed through its Console (placement P4): the provider is tested before,
// routes are verified by requests to the gateway itself, which takes a while until a change is active.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { completion, json, request, startUpstream } from './lib/http.js';
import { startHiclaw } from './lib/hiclaw.js';
import { ALICE, MANAGER, PASSWORD, startMonitor } from './lib/monitor.js';
import { run, until } from './lib/sluice.js';

const SECRET = 'key-of-the-provider-1';

// The gateway as its clients reach it. A change of routes is not active for the first `refusals` requests: they get what a
// Higress answers without the route.
const startFront = async (t, port) => {
	const front = { refusals: 0, answer: [404, ''], seen: [] };
	const server = http.createServer((req, res) => {
		front.seen.push({ authorization: req.headers.authorization, path: req.url });
		if (front.refusals > 0) {
			front.refusals--;
			req.resume();
			res.writeHead(front.answer[0]).end(front.answer[1]);
			return;
		}
		const up = http.request({ port, host: '127.0.0.1', method: req.method, path: req.url, headers: { ...req.headers, host: 'aigw-local.hiclaw.io' } }, (got) => {
			res.writeHead(got.statusCode, got.headers);
			got.pipe(res);
		});
		up.on('error', () => res.destroy());
		req.pipe(up);
	});
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	front.url = `http://127.0.0.1:${server.address().port}`;
	return front;
};

test('models of agents at another gateway', async (t) => {
	const gate = { asked: 0 };
	const provider = await startUpstream(t, async (req, res, body) => {
		gate.asked++;
		await gate.held;
		const model = body.length ? JSON.parse(body).model : undefined;
		if (req.headers.authorization !== `Bearer ${SECRET}`) json(res, 401, { error: { message: 'wrong key' } });
		else if (req.url.endsWith('/models')) json(res, 200, { data: [{ id: 'one-1' }, { id: 'one-2' }] });
		else if (model === 'one-broken') json(res, 404, { error: { message: 'no such model' } });
		else json(res, 200, completion('from one', model));
	});
	const other = await startMonitor(t);
	const front = await startFront(t, other.serve.port);
	const hiclaw = await startHiclaw(t);
	const m = await startMonitor(t, {
		args: ['--hiclaw', '--higress-console', `http://127.0.0.1:${other.serve.console}`],
		env: { ...hiclaw.env, HICLAW_AI_GATEWAY_URL: front.url, SLUICE_VERIFY_SECONDS: '120', MONITOR_BIND: '127.0.0.1', MONITOR_PORT: '0' },
	});
	const manager = 'PUT /ni_status/assignment/manager';
	const alice = 'PUT /ni_status/assignment/workers/alice';
	const step = (got, name) => got.steps.find((s) => s.name === name);
	const routes = async () => (await other.console('GET /v1/ai/routes')).json.data.map((r) => [r.name, r.upstreams[0].provider]);
	// What a test brings here goes with it.
	const guests = async () => (await m.console('GET /v1/ai/providers')).json.data.map((p) => p.name);
	await other.addAgents();
	await m.ok('POST /ni_status/create-provider', { name: 'one', type: 'openai', apiKey: SECRET, baseUrl: `http://${provider.address}/v1` });

	await t.test('a provider is tested with its own key, and leaves nothing here', async () => {
		const got = await m.ok('POST /ni_status/test-provider', { provider: 'one', model: 'one-2' });
		assert.deepEqual([got.success, got.models, got.modelFound, got.via], [true, 2, true, 'models']);
		assert.deepEqual((await m.ok('GET /ni_status/models?provider=one')).models.slice(0, 2).map((x) => x.id), ['one-1', 'one-2']);
		await until('the guest is gone', async () => (await guests()).length === 0);
		assert.deepEqual((await other.console('GET /v1/ai/providers')).json.data.map((p) => p.name), ['one'], 'nothing was brought there');
	});

	await t.test('and its key is in no file here, not even while it is tested', async () => {
		const files = () => fs.readdirSync(m.serve.data, { recursive: true, withFileTypes: true }).filter((f) => f.isFile() && f.name !== 'access.log');
		const holds = (text) => files().filter((f) => fs.readFileSync(path.join(f.parentPath ?? f.path, f.name)).includes(text)).map((f) => f.name);
		let release;
		gate.held = new Promise((done) => (release = done));
		t.after(release);
		gate.asked = 0;
		const asked = m.call('POST /ni_status/test-provider', { provider: 'one', model: 'one-1' });
		await until('the provider is asked', () => gate.asked === 1);
		// What changes meanwhile neither stores it nor takes it out of the plan.
		assert.equal((await m.console('POST /v1/ai/providers', { name: 'ours', type: 'qwen', protocol: 'openai/v1', tokens: ['our-own-key'] })).status, 201);
		assert.equal((await m.console('DELETE /v1/ai/providers/ours')).status, 204);
		assert.notDeepEqual(holds('our-own-key'), [], 'what was stored is in a backup');
		assert.deepEqual([holds(SECRET), holds('sluice-test-'), await guests()], [[], [], []]);
		release();
		assert.equal((await asked).json.modelFound, true, 'the completion is asked of a plan that was made meanwhile');
	});

	await t.test('the Manager: tested, and verified when the change is active', async () => {
		front.refusals = 1000000;
		const asked = m.ok(manager, { provider: 'one', model: 'one-1' });
		await until('it is said to be pending', async () => (await m.ok('GET /ni_status/assignment/manager')).verification?.attempts >= 2);
		assert.equal((await m.ok('GET /ni_status/assignment/manager')).verification.state, 'pending');
		front.refusals = 0;
		const got = await asked;
		assert.equal(got.test.ok, true);
		assert.equal(got.verification.state, 'verified');
		assert.ok(got.verification.attempts >= 3, `${got.verification.attempts}`);
		assert.deepEqual(got.warnings, []);
		assert.match(step(got, 'verify').note, /^answered by the gateway; which provider is unknown: request \d+ at 127\.0\.0\.1:\d+$/);
		assert.equal(got.verification.note, 'answered by the gateway; which provider is unknown');
		assert.equal(got.verification.reason, undefined);
		assert.equal(hiclaw.primary(hiclaw.json('workspace/openclaw.json')), 'one-1');
		assert.ok(front.seen.every((s) => s.authorization === `Bearer ${MANAGER}`), 'as the Manager itself');
		assert.equal((await m.ok('GET /ni_status/assignment/manager')).verification, undefined);
		const { explain } = await m.ok('GET /ni_status/route?explain=one-1&consumer=manager');
		assert.deepEqual([explain.route, explain.provider, explain.allowed], ['default-ai-route', 'one', true], 'the routes of the other gateway are asked');
		assert.equal((await request(other.serve.port, { headers: { host: 'aigw-local.hiclaw.io', authorization: `Bearer ${MANAGER}` }, body: { model: 'one-1', messages: [] } })).status, 200);
	});

	await t.test('a Worker asks in its own name', async () => {
		front.seen = [];
		const got = await m.ok(alice, { provider: 'one', model: 'one-2' });
		assert.deepEqual([got.verification.state, got.warnings], ['verified', []]);
		assert.deepEqual(front.seen.map((s) => s.authorization), [`Bearer ${ALICE}`]);
	});

	await t.test('the commands say no more than is known', async () => {
		const at = { HICLAW_ADMIN_PASSWORD: PASSWORD, SLUICE_SERVER: `http://127.0.0.1:${m.port}` };
		const plain = await run(['model', 'set', '--target', 'alice', '--provider', 'one', '--model', 'one-1'], { env: at });
		assert.match(plain.stdout, /^alice: one-1 of one, \w+\nverified: answered by the gateway; which provider is unknown\n$/, plain.stderr);
		const script = await run(['agm', 'set-model', '--target', 'worker:alice', '--provider', 'one', '--model', 'one-2'], { env: at });
		assert.match(script.stdout + script.stderr, /Verified: answered by the gateway; which provider is unknown$/m);
	});

	await t.test('a model that the provider refuses is refused before anything is changed', async () => {
		const before = [await routes(), hiclaw.read('workspace/openclaw.json')];
		front.seen = [];
		const got = await m.refused(502, 'MODEL_NOT_REACHABLE', manager, { provider: 'one', model: 'one-broken' });
		assert.equal(got.json.details.kind, 'model');
		assert.deepEqual([await routes(), hiclaw.read('workspace/openclaw.json')], before);
		assert.deepEqual(front.seen, []);
		const said = m.serve.stderr() + JSON.stringify(await m.ok('GET /ni_status/history'));
		for (const secret of [SECRET, MANAGER, ALICE]) assert.ok(!said.includes(secret), 'keys are in no text');
		await until('the guest is gone', async () => (await guests()).length === 0);
	});
});

test('a gateway that does not come to it', async (t) => {
	const provider = await startUpstream(t, (req, res, body) => json(res, 200, completion('from one', body.length ? JSON.parse(body).model : '')));
	const other = await startMonitor(t);
	const front = await startFront(t, other.serve.port);
	const hiclaw = await startHiclaw(t);
	const start = (env) => startMonitor(t, {
		args: ['--hiclaw', '--higress-console', `http://127.0.0.1:${other.serve.console}`],
		env: { ...hiclaw.env, HICLAW_AI_GATEWAY_URL: front.url, SLUICE_VERIFY_SECONDS: '1', MONITOR_BIND: '127.0.0.1', MONITOR_PORT: '0', ...env },
	});
	const m = await start({});
	const manager = 'PUT /ni_status/assignment/manager';
	const state = async () => [(await other.console('GET /v1/ai/routes')).json.data.map((r) => [r.name, r.upstreams]), hiclaw.read('workspace/openclaw.json')];
	await other.addAgents();
	for (const name of ['one', 'two']) await m.ok('POST /ni_status/create-provider', { name, type: 'openai', apiKey: SECRET, baseUrl: `http://${provider.address}/v1` });
	await m.ok(manager, { provider: 'one', model: 'one-1' });
	const before = await state();

	await t.test('and refuses the consumer: everything is put back (HI-48)', async () => {
		front.refusals = 1000000;
		front.answer = [403, '{"error":{"message":"no permission"}}'];
		const got = await m.refused(502, 'MODEL_NOT_REACHABLE', manager, { provider: 'two', model: 'gpt-two' });
		assert.match(got.json.error, /^Model not reachable: for \d+ s the gateway at 127\.0\.0\.1:\d+ answered manager with status 403: no permission$/);
		assert.deepEqual([got.json.details.kind, got.json.details.status], ['auth', 403]);
		assert.deepEqual(got.json.details.steps.find((s) => s.name === 'routes').outcome, 'undone');
		assert.deepEqual(await state(), before);
	});

	await t.test('and has nothing but errors: a Worker is told, the Manager is not moved', async () => {
		front.answer = [503, 'no healthy upstream'];
		const got = await m.ok('PUT /ni_status/assignment/workers/alice', { provider: 'two', model: 'gpt-two' });
		assert.equal(got.verification.state, 'not verified');
		assert.match(got.verification.reason, /^status 503: no healthy upstream, at /);
		assert.deepEqual(got.warnings.map((w) => w.code), ['NOT_VERIFIED']);
		await m.refused(502, 'MODEL_NOT_REACHABLE', manager, { provider: 'two', model: 'gpt-three' });
		const forced = await m.ok(manager, { provider: 'two', model: 'gpt-three', force: true });
		assert.deepEqual(forced.warnings.map((w) => w.code), ['NOT_VERIFIED']);
	});

	await t.test('and alone knows the way to a provider: not tested, and verified all the same', async () => {
		front.refusals = 1000000;
		front.answer = [200, JSON.stringify(completion('by a way of its own', 'gpt-two'))];
		await other.console('PUT /v1/ai/providers/two', { name: 'two', type: 'openai', protocol: 'openai/v1', tokens: [SECRET], rawConfigs: { openaiCustomUrl: 'http://127.0.0.1:1/v1' } });
		const got = await m.ok(manager, { provider: 'two', model: 'gpt-four' });
		assert.deepEqual([got.test, got.warnings.map((w) => w.code)], [{ skipped: true }, ['NOT_TESTED']]);
		assert.equal(got.verification.state, 'verified');
	});

	await t.test('and is not there: not verified, because nobody answers', async () => {
		front.answer = [200, ''];
		const deaf = await start({ HICLAW_AI_GATEWAY_URL: 'http://127.0.0.1:1', SLUICE_VERIFY_SECONDS: '120' });
		const got = await deaf.ok(manager, { provider: 'one', model: 'one-1' });
		assert.deepEqual([got.verification.state, got.verification.attempts], ['not verified', 3]);
		assert.match(got.warnings.find((w) => w.code === 'NOT_VERIFIED').message, /^Whether the other gateway brings manager to one-1 was not verified: .*127\.0\.0\.1:1/);
		// Below a path, as the agent asks; 429 is an answer, and more is not known.
		front.answer = [429, '{"error":{"message":"slow down"}}'];
		front.seen = [];
		const below = await start({ HICLAW_AI_GATEWAY_URL: `${front.url}/base/`, SLUICE_VERIFY_SECONDS: '120' });
		const slow = await below.ok(manager, { provider: 'one', model: 'one-3' });
		assert.deepEqual([slow.verification.state, slow.warnings.map((w) => w.message)], ['verified', ['The other gateway answers, and says: status 429: slow down']]);
		assert.ok(front.seen.some((s) => s.path === '/base/v1/chat/completions'), 'others of this test may adopt what is switched here, and ask on their own');
		const none = await start({ SLUICE_VERIFY_SECONDS: '0' });
		const quiet = await none.ok(manager, { provider: 'one', model: 'one-2' });
		assert.match(quiet.verification.reason, /^SLUICE_VERIFY_SECONDS is 0$/);
	});
});
