// Where Workers are known from (hiclaw-integration.md 12): the container engine behind its socket and the prefixes of the
// object storage, beside the Manager's own files; and records that only the storage has (6.2).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { GATEWAY, setUp, startGateway, startVendor } from './hiclaw/gateway.js';
import { startEngine } from './hiclaw/engine.js';
import { KEY_OF, startWorld, workerConfig } from './hiclaw/world.js';
import { tempDir, until } from './lib/sluice.js';

const record = (provider, model) => `${JSON.stringify({ provider, model, contextWindow: 100000, maxTokens: 8000, reasoning: true, updatedAt: '2026-01-31T12:00:00Z' }, null, 2)}\n`;

test('Workers of the container engine and of the storage', async (t) => {
	const dir = tempDir(t);
	const data = path.join(dir, 'data');
	const vendor = await startVendor(t, 'qwen', ['qwen3.5-plus', 'qwen-max']);
	const world = await startWorld(t, dir, { gateway: GATEWAY, controller: false });
	const engine = await startEngine(t, dir);
	const { storage } = world;

	// The Manager has put all three beside itself; erin's container is not there, dave runs elsewhere.
	fs.writeFileSync(path.join(world.workspace, 'workers-registry.json'), JSON.stringify({ workers: {
		alice: { runtime: 'openclaw', deployment: 'local' }, bob: { runtime: 'openclaw', deployment: 'local' },
		erin: { runtime: 'openclaw', deployment: 'local' }, dave: { runtime: 'openclaw', deployment: 'remote' },
	} }));
	engine.drip = true;
	engine.run('hiclaw-worker-alice', 'running');
	engine.run('hiclaw-worker-bob', 'exited', { finishedAt: '2026-01-02T03:04:05Z' });
	engine.run('hiclaw-manager', 'running');
	engine.run('postgres', 'running');
	// Known from the storage alone, with a record of another tool; zoe has a record and no configuration.
	storage.put('agents/carol/openclaw.json', workerConfig(GATEWAY, 'alice'));
	storage.put('agents/carol/model.json', record('qwen', 'qwen-max'));
	storage.put('agents/carol/skills/x/SKILL.md', 'x');
	storage.put('agents/frank/openclaw.json', workerConfig(GATEWAY, 'alice'));
	storage.put('agents/frank/model.json', record('nobody', 'm'));
	storage.put('agents/zoe/SOUL.md', 'x');
	// Tasks stand in the storage alone: frank works at one of two.
	for (const id of ['task-1', 'task-2']) storage.put(`shared/tasks/${id}/meta.json`, JSON.stringify({ assigned_to: 'frank', status: 'assigned' }));
	storage.put('shared/tasks/task-2/.processing', JSON.stringify({ processor: 'frank', expires_at: new Date(Date.now() + 900000).toISOString() }));
	storage.put('shared/tasks/task-2/progress/2026.md', 'x');
	storage.put('agents/..%2F/openclaw.json', '{}');
	storage.put('agents/shared/openclaw.json', '{}');

	await setUp(t, data, { vendor, keys: { manager: KEY_OF.manager, 'worker-alice': KEY_OF.alice } });
	const serve = await startGateway(t, data, { ...world.env, HICLAW_CONTAINER_SOCKET: engine.socket });
	const workers = async () => Object.fromEntries((await serve.api('GET', '/workers')).body.workers.map((w) => [w.name, w]));

	const seen = await until('all sources to be heard', async () => {
		const all = await workers();
		return all.carol?.assignment.model === 'qwen-max' && all.alice.since && all.bob.since && all.erin?.state === 'offline' && all.frank?.tasks.finite === 2 && all;
	});
	assert.deepEqual(Object.keys(seen), ['alice', 'bob', 'carol', 'dave', 'erin', 'frank']);
	const brief = ({ state, reason, evidence, since, container }) => ({ state, reason, evidence, since, container });
	assert.deepEqual(brief(seen.alice), { state: 'idle', reason: 'running', evidence: ['D'], since: '2026-01-01T00:00:00Z', container: 'running' });
	assert.deepEqual(brief(seen.bob), { state: 'sleeping', reason: 'container_stopped', evidence: ['D'], since: '2026-01-02T03:04:05Z', container: 'stopped' });
	assert.deepEqual({ ...brief(seen.erin), since: null }, { state: 'offline', reason: 'not_found', evidence: ['D'], since: null, container: 'not_found' });
	assert.deepEqual(brief(seen.dave), { state: 'offline', reason: 'no_signal', evidence: [], since: null, container: null }, 'another machine: the engine says nothing of it');
	assert.equal(seen.carol.reason, 'no_signal');
	assert.deepEqual([seen.frank.state, seen.frank.reason, seen.frank.evidence], ['busy', 'task_lease', ['P']]);

	// What only the storage had is an assignment now, with its limits, and configured.
	assert.deepEqual([seen.carol.assignment.provider, seen.carol.assignment.contextWindow, seen.carol.assignment.maxTokens], ['qwen', 100000, 8000]);
	await until('it to be configured', () => JSON.parse(storage.get('agents/carol/openclaw.json')).agents.defaults.model.primary === 'hiclaw-gateway/qwen-max');
	await until('the history to say it', async () => JSON.stringify((await serve.api('GET', '/history?target=carol')).body).includes('"adopt"'));
	// Its provider may come later: it waits, and is not written over.
	assert.notEqual((await workers()).frank.assignment.state, 'applied');
	assert.equal(storage.get('agents/frank/model.json'), record('nobody', 'm'));
	await until('the log to say it', () => /the record of frank was written by others and is not adopted yet/.test(serve.stderr()));

	// The engine was only read, and what its answers hold besides is nowhere.
	assert.ok(engine.requests.length >= 3 && engine.requests.every((r) => /^GET \/containers\/(json\?all=1&filters=|[0-9a-f]{64}\/json$)/.test(r)), engine.requests.join('\n'));
	const { body: status } = await serve.api('GET', '/status');
	assert.deepEqual(status.attachments.containerEngine, { state: 'ok', detail: engine.socket });
	assert.ok(!(serve.stderr() + JSON.stringify([seen, status])).includes('container-secret'));
});

test('an engine that cannot be asked is said, and takes nobody away', async (t) => {
	const dir = tempDir(t);
	const data = path.join(dir, 'data');
	const vendor = await startVendor(t, 'qwen', ['qwen3.5-plus']);
	const world = await startWorld(t, dir, { gateway: GATEWAY, controller: false });

	await setUp(t, data, { vendor, keys: { manager: KEY_OF.manager } });
	const serve = await startGateway(t, data, { ...world.env, HICLAW_CONTAINER_SOCKET: path.join(dir, 'no.sock') });
	const status = await until('the engine to be asked', async () => {
		const { body } = await serve.api('GET', '/status');
		return body.attachments.containerEngine.state === 'down' && body;
	});
	assert.equal(status.attachments.containerEngine.detail, 'cannot connect: No such file or directory');
	const { body } = await serve.api('GET', '/workers');
	assert.deepEqual(body.workers.map((w) => [w.name, w.state, w.reason]), [['alice', 'offline', 'no_signal'], ['bob', 'offline', 'no_signal']]);
});
