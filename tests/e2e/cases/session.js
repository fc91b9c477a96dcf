// Cases of sessions and the system. A row: id, set-up, what is asked, what is expected, why, how.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { ADMIN, basic } from '../lib/console.js';

const init = { adminUser: { name: ADMIN.name, password: ADMIN.password, displayName: ADMIN.name } };
const good = { username: ADMIN.name, password: ADMIN.password };
const anon = { anon: true };
const withHeaders = (headers) => ({ anon: true, headers });
const setCookie = (got) => got.headers['set-cookie']?.[0];
const withIdle = (text, seconds) => text.replace(/^( {6}idleTimeout: ).*$/m, `$1${seconds}`);

// They run in this order on one server that nobody has initialised.
export const empty = [
	['K001', 'E', 'the root, without a session', '200', 'a boot test looks there for life', async (c) => assert.equal((await c.call('GET /', undefined, anon)).status, 200)],
	['K002', 'E', 'readiness, without a session', '200 and the word ok', 'probes compare the word', async (c) => {
		const got = await c.call('GET /healthz/ready', undefined, anon);
		assert.deepEqual([got.status, got.text], [200, 'ok']);
	}],
	['K003', 'E', 'public configuration before initialisation', 'an envelope in which system.initialized is not true', 'the front end decides by it to show its first page', async (c) => assert.ok(!(await c.data('GET /system/config', anon))['system.initialized'])],
	['K004', 'E', 'version and capabilities, without a session', '200, not wrapped, config.ingress.v1 among the capabilities', 'the footer of the front end reads the bare object', async (c) => {
		const got = await c.call('GET /system/info', undefined, anon);
		assert.equal(got.status, 200);
		assert.ok(!('success' in got.json) && got.json.version.length > 0);
		assert.ok(got.json.capabilities.includes('config.ingress.v1'));
	}],
	['K007', 'E', 'initialisation with an empty password', '400, and nobody can log in', 'an empty password is none', async (c) => {
		await c.refused(400, 'POST /system/init', { adminUser: { name: 'a', password: '', displayName: 'a' } });
		await c.refused([400, 401], 'POST /session/login', { username: 'a', password: '' });
	}],
	['K008', 'E', 'initialisation without an administrator', '400', 'there is nobody to be made', (c) => c.refused(400, 'POST /system/init', {})],
	['K009', 'E', 'a log-in before initialisation', '401 in an envelope, not HTML', 'there are no default credentials', (c) => c.refused([401, 500], 'POST /session/login', good)],
	['K005', 'E', 'the first initialisation', '200, the literal text of success', 'scripts search for these very bytes', async (c) => assert.ok((await c.wrapped('POST /system/init', init)).text.includes('"success":true'))],
];

const config = 'GET /system/higress-config';
const list = 'GET /v1/consumers';

export const session = [
	['K006', 'I', 'a second initialisation', '500 or 409, a message that says already initialized', 'a container that waits for its gateway gives up its boot without it', async (c) => assert.match((await c.refused([500, 409], 'POST /system/init', init)).text, /already.?init/)],
	['K010', 'I', 'a log-in', '201, the user without a password, a cookie for the browser session that plain HTTP may carry', 'curl and Go drop a Secure cookie on plain HTTP', async (c) => {
		const got = await c.call('POST /session/login', good, anon);
		assert.equal(got.status, 201);
		assert.deepEqual(got.json, { name: 'admin', password: null, displayName: 'admin', avatarUrl: null });
		assert.match(setCookie(got), /^_hi_sess=[^;]+;.*Path=\/.*HttpOnly/);
		assert.doesNotMatch(setCookie(got), /Secure|Max-Age|Expires|Domain/i);
	}],
	['K011', 'I', 'a log-in that asks to stay', 'the cookie lives for 30 days', 'the tick box of the log-in page', async (c) => assert.match(setCookie(await c.call('POST /session/login', { ...good, autoLogin: true }, anon)), /Max-Age=2592000/)],
	['K012', 'I', 'a log-in with a wrong password', '401 and no cookie', 'no session without the password', async (c) => assert.equal(setCookie(await c.refused(401, 'POST /session/login', { ...good, password: 'wrong' }, anon)), undefined)],
	['K013', 'I', 'a log-in without a password', '400', 'a field is missing, which is not a wrong password', (c) => c.refused(400, 'POST /session/login', { username: 'admin' }, anon)],
	['K014', 'I', 'who am I', 'the name, and null for the password', 'the front end asks at every load', async (c) => {
		const user = await c.data('GET /user/info');
		assert.deepEqual([user.name, user.password], ['admin', null]);
	}],
	['K015', 'I', 'who am I, without a session', '401 as JSON, without a challenge', 'a challenge opens a dialog of the browser, HTML is taken for another page', async (c) => {
		const got = await c.refused(401, 'GET /user/info', undefined, anon);
		assert.equal(got.headers['www-authenticate'], undefined);
	}],
	['K016', 'I', 'consumers, without a session', '401', 'they hold keys', (c) => c.refused(401, list, undefined, anon)],
	['K017', 'I', 'consumers with Basic credentials', '200 and no cookie', 'tools of operators send the password with each request', async (c) => {
		const got = await c.wrapped(list, undefined, withHeaders({ authorization: basic('admin:Adm1n-pw') }));
		assert.equal(setCookie(got), undefined);
	}],
	['K018', 'I', 'Basic credentials whose password holds a colon', '200', 'only the first colon parts name and password', async (c) => {
		await c.wrapped('POST /user/changePassword', { oldPassword: ADMIN.password, newPassword: 'a:b' });
		const colon = withHeaders({ authorization: basic('admin:a:b') });
		await c.wrapped(list, undefined, colon);
		await c.wrapped('POST /user/changePassword', { oldPassword: 'a:b', newPassword: ADMIN.password }, colon);
		await c.login();
	}],
	['K019', 'I', 'Basic credentials that are not base64', '401', 'what cannot be read is nobody, not a fault of the server', (c) => c.refused(401, list, undefined, withHeaders({ authorization: 'Basic %%%' }))],
	['K020', 'I', 'a cookie that is none of ours', '401', 'what cannot be read is nobody', (c) => c.refused(401, list, undefined, withHeaders({ cookie: '_hi_sess=garbage' }))],
	['K021', 'I', 'such a cookie beside valid Basic credentials', '200', 'one good credential is enough', (c) => c.wrapped(list, undefined, withHeaders({ cookie: '_hi_sess=garbage', authorization: basic('admin:Adm1n-pw') }))],
	['K022', 'I', 'a valid cookie beside an Authorization of another kind', '200', 'the front end sends a token of its own beside the cookie', (c) => c.wrapped(list, undefined, { headers: { authorization: 'Bearer x' } })],
	['K024', 'I', 'a log-out without a session', 'an envelope, and the cookie is deleted', 'who is logged out already may log out', async (c) => assert.match(setCookie(await c.wrapped('GET /session/logout', undefined, anon)), /^_hi_sess=;.*Max-Age=0/)],
	['K025', 'I', 'a change of the password with a wrong old one', '400', 'a stolen session must not take the account', (c) => c.refused(400, 'POST /user/changePassword', { oldPassword: 'x', newPassword: 'y' })],
	['K026', 'I', 'a change of the password', 'the cookie is deleted, the old one no longer counts, the new password does', 'a changed password ends what the old one began', async (c) => {
		const old = c.cookie;
		const got = await c.wrapped('POST /user/changePassword', { oldPassword: ADMIN.password, newPassword: 'another one' });
		assert.match(setCookie(got), /^_hi_sess=;.*Max-Age=0/);
		await c.refused(401, list, undefined, withHeaders({ cookie: old }));
		assert.equal((await c.call('POST /session/login', { username: 'admin', password: 'another one' })).status, 201);
		await c.wrapped('POST /user/changePassword', { oldPassword: 'another one', newPassword: ADMIN.password });
		await c.login();
	}],
	['K027', 'I', 'query parameters that mean nothing', '200', 'the front end appends the time to every GET', (c) => c.wrapped(`${list}?ts=1&foo=bar`)],
	['K028', 'I', 'the global configuration', 'YAML with downstream four and idleTimeout six blanks in, no blanks at line ends', 'a controller edits it line by line', async (c) => {
		const text = await c.data(config);
		assert.ok(text.split('\n').includes('    downstream:'));
		assert.match(text, /\n {6}idleTimeout: \d+\n/);
		assert.doesNotMatch(text, /[ \t]\n/);
	}],
	['K029', 'I', 'the global configuration with another idleTimeout', 'stored and returned, under another resourceVersion; a silent connection to the gateway is closed after that time', 'the controller reads back what it wrote, and expects it to hold', async (c) => {
		const text = await c.data(config);
		const seconds = /idleTimeout: 900/.test(text) ? 600 : 900;
		const after = (await c.wrapped('PUT /system/higress-config', { config: withIdle(text, seconds) })).json.data;
		assert.match(after, new RegExp(`\\n {6}idleTimeout: ${seconds}\\n`));
		assert.notEqual(/resourceVersion: .*/.exec(after)[0], /resourceVersion: .*/.exec(text)[0]);
		assert.equal(await c.data(config), after);
		await c.wrapped('PUT /system/higress-config', { config: withIdle(after, 1) });
		const silent = net.connect(c.serve.port, '127.0.0.1');
		await once(silent, 'close', { signal: AbortSignal.timeout(60000) });
	}],
	['K030', 'I', 'the text that was read before another change', '409', 'two editors must not lose each other\'s change', async (c) => {
		const text = await c.data(config);
		await c.wrapped('PUT /system/higress-config', { config: withIdle(text, 700) });
		await c.refused(409, 'PUT /system/higress-config', { config: text });
	}],
	['K031', 'I', 'an empty configuration', '400', 'it would take every setting away', (c) => c.refused(400, 'PUT /system/higress-config', { config: '' })],
	['K032', 'I', 'a configuration that is not YAML', '400', 'it is the client\'s fault, so not 500', (c) => c.refused(400, 'PUT /system/higress-config', { config: 'foo: [bar' })],
	['K033', 'I', 'a path that is not there', '404 in an envelope, not a page', 'HTML under the API is read as an expired session', (c) => c.refused(404, 'GET /v1/nosuchthing')],
	['K034', 'I', 'a method that a path does not have', '405 and which ones it has', 'there is no PATCH anywhere', async (c) => assert.equal((await c.refused(405, 'PATCH /v1/consumers/x')).headers.allow, 'GET, HEAD, PUT, DELETE')],
	['K035', 'I', 'half a JSON object', '400', 'nothing may come of half a text', (c) => c.refused(400, 'POST /v1/domains', '{"name":', { headers: { 'content-type': 'application/json' } })],
	['K036', 'I', 'the dashboard', 'an object that says it is not built in', 'the page needs an object to draw anything', async (c) => assert.equal((await c.data('GET /dashboard/info?type=MAIN')).builtIn, false)],
];
