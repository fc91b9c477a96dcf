// Streams: the first byte at once, events as they came, usage seen but not shown, honest ends.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { writeWorld } from './lib/resources.js';
import { chunk, completion, json, request, sse, startRawUpstream, startUpstream, usageChunk } from './lib/http.js';
import { refusal, sdk } from './lib/sdk.js';
import { startMock, startServe, tempDir, until } from './lib/sluice.js';

const ASK = { model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] };
const EVENT_STREAM = { 'content-type': 'text/event-stream' };

async function before(t, upstream, args = []) {
	const data = writeWorld(tempDir(t), { providers: [{ id: 'p', address: upstream.address }] });
	return startServe(t, { data, args });
}

const events = (text) => text.split(/\r?\n\r?\n/).filter((e) => e.trim());
const dataOf = (event) => event.split(/\r?\n/).filter((l) => l.startsWith('data:')).map((l) => l.slice(5).trim()).join('\n');

// Every stream of this file's error tests must end with exactly one error event and no [DONE].
function assertOneErrorEvent(text, hidden = []) {
	const all = events(text).map(dataOf);
	const errors = all.filter((d) => d.startsWith('{') && JSON.parse(d).error);
	assert.equal(errors.length, 1, text);
	assert.equal(errors[0], all.at(-1), 'the error event is the last one');
	const { error } = JSON.parse(errors[0]);
	assert.equal(typeof error.message, 'string');
	assert.equal(typeof error.type, 'string');
	assert.ok(!all.includes('[DONE]'), text);
	for (const word of ['127.0.0.1', 'localhost', 'errno', 'SSL', ...hidden]) assert.ok(!errors[0].includes(word), `${word} in ${errors[0]}`);
}

test('the first byte is there before the second is written', async (t) => {
	let release;
	const gate = new Promise((go) => (release = go));
	const upstream = await startUpstream(t, async (req, res) => {
		res.writeHead(200, EVENT_STREAM);
		res.write(sse(chunk('one')));
		await gate;
		res.end(sse(chunk('two')) + 'data: [DONE]\n\n');
	});
	const serve = await before(t, upstream);
	let text = '';
	const done = new Promise((resolve, reject) => {
		const req = http.request({ port: serve.port, host: '127.0.0.1', method: 'POST', path: '/v1/chat/completions', headers: { 'content-type': 'application/json' } }, (res) => {
			res.on('data', (piece) => (text += piece));
			res.on('end', resolve);
		});
		req.on('error', reject);
		req.end(JSON.stringify(ASK));
	});
	await until('the first event', () => text.includes('one'));
	assert.ok(!text.includes('two'));
	release();
	await done;
	assert.ok(text.endsWith('data: [DONE]\n\n'));
});

test('a stream that nobody asked for becomes the one answer that an SDK reads, with its usage', async (t) => {
	const upstream = await startUpstream(t, (req, res) => {
		res.writeHead(200, EVENT_STREAM);
		res.end(sse(chunk('Hel')) + sse(chunk('lo "you"\n')) + sse(usageChunk()) + 'data: [DONE]\n\n');
	});
	const serve = await before(t, upstream);
	const got = await sdk(serve.port).chat.completions.create({ ...ASK, stream: false });
	assert.equal(got.object, 'chat.completion');
	assert.equal(got.choices[0].message.content, 'Hello "you"\n');
	assert.equal(got.usage.total_tokens, 5);
});

test('events are forwarded byte for byte, whatever their line ends, comments and spaces', async (t) => {
	const streams = [
		sse(chunk('a')) + sse(chunk('b')) + 'data: [DONE]\n\n',
		sse(chunk('a'), '\r\n') + 'data:[DONE]\r\n\r\n',
		sse(chunk('a')) + sse(chunk('b'), '\r\n') + 'data: [DONE]\n\n',
		`event: x\nid: 7\ndata:   ${JSON.stringify(chunk('a'))}\n\n: a comment\n\ndata: [DONE]\n\n`,
		`data: ${JSON.stringify(chunk('a')).replace('{', '{\ndata: ')}\n\ndata: [DONE]\n\n`,
		`data: {"choices":[{"delta":{"content":"\\"usage\\":null and \\u0041 \\/ 1.0"}}],"n":1.0}\n\ndata: [DONE]\n\n`,
		sse(chunk('no end marker')),
		sse(chunk('é😀'.repeat(50000))) + 'data: [DONE]\n\n',
	];
	let current;
	const upstream = await startUpstream(t, (req, res) => {
		res.writeHead(200, EVENT_STREAM);
		res.end(current);
	});
	const serve = await before(t, upstream);
	for (current of streams) {
		const got = await request(serve.port, { body: ASK });
		assert.equal(got.status, 200);
		assert.equal(got.text, current);
		assert.match(got.headers['content-type'], /^text\/event-stream/);
	}
});

test('an answer in pieces of every size is the same stream', async (t) => {
	const stream = sse(chunk('first'), '\r\n') + sse(chunk('é😀'), '\r\n') + sse(usageChunk(), '\r\n') + 'data: [DONE]\r\n\r\n';
	const expected = sse(chunk('first'), '\r\n') + sse(chunk('é😀'), '\r\n') + 'data: [DONE]\r\n\r\n';
	let size;
	const upstream = await startUpstream(t, async (req, res) => {
		res.writeHead(200, EVENT_STREAM);
		res.socket.setNoDelay(true);
		const bytes = Buffer.from(stream);
		for (let i = 0; i < bytes.length; i += size) {
			res.write(bytes.subarray(i, i + size));
			await new Promise(setImmediate);
		}
		res.end();
	});
	const serve = await before(t, upstream);
	for (size of [1, 2, 3, 7, 64, 1000]) assert.equal((await request(serve.port, { body: ASK })).text, expected, `${size}`);
});

test('the usage event is shown only to a client that asked for it', async (t) => {
	const upstream = await startUpstream(t, (req, res, body) => {
		assert.equal(JSON.parse(body).stream_options.include_usage, true);
		res.writeHead(200, EVENT_STREAM);
		res.end(sse(chunk('x', { usage: null })) + sse(usageChunk()) + 'data: [DONE]\n\n');
	});
	const serve = await before(t, upstream);
	for (const [options, shown] of [
		[{}, false],
		[{ stream_options: { include_usage: false } }, false],
		[{ stream_options: { include_usage: true } }, true],
	]) {
		const got = await request(serve.port, { body: { ...ASK, ...options } });
		assert.equal(got.text.includes('"total_tokens"'), shown, JSON.stringify(options));
		assert.equal(events(got.text).length, shown ? 3 : 2, 'the event is left out as a whole');
	}
});

test('the SDK reads a stream with usage', async (t) => {
	const mock = await startMock(t);
	const serve = await before(t, mock);
	const stream = await sdk(serve.port).chat.completions.create({ ...ASK, model: 'mock', stream_options: { include_usage: true } });
	let usage;
	let text = '';
	for await (const event of stream) {
		text += event.choices[0]?.delta?.content ?? '';
		usage = event.usage ?? usage;
	}
	assert.ok(text);
	assert.ok(usage.total_tokens > 0);
});

test('cut after data: exactly one error event, and the SDK throws', async (t) => {
	for (const how of ['destroy', 'half an event']) {
		const upstream = await startUpstream(t, async (req, res) => {
			res.writeHead(200, EVENT_STREAM);
			res.write(sse(chunk('kept')));
			if (how === 'half an event') res.write('data: {"half":"lost');
			await new Promise((go) => setTimeout(go, 50));
			res.socket.destroy();
		});
		const serve = await before(t, upstream);
		const got = await request(serve.port, { body: ASK });
		assert.equal(got.status, 200);
		assert.equal(got.cut, null, 'the end of the answer is regular');
		assert.ok(got.text.startsWith(sse(chunk('kept'))));
		assert.ok(!got.text.includes('lost'), 'half an event was shown');
		assertOneErrorEvent(got.text);

		const stream = await sdk(serve.port).chat.completions.create(ASK);
		const error = await refusal((async () => {
			for await (const event of stream) assert.equal(event.choices[0].delta.content, 'kept');
		})());
		assert.ok(error.message.length > 0);
	}
});

test('a close without [DONE] is an end like any other', async (t) => {
	const upstream = await startUpstream(t, (req, res) => {
		res.writeHead(200, EVENT_STREAM);
		res.end(sse(chunk('all')) );
	});
	const serve = await before(t, upstream);
	const got = await request(serve.port, { body: ASK });
	assert.equal(got.text, sse(chunk('all')));
});

test('a body that is shorter than its length: an error event, not silence', async (t) => {
	const upstream = await startRawUpstream(t, (socket) => {
		socket.end(`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 5000\r\n\r\n${sse(chunk('kept'))}`);
	});
	const serve = await before(t, upstream);
	const got = await request(serve.port, { body: ASK });
	assertOneErrorEvent(got.text);
});

test('nothing but a head, then the end: 502 as JSON', async (t) => {
	for (const answer of [
		'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
		'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 100\r\n\r\n: ping\n\n',
		'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n: ping\n\n',
		'HTTP/1.1 200 OK\r\nContent-Ty',
		'not http at all\r\n\r\n',
		'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
		'',
	]) {
		const upstream = await startRawUpstream(t, (socket) => socket.end(answer));
		const serve = await before(t, upstream);
		const got = await request(serve.port, { body: ASK });
		assert.equal(got.status, 502, JSON.stringify(answer));
		assert.match(got.headers['content-type'], /application\/json/);
		assert.equal(got.json.error.type, 'server_error');
		assert.match(got.headers['x-sluice-reason'], /^upstream\./);
		assert.ok(!got.text.includes('127.0.0.1'), got.text);
		await serve.stop();
	}
});

test('an upstream that is not there: 502, and the SDK shows it', async (t) => {
	const upstream = await startRawUpstream(t, () => {});
	const { address } = upstream;
	const gone = await startUpstream(t);
	gone.server.close();
	gone.server.closeAllConnections?.();
	const data = writeWorld(tempDir(t), { providers: [{ id: 'p', address: gone.address }] });
	const serve = await startServe(t, { data });
	const error = await refusal(sdk(serve.port).chat.completions.create({ ...ASK, stream: false }));
	assert.equal(error.status, 502);
	assert.equal(error.code, 'upstream.connect');
	assert.equal(error.type, 'server_error');
	assert.ok(!error.message.includes(gone.address) && !error.message.includes(address));
});

test('an error answer of the upstream is passed untouched', async (t) => {
	const upstream = await startUpstream(t, (req, res) =>
		json(res, 429, { error: { message: 'slow down', type: 'requests', code: 'rate_limit_exceeded', param: null } }, { 'retry-after': '7' }));
	const serve = await before(t, upstream);
	const error = await refusal(sdk(serve.port).chat.completions.create(ASK));
	assert.equal(error.status, 429);
	assert.equal(error.code, 'rate_limit_exceeded');
	assert.match(error.message, /slow down/);
	const got = await request(serve.port, { body: ASK });
	assert.equal(got.headers['retry-after'], '7');
});

test('silence between two events ends with an error event', async (t) => {
	const upstream = await startUpstream(t, (req, res) => {
		res.writeHead(200, EVENT_STREAM);
		res.write(sse(chunk('kept'))); // and nothing more
	});
	const serve = await before(t, upstream, ['--limit', 'stream-idle-timeout=300ms']);
	const got = await request(serve.port, { body: ASK });
	assertOneErrorEvent(got.text);
	await until('the upstream to see the end', () => upstream.requests[0].closed);
});

test('no first byte: 504', async (t) => {
	const upstream = await startUpstream(t, (req, res) => {
		res.writeHead(200, EVENT_STREAM);
		res.flushHeaders();
	});
	const serve = await before(t, upstream, ['--limit', 'first-byte-timeout=300ms']);
	const got = await request(serve.port, { body: ASK });
	assert.equal(got.status, 504);
	assert.equal(got.json.error.type, 'timeout_error');
	assert.equal(got.headers['x-sluice-reason'], 'upstream.timeout');
	await until('the upstream to see the end', () => upstream.requests[0].closed);
});

test('a whole answer to a stream request, and the other way round, are passed as they are', async (t) => {
	const upstream = await startUpstream(t, (req, res, body) => {
		if (JSON.parse(body).stream) return json(res, 200, completion('whole'));
		res.writeHead(200, EVENT_STREAM);
		res.end(sse(chunk('streamed')) + 'data: [DONE]\n\n');
	});
	const serve = await before(t, upstream);
	assert.equal((await request(serve.port, { body: ASK })).json.choices[0].message.content, 'whole');
});

test('the mock plays its faults through the gateway', async (t) => {
	const mock = await startMock(t);
	const serve = await before(t, mock, ['--limit', 'stream-idle-timeout=500ms', '--limit', 'first-byte-timeout=500ms']);
	const play = (model) => request(serve.port, { body: { ...ASK, model } });

	const cut = await play('mock-cut-3');
	assert.equal(cut.status, 200);
	assertOneErrorEvent(cut.text);
	assert.equal(events(cut.text).length, 4, 'three events and the error');

	const crlf = await play('mock-crlf+chunks-5');
	assert.equal(crlf.status, 200);
	assert.match(crlf.text, /data: \[DONE\]\r\n\r\n$/);

	const stall = await play('mock-stall');
	assert.equal(stall.status, 504);
});

test('ten thousand events arrive, in order', async (t) => {
	const n = 10000;
	const upstream = await startUpstream(t, (req, res) => {
		res.writeHead(200, EVENT_STREAM);
		let all = '';
		for (let i = 0; i < n; i++) all += `data: {"i":${i}}\n\n`;
		res.end(all + 'data: [DONE]\n\n');
	});
	const serve = await before(t, upstream);
	const got = events((await request(serve.port, { body: ASK })).text);
	assert.equal(got.length, n + 1);
	for (let i = 0; i < n; i++) assert.equal(got[i], `data: {"i":${i}}`);
});
