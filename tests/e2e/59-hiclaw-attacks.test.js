// Bad luck and bad will around the agents: names that lead elsewhere, a storage that answers nonsense, two who switch one
// Worker at once, and a process that is killed in the middle. Afterwards the status is true and nothing is lost.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { once } from 'node:events';
import { BASIC, GATEWAY, setUp, startGateway, startVendor } from './hiclaw/gateway.js';
import { KEY_OF, startWorld } from './hiclaw/world.js';
import { request } from './lib/http.js';
import { tempDir, until } from './lib/sluice.js';

// A server that says the same to everybody.
async function startNonsense(t, answer) {
	const server = net.createServer((socket) => {
		socket.on('error', () => {});
		socket.once('data', () => socket.end(answer));
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.after(() => server.close());
	return `http://127.0.0.1:${server.address().port}`;
}

const tree = (dir) => fs.readdirSync(dir, { recursive: true }).sort();

test('around the agents', async (t) => {
	const dir = tempDir(t);
	const data = path.join(dir, 'data');
	const vendor = await startVendor(t, 'qwen', ['qwen3.5-plus', 'qwen-max', 'qwen-turbo']);
	const world = await startWorld(t, dir, { gateway: GATEWAY, controller: false });
	const { storage } = world;
	await setUp(t, data, { vendor, keys: { manager: KEY_OF.manager, 'worker-alice': KEY_OF.alice, 'worker-bob': KEY_OF.bob } });
	let serve = await startGateway(t, data, world.env);
	const set = (name, model) => serve.api('PUT', `/assignment/workers/${name}`, { provider: 'qwen', model });
	const local = (name, file) => JSON.parse(fs.readFileSync(path.join(world.agents, name, file), 'utf8'));
	const stored = (name, file) => JSON.parse(storage.get(`agents/${name}/${file}`));

	await t.test('names that are none change nothing anywhere', async () => {
		const before = { files: tree(world.agents), keys: [...storage.objects.keys()].sort() };
		for (const name of ['..', '%2e%2e', '%2e%2e%2fmanager', 'a%2fb', 'a%5cb', 'a%00', 'a%0a', '%ff', 'A', 'manager', 'shared', 'workers', 'default', 'x'.repeat(64), '-a', 'a.b', '%e4%b8%ad']) {
			for (const method of ['PUT', 'DELETE']) {
				const got = await request(Number(serve.monitor.split(':').pop()), { method, path: `/ni_status/assignment/workers/${name}`, headers: { authorization: BASIC }, body: method === 'PUT' ? { provider: 'qwen', model: 'qwen-max' } : undefined });
				assert.ok([400, 404].includes(got.status), `${method} ${name}: ${got.status} ${got.text}`);
			}
		}
		for (const target of ['worker:../x', 'worker:', '../alice', 'alice\u0000', 'worker:manager', 'WORKER:alice', ' alice']) assert.equal((await serve.api('POST', '/set-model', { target, provider: 'qwen', model: 'qwen-max' })).body.code, 'INVALID_NAME', target);
		assert.deepEqual({ files: tree(world.agents), keys: [...storage.objects.keys()].sort() }, before);
	});

	await t.test('two switches of one Worker at once: one after the other, and everything agrees on the later one', async () => {
		const models = ['qwen-max', 'qwen-turbo', 'qwen3.5-plus', 'qwen-max', 'qwen-turbo'];
		const answers = await Promise.all(models.map((m) => set('alice', m)));
		assert.ok(answers.every((a) => a.status === 200), JSON.stringify(answers.map((a) => a.body.error)));
		const { body } = await serve.api('GET', '/assignment/workers/alice');
		for (const v of [local('alice', 'model.json').model, stored('alice', 'model.json').model]) assert.equal(v, body.model);
		for (const v of [local('alice', 'openclaw.json'), stored('alice', 'openclaw.json')]) assert.equal(v.agents.defaults.model.primary, `hiclaw-gateway/${body.model}`);
	});

	await t.test('killed in the middle, at any moment: the next start goes on, and says what is', async () => {
		for (const at of ['GET', 'HEAD', 'PUT']) {
			const seen = storage.requests.length;
			const wanted = at === 'HEAD' ? 'qwen-max' : 'qwen-turbo';
			const asked = set('bob', wanted).catch(() => null);
			await until(`${at} of bob's objects`, () => storage.requests.slice(seen).some((r) => r.method === at && r.key.startsWith('agents/bob/')));
			serve.kill('SIGKILL');
			await serve.exited;
			await asked;
			serve = await startGateway(t, data, world.env);
			const shown = await until('the assignment to be whole', async () => {
				const { body } = await serve.api('GET', '/assignment/workers/bob');
				const primary = local('bob', 'openclaw.json').agents.defaults.model.primary;
				return primary === stored('bob', 'openclaw.json').agents.defaults.model.primary &&
					(body.state === 'unmanaged' ? primary === 'hiclaw-gateway/qwen3.5-plus' : body.synced && primary === `hiclaw-gateway/${body.model}` && stored('bob', 'model.json').model === body.model) && body;
			}, 90000);
			assert.ok(['pending', 'applied', 'unmanaged'].includes(shown.state), JSON.stringify(shown));
			assert.ok(!tree(world.agents).some((f) => /\.tmp|~$|\.new$/.test(f)), tree(world.agents).join(' '));
		}
	});

	await t.test('a storage that answers nonsense: what cannot be a configuration is left alone, all else is a warning', async () => {
		const page = '<html><body>it works</body></html>';
		const head = (status, type, length) => `HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`;
		const refused = [head('200 OK', 'text/html', page.length) + page, `${head('200 OK', 'application/json', 5)}{"a":`];
		const warned = ['SSH-2.0-OpenSSH_9.2\r\n', `${head('403 Forbidden', 'application/xml', 60)}<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><Error>&b;`];
		const again = async (answer) => {
			await serve.stop();
			serve = await startGateway(t, data, { ...world.env, HICLAW_MINIO_S3_URL: await startNonsense(t, answer) });
			return set('alice', 'qwen-max');
		};

		await set('alice', 'qwen3.5-plus');
		const kept = fs.readFileSync(path.join(world.agents, 'alice/openclaw.json'), 'utf8');
		for (const answer of refused) {
			const { status, body } = await again(answer);
			assert.ok(status >= 500 && /^(CONFIG|STORAGE)_/.test(body.code), JSON.stringify(body));
			assert.match(body.error, /openclaw\.json/);
			assert.equal(fs.readFileSync(path.join(world.agents, 'alice/openclaw.json'), 'utf8'), kept);
			assert.equal((await serve.api('GET', '/assignment/workers/alice')).body.model, 'qwen3.5-plus');
		}
		for (const answer of warned) {
			const { status, body } = await again(answer);
			assert.equal(status, 200, JSON.stringify(body));
			assert.equal(body.synced, false, answer);
			assert.ok(body.warnings.some((w) => w.code.startsWith('STORAGE_')), JSON.stringify(body.warnings));
			assert.equal((await serve.api('GET', '/assignment/workers/alice')).body.model, 'qwen-max');
			assert.ok((await serve.api('GET', '/status')).body.pendingSync.includes('alice'));
		}
	});
});
