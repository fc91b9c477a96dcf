// Peers that end one side, come byte by byte, or speak HTTP/1.0: over real sockets.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { writeWorld } from './lib/resources.js';
import { chunk, completion, exchange, json, parseAnswers, request, sse, startRawUpstream, startUpstream } from './lib/http.js';
import { sleep, startServe, tempDir, until } from './lib/sluice.js';

const ASK = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }] });
const ASK_EVENTS = JSON.stringify({ ...JSON.parse(ASK), stream: true });
const head = (length, more = '', version = '1.1') =>
	`POST /v1/chat/completions HTTP/${version}\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n${more}\r\n`;

async function gateway(t, upstream) {
	const data = writeWorld(tempDir(t), { providers: [{ id: 'p', address: upstream.address }] });
	return startServe(t, { data });
}

const answers = async (serve) => assert.equal((await request(serve.port, { body: ASK, headers: { 'content-type': 'application/json' } })).status, 200);

// A socket that ends its sending side when asked to, and tells what came back and how it closed.
function halfClosing(t, port) {
	const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
	const seen = { socket, text: '', over: false };
	socket.on('data', (piece) => (seen.text += piece.toString('latin1')));
	for (const event of ['end', 'close', 'error']) socket.on(event, () => (seen.over = true));
	t.after(() => socket.destroy());
	return seen;
}

test('a half-close before the head is complete: closed without an answer, nothing upstream', async (t) => {
	const upstream = await startUpstream(t);
	const serve = await gateway(t, upstream);
	for (const piece of ['', 'POST /v1/chat', head(ASK.length).slice(0, -2)]) {
		const c = halfClosing(t, serve.port);
		c.socket.end(piece);
		await until('the end', () => c.over);
		assert.equal(c.text, '');
	}
	assert.equal(upstream.requests.length, 0);
	await answers(serve);
});

test('a half-close in mid-body: the request is not sent on', async (t) => {
	const upstream = await startUpstream(t);
	const serve = await gateway(t, upstream);
	const c = halfClosing(t, serve.port);
	c.socket.end(head(ASK.length + 10) + ASK);
	await until('the end', () => c.over);
	const chunked = halfClosing(t, serve.port);
	chunked.socket.end(`POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${ASK.length.toString(16)}\r\n${ASK}\r\n`);
	await until('the end', () => chunked.over);
	assert.equal(upstream.requests.length, 0);
	await answers(serve);
});

test('a half-close while the upstream works: the client counts as gone', async (t) => {
	const upstream = await startUpstream(t, (req, res, body) => {
		if (upstream.requests.length > 1) json(res, 200, completion('ok'));
	});
	const serve = await gateway(t, upstream);
	const c = halfClosing(t, serve.port);
	c.socket.write(head(ASK.length) + ASK);
	await until('the request upstream', () => upstream.requests[0]?.body);
	c.socket.end();
	await until('the end upstream', () => upstream.requests[0].closed);
	await until('the end of the connection', () => c.over);
	assert.equal(c.text, '');
	await answers(serve);
});

test('a half-close with the answer in flight: the stream ends, at both sides', async (t) => {
	const upstream = await startUpstream(t, (req, res) => {
		if (upstream.requests.length > 1) return json(res, 200, completion('ok'));
		res.writeHead(200, { 'content-type': 'text/event-stream' });
		res.write(sse(chunk('one')));
	});
	const serve = await gateway(t, upstream);
	const c = halfClosing(t, serve.port);
	c.socket.write(head(ASK_EVENTS.length) + ASK_EVENTS);
	await until('an event', () => c.text.includes('one'));
	c.socket.end();
	await until('the end upstream', () => upstream.requests[0].closed);
	await until('the end of the connection', () => c.over);
	assert.ok(!c.text.includes('\r\n0\r\n\r\n'), 'a stream that was cut looks whole');
	await answers(serve);
});

test('an upstream that half-closes after its answer: the answer is whole, the next one is as well', async (t) => {
	const body = JSON.stringify(completion('ok'));
	const framings = {
		'with a length': `Content-Length: ${body.length}\r\n\r\n${body}`,
		'in chunks': `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
		'to the end of the connection': `\r\n${body}`,
	};
	for (const [how, rest] of Object.entries(framings)) {
		const upstream = await startRawUpstream(t, (socket) => socket.end(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${rest}`));
		const serve = await gateway(t, upstream);
		for (let i = 0; i < 3; i++) {
			const r = await request(serve.port, { body: ASK, headers: { 'content-type': 'application/json' } });
			assert.equal(r.status, 200, how);
			assert.equal(r.body.toString(), body, how);
		}
		assert.equal(upstream.requests.length, 3, how);
	}
});

test('a client that sends, and an upstream that answers, one byte at a time', async (t) => {
	const body = JSON.stringify(completion('slow but whole'));
	const upstream = await startRawUpstream(t, async (socket) => {
		socket.setNoDelay(true);
		for (const byte of `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`) {
			if (socket.destroyed) return;
			socket.write(byte);
			await new Promise((go) => setImmediate(go));
		}
	});
	const serve = await gateway(t, upstream);
	const pieces = [...(head(ASK.length, 'Connection: close\r\n') + ASK)];
	const { text } = await exchange(serve.port, pieces, { wait: 1 });
	const [answer] = parseAnswers(text);
	assert.equal(answer.status, 200);
	assert.deepEqual(JSON.parse(answer.body), JSON.parse(body));
	assert.equal(upstream.requests.length, 1);
	assert.ok(upstream.requests[0].endsWith(ASK));
});

test('HTTP/1.0 with and without keep-alive', async (t) => {
	const upstream = await startUpstream(t, (req, res, body) => {
		if (!JSON.parse(body).stream) return json(res, 200, completion('ok'));
		res.writeHead(200, { 'content-type': 'text/event-stream' });
		res.end(sse(chunk('one')) + 'data: [DONE]\n\n');
	});
	const serve = await gateway(t, upstream);
	const plain = await exchange(serve.port, head(ASK.length, '', '1.0') + ASK);
	assert.ok(plain.closed);
	assert.match(plain.text, /^HTTP\/1\.1 200 /);
	assert.match(plain.text, /\r\nConnection: close\r\n/i);
	assert.doesNotMatch(plain.text, /transfer-encoding/i);

	const asked = head(ASK.length, 'Connection: keep-alive\r\n', '1.0') + ASK;
	const both = await exchange(serve.port, asked + asked, { enough: (text) => parseAnswers(text).length === 2 });
	assert.equal(both.closed, false);
	assert.equal((both.text.match(/\r\nConnection: keep-alive\r\n/gi) ?? []).length, 2);

	// A stream has no length, and HTTP/1.0 no chunks: it ends with the connection, whatever was asked.
	const stream = JSON.stringify({ ...JSON.parse(ASK), stream: true });
	const streamed = await exchange(serve.port, head(stream.length, 'Connection: keep-alive\r\n', '1.0') + stream);
	assert.ok(streamed.closed);
	assert.doesNotMatch(streamed.text, /transfer-encoding/i);
	assert.match(streamed.text, /data: \[DONE\]\n\n$/);
});
