// What every screen must hold, whatever it shows: nothing cut off on a phone, every
// word in Chinese, names with markup as text, many Workers and routes without a stall.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ADMIN, basic } from './lib/console.js';
import { request } from './lib/http.js';
import { go, monitorOf, openTab, settled, startBrowser, startWorld } from './lib/page.js';

const SCREENS = ['home', 'providers', 'assignment', 'monitor', 'routes', 'consumers', 'domains', 'playground', 'backup', 'logs', 'settings'];

test('every screen: sizes, languages, names', async (t) => {
	const world = await startWorld(t);
	const browser = await startBrowser(t);
	const evil = [`<img src=x onerror=alert(1)>`, `"'><script>alert(2)</script>`, `{{7*7}}\${8*8}`];
	// Names that the server would not take, through an API that says so.
	const named = async (page) => {
		await page.route(/\/v1\/(ai\/providers|ai\/routes|consumers|domains)$/, async (r) => {
			if (r.request().method() !== 'GET') return r.continue();
			const got = await r.fetch();
			const json = await got.json();
			const first = json.data[0];
			return r.fulfill({ response: got, body: JSON.stringify({ ...json, data: [...json.data, ...(first ? evil.map((name) => ({ ...first, name })) : [])] }) });
		});
	};
	const monitor = () => monitorOf({ 'GET workers': { success: true, workers: [...monitorOf()['GET workers'].workers, ...evil.map((name) => ({ name, state: 'idle', reason: name, evidence: [], inFlight: 0, requests1h: 0, consumer: `worker-${name}`, authorized: true }))] } });

	await t.test('W-56: from 320 px to 4K nothing makes the page scroll sideways', async (tt) => {
		const page = await openTab(tt, browser, world.url, { session: world.api, storage: { 'sluice-motion': 'off' }, monitor: monitorOf() });
		for (const name of SCREENS) {
			await go(page, `#/${name}`);
			for (const [width, height] of [[320, 640], [390, 844], [800, 600], [1440, 900], [3840, 2160]]) {
				await page.setViewportSize({ width, height });
				// Charts and the map are drawn anew for it, a frame later.
				await page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth).catch(() => assert.fail(`${name} at ${width}`));
			}
		}
	});

	await t.test('W-61: in Chinese no word is left', async (tt) => {
		const page = await openTab(tt, browser, world.url, { session: world.api, storage: { 'sluice-lang': 'zh' }, monitor: monitorOf() });
		assert.equal(await page.getAttribute('html', 'lang'), 'zh-CN');
		for (const name of SCREENS) await go(page, `#/${name}`);
		for (const [hash, selector] of [['#/providers', 'main .btn.pri'], ['#/routes', 'td .btn:nth-child(2)'], ['#/consumers', 'main header .btn.pri'], ['#/domains', 'main header .btn.pri'], ['#/home', 'button.set']]) {
			await go(page, hash, selector);
			await page.click(selector);
			await page.waitForSelector('dialog[open]');
			await page.keyboard.press('Escape');
		}
		const missing = await page.evaluate(async () => (await import(document.querySelector('link[rel=modulepreload]').href)).missing());
		assert.deepEqual(missing, []);
		assert.match(await page.textContent('.rail'), /首页.*供应商.*模型分配/);
	});

	await t.test('W-20 W-63: names with markup and quotes are text everywhere', async (tt) => {
		const page = await openTab(tt, browser, world.url, { session: world.api, monitor: monitor() });
		let alerted = false;
		page.on('dialog', (d) => {
			alerted = true;
			d.dismiss();
		});
		await named(page);
		await page.reload();
		await page.waitForSelector('header.top');
		for (const name of SCREENS) {
			await go(page, `#/${name}`);
			await settled(page);
			assert.equal(await page.evaluate(() => document.querySelectorAll('img, main script, [onerror]').length), 0, name);
		}
		await go(page, '#/providers', 'tbody tr');
		assert.ok((await page.$$eval('tbody h3', (all) => all.map((el) => el.textContent))).includes(evil[0]));
		await page.keyboard.press('Control+k');
		await page.fill('.palette input', 'onerror');
		await page.waitForSelector('.palette .it');
		await page.keyboard.press('Escape');
		await go(page, `#/providers/${encodeURIComponent(evil[1])}`);
		assert.equal(alerted, false);
	});

	await t.test('W-57: forced colours leave frames and focus', async (tt) => {
		const page = await openTab(tt, browser, world.url, { session: world.api, monitor: monitorOf() });
		await page.emulateMedia({ forcedColors: 'active' });
		await page.focus('.qa .btn');
		assert.match(await page.$eval('.qa .btn', (el) => getComputedStyle(el).outlineStyle), /solid/);
	});

	await t.test('what is not known is not said to be none', async (tt) => {
		const tab = await openTab(tt, browser, world.url, { session: world.api, expected: [/status of 500/] });
		await tab.route(/\/(v1|ni_status)\/|\/metrics$/, (r) => r.fulfill({ status: 500, contentType: 'application/json', body: '{"success":false,"message":"the disk is full"}' }));
		await tab.reload();
		for (const [name, selector] of [['home', '.tile[href="#/providers"]:has-text("UNKNOWN"):has-text("the disk is full")'], ['providers', 'main h3.badt:text-is("FAILED TO LOAD PROVIDERS")'], ['assignment', 'main .lead:has-text("Routes: Failed to load")'], ['monitor', '.note:has-text("MONITOR DATA UNAVAILABLE"):has-text("the disk is full")'], ['routes', 'main h3.badt']]) {
			await go(tab, `#/${name}`, selector);
			assert.doesNotMatch(await tab.innerText('main'), /NO (WORKERS|ROUTES)|none yet|Nothing needs you|No route yet|No AI routes|Last backup: Never/i, name);
		}
		await tab.unrouteAll({ behavior: 'ignoreErrors' });
		await tab.context().close();
	});

	await t.test('W-59: 500 Workers and 1,000 routes', async (tt) => {
		const workers = Array.from({ length: 500 }, (_, i) => ({ name: `w-${i}`, state: ['busy', 'idle', 'sleeping', 'offline'][i % 4], reason: 'recent_request', inFlight: i % 3, requests1h: i, consumer: `worker-w-${i}`, authorized: true }));
		const page = await openTab(tt, browser, world.url, { session: world.api, monitor: monitorOf({ 'GET workers': { success: true, workers }, 'GET assignment': { manager: { provider: 'default', model: 'default' }, workers: {} } }) });
		await page.route(/\/v1\/ai\/routes$/, async (r) => {
			const got = await r.fetch();
			const json = await got.json();
			await r.fulfill({ response: got, body: JSON.stringify({ ...json, data: Array.from({ length: 1000 }, (_, i) => ({ ...json.data[i % 3], name: `route-${i}-ai-route` })) }) });
		});
		await page.reload();
		await page.waitForSelector('.room-card');
		assert.equal((await page.$$('.room-card')).length, 24, 'the rest is asked for');
		for (const [name, rows] of [['routes', 1000], ['assignment', 501]]) {
			await go(page, `#/${name}`, 'table[aria-rowcount]');
			await page.waitForFunction((n) => [...document.querySelectorAll('table[aria-rowcount]')].some((el) => Number(el.getAttribute('aria-rowcount')) >= n - 8), rows);
			assert.ok((await page.$$('main tbody tr')).length < 80, `${name}: only what is seen is there`);
			await page.$eval('.tw.win', (el) => (el.scrollTop = el.scrollHeight));
			await page.waitForFunction((last) => document.querySelector('.tw.win tbody').textContent.includes(last), name === 'routes' ? 'route-999-ai-route' : 'w-99');
		}
	});

	await t.test('W-03 W-04: by a proxy with a prefix, and with the password in the request', async (tt) => {
		const got = await request(Number(world.api.serve.ready.monitor[0].split(':').pop()), { method: 'GET', path: '/agm/', headers: { authorization: basic(`${ADMIN.name}:${ADMIN.password}`) } });
		assert.equal(got.status, 200);
		const page = await openTab(tt, browser, `http://127.0.0.1:${world.api.serve.port}/agm/`, { session: world.api });
		const outside = [];
		page.on('request', (r) => new URL(r.url()).pathname.startsWith('/agm/') || outside.push(r.url()));
		for (const name of SCREENS) await go(page, `#/${name}`);
		assert.deepEqual(outside, []);
	});
});
