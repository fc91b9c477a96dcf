// Slow readers hold back their own upstream and nobody's memory.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { writeWorld } from './lib/resources.js';
import { chunk, request, sse, startUpstream } from './lib/http.js';
import { isSanitized, residentBytes, run, sleep, startServe, tempDir, until } from './lib/sluice.js';

const ASK = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] });
const REQUEST = `POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${ASK.length}\r\nConnection: close\r\n\r\n${ASK}`;

// Each stream: 400 events of about 1 KB, which is more than all the buffers on the way of one stream
// that is not read would take if nobody held back.
const EVENTS = 400;
const EVENT = sse(chunk('x'.repeat(900)));
const BYTES = EVENTS * EVENT.length;

function upstreamOfManyEvents(t) {
	return startUpstream(t, (req, res) => {
		res.writeHead(200, { 'content-type': 'text/event-stream' });
		let left = EVENTS;
		const more = () => {
			while (left > 0 && !res.destroyed) {
				left--;
				if (!res.write(EVENT)) return res.once('drain', more);
			}
			if (!res.destroyed) res.end('data: [DONE]\n\n');
		};
		more();
	});
}

// Reads to the end, at full speed or a little at a time; resolves to the number of bytes of events.
function read(port, slowly) {
	return new Promise((resolve, reject) => {
		const socket = net.connect({ port, host: '127.0.0.1', highWaterMark: 4096 });
		let n = 0;
		let done = false;
		let tail = '';
		socket.on('error', reject);
		socket.on('connect', () => socket.write(REQUEST));
		socket.on('data', (piece) => {
			n += piece.length;
			tail = (tail + piece.toString('latin1')).slice(-64);
			if (!slowly) return;
			socket.pause();
			setTimeout(() => socket.resume(), 40);
		});
		socket.on('end', () => ((done = true), resolve({ n, tail, whole: tail.includes('[DONE]') })));
		socket.on('close', () => done || reject(new Error(`closed after ${n} bytes`)));
		if (slowly) {
			socket.pause();
			setTimeout(() => socket.resume(), 2000);
		}
	});
}

test('1,000 streams of which half are read slowly: all arrive whole, memory stays below the printed bound', { timeout: 220000 }, async (t) => {
	const n = isSanitized ? 100 : 1000;
	const upstream = await upstreamOfManyEvents(t);
	const data = writeWorld(tempDir(t), { providers: [{ id: 'p', address: upstream.address }] });
	const args = ['--memory-max', '192M'];
	const check = await run(['serve', '--check', '--data', data, '--gateway', '127.0.0.1:0', ...args]);
	const bound = Number(/memory bound: (\d+) bytes/.exec(check.stdout)[1]);
	const serve = await startServe(t, { data, args: [...args, '--access-log', 'off'] });
	const idle = residentBytes(serve.pid);

	let highest = 0;
	const watch = setInterval(() => (highest = Math.max(highest, residentBytes(serve.pid))), 50);
	t.after(() => clearInterval(watch));
	const all = await Promise.all(Array.from({ length: n }, (_, i) => read(serve.port, i % 2 === 1)));
	clearInterval(watch);

	all.forEach(({ n: bytes, whole, tail }, i) => {
		assert.ok(whole && bytes >= BYTES, `stream ${i}: ${bytes} of ${BYTES} bytes, the end: ${JSON.stringify(tail)}`);
	});
	t.diagnostic(`idle ${idle >> 10} KB, highest ${highest >> 10} KB (bound ${bound >> 10} KB beside the idle size)`);
	if (!isSanitized) assert.ok(highest - idle < bound, `${highest} - ${idle} >= ${bound}`);
});

test('a reader that stops reading stops its upstream, and nobody else', async (t) => {
	let sent = 0;
	const upstream = await startUpstream(t, (req, res, body) => {
		res.writeHead(200, { 'content-type': 'text/event-stream' });
		if (body.includes('quick')) return res.end(sse(chunk('x')));
		const more = () => {
			while (!res.destroyed) {
				sent += EVENT.length;
				if (!res.write(EVENT)) return res.once('drain', more);
			}
		};
		more();
	});
	const data = writeWorld(tempDir(t), { providers: [{ id: 'p', address: upstream.address }] });
	const serve = await startServe(t, { data, args: ['--workers', '1'] });
	const socket = net.connect(serve.port, '127.0.0.1');
	t.after(() => socket.destroy());
	socket.on('error', () => {});
	socket.pause();
	socket.write(REQUEST);
	let last = -1;
	await until('the upstream to be held back', async () => {
		if (sent > 0 && sent === last) return true;
		last = sent;
		await sleep(300);
		return false;
	});
	// Kernel buffers on both connections grow to what tcp_wmem and tcp_rmem let them: 38 MB each with Debian's limits.
	assert.ok(sent < 96 << 20, `${sent} bytes were taken from the upstream for a reader that reads nothing`);
	const other = await request(serve.port, { body: { model: 'quick', stream: true, messages: [] } });
	assert.equal(other.status, 200);
});

test('a reader that never reads is cut after the write deadline', async (t) => {
	const upstream = await startUpstream(t, (req, res) => {
		res.writeHead(200, { 'content-type': 'text/event-stream' });
		const more = () => {
			while (!res.destroyed && res.write(EVENT));
			if (!res.destroyed) res.once('drain', more);
		};
		more();
	});
	const data = writeWorld(tempDir(t), { providers: [{ id: 'p', address: upstream.address }] });
	const serve = await startServe(t, { data, args: ['--limit', 'write-timeout=500ms'] });
	const socket = net.connect(serve.port, '127.0.0.1');
	t.after(() => socket.destroy());
	socket.on('error', () => {});
	socket.pause();
	socket.write(REQUEST);
	await until('the upstream to be closed', () => upstream.requests[0]?.closed);
});
