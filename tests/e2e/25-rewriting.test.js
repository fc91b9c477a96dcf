// Rewriting, header control, CORS and weights with the real binary: what reaches an upstream, and what a
// browser would see.
import assert from 'node:assert/strict';
import test from 'node:test';
import { writeWorld } from './lib/resources.js';
import { completion, json, request, startUpstream } from './lib/http.js';
import { startServe, tempDir } from './lib/sluice.js';

const ASK = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] });
const TYPE = { 'content-type': 'application/json' };

const note = (o) => Object.fromEntries(Object.entries(o).map(([k, v]) => [`higress.io/${k}`, v]));

async function world(t, routes, handler, more = {}) {
	const upstream = await startUpstream(t, handler);
	const data = writeWorld(tempDir(t), {
		providers: [{ id: 'p', address: upstream.address, token: 'sk-vendor', ...more }],
		consumers: [{ name: 'ann', key: 'k-ann' }],
		routes: routes.map((r) => ({ to: 'p', ...r, annotations: note(r.annotations) })),
	});
	return { upstream, serve: await startServe(t, { data }) };
}

// Every value of a header, in order.
const all = (raw, name) => raw.filter((_, i) => i % 2 === 1 && raw[i - 1].toLowerCase() === name);

test('rewrite-target: groups of the path reach the upstream, query and escapes untouched', async (t) => {
	// A provider that keeps the client's path for what is no API of its own shows what was made of it.
	const { upstream, serve } = await world(t, [
		{ name: 'groups', path: '/team/([a-z]+)/files/(.*)', annotations: { 'rewrite-target': '/$1/x/$2' } },
		{ name: 'plain', path: '/old', annotations: { 'rewrite-target': '/new' } },
	], (req, res) => json(res, 200, { path: req.url }));
	for (const [asked, sent] of [
		['/team/red/files/a%20b/%2e%2e%2e?q=/../team', '/red/x/a%20b/%2e%2e%2e?q=/../team'],
		['/team/red/files/', '/red/x/'],
		['/old/x?y', '/new/x?y'],
		['/old', '/new'],
	]) {
		const got = await request(serve.port, { method: 'GET', path: asked });
		assert.equal(got.status, 200, got.body.toString());
		assert.equal(upstream.requests.at(-1).url, sent, asked);
	}
	assert.equal((await request(serve.port, { method: 'GET', path: '/team/RED/files/a' })).status, 404);
	assert.equal((await request(serve.port, { method: 'GET', path: '/older' })).status, 404);
});

test('header control: removed, set, added; the credential is that of the provider', async (t) => {
	const { upstream, serve } = await world(t, [{
		name: 'all',
		allow: ['ann'],
		annotations: {
			'request-header-control-remove': 'x-secret,traceparent',
			'request-header-control-update': 'x-team red\nAuthorization Bearer stolen\nHost evil.org',
			'request-header-control-add': 'x-team blue\nx-who ${consumer}:${model}',
			'response-header-control-remove': 'server',
			'response-header-control-update': 'x-served-by us',
			'response-header-control-add': 'x-served-by sluice\nx-id ${request_id}',
		},
	}], (req, res) => {
		res.setHeader('server', 'nginx');
		res.setHeader('x-served-by', 'them');
		json(res, 200, completion('ok'));
	});
	assert.match(serve.stderr(), /Host is set by upstream-vhost only.*header-refused/);
	const got = await request(serve.port, {
		body: ASK,
		headers: { ...TYPE, authorization: 'Bearer k-ann', 'x-secret': '1', 'x-team': 'green', 'x-request-id': 'r-7' },
	});
	assert.equal(got.status, 200, got.body.toString());
	const seen = upstream.requests[0];
	assert.deepEqual(all(seen.rawHeaders, 'x-team'), ['red', 'blue']);
	assert.deepEqual(all(seen.rawHeaders, 'x-secret'), []);
	assert.deepEqual(all(seen.rawHeaders, 'traceparent'), []);
	assert.deepEqual(all(seen.rawHeaders, 'authorization'), ['Bearer sk-vendor']);
	assert.deepEqual(all(seen.rawHeaders, 'host'), [upstream.address]);
	assert.equal(seen.headers['x-who'], 'ann:gpt-4o');
	assert.equal(got.headers.server, undefined);
	assert.equal(got.headers['x-served-by'], 'us, sluice');
	assert.equal(got.headers['x-id'], 'r-7');
});

test('CORS: a page may ask and read where the route allows it, and nowhere else', async (t) => {
	const { upstream, serve } = await world(t, [
		{ name: 'open', path: '/v1', allow: ['ann'], annotations: { 'enable-cors': 'true', 'cors-allow-origin': 'https://app.a.com', 'match-method': 'POST' } },
		{ name: 'shut', path: '/team', annotations: {} },
	]);
	const preflight = (origin, path = '/v1/chat/completions') => request(serve.port, {
		method: 'OPTIONS', path, headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
	});
	const may = await preflight('https://app.a.com');
	assert.equal(may.status, 200);
	assert.equal(may.headers['access-control-allow-origin'], 'https://app.a.com');
	assert.match(may.headers['access-control-allow-methods'], /\bPOST\b/);
	assert.match(may.headers['access-control-allow-headers'], /\bAuthorization\b/);
	assert.equal(may.body.length, 0);
	assert.equal((await preflight('https://evil.org')).headers['access-control-allow-origin'], undefined);
	assert.equal((await preflight('https://app.a.com', '/team/x')).headers['access-control-allow-origin'], undefined);
	const asked = upstream.requests.length;
	const refused = await request(serve.port, { body: ASK, headers: { ...TYPE, origin: 'https://app.a.com' } });
	assert.equal(refused.status, 401);
	assert.equal(refused.headers['access-control-allow-origin'], 'https://app.a.com');
	const good = await request(serve.port, { body: ASK, headers: { ...TYPE, origin: 'https://app.a.com', authorization: 'Bearer k-ann' } });
	assert.equal(good.status, 200);
	assert.equal(good.headers['access-control-allow-origin'], 'https://app.a.com');
	assert.equal(upstream.requests.length, asked + 1);
});

test('weights: each worker gives exactly the shares that were asked for', async (t) => {
	const one = await startUpstream(t);
	const two = await startUpstream(t);
	const data = writeWorld(tempDir(t), {
		providers: [{ id: 'one', address: one.address }, { id: 'two', address: two.address }],
		routes: [{ name: 'all', to: [{ provider: 'one', weight: 47 }, { provider: 'two', weight: 53 }] }],
	});
	const serve = await startServe(t, { data, args: ['--workers', '1'] });
	for (let round = 1; round <= 2; round++) {
		for (let i = 0; i < 100; i++) await request(serve.port, { body: ASK, headers: TYPE });
		assert.deepEqual([one.requests.length, two.requests.length], [47 * round, 53 * round]);
	}
});
