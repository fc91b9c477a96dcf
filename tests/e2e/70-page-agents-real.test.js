// What Workers, routes and backups do on the page, against a real gateway in a scripted HiClaw; and who is no administrator.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { KEY_OF } from './hiclaw/world.js';
import { ADMIN, primaryOf, startAgents } from './lib/agents.js';
import { startConsole } from './lib/console.js';
import { go, openTab, startBrowser, tabsOf, toastOf } from './lib/page.js';
import { startServe, until } from './lib/sluice.js';

const dialog = 'dialog[open] ';
const row = (name) => `tbody tr:has(h3:text-is("${name}"))`;

test('a HiClaw on the page', async (t) => {
	tabsOf(t);
	const hiclaw = await startAgents(t);
	const browser = await startBrowser(t);
	const page = await openTab(t, browser, hiclaw.url, { session: hiclaw.api, expected: [/status of (409|502)/] });
	const sent = [];
	page.on('request', (r) => r.method() !== 'GET' && sent.push(`${r.method()} ${new URL(r.url()).pathname}`));

	await t.test('W-16: a second provider: its routes are named before and after, and are there', async () => {
		await go(page, '#/providers', row('qwen'));
		await page.click('main header .btn.pri');
		await page.selectOption(`${dialog}select`, 'custom');
		await page.fill(`${dialog}.fbox:has(label:text("PROVIDER NAME")) input`, 'kimi');
		await page.waitForSelector(`${dialog}p:has-text("kimi-ai-route, qwen-ai-route")`);
		await page.fill(`${dialog}.keys input`, 'vendor-key-kimi-0001');
		await page.fill(`${dialog}.fbox:has(label:text("API URL")) input`, `http://${hiclaw.vendors.kimi.address}/v1`);
		await page.click(`${dialog}footer .pri`);
		const said = await (await toastOf(page, 'PROVIDER CREATED')).textContent();
		for (const name of ['kimi-ai-route', 'qwen-ai-route']) assert.match(said, new RegExp(name));
		await go(page, '#/routes', row('kimi-ai-route'));
		await page.waitForSelector(row('qwen-ai-route'));
		assert.deepEqual((await hiclaw.api.names('GET /v1/ai/routes')).sort(), ['default-ai-route', 'kimi-ai-route', 'qwen-ai-route']);
	});

	await t.test('W-42: EXPLAIN says what the API says', async () => {
		await page.fill('form .fbox:has(label:text("MODEL")) input', 'kimi-k2.5');
		await page.selectOption('form .fbox:has(label:text("CONSUMER")) select', 'worker-bob');
		await page.click('form .btn.pri:has-text("EXPLAIN")');
		await page.waitForSelector('.verdict.open h3:text-is("kimi-ai-route")');
		const { explain } = (await hiclaw.monitor('GET route?explain=kimi-k2.5&consumer=worker-bob')).json;
		assert.equal(explain.route, 'kimi-ai-route');
		assert.deepEqual(await page.$$eval('dl.kv dd', (all) => all.map((el) => el.textContent)), [explain.provider, explain.model, `worker-bob ${explain.allowed ? 'allowed' : 'refused'}`]);
		await page.waitForSelector('.map .node.hot[data-id="rt:kimi-ai-route"]');
	});

	await t.test('W-32: a configuration that somebody else has edited: DRIFTED, RE-APPLY, ADOPT', async () => {
		await hiclaw.monitor('PUT assignment/manager', { provider: 'qwen', model: 'qwen3.5-plus' });
		const edit = (to) => {
			const config = hiclaw.file('manager', 'openclaw.json');
			config.agents.defaults.model.primary = `hiclaw-gateway/${to}`;
			const models = config.models.providers['hiclaw-gateway'].models;
			if (!models.some((m) => m.id === to)) models.push({ ...models[0], id: to, name: to });
			fs.writeFileSync(path.join(hiclaw.agents, 'manager', 'openclaw.json'), JSON.stringify(config, null, 2));
		};
		const primary = () => primaryOf(hiclaw.file('manager', 'openclaw.json'));
		const drifted = `${row('manager')} .badge:has-text("DRIFTED")`;
		const open = async () => {
			if (!(await page.$('tr.detail'))) await page.click(`${row('manager')} .btn[aria-label="DETAILS manager"]`);
		};
		await go(page, '#/assignment', row('manager'));
		edit('qwen-max');
		await until('the drift to be seen', async () => (await hiclaw.monitor('GET assignment/manager')).json.state === 'drifted');
		await page.keyboard.press('r');
		await page.waitForSelector(drifted);
		await open();
		await page.click('tr.detail .btn:has-text("RE-APPLY")');
		await toastOf(page, 'RE-APPLIED');
		await until('the model that is wanted', () => primary() === 'hiclaw-gateway/qwen3.5-plus');
		edit('qwen-max');
		await until('the drift to be seen', async () => (await hiclaw.monitor('GET assignment/manager')).json.state === 'drifted');
		await page.keyboard.press('r');
		await page.waitForSelector(drifted);
		await open();
		await page.click('tr.detail .btn:has-text("ADOPT")');
		await page.waitForSelector('.toast:has-text("qwen-max")');
		assert.equal((await hiclaw.monitor('GET assignment/manager')).json.model, 'qwen-max');
		await page.waitForSelector(`${row('manager')}:not(:has(.badge:has-text("DRIFTED")))`);
	});

	await t.test('W-22: a rename is one request, which routes and assignments follow', async () => {
		await hiclaw.monitor('PUT assignment/workers/alice', { provider: 'kimi', model: 'kimi-k2.5' });
		await go(page, '#/providers', row('kimi'));
		await page.click(`${row('kimi')} .btn:has-text("EDIT")`);
		await page.fill(`${dialog}.fbox:has(label:text("PROVIDER NAME")) input`, 'moon');
		sent.length = 0;
		await page.click(`${dialog}footer .pri`);
		await toastOf(page, 'PROVIDER UPDATED');
		assert.deepEqual(sent, ['PUT /ni_status/providers/kimi']);
		await page.waitForSelector(row('moon'));
		assert.equal(await page.$(row('kimi')), null);
		assert.deepEqual((await hiclaw.api.data('GET /v1/ai/routes')).map((r) => [r.name, r.upstreams[0].provider]).sort(), [['default-ai-route', 'qwen'], ['moon-ai-route', 'moon'], ['qwen-ai-route', 'qwen']]);
		assert.equal((await hiclaw.monitor('GET assignment/workers/alice')).json.provider, 'moon');
		assert.equal(await hiclaw.ask('alice', 'kimi-k2.5'), 'by kimi', 'with the key it had');
	});

	await t.test('W-14: a tab that is hidden asks for nothing; one that comes back looks at once', async (tt) => {
		const tab = await openTab(tt, browser, hiclaw.url, { session: hiclaw.api });
		await tab.clock.install({ time: Date.now() });
		const asked = [];
		tab.on('request', (r) => asked.push(r.url()));
		await tab.reload();
		await tab.waitForSelector('main .tiles');
		const first = ['ai/providers', 'ai/routes', 'consumers', 'domains', 'tls-certificates'].map((what) => `/v1/${what}`).concat('/ni_status/backups', '/ni_status/workers', '/ni_status/providers', '/ni_status/events', '&by=consumer', '/metrics'); // the last of each chain of questions
		await until('what it begins with', async () => first.every((end) => asked.some((url) => url.endsWith(end))) && tab.evaluate(() => document.querySelector('.tile .tv').textContent === 'ONLINE'));
		const hide = (hidden) => tab.evaluate((value) => {
			Object.defineProperty(document, 'hidden', { configurable: true, get: () => value });
			document.dispatchEvent(new Event('visibilitychange'));
		}, hidden);
		let [seen, calm] = [0, 0]; // a list that is older than others is asked for once more when something is drawn
		await until('it is at rest', () => {
			calm = asked.length === seen ? calm + 1 : 0;
			seen = asked.length;
			return calm === 50;
		});
		await hide(true);
		asked.length = 0;
		await tab.clock.runFor(60000);
		assert.deepEqual(asked, []);
		await hide(false);
		await until('a look at what is new', () => asked.some((url) => url.endsWith('/metrics')));
		await until('and at the Workers', () => asked.some((url) => url.endsWith('/ni_status/workers')));
	});

	await t.test("W-52: with the Manager's key there is what a Manager may do, and nothing else", async (tt) => {
		const tab = await openTab(tt, browser, hiclaw.url, { context: { extraHTTPHeaders: { authorization: `Bearer ${KEY_OF.manager}` } } });
		await tab.waitForSelector('main .tiles');
		assert.deepEqual(await tab.$$eval('.rail a', (all) => all.map((a) => a.dataset.k)), ['home', 'providers', 'assignment', 'monitor', 'settings']);
		await tab.waitForFunction(() => document.querySelectorAll('.tile .tv')[3].textContent === '2', null);
		assert.equal(await tab.$('button:has-text("BACKUP NOW"), button:has-text("RESET")'), null);
		await go(tab, '#/providers', row('qwen'));
		assert.deepEqual(await tab.$$eval('tbody tr .acts .btn', (all) => [...new Set(all.map((b) => b.getAttribute('aria-label').split(' ')[0]))]), ['TEST', 'DETAILS']);
		await tab.click(`${row('qwen')} .btn:has-text("TEST")`);
		await toastOf(tab, 'PROVIDER qwen CONNECTED');
		await go(tab, '#/assignment', row('bob'));
		await tab.click(`${row('bob')} .btn:has-text("SET MODEL")`);
		await tab.fill(`${dialog}input[list]`, 'qwen-max');
		await tab.selectOption(`${dialog}select`, 'qwen');
		await tab.click(`${dialog}footer .pri`);
		await tab.waitForSelector('.toast:has-text("MODEL SET")');
		assert.equal((await hiclaw.monitor('GET assignment/workers/bob')).json.model, 'qwen-max');
		await tab.evaluate(() => (location.hash = '#/logs'));
		await tab.waitForSelector('main.m-home');
	});

	await t.test('W-11 W-39: the server stops: OFFLINE with its age, and is back: all by itself', async (tt) => {
		const tab = await openTab(tt, browser, hiclaw.url, { session: hiclaw.api });
		await tab.clock.install({ time: Date.now() });
		await tab.reload();
		await tab.waitForSelector('.tile .tv:has-text("ONLINE")');
		await tab.focus('.qa .btn >> nth=2');
		const soon = (what, probe) => until(what, async () => {
			await tab.clock.runFor(5000);
			return tab.evaluate(probe);
		}, 60000);
		await hiclaw.serve.stop('SIGKILL');
		await soon('the tile to say so', () => document.querySelector('.tile .tv').textContent === 'OFFLINE');
		await soon('the bar with the age of what is shown', () => document.querySelector('.lost')?.textContent.includes('what is shown is of') && document.querySelector('main.stale'));
		assert.match(await tab.textContent('.conn'), /OFFLINE.*ago/);
		assert.equal((await tab.$$('.room-card')).length, 3, 'and it is still shown');
		const again = await startServe(t, { data: hiclaw.data, args: ['--hiclaw', '--access-log', 'off'], env: { HICLAW_ADMIN_USER: ADMIN.name, HICLAW_ADMIN_PASSWORD: ADMIN.password, ...hiclaw.env, SLUICE_CONSOLE: `127.0.0.1:${hiclaw.serve.console}` } });
		assert.equal(again.console, hiclaw.serve.console);
		await soon('all of it to be back', () => !document.querySelector('.lost') && !document.querySelector('main.stale') && document.querySelector('.tile .tv').textContent === 'ONLINE');
		assert.equal(await tab.evaluate(() => document.activeElement.textContent), 'REFRESH ALL', 'nothing was built anew');
	});
});

test('W-48: RESET without a backup', async (t) => {
	tabsOf(t);
	const c = await startConsole(t);
	await c.init();
	assert.deepEqual(await c.data('GET /v1/backups'), []);
	const browser = await startBrowser(t);
	const page = await openTab(t, browser, `http://127.0.0.1:${c.serve.console}/`, { session: c });
	await page.click('header.top .btn:has-text("RESET")');
	await toastOf(page, 'NO BACKUP FOUND');
	await go(page, '#/backup', '.empty:has-text("NO BACKUPS")');
	assert.equal(await page.$('dialog[open]'), null);
});
