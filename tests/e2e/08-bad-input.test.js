// Bad input over real sockets: a clear answer, the connection closed, nothing upstream.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import zlib from 'node:zlib';
import { writeWorld } from './lib/resources.js';
import { exchange, parseAnswers, request, startUpstream } from './lib/http.js';
import { startServe, tempDir } from './lib/sluice.js';

async function gateway(t, args = [], world = {}) {
	const upstream = await startUpstream(t);
	const data = writeWorld(tempDir(t), { providers: [{ id: 'p', address: upstream.address }], ...world });
	return { upstream, serve: await startServe(t, { data, args }) };
}

const BODY = '{"model":"m","messages":[]}';
const head = (...fields) => ['POST /v1/chat/completions HTTP/1.1', 'Host: a', 'Content-Type: application/json', ...fields].join('\r\n') + '\r\n\r\n';

const MALFORMED = [
	// what, bytes, status
	['no HTTP at all', 'hello\r\n\r\n', 400],
	['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400],
	['two different lengths', head('Content-Length: 27', 'Content-Length: 28') + BODY, 400],
	['two equal lengths in one field', head('Content-Length: 27, 27') + BODY, 400],
	['a length and chunked', head('Content-Length: 27', 'Transfer-Encoding: chunked') + '0\r\n\r\n', 400],
	['a negative length', head('Content-Length: -1') + BODY, 400],
	['a length with a sign', head('Content-Length: +27') + BODY, 400],
	['a length beyond 64 bits', head('Content-Length: 99999999999999999999') + BODY, 400],
	['a hexadecimal length', head('Content-Length: 0x1b') + BODY, 400],
	['an unknown transfer coding', head('Transfer-Encoding: gzip') + BODY, [400, 501]],
	['chunked that is not last', head('Transfer-Encoding: chunked, gzip') + '0\r\n\r\n', [400, 501]],
	['a bare CR in a value', head('X-A: a\rb', 'Content-Length: 27') + BODY, 400],
	['a bare LF as line end', 'GET / HTTP/1.1\nHost: a\n\n', 400],
	['a NUL in a value', head('X-A: a\0b', 'Content-Length: 27') + BODY, 400],
	['a space before the colon', head('Content-Length : 27') + BODY, 400],
	['a folded line', head('X-A: a\r\n b', 'Content-Length: 27') + BODY, 400],
	['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
	['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
	['a space in the target', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
	['HTTP/2.0 in a request line', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', [400, 505]],
	['the HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400, 505]],
	['a bad chunk size', head('Transfer-Encoding: chunked') + 'zz\r\nab\r\n0\r\n\r\n', 400],
	['a chunk without its end', head('Transfer-Encoding: chunked') + '2\r\nabcd\r\n0\r\n\r\n', 400],
	['a chunk size beyond 64 bits', head('Transfer-Encoding: chunked') + 'ffffffffffffffff1\r\nab', 400],
	['an endless head field', `GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${'a'.repeat(200000)}`, 431],
	['a thousand fields', `GET / HTTP/1.1\r\nHost: a\r\n${'X-A: b\r\n'.repeat(5000)}\r\n`, 431],
];
test('malformed requests are refused and the connection is closed', async (t) => {
	const { upstream, serve } = await gateway(t);
	for (const [what, bytes, status] of MALFORMED) {
		await t.test(what, async () => {
			const { text, closed } = await exchange(serve.port, Buffer.from(bytes, 'latin1'));
			assert.ok(closed, 'the connection stays open');
			const [answer, ...more] = parseAnswers(text);
			assert.ok(answer, `no answer: ${JSON.stringify(text)}`);
			assert.ok([status].flat().includes(answer.status), `${answer.status}: ${text}`);
			assert.deepEqual(more, []);
			assert.equal(JSON.parse(answer.body).error.type, answer.status < 500 ? 'invalid_request_error' : 'server_error');
		});
	}
	assert.equal(upstream.requests.length, 0, 'something reached the upstream');
	assert.equal((await request(serve.port, { body: BODY })).status, 200);
});

const BAD_BODIES = [
	// what, body, words that must not be echoed
	['no JSON', 'secret words', 'secret'],
	['cut off', '{"model":"m","messages":[', 'messages'],
	['an array', '[1,2]', null],
	['a number', '17', null],
	['only spaces', '    ', null],
	['trailing bytes', '{"model":"m"} x', null],
	['a trailing comma', '{"model":"m",}', null],
	['single quotes', "{'model':'m'}", null],
	['a bad escape', '{"model":"\\x"}', null],
	['a control character in a string', '{"model":"a\nb"}', null],
	['a lone surrogate half in UTF-8', Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x7d]), null],
	['invalid UTF-8', Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]), null],
	['a number with a leading zero', '{"model":"m","n":01}', null],
	['NaN', '{"model":"m","n":NaN}', null],
	['model twice', '{"model":"m","model":"m"}', null],
	['model that is no string', '{"model":7}', null],
	['too deep', `{"model":"m","a":${'['.repeat(129)}${']'.repeat(129)}}`, null],
	['absurdly deep', `{"a":${'['.repeat(1000000)}`, null],
];
test('a body that is not JSON where JSON is needed: 400 with the offset', async (t) => {
	const { upstream, serve } = await gateway(t);
	for (const [what, body, secret] of BAD_BODIES) {
		await t.test(what, async () => {
			const got = await request(serve.port, { body });
			assert.equal(got.status, 400, got.text);
			assert.equal(got.json.error.type, 'invalid_request_error');
			assert.match(got.headers['x-sluice-reason'], /^(body|request)\./);
			if (secret) assert.ok(!got.text.includes(secret), 'the answer echoes the body');
			if (what === 'cut off' || what === 'a trailing comma') assert.equal(got.json.error.message.match(/\d+/g)?.length, 1, 'the offset, once');
		});
	}
	assert.equal(upstream.requests.length, 0);
	for (const good of [' \n {"model":"m"}', `{"model":"m","a":${'['.repeat(126)}${']'.repeat(126)}}`, '{"a":"[[[{{{","model":"m"}'])
		assert.equal((await request(serve.port, { body: good })).status, 200, good.slice(0, 40));
});

test('a body over the limit: 413 before it is read to the end', async (t) => {
	const { upstream, serve } = await gateway(t, ['--limit', 'body-max=64K']);
	// Declared: refused on the length alone; the client has sent nothing of it.
	const declared = await exchange(serve.port, head('Content-Length: 1000000000'), { enough: (text) => text.includes('"error"') });
	assert.equal(parseAnswers(declared.text)[0].status, 413);
	// Not declared: refused when the limit is passed, although the sender never stops.
	const text = await new Promise((resolve, reject) => {
		const socket = net.connect(serve.port, '127.0.0.1');
		let got = '';
		const piece = `4000\r\n${'a'.repeat(0x4000)}\r\n`;
		const more = () => {
			if (socket.destroyed || got) return;
			if (socket.write(piece)) setImmediate(more);
			else socket.once('drain', more);
		};
		socket.on('connect', () => (socket.write(`${head('Transfer-Encoding: chunked')}6\r\n{"a":"\r\n`), more()));
		socket.on('data', (bytes) => ((got += bytes), got.includes('"error"') && (socket.destroy(), resolve(got))));
		socket.on('error', (error) => (got ? resolve(got) : reject(error)));
		socket.on('close', () => resolve(got));
		setTimeout(() => reject(new Error(`no answer; got ${got}`)), 15000).unref();
	});
	const [answer] = parseAnswers(text);
	assert.equal(answer.status, 413);
	assert.equal(answer.headers['x-sluice-reason'], 'body.too_large');
	assert.equal(upstream.requests.length, 0);
	// Just inside of the limit passes.
	const body = `{"model":"m","a":"${'x'.repeat(60000)}"}`;
	assert.equal((await request(serve.port, { body })).status, 200);
});

test('a compressed body is decoded and sent on plain; a damaged one and a bomb are not', async (t) => {
	const { upstream, serve } = await gateway(t, ['--limit', 'body-max=4M']);
	const ask = (body, coding) => request(serve.port, { body, headers: { 'content-encoding': coding } });
	const long = JSON.stringify({ model: 'm', messages: Array.from({ length: 60000 }, (_, i) => ({ role: 'user', content: `${i * 7919}` })) }).slice(0, 3000000);
	for (const plain of [BODY, JSON.stringify({ model: 'm', text: long })])
		for (const [coding, pack] of [['gzip', zlib.gzipSync], ['deflate', zlib.deflateSync]]) {
			assert.equal((await ask(pack(plain), coding)).status, 200);
			const seen = upstream.requests.at(-1);
			assert.equal(seen.headers['content-encoding'], undefined);
			assert.equal(Number(seen.headers['content-length']), Buffer.byteLength(plain));
			assert.ok(seen.body.equals(Buffer.from(plain)), 'other bytes');
		}
	const before = upstream.requests.length;
	const good = zlib.gzipSync(BODY);
	for (const bad of [good.subarray(0, -1), Buffer.concat([good, good]), Buffer.from(BODY), zlib.gzipSync(' '.repeat(3000000) + BODY)]) {
		const got = await ask(bad, 'gzip');
		assert.equal(got.status, 400);
		assert.equal(got.headers['x-sluice-reason'], 'body.encoding');
	}
	const large = JSON.stringify({ model: 'm', text: long + long });
	assert.equal((await ask(zlib.gzipSync(large), 'gzip')).status, 413, 'the limit counts decoded bytes');
	assert.equal(upstream.requests.length, before);
	assert.equal((await request(serve.port, { body: BODY, headers: { 'content-encoding': 'unheard-of' } })).status, 415);
});

test('authentication comes before the body: no body byte is needed for a 401', async (t) => {
	const { upstream, serve } = await gateway(t, [], {
		consumers: [{ name: 'c', key: 'k' }],
		routes: [{ name: 'all', to: 'p', allow: ['c'] }],
	});
	const { text } = await exchange(serve.port, head('Content-Length: 100000'), { enough: (got) => got.includes('"error"') });
	assert.equal(parseAnswers(text)[0].status, 401);
	assert.equal(upstream.requests.length, 0);
});

test('pipelined requests are answered in order', async (t) => {
	const { upstream, serve } = await gateway(t);
	const one = (model) => {
		const body = `{"model":"${model}","messages":[]}`;
		return head(`Content-Length: ${body.length}`) + body;
	};
	const n = 20;
	const all = Array.from({ length: n }, (_, i) => one(`m${i}`)).join('');
	const { text } = await exchange(serve.port, all, { enough: (got) => parseAnswers(got).length === n && got.endsWith('}') });
	const answers = parseAnswers(text);
	assert.equal(answers.length, n);
	answers.forEach((answer, i) => assert.equal(JSON.parse(answer.body).model, `m${i}`));
	assert.equal(upstream.requests.length, n);
	// A bad one in the middle: those before it are answered, it is refused, those after it never count.
	const mixed = one('first') + 'BAD\r\n\r\n' + one('never');
	const got = parseAnswers((await exchange(serve.port, mixed)).text);
	assert.deepEqual(got.map((a) => a.status), [200, 400]);
});

test('a request byte by byte is the same request', async (t) => {
	const { serve } = await gateway(t);
	const bytes = head(`Content-Length: ${BODY.length}`) + BODY;
	const socket = net.connect(serve.port, '127.0.0.1');
	socket.setNoDelay(true);
	t.after(() => socket.destroy());
	let text = '';
	socket.on('data', (piece) => (text += piece));
	await new Promise((go) => socket.once('connect', go));
	for (const byte of bytes) {
		socket.write(byte);
		await new Promise(setImmediate);
	}
	await new Promise((go) => {
		const look = () => (parseAnswers(text)[0]?.body ? go() : socket.once('data', look));
		look();
	});
	assert.equal(parseAnswers(text)[0].status, 200);
});

test('Expect: 100-continue is answered when the request may go on, not when it is refused', async (t) => {
	const { serve } = await gateway(t, ['--limit', 'body-max=64K']);
	const accepted = await new Promise((resolve, reject) => {
		const socket = net.connect(serve.port, '127.0.0.1');
		let text = '';
		socket.on('error', reject);
		socket.on('connect', () => socket.write(head(`Content-Length: ${BODY.length}`, 'Expect: 100-continue', 'Connection: close')));
		socket.once('data', () => socket.write(BODY));
		socket.on('data', (piece) => (text += piece));
		socket.on('end', () => resolve(text));
	});
	assert.deepEqual(parseAnswers(accepted).map((a) => a.status), [100, 200]);
	const refused = await exchange(serve.port, head('Content-Length: 1000000', 'Expect: 100-continue'), { enough: (text) => text.includes('"error"') });
	assert.deepEqual(parseAnswers(refused.text).map((a) => a.status), [413]);
});

test('HTTP/1.0: an answer with an end that such a client understands', async (t) => {
	const { serve } = await gateway(t);
	const { text, closed } = await exchange(serve.port, `POST /v1/chat/completions HTTP/1.0\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`);
	assert.ok(closed);
	const [answer] = parseAnswers(text);
	assert.equal(answer.status, 200);
	assert.equal(answer.headers['transfer-encoding'], undefined);
	assert.equal(JSON.parse(answer.body).model, 'm');
});

test('HEAD is answered without a body and the connection goes on', async (t) => {
	const { serve } = await gateway(t);
	const twice = 'HEAD /nowhere HTTP/1.1\r\nHost: a\r\n\r\n';
	const { text } = await exchange(serve.port, twice + twice.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
	const heads = text.split('\r\n\r\n').filter(Boolean);
	assert.equal(heads.length, 2, text);
	for (const each of heads) assert.match(each, /^HTTP\/1\.1 404 /);
});

test('a connection serves many requests and is closed when asked', async (t) => {
	const { serve } = await gateway(t);
	const one = head(`Content-Length: ${BODY.length}`) + BODY;
	const last = head(`Content-Length: ${BODY.length}`, 'Connection: close') + BODY;
	const { text, closed } = await exchange(serve.port, one + one + last);
	assert.ok(closed);
	assert.equal(parseAnswers(text).length, 3);
});

test('a chunked request body arrives whole', async (t) => {
	const { upstream, serve } = await gateway(t);
	const pieces = ['{"model"', ':"m",', '"messages":[]}'].map((p) => `${p.length.toString(16)};ext=1\r\n${p}\r\n`).join('');
	const { text } = await exchange(serve.port, head('Transfer-Encoding: chunked', 'Connection: close') + pieces + '0\r\nX-Trailer: a\r\n\r\n');
	assert.equal(parseAnswers(text)[0].status, 200);
	assert.equal(upstream.requests[0].body.toString(), BODY);
	assert.equal(upstream.requests[0].headers['x-trailer'], undefined);
});

test('a WebSocket upgrade is refused with the reason', async (t) => {
	const { upstream, serve } = await gateway(t);
	const { text } = await exchange(serve.port, 'GET /v1/realtime?model=m HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n', { enough: (got) => got.includes('"error"') });
	assert.equal(parseAnswers(text)[0].status, 501);
	assert.equal(upstream.requests.length, 0);
});
