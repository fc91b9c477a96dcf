// The S3 client against a real server (OpenStack Swift with s3api, where python3-swift is installed): everything that the
// gateway does with a bucket, by way of its assignments. Elsewhere the same story with the strict fake, and the titles
// say so.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { once } from 'node:events';
import { GATEWAY, setUp, startGateway, startVendor } from './hiclaw/gateway.js';
import { KEYS, startStorage } from './hiclaw/s3.js';
import { startSwift, swiftMissing, SWIFT_KEYS } from './hiclaw/swift.js';
import { BUCKET, KEY_OF, startWorld, workerConfig } from './hiclaw/world.js';
import { tempDir, until } from './lib/sluice.js';

const PRE = 'ein Pfad/mit %20+&und/ünï çødé 中文/'; // blanks, escapes that are none, other alphabets
const ends = []; // one server for the file
const file = { after: (end) => ends.unshift(end) };
const missing = swiftMissing(tempDir(file));
const what = missing ? `the strict fake (no real server: ${missing})` : 'OpenStack Swift';

let store; // { url, keys, put(key, text), get(key) }

before(async () => {
	if (missing) {
		const fake = await startStorage(file, BUCKET);
		store = { url: fake.url, keys: KEYS, put: async (key, text) => fake.put(key, text), get: async (key) => fake.get(key) };
	} else {
		store = { ...await startSwift(file, tempDir(file), BUCKET), keys: SWIFT_KEYS };
	}
});

after(async () => {
	for (const end of ends) await end();
});

// Another writer: between the gateway and the store, it changes an object right after the gateway has read it. Bytes go
// through as they are, also what a server says behind the head of an answer to HEAD (Swift does).
async function startDoor(t, target) {
	const door = { after: new Map(), seen: [] };
	const { port } = new URL(target);

	async function pass(socket, head, request) {
		const [line] = head.split('\r\n');
		const [method, at] = line.split(' ');
		const key = decodeURIComponent(new URL(at, 'http://h').pathname).slice(BUCKET.length + 2);
		const up = net.connect(Number(port), '127.0.0.1');
		const pieces = [];
		up.write(request.toString('latin1').replace('\r\n', '\r\nConnection: close\r\n'), 'latin1');
		for await (const piece of up) pieces.push(piece);
		const answer = Buffer.concat(pieces);
		const status = Number(answer.subarray(9, 12).toString());
		const change = method === 'GET' && door.after.get(key);
		door.seen.push({ method, key, status, head, extra: method === 'HEAD' && answer.length > answer.indexOf('\r\n\r\n') + 4 });
		if (change) {
			door.after.delete(key);
			await change(answer.subarray(answer.indexOf('\r\n\r\n') + 4).toString());
		}
		socket.end(answer);
	}

	const server = net.createServer((socket) => {
		let got = Buffer.alloc(0);
		socket.on('error', () => {});
		socket.on('data', (piece) => {
			got = Buffer.concat([got, piece]);
			const end = got.indexOf('\r\n\r\n');
			const head = end >= 0 ? got.subarray(0, end).toString('latin1') : '';
			const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
			if (end >= 0 && got.length === end + 4 + length) pass(socket, head, got).catch(() => socket.destroy());
		});
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.after(() => server.close());
	door.url = `http://127.0.0.1:${server.address().port}`;
	return door;
}

test(`assignments in the storage: ${what}`, async (t) => {
	const dir = tempDir(t);
	const data = path.join(dir, 'data');
	const vendor = await startVendor(t, 'qwen', ['qwen3.5-plus', 'qwen-max', 'qwen-turbo']);
	const world = await startWorld(t, dir, { gateway: GATEWAY, controller: false });
	const door = await startDoor(t, store.url);
	const env = { ...world.env, HICLAW_MINIO_S3_URL: door.url, HICLAW_MINIO_USER: store.keys.id, HICLAW_MINIO_PASSWORD: store.keys.secret, HICLAW_STORAGE_PREFIX: `hiclaw/${BUCKET}/${PRE}` };
	const names = ['alice', 'bob', 'carol', 'dora', 'emil', 'fred', 'gina'];
	const object = async (key) => JSON.parse(await store.get(PRE + key));
	const primary = async (name) => (await object(`agents/${name}/openclaw.json`)).agents.defaults.model.primary;

	for (const name of names) await store.put(`${PRE}agents/${name}/openclaw.json`, workerConfig(GATEWAY, 'alice'));
	await store.put(`${PRE}agents/.gitkeep`, '');
	await setUp(t, data, { vendor, keys: { manager: KEY_OF.manager, 'worker-alice': KEY_OF.alice } });
	const serve = await startGateway(t, data, env);
	const set = (name, model) => serve.api('PUT', `/assignment/workers/${name}`, { provider: 'qwen', model });

	await t.test('the bucket is there, and its Workers are listed (pages of three at a real server)', async () => {
		await until('the Workers', async () => (await serve.api('GET', '/workers')).body.workers.length === names.length);
		const { body } = await serve.api('GET', '/status');
		assert.deepEqual(body.attachments.s3, { state: 'ok', detail: BUCKET });
		assert.deepEqual((await serve.api('GET', '/workers')).body.workers.map((w) => w.name), names);
	});

	await t.test('objects are read, edited and written; new ones are made', async () => {
		const { status, body } = await set('alice', 'qwen-max');
		assert.equal(status, 200, JSON.stringify(body));
		assert.equal(body.synced, true, JSON.stringify(body.warnings));
		assert.equal(await primary('alice'), 'hiclaw-gateway/qwen-max');
		assert.equal((await object('agents/alice/model.json')).model, 'qwen-max');
		assert.equal(await primary('bob'), 'hiclaw-gateway/qwen3.5-plus');
		assert.equal((await set('alice', 'qwen-max')).body.changed, false);
	});

	await t.test('what another writer has put in between is kept (HI-25)', async () => {
		let raced = 0;
		door.after.set(`${PRE}agents/alice/openclaw.json`, async (text) => {
			raced++;
			await store.put(`${PRE}agents/alice/openclaw.json`, text.replace('"maxConcurrent": 4', '"maxConcurrent": 5'));
		});
		const { body } = await set('alice', 'qwen-turbo');
		assert.equal(raced, 1);
		assert.equal(body.synced, true, JSON.stringify(body));
		const both = await object('agents/alice/openclaw.json');
		assert.deepEqual([both.agents.defaults.model.primary, both.agents.defaults.maxConcurrent], ['hiclaw-gateway/qwen-turbo', 5]);
	});

	await t.test('an assignment that is taken away takes its object with it', async () => {
		await until('the switch to end', async () => (await serve.api('DELETE', '/assignment/workers/alice')).status !== 409);
		assert.equal(await store.get(`${PRE}agents/alice/model.json`), undefined);
		assert.equal(await primary('alice'), 'hiclaw-gateway/qwen-turbo');
	});

	await t.test('nothing but objects below the prefix was asked for, and nothing was refused that should not be', () => {
		assert.deepEqual(door.seen.filter((r) => r.key !== '' && !r.key.startsWith(PRE)).map((r) => [r.method, r.key]), []);
		assert.deepEqual(door.seen.filter((r) => r.status >= 400 && ![404, 412, 501].includes(r.status)).map((r) => [r.method, r.key, r.status]), []);
		assert.ok(missing || door.seen.some((r) => r.extra), 'Swift says something behind the head of a 404 to HEAD: its client bears that');
	});
});

test(`a wrong key says whose it is and where it comes from: ${what}`, async (t) => {
	const dir = tempDir(t);
	const data = path.join(dir, 'data');
	const vendor = await startVendor(t, 'qwen', ['qwen3.5-plus', 'qwen-max']);
	const world = await startWorld(t, dir, { gateway: GATEWAY, controller: false });

	await setUp(t, data, { vendor, keys: { manager: KEY_OF.manager, 'worker-alice': KEY_OF.alice } });
	const serve = await startGateway(t, data, { ...world.env, HICLAW_MINIO_S3_URL: store.url, HICLAW_MINIO_USER: store.keys.id, HICLAW_MINIO_PASSWORD: 'not the secret' });
	const { attachments } = await until('the bucket to be looked at', async () => {
		const { body } = await serve.api('GET', '/status');
		return body.attachments.s3.state !== 'absent' && body;
	});
	assert.equal(attachments.s3.state, 'degraded');
	assert.match(attachments.s3.detail, new RegExp(`^storage did not look at the bucket: status 403 .*to access key ${store.keys.id.slice(0, 4)}\\.\\.\\. of HICLAW_MINIO_USER`));
	const { status, body } = await serve.api('PUT', '/assignment/workers/alice', { provider: 'qwen', model: 'qwen-max' });
	assert.equal(status, 200, JSON.stringify(body));
	assert.equal(body.synced, false);
	assert.ok(body.warnings.some((w) => w.code === 'STORAGE_FORBIDDEN'), JSON.stringify(body.warnings));
	assert.equal(JSON.parse(fs.readFileSync(path.join(world.agents, 'alice/openclaw.json'), 'utf8')).agents.defaults.model.primary, 'hiclaw-gateway/qwen-max');
	assert.ok(!(serve.stderr() + JSON.stringify(body)).includes('not the secret'));
});
