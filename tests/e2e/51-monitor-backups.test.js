// Backups by the monitor API: made, taken away, brought back, compared, restored (monitor-api.md 6.6).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { SERVER } from './cases/mcp.js';
import { bearer } from './lib/console.js';
import { request } from './lib/http.js';
import { AS, startMonitor } from './lib/monitor.js';
import { tempDir } from './lib/sluice.js';

const SECRET = 'sk-qwen-0123456789';
const HIDDEN = 'basic-auth-password-1'; // in a configuration, where no name says that it is one
const PASSPHRASE = 'correct horse battery';

// What a gateway has, as the Console tells it; versions count changes.
async function objects(m) {
	const out = {};
	for (const noun of ['ai/providers', 'ai/routes', 'consumers', 'domains', 'routes', 'service-sources'])
		out[noun] = (await m.console(`GET /v1/${noun}`)).json.data.map(({ version, ...rest }) => rest).sort((x, y) => (x.name < y.name ? -1 : 1));
	return out;
}

test('backups', async (t) => {
	const dir = `${tempDir(t)}/of/our/own`; // outside of the state: the sandbox has to know it
	const m = await startMonitor(t, { env: { SLUICE_BACKUP_DIR: dir } });
	await m.addAgents();
	const make = (body) => m.ok('POST /ni_status/create-provider', body);
	await make({ name: 'qwen', type: 'qwen', apiKey: SECRET });
	await make({ name: 'deepseek', type: 'deepseek', apiKey: 'sk-deepseek-0123456789' });
	await m.console('POST /v1/domains', { name: 'a.example.com', enableHttps: 'off' });

	const raw = async (line, body) => {
		const got = await m.console(line, body);
		assert.ok(got.status < 300, `${line}: ${got.status} ${got.text}`);
		return got.text && (got.json.data ?? got.json);
	};
	const seen = async (path) => {
		const { version, ...rest } = await raw(`GET ${path}`);
		return rest;
	};
	// What stands beside the usual nouns: settings, plugins with their instances, MCP servers.
	const others = async () => [(await raw('GET /system/higress-config')).replace(/resourceVersion: "\d+"/, ''), await seen('/v1/wasm-plugins/mine'), await seen('/v1/global/plugin-instances/mine'), await seen('/v1/routes/files/plugin-instances/basic-auth'), await seen('/v1/mcpServer/mcp-github')];
	await raw('POST /v1/domains', { name: 'b.example.com', enableHttps: 'off' });
	await raw('POST /v1/service-sources', { name: 'github-api', type: 'dns', domain: 'api.github.com', port: 443, protocol: 'https', properties: {} });
	await raw('POST /v1/routes', { name: 'files', domains: ['b.example.com'], path: { matchType: 'PRE', matchValue: '/files', caseSensitive: true }, services: [{ name: 'github-api.dns', port: 443, weight: 100 }] });
	await raw('PUT /v1/mcpServer', { ...SERVER, domains: ['b.example.com'] });
	await raw('POST /v1/wasm-plugins', { name: 'mine', title: 'Mine', category: 'custom', imageRepository: 'images.example.com/mine', imageVersion: '1' });
	await raw('PUT /v1/global/plugin-instances/mine', { enabled: true, configurations: { a: 1 } });
	await raw('PUT /v1/routes/files/plugin-instances/basic-auth', { enabled: true, rawConfigurations: `consumers:\n- name: admin\n  credential: admin:${HIDDEN}` });
	await raw('PUT /system/higress-config', { config: (await raw('GET /system/higress-config')).replace('idleTimeout: 180', 'idleTimeout: 170') });

	const before = await objects(m), beforeOthers = await others();
	const { backup } = await m.ok('POST /ni_status/backups', { reason: 'before the move' });
	let change; // the backup that the store made before the first change

	await t.test('a backup is listed with what is in it, behind none that is newer', async () => {
		assert.match(backup.id, /^\d{8}T\d{6}Z-[0-9a-f]{6}$/);
		assert.deepEqual([backup.auto, backup.reason, backup.actor], [false, 'before the move', 'admin']);
		assert.deepEqual([backup.counts.providers, backup.counts.consumers, backup.counts.aiRoutes], [2, 4, 3]);
		assert.match(backup.sha256, /^[0-9a-f]{64}$/);
		const list = (await m.ok('GET /ni_status/backups', undefined, { as: 'manager' })).backups;
		assert.deepEqual(list[0], backup);
		assert.ok(fs.existsSync(`${dir}/${backup.id}.json`));
		assert.ok(list.slice(1).every((b) => b.auto && b.id < backup.id), 'automatic ones are those that the store made before changes');
		assert.equal((await m.call('POST /ni_status/backups', {})).status, 201);
		assert.equal((await m.call('POST /ni_status/backups', {}, { as: 'manager' })).status, 403);
	});

	await t.test('ids are looked at before anything is opened', async () => {
		for (const id of ['x', 'a%2fb', 'import', '20261121T150405Z-0F423F', '20261121T150405Z-0f423f0'])
			await m.refused(400, 'INVALID_NAME', `GET /ni_status/backups/${id}`);
		await m.refused(404, 'BACKUP_NOT_FOUND', 'GET /ni_status/backups/20200101T000000Z-000000');
		await m.refused(404, 'BACKUP_NOT_FOUND', 'DELETE /ni_status/backups/20200101T000000Z-000000');
	});

	await t.test('what is taken away holds no secret unless it is encrypted', async () => {
		const path = `GET /ni_status/backups/${backup.id}`;
		const plain = await m.call(path);
		assert.match(plain.headers['content-disposition'], /attachment; filename="sluice-backup-/);
		assert.deepEqual([plain.json.format, plain.json.version, plain.json.secrets], ['sluice-backup', 1, 'none']);
		const masked = await m.call(`${path}?secrets=masked`);
		assert.deepEqual(masked.json.sections.providers.find((p) => p.name === 'qwen').tokens, ['sk-******789']);
		const closed = await m.call(`${path}?secrets=encrypted`, undefined, { headers: { 'x-backup-passphrase': PASSPHRASE } });
		assert.deepEqual([closed.json.format, closed.json.kdf, closed.json.cipher], ['sluice-backup-encrypted', 'scrypt', 'aes-256-gcm']);
		for (const got of [plain, masked, closed])
			for (const secret of [SECRET, 'sk-deepseek-0123456789', 'alicekey-0123456789abcdef', HIDDEN, 'ghp_0001']) assert.ok(!got.text.includes(secret), got.text.slice(0, 80));
		await m.refused(400, 'INVALID_REQUEST', `${path}?secrets=encrypted`);
		await m.refused(400, 'INVALID_REQUEST', `${path}?secrets=clear`);
	});

	await t.test('restored: everything is as it was', async () => {
		change = (await m.ok('PUT /ni_status/providers/qwen', { apiKey: 'sk-other-0123456789' })).backupId;
		await m.console('PUT /v1/consumers/worker-alice', bearer('worker-alice', 'another-key-0123456789'));
		await m.console('POST /v1/consumers', bearer('worker-carol', 'carol-key-0123456789'));
		await m.console('DELETE /v1/domains/a.example.com');
		await m.ok('DELETE /ni_status/providers/deepseek?force=1');
		assert.notDeepEqual(await objects(m), before);

		const { diff } = await m.ok(`GET /ni_status/backups/${backup.id}/diff`);
		assert.deepEqual(diff.providers, { added: ['deepseek'], changed: ['qwen'], removed: [] });
		assert.deepEqual(diff.consumers.removed, ['worker-carol']);
		assert.deepEqual(diff.domains.added, ['a.example.com']);
		const dry = await m.ok(`POST /ni_status/backups/${backup.id}/restore`, { dryRun: true });
		assert.deepEqual(dry.diff, diff);

		const done = await m.ok(`POST /ni_status/backups/${backup.id}/restore`, { mode: 'replace' });
		assert.deepEqual(done.restored, diff);
		assert.deepEqual(await objects(m), before, 'M-87');
		assert.match(done.backupId, /^\d{8}T/, 'there is a way back');
		const again = await m.ok(`POST /ni_status/backups/${backup.id}/restore`, {});
		assert.ok(Object.values(again.restored).every((s) => s.added.length + s.changed.length + s.removed.length === 0), 'nothing is left to do');
	});

	await t.test('plugins, their instances, MCP servers and settings too', async () => {
		await raw('PUT /v1/wasm-plugins/mine', { name: 'mine', title: 'Mine', category: 'custom', imageRepository: 'images.example.com/mine', imageVersion: '2' });
		await raw('PUT /v1/global/plugin-instances/mine', { enabled: false, configurations: { a: 2 } });
		await raw('PUT /v1/global/plugin-instances/request-block', { enabled: true, configurations: { block_urls: ['x'] } });
		await raw('DELETE /v1/routes/files/plugin-instances/basic-auth');
		await raw('DELETE /v1/mcpServer?name=mcp-github');
		await raw('PUT /system/higress-config', { config: (await raw('GET /system/higress-config')).replace('idleTimeout: 170', 'idleTimeout: 99') });
		const { restored } = await m.ok(`POST /ni_status/backups/${backup.id}/restore`, { sections: ['plugins', 'mcpServers', 'settings'] });
		assert.deepEqual(restored.pluginInstances, { added: ['ROUTE/files/basic-auth'], changed: ['GLOBAL//mine'], removed: ['GLOBAL//request-block'] });
		assert.deepEqual([restored.plugins.changed, restored.mcpServers.added, restored.settings.changed], [['mine'], ['mcp-github'], ['higress-config']]);
		assert.deepEqual(await others(), beforeOthers);
		assert.deepEqual(await objects(m), before);
	});

	await t.test('some sections, and without taking away', async () => {
		await m.console('POST /v1/consumers', bearer('worker-carol', 'carol-key-0123456789'));
		await m.console('DELETE /v1/domains/a.example.com');
		const merged = await m.ok(`POST /ni_status/backups/${backup.id}/restore`, { mode: 'merge', sections: ['consumers'] });
		assert.deepEqual(merged.restored, { consumers: { added: [], changed: [], removed: [] } });
		const now = await objects(m);
		assert.ok(now.consumers.some((c) => c.name === 'worker-carol') && !now.domains.some((d) => d.name === 'a.example.com'));
		await m.refused(400, 'INVALID_REQUEST', `POST /ni_status/backups/${backup.id}/restore`, { sections: ['nothing'] });
		await m.refused(400, 'INVALID_REQUEST', `POST /ni_status/backups/${backup.id}/restore`, { mode: 'some' });
	});

	await t.test('what the store kept before a change is a backup like any other', async () => {
		const { diff } = await m.ok(`GET /ni_status/backups/${change}/diff`);
		assert.deepEqual(diff.consumers.removed, ['worker-carol']);
		await m.ok(`POST /ni_status/backups/${change}/restore`, {});
		assert.deepEqual(await objects(m), before);
		const taken = await m.ok(`GET /ni_status/backups/${change}`);
		assert.deepEqual(taken.sections.providers.map((p) => p.name).sort(), ['deepseek', 'qwen']);
	});

	await t.test('brought back', async () => {
		const plain = await m.ok(`GET /ni_status/backups/${backup.id}`);
		const closed = await m.ok(`GET /ni_status/backups/${backup.id}?secrets=encrypted`, undefined, { headers: { 'x-backup-passphrase': PASSPHRASE } });
		await m.refused(400, 'INVALID_REQUEST', 'POST /ni_status/backups/import', closed, { headers: { 'x-backup-passphrase': 'another one' } });
		const opened = await m.call('POST /ni_status/backups/import', closed, { headers: { 'x-backup-passphrase': PASSPHRASE } });
		assert.equal(opened.status, 201, opened.text);
		assert.equal(opened.json.backup.counts.providers, 2);

		await m.ok('PUT /ni_status/providers/qwen', { apiKey: 'sk-other-0123456789' });
		await m.ok(`POST /ni_status/backups/${opened.json.backup.id}/restore`, {});
		assert.deepEqual(await objects(m), before, 'M-90: the key came back');

		const stripped = (await m.ok('POST /ni_status/backups/import', plain)).backup;
		const kept = await m.ok(`POST /ni_status/backups/${stripped.id}/restore`, {});
		assert.deepEqual(await objects(m), before, `secrets that a backup leaves out stay: ${JSON.stringify(kept)}`);
	});

	await t.test('a mask never becomes a secret', async () => {
		const masked = await m.ok(`GET /ni_status/backups/${backup.id}?secrets=masked`);
		const { backup: got } = await m.ok('POST /ni_status/backups/import', masked);
		const key = async (name) => (await m.console(`GET /v1/ai/providers/${name}`)).json.data.tokens ?? [];
		await m.ok('PUT /ni_status/providers/qwen', { apiKey: 'sk-newer-0123456789' });
		await m.ok('DELETE /ni_status/providers/deepseek?force=1');
		await m.ok(`POST /ni_status/backups/${got.id}/restore`, {});
		assert.deepEqual([await key('qwen'), await key('deepseek')], [['sk-newer-0123456789'], []], 'of one that was changed, and of one that is gone');
		await m.ok(`POST /ni_status/backups/${backup.id}/restore`, {});
		assert.deepEqual(await objects(m), before);
	});

	await t.test('the backup that the original page kept', async () => {
		const page = {
			timestamp: '2024-01-15T10:30:00Z',
			providers: { success: true, data: [{ name: 'qwen', type: 'qwen', protocol: 'openai/v1', tokens: ['sk-page-0123456789'] }] },
			routes: [],
			consumers: { data: [] },
		};
		const { backup: got } = await m.ok('POST /ni_status/backups/import', page);
		await m.ok(`POST /ni_status/backups/${got.id}/restore`, { mode: 'merge' });
		assert.deepEqual((await m.console('GET /v1/ai/providers/qwen')).json.data.tokens, ['sk-page-0123456789'], 'M-91');
		for (const bad of [{}, { format: 'sluice-backup', version: 2, sections: {} }, { providers: 'x' }, { format: 'sluice-backup', version: 1, sections: { providers: [{}] } }])
			await m.refused(400, 'INVALID_REQUEST', 'POST /ni_status/backups/import', bad);
		const { backup: broken } = await m.ok('POST /ni_status/backups/import', { format: 'sluice-backup', version: 1, sections: { providers: [{ name: 'bad', type: 'no-such-type', tokens: ['k'] }, { name: 'good', type: 'openai', tokens: ['k'] }] } });
		const state = await objects(m);
		assert.equal((await m.call(`POST /ni_status/backups/${broken.id}/restore`, { mode: 'merge' })).status, 400, 'M-88');
		assert.deepEqual(await objects(m), state, 'nothing of it was done');
	});

	await t.test('an object that cannot be read: a backup has the others, and a restore leaves it as it is', async () => {
		const broken = { 'configmaps/domain-broken.yaml': 'kind: [\n', 'ingresses/odd.yaml': 'apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: odd}\nspec: {rules: "none"}\n', 'wasmplugins/odd.yaml': 'apiVersion: extensions.higress.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: odd, labels: {higress.io/wasm-plugin-name: odd, higress.io/wasm-plugin-version: 1.0.0, higress.io/resource-definer: higress}}\nspec: {matchRules: 7}\n' };
		for (const [name, text] of Object.entries(broken)) fs.writeFileSync(`${m.serve.data}/resources/${name}`, text);
		await raw('POST /v1/consumers', bearer('plain', 'plain-key-0123456789'));
		const { backup: made } = await m.ok('POST /ni_status/backups', { reason: 'with broken files' });
		const now = await objects(m);
		assert.deepEqual([made.counts.providers, made.counts.routes], [now['ai/providers'].length, now.routes.filter((r) => !r.name.endsWith('.internal')).length]);
		await raw('DELETE /v1/consumers/plain');
		const { restored } = await m.ok(`POST /ni_status/backups/${made.id}/restore`, {});
		assert.deepEqual([restored.consumers.added, restored.plugins.removed, restored.routes.removed], [['plain'], [], []]);
		assert.deepEqual(await objects(m), now);
		for (const [name, text] of Object.entries(broken)) assert.equal(fs.readFileSync(`${m.serve.data}/resources/${name}`, 'utf8'), text, name);
		for (const name of Object.keys(broken)) fs.rmSync(`${m.serve.data}/resources/${name}`);
	});

	await t.test('removed', async () => {
		await m.ok(`DELETE /ni_status/backups/${backup.id}`);
		await m.refused(404, 'BACKUP_NOT_FOUND', `GET /ni_status/backups/${backup.id}`);
		const { history } = await m.ok('GET /ni_status/history?limit=500');
		for (const action of ['create backup', 'restore backup', 'delete backup']) assert.ok(history.some((e) => e.action === action), action);
	});
	assert.equal((await request(m.port, { method: 'GET', path: '/ni_status/backups', headers: AS.alice })).status, 403);
});

test('objects of another Console: what was there before each change is kept here', async (t) => {
	const other = await startMonitor(t);
	const m = await startMonitor(t, { args: ['--higress-console', `http://127.0.0.1:${other.serve.console}`] });
	const make = (name) => m.ok('POST /ni_status/create-provider', { name, type: 'openai', apiKey: SECRET });
	await make('first');
	const second = await make('second');
	assert.match(second.backupId, /^\d{8}T/);
	const list = (await m.ok('GET /ni_status/backups')).backups;
	assert.deepEqual(list.map((b) => [b.auto, b.reason, b.counts.providers]), [1, 0].map((n) => [true, 'before POST /ni_status/create-provider', n]));
	await m.refused(409, 'CONFLICT', 'POST /ni_status/create-provider', { name: 'second', type: 'openai', apiKey: SECRET });
	assert.equal((await m.ok('GET /ni_status/backups')).backups.length, 2, 'nothing was changed');
	await m.ok(`POST /ni_status/backups/${second.backupId}/restore`, {});
	assert.deepEqual((await other.console('GET /v1/ai/providers')).json.data.map((p) => [p.name, p.tokens[0]]), [['first', SECRET]]);
});
