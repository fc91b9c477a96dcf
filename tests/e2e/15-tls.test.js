// TLS with clients: names, versions, sessions, reloads, ends; the SDK and a browser over it.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import tls from 'node:tls';
import { once } from 'node:events';
import { chromium } from 'playwright-core';
import { writeWorld } from './lib/resources.js';
import { chunk, completion, exchange, json, parseAnswers, request, sse, startUpstream, usageChunk } from './lib/http.js';
import { isSanitized, residentBytes, ROOT, run, startServe, tempDir, until } from './lib/sluice.js';
import { newAuthority, writeDomain, writeSecret } from './lib/tls.js';

const ASK = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
const STREAM = { ...ASK, stream: true };
const EVENT_STREAM = { 'content-type': 'text/event-stream' };

// A gateway with one route for every host, and TLS for `domains`: { name: names of its certificate }.
async function gateway(t, { domains = { 'a.test': ['DNS:a.test'] }, handler, args = [], world = {}, workers = 2, tlsUpstream = false } = {}) {
	const ca = await newAuthority(t);
	const upstream = await startUpstream(t, handler, tlsUpstream ? await ca.issue(['DNS:localhost']) : undefined);
	const provider = tlsUpstream
		? { id: 'p', host: 'localhost', port: upstream.port, tls: true, url: `https://localhost:${upstream.port}/v1`, token: 'sk-own' }
		: { id: 'p', address: upstream.address, token: 'sk-own' };
	const data = writeWorld(tempDir(t), { providers: [provider], ...world });
	const certificates = {};
	for (const [domain, names] of Object.entries(domains)) {
		const secret = `s-${domain.replace(/^\*/, 'wildcard')}`;
		certificates[domain] = await ca.issue(names, { cn: domain });
		writeSecret(data, secret, certificates[domain]);
		writeDomain(data, domain, { cert: secret });
	}
	const serve = await startServe(t, { data, args: ['--workers', `${workers}`, '--gateway-tls', '127.0.0.1:0', '--upstream-ca', ca.file, ...args] });
	return { ca, upstream, data, certificates, serve };
}

// A TLS connection: the socket, once it is secure, or the error.
function connect(port, options = {}) {
	return new Promise((resolve, reject) => {
		const socket = tls.connect({ port, host: '127.0.0.1', ...options }, () => resolve(socket));
		socket.on('error', reject);
		socket.on('session', (session) => (socket.session = session));
		socket.setTimeout(30000, () => socket.destroy(new Error('no handshake within 30 s')));
	});
}

const names = (socket) => socket.getPeerCertificate().subjectaltname;
const lines = (serve) => serve.stdout().split('\n').filter(Boolean).map((line) => JSON.parse(line));

// --- names, versions, protocols ----------------------------------------------------------------------

test('the certificate is chosen by the name asked for: its own, a wildcard, the default', async (t) => {
	const { ca, serve, upstream } = await gateway(t, {
		workers: 1, // lines in order
		domains: {
			'a.test': ['DNS:a.test'],
			'*.b.test': ['DNS:*.b.test'],
			'higress-default-domain': ['DNS:default.test'],
		},
	});
	for (const [servername, shown] of [
		['a.test', 'DNS:a.test'],
		['A.TEST', 'DNS:a.test'],
		['x.b.test', 'DNS:*.b.test'],
		['other.test', 'DNS:default.test'],
		[undefined, 'DNS:default.test'],
	]) {
		const socket = await connect(serve.tlsPort, { ca: ca.cert, servername, checkServerIdentity: () => undefined, ALPNProtocols: ['h2', 'http/1.1'] });
		assert.equal(names(socket), shown, `asked for ${servername}`);
		assert.ok(socket.authorized);
		assert.equal(socket.getProtocol(), 'TLSv1.3');
		assert.equal(socket.alpnProtocol, 'http/1.1');
		socket.destroy();
	}
	const got = await request(serve.tlsPort, { tls: { ca: ca.cert, servername: 'a.test' }, headers: { host: 'a.test' }, body: ASK });
	assert.equal(got.status, 200, got.text);
	assert.equal(upstream.requests[0].headers['x-forwarded-proto'], 'https');
	await request(serve.port, { body: ASK });
	assert.equal(upstream.requests[1].headers['x-forwarded-proto'], 'http');
	await until('two access lines', () => lines(serve).length === 2);
	assert.equal(lines(serve)[0].tls, 'TLSv1.3');
	assert.equal(lines(serve)[0].tls_resumed, undefined);
	assert.equal('tls' in lines(serve)[1], false);
});

test('a name without a certificate is refused with an alert, and at debug the log says so', async (t) => {
	const { ca, serve } = await gateway(t, { args: ['--log-level', 'debug'] });
	for (const servername of ['b.test', undefined]) {
		const error = await connect(serve.tlsPort, { ca: ca.cert, servername }).then(() => null, (e) => e);
		assert.match(error?.message ?? 'connected', /unrecognized name/);
	}
	await until('the log', () => serve.stderr().includes('name that has no certificate: \\"b.test\\"'));
	assert.equal((await request(serve.tlsPort, { tls: { ca: ca.cert, servername: 'a.test' }, body: ASK })).status, 200);
});

async function sClient(serve, ca, ...args) {
	return run(['s_client', '-connect', serve.tlsAddress, '-servername', 'a.test', '-CAfile', ca.file, '-verify_return_error', '-verify_hostname', 'a.test', ...args], { program: 'openssl' });
}

test('openssl s_client: versions, ciphers, protocols', async (t) => {
	const { ca, serve } = await gateway(t);
	for (const [args, ok] of [
		[['-tls1_3'], /TLSv1\.3/],
		[['-tls1_2'], /TLSv1\.2/],
		[['-tls1_2', '-cipher', 'ECDHE-ECDSA-CHACHA20-POLY1305'], /CHACHA20/],
		[['-alpn', 'h2,http/1.1'], /ALPN protocol: http\/1\.1/],
		[['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'], null],
		[['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA'], null],
		[['-alpn', 'h2'], null],
		[['-groups', 'ffdhe4096'], null],
	]) {
		const got = await sClient(serve, ca, ...args);
		if (ok) {
			assert.equal(got.code, 0, `${args}: ${got.stderr}`);
			assert.match(got.stdout, ok);
			assert.match(got.stdout, /Verify return code: 0/);
			assert.match(got.stdout, /Compression: NONE/);
		} else assert.notEqual(got.code, 0, `${args} was accepted`);
	}
});

test('sessions are resumed on any worker, in both versions', async (t) => {
	const { ca, serve } = await gateway(t, { workers: 4 });
	for (const version of ['TLSv1.2', 'TLSv1.3']) {
		const options = { ca: ca.cert, servername: 'a.test', minVersion: version, maxVersion: version };
		const first = await connect(serve.tlsPort, options);
		first.write('GET /healthz/live HTTP/1.1\r\nHost: a.test\r\n\r\n');
		await once(first, 'data');
		const session = await until('a ticket', () => first.session);
		first.destroy();
		for (let i = 0; i < 8; i++) {
			const next = await connect(serve.tlsPort, { ...options, session });
			assert.ok(next.isSessionReused(), `${version}: visit ${i} was not resumed`);
			if (i === 0) {
				next.write('GET /nowhere HTTP/1.1\r\nHost: a.test\r\n\r\n');
				await once(next, 'data');
			}
			next.destroy();
		}
		await until('its access line', () => lines(serve).some((l) => l.path === '/nowhere' && l.tls === version && l.tls_resumed === true));
	}
});

// --- what is no handshake -----------------------------------------------------------------------------

test('plain HTTP on the port of TLS: a 400 in the clear that says what to do', async (t) => {
	const { serve, upstream } = await gateway(t);
	for (const bytes of ['GET /v1/models HTTP/1.1\r\nHost: a.test\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', ['P', 'OST / HTTP/1.1\r\n']]) {
		const got = await exchange(serve.tlsPort, bytes, { wait: 20 });
		const [answer] = parseAnswers(got.text);
		assert.equal(answer?.status, 400, got.text);
		assert.match(answer.body, /use https/);
		assert.equal(answer.headers['x-sluice-reason'], 'request.malformed');
		assert.equal(got.closed, true);
	}
	assert.equal(upstream.requests.length, 0);
});

test('half a handshake, silence and nonsense end at the deadline or at once', async (t) => {
	const { ca, serve } = await gateway(t, { args: ['--limit', 'head-timeout=1s', '--log-level', 'debug'] });
	const began = Date.now();
	const ended = await Promise.all([
		exchange(serve.tlsPort, []),
		exchange(serve.tlsPort, Buffer.from('160301020001', 'hex')),
		exchange(serve.tlsPort, Buffer.from('16030100', 'hex')),
		exchange(serve.tlsPort, Buffer.from('8080010203', 'hex')),
		exchange(serve.tlsPort, Buffer.from('1603017fff' + '00'.repeat(40), 'hex')),
		exchange(serve.tlsPort, Buffer.from('160301000501000001ff', 'hex')),
	]);
	assert.ok(ended.every((e) => e.closed));
	assert.ok(Date.now() - began >= 900, 'the silent ones were not given their time');
	await until('lines about them', () => (serve.stderr().match(/did not end in time/g) ?? []).length === 3);
	assert.equal((await request(serve.tlsPort, { tls: { ca: ca.cert, servername: 'a.test' }, body: ASK })).status, 200);
});

// The hello of node's own client, to be sent as often as one likes.
async function recordHello() {
	const server = net.createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const client = tls.connect({ port: server.address().port, host: '127.0.0.1', servername: 'a.test' });
	client.on('error', () => {});
	const [socket] = await once(server, 'connection');
	const [hello] = await once(socket, 'data');
	client.destroy();
	socket.destroy();
	server.close();
	return hello;
}

test('a flood of hellos that nobody follows up: streams go on, others get in, memory stays bounded', async (t) => {
	const gates = [];
	const { ca, serve } = await gateway(t, {
		workers: 1,
		handler: async (req, res, body) => {
			if (!body.includes('"stream":true')) return json(res, 200, completion('x'));
			res.writeHead(200, EVENT_STREAM);
			res.write(sse(chunk('one')));
			await new Promise((go) => gates.push(go));
			res.end(sse(chunk('two')) + 'data: [DONE]\n\n');
		},
	});
	const options = { ca: ca.cert, servername: 'a.test' };
	const stream = request(serve.tlsPort, { tls: options, body: STREAM });
	await until('the stream', () => gates.length === 1);
	const hello = await recordHello();
	const before = residentBytes(serve.pid);
	const flood = [];
	let cut = 0;
	t.after(() => flood.forEach((socket) => socket.destroy()));
	for (let i = 0; i < 1500; i++) {
		const socket = net.connect(serve.tlsPort, '127.0.0.1');
		socket.on('error', () => {});
		socket.on('close', () => cut++);
		socket.on('data', () => {});
		socket.write(hello);
		flood.push(socket);
		if (i % 500 === 499) {
			const got = await request(serve.tlsPort, { tls: options, body: ASK });
			assert.equal(got.status, 200);
		}
	}
	await until('the oldest to make room', () => cut >= 900);
	const grown = residentBytes(serve.pid) - before;
	if (!isSanitized) assert.ok(grown < 60 << 20, `${grown >> 20} MB for handshakes that nobody goes on with`);
	gates[0]();
	assert.ok((await stream).text.includes('[DONE]'));
});

// --- certificates change ------------------------------------------------------------------------------

test('a certificate is replaced under traffic: streams go on, the next connection sees the new one', async (t) => {
	let release;
	const gate = new Promise((go) => (release = go));
	const { ca, serve, data, certificates } = await gateway(t, {
		workers: 4,
		handler: async (req, res, body) => {
			if (!body.includes('"stream":true')) return json(res, 200, completion('x'));
			res.writeHead(200, EVENT_STREAM);
			res.write(sse(chunk('one')));
			await gate;
			res.end(sse(chunk('two')) + 'data: [DONE]\n\n');
		},
	});
	const serial = (pem) => new crypto.X509Certificate(pem).serialNumber;
	const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: ca.cert, servername: 'a.test' });
	const kept = (body) => request(serve.tlsPort, { tls: {}, agent, body });
	const streams = Array.from({ length: 20 }, () => request(serve.tlsPort, { tls: { ca: ca.cert, servername: 'a.test' }, body: STREAM }));
	assert.equal((await kept(ASK)).status, 200);
	const seen = async (session) => {
		const socket = await connect(serve.tlsPort, { ca: ca.cert, servername: 'a.test', session });
		const got = { serial: socket.getPeerCertificate().serialNumber, resumed: socket.isSessionReused() };
		socket.write('GET /healthz/live HTTP/1.1\r\nHost: a.test\r\n\r\n');
		got.session = await until('a ticket', () => socket.session);
		socket.destroy();
		return got;
	};
	const before = await seen();
	assert.equal(before.serial, serial(certificates['a.test'].cert));
	assert.equal((await seen(before.session)).resumed, true);
	for (let round = 0; round < 5; round++) {
		const next = await ca.issue(['DNS:a.test'], { rsa: round % 2 === 1 });
		writeSecret(data, 's-a.test', next);
		await until('the new certificate', async () => (await seen()).serial === serial(next.cert));
		// What was agreed on under the old one is not resumed.
		for (let i = 0; i < 8; i++) {
			const again = await seen(before.session);
			assert.equal(again.serial, serial(next.cert));
			assert.equal(again.resumed, false);
		}
	}
	assert.equal((await kept(ASK)).status, 200);
	await until('two access lines', () => lines(serve).filter((l) => l.path === '/v1/chat/completions').length === 2);
	release();
	for (const got of await Promise.all(streams)) assert.ok(got.text.endsWith('data: [DONE]\n\n'));
	agent.destroy();
});

test('the last certificate is taken away: who is connected goes on, the others are refused, and the log says so', async (t) => {
	const { ca, serve, data } = await gateway(t, { handler: (req, res) => json(res, 200, completion('ok')) });
	const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
	const ask = () => request(serve.tlsPort, { agent, tls: { ca: ca.cert, servername: 'a.test' }, body: ASK });
	t.after(() => agent.destroy());
	assert.equal((await ask()).status, 200);
	fs.rmSync(path.join(data, 'resources/secrets/s-a.test.yaml'));
	await until('the log', () => serve.stderr().includes('no certificate is there to serve'));
	const error = await connect(serve.tlsPort, { ca: ca.cert, servername: 'a.test' }).then(() => null, (e) => e);
	assert.match(error?.message ?? 'connected', /unrecognized name/);
	assert.equal((await ask()).status, 200);
});

test('handshakes and reloads at the same time, with four workers', async (t) => {
	const { ca, serve, data, certificates } = await gateway(t, { workers: 4 });
	const other = await ca.issue(['DNS:a.test'], { rsa: true });
	const pairs = [certificates['a.test'], other];
	let over = false;
	let handshakes = 0;
	const visit = async () => {
		while (!over) {
			const got = await request(serve.tlsPort, { tls: { ca: ca.cert, servername: 'a.test' }, body: ASK });
			assert.equal(got.status, 200);
			handshakes++;
		}
	};
	const visitors = Array.from({ length: 6 }, visit);
	for (let i = 1; i <= 6; i++) {
		writeSecret(data, 's-a.test', pairs[i % 2]);
		await until('the change', () => (serve.stderr().match(/new configuration is live/g) ?? []).length >= i);
	}
	over = true;
	await Promise.all(visitors);
	assert.ok(handshakes > 0);
});

test('a certificate that has expired is served, and said once for all workers', async (t) => {
	const { ca, serve, data } = await gateway(t, { workers: 4 });
	writeSecret(data, 's-a.test', await ca.issue(['DNS:a.test'], { days: 0 }));
	await until('it to be refused', async () => {
		const error = await connect(serve.tlsPort, { ca: ca.cert, servername: 'a.test' }).then((s) => (s.destroy(), null), (e) => e);
		return /expired/.test(error?.message ?? '');
	});
	const visit = async () => (await connect(serve.tlsPort, { servername: 'a.test', rejectUnauthorized: false })).destroy();
	await until('a line', async () => {
		await visit(); // it is good until the end of its last second
		return /the certificate of a\.test expired on \d{4}-\d\d-\d\d/.test(serve.stderr());
	});
	for (let i = 0; i < 12; i++) await visit();
	assert.equal(serve.stderr().match(/certificate of a\.test expired/g).length, 1);
});

// --- https only ---------------------------------------------------------------------------------------

test('a domain that forces https: 308 to it, before a key is asked for, and nothing goes upstream', async (t) => {
	const { ca, serve, data, upstream } = await gateway(t, {
		world: {
			consumers: [{ name: 'c', key: 'k-1' }],
			routes: [{ name: 'all', host: 'a.test', to: 'p', allow: ['c'] }],
		},
	});
	const plain = (host, path = '/v1/chat/completions?x=%20y&z') => request(serve.port, { headers: { host }, path, body: ASK });
	assert.equal((await plain('a.test')).status, 401);
	writeDomain(data, 'a.test', { https: 'force', cert: 's-a.test' });
	await until('the change', async () => (await plain('a.test')).status === 308);
	const got = await plain('a.test');
	assert.equal(got.headers.location, 'https://a.test/v1/chat/completions?x=%20y&z');
	assert.equal(got.headers['x-sluice-reason'], 'https.required');
	// Who names a port talks to us directly.
	assert.equal((await plain(`a.test:${serve.port}`)).headers.location, `https://a.test:${serve.tlsPort}/v1/chat/completions?x=%20y&z`);
	assert.equal(upstream.requests.length, 0);
	await until('its access line', () => lines(serve).some((l) => l.status === 308 && l.reason === 'https.required' && l.route === undefined && !('tls' in l)));
	const there = await request(serve.tlsPort, { tls: { ca: ca.cert, servername: 'a.test' }, headers: { host: 'a.test', authorization: 'Bearer k-1' }, body: ASK });
	assert.equal(there.status, 200, there.text);
	// A client that follows ends at the same thing.
	const curl = await run(['-sS', '--location-trusted', '--cacert', ca.file, '--resolve', `a.test:${serve.port}:127.0.0.1`, '--resolve', `a.test:${serve.tlsPort}:127.0.0.1`,
		'-H', 'Authorization: Bearer k-1', '-H', 'Content-Type: application/json', '-d', JSON.stringify(ASK), '-w', ' %{http_code} %{scheme}', `http://a.test:${serve.port}/v1/chat/completions`], { program: 'curl' });
	assert.equal(curl.code, 0, curl.stderr);
	assert.match(curl.stdout, /chatcmpl.* 200 HTTPS$/i);
});

// --- bodies, ends, memory -----------------------------------------------------------------------------

test('large bodies in both directions arrive byte for byte, over one connection', async (t) => {
	const answer = completion('y'.repeat(3 << 20));
	const { ca, serve, upstream } = await gateway(t, { handler: (req, res) => json(res, 200, answer) });
	const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: ca.cert, servername: 'a.test' });
	const pad = crypto.randomBytes(2 << 20).toString('base64');
	for (let i = 0; i < 4; i++) {
		const got = await request(serve.tlsPort, { tls: {}, agent, body: { ...ASK, pad } });
		assert.equal(got.status, 200);
		assert.equal(got.text, JSON.stringify(answer));
		assert.equal(JSON.parse(upstream.requests[i].body).pad, pad);
	}
	agent.destroy();
});

test('SIGTERM: a stream over TLS ends regularly, idle connections are closed politely', async (t) => {
	let release;
	const gate = new Promise((go) => (release = go));
	const { ca, serve } = await gateway(t, {
		args: ['--limit', 'head-timeout=600s', '--drain-timeout', '20s'],
		handler: async (req, res) => {
			res.writeHead(200, EVENT_STREAM);
			res.write(sse(chunk('one')));
			await gate;
			res.end(sse(chunk('two')) + sse(usageChunk()) + 'data: [DONE]\n\n');
		},
	});
	const options = { ca: ca.cert, servername: 'a.test' };
	const idle = await connect(serve.tlsPort, options);
	const silent = net.connect(serve.tlsPort, '127.0.0.1');
	silent.on('error', () => {});
	await once(silent, 'connect');
	const agent = new https.Agent(options);
	let text = '';
	const done = new Promise((resolve, reject) => {
		const req = https.request({ ...options, agent, port: serve.tlsPort, host: '127.0.0.1', method: 'POST', path: '/v1/chat/completions', headers: { 'content-type': 'application/json' } }, (res) => {
			res.on('data', (piece) => (text += piece));
			res.on('end', resolve);
			res.on('error', reject);
		});
		req.on('error', reject);
		req.end(JSON.stringify(STREAM));
	});
	await until('the first event', () => text.includes('one'));
	const idleEnds = once(idle.resume(), 'end');
	const silentEnds = once(silent.resume(), 'close');
	serve.kill('SIGTERM');
	await idleEnds; // by close_notify, or it would be an error
	await silentEnds;
	await assert.rejects(connect(serve.tlsPort, options));
	release();
	await done;
	assert.ok(text.endsWith('data: [DONE]\n\n'));
	assert.equal((await serve.exited).code, 0);
	assert.ok(!/after the drain time/.test(serve.stderr()), 'somebody had to be cut');
	assert.equal(lines(serve).length, 1);
});

for (const how of ['with close_notify', 'without a word', 'while its body is sent'])
	test(`a client that leaves ${how}: the upstream is closed`, async (t) => {
		const { ca, serve, upstream } = await gateway(t, {
			handler: (req, res) => {
				res.writeHead(200, EVENT_STREAM);
				res.write(sse(chunk('one')));
			},
		});
		const socket = await connect(serve.tlsPort, { ca: ca.cert, servername: 'a.test' });
		const body = JSON.stringify(STREAM);
		const whole = how !== 'while its body is sent';
		socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${whole ? body : body.slice(0, -5)}`);
		if (whole) {
			await once(socket, 'data');
			if (how === 'with close_notify') socket.end();
			else socket.destroy();
			await until('the upstream to be closed', () => upstream.requests[0].closed);
		} else socket.destroy();
		await until('the access line', () => lines(serve).length === 1);
		assert.equal(lines(serve)[0].client_abort, true);
		assert.equal(upstream.requests.length, whole ? 1 : 0);
	});

test('memory of 1,000 idle streams with TLS on both sides', { skip: isSanitized }, async (t) => {
	const N = 1000;
	let open = 0;
	const { ca, serve } = await gateway(t, {
		workers: 1,
		tlsUpstream: true,
		handler: (req, res) => {
			res.writeHead(200, EVENT_STREAM);
			res.write(sse(chunk('one')));
			open++;
		},
	});
	const sockets = [];
	t.after(() => sockets.forEach((s) => s.destroy()));
	const openOne = async () => {
		const socket = await connect(serve.tlsPort, { ca: ca.cert, servername: 'a.test' });
		socket.setTimeout(0);
		sockets.push(socket);
		const body = JSON.stringify({ ...STREAM, messages: [{ role: 'user', content: 'x'.repeat(1000) }] });
		socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
		await once(socket, 'data');
	};
	await openOne();
	const before = residentBytes(serve.pid);
	for (let i = 1; i < N; i += 50) await Promise.all(Array.from({ length: Math.min(50, N - i) }, openOne));
	assert.equal(open, N);
	const each = (residentBytes(serve.pid) - before) / (N - 1);
	t.diagnostic(`${(each / 1024).toFixed(1)} KB per idle stream`);
	assert.ok(each < 48 * 1024, `${each} bytes per stream`);
});

// --- real clients -------------------------------------------------------------------------------------

test('the official SDK streams over TLS, in a process that trusts our authority', async (t) => {
	const { ca, serve } = await gateway(t, {
		domains: { localhost: ['DNS:localhost'] },
		handler: (req, res) => {
			res.writeHead(200, EVENT_STREAM);
			for (const word of ['over', ' TLS']) res.write(sse(chunk(word)));
			res.end(sse(usageChunk()) + 'data: [DONE]\n\n');
		},
	});
	const program = `
		import OpenAI from 'openai';
		const client = new OpenAI({ baseURL: 'https://localhost:${serve.tlsPort}/v1', apiKey: 'none', maxRetries: 0 });
		for (let i = 0; i < 3; i++) {
			const stream = await client.chat.completions.create({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] });
			let text = '';
			for await (const part of stream) text += part.choices[0]?.delta?.content ?? '';
			console.log(text);
		}`;
	const ask = (env) => run(['--input-type=module', '-e', program], { program: process.execPath, cwd: path.join(ROOT, 'tests/e2e'), env });
	const trusting = await ask({ NODE_EXTRA_CA_CERTS: ca.file });
	assert.equal(trusting.stdout, 'over TLS\n'.repeat(3), trusting.stderr);
	const strict = await ask({});
	assert.notEqual(strict.code, 0, 'an unknown authority was trusted');
});

test('a browser streams by fetch over TLS', async (t) => {
	const gates = [];
	const { serve, certificates } = await gateway(t, {
		domains: { localhost: ['DNS:localhost'] },
		handler: async (req, res) => {
			res.writeHead(200, EVENT_STREAM);
			res.write(sse(chunk('first')));
			await new Promise((go) => gates.push(go));
			res.end(sse(chunk('second')) + 'data: [DONE]\n\n');
		},
	});
	// Trusted by its public key: what the browser talks to is this server and nobody else.
	const key = new crypto.X509Certificate(certificates.localhost.cert).publicKey.export({ type: 'spki', format: 'der' });
	const browser = await chromium.launch({
		executablePath: process.env.PATH.split(':').map((dir) => path.join(dir, 'chromium')).find((file) => fs.existsSync(file)),
		args: [
			`--ignore-certificate-errors-spki-list=${crypto.createHash('sha256').update(key).digest('base64')}`,
			'--no-sandbox', // root and most containers have none to give, and the only page is ours
		],
	});
	t.after(() => browser.close());
	const page = await browser.newPage();
	const home = await page.goto(`https://localhost:${serve.tlsPort}/healthz/live`);
	assert.equal(home.status(), 200);
	assert.equal((await home.securityDetails()).protocol, 'TLS 1.3');
	await page.evaluate((body) => {
		globalThis.text = '';
		globalThis.done = (async () => {
			const res = await fetch('/v1/chat/completions', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
			const reader = res.body.pipeThrough(new TextDecoderStream()).getReader();
			for (;;) {
				const { value, done } = await reader.read();
				if (done) return res.status;
				globalThis.text += value;
			}
		})();
	}, JSON.stringify(STREAM));
	await page.waitForFunction(() => globalThis.text.includes('first'));
	assert.ok(!(await page.evaluate(() => globalThis.text)).includes('second'));
	gates[0]();
	assert.equal(await page.evaluate(() => globalThis.done), 200);
	assert.ok((await page.evaluate(() => globalThis.text)).endsWith('data: [DONE]\n\n'));
	await until('the access line', () => lines(serve).some((l) => l.path === '/v1/chat/completions' && l.tls === 'TLSv1.3'));
});
