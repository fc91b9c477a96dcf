// What an operator sees: health, one access line per exchange, our own time.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { writeWorld } from './lib/resources.js';
import { chunk, request, sse, startUpstream, usageChunk } from './lib/http.js';
import { startServe, tempDir, until } from './lib/sluice.js';

const SECRET = 'sk-the-vendors-secret';
const KEY = 'the-clients-key';
const ASK = { model: 'asked', messages: [{ role: 'user', content: 'private words' }] };

async function gateway(t, { handler, args = [], log = 'file' } = {}) {
	const upstream = await startUpstream(t, handler);
	const dir = tempDir(t);
	const data = writeWorld(dir, {
		providers: [{ id: 'vendor', address: upstream.address, token: SECRET, mapping: { asked: 'mapped' } }],
		consumers: [{ name: 'labubu', key: KEY }],
		routes: [{ name: 'main', host: 'a.test', to: 'vendor', allow: ['labubu'] }],
	});
	const file = path.join(dir, 'access.log');
	const serve = await startServe(t, { data, args: [...args, '--access-log', log === 'file' ? file : log] });
	const lines = () => (log === '-' ? serve.stdout() : fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '').split('\n').filter(Boolean);
	return { upstream, serve, lines, file };
}

const headers = { host: 'a.test', authorization: `Bearer ${KEY}` };

test('health: live and ready, whatever the host', async (t) => {
	const { serve, upstream } = await gateway(t);
	for (const path of ['/healthz/live', '/healthz/ready'])
		for (const method of ['GET', 'HEAD']) {
			const got = await request(serve.port, { method, path, headers: { host: 'anything.test' } });
			assert.equal(got.status, 200, `${method} ${path}`);
			if (method === 'HEAD') assert.equal(got.body.length, 0);
		}
	assert.equal(upstream.requests.length, 0);
});

for (const log of ['file', '-'])
	test(`one access line per exchange, to ${log === '-' ? 'standard output' : 'a file'}`, async (t) => {
		const { serve, lines } = await gateway(t, { log });
		const asked = [
			[{ headers, body: ASK }, 200],
			[{ headers: { host: 'a.test' }, body: ASK }, 401],
			[{ headers: { host: 'elsewhere.test' }, body: ASK }, 404],
			[{ headers, body: 'not json' }, 400],
		];
		for (const [what, status] of asked) assert.equal((await request(serve.port, what)).status, status);
		await until('four lines', () => lines().length >= asked.length);
		const got = lines();
		assert.equal(got.length, asked.length, got.join('\n'));
		// Each connection may be another worker's; lines of two workers come in no certain order.
		const of = (status) => got.filter((line) => JSON.parse(line).status === status);
		for (const [, status] of asked) assert.equal(of(status).length, 1, `${status}: ${got.join('\n')}`);
		for (const word of ['labubu', 'main', 'vendor', 'asked', 'mapped', '/v1/chat/completions', 'a.test'])
			assert.ok(of(200)[0].includes(word), `${word} is not in ${of(200)[0]}`);
		assert.ok(!got.join('\n').includes('private words'));
	});

test('no secret appears in any log, also not in errors and at debug level', async (t) => {
	const { serve, lines } = await gateway(t, { args: ['--log-level', 'debug'] });
	await request(serve.port, { headers, body: ASK });
	await request(serve.port, { headers: { ...headers, authorization: 'Bearer a-wrong-key-17' }, body: ASK });
	await request(serve.port, { path: `/v1/chat/completions?key=${KEY}-q`, headers, body: ASK });
	serve.kill('SIGHUP');
	await until('three lines', () => lines().length >= 3);
	await serve.stop();
	const all = lines().join('\n') + serve.stderr() + serve.stdout();
	for (const secret of [SECRET, KEY, 'a-wrong-key-17', 'private words']) assert.ok(!all.includes(secret), `${secret} in ${all}`);
});

test('the line of a stream: usage, and that it was cut or left', async (t) => {
	const { serve, lines } = await gateway(t, {
		args: ['--workers', '1'], // lines in order
		handler: (req, res, body) => {
			res.writeHead(200, { 'content-type': 'text/event-stream' });
			res.write(sse(chunk('x')));
			if (body.includes('cut')) return setTimeout(() => res.socket.destroy(), 30);
			res.end(sse({ ...usageChunk(), usage: { prompt_tokens: 1234, completion_tokens: 567, total_tokens: 1801 } }) + 'data: [DONE]\n\n');
		},
	});
	await request(serve.port, { headers, body: { ...ASK, stream: true } });
	await request(serve.port, { headers, body: { ...ASK, stream: true, cut: true } });
	await until('two lines', () => lines().length === 2);
	const [whole, cut] = lines();
	assert.match(whole, /\b1234\b/);
	assert.match(whole, /\b567\b/);
	assert.ok(!/\b1234\b/.test(cut));
	assert.notEqual(whole.replace(/\d+/g, ''), cut.replace(/\d+/g, ''), 'the cut stream looks like the whole one');
});

test('a line break in what a client sends cannot forge a line', async (t) => {
	const { serve, lines } = await gateway(t);
	await request(serve.port, { path: '/v1/chat/completions?%0a%0dforged', headers, body: { ...ASK, model: 'a\nforged line\u0000\u001b[31m' } });
	await until('the line', () => lines().length > 0);
	assert.equal(lines().length, 1);
	assert.ok(!/[\u0000-\u001f]/.test(lines()[0].replace(/\t/g, '')), JSON.stringify(lines()[0]));
});

test('Server-Timing on request, and not otherwise', async (t) => {
	const { serve, upstream } = await gateway(t);
	const plain = await request(serve.port, { headers, body: ASK });
	assert.equal(plain.headers['server-timing'], undefined);
	const asked = await request(serve.port, { headers: { ...headers, 'x-sluice-timing': '1' }, body: ASK });
	assert.match(asked.headers['server-timing'] ?? '', /;dur=[\d.]+/);
	assert.equal(upstream.requests.at(-1).headers['x-sluice-timing'], undefined);
});

test('every answer carries a request id; a sane one of the client is kept, an upstream one wins', async (t) => {
	const { serve } = await gateway(t, {
		handler: (req, res, body) => {
			const own = body.includes('own id') ? { 'x-request-id': 'vendor-1' } : {};
			res.writeHead(200, { 'content-type': 'application/json', ...own });
			res.end('{}');
		},
	});
	const ids = new Set();
	for (let i = 0; i < 3; i++) ids.add((await request(serve.port, { headers, body: ASK })).headers['x-request-id']);
	assert.equal(ids.size, 3);
	assert.ok(!ids.has(undefined));
	assert.equal((await request(serve.port, { headers, body: { ...ASK, note: 'own id' } })).headers['x-request-id'], 'vendor-1');
	assert.ok((await request(serve.port, { headers: { host: 'nowhere.test' }, body: ASK })).headers['x-request-id']);
});

test('the file is opened again on SIGHUP, so that it can be rotated', async (t) => {
	const { serve, lines, file } = await gateway(t);
	await request(serve.port, { headers, body: ASK });
	await until('the first line', () => lines().length === 1);
	fs.renameSync(file, `${file}.1`);
	serve.kill('SIGHUP');
	await until('the new file', () => fs.existsSync(file));
	await request(serve.port, { headers, body: ASK });
	await until('the line in the new file', () => lines().length === 1);
	assert.equal(fs.readFileSync(`${file}.1`, 'utf8').split('\n').filter(Boolean).length, 1);
});

test('an access log that is off stays off on SIGHUP, and no file is made for it', async (t) => {
	const dir = tempDir(t);
	const data = tempDir(t);
	const serve = await startServe(t, { data, dir, args: ['--access-log', 'off'] });
	serve.kill('SIGHUP');
	await until('the reload', () => serve.stderr().includes('no resource has changed'));
	await request(serve.port, { headers, body: ASK });
	assert.equal((await serve.stop()).code, 0);
	assert.ok(!fs.existsSync(`${dir}/off`), 'a log was opened under the name "off"');
	assert.equal(serve.stdout(), '');
});

test('errorFormat plain gives the text of Higress', async (t) => {
	const { serve } = await gateway(t, { args: ['--error-format', 'plain'] });
	const got = await request(serve.port, { headers: { host: 'a.test' }, body: ASK });
	assert.equal(got.status, 401);
	assert.equal(got.text, 'Request denied by Key Auth check. Invalid API key');
	assert.equal(got.headers['www-authenticate'], 'Key realm=MSE Gateway');
});
