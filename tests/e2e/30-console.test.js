// The management API as its clients use it: sessions, envelopes, versions, a change that is live before it is
// answered, and what is left on disk. Cases K001 to K036 and those of the nouns that the table names.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { ADMIN, basic, isError, isWrapped, startConsole } from './lib/console.js';
import { completion, exchange, json, request, startUpstream } from './lib/http.js';
import { isSanitized, sleep, tempDir, until } from './lib/sluice.js';

// serve, data (the directory), call(line, body, options), init().
async function start(t, options) {
	const c = await startConsole(t, options);
	const api = { serve: c.serve, data: c.serve.data, call: c.call.bind(c) };
	Object.defineProperty(api, 'cookie', { get: () => c.cookie });
	api.init = async () => {
		await c.init();
		return api;
	};
	return api;
}

const initialised = async (t, options) => (await start(t, options)).init();

// Rows: id, what is asked, whether without a session, what is expected, why it matters. They run in order.
test('golden cases of an empty instance', async (t) => {
	const { call } = await start(t);
	const rows = [
		['K001', 'GET /', undefined, (g) => assert.equal(g.status, 200), 'the boot test looks at the root'],
		['K002', 'GET /healthz/ready', undefined, (g) => assert.deepEqual([g.status, g.text], [200, 'ok']), 'probes compare the word'],
		['K003', 'GET /system/config', undefined, (g, id) => assert.ok(!isWrapped(g, id)['system.initialized']), 'the front end shows /init'],
		['K004', 'GET /system/info', undefined, (g, id) => {
			assert.equal(g.status, 200, id);
			assert.ok(!('success' in g.json) && g.json.capabilities.includes('config.ingress.v1') && g.json.version);
		}, 'never wrapped'],
		['K007', 'POST /system/init', { adminUser: { name: 'a', password: '', displayName: 'a' } }, (g, id) => isError(g, 400, id), 'an empty password is none'],
		['K008', 'POST /system/init', {}, (g, id) => isError(g, 400, id), 'nobody to be made'],
		['K009', 'POST /session/login', { username: 'a', password: 'b' }, (g, id) => isError(g, 401, id), 'nobody can log in yet'],
		['K009b', 'GET /v1/domains', undefined, (g, id) => isError(g, 401, id), 'before initialisation nothing is open'],
		['K005', 'POST /system/init', { adminUser: ADMIN }, (g) => assert.ok(g.text.includes('"success":true')), 'scripts look for these very bytes'],
		['K006', 'POST /system/init', { adminUser: ADMIN }, (g, id) => {
			isError(g, 500, id);
			assert.match(g.text, /already.?init/);
		}, 'T1: otherwise a container aborts its boot'],
	];
	for (const [id, line, body, check] of rows) check(await call(line, body), id);
});

test('golden cases of sessions', async (t) => {
	const api = await initialised(t);
	const { call } = api;
	const login = (body) => call('POST /session/login', body, { anon: true });
	const first = await login({ username: 'admin', password: 'Adm1n-pw' });
	assert.equal(first.status, 201, 'K010');
	assert.deepEqual(first.json, { name: 'admin', password: null, displayName: 'admin', avatarUrl: null });
	const cookie = first.headers['set-cookie'][0];
	for (const part of [/^_hi_sess=\S+;/, /; Path=\//, /; HttpOnly/, /; SameSite=Strict/]) assert.match(cookie, part);
	assert.doesNotMatch(cookie, /Secure|Max-Age|Expires|Domain/);
	assert.match((await login({ username: 'admin', password: 'Adm1n-pw', autoLogin: true })).headers['set-cookie'][0], /Max-Age=2592000/, 'K011');
	const wrong = await login({ username: 'admin', password: 'x' });
	isError(wrong, 401, 'K012');
	assert.equal(wrong.headers['set-cookie'], undefined);
	isError(await login({ username: 'admin' }), 400, 'K013');
	assert.equal(isWrapped(await call('GET /user/info'), 'K014').password, null);
	const anon = await call('GET /user/info', undefined, { anon: true });
	isError(anon, 401, 'K015');
	assert.match(anon.headers['content-type'], /^application\/json/);
	assert.equal(anon.headers['www-authenticate'], undefined);
	assert.equal(anon.headers['cache-control'], 'no-store');
	isError(await call('GET /v1/consumers', undefined, { anon: true }), 401, 'K016');
	const withBasic = (text, extra = {}) => call('GET /v1/consumers', undefined, { anon: true, headers: { authorization: text, ...extra } });
	const good = await withBasic(basic('admin:Adm1n-pw'));
	assert.equal(good.status, 200, 'K017');
	assert.equal(good.headers['set-cookie'], undefined);
	assert.equal((await withBasic(basic('admin:Adm1n-pw').replace('Basic', 'bAsIc'))).status, 200, 'D2');
	isError(await withBasic('Basic %%%'), 401, 'K019');
	isError(await withBasic(basic('admin:wrong')), 401, 'a wrong password');
	isError(await withBasic(basic('nobody:Adm1n-pw')), 401, 'a wrong name');
	isError(await call('GET /v1/consumers', undefined, { anon: true, headers: { cookie: '_hi_sess=garbage' } }), 401, 'K020');
	assert.equal((await withBasic(basic('admin:Adm1n-pw'), { cookie: '_hi_sess=garbage' })).status, 200, 'K021');
	assert.equal((await call('GET /v1/consumers', undefined, { headers: { authorization: 'Bearer x' } })).status, 200, 'K022');
	const forged = api.cookie.replace(/\.1\.(\d+)\./, '.2.$1.');
	assert.notEqual(forged, api.cookie);
	isError(await call('GET /v1/consumers', undefined, { anon: true, headers: { cookie: forged } }), 401, 'a forged generation');
	const out = await call('GET /session/logout', undefined, { anon: true });
	isWrapped(out, 'K024');
	assert.match(out.headers['set-cookie'][0], /^_hi_sess=; .*Max-Age=0/);
	assert.equal((await call('GET /v1/consumers?ts=1&foo=bar')).status, 200, 'K027');
	isError(await call('POST /user/changePassword', { oldPassword: 'x', newPassword: 'y' }), 400, 'K025');
	const old = api.cookie;
	const changed = await call('POST /user/changePassword', { oldPassword: 'Adm1n-pw', newPassword: 'a:b' });
	isWrapped(changed, 'K026');
	assert.match(changed.headers['set-cookie'][0], /^_hi_sess=; .*Max-Age=0/);
	isError(await call('GET /v1/consumers', undefined, { anon: true, headers: { cookie: old } }), 401, 'K026: old cookie');
	isError(await withBasic(basic('admin:Adm1n-pw')), 401, 'K026: the remembered password');
	assert.equal((await login({ username: 'admin', password: 'a:b' })).status, 201, 'K026: new password');
	assert.equal((await withBasic(basic('admin:a:b'))).status, 200, 'K018');
});

test('a session survives a restart', async (t) => {
	const api = await initialised(t);
	assert.equal((await api.serve.stop()).code, 0);
	const again = await start(t, { data: api.data });
	const got = await again.call('GET /user/info', undefined, { headers: { cookie: api.cookie } });
	assert.equal(got.status, 200, 'K023');
	assert.equal(fs.statSync(path.join(api.data, 'state')).mode & 0o777, 0o700);
	for (const name of ['console.json', 'audit.log']) assert.equal(fs.statSync(path.join(api.data, 'state', name)).mode & 0o777, 0o600, name);
	for (const name of ['console.json', 'audit.log']) assert.doesNotMatch(fs.readFileSync(path.join(api.data, 'state', name), 'utf8'), /Adm1n-pw/);
});

test('an administrator from the environment; who may initialise', async (t) => {
	const seeded = await start(t, { env: { HICLAW_ADMIN_PASSWORD: 'from-env' } });
	assert.equal((await seeded.call('POST /session/login', { username: 'admin', password: 'from-env' })).status, 201);
	assert.match((await seeded.call('POST /system/init', { adminUser: ADMIN })).text, /already.?init/);
	const closed = await start(t);
	const far = { headers: { 'x-forwarded-for': '10.1.1.1' } };
	isError(await closed.call('POST /system/init', { adminUser: ADMIN }, far), 403, 'D34');
	isError(await closed.call('POST /system/init', { adminUser: ADMIN, setupCode: 'WRONG' }, far), 403, 'D34');
	const [, code] = /setupCode (\w+)/.exec(closed.serve.stderr());
	assert.equal((await closed.call('POST /system/init', { adminUser: ADMIN, setupCode: code, configs: { 'login.prompt': ' hi ', 'chat.enabled': true } }, far)).status, 200);
	assert.deepEqual((({ 'login.prompt': a, 'chat.enabled': b }) => [a, b])((await closed.call('GET /system/config')).json.data), ['hi', true]);
	const open = await start(t, { env: { SLUICE_INIT_OPEN: '1' } });
	assert.equal((await open.call('POST /system/init', { adminUser: ADMIN }, far)).status, 200);
});

test('golden cases of higress-config', async (t) => {
	const { call } = await initialised(t);
	const text = isWrapped(await call('GET /system/higress-config'), 'K028');
	assert.ok(text.split('\n').includes('    downstream:') && /\n {6}idleTimeout: \d+\n/.test(text) && !/[ \t]\n/.test(text));
	const edited = text.replace(/^( {6}idleTimeout: ).*$/m, '$1900');
	const after = isWrapped(await call('PUT /system/higress-config', { config: edited }), 'K029');
	assert.match(after, /\n {6}idleTimeout: 900\n/);
	assert.notEqual(/resourceVersion: .*/.exec(after)[0], /resourceVersion: .*/.exec(text)[0]);
	assert.equal(isWrapped(await call('GET /system/higress-config'), 'K029'), after);
	isError(await call('PUT /system/higress-config', { config: text }), 409, 'K030');
	isError(await call('PUT /system/higress-config', { config: '' }), 400, 'K031');
	isError(await call('PUT /system/higress-config', { config: 'foo: [bar' }), 400, 'K032');
	isError(await call('PUT /system/higress-config', { config: after.replace(/^ {2}mesh: .*\n.*\n/m, '') }), 400, 'a section is missing');
	isError(await call('PUT /system/higress-config', { config: after.replace(/ {2}resourceVersion.*\n/, '') }), 400, 'no version');
	isError(await call('GET /system/higress-config', undefined, { anon: true }), 401, 'it may hold a password');
});

test('golden cases of paths and bodies', async (t) => {
	const { call, serve } = await initialised(t);
	isError(await call('GET /v1/nosuchthing'), 404, 'K033');
	const patch = await call('PATCH /v1/consumers/x');
	isError(patch, 405, 'K034');
	assert.equal(patch.headers.allow, 'GET, HEAD, PUT, DELETE');
	isError(await call('POST /v1/domains', '{"name":', { headers: { 'content-type': 'application/json' } }), 400, 'K035');
	assert.equal(isWrapped(await call('GET /dashboard/info?type=MAIN'), 'K036').builtIn, false);
	isError(await call('GET /dashboard/info?type=OTHER'), 400, 'an unknown dashboard');
	assert.deepEqual(isWrapped(await call('GET /v1/services'), 'K173'), []);
	isError(await call('POST /v1/domains', '[1]'), 400, 'a list is no object');
	isError(await call('POST /v1/domains', ''), 400, 'no body at all');
	assert.equal((await call('GET /v1/domains/')).status, 200, 'W10: a slash at the end');
	const head = await call('HEAD /v1/domains');
	assert.deepEqual([head.status, head.body.length], [200, 0]);
	isError(await call('GET /v1/domains?pageNum=x'), 400, 'a page that is no number');
	const long = await call('POST /v1/domains', { name: 'x.example.com', padding: 'p'.repeat(11 << 20) });
	assert.equal(long.status, 201, 'W14: bodies of 10 MiB and more');
	isError(await call('POST /v1/domains', { name: 'y.example.com', padding: 'p'.repeat(17 << 20) }).catch(() => ({ status: 413, json: { success: false, message: 'reset', data: null } })), 413, 'but not any');
	const cookie = (await call('POST /session/login', { username: 'admin', password: 'Adm1n-pw' })).headers['set-cookie'][0].split(';')[0];
	const body = '{"name":"expect.example.com"}';
	const waited = await exchange(
		serve.console,
		[`POST /v1/domains HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`, body],
		{ wait: 300 },
	);
	assert.match(waited.text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /, 'W14');
});

test('golden cases of domains: envelopes, versions, tags, pages', async (t) => {
	const { call, data } = await initialised(t);
	const file = (name) => path.join(data, 'resources/configmaps', `domain-${name}.yaml`);
	const made = await call('POST /v1/domains', { name: 'a.example.com', enableHttps: 'off', unknown: 1, version: 0 });
	assert.equal(made.status, 201, 'K130');
	assert.deepEqual(made.json, { name: 'a.example.com', version: '1', enableHttps: 'off', certIdentifier: null });
	assert.match(fs.readFileSync(file('a.example.com'), 'utf8'), /^apiVersion: v1\ndata:\n {2}domain: a\.example\.com\n {2}enableHttps: "off"\n/);
	isError(await call('POST /v1/domains', { name: 'a.example.com', enableHttps: 'off' }), 409, 'K131');
	isError(await call('POST /v1/domains', { name: 'b.example.com', enableHttps: 'maybe' }), 400, 'K132');
	isError(await call('PUT /v1/domains/a.example.com', { version: '77', enableHttps: 'on' }), 409, 'K133');
	isError(await call('PUT /v1/domains/none.example.com', { enableHttps: 'on' }), 404, 'K134');
	isError(await call('PUT /v1/domains/a.example.com', { name: 'b.example.com' }), 400, '2.7: another name');
	const put = await call('PUT /v1/domains/a.example.com', { version: '1', enableHttps: 'on' });
	assert.deepEqual([put.status, put.json.version, put.json.enableHttps], [200, '2', 'on']);
	assert.equal((await call('PUT /v1/domains/a.example.com', { version: 0, enableHttps: 'on' })).json.version, '3', 'D11, T26');
	const got = await call('GET /v1/domains/a.example.com');
	assert.equal(got.headers.etag, '"3"');
	isError(await call('PUT /v1/domains/a.example.com', { enableHttps: 'off' }, { headers: { 'if-match': '"2"' } }), 412, 'If-Match of another version');
	assert.equal((await call('PUT /v1/domains/a.example.com', { enableHttps: 'off' }, { headers: { 'if-match': '"2", "3"' } })).status, 200);
	assert.equal((await call('POST /v1/domains', { name: '*.example.com' })).status, 201, 'K135');
	for (const name of ['*.example.com', '%2A.example.com']) assert.equal(isWrapped(await call(`GET /v1/domains/${name}`), 'K135').name, '*.example.com');
	const missing = await call('GET /v1/domains/none.example.com');
	assert.deepEqual([missing.status, missing.text], [404, ''], 'T4');
	for (let i = 0; i < 23; i++) assert.equal((await call('POST /v1/domains', { name: `d${String(i).padStart(2, '0')}.example.com` })).status, 201);
	const list = (await call('GET /v1/domains')).json;
	assert.deepEqual(Object.keys(list), ['success', 'message', 'data', 'total', 'pageNum', 'pageSize']);
	assert.deepEqual([list.data.length, list.total, list.pageNum, list.pageSize], [25, 25, null, null]);
	const paged = async (query) => (({ data: d, total, pageNum, pageSize }) => [d.length, total, pageNum, pageSize])((await call(`GET /v1/domains?${query}`)).json);
	assert.deepEqual(await paged('pageNum=2&pageSize=10'), [10, 25, 2, 10], 'K155');
	assert.deepEqual(await paged('pageNum=9&pageSize=10'), [0, 25, 9, 10], 'D10');
	assert.deepEqual(await paged('pageSize=7'), [7, 25, 1, 7]);
	assert.deepEqual(await paged('pageNum=3'), [5, 25, 3, 10]);
	assert.deepEqual(await paged('pageNum=-1&pageSize=-5'), [10, 25, 1, 10]);
	for (let i = 0; i < 2; i++) {
		const gone = await call('DELETE /v1/domains/a.example.com', '', { headers: { 'content-type': 'application/json' } });
		assert.deepEqual([gone.status, gone.text], [204, ''], 'K137, W8');
	}
	assert.ok(!fs.existsSync(file('a.example.com')));
	isError(await call('POST /v1/domains', { name: 'a/../../b' }), 400, 'a path is no name');
	assert.deepEqual(fs.readdirSync(path.join(data, 'resources')), ['configmaps']);
});

test('what is answered is live, on every worker', async (t) => {
	const upstream = await startUpstream(t, (req, res) => json(res, 200, completion('ok')));
	const { call, serve } = await initialised(t, { args: ['--workers', '4'] });
	assert.equal((await call('POST /v1/ai/providers', {
		name: 'local', type: 'openai', tokens: ['sk-upstream-000001'], rawConfigs: { openaiCustomUrl: `http://${upstream.address}/v1` },
	})).status, 201);
	assert.equal((await call('POST /v1/consumers', { name: 'manager', credentials: [{ type: 'key-auth', source: 'BEARER', values: ['gk-manager-0001'] }] })).status, 201);
	const route = { name: 'main', domains: ['gw.example.com'], upstreams: [{ provider: 'local', weight: 100 }], authConfig: { enabled: true, allowedConsumers: ['manager'] } };
	const made = await call('POST /v1/ai/routes', route);
	assert.equal(made.status, 201, made.text);
	const ask = (key) => request(serve.port, {
		headers: { host: 'gw.example.com', authorization: `Bearer ${key}` },
		body: { model: 'm', messages: [{ role: 'user', content: 'hi' }] },
	});
	const all = await Promise.all(Array.from({ length: 16 }, () => ask('gk-manager-0001')));
	assert.deepEqual([...new Set(all.map((r) => r.status))], [200]);
	assert.equal(upstream.requests[0].headers.authorization, 'Bearer sk-upstream-000001');
	for (let i = 0; i < 10; i++) {
		const key = `gk-worker-${i}-000`;
		const body = { name: `w${i}`, credentials: [{ type: 'key-auth', source: 'BEARER', values: [key] }] };
		assert.equal((await call('POST /v1/consumers', body)).status, 201);
		route.authConfig.allowedConsumers.push(`w${i}`);
		assert.equal((await call('PUT /v1/ai/routes/main', route)).status, 200);
		assert.equal((await ask(key)).status, 200, `K245: ${key}, at once`);
	}
	serve.kill('SIGHUP');
	await until('another load', () => /no resource has changed/.test(serve.stderr()));
	const services = (await call('GET /v1/services')).json.data;
	assert.deepEqual(services, [{ name: 'llm-local.internal.static', namespace: 'mcp', port: 80, version: null, endpoints: [upstream.address], protocol: 'http' }]);
	const loads = serve.stderr().match(/resources changed/g) ?? [];
	assert.equal(loads.length, 0, 'what was written by us is not compiled again');
});

test('masks that come back are the secrets they stand for', async (t) => {
	const { call } = await initialised(t);
	const body = { name: 'p', type: 'openai', tokens: ['sk-0123456789abcdef', 'short'] };
	assert.equal((await call('POST /v1/ai/providers', body)).status, 201);
	const put = await call('PUT /v1/ai/providers/p', { ...body, tokens: ['s******t', 'sk-******def', 'sk-new'] });
	assert.deepEqual(put.json.tokens, ['short', 'sk-0123456789abcdef', 'sk-new']);
	const unknown = await call('PUT /v1/ai/providers/p', { ...body, tokens: ['abc******xyz'] });
	assert.deepEqual(unknown.json.tokens, ['abc******xyz'], 'S5: what masks nothing is stored');
});

test('a provider cannot be set to where a cloud gives out credentials', async (t) => {
	const { call } = await initialised(t);
	const provider = (url) => call('POST /v1/ai/providers', { name: 'p', type: 'openai', tokens: ['sk-1'], rawConfigs: { openaiCustomUrl: url } });
	for (const host of ['169.254.169.254', '[fe80::1]', 'metadata.google.internal']) isError(await provider(`http://${host}/v1`), 400, `D35: ${host}`);
	assert.equal((await provider('http://127.0.0.1:9/v1')).status, 201, 'a model on this machine');
});

test('every change is in the audit log, no secret is', async (t) => {
	const { call, data, serve } = await initialised(t);
	await call('POST /session/login', { username: 'admin', password: 'a wrong one' });
	const secret = 'sk-never-to-be-logged-1';
	await call('POST /v1/ai/providers', { name: 'p', type: 'openai', tokens: [secret] });
	await call('PUT /v1/ai/providers/p', { name: 'p', type: 'openai', tokens: [`${secret}2`], rawConfigs: { custom: secret } });
	await call('DELETE /v1/ai/providers/p');
	// Names of members may be anything; a line stays one line of JSON, and what was changed stays readable.
	await call('POST /v1/ai/providers', { name: 'q', type: 'openai', tokens: [secret] });
	const rawConfigs = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`${i}${'"\\'.repeat(1500)}`, i]));
	assert.equal((await call('PUT /v1/ai/providers/q', { name: 'q', type: 'openai', tokens: [secret], rawConfigs })).status, 200);
	await call('DELETE /v1/ai/providers/q');
	const whole = fs.readFileSync(path.join(data, 'state/audit.log'), 'utf8');
	const after = whole.trim().split('\n').slice(6).map((line) => JSON.parse(line));
	assert.deepEqual(after.map((l) => l.change), ['created', 'changed', 'removed']);
	assert.ok(/^rawConfigs\.0.*…,.*,and \d+ more$/.test(after[1].fields), after[1].fields.slice(0, 100));
	assert.ok(after[1].fields.length < 20000);
	const text = whole.split('\n').slice(0, 6).join('\n');
	const lines = text.trim().split('\n').map((line) => JSON.parse(line));
	assert.deepEqual(lines.map((l) => l.what), ['initialised', 'log-in', 'log-in', 'POST /v1/ai/providers', 'PUT /v1/ai/providers/p', 'DELETE /v1/ai/providers/p']);
	assert.deepEqual(lines.slice(3).map((l) => [l.user, l.kind, l.name, l.change]), [['admin', 'provider', 'p', 'created'], ['admin', 'provider', 'p', 'changed'], ['admin', 'provider', 'p', 'removed']]);
	assert.match(lines[4].fields, /tokens/);
	for (const [what, where] of [['audit', text], ['log', serve.stderr()]]) assert.ok(!where.includes(secret), what);
	const backups = fs.readdirSync(path.join(data, 'state/backups'));
	assert.deepEqual([...lines.slice(3), ...after].map((l) => l.backup), backups, 'a backup for each, named in the line');
});

test('log-ins that fail are slowed down, those of scripts are not', async (t) => {
	const { call } = await initialised(t);
	const wrong = () => call('POST /session/login', { username: 'admin', password: 'wrong' }, { anon: true });
	for (let i = 0; i < 12; i++) assert.equal((await wrong()).status, 401, 'a boot script tries ten times');
	let status;
	for (let i = 0; i < 60 && status !== 429; i++) ({ status } = await wrong());
	assert.equal(status, 429);
	const last = await wrong();
	isError(last, 429, 'guessing');
	assert.ok(Number(last.headers['retry-after']) >= 1);
	assert.equal((await call('GET /user/info')).status, 200, 'who is logged in goes on');
});

test('a person and the API keep the change of the other', async (t) => {
	const { call, data } = await initialised(t);
	const file = path.join(data, 'resources/configmaps/domain-a.example.com.yaml');
	await call('POST /v1/domains', { name: 'a.example.com', enableHttps: 'off' });
	const text = fs.readFileSync(file, 'utf8');
	fs.writeFileSync(file, `# mine\n${text.replace('data:\n', 'data:\n  extra: kept # why\n')}`);
	const put = await call('PUT /v1/domains/a.example.com', { enableHttps: 'on' });
	assert.equal(put.status, 200);
	const after = fs.readFileSync(file, 'utf8');
	assert.match(after, /^# mine\n/);
	assert.match(after, /extra: kept # why\n/);
	assert.match(after, /enableHttps: "on"/);
	fs.writeFileSync(file, 'data: [broken');
	const refused = await call('PUT /v1/domains/a.example.com', { enableHttps: 'off' });
	assert.equal(refused.status, 503, refused.text);
	assert.match(refused.json.message, /domain-a\.example\.com\.yaml is broken/);
	assert.equal(fs.readFileSync(file, 'utf8'), 'data: [broken');
});

test('a directory that cannot be written: a clear answer, and nothing is changed', async (t) => {
	const { call, data } = await initialised(t);
	fs.writeFileSync(path.join(data, 'resources/configmaps'), 'in the way');
	const got = await call('POST /v1/domains', { name: 'a.example.com' });
	isError(got, 500, 'no directory');
	assert.match(got.json.message, /nothing was changed/);
	assert.deepEqual(fs.readdirSync(path.join(data, 'state/backups')), []);
	fs.rmSync(path.join(data, 'resources/configmaps'));
	assert.equal((await call('POST /v1/domains', { name: 'a.example.com' })).status, 201);
});

test('many writers at once: one after the other, none is lost', async (t) => {
	const { call } = await initialised(t);
	const names = Array.from({ length: 60 }, (_, i) => `c${i}`);
	const made = await Promise.all(names.map((name) => call('POST /v1/consumers', { name, credentials: [{ type: 'key-auth', source: 'BEARER', values: [`key-of-${name}`] }] })));
	assert.deepEqual([...new Set(made.map((g) => g.status))], [201]);
	assert.equal((await call('GET /v1/consumers')).json.total, 60);
	await call('POST /v1/domains', { name: 'a.example.com' });
	const raced = await Promise.all(names.map(() => call('PUT /v1/domains/a.example.com', { version: '1', enableHttps: 'on' })));
	assert.deepEqual(raced.map((g) => g.status).sort(), [200, ...names.slice(1).map(() => 409)]);
});

test('kill -9 while it writes: what was answered is there, no file is half written', async (t) => {
	const data = tempDir(t);
	let api = await initialised(t, { data, args: ['--workers', '1'] });
	const { cookie } = api;
	const answered = new Set();
	const rounds = isSanitized ? 4 : 10;
	for (let round = 0; round < rounds; round++) {
		let running = true;
		const writers = Array.from({ length: 4 }, async (_, w) => {
			for (let i = 0; running; i++) {
				const name = `r${round}-w${w}-${i}.example.com`;
				try {
					const got = await api.call('POST /v1/domains', { name }, { headers: { cookie } });
					if (got.status === 201) answered.add(name);
				} catch {
					return;
				}
			}
		});
		await sleep(50 + Math.random() * 150);
		api.serve.kill('SIGKILL');
		running = false;
		await api.serve.exited;
		await Promise.all(writers);
		api = await start(t, { data, args: ['--workers', '1'] });
		const list = (await api.call('GET /v1/domains', undefined, { headers: { cookie } })).json.data.map((d) => d.name);
		for (const name of answered) assert.ok(list.includes(name), `${name} was answered and is gone`);
		assert.doesNotMatch(api.serve.stderr(), /broken|cannot be read/);
		assert.deepEqual(fs.readdirSync(path.join(data, 'resources/configmaps')).filter((n) => n.endsWith('.tmp')), []);
	}
	assert.ok(answered.size > rounds);
});

test('the description of the API: what it lists is served, refuses strangers, and nothing else is', async (t) => {
	const { call, data } = await initialised(t);
	const doc = (await call('GET /v1/openapi.json')).json;
	assert.equal(doc.openapi, '3.1.0');
	// The left column of console-api.md §1.2: everything else asks who is there.
	const open = Object.entries(doc.paths).filter(([, methods]) => Object.values(methods).some((o) => o.security.length === 0));
	assert.deepEqual(open.map(([target]) => target).sort(), ['/session/login', '/session/logout', '/system/config', '/system/info', '/system/init']);
	let operations = 0;
	for (const [target, methods] of Object.entries(doc.paths))
		for (const [method, operation] of Object.entries(methods)) {
			operations++;
			const line = `${method.toUpperCase()} ${target.replace(/\{\w+\}/g, 'none')}`;
			const anon = await call(line, method[0] === 'p' ? {} : undefined, { anon: true });
			if (operation.security.length) isError(anon, 401, `${line} without a session`);
			assert.ok(operation.responses[anon.status] || anon.status === 500, `${line} answers ${anon.status}, which is not declared`);
			if (method !== 'get') continue;
			const got = await call(line);
			const said = operation.responses[got.status];
			assert.ok(said, `${line} answers ${got.status}, which is not declared`);
			assert.equal(got.text !== '', said.content !== undefined, line);
			const schema = said.content?.['application/json'].schema.$ref;
			if (schema) assert.deepEqual(Object.keys(got.json), doc.components.schemas[schema.split('/').pop()].required, line);
		}
	assert.ok(operations >= 30, `${operations}`);
	assert.ok(!fs.existsSync(path.join(data, 'state/backups')), 'none of it changed anything');
	for (const target of Object.keys(doc.paths)) {
		const got = await call(`TRACE ${target.replace(/\{\w+\}/g, 'none')}`);
		assert.equal(got.status, 405, target);
		assert.deepEqual(got.headers.allow.split(', ').filter((m) => m !== 'HEAD'), Object.keys(doc.paths[target]).map((m) => m.toUpperCase()), target);
	}
});

test('the whole document of a backup: every file as it was then, whatever happened since', async (t) => {
	const { call, data } = await initialised(t);
	const domain = (name, enableHttps) => ({ name, enableHttps, ...(enableHttps === 'off' ? {} : { certIdentifier: 'none' }) });
	const root = path.join(data, 'resources');
	const files = () => Object.fromEntries(fs.readdirSync(root).flatMap((dir) =>
		fs.readdirSync(path.join(root, dir)).map((f) => [`${dir}/${f}`, fs.readFileSync(path.join(root, dir, f), 'utf8')])));
	const textsOf = (got) => isWrapped(got).resources.map((r) => r.text).sort();

	assert.equal((await call('POST /v1/domains', domain('stays.example.com', 'off'))).status, 201);
	assert.equal((await call('POST /v1/domains', domain('goes.example.com', 'off'))).status, 201);
	assert.equal((await call('POST /v1/consumers', { name: 'a', credentials: [{ type: 'key-auth', source: 'BEARER', values: ['key-of-then'] }] })).status, 201);
	const before = files();
	const { id } = (await call('POST /v1/backups', { reason: 'now' })).json;

	assert.equal((await call('DELETE /v1/domains/goes.example.com')).status, 204);
	assert.equal((await call('POST /v1/domains', domain('new.example.com', 'off'))).status, 201);
	assert.equal((await call('PUT /v1/consumers/a', { name: 'a', credentials: [{ type: 'key-auth', source: 'BEARER', values: ['key-of-now'] }] })).status, 200);
	const got = await call(`GET /v1/backups/${id}/document`);
	assert.deepEqual(textsOf(got), Object.values(before).sort());
	assert.deepEqual(isWrapped(got).resources.map((r) => r.kind).sort(), ['ConfigMap', 'ConfigMap', 'WasmPlugin']);
	// The backup that a change left stands for the moment before it.
	const list = isWrapped(await call('GET /v1/backups'));
	const ofDelete = list.find((b) => b.what.startsWith('DELETE /v1/domains'));
	assert.deepEqual(textsOf(await call(`GET /v1/backups/${ofDelete.id}/document`)), Object.values(before).sort());
	isError(await call('GET /v1/backups/20201121T150405Z-0f423f/document'), 404);
	isError(await call('GET /v1/backups/x/document'), 400);
});

test('stopped in the middle of changes: it ends as it should, and what was answered is there', async (t) => {
	const data = tempDir(t);
	let api = await initialised(t, { data });
	const { cookie } = api;
	for (let round = 0; round < 5; round++) {
		const answered = [];
		const all = Array.from({ length: 12 }, (_, i) => {
			const name = `s${round}-${i}.example.com`;
			return api.call('POST /v1/domains', { name }, { headers: { cookie } }).then((got) => got.status === 201 && answered.push(name), () => {});
		});
		await sleep(round * 8);
		assert.deepEqual(await api.serve.stop(), { code: 0, signal: null });
		await Promise.all(all);
		api = await start(t, { data });
		const list = (await api.call('GET /v1/domains', undefined, { headers: { cookie } })).json.data.map((d) => d.name);
		for (const name of answered) assert.ok(list.includes(name), name);
	}
});
