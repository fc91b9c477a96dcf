// The life of the process: reload, drain, sudden death.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { writeRoute, writeWorld } from './lib/resources.js';
import { chunk, completion, json, request, sse, startUpstream } from './lib/http.js';
import { run, startServe, tempDir, until } from './lib/sluice.js';

const ASK = { model: 'm', messages: [] };
const STREAM = { ...ASK, stream: true };

async function gateway(t, handler, world = {}) {
	const upstream = await startUpstream(t, handler);
	const full = {
		providers: [{ id: 'p', address: upstream.address }],
		routes: [{ name: 'a', host: 'a.test', to: 'p' }],
		...world,
	};
	const data = writeWorld(tempDir(t), full);
	return { upstream, data, world: full, serve: await startServe(t, { data }) };
}

const status = async (serve, host) => (await request(serve.port, { headers: { host }, body: ASK })).status;

test('SIGHUP: a new route works, a removed one does not', async (t) => {
	const { serve, data, world } = await gateway(t);
	assert.equal(await status(serve, 'a.test'), 200);
	assert.equal(await status(serve, 'b.test'), 404);
	writeRoute(data, world, { name: 'b', host: 'b.test', to: 'p' });
	fs.unlinkSync(path.join(data, 'resources/ingresses/ai-route-a.internal.yaml'));
	serve.kill('SIGHUP');
	await until('the new route', async () => (await status(serve, 'b.test')) === 200);
	assert.equal(await status(serve, 'a.test'), 404);
});

test('SIGHUP: a broken file keeps the last good object, and the log names file and line', async (t) => {
	const { serve, data, world } = await gateway(t);
	const file = path.join(data, 'resources/ingresses/ai-route-a.internal.yaml');
	fs.writeFileSync(file, 'apiVersion: networking.k8s.io/v1\nkind: Ingress\nspec: [unclosed\n');
	writeRoute(data, world, { name: 'b', host: 'b.test', to: 'p' });
	serve.kill('SIGHUP');
	await until('the other change', async () => (await status(serve, 'b.test')) === 200);
	assert.equal(await status(serve, 'a.test'), 200, 'the route of the broken file is gone');
	await until('a line that names it', () => /ingresses\/ai-route-a\.internal\.yaml:\d+/.test(serve.stderr()));
});

test('SIGHUP: a changed credential and mapping count from the next request on', async (t) => {
	const { serve, data, world, upstream } = await gateway(t);
	world.providers[0] = { ...world.providers[0], token: 'sk-new', mapping: { m: 'mapped' } };
	writeWorld(data, world);
	serve.kill('SIGHUP');
	await until('the new credential', async () => {
		await status(serve, 'a.test');
		return upstream.requests.at(-1).headers.authorization === 'Bearer sk-new';
	});
	assert.equal(JSON.parse(upstream.requests.at(-1).body).model, 'mapped');
});

test('SIGHUP in the middle of a stream does not touch it', async (t) => {
	let release;
	const gate = new Promise((go) => (release = go));
	const { serve, data, upstream } = await gateway(t, async (req, res, body) => {
		if (!body.includes('"stream":true')) return json(res, 200, completion('x'));
		res.writeHead(200, { 'content-type': 'text/event-stream' });
		res.write(sse(chunk('one')));
		await gate;
		res.end(sse(chunk('two')) + 'data: [DONE]\n\n');
	});
	const running = request(serve.port, { headers: { host: 'a.test' }, body: STREAM });
	await until('the stream', () => upstream.requests[0]?.body);
	fs.unlinkSync(path.join(data, 'resources/ingresses/ai-route-a.internal.yaml'));
	for (let i = 0; i < 5; i++) serve.kill('SIGHUP');
	await until('the route to be gone', async () => (await status(serve, 'a.test')) === 404);
	release();
	const got = await running;
	assert.ok(got.text.endsWith(sse(chunk('two')) + 'data: [DONE]\n\n'), got.text);
});

test('SIGHUP under load: no request fails', async (t) => {
	const { serve, data, world } = await gateway(t);
	let stop = false;
	const load = Array.from({ length: 8 }, async () => {
		let n = 0;
		while (!stop) {
			assert.equal(await status(serve, 'a.test'), 200);
			n++;
		}
		return n;
	});
	for (let i = 0; i < 10; i++) {
		writeRoute(data, world, { name: `r${i}`, host: `r${i}.test`, to: 'p' });
		serve.kill('SIGHUP');
		await until(`route ${i}`, async () => (await status(serve, `r${i}.test`)) === 200);
	}
	stop = true;
	const counts = await Promise.all(load);
	assert.ok(counts.every((n) => n > 0));
});

for (const signal of ['SIGTERM', 'SIGINT'])
	test(`${signal}: stops accepting, finishes the running stream, ends with 0`, async (t) => {
		let release;
		const gate = new Promise((go) => (release = go));
		const { serve, upstream } = await gateway(t, async (req, res) => {
			res.writeHead(200, { 'content-type': 'text/event-stream' });
			res.write(sse(chunk('one')));
			await gate;
			res.end('data: [DONE]\n\n');
		});
		const running = request(serve.port, { headers: { host: 'a.test' }, body: STREAM });
		await until('the stream', () => upstream.requests.length === 1 && upstream.requests[0].body);
		serve.kill(signal);
		await until('the listener to be closed', () =>
			new Promise((done) => {
				const socket = net.connect(serve.port, '127.0.0.1');
				socket.on('error', () => done(true));
				socket.on('connect', () => (socket.destroy(), done(false)));
			}));
		assert.equal(serve.gone, false, 'it ended with a stream running');
		release();
		assert.ok((await running).text.endsWith('data: [DONE]\n\n'));
		assert.deepEqual(await serve.exited, { code: 0, signal: null });
	});

test('SIGTERM with a stream that never ends: cut after the drain timeout, with 0', async (t) => {
	const upstream = await startUpstream(t, (req, res) => {
		res.writeHead(200, { 'content-type': 'text/event-stream' });
		res.write(sse(chunk('one')));
	});
	const data = writeWorld(tempDir(t), { providers: [{ id: 'p', address: upstream.address }] });
	const serve = await startServe(t, { data, args: ['--drain-timeout', '300ms'] });
	const running = request(serve.port, { body: STREAM }).catch((error) => error);
	await until('the stream', () => upstream.requests.length === 1 && upstream.requests[0].body);
	serve.kill('SIGTERM');
	assert.deepEqual(await serve.exited, { code: 0, signal: null });
	await running;
	await until('the upstream to see the end', () => upstream.requests[0].closed);
});

test('kill -9 and start again on the same port: it serves', async (t) => {
	const { serve, data } = await gateway(t, (req, res, body) => {
		if (body.includes('"stream":true')) {
			res.writeHead(200, { 'content-type': 'text/event-stream' });
			return void res.write(sse(chunk('one')));
		}
		json(res, 200, completion('x'));
	});
	const running = request(serve.port, { headers: { host: 'a.test' }, body: STREAM }).catch((error) => error);
	assert.equal(await status(serve, 'a.test'), 200);
	serve.kill('SIGKILL');
	await serve.exited;
	await running;
	const again = await startServe(t, { data, args: ['--gateway', serve.address] });
	const ports = [again.ready.gateway].flat().map((a) => Number(a.split(':').pop()));
	assert.ok(ports.includes(serve.port), JSON.stringify(again.ready));
	assert.equal(await status(serve, 'a.test'), 200);
});

test('an address that is taken: one sentence that names it, and not 0', async (t) => {
	const { serve, data } = await gateway(t);
	const got = await run(['serve', '--data', data, '--gateway', serve.address]);
	assert.notEqual(got.code, 0);
	assert.ok(got.stderr.includes(serve.address), got.stderr);
});

test('the ready line says addresses and numbers of objects', async (t) => {
	const { serve } = await gateway(t);
	await until('the ready line', () => serve.stderr().includes(serve.address));
	assert.match(serve.stderr(), /routes?\D{0,4}1\b|1 routes?/);
	assert.equal(serve.ready.pid, serve.pid);
	assert.equal(typeof serve.ready.version, 'string');
});

test('an empty resource directory serves: everything is 404, and the log says where routes were looked for', async (t) => {
	const serve = await startServe(t, { data: tempDir(t) });
	assert.equal((await request(serve.port, { body: ASK })).status, 404);
	await until('a line that names the directory', () => serve.stderr().includes(`${serve.data}/resources`));
});
