// What Prometheus sees: the text is what independent parsers read, every request is counted once, nobody can
// make it grow, and scraping holds nobody up.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { ADMIN, basic, startConsole } from './lib/console.js';
import { writeRoute, writeWorld } from './lib/resources.js';
import { chunk, completion, exchange, json, request, sse, startUpstream, usageChunk } from './lib/http.js';
import { ROOT, isSanitized, residentBytes, run, sleep, startServe, tempDir, until } from './lib/sluice.js';

const KEY = 'the-clients-key';
const TOKEN = 'a-token-for-prometheus-0123456789';
const headers = { host: 'a.test', authorization: `Bearer ${KEY}` };
const ask = (model, extra = {}) => ({ model, messages: [{ role: 'user', content: 'hi' }], ...extra });

async function gateway(t, { handler, args = [], env } = {}) {
	const upstream = await startUpstream(t, handler);
	const world = {
		providers: [{ id: 'vendor', address: upstream.address, token: 'sk-1', mapping: { asked: 'mapped', 'free-*': '' } }],
		consumers: [{ name: 'labubu', key: KEY }, { name: 'zi"mo\\mo', key: 'another-key' }],
		routes: [{ name: 'main', host: 'a.test', to: 'vendor', allow: ['labubu', 'zi"mo\\mo'] }],
	};
	const data = writeWorld(tempDir(t), world);
	const serve = await startServe(t, { data, args: ['--workers', '4', '--access-log', 'off', ...args], env });
	return { upstream, serve, world, data };
}

const page = (serve, options = {}) => request(serve.console, { method: 'GET', path: '/metrics', ...options });

// An own reader of the format, strict where Prometheus is: families in one piece, HELP and TYPE before samples,
// no sample twice, histograms that add up. { types: Map, samples: Map of 'name{labels}' to number }.
function parse(text) {
	assert.ok(text.endsWith('\n'));
	const types = new Map();
	const samples = new Map();
	let family = null;
	for (const line of text.slice(0, -1).split('\n')) {
		const head = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line);
		if (head?.[1] === 'HELP') {
			assert.ok(!types.has(head[2]), `family ${head[2]} stands twice`);
			family = head[2];
			types.set(family, null);
			continue;
		}
		if (head) {
			assert.equal(head[2], family, line);
			assert.match(head[3], /^(counter|gauge|histogram)$/);
			types.set(family, head[3]);
			continue;
		}
		const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\d+(?:\.\d+)?)$/.exec(line);
		assert.ok(sample, `no sample: ${line}`);
		const base = types.get(family) === 'histogram' ? sample[1].replace(/_(bucket|sum|count)$/, '') : sample[1];
		assert.equal(base, family, `${sample[1]} stands below ${family}`);
		const key = `${sample[1]}${sample[2] ?? ''}`;
		assert.ok(!samples.has(key), `${key} stands twice`);
		samples.set(key, Number(sample[4]));
	}
	let last = { base: '', v: 0 };
	for (const [key, v] of samples) {
		const bucket = /^(\w+)_bucket\{(.*),?le="([^"]+)"\}$/.exec(key);
		if (!bucket) continue;
		const base = bucket[1] + bucket[2];
		if (base === last.base) assert.ok(v >= last.v, `${key} is below the bucket before it`);
		last = { base, v };
		if (bucket[3] === '+Inf') assert.equal(samples.get(`${bucket[1]}_count{${bucket[2].replace(/,$/, '')}}`), v, key);
	}
	return { types, samples };
}

async function scrape(serve) {
	const got = await page(serve);
	assert.equal(got.status, 200, got.text);
	return parse(got.text);
}

// The sum of all samples of that name whose labels contain every one of these.
function sum(samples, name, labels = {}) {
	let all = 0;
	for (const [key, v] of samples)
		if ((key === name || key.startsWith(`${name}{`)) && Object.entries(labels).every(([l, is]) => key.includes(`${l}="${is}"`))) all += v;
	return all;
}

test('two independent parsers read the same numbers; the names are those of docs/metrics.md', async (t) => {
	const { serve } = await gateway(t);
	for (const who of [KEY, 'another-key'])
		for (const model of ['asked', 'free-1'])
			await request(serve.port, { headers: { ...headers, authorization: `Bearer ${who}` }, body: ask(model) });
	const got = await page(serve);
	assert.equal(got.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
	const { types, samples } = parse(got.text);
	// Python is asked where it is installed with the parser; script/packages.txt names the package.
	const program = [
		'import sys, json',
		'from prometheus_client.parser import text_string_to_metric_families as read',
		'print(json.dumps([[s.name, s.labels, s.value] for f in read(sys.stdin.read()) for s in f.samples]))',
	].join('\n');
	const theirs = JSON.parse(execFileSync('/usr/bin/python3', ['-c', program], { input: got.text, maxBuffer: 1 << 26 }));
	assert.equal(theirs.length, samples.size);
	const weird = theirs.find(([name, l]) => name === 'sluice_requests_total' && l.ai_consumer === 'zi"mo\\mo' && l.ai_model === 'mapped');
	assert.equal(weird?.[2], 1, 'a consumer with a quote and a backslash in its name');
	assert.equal(theirs.reduce((a, [name, , v]) => a + (name === 'sluice_requests_total' ? v : 0), 0), 4);

	// Of the system, also behind the sandbox.
	for (const [name, least] of [['process_resident_memory_bytes', 1 << 20], ['process_open_fds', 5], ['process_max_fds', 5], ['process_cpu_seconds_total', 0.0001]])
		assert.ok(samples.get(name) >= least, `${name} is ${samples.get(name)}`);

	const documented = new Map(
		[...fs.readFileSync(path.join(ROOT, 'docs/metrics.md'), 'utf8').matchAll(/^\| `(\w+)` \| (counter|gauge|histogram) \|/gm)].map((m) => [m[1], m[2]]),
	);
	assert.deepEqual([...documented].sort(), [...types].sort());
});

test('each request of a mix is counted once, whoever asks when', async (t) => {
	const { serve } = await gateway(t, {
		handler: (req, res, body) => {
			if (body.includes('refuse')) return json(res, 429, { error: { message: 'slow down' } });
			if (!body.includes('"stream":true')) return json(res, 200, completion('ok'));
			res.writeHead(200, { 'content-type': 'text/event-stream' });
			res.write(sse(chunk('x')));
			if (body.includes('cut')) return setTimeout(() => res.socket.destroy(), 20);
			if (body.includes('hang')) return null;
			return res.end(sse(usageChunk()) + 'data: [DONE]\n\n');
		},
	});
	const before = await scrape(serve);
	const plain = Array.from({ length: 40 }, () => request(serve.port, { headers, body: ask('asked') }));
	const streams = Array.from({ length: 20 }, () => request(serve.port, { headers, body: ask('asked', { stream: true }) }));
	const unknown = Array.from({ length: 10 }, (_, i) => request(serve.port, { headers, body: ask(`made-up-${i}`) }));
	const refused = Array.from({ length: 5 }, () => request(serve.port, { headers, body: ask('asked', { note: 'refuse' }) }));
	const cuts = Array.from({ length: 3 }, () => request(serve.port, { headers, body: ask('asked', { stream: true, note: 'cut' }) }));
	const lost = Array.from({ length: 7 }, () => request(serve.port, { headers: { host: 'b.test' }, body: ask('asked') }));
	const scrapes = Array.from({ length: 10 }, () => scrape(serve));
	await Promise.all([...plain, ...streams, ...unknown, ...refused, ...cuts, ...lost, ...scrapes]);
	const aborts = Array.from({ length: 4 }, async () => {
		const body = JSON.stringify(ask('asked', { stream: true, note: 'hang' }));
		const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: a.test\r\nAuthorization: Bearer ${KEY}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
		await exchange(serve.port, head + body, { enough: (text) => text.includes('data:') });
	});
	await Promise.all(aborts);
	await until('the aborts to be counted', async () => sum((await scrape(serve)).samples, 'sluice_request_aborts_total') === 4);
	const { samples } = await scrape(serve);
	const mapped = { ai_route: 'ai-route-main.internal', ai_cluster: 'outbound|80||llm-vendor.internal.static', ai_model: 'mapped', ai_consumer: 'labubu' };
	assert.equal(sum(samples, 'sluice_requests_total', { ...mapped, code: '2xx' }), 67);
	assert.equal(sum(samples, 'sluice_requests_total', { ...mapped, code: '4xx' }), 5);
	assert.equal(sum(samples, 'sluice_requests_total', { ai_model: 'other', code: '2xx' }), 10);
	assert.equal(sum(samples, 'sluice_requests_total', { ai_route: 'none', code: '4xx' }), 7);
	assert.equal(sum(samples, 'sluice_requests_total'), 89);
	assert.equal(sum(samples, 'sluice_request_cuts_total', mapped), 3);
	assert.equal(sum(samples, 'route_upstream_model_consumer_metric_total_token', mapped), 60 * 5);
	assert.equal(sum(samples, 'route_upstream_model_consumer_metric_llm_duration_count', mapped), 60);
	assert.equal(sum(samples, 'route_upstream_model_consumer_metric_llm_stream_duration_count', mapped), 20);
	assert.equal(sum(samples, 'gen_ai_server_request_duration_seconds_count', { gen_ai_request_model: 'mapped' }), 60);
	assert.equal(sum(samples, 'gen_ai_server_time_to_first_token_seconds_count', { gen_ai_request_model: 'mapped' }), 20);
	assert.equal(sum(samples, 'gen_ai_client_token_usage_sum', { gen_ai_token_type: 'input', gen_ai_request_model: 'mapped' }), 60 * 3);
	assert.equal(samples.get('sluice_exchanges_total') - before.samples.get('sluice_exchanges_total'), 89);
	assert.equal(samples.get('sluice_exchanges_open'), 0);
	assert.equal(samples.get('sluice_client_aborts_total'), 4);
	assert.equal(samples.get('sluice_workers_silent'), 0);
	assert.ok(samples.get('sluice_turns_total') >= 89);
	assert.ok(samples.get('sluice_turns_over_1ms_total') >= samples.get('sluice_turns_over_5ms_total'));
	assert.ok(samples.get('sluice_longest_turn_seconds') > 0);
});

test('100,000 made-up models and paths: a handful of series, flat memory', async (t) => {
	const { serve } = await gateway(t, { handler: (req, res) => json(res, 200, { ok: true }) });
	const total = isSanitized ? 4000 : 100000;
	// Pipelined on a few connections: half with a model nobody knows, half to paths nobody serves.
	const attack = (from, n) =>
		new Promise((done, fail) => {
			const socket = net.connect(serve.port, '127.0.0.1');
			let seen = 0;
			let sent = 0;
			let rest = '';
			const send = () => {
				let text = '';
				for (; sent < n && sent - seen < 50; sent++) {
					const body = JSON.stringify({ model: `m-${from + sent}`, messages: [] });
					text += (from + sent) % 2
						? `GET /nowhere/${from + sent} HTTP/1.1\r\nHost: ${from + sent}.test\r\n\r\n`
						: `POST /v1/chat/completions HTTP/1.1\r\nHost: a.test\r\nAuthorization: Bearer ${KEY}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
				}
				if (text) socket.write(text);
			};
			socket.on('connect', send);
			socket.on('error', fail);
			socket.on('data', (data) => {
				const text = rest + data.toString('latin1');
				seen += text.split('HTTP/1.1 ').length - 1;
				rest = text.slice(-8).includes('HTTP/1.1 ') ? '' : text.slice(-8);
				if (seen >= n) {
					socket.destroy();
					done();
				} else send();
			});
		});
	const all = async (from, n) => Promise.all(Array.from({ length: 8 }, (_, i) => attack(from + (i * n) / 8, n / 8)));
	await all(0, total / 10);
	const early = await scrape(serve);
	const resident = residentBytes(serve.pid);
	await all(total / 10, total - total / 10);
	const { samples } = await scrape(serve);
	assert.equal(sum(samples, 'sluice_requests_total'), total);
	assert.equal(samples.size, early.samples.size);
	assert.ok(samples.get('sluice_series') <= 4 * 2, `${samples.get('sluice_series')} series`);
	const growth = residentBytes(serve.pid) - resident;
	t.diagnostic(`resident memory grew by ${growth} bytes`);
	if (!isSanitized) assert.ok(growth < 4 << 20, `memory grew by ${growth}`);
});

test('scraped while requests run and the configuration changes: counts only rise', async (t) => {
	const { serve, world, data, upstream } = await gateway(t);
	let going = true;
	let done = 0;
	const load = Array.from({ length: 8 }, async () => {
		while (going) {
			assert.equal((await request(serve.port, { headers, body: ask('asked') })).status, 200);
			done++;
		}
	});
	let last = 0;
	for (let i = 0; i < 10; i++) {
		writeRoute(data, world, { name: `extra-${i}`, host: `extra-${i}.test`, to: 'vendor' });
		serve.kill('SIGHUP');
		const several = await Promise.all([scrape(serve), scrape(serve), scrape(serve)]);
		for (const { samples } of several) {
			const now = sum(samples, 'sluice_requests_total', { code: '2xx' });
			assert.ok(now >= last, `${now} after ${last}`);
			assert.equal(samples.get('sluice_workers_silent'), 0);
		}
		last = Math.max(last, ...several.map(({ samples }) => sum(samples, 'sluice_requests_total', { code: '2xx' })));
		await sleep(30);
	}
	going = false;
	await Promise.all(load);
	const { samples } = await until('the last reload', async () => {
		const got = await scrape(serve);
		return got.samples.get('sluice_plan_routes') === 11 ? got : null;
	});
	assert.equal(sum(samples, 'sluice_requests_total', { code: '2xx' }), done);
	assert.equal(upstream.requests.length, done);
	assert.ok(samples.get('sluice_plan_version') >= 2);
	assert.ok(samples.get('sluice_plan_live_timestamp_seconds') * 1000 <= Date.now() + 1000);
});

test('a broken file shows', async (t) => {
	const { serve, data } = await gateway(t);
	fs.writeFileSync(path.join(data, 'resources/ingresses/ai-route-main.internal.yaml'), '{ not: [yaml');
	serve.kill('SIGHUP');
	await until('the broken file to be counted', async () => (await scrape(serve)).samples.get('sluice_files_kept_bad') === 1);
});

// An address of this machine that is not a loopback one, or nothing.
const outside = Object.values(os.networkInterfaces()).flat().find((a) => a.family === 'IPv4' && !a.internal)?.address;

test('from elsewhere: refused without the token, which is compared whole', { skip: !outside && 'no other address' }, async (t) => {
	const open = await gateway(t, { args: ['--console', `${outside}:0`] });
	const at = (serve, extra = {}) =>
		fetch(`http://${outside}:${serve.ready.console.map((a) => a.split(':')).find(([host]) => host === outside)[1]}/metrics`, { headers: extra });
	let got = await at(open.serve);
	assert.equal(got.status, 403);
	assert.match((await got.json()).message, /--metrics-token/);
	const { serve } = await gateway(t, { args: ['--console', `${outside}:0`], env: { SLUICE_METRICS_TOKEN: TOKEN } });
	got = await at(serve);
	assert.equal(got.status, 401);
	assert.match(got.headers.get('www-authenticate'), /^Bearer/);
	for (const wrong of [`Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, `Basic ${TOKEN}`, 'Bearer ', KEY])
		assert.equal((await at(serve, { authorization: wrong })).status, 401, wrong);
	got = await at(serve, { authorization: `Bearer ${TOKEN}` });
	assert.equal(got.status, 200);
	parse(await got.text());
	assert.ok(!(serve.stderr() + serve.stdout()).includes(TOKEN));
});

test('on this machine: not through a proxy, not by a foreign name, with the token all the same', async (t) => {
	const { serve } = await gateway(t, { env: { SLUICE_METRICS_TOKEN: TOKEN } });
	const status = async (extra) => (await page(serve, { headers: extra })).status;
	assert.equal(await status({}), 200);
	assert.equal(await status({ host: 'localhost:1' }), 200);
	assert.equal(await status({ host: 'attacker.test' }), 401);
	assert.equal(await status({ 'x-forwarded-for': '8.8.8.8' }), 401);
	assert.equal(await status({ host: 'attacker.test', authorization: `Bearer ${TOKEN}` }), 200);
});

test('from elsewhere, as the administrator: by password and by session, without a token', async (t) => {
	const c = await startConsole(t);
	await c.init();
	const far = { 'x-forwarded-for': '8.8.8.8' };
	const get = (extra) => page(c.serve, { headers: { ...far, ...extra } });
	const { cookie } = c;
	assert.equal((await get({})).status, 403);
	let got = await get({ authorization: basic(`${ADMIN.name}:${ADMIN.password}`) });
	assert.equal(got.status, 200);
	parse(got.text);
	got = await get({ cookie });
	assert.equal(got.status, 200);
	for (const wrong of [{ authorization: basic(`${ADMIN.name}:not it`) }, { authorization: basic(`root:${ADMIN.password}`) }, { authorization: 'Basic !' }, { cookie: `${cookie}0` }])
		assert.equal((await get(wrong)).status, 401, JSON.stringify(wrong));
	assert.equal((await get({ authorization: `Bearer ${ADMIN.password}` })).status, 403);
	assert.ok(!c.serve.stderr().includes(ADMIN.password));
});

test('from elsewhere: passwords are tried a few times only', async (t) => {
	const c = await startConsole(t);
	await c.init();
	const get = (password) => page(c.serve, { headers: { 'x-forwarded-for': '8.8.8.8', authorization: basic(`${ADMIN.name}:${password}`) } });
	const got = await Promise.all(Array.from({ length: 80 }, (_, i) => get(`no ${i}`)));
	assert.deepEqual([...new Set(got.map((g) => g.status))].sort(), [401, 429]);
});

test('the listener is strict, and alone: nothing of it on the gateway', async (t) => {
	const { serve } = await gateway(t);
	const at = (method, path, extra) => request(serve.console, { method, path, ...extra });
	for (const path of ['/healthz/live', '/healthz/ready']) assert.equal((await at('GET', path)).status, 200);
	const head = await at('HEAD', '/metrics');
	assert.equal(head.status, 200);
	assert.equal(head.body.length, 0);
	assert.ok(Number(head.headers['content-length']) > 1000);
	for (const path of ['/metrics/', '/Metrics', '/v1/chat/completions', '/metrics%2f']) {
		const got = await at('GET', path);
		assert.equal(got.status, 404, path);
		assert.equal(got.json.success, false);
	}
	const post = await at('POST', '/metrics', { body: { a: 'x'.repeat(100000) } });
	assert.equal(post.status, 405);
	assert.equal(post.headers.allow, 'GET, HEAD');
	assert.match((await exchange(serve.console, 'GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n')).text, /^HTTP\/1.1 400 /);
	assert.equal((await request(serve.port, { method: 'GET', path: '/metrics', headers: { host: 'localhost' } })).status, 404);
	// Kept alive, a page behind the other.
	const two = await exchange(serve.console, 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
	assert.match(two.text, /sluice_build_info[^]*\r\n\r\nok$/);
});

test('readers that never read cannot pile pages up, and those that leave are forgotten', async (t) => {
	const { serve } = await gateway(t);
	for (let i = 0; i < 50; i++) {
		const socket = net.connect(serve.console, '127.0.0.1');
		socket.on('error', () => {});
		socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(3));
		if (i % 2) socket.on('connect', () => socket.destroy());
		else t.after(() => socket.destroy());
	}
	await scrape(serve);
});

test('while it drains: not ready, metrics still there', async (t) => {
	const { serve } = await gateway(t, {
		handler: (req, res) => {
			res.writeHead(200, { 'content-type': 'text/event-stream' });
			res.write(sse(chunk('x')));
			setTimeout(() => res.end('data: [DONE]\n\n'), 1500);
		},
	});
	const running = request(serve.port, { headers, body: ask('asked', { stream: true }) });
	await until('the stream', async () => (await scrape(serve)).samples.get('sluice_exchanges_open') === 1);
	serve.kill('SIGTERM');
	await until('draining', async () => (await request(serve.console, { method: 'GET', path: '/healthz/ready' })).status === 503);
	assert.equal((await scrape(serve)).samples.get('sluice_exchanges_open'), 1);
	assert.match((await running).text, /\[DONE\]/);
	assert.deepEqual(await serve.exited, { code: 0, signal: null });
});

test('an address in use is a sentence; so is a token that is too short', async (t) => {
	const { serve, data } = await gateway(t);
	const args = ['serve', '--data', data, '--gateway', '127.0.0.1:0'];
	const taken = await run([...args, '--console', `127.0.0.1:${serve.console}`]);
	assert.equal(taken.code, 1);
	assert.match(taken.stderr, /management cannot listen on 127\.0\.0\.1:\d+ \(the address is in use\); choose another --console/);
	const short = await run([...args, '--metrics-token', 'short']);
	assert.equal(short.code, 2);
	assert.match(short.stderr, /at least 16/);
	const check = await run([...args, '--check'], { env: { SLUICE_METRICS_TOKEN: TOKEN } });
	assert.equal(check.code, 0);
	assert.match(check.stdout, /# metrics-token: set, and not shown/);
	assert.ok(!check.stdout.includes(TOKEN));
});

test('a trace goes on to the upstream under a span of our own', async (t) => {
	const { serve, upstream } = await gateway(t);
	const id = '4bf92f3577b34da6a3ce929d0e0e4736';
	const send = async (extra) => {
		assert.equal((await request(serve.port, { headers: { ...headers, ...extra }, body: ask('asked') })).status, 200);
		return upstream.requests.at(-1).headers;
	};
	const spans = new Set();
	for (const flags of ['00', '01']) {
		const got = await send({ traceparent: `00-${id}-00f067aa0ba902b7-${flags}`, tracestate: 'a=1' });
		const [, trace, span, flag] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(got.traceparent);
		assert.equal(trace, id);
		assert.notEqual(span, '00f067aa0ba902b7');
		assert.equal(flag, flags);
		assert.equal(got.tracestate, 'a=1');
		spans.add(span);
	}
	for (const bad of [undefined, `00-${id.toUpperCase()}-00f067aa0ba902b7-01`]) {
		const got = await send(bad ? { traceparent: bad, tracestate: 'a=1' } : {});
		const [, trace, span] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-00$/.exec(got.traceparent);
		assert.notEqual(trace.toLowerCase(), id);
		assert.equal(got.tracestate, undefined);
		spans.add(span);
	}
	assert.equal(spans.size, 4);
	const own = await send({ 'x-request-id': 'mine-1' });
	assert.equal(own['x-request-id'], 'mine-1');
	assert.match((await send({}))['x-request-id'], /^[0-9a-f]{32}$/);
});
