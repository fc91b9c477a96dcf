// What a change would do, asked of the server without doing it: whether it is taken, which objects it makes of which, what
// the linter would say, and where a request goes before and after. The same rules as those of the change itself.
import assert from 'node:assert/strict';
import test from 'node:test';
import { GATEWAY_HOST } from './lib/console.js';
import { request } from './lib/http.js';
import { startWorld } from './lib/page.js';

const shop = (extra = {}) => ({ name: 'shop', domains: [GATEWAY_HOST], path: { matchType: 'PRE', matchValue: '/shop', caseSensitive: true }, services: [{ name: 'shop.static', port: 80, weight: 100 }], ...extra });

test('a preview says what a change would do, and changes nothing', async (t) => {
	const world = await startWorld(t);
	const post = (body, headers = {}) => request(world.port, { method: 'POST', path: '/page/preview', headers: { cookie: world.api.cookie, 'x-requested-with': 'sluice', ...headers }, body });
	const preview = async (body) => {
		const got = await post(body);
		assert.equal(got.status, 200, got.text);
		return JSON.parse(got.text);
	};
	const change = (body, more = {}) => ({ change: { noun: 'route', name: 'shop', create: true, body, ...more } });
	const ask = { host: GATEWAY_HOST, path: '/shop/cart?x=1', consumer: 'worker-alice' };
	const names = () => world.api.names('GET /v1/routes');
	const before = await names();

	await t.test('a route that is made: its object, and the request that it takes', async () => {
		const got = await preview({ ...change(shop()), ask });
		assert.equal(got.refused, null);
		assert.deepEqual(got.changes.map((c) => [c.what, c.kind, c.name]), [['create', 'Ingress', 'shop'], ['update', 'WasmPlugin', 'key-auth.internal']]);
		assert.deepEqual([got.changes[1].before, got.changes[1].after], [null, null], 'where keys are is not shown');
		assert.match(got.changes[0].after, /higress\.io\/destination: shop\.static:80/);
		assert.equal(got.changes[0].before, null);
		assert.deepEqual([got.before.route, got.after.route, got.after.served], ['ai-route-default-ai-route.internal', 'shop', false]);
		assert.ok(got.after.routes.some((r) => r.route === 'ai-route-default-ai-route.internal' && r.text), 'why the others do not get it');
		assert.ok(got.findings.some((f) => f.level !== 'info' && /shop\.static/.test(f.text)), 'the service is not there yet');
	});
	await t.test('methods, headers and the consumer count as they do for a request', async () => {
		const body = shop({ methods: ['POST'], headers: [{ key: 'x-tier', matchType: 'EQUAL', matchValue: 'gold' }], authConfig: { enabled: true, allowedCredentialTypes: ['key-auth'], allowedConsumers: ['worker-alice'] } });
		const gold = [{ name: 'x-tier', value: 'gold' }];
		// what the request has beside its path, its route, the gateway's own status
		const rows = [
			[{ method: 'GET', headers: gold }, 'ai-route-default-ai-route.internal', 'the method differs'],
			[{ method: 'POST' }, 'ai-route-default-ai-route.internal', 'the header is missing'],
			[{ method: 'POST', headers: gold }, 'shop', 'all of it'],
		];
		for (const [more, wanted, why] of rows) assert.equal((await preview({ ...change(body), ask: { ...ask, ...more } })).after.route, wanted, why);
		assert.equal((await preview({ ...change(body), ask: { ...ask, method: 'POST', headers: gold, consumer: '' } })).after.status, 401, 'nobody');
		assert.equal((await preview({ ...change(body), ask: { ...ask, method: 'POST', headers: gold, consumer: 'worker-bob' } })).after.status, 403, 'somebody else');
	});
	await t.test('what the change would refuse is refused, in its words', async () => {
		const rows = [
			[change(shop({ services: [] })), /services/],
			[change(shop({ path: { matchType: 'EXACT', matchValue: '/x' } })), /matchType/],
			[change(shop(), { create: false }), /there is no route shop/],
			[change(shop(), { noun: 'aiRoute', name: 'kimi-ai-route' }), /./],
			[change(shop(), { name: 'a.internal' }), /internal/],
		];
		for (const [body, why] of rows) {
			const got = await preview(body);
			assert.match(got.refused ?? 'not refused', why);
			assert.deepEqual([got.changes, got.after], [[], null]);
		}
	});
	await t.test('a route that goes away', async () => {
		const got = await preview({ change: { noun: 'aiRoute', name: 'kimi-ai-route', body: null }, ask: { host: GATEWAY_HOST, path: '/v1/chat/completions', model: 'kimi-k2', consumer: 'worker-alice' } });
		assert.ok(got.changes.some((c) => c.what === 'remove' && c.kind === 'Ingress' && c.name === 'ai-route-kimi-ai-route.internal' && c.before && !c.after), JSON.stringify(got.changes));
		assert.deepEqual([got.before.destinations[0].provider, got.after.destinations[0].provider], ['kimi', 'qwen']);
		assert.doesNotMatch(JSON.stringify(got), /sk-kimi|wk-alice/, 'no key comes along');
	});
	await t.test('what is no question', async () => {
		const rows = [['x', 400], [[], 400], [{ ask: { host: 'a b', path: '/' } }, 400], [{ ask: { host: 'a', path: 'x' } }, 400], [{ ask: { host: 'a', path: '/a b' } }, 400], [{ ask: { ...ask, headers: [{ name: 'a', value: 'x\r\nb: c' }] } }, 400], [{ ask: { ...ask, headers: [{ name: 'a b', value: '' }] } }, 400], [{ change: { noun: 'provider', name: 'qwen', body: null } }, 400], [{ change: { noun: 'route', name: '', body: {} } }, 400], [{ change: { noun: 'route', name: 'x', body: [] } }, 400]];
		for (const [body, status] of rows) assert.equal((await post(body)).status, status, JSON.stringify(body));
		assert.equal((await post({}, { cookie: '' })).status, 401, 'a stranger');
		assert.equal((await post({}, { origin: 'http://evil.test' })).status, 403, 'a page of another site');
		assert.equal((await request(world.port, { method: 'GET', path: '/page/preview' })).headers.allow, 'POST');
		assert.deepEqual(await preview({}), { refused: null, warnings: [], changes: [], findings: [], before: null, after: null });
	});
	assert.deepEqual(await names(), before, 'nothing was changed');
});
