// TLS towards upstreams: verified against a given authority, names checked, sessions resumed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { writeWorld } from './lib/resources.js';
import { chunk, request, sse, startUpstream } from './lib/http.js';
import { run, startServe, tempDir } from './lib/sluice.js';
import { newAuthority } from './lib/tls.js';

const ASK = { model: 'm', messages: [] };

// An authority and a server certificate for `names`.
async function authority(t, names) {
	const ca = await newAuthority(t);
	const { key, cert } = await ca.issue(names, { rsa: true });
	return { file: ca.file, options: { key, cert } };
}

async function behind(t, upstream, { ca, host = 'localhost', registry, args = [] } = {}) {
	const data = writeWorld(tempDir(t), {
		providers: [{ id: 'p', host, port: upstream.port, tls: true, url: `https://${host}:${upstream.port}/v1`, token: 'sk-own', registry }],
	});
	return startServe(t, { data, args: ['--workers', '1', ...(ca ? ['--upstream-ca', ca.file] : []), ...args] });
}

test('a completion over TLS to a name, verified by a given authority, with SNI', async (t) => {
	const ca = await authority(t, ['DNS:localhost']);
	const names = [];
	const upstream = await startUpstream(t, undefined, { ...ca.options, SNICallback: (name, done) => (names.push(name), done(null)) });
	const serve = await behind(t, upstream, { ca });
	const got = await request(serve.port, { body: ASK });
	assert.equal(got.status, 200, got.text);
	const [seen] = upstream.requests;
	assert.equal(seen.headers.host, `localhost:${upstream.port}`);
	assert.equal(seen.headers.authorization, 'Bearer sk-own');
	assert.deepEqual(names, ['localhost']);
});

test('connections are kept, and a new one resumes the session', async (t) => {
	const ca = await authority(t, ['DNS:localhost']);
	const reused = [];
	const upstream = await startUpstream(t, (req, res) => {
		reused.push(req.socket.isSessionReused());
		res.writeHead(200, { 'content-type': 'application/json', connection: reused.length > 2 ? 'close' : 'keep-alive' });
		res.end('{}');
	}, ca.options);
	const serve = await behind(t, upstream, { ca });
	for (let i = 0; i < 3; i++) assert.equal((await request(serve.port, { body: ASK })).status, 200);
	assert.equal(new Set(upstream.requests.map((r) => r.socket)).size, 1, 'three requests took more than one connection');
	// The first handshake brought two tickets, and node gives no new one to a resumed connection.
	for (let i = 0; i < 2; i++) assert.equal((await request(serve.port, { body: ASK })).status, 200);
	assert.ok(reused.slice(3).every(Boolean), `sessions were not resumed: ${reused}`);
});

test('streams and large bodies over TLS', async (t) => {
	const ca = await authority(t, ['DNS:localhost']);
	const stream = Array.from({ length: 300 }, (_, i) => sse(chunk(`${i} ${'x'.repeat(1000)}`))).join('') + 'data: [DONE]\n\n';
	const upstream = await startUpstream(t, (req, res) => {
		res.writeHead(200, { 'content-type': 'text/event-stream' });
		res.end(stream);
	}, ca.options);
	const serve = await behind(t, upstream, { ca });
	const got = await request(serve.port, { body: { ...ASK, stream: true, stream_options: { include_usage: true }, pad: 'y'.repeat(2 << 20) } });
	assert.equal(got.text, stream);
	assert.ok(upstream.requests[0].body.length > 2 << 20);
});

const REFUSED = [
	// what, names in the certificate, is the authority known, host, registry members
	['an unknown authority', ['DNS:localhost'], false, 'localhost', {}],
	['a certificate for another name', ['DNS:other.test'], true, 'localhost', {}],
	['an SNI that the certificate does not cover', ['DNS:localhost'], true, 'localhost', { sni: 'other.test' }],
];
for (const [what, names, known, host, registry] of REFUSED)
	test(`${what} is refused with 502, and no request is sent`, async (t) => {
		const ca = await authority(t, names);
		const upstream = await startUpstream(t, undefined, ca.options);
		const serve = await behind(t, upstream, { ca: known ? ca : null, host, registry });
		const got = await request(serve.port, { body: ASK });
		assert.equal(got.status, 502);
		assert.equal(got.json.error.type, 'server_error');
		assert.match(got.headers['x-sluice-reason'], /^upstream\./);
		assert.ok(!/OpenSSL|SSL_|error:[0-9A-F]{8}/.test(got.text), got.text);
		assert.equal(upstream.requests.length, 0, 'a request was sent to an unverified server');
	});

test('plain HTTP where TLS is expected: 502', async (t) => {
	const ca = await authority(t, ['DNS:localhost']);
	const upstream = await startUpstream(t);
	const serve = await behind(t, upstream, { ca });
	assert.equal((await request(serve.port, { body: ASK })).status, 502);
	assert.equal(upstream.requests.length, 0);
});

test('a name that does not exist: 502 with a reason', async (t) => {
	const data = writeWorld(tempDir(t), {
		providers: [{ id: 'p', host: 'no-such-host.invalid', port: 443, tls: true, url: 'https://no-such-host.invalid/v1' }],
	});
	const serve = await startServe(t, { data });
	const got = await request(serve.port, { body: ASK });
	assert.ok(got.status === 502 || got.status === 504, `${got.status}`);
	assert.match(got.headers['x-sluice-reason'], /^upstream\./);
});

test('an authority file that cannot be read is an error at start', async (t) => {
	const dir = tempDir(t);
	for (const file of [path.join(dir, 'absent.pem'), path.join(dir, 'empty.pem')]) {
		if (file.endsWith('empty.pem')) fs.writeFileSync(file, '');
		const got = await run(['serve', '--data', dir, '--gateway', '127.0.0.1:0', '--upstream-ca', file]);
		assert.notEqual(got.code, 0);
		assert.ok(got.stderr.includes(file), got.stderr);
	}
});
