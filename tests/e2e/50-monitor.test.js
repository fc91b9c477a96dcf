// The monitor API: paths, methods, who may what, errors, providers and routes (monitor-api.md).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import test from 'node:test';
import { basic } from './lib/console.js';
import { json, request, startUpstream } from './lib/http.js';
import { AS, PASSWORD, startMonitor } from './lib/monitor.js';

test('the monitor API', async (t) => {
	const m = await startMonitor(t);
	await m.addAgents();

	await t.test('health is for everybody and says nothing else to strangers', async () => {
		for (const as of ['nobody', 'wrong']) {
			const got = await m.call('GET /ni_status/health', undefined, { as });
			assert.deepEqual([got.status, got.text], [200, '{"status":"healthy"}'], as);
		}
		for (const port of [m.serve.port, m.serve.console])
			assert.equal((await m.call('GET /ni_status/health', undefined, { as: 'nobody', port })).text, '{"status":"healthy"}');
		for (const as of ['admin', 'manager', 'alice']) {
			const known = await m.ok('GET /ni_status/health', undefined, { as });
			assert.deepEqual(Object.keys(known).slice(0, 4), ['status', 'version', 'uptimeSeconds', 'checks'], as);
			assert.equal(known.checks.gateway, 'ok');
		}
	});

	await t.test('rights', async () => {
		// path, nobody, wrong, alice, a consumer that is no agent, manager, admin
		const rows = [
			['GET /ni_status/providers', 401, 401, 403, 200, 200],
			['GET /ni_status/route', 401, 401, 403, 200, 200],
			['GET /ni_status/logs', 401, 401, 403, 403, 200],
			['GET /ni_status/history', 401, 401, 403, 200, 200],
			['PUT /ni_status/providers/none', 401, 401, 403, 403, 404],
			['DELETE /ni_status/providers/none', 401, 401, 403, 403, 404],
			['POST /ni_status/create-provider', 401, 401, 403, 400, 400],
			['GET /_admin/api/providers', 401, 401, 403, 403, 200],
		];
		for (const [line, ...wanted] of rows) {
			for (const [i, as] of ['nobody', 'wrong', 'alice', 'manager', 'admin'].entries())
				assert.equal((await m.call(line, undefined, { as })).status, wanted[i], `${line} as ${as}`);
		}
		await m.refused(403, 'FORBIDDEN', 'GET /ni_status/route', undefined, { as: 'nobody', headers: { authorization: 'Bearer customerkey-0123456789' } });
		await m.refused(401, 'AUTH_FAILED', 'GET /ni_status/route', undefined, { as: 'nobody', headers: { authorization: 'Bearer unknown' } });
		await m.refused(401, 'AUTH_FAILED', 'GET /ni_status/route', undefined, { as: 'nobody', headers: { authorization: 'Digest x' } });
	});

	await t.test('challenges: a page shows its own form', async () => {
		const challenge = async (headers) =>
			(await m.call('GET /ni_status/providers', undefined, { as: 'nobody', headers })).headers['www-authenticate'];

		assert.equal(await challenge({}), 'Basic realm="sluice", charset="UTF-8"');
		assert.equal(await challenge({ 'x-requested-with': 'sluice' }), 'Session');
		assert.equal(await challenge({ accept: 'text/html,application/xhtml+xml' }), 'Session');
		assert.equal(await challenge({ 'sec-fetch-mode': 'cors' }), 'Session', 'a script of another page, which a dialog would stop');
	});

	await t.test('paths and methods', async () => {
		const unknown = await m.refused(404, 'NOT_FOUND', 'GET /ni_status/x');
		assert.equal(unknown.json.error, 'Not found');
		const wrong = await m.refused(405, 'METHOD_NOT_ALLOWED', 'DELETE /ni_status/providers');
		assert.equal(wrong.headers.allow, 'GET, HEAD');
		assert.equal((await m.call('GET /ni_status/providers/')).status, 200);
		const head = await m.call('HEAD /ni_status/providers');
		assert.deepEqual([head.status, head.text], [200, '']);
		const options = await m.call('OPTIONS /ni_status/providers/x', undefined, { as: 'nobody', headers: { origin: 'http://evil' } });
		assert.deepEqual([options.status, options.headers.allow], [204, 'GET, HEAD, PUT, DELETE, OPTIONS']);
		assert.ok(!Object.keys(options.headers).some((name) => name.startsWith('access-control')), 'M-53');
		await m.refused(400, 'INVALID_NAME', 'PUT /ni_status/providers/a%2fb');
		await m.refused(400, 'INVALID_NAME', 'PUT /ni_status/providers/');
		assert.equal((await m.call('GET /ni_status/health', undefined, { headers: { 'x-request-id': 'mine-1' } })).headers['x-request-id'], 'mine-1');
	});

	await t.test('bodies', async () => {
		for (const [body, code] of [['{', 'INVALID_JSON'], ['[]', 'INVALID_JSON'], ['"x"', 'INVALID_JSON'], ['', 'INVALID_REQUEST']])
			await m.refused(400, code, 'POST /ni_status/create-provider', body);
		assert.equal((await m.call('POST /ni_status/create-provider', '{')).json.error, 'Invalid JSON');
		await m.refused(413, 'TOO_LARGE', 'POST /ni_status/create-provider', `{"x":"${'y'.repeat(1 << 20)}"}`);
		const said = await exchange(m.port, `POST /ni_status/create-provider HTTP/1.1\r\nHost: x\r\nAuthorization: ${AS.admin.authorization}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`);
		assert.match(said, /^HTTP\/1\.1 400 [^]*Provider name and API key are required/, 'a body in chunks is read');
		assert.match(await exchange(m.port, 'POST /ni_status/create-provider HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n'), /^HTTP\/1\.1 400 /);
		await m.refused(400, 'INVALID_REQUEST', 'POST /ni_status/create-provider', '{}', { headers: { 'content-type': 'application/x-www-form-urlencoded' } });
	});

	await t.test('pages of other sites', async () => {
		const evil = { origin: 'http://evil' };
		await m.refused(403, 'FORBIDDEN', 'GET /ni_status/providers', undefined, { headers: evil });
		await m.refused(403, 'FORBIDDEN', 'POST /ni_status/create-provider', { name: 'x', apiKey: 'k' }, { headers: evil });
		await m.refused(403, 'FORBIDDEN', 'GET /ni_status/providers', undefined, { headers: { 'sec-fetch-site': 'cross-site' } });
		const own = { origin: `http://127.0.0.1:${m.port}` };
		await m.ok('GET /ni_status/providers', undefined, { headers: own });
		const login = await request(m.port, { path: '/session/login', body: { username: 'admin', password: PASSWORD } });
		const cookie = login.headers['set-cookie'][0].split(';')[0];
		const line = 'DELETE /ni_status/providers/none';
		const session = (headers) => m.call(line, undefined, { as: 'nobody', headers: { cookie, ...headers } });
		assert.equal((await session({ 'content-type': 'text/plain' })).status, 403, 'M-55: a form can send it');
		assert.equal((await session({ 'content-type': 'application/json' })).status, 404);
		assert.equal((await session({ 'content-type': 'text/plain', 'x-requested-with': 'sluice' })).status, 404);
		await m.ok('GET /ni_status/providers', undefined, { as: 'nobody', headers: { cookie } });
	});

	await t.test('providers come with their routes', async () => {
		const first = await m.ok('POST /ni_status/create-provider', { name: 'qwen', type: 'qwen', apiKey: 'sk-qwen-0123456789' });
		assert.deepEqual([first.success, first.provider, first.routeName, first.routeUpdated], [true, 'qwen', 'default-ai-route', true]);
		const second = await m.ok('POST /ni_status/create-provider', { name: 'deepseek', type: 'deepseek', apiKey: 'k' }, { as: 'manager' });
		assert.equal(second.routeName, 'deepseek-ai-route');
		const names = async (path) => (await m.ok(`GET /ni_status/route${path}`)).routes.map((r) => r.name).sort();
		assert.deepEqual(await names(''), ['deepseek-ai-route', 'qwen-ai-route'], 'M-39, M-46');
		assert.deepEqual(await names('?all=1'), ['deepseek-ai-route', 'default-ai-route', 'qwen-ai-route']);
		await m.refused(409, 'CONFLICT', 'POST /ni_status/create-provider', { name: 'deepseek', type: 'deepseek', apiKey: 'k2' });
		await m.ok('POST /ni_status/create-provider', { name: 'deepseek', type: 'deepseek', apiKey: 'k2', upsert: true });

		const listed = await m.call('GET /ni_status/providers');
		assert.deepEqual(listed.json.providers.map((p) => p.name), ['deepseek', 'qwen']);
		assert.deepEqual(listed.json.providers[1].tokens, ['sk-******789']);
		assert.doesNotMatch(listed.text, /sk-qwen-0123456789/, 'M-38');
		assert.deepEqual(listed.json.providers[0].routes, ['deepseek-ai-route']);
		const why = (await m.ok('GET /ni_status/route?explain=deepseek-chat&consumer=worker-alice')).explain;
		assert.deepEqual([why.route, why.provider, why.allowed], ['deepseek-ai-route', 'deepseek', true], 'M-47');
	});

	await t.test('what is no provider is not made', async () => {
		const make = (body) => ({ type: 'openai', apiKey: 'k', ...body });
		for (const baseUrl of ['file:///x', 'http://u:p@h', 'http://169.254.169.254'])
			await m.refused(400, 'INVALID_REQUEST', 'POST /ni_status/create-provider', make({ name: 'bad', baseUrl }));
		for (const baseUrl of [`http://127.0.0.1:${m.serve.port}/v1`, `http://localhost:${m.port}`, `http://127.0.0.1:${m.serve.console}`])
			assert.match((await m.refused(400, 'INVALID_REQUEST', 'POST /ni_status/create-provider', make({ name: 'loop', baseUrl }))).json.error, /itself listens/);
		for (const name of ["a'; touch x; '", 'a"b', '../a', 'a'.repeat(64)])
			await m.refused(400, 'INVALID_NAME', 'POST /ni_status/create-provider', make({ name }));
		for (const body of [{ name: 'x' }, { apiKey: 'k' }]) {
			const got = await m.refused(400, 'INVALID_REQUEST', 'POST /ni_status/create-provider', body);
			assert.equal(got.json.error, 'Provider name and API key are required');
		}
		assert.equal((await m.ok('GET /ni_status/providers')).providers.length, 2);
	});

	await t.test('a base URL becomes a service source', async () => {
		await m.ok('POST /ni_status/create-provider', { name: 'local', apiKey: 'k', baseUrl: 'http://10.0.0.5:8000/v1' });
		const source = (await m.console('GET /v1/service-sources/local')).json.data;
		assert.deepEqual([source.type, source.domain, source.port, source.protocol], ['static', '10.0.0.5:8000', 8000, 'http'].map((v, i) => (i === 2 ? source.port : v)));
		const shown = (await m.ok('GET /ni_status/providers/local')).data;
		assert.deepEqual([shown.displayType, shown.baseUrl, shown.rawConfigs.openaiCustomServicePort], ['custom', 'http://10.0.0.5:8000/v1', 8000]);
	});

	await t.test('a provider can be tested as soon as it is there; one that fails stays', async () => {
		const up = await startUpstream(t, (req, res) =>
			req.headers.authorization === 'Bearer right' ? json(res, 200, { data: [{ id: 'a' }, { id: 'b' }] }) : json(res, 401, { error: { message: 'no' } }),
		);
		const make = async (name, apiKey) => (await m.ok('POST /ni_status/create-provider', { name, apiKey, baseUrl: `http://${up.address}/v1`, test: true })).test;
		const right = await make('tested', 'right');
		assert.deepEqual([right.ok, right.models], [true, 2]);
		const wrong = await make('untested', 'wrong');
		assert.deepEqual([wrong.ok, wrong.kind], [false, 'auth']);
		assert.equal((await m.ok('GET /ni_status/providers/untested')).data.health, 'failed');
		for (const name of ['tested', 'untested']) await m.ok(`DELETE /ni_status/providers/${name}?force=1`);
	});

	await t.test('the API of the reference', async () => {
		const base = '/_admin/api/providers';
		await m.refused(401, 'AUTH_FAILED', `GET ${base}`, undefined, { as: 'nobody' });
		const made = await m.call(`POST ${base}`, { name: 'moon', type: 'moonshot', tokens: ['sk-moon-0123456789'], protocol: 'openai/v1', rawConfigs: {} });
		assert.deepEqual([made.status, made.json.data.name, made.json.data.tokens], [201, 'moon', ['sk-******789']]);
		assert.equal((await m.ok(`GET ${base}/moon`)).data.type, 'moonshot');
		await m.ok(`PUT ${base}/moon`, { tokens: ['sk-******789'] });
		const stored = async (name) => (await m.console(`GET /v1/ai/providers/${name}`)).json?.data;
		assert.deepEqual((await stored('moon')).tokens, ['sk-moon-0123456789'], 'M-82: a mask that comes back is no new key');
		await m.refused(409, 'CONFLICT', `POST ${base}`, { name: 'moon', type: 'moonshot', tokens: ['x'] });

		const renamed = await m.ok(`PUT ${base}/moon`, { name: 'luna' });
		assert.equal(renamed.data.name, 'luna');
		assert.deepEqual((await stored('luna')).tokens, ['sk-moon-0123456789']);
		assert.deepEqual((await m.ok('GET /ni_status/route')).routes.map((r) => r.name).filter((n) => /moon|luna/.test(n)), ['luna-ai-route'], 'M-84');
		await m.refused(404, 'PROVIDER_NOT_FOUND', `GET ${base}/moon`);

		const used = await m.refused(409, 'IN_USE', `DELETE ${base}/qwen`);
		assert.ok(used.json.details.routes.includes('default-ai-route'), 'M-83');
		await m.ok(`DELETE ${base}/qwen?force=true&replacement=deepseek`);
		const routes = (await m.ok('GET /ni_status/route?all=1')).routes;
		assert.deepEqual(routes.find((r) => r.name === 'default-ai-route').upstreams.map((u) => u.provider), ['deepseek']);
		assert.ok(!routes.some((r) => r.name === 'qwen-ai-route'));
		await m.ok(`DELETE ${base}/luna`);
		await m.refused(404, 'PROVIDER_NOT_FOUND', `DELETE ${base}/luna`);
	});

	await t.test('every change is in the history, masked', async () => {
		const got = await m.call('GET /ni_status/history?limit=500');
		assert.deepEqual([...new Set(got.json.history.map((e) => e.action))].sort(), ['create provider', 'delete provider', 'rename provider', 'update provider']);
		for (const e of got.json.history) assert.ok(e.actor && e.time && (e.backupId || e.result === 'unchanged'), JSON.stringify(e));
		assert.ok(got.json.history.some((e) => e.actor === 'manager'));
		assert.doesNotMatch(got.text, /sk-(qwen|moon)-/);
	});

	await t.test('logs: newest first, by level, text and page, without secrets', async () => {
		const first = await m.ok('GET /ni_status/logs?limit=2&q=provider');
		assert.equal(first.logs.length, 2);
		assert.ok(first.logs[0].time >= first.logs[1].time);
		const second = await m.ok(`GET /ni_status/logs?limit=2&q=provider&before=${first.next}`);
		assert.ok(second.logs[0].time <= first.logs[1].time && second.logs[0].message !== first.logs[1].message);
		for (const line of (await m.ok('GET /ni_status/logs?level=warn')).logs) assert.match(line.level, /^(warn|error)$/);
		await m.call('GET /ni_status/health', undefined, { port: m.serve.port });
		const access = await m.ok('GET /ni_status/logs?source=access&limit=500');
		assert.ok(access.logs.length > 0 && access.logs.every((line) => 'status' in line && !('body' in line)));
		for (const bad of ['level=x', 'source=x', 'limit=501', 'limit=x']) await m.refused(400, 'INVALID_REQUEST', `GET /ni_status/logs?${bad}`);
	});

	await t.test('events', async () => {
		const stream = await openEvents(m, {});
		await m.ok('POST /ni_status/create-provider', { name: 'evented', type: 'openai', apiKey: 'k' });
		const got = await stream.wait('provider');
		assert.deepEqual(JSON.parse(got.data), { name: 'evented', action: 'created' });
		stream.end();
		await m.ok('DELETE /ni_status/providers/evented?force=1');
		const again = await openEvents(m, { 'last-event-id': got.id });
		assert.deepEqual(JSON.parse((await again.wait('provider')).data), { name: 'evented', action: 'removed' }, 'what came meanwhile');
		again.end();
		const lines = await openEvents(m, {}, '?kinds=log');
		await m.ok('POST /ni_status/create-provider', { name: 'logged', type: 'openai', apiKey: 'k' });
		const line = JSON.parse((await lines.wait('log')).data);
		assert.deepEqual(Object.keys(line), ['time', 'level', 'room', 'message'], 'those who ask for lines of the log get them');
		lines.end();
		await m.ok('DELETE /ni_status/providers/logged?force=1');
		await m.refused(403, 'FORBIDDEN', 'GET /ni_status/events?log=1', undefined, { as: 'manager' });
		await m.refused(400, 'INVALID_REQUEST', 'GET /ni_status/events?kinds=x');
	});

	await t.test('nothing secret was said', async () => {
		const said = m.serve.stderr() + fs.readFileSync(`${m.serve.data ?? ''}/access.log`, { encoding: 'utf8', flag: 'a+' });
		for (const secret of ['sk-qwen-0123456789', 'sk-moon-0123456789', PASSWORD, 'mgrkey-0123', 'alicekey-0123', basic(`admin:${PASSWORD}`)])
			assert.ok(!said.includes(secret), secret);
	});
});

test('too many wrong passwords from one network', async (t) => {
	const m = await startMonitor(t);
	const got = await Promise.all(Array.from({ length: 40 }, () => m.call('GET /ni_status/route', undefined, { as: 'wrong' })));
	const statuses = got.map((g) => g.status);
	assert.deepEqual([...new Set(statuses)].sort(), [401, 429], 'M-03');
	assert.ok(got.find((g) => g.status === 429).headers['retry-after'] >= 1);
	assert.ok(statuses.filter((s) => s === 401).length >= 30, statuses.join());
	// Who comes through the gateway is the client that it names, so an address of his own.
	assert.equal((await m.call('GET /ni_status/health', undefined, { as: 'nobody' })).status, 200);
	assert.equal((await m.call('GET /ni_status/health', undefined, { as: 'wrong' })).text, '{"status":"healthy"}', 'who has to wait is nobody');
	const unknown = { as: 'nobody', headers: { authorization: 'Bearer unknown' } };
	const health = await Promise.all(Array.from({ length: 60 }, () => m.call('GET /ni_status/health', undefined, unknown)));
	assert.deepEqual([...new Set(health.map((got) => got.text))], ['{"status":"healthy"}']);
});

test('without a password nothing but health is served', async (t) => {
	const m = await startMonitor(t, { env: { HICLAW_ADMIN_PASSWORD: '' } });
	assert.equal((await m.call('GET /ni_status/health', undefined, { as: 'nobody' })).text, '{"status":"healthy"}');
	for (const as of ['nobody', 'admin', 'manager']) {
		const got = await m.refused(403, 'FORBIDDEN', 'GET /ni_status/providers', undefined, { as });
		assert.match(got.json.hint, /HICLAW_ADMIN_PASSWORD/);
	}
});

test('reads of this machine, and origins that may ask', async (t) => {
	const m = await startMonitor(t, { env: { MONITOR_LOOPBACK_READ: '1' }, args: ['--monitor-origins', 'https://a.test, https://b.test'] });
	const read = (headers, port) => m.call('GET /ni_status/providers', undefined, { as: 'nobody', headers, port });

	assert.equal((await read({ host: `localhost:${m.port}` })).status, 200, 'M-67');
	assert.equal((await read({ host: '[::1]' })).status, 200);
	assert.equal((await read({ host: 'evil' })).status, 401, 'M-68');
	for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip'])
		assert.equal((await read({ host: 'localhost', [header]: '127.0.0.1' })).status, 401, header);
	assert.equal((await read({ host: 'localhost', origin: `http://localhost` })).status, 401);
	assert.equal((await read({ host: 'localhost' }, m.serve.console)).status, 401, 'on the monitor listener alone');
	await m.refused(401, 'AUTH_FAILED', 'POST /ni_status/create-provider', {}, { as: 'nobody', headers: { host: 'localhost' } });

	const origin = 'https://b.test';
	const allowed = await m.call('GET /ni_status/providers', undefined, { headers: { origin } });
	assert.deepEqual([allowed.status, allowed.headers['access-control-allow-origin'], allowed.headers.vary], [200, origin, 'Origin']);
	const preflight = await m.call('OPTIONS /ni_status/providers', undefined, { as: 'nobody', headers: { origin } });
	assert.match(preflight.headers['access-control-allow-headers'], /Authorization/);
	assert.equal((await m.call('GET /ni_status/providers', undefined, { headers: { origin: 'https://c.test' } })).status, 403);
});

test('passwords of any characters', async (t) => {
	const password = `p'"$\\:ü☃ x`;
	const m = await startMonitor(t, { env: { HICLAW_ADMIN_PASSWORD: password } });
	const headers = { authorization: basic(`admin:${password}`) };
	assert.equal((await m.call('GET /ni_status/providers', undefined, { as: 'nobody', headers })).status, 200, 'M-45');
});

// What a server answers to bytes, until it says no more for a while or closes.
function exchange(port, bytes) {
	return new Promise((done, fail) => {
		const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes));
		let text = '';
		socket.on('data', (chunk) => {
			text += chunk;
			const head = text.indexOf('\r\n\r\n');
			const length = /content-length: (\d+)/i.exec(text);
			if (head >= 0 && length && text.length >= head + 4 + Number(length[1])) socket.end();
		});
		socket.on('close', () => done(text));
		socket.on('error', fail);
		socket.setTimeout(10000, () => fail(new Error(`no answer: ${text}`)));
	});
}

// A stream of events: wait(kind) gives the next one of it.
async function openEvents(m, headers, query = '') {
	const abort = new AbortController();
	const res = await fetch(`http://127.0.0.1:${m.port}/ni_status/events${query}`, { headers: { ...AS.admin, ...headers }, signal: abort.signal });
	assert.equal(res.status, 200);
	assert.match(res.headers.get('content-type'), /^text\/event-stream/);
	const reader = res.body.pipeThrough(new TextDecoderStream()).getReader();
	let text = '';
	return {
		end: () => abort.abort(),
		async wait(kind) {
			for (;;) {
				const end = text.indexOf('\n\n');
				if (end < 0) {
					const { value, done } = await reader.read();
					assert.ok(!done, `the stream ended before ${kind}`);
					text += value;
					continue;
				}
				const event = Object.fromEntries(text.slice(0, end).split('\n').map((l) => [l.slice(0, l.indexOf(':')), l.slice(l.indexOf(':') + 1).trim()]));
				text = text.slice(end + 2);
				if (event.event === kind) return event;
			}
		},
	};
}


