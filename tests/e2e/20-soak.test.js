// Endurance: what runs for long does not grow, and what dies leaves nothing behind. The numbers here fit into a
// suite; script/soak runs the same with larger ones (SOAK_STREAMS, SOAK_RELOADS, SOAK_EVENTS, SOAK_DEATHS).
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { openStream, post, settledBytes, watchMemory } from './lib/load.js';
import { writeRoute, writeWorld } from './lib/resources.js';
import { exchange, parseAnswers, request } from './lib/http.js';
import { SLUICE, cleanEnv, isSanitized, sleep, startMock, startServe, tempDir, until } from './lib/sluice.js';

const number = (name, usual, sanitized) => Number(process.env[name] ?? (isSanitized ? sanitized : usual));
const STREAMS = number('SOAK_STREAMS', 1000, 40);
const RELOADS = number('SOAK_RELOADS', 1500, 100);
const EVENTS = number('SOAK_EVENTS', 1000000, 50000);
const DEATHS = number('SOAK_DEATHS', 6, 2);
const LONG = 15 * 60 * 1000;
const MB = 1 << 20;
const ASK = { model: 'mock', messages: [] };

function worldOf(mock, routes = 1) {
	return {
		providers: [{ id: 'p', address: mock.address, token: 'sk-upstream' }],
		consumers: Array.from({ length: 20 }, (_, i) => ({ name: `c${i}`, key: `k${i}` })),
		routes: [
			{ name: 'a', host: 'a.test', to: 'p' },
			...Array.from({ length: routes }, (_, i) => ({ name: `r${i}`, host: `r${i}.test`, to: 'p', allow: [`c${i % 20}`] })),
		],
	};
}
const status = async (serve, host, agent) => (await request(serve.port, { headers: { host }, body: ASK, agent })).status;

test(`${STREAMS} open streams and ${RELOADS} reloads: memory is flat, every stream lives`, { timeout: LONG }, async (t) => {
	const mock = await startMock(t);
	const world = worldOf(mock, 50);
	const data = writeWorld(tempDir(t), world);
	const serve = await startServe(t, { data, args: ['--workers', '4', '--access-log', 'off'] });
	const streams = Array.from({ length: STREAMS }, () => openStream(serve.port, 'bench-sse-1000000+slow-2000', 'a.test'));
	t.after(() => streams.forEach((s) => s.socket.destroy()));
	await until('the first event of every stream', () => streams.every((s) => s.events > 0), 60000);

	// Each reload changes what a request gets, and is asked after by SIGHUP: the next begins when it is live.
	let live = 0;
	let seen = 0;
	const lives = () => {
		const text = serve.stderr();
		for (let at = text.indexOf('configuration is live', seen); at >= 0; at = text.indexOf('configuration is live', seen)) {
			seen = at + 10;
			live++;
		}
		return live;
	};
	const reload = async (i) => {
		const before = lives();
		writeRoute(data, world, { name: 'turn', host: `turn${i}.test`, to: 'p' });
		serve.kill('SIGHUP');
		for (const end = Date.now() + 20000; lives() === before; await new Promise(setImmediate)) assert.ok(Date.now() < end, `reload ${i} does not become live`);
	};
	const warm = Math.min(200, RELOADS / 5);
	for (let i = 0; i < warm; i++) await reload(i);
	const before = await settledBytes(serve.pid);
	const begun = performance.now();
	const memory = watchMemory(serve.pid);
	for (let i = 0; i < RELOADS; i++) await reload(i);
	memory.stop();
	const after = await settledBytes(serve.pid);
	assert.equal(await status(serve, `turn${RELOADS - 1}.test`), 200);
	assert.equal(await status(serve, `turn${RELOADS - 2}.test`), 404);

	const counted = streams.map((s) => s.events);
	await until('another event on every stream', () => streams.every((s, i) => s.events > counted[i]), 30000);
	assert.ok(streams.every((s) => !s.ended && !s.error), 'a stream ended');
	t.diagnostic(`${RELOADS} reloads of 52 routes in ${Math.round(performance.now() - begun)} ms beside ${STREAMS} streams: ` +
		`${before >> 10} KB before, ${after >> 10} KB after, ${memory.highest >> 10} KB at most; ${live} live`);
	// A plan of this size is above 40 KB: ten that stay would be seen, and here are a thousand.
	if (!isSanitized) assert.ok(after - before < 4 * MB, `${before} bytes before, ${after} after`);
	for (const s of streams) s.socket.destroy();
	await until('the mock to see them leave', async () => (await mock.state()).open === 0);
});

test(`${EVENTS} events of streams: memory is flat, none is lost`, { timeout: LONG }, async (t) => {
	const mock = await startMock(t);
	const data = writeWorld(tempDir(t), worldOf(mock));
	const serve = await startServe(t, { data, args: ['--workers', '2', '--access-log', 'off'] });
	const side = 10;
	const round = async (events) => {
		const streams = Array.from({ length: side }, () => openStream(serve.port, `bench-sse-${events}`, 'a.test'));
		for (const s of streams) {
			await s.done;
			// The events, the usage where it is shown, and [DONE].
			assert.ok(s.events >= events + 1 && s.events <= events + 2, `${s.events} of ${events} events`);
			assert.ok(s.tail.includes('[DONE]') && !s.error, s.tail);
		}
	};
	// What two workers and their allocators take at most has been taken before it counts.
	await round(EVENTS / 4 / side);
	const before = await settledBytes(serve.pid);
	const begun = performance.now();
	const memory = watchMemory(serve.pid, 50);
	for (let i = 0; i < 4; i++) await round(EVENTS / 4 / side);
	memory.stop();
	const after = await settledBytes(serve.pid);
	t.diagnostic(`${EVENTS} events in ${Math.round(performance.now() - begun)} ms: ${before >> 10} KB before, ${after >> 10} KB after, ${memory.highest >> 10} KB at most`);
	if (!isSanitized) {
		assert.ok(after - before < 2 * MB, `${before} bytes before, ${after} after`);
		assert.ok(memory.highest - before < 16 * MB, `${before} bytes before, ${memory.highest} at most`);
	}
});

// Every file below dir, which may not exist yet.
const namesBelow = (dir) =>
	(fs.existsSync(dir) ? fs.readdirSync(dir, { recursive: true, withFileTypes: true }) : []).filter((e) => e.isFile()).map((e) => path.join(e.path, e.name));

test(`kill -9 under load, ${DEATHS} times: the port is free, the files are whole, the next start serves what was written`, { timeout: LONG }, async (t) => {
	const mock = await startMock(t);
	const world = worldOf(mock, 10);
	const data = writeWorld(tempDir(t), world);
	const log = path.join(tempDir(t), 'access.log');
	let address = '127.0.0.1:0';
	let served = 0;
	for (let death = 0; death < DEATHS; death++) {
		const serve = await startServe(t, { data, args: ['--gateway', address, '--workers', '4', '--access-log', log].slice(address.endsWith(':0') ? 2 : 0) });
		address = serve.address;
		const before = death === 0 ? 'a.test' : `death${death - 1}.test`;
		assert.equal(await status(serve, before), 200, 'what was written before the death');
		// Load of every kind: streams, short requests, bodies half sent, files that change.
		let stop = false;
		const streams = Array.from({ length: 50 }, () => openStream(serve.port, 'bench-sse-100000+slow-5', 'a.test'));
		const halves = Array.from({ length: 10 }, () => exchange(serve.port, post('x'.repeat(1000)).slice(0, -500), { ms: 30000 }));
		const short = Array.from({ length: 8 }, async () => {
			while (!stop)
				try {
					served += (await status(serve, 'a.test')) === 200;
				} catch {
					return; // it was killed
				}
		});
		const files = (async () => {
			for (let i = 0; !stop; i++) {
				writeRoute(data, world, { name: `f${i % 5}`, host: `f${i}.test`, to: 'p' });
				if (i % 3 === 0 && !serve.gone) serve.kill('SIGHUP');
				await sleep(3);
			}
		})();
		await until('the streams', () => streams.every((s) => s.events > 2));
		await sleep(50 + death * 37);
		writeRoute(data, world, { name: 'death', host: `death${death}.test`, to: 'p' });
		serve.kill('SIGKILL');
		assert.equal((await serve.exited).signal, 'SIGKILL');
		stop = true;
		await Promise.all([...short, files, ...halves, ...streams.map((s) => s.done)]);
		const strange = namesBelow(path.join(data, 'resources')).filter((file) => !file.endsWith('.yaml') || !fs.readFileSync(file, 'utf8').endsWith('}\n'));
		assert.deepEqual(strange, [], 'files that nobody wrote, or half of them');
	}
	const lines = fs.readFileSync(log, 'utf8').split('\n');
	assert.equal(lines.pop(), '', 'half a line');
	for (const line of lines) JSON.parse(line);
	assert.ok(served > DEATHS * 10, `${served} requests were answered`);
	t.diagnostic(`${served} short requests, ${lines.length} access lines`);
	const last = await startServe(t, { data, args: ['--gateway', address] });
	assert.equal(await status(last, `death${DEATHS - 1}.test`), 200);
});

test('kill -9 in the middle of the first start: the next one finishes what was begun', { timeout: LONG }, async (t) => {
	const mock = await startMock(t);
	const env = { OPENAI_API_KEY: 'sk-vendor', OPENAI_BASE_URL: `${mock.url}/v1` };
	const cut = [];
	for (let i = 0; i < (isSanitized ? 7 : 28); i++) {
		const data = tempDir(t);
		const root = path.join(data, 'resources');
		const child = spawn(SLUICE, ['serve', '--data', data, '--gateway', '127.0.0.1:0', '--access-log', 'off'], { env: cleanEnv(env), stdio: 'ignore' });
		const gone = once(child, 'close');
		t.after(() => child.kill('SIGKILL'));
		// Killed when so many resources are there: writing them is cut at every place.
		for (const end = Date.now() + 5000; Date.now() < end && namesBelow(root).filter((file) => file.endsWith('.yaml')).length < i % 7;);
		child.kill('SIGKILL');
		await gone;
		const left = namesBelow(root).map((file) => path.relative(root, file));
		cut.push(left.filter((file) => file.endsWith('.yaml')).length);
		const serve = await startServe(t, { data, env });
		const now = namesBelow(root).map((file) => path.relative(root, file));
		assert.ok(now.length === 6 && now.every((file) => file.endsWith('.yaml')), `left ${left}; then ${now}`);
		const key = /"?Bearer (sk-sluice-[0-9a-f]+)/.exec(fs.readFileSync(path.join(root, 'wasmplugins/key-auth.internal.yaml'), 'utf8'))[1];
		const got = await request(serve.port, { headers: { authorization: `Bearer ${key}` }, body: ASK });
		assert.equal(got.status, 200, `left ${left}: ${got.text}`);
		await serve.stop();
	}
	t.diagnostic(`files there when it was killed: ${cut.join(' ')}`);
	assert.ok(cut.some((n) => n > 0 && n < 6), 'it was never killed in the middle');
});
