// Clients that leave: every upstream stream ends, nothing is held.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import test from 'node:test';
import { writeWorld } from './lib/resources.js';
import { chunk, request, sse, startUpstream } from './lib/http.js';
import { isSanitized, sleep, startMock, startServe, tempDir, until } from './lib/sluice.js';

const ASK = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] });

async function gateway(t, upstream, args = []) {
	const data = writeWorld(tempDir(t), { providers: [{ id: 'p', address: upstream.address }] });
	return startServe(t, { data, args });
}

// Opens a stream and resolves at its first byte of body; the socket is the caller's.
function open(port, body) {
	return new Promise((resolve, reject) => {
		const socket = net.connect(port, '127.0.0.1');
		let text = '';
		socket.on('error', reject);
		socket.on('connect', () =>
			socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`));
		const onData = (piece) => {
			text += piece.toString('latin1');
			if (!text.includes('data: ')) return;
			socket.off('data', onData);
			resolve(socket);
		};
		socket.on('data', onData);
		socket.on('close', () => reject(new Error(`closed before an event: ${text}`)));
	});
}

for (const when of ['before the head', 'after the first event', 'while the body is uploaded'])
	test(`a client that leaves ${when} ends its upstream`, async (t) => {
		const upstream = await startUpstream(t, (req, res) => {
			if (when === 'before the head') return;
			res.writeHead(200, { 'content-type': 'text/event-stream' });
			res.write(sse(chunk('x')));
		});
		const serve = await gateway(t, upstream);
		const socket = net.connect(serve.port, '127.0.0.1');
		socket.on('error', () => {});
		const length = when === 'while the body is uploaded' ? ASK.length + 100 : ASK.length;
		socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${ASK}`);
		if (when === 'while the body is uploaded') {
			await sleep(100);
			socket.destroy();
			await sleep(200);
			assert.equal(upstream.requests.length, 0, 'half a body reached the upstream');
		} else {
			await until('the request upstream', () => upstream.requests.length === 1 && upstream.requests[0].body);
			if (when === 'after the first event') await new Promise((go) => socket.once('data', go));
			assert.equal(upstream.requests[0].closed, false);
			socket.destroy();
			await until('the end upstream', () => upstream.requests[0].closed);
		}
		assert.equal((await request(serve.port, { method: 'GET', path: '/healthz/live' })).status, 200);
	});

test('a client that closes its sending side while it waits is taken for gone', async (t) => {
	const upstream = await startUpstream(t, () => {}); // never answers
	const serve = await gateway(t, upstream);
	const half = net.connect({ port: serve.port, host: '127.0.0.1', allowHalfOpen: true });
	t.after(() => half.destroy());
	half.on('error', () => {});
	half.end(`POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${ASK.length}\r\n\r\n${ASK}`);
	await until('the request upstream to end', () => upstream.requests[0]?.closed || half.destroyed);
	assert.equal((await request(serve.port, { method: 'GET', path: '/healthz/live' })).status, 200);
});

test('1,000 clients hang up: the mock sees every stream end', { timeout: 180000 }, async (t) => {
	const n = isSanitized ? 200 : 1000;
	const mock = await startMock(t);
	const serve = await gateway(t, mock);
	const body = JSON.stringify({ model: 'mock-open', stream: true, messages: [{ role: 'user', content: 'hi' }] });
	const sockets = [];
	for (let i = 0; i < n; i += 50) sockets.push(...(await Promise.all(Array.from({ length: 50 }, () => open(serve.port, body)))));
	assert.equal(sockets.length, n);
	const before = await mock.state();
	assert.equal(before.open, n, JSON.stringify(before));
	const begun = performance.now();
	for (const socket of sockets) {
		socket.removeAllListeners('close');
		socket.on('error', () => {});
		socket.resetAndDestroy?.() ?? socket.destroy();
	}
	const state = await until('every stream to end at the mock', async () => {
		const now = await mock.state();
		return now.open === 0 ? now : null;
	});
	t.diagnostic(`${n} clients hung up; the mock had seen every stream end ${Math.round(performance.now() - begun)} ms later`);
	assert.equal(state.client_gone, n, JSON.stringify(state));
	assert.equal((await request(serve.port, { body: { model: 'mock', messages: [] } })).status, 200);
});

test('a slow client that leaves in the middle of a large answer', async (t) => {
	const upstream = await startUpstream(t, (req, res) => {
		res.writeHead(200, { 'content-type': 'text/event-stream' });
		const piece = sse(chunk('x'.repeat(60000)));
		const more = () => {
			while (!res.destroyed && res.write(piece));
			if (!res.destroyed) res.once('drain', more);
		};
		more();
	});
	const serve = await gateway(t, upstream);
	for (let i = 0; i < 5; i++) {
		const req = http.request({ port: serve.port, host: '127.0.0.1', method: 'POST', path: '/v1/chat/completions', headers: { 'content-type': 'application/json' } });
		req.on('error', () => {});
		req.end(ASK);
		const res = await new Promise((go) => req.on('response', go));
		res.on('error', () => {});
		res.pause();
		await sleep(50);
		req.destroy();
		await until('the end upstream', () => upstream.requests[i].closed);
	}
});
