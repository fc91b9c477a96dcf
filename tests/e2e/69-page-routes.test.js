// The editors of HTTP routes, service sources and plugins in Chromium against a real gateway: what is made with them is asked
// for through the gateway. One server and one browser for all steps, which run in their order.
import assert from 'node:assert/strict';
import test from 'node:test';
import { GATEWAY_HOST } from './lib/console.js';
import { request, startUpstream } from './lib/http.js';
import { audit } from './lib/audit.js';
import { go, openTab, startBrowser, startWorld, toastOf } from './lib/page.js';
import { until } from './lib/sluice.js';

const dialog = 'dialog[open] ';
const row = (name) => `tbody tr:has(h3:text-is("${name}"))`;
const part = (label) => `${dialog}fieldset:has(> legend:text-is("${label}"))`;
const focus = (page) => page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.labels?.[0]?.textContent);
async function tab(page, label) {
	await page.click(`.seg .btn:text-is("${label}")`);
	await page.waitForSelector(`main section[aria-label="${label}"]`);
}

test('HTTP routes, service sources and plugins', async (t) => {
	const world = await startWorld(t);
	const shop = await startUpstream(t, (req, res) => res.end(`shop ${req.method} ${req.url} ${req.headers['x-from'] ?? '-'}`));
	const next = await startUpstream(t, (req, res) => res.end(`next ${req.url}`));
	const browser = await startBrowser(t);
	const page = await openTab(t, browser, world.url, { session: world.api, expected: [/status of (400|409)/] });
	const gateway = (path, options = {}) => request(world.api.serve.port, { method: 'GET', path, ...options, headers: { host: 'shop.test', ...options.headers } });
	const save = () => page.click(`${dialog}footer .pri`);

	await t.test('a service source is made, with its mistakes shown where they are', async () => {
		await go(page, '#/routes', 'main .seg');
		await tab(page, 'SERVICE SOURCES');
		await page.click('main header .btn.pri');
		await save();
		assert.equal(await focus(page), 'NAME');
		await page.fill(`${dialog}.fbox:has(label:text-is("NAME")) input`, 'shop');
		await page.fill(`${dialog}.fbox:has(label:text-is("ADDRESSES")) input`, 'not-an-address');
		await page.waitForSelector(`${dialog}.rehearsal .note:has-text("no address and port")`);
		await save();
		await page.waitForSelector(`${dialog}.fbox:has(label:text-is("ADDRESSES")) .hint.bad:has-text("no address and port")`);
		assert.equal(await focus(page), 'ADDRESSES', 'what the server refuses is at its field, too');
		await page.fill(`${dialog}.fbox:has(label:text-is("ADDRESSES")) input`, `127.0.0.1:${shop.port}`);
		await page.waitForSelector(`${dialog}.becomes li:has-text("McpBridge")`);
		await save();
		await toastOf(page, 'SERVICE SOURCE CREATED');
		await world.api.raw('POST /v1/service-sources', { name: 'next', type: 'static', domain: `127.0.0.1:${next.port}`, port: 80 });
	});

	await t.test('a route is made with the keyboard alone, and the preview says what it will do', async () => {
		await tab(page, 'HTTP ROUTES');
		await page.keyboard.press('n');
		await page.waitForSelector(dialog);
		assert.equal(await focus(page), 'NAME');
		await save();
		await page.waitForSelector(`${dialog}.hint.bad:has-text("The name is missing.")`);
		await page.keyboard.type('shop');
		await page.keyboard.press('Tab');
		await page.keyboard.press('Enter'); // ADD DOMAIN
		await page.keyboard.type('shop.test');
		for (let i = 0; i < 4; i++) await page.keyboard.press('Tab'); // its cross, ADD DOMAIN, how, the path
		assert.equal(await focus(page), 'PATH');
		await page.keyboard.press('Control+A');
		await page.keyboard.type('/shop');
		await save();
		await page.waitForSelector(`${part('SERVICES')} .hint.bad:has-text("The service is missing.")`);
		assert.equal(await focus(page), 'service');
		await page.keyboard.type('shop.static');
		assert.equal(await page.inputValue(`${part('SERVICES')} input >> nth=1`), '80', 'the port that the source has');
		await page.waitForSelector(`${dialog}.nowthen > div:nth-child(2) .verdict.open h3:text-is("shop")`);
		assert.match(await page.textContent(`${dialog}.nowthen > div:nth-child(1)`), /404/);
		await page.click(`${dialog}.becomes summary`);
		await page.waitForSelector(`${dialog}.becomes .add:has-text("higress.io/destination: shop.static:80")`);
		assert.equal(await page.inputValue(`${dialog}.asked input >> nth=0`), 'shop.test', 'the question follows the form');
		assert.equal((await gateway('/shop/x')).status, 404, 'nothing is saved yet');
		await page.keyboard.press('Enter');
		await save();
		await toastOf(page, 'ROUTE CREATED');
		await until('the route', async () => (await gateway('/shop/x')).text === 'shop GET /shop/x -');
	});

	await t.test('conditions, weights, rewriting, headers, retries, CORS: each is stored and comes back', async () => {
		await page.click(`${row('shop')} .btn:has-text("EDIT")`);
		await page.click(`${dialog}.tick:has-text("GET")`);
		await page.click(`${dialog}.tick:has-text("DELETE")`);
		for (const label of ['HEADERS', 'QUERY', 'REWRITE', 'HEADERS CHANGED', 'RETRIES AND TIMEOUT', 'CORS', 'LABELS']) await page.click(`${dialog}.part > summary:text-is("${label} ")`);
		await page.click(`${part('HEADERS')} .btn:text-is("ADD HEADER")`);
		await save();
		await page.waitForSelector(`${part('HEADERS')} .hint.bad:has-text("The name is missing.")`);
		await page.fill(`${part('HEADERS')} input >> nth=0`, 'x-tier');
		await page.fill(`${part('HEADERS')} input >> nth=1`, 'gold');
		await page.click(`${part('HEADERS CHANGED')} .btn:text-is("ADD CHANGE")`);
		await page.fill(`${part('HEADERS CHANGED')} input >> nth=0`, 'x-from');
		await page.fill(`${part('HEADERS CHANGED')} input >> nth=1`, 'page');
		await page.fill(`${dialog}.fbox:has(label:text-is("NEW PATH")) input`, '/store');
		await page.fill(`${dialog}.fbox:has(label:text-is("TIMEOUT OF ALL (S)")) input`, '5');
		await page.click(`${dialog}.tick:has-text("Try another endpoint")`);
		await page.click(`${dialog}.tick:has-text("Answer pages of other origins")`);
		await page.fill(`${dialog}.fbox:has(label:text-is("ORIGINS")) input`, 'https://app.test');
		await page.click(`${part('LABELS')} .btn:text-is("ADD LABEL")`);
		await page.fill(`${part('LABELS')} input >> nth=0`, 'team');
		await page.fill(`${part('LABELS')} input >> nth=1`, 'web');
		await page.click(`${part('SERVICES')} .btn:text-is("ADD SERVICE")`);
		await page.fill(`${part('SERVICES')} .row:nth-of-type(2) input >> nth=0`, 'next.static');
		await page.fill(`${part('SERVICES')} .row:nth-of-type(1) .w6:has(.soft) input`, '60');
		await page.fill(`${part('SERVICES')} .row:nth-of-type(2) .w6:has(.soft) input`, '30');
		await save();
		await page.waitForSelector(`${part('SERVICES')} .hint.bad:has-text("they make 90")`);
		await page.fill(`${part('SERVICES')} .row:nth-of-type(2) .w6:has(.soft) input`, '40');
		await save();
		await page.waitForFunction(() => !document.querySelector('dialog[open]'));
		const r = await world.api.data('GET /v1/routes/shop');
		assert.deepEqual([r.methods, r.headers[0].key, r.rewrite, r.headerControl.request.set, r.customConfigs['higress.io/timeout'], r.customLabels, r.cors.allowOrigins, r.proxyNextUpstream.enabled, r.services.map((s) => [s.name, s.port, s.weight])],
			[['GET', 'DELETE'], 'x-tier', { enabled: true, path: '/store', host: null }, [{ key: 'x-from', value: 'page' }], '5', { team: 'web' }, ['https://app.test'], true, [['shop.static', 80, 60], ['next.static', null, 40]]]);
		await until('the header to count', async () => (await gateway('/shop/x')).status === 404);
		const seen = new Set();
		await until('both services', async () => seen.add((await gateway('/shop/x', { headers: { 'x-tier': 'gold' } })).text).size === 2);
		assert.deepEqual([...seen].sort(), ['next /store/x', 'shop GET /store/x page']);
		// what is opened again and saved untouched stays what it is
		await page.click(`${row('shop')} .btn:has-text("EDIT")`);
		await page.waitForSelector(`${dialog}.rehearsal:has-text("Nothing would change.")`);
		await save();
		await page.waitForFunction(() => !document.querySelector('dialog[open]'));
		const { version, ...again } = await world.api.data('GET /v1/routes/shop');
		const { version: first, ...before } = r;
		assert.deepEqual(again, before);
		assert.notEqual(version, undefined, first);
	});

	await t.test('a redirection and a mock answer: made, refused, switched off and kept, and never lost beside another change', async () => {
		const inPart = (name, label) => `${dialog}details.part:has(> summary:text-is("${name} ")) .fbox:has(label:text-is("${label}")) .field > *`;
		const bad = (text) => page.waitForSelector(`${dialog}.hint.bad:has-text("${text}")`);
		const stored = async () => (await world.api.data('GET /v1/routes/moved')).customConfigs;
		const closed = () => page.waitForFunction(() => !document.querySelector('dialog[open]'));
		const edit = () => page.click(`${row('moved')} .btn:has-text("EDIT")`);
		// made elsewhere: an annotation of an Ingress, with one that nobody has a field for
		await world.api.raw('POST /v1/routes', { name: 'moved', domains: ['shop.test'], path: { matchType: 'PRE', matchValue: '/moved', caseSensitive: true }, services: [{ name: 'shop.static', port: 80 }], customConfigs: { 'higress.io/temporal-redirect': '/shop/a', 'example.com/kept': 'yes' } });
		await page.reload();
		await page.waitForSelector('main .seg');
		await tab(page, 'HTTP ROUTES');
		await page.waitForSelector(`${row('moved')} .badge:text-is("REDIRECT")`);
		assert.match(await page.textContent(row('moved')), /302\/shop\/a/);
		await edit();
		assert.equal(await page.inputValue(inPart('REDIRECT', 'NEW ADDRESS')), '/shop/a', 'what is there is shown, unfolded');
		assert.equal(await page.inputValue(inPart('REDIRECT', 'HTTP STATUS')), '302');
		await page.click(`${dialog}.tick:has-text("GET")`); // another field
		await save();
		await closed();
		assert.deepEqual(await stored(), { 'higress.io/temporal-redirect': '/shop/a', 'example.com/kept': 'yes' });
		assert.equal((await world.api.data('GET /v1/routes/moved')).authConfig.allowedConsumers, null, 'nobody has made a list of who may call it');

		await edit();
		await page.fill(inPart('REDIRECT', 'NEW ADDRESS'), 'new.example.com');
		await page.click(`${dialog}details.part > summary:text-is("REDIRECT ")`); // folded, and opened by what is wrong in it
		await save();
		await bad('an address with http:// or https://');
		assert.equal(await focus(page), 'NEW ADDRESS');
		await page.fill(inPart('REDIRECT', 'NEW ADDRESS'), 'https://new.example.com/b?c=1');
		await page.selectOption(inPart('REDIRECT', 'HTTP STATUS'), '308');
		await page.waitForSelector(`${dialog}.nowthen > div:nth-child(2) .verdict.open:has-text("308")`);
		await save();
		await closed();
		assert.deepEqual(await stored(), { 'higress.io/permanent-redirect': 'https://new.example.com/b?c=1', 'higress.io/permanent-redirect-code': '308', 'example.com/kept': 'yes' });
		await until('the redirection', async () => {
			const got = await gateway('/moved/x');
			return got.status === 308 && got.headers.location === 'https://new.example.com/b?c=1';
		});

		await edit();
		await page.click(`${dialog}details.part > summary:text-is("MOCK ANSWER ")`);
		await page.fill(inPart('MOCK ANSWER', 'BODY'), '{"a":\n1}');
		await save();
		await bad('A route redirects or gives a mock answer, not both.');
		await page.click(`${dialog}.tick:has-text("Send callers to another address")`);
		await page.fill(inPart('MOCK ANSWER', 'HTTP STATUS'), '20');
		await save();
		await bad('a status from 200 to 599');
		await page.fill(inPart('MOCK ANSWER', 'HTTP STATUS'), '204');
		await save();
		await bad('An answer with status 204 has no body.');
		await page.fill(inPart('MOCK ANSWER', 'HTTP STATUS'), '201');
		await page.fill(inPart('MOCK ANSWER', 'MEDIA TYPE'), 'json');
		await save();
		await bad('a media type');
		await page.fill(inPart('MOCK ANSWER', 'MEDIA TYPE'), 'application/json');
		await save();
		await closed();
		assert.deepEqual(await stored(), { 'disabled.higress.io/permanent-redirect': 'https://new.example.com/b?c=1', 'disabled.higress.io/permanent-redirect-code': '308', 'sluice.io/mock-status': '201', 'sluice.io/mock-type': 'application/json', 'sluice.io/mock-body': '{"a":\n1}', 'example.com/kept': 'yes' });
		await until('the mock', async () => {
			const got = await gateway('/moved/x');
			return got.status === 201 && got.headers['content-type'] === 'application/json' && got.text === '{"a":\n1}';
		});
		await page.waitForSelector(`${row('moved')} .badge:text-is("MOCK ANSWER")`);

		await edit();
		assert.equal(await page.inputValue(inPart('MOCK ANSWER', 'BODY')), '{"a":\n1}');
		await page.waitForSelector(`${dialog}.rehearsal:has-text("Nothing would change.")`);
		await page.click(`${dialog}.tick:has-text("Answer without asking a service")`);
		await save();
		await closed();
		await until('the service', async () => (await gateway('/moved/x')).text === 'shop GET /moved/x -');
		assert.equal((await stored())['disabled.sluice.io/mock-body'], '{"a":\n1}', 'what is switched off can be switched on again');
		assert.equal((await world.api.call('DELETE /v1/routes/moved')).status, 204);
	});

	await t.test('who may call it; explain; what another one has changed meanwhile', async () => {
		await page.click(`${row('shop')} .btn:has-text("EDIT")`);
		await page.click(`${part('ALLOWED')} .tick:has-text("Only these")`);
		await page.waitForSelector(`${part('ALLOWED')} .hint:has-text("nobody may call it")`);
		await page.click(`${part('ALLOWED')} .tick:has-text("worker-bob")`);
		const r = await world.api.data('GET /v1/routes/shop');
		await world.api.raw('PUT /v1/routes/shop', { ...r, methods: null });
		await save();
		await page.waitForSelector(`${dialog}.note:has-text("CHANGED MEANWHILE")`);
		await page.click(`${dialog}.note .btn`);
		await page.waitForFunction(() => document.querySelector('dialog[open] .tick input[value=GET]')?.checked === false);
		await page.click(`${part('ALLOWED')} .tick:has-text("Only these")`);
		await page.click(`${part('ALLOWED')} .tick:has-text("worker-bob")`);
		await save();
		await until('the route to want a key', async () => (await gateway('/shop/x', { headers: { 'x-tier': 'gold' } })).status === 401);
		assert.equal((await gateway('/shop/x', { headers: { 'x-tier': 'gold', authorization: 'Bearer wk-bob-00000001' } })).status, 200);
		await page.click('main summary:has-text("HOST, PATH, METHOD")');
		await page.fill('main .fbox:has(label:text-is("HOST")) input', 'shop.test');
		await page.fill('main .fbox:has(label:text-is("PATH")) input', '/shop/x');
		await page.click('form .btn.pri:has-text("EXPLAIN")');
		await page.waitForSelector('.trace li:has-text("x-tier")');
		assert.match(await page.textContent('.verdict'), /no route/);
	});

	await t.test('W-42: explain says what the API says', async () => {
		await page.fill('main .fbox:has(label:text-is("HOST")) input', GATEWAY_HOST);
		await page.fill('main .fbox:has(label:text-is("PATH")) input', '/v1/chat/completions');
		await page.fill('main .fbox:has(label:text-is("MODEL")) input', 'kimi-k2.5');
		await page.selectOption('main .fbox:has(label:text-is("CONSUMER")) select', 'worker-bob');
		await page.click('form .btn.pri:has-text("EXPLAIN")');
		await page.waitForSelector('.verdict h3:text-is("kimi-ai-route")');
		const api = (await world.api.call('GET /ni_status/route?explain=kimi-k2.5&consumer=worker-bob')).json.explain;
		assert.deepEqual([api.provider, api.allowed], ['kimi', true]);
		assert.match(await page.textContent('dl.kv'), /kimi[\s\S]*worker-bob\s*allowed/);
		await page.waitForSelector('.map .node.hot:has-text("kimi")');
	});

	await t.test('a plugin of a route', async () => {
		await page.click(`${row('shop')} .btn:has-text("PLUGINS")`);
		await page.selectOption(`${dialog}select`, 'basic-auth');
		await page.fill(`${dialog}textarea`, 'consumers: [');
		await page.click(`${dialog}.btn:has-text("SAVE PLUGIN")`);
		await page.waitForSelector(`${dialog}.hint.bad:not(:empty)`);
		await page.fill(`${dialog}textarea`, 'consumers:\n- name: ann\n  credential: ann:secret-1\n');
		await page.click(`${dialog}.btn:has-text("SAVE PLUGIN")`);
		await page.waitForSelector(`${dialog}li:has-text("basic-auth"):has-text("ON")`);
		assert.equal((await gateway('/shop/x', { headers: { 'x-tier': 'gold', authorization: 'Bearer wk-bob-00000001' } })).status, 401, 'it wants a name and a password as well');
		await page.click(`${dialog}li .btn.dang`);
		await page.click('dialog[open]:last-of-type footer .dang');
		await page.waitForSelector(`${dialog}h3:text-is("NO PLUGINS")`);
		await save();
	});

	await t.test('an MCP server is made of tools, given to one consumer, changed and deleted', async () => {
		await tab(page, 'MCP SERVERS');
		await page.click('main header .btn.pri');
		await page.fill(`${dialog}.fbox:has(label:text-is("NAME")) input`, 'desk');
		await page.click(`${dialog}label.tick:has-text("Only these consumers")`);
		await page.click(`${dialog}label.tick:has-text("worker-alice")`);
		await page.fill(`${part('SERVICES')} input[aria-label="service"]`, 'shop.static');
		await save();
		assert.equal(await focus(page), 'CONFIGURATION (YAML)', 'without tools there is nothing to save');
		await page.fill(`${dialog}.fbox:has(label:text-is("CONFIGURATION (YAML)")) textarea`, 'server: [');
		await save();
		await page.waitForSelector(`${dialog}.fbox:has(label:text-is("CONFIGURATION (YAML)")) .hint.bad:not(:empty), ${dialog}.note.b-bad`);
		await page.fill(`${dialog}.fbox:has(label:text-is("CONFIGURATION (YAML)")) textarea`, `server:\n  name: desk\ntools:\n- name: look\n  description: what lies there\n  args: []\n  requestTemplate:\n    url: http://127.0.0.1:${shop.port}/look\n    method: GET\n`);
		await page.waitForSelector(`${dialog}.becomes li`);
		await save();
		await toastOf(page, 'MCP SERVER CREATED');
		const made = await world.api.data('GET /v1/mcpServer/desk');
		assert.deepEqual([made.type, made.consumerAuthInfo.enable, made.consumerAuthInfo.allowedConsumers, made.services.map((x) => x.name)], ['OPEN_API', true, ['worker-alice'], ['shop.static']]);
		assert.match(made.rawConfigurations, /what lies there/);

		await page.click(`${row('desk')} .btn`);
		await page.fill(`${dialog}.fbox:has(label:text-is("DESCRIPTION")) input`, 'the desk');
		await save();
		await toastOf(page, 'MCP SERVER UPDATED');
		const later = await world.api.data('GET /v1/mcpServer/desk');
		assert.deepEqual({ ...later, description: '' }, { ...made, description: '' }, 'what was not touched stays');
		assert.equal(later.description, 'the desk');

		await page.click(`${row('desk')} .btn`);
		await page.click(`${dialog}footer .btn.dang`);
		await page.fill(`${dialog} input[placeholder="Type desk to confirm"]`, 'desk');
		await page.click('dialog[open] footer .btn.dang >> nth=-1');
		await toastOf(page, 'MCP SERVER DELETED');
		assert.deepEqual(await world.api.data('GET /v1/mcpServer'), []);
		await tab(page, 'HTTP ROUTES');
	});

	await t.test('what belongs to a provider or an AI route is changed there; a source says who uses it; a route is deleted', async () => {
		await page.click(`${row('kimi-ai-route')} .btn:has-text("EDIT")`);
		await page.waitForSelector(`${dialog}h2:text-is("EDIT AI ROUTE")`);
		await page.keyboard.press('Escape');
		await tab(page, 'SERVICE SOURCES');
		await page.waitForSelector(`${row('shop')}:has-text("shop")`);
		assert.equal(await page.$(`${row('llm-kimi.internal')} .btn`), null);
		await page.click(`${row('shop')} .btn:has-text("EDIT")`);
		await page.click(`${dialog}footer .dang`);
		await page.waitForSelector('dialog[open]:last-of-type .note:has-text("1 use it: shop")');
		await page.click('dialog[open]:last-of-type footer .btn >> nth=0');
		await page.keyboard.press('Escape');
		await page.waitForFunction(() => !document.querySelector('dialog[open]'));
		await tab(page, 'HTTP ROUTES');
		await page.click(`${row('shop')} .btn:has-text("EDIT")`);
		await page.click(`${dialog}footer .dang`);
		await page.fill('dialog[open]:last-of-type input', 'shop');
		await page.click('dialog[open]:last-of-type footer .dang');
		await toastOf(page, 'ROUTE DELETED');
		await until('the route to go', async () => (await gateway('/shop/x', { headers: { 'x-tier': 'gold' } })).status === 404);
	});

	await t.test('the editors in each theme, on a phone and in Chinese: no serious finding of axe, nothing cut off, no English left', async (tt) => {
		for (const theme of ['pixel', 'cyber', 'office']) {
			const tabOf = await openTab(tt, browser, world.url, { session: world.api, storage: { 'ai-gateway-theme': theme, 'sluice-lang': 'zh', 'sluice-motion': 'off' }, context: { bypassCSP: true } });
			await go(tabOf, '#/routes', 'main .seg');
			for (const [n, folded] of [[0, true], [1, true], [2, false], [3, false]]) {
				await tabOf.click(`.seg .btn >> nth=${n}`);
				await tabOf.waitForSelector(`.seg .btn[aria-pressed=true] >> nth=0`);
				await tabOf.click('main header .btn.pri');
				await tabOf.waitForSelector(dialog);
				if (folded) await tabOf.$$eval(`${dialog}details.part`, (all) => all.forEach((el) => (el.open = true)));
				await tabOf.click(`${dialog}footer .pri`);
				await tabOf.waitForSelector(`${dialog}[aria-invalid]`);
				await audit(tabOf, `${theme} editor ${n}`);
				await tabOf.setViewportSize({ width: 320, height: 700 });
				assert.ok((await tabOf.$eval(`${dialog}.body`, (el) => el.scrollWidth - el.clientWidth)) <= 0, `${theme} editor ${n} at 320`);
				await tabOf.setViewportSize({ width: 1440, height: 900 });
				await tabOf.keyboard.press('Escape');
				await tabOf.waitForFunction(() => !document.querySelector('dialog[open]'));
			}
			assert.deepEqual(await tabOf.evaluate(async () => (await import(document.querySelector('link[rel=modulepreload]').href)).missing()), []);
			await tabOf.context().close();
		}
	});
});
