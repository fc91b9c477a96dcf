// The web page as bytes: its addresses, who gets which status, how long what may be kept, how small it is, and what a
// browser is told not to do with it.
import assert from 'node:assert/strict';
import test from 'node:test';
import zlib from 'node:zlib';
import { ADMIN, basic, startConsole } from './lib/console.js';
import { request } from './lib/http.js';

const portOf = (address) => Number(String([address].flat()[0]).split(':').pop());
const get = (port, path, headers = {}, method = 'GET') => request(port, { method, path, headers });
const HOST = { host: 'manager-local.hiclaw.io' };
const WEIGHT_MAX = 200 * 1024;

test('W-01: the page: addresses, statuses, caching, compression, policy', async (t) => {
	const c = await startConsole(t, { args: ['--manage-on-gateway'] });
	await c.init();
	const [console_, monitor, gateway] = [c.serve.console, portOf(c.serve.ready.monitor), c.serve.port];
	const signed = { cookie: c.cookie };
	// port, path, headers, status, why
	const rows = [
		[console_, '/', {}, 200, "HiClaw's boot test wants it"],
		[console_, '/index.html', {}, 200, 'the same by its name'],
		[console_, '/agm/', {}, 200, 'the original address, at the console too'],
		[monitor, '/', {}, 401, 'nobody is signed in'],
		[monitor, '/', { authorization: basic('admin:wrong') }, 401, 'a wrong password'],
		[monitor, '/', { authorization: basic(`${ADMIN.name}:${ADMIN.password}`) }, 200, 'a right one, given unasked'],
		[monitor, '/agm/', signed, 200, 'a session'],
		[gateway, '/agm/', {}, 401, 'on the gateway'],
		[gateway, '/agm/', signed, 200, 'on the gateway, with a session'],
		[gateway, '/', { ...HOST, ...signed }, 200, "the page's own host"],
		[gateway, '/', HOST, 401, "the page's own host, without a session"],
	];
	for (const [port, path, headers, status, why] of rows) {
		const got = await get(port, path, headers);
		assert.equal(got.status, status, `${path}: ${why}`);
		assert.match(got.text, /<div id="app">/, `${path}: ${why}: a document of the page`);
		assert.equal(/class="boot signin"/.test(got.text), !(headers.cookie || status === 200 && headers.authorization), `${path}: ${why}: who is not signed in sees the gate before any script, others the frame`);
		assert.equal(got.headers['www-authenticate'], status === 401 ? 'Session' : undefined, `${path}: ${why}: no dialog of the browser`);
	}
	for (const port of [console_, monitor, gateway]) {
		const moved = await get(port, '/agm');
		assert.deepEqual([moved.status, moved.headers.location], [301, 'agm/'], 'relative: a proxy may have taken a prefix off');
		assert.equal((await get(port, '/agm/v1/domains', { ...signed, 'x-requested-with': 'sluice' })).status, 200, 'the APIs are beside the page');
	}
	assert.deepEqual([(await get(console_, '/', {}, 'POST')).status, (await get(console_, '/', {}, 'POST')).headers.allow], [405, 'GET, HEAD']);

	const document = await get(console_, '/');
	assert.match(document.headers['content-security-policy'], /default-src 'none'.*script-src 'self'; .*frame-ancestors 'none'/);
	assert.doesNotMatch(document.headers['content-security-policy'], /unsafe|\*|http/, 'no way around the policy');
	assert.deepEqual(
		['x-content-type-options', 'referrer-policy', 'cross-origin-opener-policy', 'cache-control'].map((name) => document.headers[name]),
		['nosniff', 'no-referrer', 'same-origin', 'no-cache'],
	);
	assert.doesNotMatch(document.text, /(src|href)="(\/|http)|<script>| on[a-z]+="|<style| style="|@[A-Z]+@/, 'relative addresses, nothing inline, nothing left to fill in');
	assert.equal((await get(console_, '/', { 'if-none-match': document.headers.etag })).status, 304);
	assert.equal((await get(console_, '/', { 'if-none-match': 'W/"other"' })).status, 200);
	const home = await get(console_, '/', signed);
	assert.equal((await get(console_, '/', { ...signed, 'if-none-match': document.headers.etag })).status, 200, 'the gate that a browser has kept is not what comes after it');
	assert.equal((await get(console_, '/', { ...signed, 'if-none-match': home.headers.etag })).status, 304);
	const head = await get(console_, '/', {}, 'HEAD');
	assert.deepEqual([head.status, head.text, head.headers['content-length']], [200, '', document.headers['content-length']]);

	const names = [...document.text.matchAll(/(?:src|href)="(a\/[^"]+)"/g)].map((m) => m[1]);
	assert.deepEqual(names.map((name) => name.replace(/.*\//, '')).sort(), ['app.mjs', 'boot.js', 'page.css', 'pixel.ttf'], 'four files beside the document: a browser asks for six at a time');
	let weight = (await get(console_, '/', { 'accept-encoding': 'gzip' })).body.length;
	for (const name of new Set(names)) {
		const plain = await get(console_, `/${name}`);
		const packed = await get(monitor, `/agm/${name}`, { 'accept-encoding': 'deflate, gzip;q=0.8' });
		assert.deepEqual([plain.status, packed.status], [200, 200], name);
		assert.equal(plain.headers['cache-control'], 'public, max-age=31536000, immutable', `${name}: its address says what is in it`);
		assert.deepEqual([plain.headers['content-encoding'], packed.headers['content-encoding']], [undefined, 'gzip'], name);
		assert.deepEqual(zlib.gunzipSync(packed.body), plain.body, `${name}: both say the same`);
		weight += packed.body.length;
	}
	t.diagnostic(`the page weighs ${weight} bytes compressed`);
	assert.ok(weight < WEIGHT_MAX, `${weight} bytes`);
	assert.equal((await get(console_, `/${names[0]}`, { 'accept-encoding': 'gzip;q=0' })).headers['content-encoding'], undefined, 'refused is refused');
	assert.equal((await get(console_, names[0].replace(/a\/[^/]+/, '/a/000000000000'))).status, 404, 'files of another build are not these');
	assert.equal((await get(console_, '/a/../index.html')).status, 400);
});
