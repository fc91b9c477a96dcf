// Giving agents models in a scripted HiClaw: from nothing to a Worker at a second provider and back, and what fails
// on the way (hiclaw-integration.md 8 to 11, monitor-api.md 4.3, 4.4, 4.6, 4.11).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { completion, json, request, startUpstream } from './lib/http.js';
import { DEFAULT_MODEL, openclaw, startHiclaw } from './lib/hiclaw.js';
import { ALICE, MANAGER, startMonitor } from './lib/monitor.js';
import { tempDir, until } from './lib/sluice.js';

// Says who it is in each answer; refuses the models that the test names.
const startProvider = async (t, name) => {
	const provider = await startUpstream(t, (req, res, body) => {
		const model = body.length ? JSON.parse(body).model : undefined;
		if (provider.refuses.has(model)) json(res, 401, { error: { message: 'wrong key' } });
		else if (req.url.endsWith('/models')) json(res, 200, { data: [{ id: `${name}-1` }] });
		else json(res, 200, completion(`from ${name}`, model));
	});
	provider.refuses = new Set();
	return provider;
};

const addProvider = (m, name, upstream) =>
	m.ok('POST /ni_status/create-provider', { name, type: 'openai', apiKey: `key-of-${name}`, baseUrl: `http://${upstream.address}/v1` });

// A turn of an agent through the gateway: which provider answered.
const ask = async (m, key, model) => {
	const got = await request(m.serve.port, {
		headers: { authorization: `Bearer ${key}` },
		body: { model, messages: [{ role: 'user', content: 'hi' }] },
	});
	return got.status === 200 ? got.json.choices[0].message.content : got.status;
};

test('models of agents', async (t) => {
	const [one, two] = [await startProvider(t, 'one'), await startProvider(t, 'two')];
	const hiclaw = await startHiclaw(t);
	const data = tempDir(t);
	const options = { data, args: ['--hiclaw'], env: { ...hiclaw.env, MONITOR_BIND: '127.0.0.1', MONITOR_PORT: '0' } };
	let m = await startMonitor(t, options);
	await m.addAgents();
	await addProvider(m, 'one', one);
	const manager = 'PUT /ni_status/assignment/manager';
	const alice = 'PUT /ni_status/assignment/workers/alice';

	await t.test('nothing is assigned: the configured model is shown (M-10)', async () => {
		const got = await m.ok('GET /ni_status/assignment/manager');
		assert.deepEqual([got.provider, got.model, got.state], ['default', 'default', 'unmanaged']);
	});

	await t.test('the Manager gets a model (M-11, HI-01)', async () => {
		const before = hiclaw.read('workspace/openclaw.json');
		const got = await m.ok(manager, { provider: 'one', model: 'one-1', contextWindow: 100000 });
		assert.deepEqual(Object.entries(got).slice(0, 5), [['success', true], ['target', 'manager'], ['provider', 'one'], ['model', 'one-1'], ['routeUpdated', true]]);
		assert.deepEqual([got.status, got.name, got.changed, got.state, got.contextWindow, got.synced], ['saved', 'manager', true, 'pending', 100000, true]);
		assert.equal(got.test.ok, true);
		assert.deepEqual(got.reload, { ok: true, method: 'watcher' });
		assert.deepEqual(got.warnings, []);
		const after = hiclaw.json('workspace/openclaw.json');
		assert.equal(hiclaw.primary(after), 'one-1');
		assert.equal(after.models.providers['hiclaw-gateway'].models[1].contextWindow, 100000);
		assert.equal(after.gateway.auth.token, 'k');
		const lines = new Set(hiclaw.read('workspace/openclaw.json').split('\n'));
		assert.equal(before.split('\n').filter((line) => !lines.has(line)).length, 1, 'one line is gone: the primary model');
		const record = hiclaw.json('agents/manager/model.json');
		assert.deepEqual(Object.keys(record), ['provider', 'model', 'contextWindow', 'maxTokens', 'reasoning', 'updatedAt']);
		assert.deepEqual(hiclaw.object('agents/manager/model.json'), record);
		assert.equal(hiclaw.resources.manager, 'one-1');
		assert.equal(fs.statSync(path.join(hiclaw.dir, 'workspace/openclaw.json')).mode & 0o777, 0o600);
	});

	await t.test('and asks for it: applied when the gateway has seen it', async () => {
		assert.equal(await ask(m, MANAGER, 'one-1'), 'from one');
		await until('applied', async () => (await m.ok('GET /ni_status/assignment/manager')).state === 'applied');
	});

	await t.test('the same again changes nothing (M-12, HI-02)', async () => {
		const file = path.join(hiclaw.dir, 'workspace/openclaw.json');
		const before = fs.statSync(file, { bigint: true });
		const first = await m.ok('GET /ni_status/assignment/manager');
		const got = await m.ok(manager, { provider: 'one', model: 'hiclaw-gateway/one-1' });
		assert.deepEqual([got.changed, got.routeChanged, got.routeUpdated, got.updatedAt, got.backupId], [false, false, true, first.updatedAt, undefined]);
		assert.equal(fs.statSync(file, { bigint: true }).mtimeNs, before.mtimeNs);
	});

	await t.test('a second provider, and Alice at it (M-24, M-39, HI-21)', async () => {
		await addProvider(m, 'two', two);
		const got = await m.ok(alice, { provider: 'two', model: 'gpt-two' });
		assert.deepEqual([got.target, got.name, got.targetId, got.applied, got.reload], ['alice', 'alice', 'worker:alice', 'now', undefined]);
		const object = hiclaw.objects.get('agents/alice/openclaw.json');
		assert.equal(hiclaw.primary(JSON.parse(object)), 'gpt-two');
		assert.equal(hiclaw.read('agents/alice/openclaw.json'), object);
		assert.equal(hiclaw.object('agents/alice/model.json').model, 'gpt-two');
		assert.equal(hiclaw.resources.alice, 'gpt-two');
		assert.equal(await ask(m, ALICE, 'gpt-two'), 'from two');
		assert.equal(await ask(m, MANAGER, 'one-1'), 'from one', 'nobody else is moved');
	});

	await t.test('a model of one name at two providers (HI-46)', async () => {
		const refused = await m.refused(409, 'ROUTE_CONFLICT', manager, { provider: 'one', model: 'gpt-two' });
		assert.equal(refused.json.details.target, 'alice');
		await m.ok(manager, { provider: 'one', model: 'gpt-two', onConflict: 'qualify' });
		assert.equal(hiclaw.primary(hiclaw.json('workspace/openclaw.json')), 'one/gpt-two');
		assert.equal(hiclaw.json('agents/manager/model.json').model, 'gpt-two');
		assert.equal(await ask(m, MANAGER, 'one/gpt-two'), 'from one');
		assert.equal(JSON.parse(one.requests.at(-1).body).model, 'gpt-two');
		assert.equal(await ask(m, ALICE, 'gpt-two'), 'from two');
		await m.ok(manager, { provider: 'one', model: 'one-1' });
	});

	await t.test('what cannot be reached changes nothing (M-18, M-19, HI-47)', async () => {
		one.refuses.add('one-broken');
		const state = () => [hiclaw.read('workspace/openclaw.json'), [...hiclaw.objects], hiclaw.puts.length];
		const before = structuredClone(state());
		const got = await m.refused(502, 'MODEL_NOT_REACHABLE', manager, { provider: 'one', model: 'one-broken' });
		assert.match(got.json.error, /^Model not reachable: /);
		assert.equal(got.json.details.kind, 'auth');
		await m.refused(404, 'PROVIDER_NOT_FOUND', manager, { provider: 'three', model: 'm' });
		await m.refused(409, 'CONFLICT', manager, { provider: 'one', model: 'one-2' }, { headers: { 'if-match': '"2020-01-01T00:00:00Z"' } });
		const plan = await m.ok(manager, { provider: 'two', model: 'two-1', dryRun: true });
		assert.deepEqual([plan.changed, plan.dryRun], [true, true]);
		assert.deepEqual(state(), before);
	});

	await t.test('storage that forbids, and recovers (HI-24, HI-26)', async () => {
		hiclaw.storageDown = true;
		const got = await m.ok(alice, { provider: 'two', model: 'two-1' });
		assert.equal(got.synced, false);
		assert.ok(got.warnings.some((w) => w.code === 'STORAGE_FORBIDDEN'));
		assert.equal(hiclaw.resources.alice, 'two-1');
		hiclaw.storageDown = false;
		await until('the object is written without another request', () => hiclaw.object('agents/alice/model.json').model === 'two-1', 30000);
		assert.equal(hiclaw.primary(hiclaw.object('agents/alice/openclaw.json')), 'two-1');
	});

	await t.test('the Manager starts and resets its model: applied again (HI-36)', async () => {
		hiclaw.write('workspace/openclaw.json', openclaw(DEFAULT_MODEL));
		await until('the model is back', () => hiclaw.primary(hiclaw.json('workspace/openclaw.json')) === 'one-1', 70000);
	});

	await t.test('a process that ends in the middle of a switch goes on with it at its next start', async () => {
		await m.serve.stop();
		const broken = await startMonitor(t, { ...options, env: { ...options.env, SLUICE_FAULT_SWITCH: 'config=crash' }, ready: { exit: 97 } });
		await assert.rejects(broken.call(manager, { provider: 'two', model: 'two-9' }));
		assert.equal(hiclaw.primary(hiclaw.json('workspace/openclaw.json')), 'one-1', 'it ended before the file was written');
		m = await startMonitor(t, options);
		await until('the file is as it was meant', () => hiclaw.primary(hiclaw.json('workspace/openclaw.json')) === 'two-9', 30000);
		await until('the record too', () => hiclaw.json('agents/manager/model.json').model === 'two-9');
		assert.equal(await ask(m, MANAGER, 'two-9'), 'from two');
	});

	await t.test('and back', async () => {
		await m.ok('POST /ni_status/set-model', { provider: 'one', model: 'one-1' });
		await m.ok('POST /ni_status/set-model', { target: 'worker:alice', provider: 'one', model: 'one-1' });
		assert.equal(await ask(m, ALICE, 'one-1'), 'from one');
		assert.deepEqual(await m.ok('POST /ni_status/reload', {}), { success: true, status: 'reloaded', target: 'manager', reload: { ok: true, method: 'watcher' }, warnings: [] });
		const history = (await m.ok('GET /ni_status/history?target=alice')).history ?? (await m.ok('GET /ni_status/history?target=alice'));
		assert.ok(JSON.stringify(history).includes('"action":"switch"'));
	});

	await t.test('what a switch kept can be gone back to: the agent has its model again, no route of others is gone', async () => {
		const routes = async () => (await m.ok('GET /ni_status/route?all=1')).routes.map(({ version, ...rest }) => rest);
		const before = await routes();
		const { backupId } = await m.ok(alice, { provider: 'two', model: 'back-at-two' });
		const ids = (await m.ok('GET /ni_status/backups')).backups.map((b) => b.id);
		assert.deepEqual(ids.filter((id) => id === backupId), [backupId]);
		assert.deepEqual(ids, [...ids].sort().reverse());
		const { diff } = await m.ok(`GET /ni_status/backups/${backupId}/diff`);
		assert.deepEqual(diff.aiRoutes?.removed ?? [], []);
		await m.ok(`POST /ni_status/backups/${backupId}/restore`, {});
		assert.deepEqual(await routes(), before);
		await until('applied again', () => hiclaw.primary(hiclaw.json('agents/alice/openclaw.json')) === 'one-1' && hiclaw.object('agents/alice/model.json').model === 'one-1', 30000);
		assert.equal((await m.ok('GET /ni_status/assignment/workers/alice')).model, 'one-1');
	});

	await t.test('a backup holds configurations and assignments: a restore brings them back, and takes away what came since', async () => {
		const { backup } = await m.ok('POST /ni_status/backups', { reason: 'agents' });
		const config = () => [hiclaw.read('workspace/openclaw.json'), hiclaw.objects.get('agents/alice/openclaw.json'), hiclaw.read('agents/alice/openclaw.json')];
		const before = config();
		const taken = await m.call(`GET /ni_status/backups/${backup.id}`);
		assert.ok(!taken.text.includes('openclaw'), 'not without a passphrase');
		await m.ok('PUT /ni_status/assignment/workers/bob', { provider: 'one', model: 'one-1' });
		hiclaw.write('workspace/openclaw.json', before[0].replace('"mode"', '"port": 18799, "mode"'));
		hiclaw.objects.set('agents/alice/openclaw.json', before[1].replace('{', '{ "theirs": 1,'));
		const { diff } = await m.ok(`GET /ni_status/backups/${backup.id}/diff`);
		assert.deepEqual([diff.assignments, diff.openclaw], [{ added: [], changed: [], removed: ['bob'] }, { added: [], changed: ['manager', 'alice'], removed: [] }]);
		const merged = await m.ok(`POST /ni_status/backups/${backup.id}/restore`, { mode: 'merge', sections: ['assignments'] });
		assert.deepEqual(merged.restored.assignments.removed, []);
		assert.equal((await m.ok('GET /ni_status/assignment/workers/bob')).model, 'one-1');
		const done = await m.ok(`POST /ni_status/backups/${backup.id}/restore`, {});
		assert.deepEqual([done.partial, done.restored.assignments.removed], [undefined, ['bob']]);
		assert.deepEqual(config(), before);
		assert.equal((await m.ok('GET /ni_status/assignment/workers/bob')).state, 'unmanaged');
		assert.ok(!hiclaw.objects.has('agents/bob/model.json') && !fs.existsSync(path.join(hiclaw.dir, 'agents/bob/model.json')), 'nothing that would be taken up again');
		const { diff: back } = await m.ok(`GET /ni_status/backups/${done.backupId}/diff`);
		assert.deepEqual([back.assignments.added, back.openclaw.changed], [['bob'], ['manager', 'alice']], 'there is a way back');
		for (const [section, value] of [['openclaw', { workers: { '../x': { text: '{}' } } }], ['openclaw', { manager: { text: '{' } }], ['openclaw', []], ['assignments', [{ target: '../x', provider: 'one', model: 'm' }]], ['assignments', {}]]) {
			const { backup: bad } = await m.ok('POST /ni_status/backups/import', { format: 'sluice-backup', version: 1, sections: { [section]: value } });
			await m.refused(400, 'INVALID_REQUEST', `POST /ni_status/backups/${bad.id}/restore`, {});
		}
		assert.deepEqual(config(), before);
	});

	await t.test('a bridge: what the Worker asked for until now is served with the new model, until it asks for that', async () => {
		await m.ok(alice, { provider: 'two', model: 'gpt-two', apply: 'files-only' });
		const got = await m.ok(alice, { provider: 'one', model: 'one-2', apply: 'files-only', bridge: true });
		const { until: end, ...bridge } = got.bridge;
		assert.deepEqual(bridge, { from: 'gpt-two', to: 'one-2' });
		assert.ok(Math.abs(Date.parse(end) - Date.now() - 86400000) < 600000);
		assert.deepEqual(got.warnings.filter((w) => w.code.startsWith('BRIDGE')), []);
		assert.deepEqual((await m.ok('GET /ni_status/assignment/workers/alice')).bridge, got.bridge);
		assert.equal(await ask(m, ALICE, 'gpt-two'), 'from one');
		assert.equal(JSON.parse(one.requests.at(-1).body).model, 'one-2');
		const why = async () => (await m.ok('GET /ni_status/route?explain=gpt-two&consumer=worker-alice')).explain;
		assert.deepEqual([(await why()).bridgedTo, (await why()).provider], ['one-2', 'one']);
		await until('it is seen to ask for the old one', async () => (await m.ok('GET /ni_status/assignment/workers/alice')).observed?.model === 'gpt-two');
		assert.equal((await m.ok('GET /ni_status/assignment/workers/alice')).state, 'pending');
		assert.equal(await ask(m, MANAGER, 'gpt-two'), 'from two', 'nobody else is led elsewhere');
		assert.equal(await ask(m, ALICE, 'one-2'), 'from one');
		assert.equal(await ask(m, ALICE, 'gpt-two'), 'from two', 'that was its last request with the old model');
		await until('it is not shown any more', async () => (await m.ok('GET /ni_status/assignment/workers/alice')).bridge === undefined);
		assert.ok((await m.ok('GET /ni_status/history?target=alice')).history.some((e) => e.action === 'end bridge'));
		assert.equal((await why()).provider, 'two');
	});

	await t.test('an agent is left to itself: no record stays that would be taken up again', async () => {
		const leave = 'DELETE /ni_status/assignment/workers/alice';
		const configured = hiclaw.read('agents/alice/openclaw.json');
		hiclaw.storageDown = true;
		await until('no switch is writing any more, and the storage refuses', async () => (await m.call(leave)).json.code === 'STORAGE_UNAVAILABLE');
		hiclaw.storageDown = false;
		assert.ok(hiclaw.objects.has('agents/alice/model.json'));
		assert.deepEqual(await m.ok(leave), { success: true });
		assert.ok(!hiclaw.objects.has('agents/alice/model.json'), 'the try that failed is made up for');
		assert.ok(!fs.existsSync(path.join(hiclaw.dir, 'agents/alice/model.json')));
		assert.deepEqual(await m.ok(leave), { success: true });
		const got = await m.ok('GET /ni_status/assignment/workers/alice');
		assert.deepEqual([got.state, got.model, hiclaw.read('agents/alice/openclaw.json')], ['unmanaged', 'default', configured]);
	});

	await t.test('no secret is in history, backups of others, or the log (M-62)', async () => {
		const state = fs.readdirSync(data, { recursive: true, withFileTypes: true }).filter((e) => e.isFile() && e.name.endsWith('.jsonl'));
		for (const e of state) {
			const text = fs.readFileSync(path.join(e.parentPath ?? e.path, e.name), 'utf8');
			for (const secret of ['key-of-one', 'storage-secret-1', 'controller-token-1', MANAGER]) assert.ok(!text.includes(secret), `${e.name}: ${secret}`);
		}
	});
});
