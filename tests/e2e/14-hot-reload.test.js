// Resources that change while the program serves: nobody has to say so, and no stream notices.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { writeRoute, writeWorld } from './lib/resources.js';
import { chunk, completion, json, request, sse, startUpstream } from './lib/http.js';
import { startServe, tempDir, until } from './lib/sluice.js';

const ASK = { model: 'm', messages: [] };
const STREAMS = 200;

async function gateway(t, handler) {
	const upstream = await startUpstream(t, handler);
	const world = {
		providers: [{ id: 'p', address: upstream.address }],
		routes: [{ name: 'a', host: 'a.test', to: 'p' }],
	};
	const data = writeWorld(tempDir(t), world);
	return { upstream, data, world, root: path.join(data, 'resources'), serve: await startServe(t, { data }) };
}

const status = async (serve, host) => (await request(serve.port, { headers: { host }, body: ASK })).status;
const fileOf = (root, name) => path.join(root, `ingresses/ai-route-${name}.internal.yaml`);
const live = (serve, host) => until(`${host} to be live`, async () => (await status(serve, host)) === 200);
const count = (text, pattern) => [...text.matchAll(pattern)].length;

test('files change while 200 streams run: live without a signal, no stream is disturbed, a broken file is named', async (t) => {
	let stop = false;
	const answers = new Set();
	const { serve, data, world, root, upstream } = await gateway(t, async (req, res, body) => {
		if (!body.includes('"stream":true')) return json(res, 200, completion('x'));
		res.writeHead(200, { 'content-type': 'text/event-stream' });
		answers.add({ res, n: 0 });
	});
	const send = setInterval(() => {
		for (const a of answers) {
			a.res.write(sse(chunk(`${a.n++}`)));
			if (!stop) continue;
			a.res.end(sse(chunk(`end ${a.n}`)) + 'data: [DONE]\n\n');
			answers.delete(a);
		}
	}, 20);
	t.after(() => clearInterval(send));
	const running = Array.from({ length: STREAMS }, () =>
		request(serve.port, { headers: { host: 'a.test' }, body: { ...ASK, stream: true } }));
	await until('the streams', () => answers.size === STREAMS);

	// A new route, several times; the time is printed and not judged.
	const times = [];
	for (let i = 0; i < 5; i++) {
		const begun = performance.now();
		writeRoute(data, world, { name: `n${i}`, host: `n${i}.test`, to: 'p' });
		await live(serve, `n${i}.test`);
		times.push(Math.round(performance.now() - begun));
	}
	t.diagnostic(`live after ${times.join(', ')} ms beside ${STREAMS} streams`);

	// Broken: named with place and reason; the last good version serves.
	const good = fs.readFileSync(fileOf(root, 'a'));
	fs.writeFileSync(fileOf(root, 'a'), 'apiVersion: networking.k8s.io/v1\nkind: Ingress\nspec: [unclosed\n');
	const named = /ingresses\/ai-route-a\.internal\.yaml:(\d+):(\d+): error: ([^\n]+)/g;
	await until('a line that names it', () => count(serve.stderr(), named) > 0);
	const [, line, column, reason] = [...serve.stderr().matchAll(named)][0];
	assert.ok(Number(line) >= 3 && Number(column) >= 1 && reason.length > 10, `${line}:${column}: ${reason}`);
	assert.equal(await status(serve, 'a.test'), 200, 'the last good version');

	// Another change, while it is broken: the same error is not told again.
	writeRoute(data, world, { name: 'late', host: 'late.test', to: 'p' });
	await live(serve, 'late.test');
	assert.equal(count(serve.stderr(), named), 1, serve.stderr());

	// Mended, and removed.
	fs.writeFileSync(fileOf(root, 'a'), good.toString().replace('a.test', 'mended.test'));
	await live(serve, 'mended.test');
	fs.unlinkSync(fileOf(root, 'late'));
	await until('the removed route', async () => (await status(serve, 'late.test')) === 404);

	stop = true;
	for (const got of await Promise.all(running)) {
		assert.equal(got.status, 200);
		assert.equal(got.cut, null);
		const events = got.text.split('\n\n').filter((e) => e.startsWith('data: {'));
		const numbers = events.slice(0, -1).map((e) => JSON.parse(e.slice(6)).choices[0].delta.content);
		assert.deepEqual(numbers, numbers.map((_, i) => `${i}`), 'an event is missing or out of order');
		assert.ok(got.text.endsWith('data: [DONE]\n\n'));
	}
	assert.equal(upstream.requests.filter((r) => r.body.includes('"stream":true')).length, STREAMS, 'a stream was begun again');
});

test('a file that reads well and cannot be served is refused: the version before stays, until it can be', async (t) => {
	const { serve, data, world, root } = await gateway(t);
	const good = fs.readFileSync(fileOf(root, 'a'), 'utf8');
	const said = (pattern) => until(`a line with ${pattern}`, () => pattern.test(serve.stderr()));
	const rows = [
		[fileOf(root, 'a'), '"Prefix"', '"Prefx"', /ai-route-a\.internal\.yaml:\d+:\d+: error: [^\n]*Prefx \(bad-path-type\)/, 'a typing error'],
		[path.join(root, 'wasmplugins/ai-proxy.internal.yaml'), '"openai"', '"opnai"', /ai-proxy\.internal\.yaml:\d+:\d+: error: [^\n]*write openai \(provider-type-unknown\)/, 'in the file of all providers'],
	];
	for (const [file, from, to, named, reason] of rows) {
		const before = fs.readFileSync(file, 'utf8');
		assert.ok(before.includes(from), reason);
		fs.writeFileSync(file, before.replace(from, to));
		await said(named);
		assert.equal(await status(serve, 'a.test'), 200, reason);
		assert.equal(await status(serve, 'late.test'), 404);
		// Another file goes its way beside it, and the refusal stands.
		writeRoute(data, world, { name: 'late', host: 'late.test', to: 'p' });
		await live(serve, 'late.test');
		assert.equal(await status(serve, 'a.test'), 200, reason);
		fs.writeFileSync(file, before);
		fs.unlinkSync(fileOf(root, 'late'));
		await until('the removed route', async () => (await status(serve, 'late.test')) === 404);
		assert.equal(await status(serve, 'a.test'), 200, reason);
	}
	assert.equal(count(serve.stderr(), /1 broken file: its last good version stays in use/g), rows.length);
	// What is refused for want of something else is taken when that has come: a fallback's own route, say.
	fs.writeFileSync(fileOf(root, 'a'), good.replace('"Prefix"', '"Prefx"'));
	await until('the next refusal', () => count(serve.stderr(), /1 broken file:/g) === rows.length + 1);
	fs.writeFileSync(fileOf(root, 'a'), good.replace('a.test', 'mended.test'));
	await live(serve, 'mended.test');
	assert.equal(await status(serve, 'a.test'), 404, 'the version before is gone with its host');
	// A new file has no version before: what is wrong in it is left out.
	fs.writeFileSync(fileOf(root, 'new'), good.replace('"Prefix"', '"Prefx"'));
	await said(/ai-route-new\.internal\.yaml:\d+:\d+: error: [^\n]*bad-path-type/);
	assert.equal(await status(serve, 'mended.test'), 200);
});

test('a file that is touched, or rewritten with the same bytes, makes nothing new', async (t) => {
	const { serve, data, world, root } = await gateway(t);
	const swaps = () => count(serve.stderr(), /new configuration is live/g);
	fs.writeFileSync(fileOf(root, 'a'), fs.readFileSync(fileOf(root, 'a')));
	fs.utimesSync(fileOf(root, 'a'), new Date(), new Date());
	serve.kill('SIGHUP');
	await until('the answer to SIGHUP', () => /no resource has changed/.test(serve.stderr()));
	assert.equal(swaps(), 0);
	writeRoute(data, world, { name: 'b', host: 'b.test', to: 'p' });
	await live(serve, 'b.test');
	await until('the line', () => swaps() === 1);
});

test('a directory that is moved away, empty in its place, or swapped', async (t) => {
	const { serve, data, world, root } = await gateway(t);
	const lost = /ingresses:0:0: error: [^\n]*\(directory-lost\)/g;
	fs.renameSync(path.join(root, 'ingresses'), path.join(data, 'away'));
	await until('a line that says so', () => count(serve.stderr(), lost) === 1);
	assert.equal(await status(serve, 'a.test'), 200, 'gone: the last good state');
	fs.mkdirSync(path.join(root, 'ingresses'));
	await until('another line', () => count(serve.stderr(), lost) === 2);
	assert.equal(await status(serve, 'a.test'), 200, 'empty: the last good state');
	writeRoute(data, world, { name: 'b', host: 'b.test', to: 'p' });
	await live(serve, 'b.test');
	assert.equal(await status(serve, 'a.test'), 404, 'a directory with other files');
	fs.renameSync(path.join(root, 'ingresses'), path.join(data, 'gone'));
	fs.renameSync(path.join(data, 'away'), path.join(root, 'ingresses'));
	await live(serve, 'a.test');
	writeRoute(data, world, { name: 'c', host: 'c.test', to: 'p' });
	await live(serve, 'c.test');
});

test('a root that does not exist yet is found', async (t) => {
	const upstream = await startUpstream(t);
	const data = tempDir(t);
	const serve = await startServe(t, { data });
	assert.equal(await status(serve, 'a.test'), 404);
	writeWorld(data, { providers: [{ id: 'p', address: upstream.address }], routes: [{ name: 'a', host: 'a.test', to: 'p' }] });
	await live(serve, 'a.test');
});

test('a Secret that breaks is named with its line, no byte of it is logged, and routes go on', async (t) => {
	const { serve, root, world, data } = await gateway(t, (req, res) => json(res, 200, completion('x')));
	const file = path.join(root, 'secrets/c.yaml');
	const write = (crt, key) => {
		fs.mkdirSync(path.dirname(file), { recursive: true });
		fs.writeFileSync(
			file,
			'apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nstringData:\n' +
				`  tls.crt: |\n    ${crt}\n  tls.key: |\n    ${key}\n`
		);
	};
	const named = /secrets\/c\.yaml:(\d+):\d+: error: ([^\n]+)/g;
	write('sk-private-certificate', 'sk-private-key');
	await until('a line that names it', () => count(serve.stderr(), named) === 1);
	write('-----BEGIN sk-private-certificate', 'sk-private-key');
	await until('a line for the other reason', () => count(serve.stderr(), named) === 2);
	fs.writeFileSync(file, 'apiVersion: v1\nkind: Secret\ndata:\n  a: sk-private-key\n');
	await until('a line for what is no base64', () => count(serve.stderr(), named) === 3);
	fs.writeFileSync(file, 'apiVersion: v1\nkind: Secret\ndata:\n  a: {b: "sk-private-key}\n');
	await until('a line for what is no YAML', () => count(serve.stderr(), named) === 4);
	const lines = [...serve.stderr().matchAll(named)].map((m) => m[1]);
	assert.deepEqual(lines.slice(0, 3), ['5', '5', '4']);
	writeRoute(data, world, { name: 'b', host: 'b.test', to: 'p' });
	await live(serve, 'b.test');
	assert.equal(await status(serve, 'a.test'), 200);
	assert.ok(!serve.stderr().includes('sk-private'), serve.stderr());
});
