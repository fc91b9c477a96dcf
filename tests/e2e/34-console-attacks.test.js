// The management listener under people who mean harm: sessions that should have ended, pages of a browser that
// ask for somebody else, floods by strangers, and clients that leave while their requests are worked on.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { exchange, parseAnswers, request } from './lib/http.js';
import { isSanitized, run, sleep, startServe, tempDir, until } from './lib/sluice.js';

const ADMIN = { name: 'admin', password: 'Adm1n-pw', displayName: 'admin' };
const basic = (text) => `Basic ${Buffer.from(text).toString('base64')}`;

async function start(t, { data = tempDir(t), args = [], init = true } = {}) {
	fs.mkdirSync(path.join(data, 'resources'), { recursive: true });
	const serve = await startServe(t, { data, args: ['--access-log', 'off', ...args] });
	const api = { serve, data, port: serve.console, cookie: null };
	api.call = async (line, body, headers = {}) => {
		const [method, target] = line.split(' ');
		return request(serve.console, { method, path: target, body, headers: { ...(api.cookie ? { cookie: api.cookie } : {}), ...headers } });
	};
	api.login = async (password) => {
		const got = await request(serve.console, { path: '/session/login', body: { username: 'admin', password } });
		return { status: got.status, cookie: got.headers['set-cookie']?.[0].split(';')[0] };
	};
	if (init) {
		assert.equal((await api.call('POST /system/init', { adminUser: ADMIN })).status, 200);
		api.cookie = (await api.login(ADMIN.password)).cookie;
	}
	return api;
}

// A request whose body comes later: { rest(), answer } (answer: a promise of { status, headers, body }).
function half(t, port, line, body, headers = {}) {
	const payload = JSON.stringify(body);
	const socket = net.connect(port, '127.0.0.1');
	t.after(() => socket.destroy());
	const head = [`${line} HTTP/1.1`, 'Host: 127.0.0.1', 'Content-Type: application/json', `Content-Length: ${payload.length}`, 'Connection: close'];
	for (const [name, value] of Object.entries(headers)) head.push(`${name}: ${value}`);
	socket.write(`${head.join('\r\n')}\r\n\r\n${payload.slice(0, 3)}`);
	let text = '';
	const answer = new Promise((resolve) => {
		socket.on('data', (chunk) => (text += chunk.toString('latin1')));
		socket.on('error', () => {});
		socket.on('close', () => resolve(parseAnswers(text)[0]));
	});
	return { socket, answer, rest: () => (socket.write(payload.slice(3)), answer) };
}

test('what was begun with the old password does not outlive it', async (t) => {
	const api = await start(t);
	const withBasic = { Authorization: basic('admin:Adm1n-pw') };
	assert.equal((await request(api.port, { method: 'GET', path: '/user/info', headers: withBasic })).status, 200);
	const rows = [
		['a log-in', half(t, api.port, 'POST /session/login', { username: 'admin', password: 'Adm1n-pw' })],
		['a change with a cookie', half(t, api.port, 'POST /v1/domains', { name: 'a.example.com' }, { Cookie: api.cookie })],
		['a change with a password', half(t, api.port, 'POST /v1/domains', { name: 'b.example.com' }, withBasic)],
		['what the console keeps', half(t, api.port, 'PUT /dashboard/info', { url: 'http://x.example.com' }, { Cookie: api.cookie })],
	];
	await sleep(100); // their heads are read, who asks is known
	assert.equal((await api.call('POST /user/changePassword', { oldPassword: 'Adm1n-pw', newPassword: 'another' })).status, 200);
	for (const [what, slow] of rows) {
		const got = await slow.rest();
		assert.equal(got.status, 401, `${what}: ${got.status} ${got.body}`);
		assert.equal(got.headers['set-cookie'], undefined, what);
	}
	const { cookie } = await api.login('another');
	assert.deepEqual((await api.call('GET /v1/domains', undefined, { cookie })).json.data, []);
	assert.equal((await api.call('GET /dashboard/info', undefined, { cookie })).json.data.url, null);
});

test('an old password that is being checked while it is changed is not remembered', async (t) => {
	const api = await start(t);
	const old = { authorization: basic('admin:Adm1n-pw') };
	const ask = () => request(api.port, { method: 'GET', path: '/user/info', headers: old }).then((g) => g.status);
	let changed = false;
	const change = api.call('POST /user/changePassword', { oldPassword: 'Adm1n-pw', newPassword: 'another' }).then((g) => {
		changed = true;
		return g.status;
	});
	while (!changed) await Promise.all(Array.from({ length: 8 }, (_, i) => request(api.port, { method: 'GET', path: `/user/info?${i}`, headers: { authorization: `${old.authorization}` } })));
	assert.equal(await change, 200);
	for (let i = 0; i < 5; i++) assert.equal(await ask(), 401);
});

test('a page of another site changes nothing, whoever is logged in', async (t) => {
	const fresh = await start(t, { init: false });
	const page = (port, origin, more = {}) => ({ origin, host: `127.0.0.1:${port}`, 'content-type': 'text/plain', ...more });
	const init = { adminUser: ADMIN };
	for (const [headers, why] of [
		[page(fresh.port, 'http://evil.example.com'), 'fetch with no-cors brings no preflight'],
		[page(fresh.port, 'null'), 'a sandboxed frame, a file'],
		[page(fresh.port, `http://127.0.0.1:${fresh.port + 1}`), 'another program of this machine is another origin'],
		[page(fresh.port, `http://127.0.0.1:${fresh.port}`, { 'sec-fetch-site': 'cross-site' }), 'what the browser says holds'],
		[page(fresh.port, `http://127.0.0.1:${fresh.port}`, { 'sec-fetch-site': 'same-site' }), 'a cookie with SameSite is sent there'],
	]) {
		const got = await fresh.call('POST /system/init', init, headers);
		assert.equal(got.status, 403, `${why}: ${got.text}`);
		assert.equal(got.json.success, false);
	}
	assert.equal((await fresh.call('GET /system/config')).json.data['system.initialized'], false);
	const own = { origin: `http://127.0.0.1:${fresh.port}`, 'sec-fetch-site': 'same-origin' };
	assert.equal((await fresh.call('POST /system/init', init, own)).status, 200, 'its own page');
	fresh.cookie = (await fresh.login(ADMIN.password)).cookie;
	for (const line of ['POST /v1/domains', 'PUT /v1/domains/a.example.com', 'DELETE /v1/domains/a.example.com', 'POST /user/changePassword', 'POST /session/login', 'PUT /v1/resources', 'POST /v1/backups'])
		assert.equal((await fresh.call(line, {}, page(fresh.port, 'http://evil.example.com'))).status, 403, line);
	assert.equal((await fresh.call('POST /v1/domains', { name: 'a.example.com' }, own)).status, 201);
	assert.equal((await fresh.call('GET /v1/domains', undefined, page(fresh.port, 'http://evil.example.com'))).status, 200, 'reading is kept from pages by the browser');
	// Behind a proxy that writes Host anew, the name that people use is in X-Forwarded-Host.
	const proxied = { origin: 'https://console.example.com', 'x-forwarded-host': 'console.example.com' };
	assert.equal((await fresh.call('POST /v1/domains', { name: 'b.example.com' }, proxied)).status, 201);
});

test('log-ins that wait with their bodies are slowed down like all others', async (t) => {
	const api = await start(t);
	const all = Array.from({ length: 120 }, () => half(t, api.port, 'POST /session/login', { username: 'admin', password: 'wrong' }));
	await sleep(300); // all heads are read
	const answers = await Promise.all(all.map((h) => h.rest()));
	const hashed = answers.filter((g) => g.status === 401).length;
	assert.equal(answers.filter((g) => g.status === 429).length, 120 - hashed);
	assert.ok(hashed >= 20 && hashed <= 40, `${hashed} of 120 were hashed`);
});

test('strangers that hold connections keep nobody out', async (t) => {
	const api = await start(t);
	const held = [];
	t.after(() => held.forEach((s) => s.destroy()));
	const hold = async (n, bytes) => {
		for (let i = 0; i < n; i++) {
			const s = net.connect(api.port, '127.0.0.1');
			s.on('error', () => {});
			held.push(s);
			await new Promise((resolve) => s.on('connect', resolve));
			if (bytes) s.write(bytes);
		}
	};
	await hold(300, '');
	assert.equal((await api.call('GET /user/info')).status, 200, 'connections that say nothing');
	await hold(300, 'POST /session/lo');
	assert.equal((await api.call('GET /user/info')).status, 200, 'heads that do not end');
	await hold(300, 'POST /session/login HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{');
	assert.equal((await api.call('GET /user/info')).status, 200, 'bodies that do not end');
});

test('strangers do not stand in the queue of changes', async (t) => {
	const api = await start(t);
	let done = 0;
	const writes = Array.from({ length: 150 }, (_, i) => api.call('POST /v1/domains', { name: `d${i}.example.com` }).then((g) => {
		done++;
		return g.status;
	}));
	await Promise.race(writes);
	const got = await request(api.port, { path: '/system/init', body: { adminUser: ADMIN } });
	const before = done;
	assert.equal(got.status, 500);
	assert.match(got.text, /already.?init/);
	assert.deepEqual([...new Set(await Promise.all(writes))], [201]);
	assert.ok(before < 150, 'it was answered behind all of them');
});

test('a name from the environment that no session could hold is refused at the start', async (t) => {
	const data = tempDir(t);
	fs.mkdirSync(path.join(data, 'resources'));
	const { code, stderr } = await run(['serve', '--data', data, '--gateway', '127.0.0.1:0'], { env: { HICLAW_ADMIN_USER: 'x'.repeat(600), HICLAW_ADMIN_PASSWORD: 'p' } });
	assert.equal(code, 1);
	assert.match(stderr, /HICLAW_ADMIN_USER is too long/);
});

test('an object of very many members is refused before anybody looks for each of them', async (t) => {
	const api = await start(t);
	const object = (n) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, 1]));
	for (const [line, body] of [
		['PUT /v1/global/plugin-instances/key-auth', { enabled: true, configurations: { a: object(300000) } }],
		['POST /v1/ai/providers', { name: 'p', type: 'openai', tokens: ['t'], rawConfigs: { a: [{ b: object(10001) }] } }],
		['PUT /v1/resources', object(10001)],
	]) {
		const got = await api.call(line, body);
		assert.equal(got.status, 400, `${line}: ${got.text.slice(0, 200)}`);
		assert.match(got.json.message, /more than 10000 members/);
	}
	const few = { name: 'p', type: 'openai', tokens: ['t'], rawConfigs: { a: object(10000) } };
	assert.equal((await api.call('POST /v1/ai/providers', few)).status, 201);
	assert.deepEqual(await api.serve.stop(), { code: 0, signal: null });
});

test('a version that somebody wrote into a file is no part of a header', async (t) => {
	const api = await start(t);
	const file = path.join(api.data, 'resources/configmaps/domain-a.example.com.yaml');
	assert.equal((await api.call('POST /v1/domains', { name: 'a.example.com' })).status, 201);
	const text = fs.readFileSync(file, 'utf8');
	for (const version of ['1\r\nX-Evil: 1', 'a"b', '\x01', 'é', '1,2', 'x'.repeat(100000)]) {
		fs.writeFileSync(file, text.replace(/resourceVersion: .*/, () => `resourceVersion: ${JSON.stringify(version)}`));
		const got = await until('the file is read', async () => {
			const g = await api.call('GET /v1/domains/a.example.com');
			return g.json.data.version === version && g;
		});
		assert.match(got.headers.etag, /^"[0-9a-f]+"$/, JSON.stringify(version.slice(0, 20)));
		assert.equal(got.headers['x-evil'], undefined);
		assert.equal((await api.call('PUT /v1/domains/a.example.com', { enableHttps: 'on' }, { 'if-match': '"1"' })).status, 412);
		assert.equal((await api.call('PUT /v1/domains/a.example.com', { enableHttps: 'on' }, { 'if-match': got.headers.etag })).status, 200);
	}
});

test('names of files in a backup do not reach the terminal as what it obeys', async (t) => {
	const api = await start(t);
	const env = { SLUICE_SERVER: `http://127.0.0.1:${api.port}`, SLUICE_PASSWORD: ADMIN.password };
	const { id } = (await api.call('POST /v1/backups', { reason: 'before' })).json;
	fs.mkdirSync(path.join(api.data, 'resources/configmaps'), { recursive: true });
	fs.writeFileSync(path.join(api.data, 'resources/configmaps/a\x1b[2J\u009b2J\x07é.yaml'), 'kind: ConfigMap\n');
	const { stdout, code } = await run(['backup', 'show', id], { env });
	assert.equal(code, 0);
	assert.match(stdout, /^removes ConfigMap\/a\?\[2J\?2J\?é$/im);
});

test('clients that leave, writes, log-ins and scrapes together', async (t) => {
	const api = await start(t, { args: ['--workers', '2'] });
	const paths = ['GET /v1/consumers', 'GET /v1/ai/providers', 'GET /v1/domains', 'GET /v1/resources', 'GET /v1/openapi.json', 'GET /metrics', 'GET /v1/backups', 'GET /system/config', 'GET /v1/services'];
	for (let i = 0; i < 30; i++) await api.call('POST /v1/consumers', { name: `c${i}`, credentials: [{ type: 'key-auth', source: 'BEARER', values: [`key-${i}`] }] });
	let running = true;
	let answered = 0;
	const wire = (line, body, headers) => {
		const payload = body === undefined ? '' : JSON.stringify(body);
		return `${line} HTTP/1.1\r\nHost: 127.0.0.1\r\n${Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`).join('')}Content-Length: ${payload.length}\r\n\r\n${payload}`;
	};
	// Asks, and leaves after a moment, by a reset or in order, before or after the answer.
	const leave = async (bytes, ms) => {
		const s = net.connect(api.port, '127.0.0.1');
		s.on('error', () => {});
		s.on('data', () => answered++);
		s.write(bytes);
		await sleep(ms);
		if (Math.random() < 0.5) s.resetAndDestroy();
		else s.destroy();
	};
	const cookie = { Cookie: api.cookie };
	const kinds = [
		() => wire(paths[Math.floor(Math.random() * paths.length)], undefined, cookie),
		() => wire(`PUT /v1/consumers/c${Math.floor(Math.random() * 30)}`, { credentials: [{ type: 'key-auth', source: 'BEARER', values: [`key-${Math.random()}`] }] }, cookie),
		() => wire('POST /v1/domains', { name: `d${Math.floor(Math.random() * 20)}.example.com` }, cookie),
		() => wire(`DELETE /v1/domains/d${Math.floor(Math.random() * 20)}.example.com`, undefined, cookie),
		() => wire('GET /user/info', undefined, { Authorization: basic(`admin:${ADMIN.password}`) }),
		() => wire('POST /session/login', { username: 'admin', password: ADMIN.password }, {}),
		() => wire('PUT /dashboard/info', { url: `http://x${Math.random()}` }, cookie),
		() => wire('PUT /v1/resources', {}, cookie).slice(0, -1),
		() => paths.map((p) => wire(p, undefined, cookie)).join(''),
	];
	const clients = Array.from({ length: 12 }, async () => {
		while (running) await leave(kinds[Math.floor(Math.random() * kinds.length)](), Math.random() * 30);
	});
	const person = (async () => {
		const dir = path.join(api.data, 'resources/configmaps');
		for (let i = 0; running; i++) {
			fs.mkdirSync(dir, { recursive: true });
			fs.writeFileSync(path.join(dir, 'domain-person.example.com.yaml'), `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: domain-person.example.com\n  namespace: higress-system\n  labels:\n    higress.io/config-map-type: domain\n    higress.io/resource-definer: higress\ndata:\n  domain: person.example.com\n  enableHttps: "${i % 2 ? 'on' : 'off'}"\n`);
			await sleep(40);
		}
	})();
	await sleep(isSanitized ? 6000 : 3000);
	running = false;
	await Promise.all([...clients, person]);
	assert.ok(answered > 20, `${answered} answers`);
	const list = await until('an answer', () => api.call('GET /v1/consumers').catch(() => null));
	assert.equal(list.json.total, 30);
	const audit = fs.readFileSync(path.join(api.data, 'state/audit.log'), 'utf8').trim().split('\n');
	for (const line of audit) JSON.parse(line);
	// It ends in the middle of it, too.
	const last = Array.from({ length: 20 }, (_, i) => leave(kinds[i % kinds.length](), 200));
	await sleep(20);
	assert.deepEqual(await api.serve.stop(), { code: 0, signal: null });
	await Promise.all(last);
	assert.doesNotMatch(api.serve.stderr(), /Sanitizer|runtime error|assert/i);
});
