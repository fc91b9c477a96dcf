// Plugins that are configured by the management API, at each of their scopes, and what the gateway then does with
// requests: as Higress documents it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startConsole } from './lib/console.js';
import { json, request, startUpstream } from './lib/http.js';
import { run, until } from './lib/sluice.js';

const GLOBAL = '/v1/global/plugin-instances';
const DOMAIN = '/v1/domains/page.example.com/plugin-instances';
const ROUTE = '/v1/routes/page/plugin-instances';
const SERVICE = '/v1/services/up.static/plugin-instances';
const scopes = { GLOBAL, DOMAIN, ROUTE, SERVICE };

// Two routes to two upstreams: page.example.com to up.static, every other host to other.static.
async function world(t) {
	const upstream = await startUpstream(t, (req, res, body) => json(res, 200, { url: req.url, body: body.toString(), headers: req.headers }));
	const c = await startConsole(t, { args: ['--access-log', '-'] });
	await c.init();
	const route = (name, domains, service) => ({ name, domains, path: { matchType: 'PRE', matchValue: '/', caseSensitive: true }, services: [{ name: service, port: 80, weight: 100 }] });
	await c.raw('POST /v1/domains', { name: 'page.example.com', enableHttps: 'off' });
	for (const name of ['up', 'other']) await c.raw('POST /v1/service-sources', { name, type: 'static', domain: upstream.address, port: 80 });
	await c.raw('POST /v1/routes', route('page', ['page.example.com'], 'up.static'));
	await c.raw('POST /v1/routes', route('rest', [], 'other.static'));
	const ask = (host, path, options = {}) => request(c.serve.url.replace(/.*:/, ''), { method: 'GET', path, ...options, headers: { host, ...options.headers } });
	return { c, upstream, ask };
}
const put = (c, at, plugin, configurations) => c.raw(`PUT ${at}/${plugin}`, { enabled: true, configurations });
const gone = (c, at, plugin) => c.gone(`DELETE ${at}/${plugin}`);

test('plugins by the management API', async (t) => {
	const { c, upstream, ask } = await world(t);
	const both = async (path, options) => [(await ask('page.example.com', path, options)).status, (await ask('b.example.com', path, options)).status];

	await t.test('request-block: at each scope, the nearer one instead of the wider one', async () => {
		const at = { GLOBAL: [403, 403], DOMAIN: [403, 200], ROUTE: [403, 200], SERVICE: [403, 200] };
		for (const [scope, base] of Object.entries(scopes)) {
			await put(c, base, 'request-block', { block_urls: ['swagger.html'] });
			assert.deepEqual(await both('/x/swagger.html?a'), at[scope], scope);
			assert.deepEqual(await both('/x'), [200, 200], scope);
			await gone(c, base, 'request-block');
			assert.deepEqual(await both('/swagger.html'), [200, 200], `${scope}, removed`);
		}
		await put(c, GLOBAL, 'request-block', { block_urls: ['x1'] });
		await put(c, DOMAIN, 'request-block', { block_urls: ['x2'] });
		await put(c, ROUTE, 'request-block', { block_urls: ['x3'] });
		assert.deepEqual([await both('/x1'), await both('/x2'), await both('/x3')], [[200, 403], [200, 200], [403, 200]]);
		await gone(c, ROUTE, 'request-block');
		assert.deepEqual([await both('/x1'), await both('/x2')], [[200, 403], [403, 200]]);
		await c.raw(`PUT ${DOMAIN}/request-block`, { enabled: false, configurations: { block_urls: ['x2'] } });
		assert.deepEqual([await both('/x1'), await both('/x2')], [[403, 403], [200, 200]], 'what is off is as if it were not there');
		await gone(c, DOMAIN, 'request-block');
		await gone(c, GLOBAL, 'request-block');
	});

	await t.test('request-block: each of its fields, and every field of its schema is one that counts', async () => {
		const config = {
			block_urls: ['swagger.html'],
			block_exact_urls: ['/admin?all'],
			block_regexp_urls: ['^/v\\d+/internal'],
			block_headers: ['bad-agent'],
			block_bodies: ['drop table'],
			blocked_code: 404,
			blocked_message: 'Nothing here.',
			case_sensitive: false,
		};
		const { schema } = await c.data('GET /v1/wasm-plugins/request-block/config?lang=en-US');
		assert.deepEqual(Object.keys(schema.jsonSchema.properties).sort(), Object.keys(config).sort());
		await put(c, ROUTE, 'request-block', config);
		const refused = [['/Swagger.html'], ['/Admin?all'], ['/v12/Internal'], ['/x', { headers: { 'user-agent': 'Bad-Agent/1' } }],
			['/x', { method: 'POST', body: 'DROP Table users', headers: { 'content-type': 'text/plain' } }], ['/x', { method: 'POST', body: { sql: 'drop table' } }]];
		const before = upstream.requests.length;
		for (const [path, options] of refused) {
			const got = await ask('page.example.com', path, options);
			assert.deepEqual([got.status, got.text, got.headers['content-type']], [404, 'Nothing here.', 'text/plain'], `${path} ${JSON.stringify(options)}`);
			assert.match(got.headers['x-sluice-reason'], /^request-block\./);
		}
		assert.equal(upstream.requests.length, before, 'nothing of it went up');
		const fine = await ask('page.example.com', '/x', { method: 'POST', body: 'drop the table', headers: { 'content-type': 'text/plain' } });
		assert.equal(fine.json.body, 'drop the table');
		await gone(c, ROUTE, 'request-block');
	});

	await t.test('request-block: what it cannot mean is refused where it is saved, and the old one stays', async () => {
		await put(c, ROUTE, 'request-block', { block_urls: ['x'] });
		for (const bad of [{ block_regexp_urls: ['('] }, { block_urls: 'x' }, { block_urls: [['x']] }]) {
			const got = await c.refused(400, `PUT ${ROUTE}/request-block`, { enabled: true, configurations: bad });
			assert.match(got.json.message, /block_/);
		}
		assert.equal((await ask('page.example.com', '/x')).status, 403);
		await gone(c, ROUTE, 'request-block');
	});

	await t.test('cors: at each scope, with each of its fields', async () => {
		const config = {
			allow_origins: ['https://app.example.org'],
			allow_origin_patterns: ['http://*.example.net:[8080,9090]'],
			allow_methods: ['GET', 'POST', 'PATCH'],
			allow_headers: ['Content-Type', 'Token'],
			expose_headers: ['X-Custom-Header', 'X-Env-UTM'],
			allow_credentials: true,
			max_age: 3600,
		};
		const { schema } = await c.data('GET /v1/wasm-plugins/cors/config?lang=en-US');
		assert.deepEqual(Object.keys(schema.jsonSchema.properties).sort(), Object.keys(config).sort());
		const from = (origin, more) => ({ headers: { origin, ...more } });
		const preflight = (origin, method, fields) => ({ method: 'OPTIONS', ...from(origin, { 'access-control-request-method': method, ...(fields && { 'access-control-request-headers': fields }) }) });
		const at = { GLOBAL: [403, 403], DOMAIN: [403, 200], ROUTE: [403, 200], SERVICE: [403, 200] };
		for (const [scope, base] of Object.entries(scopes)) {
			await put(c, base, 'cors', config);
			assert.deepEqual(await both('/x', from('https://evil.org')), at[scope], scope);
			assert.deepEqual(await both('/x', from('https://app.example.org')), [200, 200], scope);
			assert.deepEqual(await both('/x', preflight('https://app.example.org', 'DELETE')), at[scope], scope);
			if (scope !== 'ROUTE') await gone(c, base, 'cors');
		}
		const asked = await ask('page.example.com', '/x', preflight('http://a.example.net:9090', 'PATCH', 'content-type, token'));
		assert.deepEqual([asked.status, asked.text], [200, '']);
		const wants = {
			'access-control-allow-origin': 'http://a.example.net:9090',
			'access-control-allow-methods': 'GET,POST,PATCH',
			'access-control-allow-headers': 'Content-Type,Token',
			'access-control-allow-credentials': 'true',
			'access-control-max-age': '3600',
		};
		for (const [name, value] of Object.entries(wants)) assert.equal(asked.headers[name], value, name);
		assert.equal((await ask('page.example.com', '/x', preflight('http://a.example.net:9090', 'GET', 'tokenview'))).status, 403);
		assert.equal((await ask('page.example.com', '/x', preflight('http://a.example.net', 'GET'))).status, 403);
		const read = await ask('page.example.com', '/x', from('https://app.example.org'));
		assert.deepEqual([read.headers['access-control-allow-origin'], read.headers['access-control-expose-headers'], read.headers['access-control-allow-credentials']],
			['https://app.example.org', 'X-Custom-Header,X-Env-UTM', 'true']);
		const refused = await ask('page.example.com', '/x', from('https://evil.org'));
		assert.match(refused.text, /Invalid CORS request/);
		assert.equal((await ask('page.example.com', '/x', { method: 'POST', body: {}, ...from('http://page.example.com') })).status, 200, 'the page of that host');
		await put(c, ROUTE, 'cors', {});
		assert.equal((await ask('page.example.com', '/x', from('https://evil.org'))).headers['access-control-allow-origin'], '*');
		await gone(c, ROUTE, 'cors');
		assert.equal((await ask('page.example.com', '/x', from('https://evil.org'))).headers['access-control-allow-origin'], undefined);
	});

	const basic = (pair) => ({ headers: { authorization: `Basic ${btoa(pair)}` } });
	const people = [{ name: 'ann', credential: 'ann:secret-1' }, { name: 'ben', credential: 'ben:secret-2' }];

	await t.test('basic-auth: at each scope', async () => {
		await put(c, GLOBAL, 'basic-auth', { consumers: people, global_auth: true });
		assert.deepEqual(await both('/x'), [401, 401], 'asked everywhere');
		assert.deepEqual(await both('/x', basic('ann:secret-1')), [200, 200]);
		assert.deepEqual(await both('/x', basic('ann:secret-2')), [401, 401]);
		await put(c, GLOBAL, 'basic-auth', { consumers: people, global_auth: false });
		assert.deepEqual(await both('/x'), [200, 200], 'asked where a rule says so');
		for (const [scope, base] of [['ROUTE', ROUTE], ['SERVICE', SERVICE], ['DOMAIN', DOMAIN]]) {
			await put(c, base, 'basic-auth', { allow: ['ann'] });
			assert.deepEqual(await both('/x'), [401, 200], scope);
			assert.deepEqual(await both('/x', basic('ben:secret-2')), [403, 200], scope);
			assert.deepEqual(await both('/x', basic('ann:secret-1')), [200, 200], scope);
			await gone(c, base, 'basic-auth');
		}
		await gone(c, GLOBAL, 'basic-auth');
		assert.deepEqual(await both('/x'), [200, 200], 'removed');
	});

	await t.test('key-auth: at each scope, from header and query', async () => {
		const keys = { consumers: [{ name: 'ann', credential: 'key-1' }, { name: 'ben', credential: 'key-2' }], keys: ['x-key'], in_header: true, in_query: true };
		const key = (value) => ({ headers: { 'x-key': value } });
		await put(c, GLOBAL, 'key-auth', { ...keys, global_auth: true });
		assert.deepEqual(await both('/x'), [401, 401], 'asked everywhere');
		assert.deepEqual(await both('/x', key('key-1')), [200, 200]);
		assert.deepEqual(await both('/x?x-key=key-2'), [200, 200], 'in the query');
		await put(c, GLOBAL, 'key-auth', { ...keys, in_query: false, global_auth: false });
		for (const [scope, base] of [['ROUTE', ROUTE], ['SERVICE', SERVICE], ['DOMAIN', DOMAIN]]) {
			await put(c, base, 'key-auth', { allow: ['ann'] });
			assert.deepEqual(await both('/x'), [401, 200], scope);
			assert.deepEqual(await both('/x?x-key=key-1'), [401, 200], scope);
			assert.deepEqual(await both('/x', key('key-2')), [403, 200], scope);
			assert.deepEqual(await both('/x', key('key-1')), [200, 200], scope);
			await gone(c, base, 'key-auth');
		}
		await gone(c, GLOBAL, 'key-auth');
		assert.deepEqual(await both('/x', key('nobody')), [200, 200], 'removed');
	});

	await t.test('ai-statistics: at each scope, what it asks for stands in the access line', async () => {
		const attribute = (key, value_source, value, more) => ({ key, value_source, value, apply_to_log: true, ...more });
		const config = {
			attributes: [attribute('tenant', 'request_header', 'x-tenant', { default_value: 'none' }), attribute('kind', 'fixed_value', 'page'), attribute('type', 'response_header', 'content-type')],
			session_id_header: 'x-session',
			value_length_limit: 100,
		};
		let n = 0;
		// Attributes and session of the line of the next request to that host.
		const line = async (host) => {
			const mark = `mark${n++}`;
			assert.equal((await ask(host, `/${mark}`, { headers: { 'x-tenant': 'acme', 'x-session': 'chat-1' } })).status, 200);
			const text = await until(`the line of ${mark}`, () => c.serve.stdout().split('\n').find((l) => l.includes(`/${mark}"`)));
			const { attributes, session_id: session } = JSON.parse(text);
			return [attributes ?? null, session ?? null];
		};
		const all = [{ tenant: 'acme', kind: 'page', type: 'application/json' }, 'chat-1'];
		const at = { GLOBAL: [all, all], DOMAIN: [all, [null, null]], ROUTE: [all, [null, null]], SERVICE: [all, [null, null]] };
		for (const [scope, base] of Object.entries(scopes)) {
			await put(c, base, 'ai-statistics', config);
			assert.deepEqual([await line('page.example.com'), await line('b.example.com')], at[scope], scope);
			await gone(c, base, 'ai-statistics');
		}
		assert.deepEqual(await line('page.example.com'), [null, null], 'removed');
	});

	await t.test('for a domain, also where a request goes to the route of every host', async () => {
		await c.raw('POST /v1/domains', { name: 'other.example.com', enableHttps: 'off' });
		const at = '/v1/domains/other.example.com/plugin-instances';
		const three = async (path, options) => Promise.all(['page', 'other', 'third'].map(async (host) => (await ask(`${host}.example.com`, path, options)).status));
		await put(c, GLOBAL, 'basic-auth', { consumers: people, global_auth: false });
		await put(c, at, 'basic-auth', { allow: ['ann'] });
		assert.deepEqual(await three('/x'), [200, 401, 200]);
		assert.deepEqual(await three('/x', basic('ben:secret-2')), [200, 403, 200]);
		assert.deepEqual(await three('/x', basic('ann:secret-1')), [200, 200, 200]);
		await gone(c, at, 'basic-auth');
		await put(c, at, 'request-block', { block_urls: ['x1'] });
		assert.deepEqual(await three('/x1'), [200, 403, 200]);
		await put(c, at, 'cors', { allow_origins: ['https://app.example.org'] });
		assert.deepEqual(await three('/x', { headers: { origin: 'https://evil.org' } }), [200, 403, 200]);
		await put(c, at, 'ai-statistics', { attributes: [{ key: 'where', value_source: 'fixed_value', value: 'other', apply_to_log: true }] });
		await three('/counted');
		const lines = await until('three lines', () => {
			const all = c.serve.stdout().split('\n').filter((l) => l.includes('/counted"'));
			return all.length === 3 && all.map((l) => JSON.parse(l));
		});
		assert.deepEqual(Object.fromEntries(lines.map((l) => [l.host, l.attributes?.where ?? null])), { 'page.example.com': null, 'other.example.com': 'other', 'third.example.com': null });
		for (const plugin of ['request-block', 'cors', 'ai-statistics']) await gone(c, at, plugin);
		await gone(c, GLOBAL, 'basic-auth');
	});

	await t.test('a plugin without effect is kept, and the log and lint say so, once', async () => {
		const said = () => c.serve.stderr().split('\n').filter((l) => /there is no plugin ai-cache/.test(l)).length;
		await put(c, ROUTE, 'ai-cache', { a: 1 });
		await until('the warning', said);
		await put(c, GLOBAL, 'ai-cache', { a: 2 });
		await put(c, ROUTE, 'request-block', { block_urls: ['x1'] });
		await gone(c, ROUTE, 'request-block');
		assert.equal(said(), 1);
		const lint = JSON.parse((await run(['lint', '--json', `${c.serve.data}/resources`])).stdout);
		assert.deepEqual(lint.findings.filter((f) => f.code === 'plugin-unsupported').map((f) => f.level), ['warning']);
		await gone(c, ROUTE, 'ai-cache');
		await gone(c, GLOBAL, 'ai-cache');
	});
});
