// The page beside a HiClaw that is scripted and a gateway that is real: states, models, drift, charts, logs and backups as the
// monitor API has them of real files and real requests, and news by the server's own events. What no test can bring about is
// in 63-page-agents, with a monitor API that is played. One server and one browser for all steps, which run in their order.
import assert from 'node:assert/strict';
import test from 'node:test';
import { openclaw } from './lib/hiclaw.js';
import { go, openTab, settled, startBrowser, toastOf } from './lib/page.js';
import { until } from './lib/sluice.js';
import { startTeam } from './lib/team.js';

const dialog = 'dialog[open] ';
const target = (name) => `tbody tr:has(h3:text-is("${name}"))`;
const model = `${dialog}input[list=model-ids]`;
const closed = (page) => page.waitForFunction(() => !document.querySelector('dialog[open]'));

test('the page with a real monitor API', async (t) => {
	const world = await startTeam(t);
	const browser = await startBrowser(t);
	const page = await openTab(t, browser, world.url, { session: world.api, expected: [/status of (409|422|502|503|504)/] });
	const chip = (name, state) => page.waitForSelector(`${target(name)} .badge:has-text("${state}")`);
	const room = (name, state) => page.waitForSelector(`.room-card[data-state=${state}]:has(h3:text-is("${name}"))`);
	const setModel = async (name, provider, id) => {
		await page.click(`${target(name)} .btn:has-text("SET MODEL")`);
		await page.selectOption(`${dialog}select`, provider);
		await page.fill(model, id);
		await page.click(`${dialog}footer .pri`);
	};

	await t.test('W-12: a request in flight, a container that runs, one that was put to sleep, one that nobody knows', async () => {
		let release;
		const held = new Promise((done) => (release = done));
		world.ask = (_, asked) => (asked.hold ? { wait: held } : null);
		await page.waitForSelector('.conn:has-text("LIVE")');
		await room('carol', 'sleeping');
		await room('dave', 'unknown');
		const answer = world.chat('alice', 'qwen3.6-plus', { hold: true });
		await room('alice', 'busy');
		assert.match(await page.textContent('.room-card[data-state=busy]'), /×1.*1 request in flight/s);
		release();
		assert.equal((await answer).status, 200);
		await page.waitForSelector('.room-card:has(h3:text-is("alice")) .foot .pix:text-is("1")');
	});

	await t.test('W-25 W-29: the Manager and a Worker get models: files, routes, and in force when they are asked for', async () => {
		await go(page, '#/assignment', target('bob'));
		await page.click(`${target('manager')} .btn:has-text("SET MODEL")`);
		await page.selectOption(`${dialog}select`, 'kimi');
		await page.waitForFunction(() => [...document.querySelectorAll('#model-ids option')].some((o) => o.value === 'kimi-k2.5'));
		await page.fill(model, 'kimi-k2.5');
		assert.equal(await page.inputValue(`${dialog}.two input >> nth=0`), '256000', 'the table knows it');
		await page.click(`${dialog}footer .btn:has-text("TEST")`);
		await page.waitForSelector(`${dialog}pre.code:has-text("workspace/openclaw.json")`);
		assert.notEqual(world.hiclaw.primary(world.hiclaw.json('workspace/openclaw.json')), 'kimi-k2.5', 'a test changes nothing');
		await page.click(`${dialog}footer .pri`);
		await toastOf(page, 'MODEL SET');
		assert.equal(world.hiclaw.primary(world.hiclaw.json('workspace/openclaw.json')), 'kimi-k2.5');
		await page.waitForSelector(`${dialog}.gt.open >> nth=3`);
		await closed(page);
		await chip('manager', 'PENDING');
		await page.waitForSelector(`${target('manager')} .why:has-text("waits for a request")`);
		assert.equal((await world.chat('manager', 'kimi-k2.5')).status, 200);
		await chip('manager', 'APPLIED'); // told by the server: nothing was pressed
		await setModel('bob', 'deepseek', 'deepseek-chat');
		await toastOf(page, 'MODEL SET');
		await closed(page);
		assert.equal(world.hiclaw.primary(world.hiclaw.object('agents/bob/openclaw.json')), 'deepseek-chat');
		assert.equal((await world.chat('bob', 'deepseek-chat')).status, 200);
		await chip('bob', 'APPLIED');
		await page.waitForSelector(`${target('bob')} .cell.same .cut:text-is("deepseek-chat")`);
	});

	await t.test('W-27: a provider that does not answer: the step, the reason, and nothing has changed', async () => {
		const before = world.hiclaw.read('workspace/openclaw.json');
		await setModel('manager', 'local', 'llama-3');
		await page.waitForSelector(`${dialog}.note:has-text("SET MODEL FAILED")`);
		assert.match(await page.textContent(`${dialog}.note`), /Nothing was changed/);
		assert.equal(await page.$$eval(`${dialog}.gt`, (all) => all.findIndex((el) => el.classList.contains('bad'))), 0);
		assert.equal(await page.inputValue(model), 'llama-3');
		assert.equal(world.hiclaw.read('workspace/openclaw.json'), before);
		await page.keyboard.press('Escape');
		await page.click('dialog[open]:last-of-type footer .warn');
		await closed(page);
	});

	await t.test('W-32: a file that is edited by hand drifts, is applied again, and is adopted', async () => {
		const edit = (id) => world.hiclaw.write('workspace/openclaw.json', openclaw(id));
		edit('qwen3-max');
		await chip('manager', 'DRIFTED');
		await page.waitForSelector(`${target('manager')} .cell.diff .cut:text-is("qwen3-max")`);
		await page.click(`${target('manager')} .btn[aria-label^="DETAILS"]`);
		await page.click('.detail .btn:has-text("RE-APPLY")');
		await until('the file to say what is desired', () => world.hiclaw.primary(world.hiclaw.json('workspace/openclaw.json')) === 'kimi-k2.5');
		await page.waitForSelector(`${target('manager')} .cell.same:has-text("kimi-k2.5")`);
		edit('qwen3-max');
		await chip('manager', 'DRIFTED');
		await page.click('.detail .btn:has-text("ADOPT")');
		await until('the assignment to follow', async () => (await world.monitor.ok('GET /ni_status/assignment/manager')).model === 'qwen3-max');
		await page.waitForSelector(`${target('manager')} .cell.same:has-text("qwen3-max")`);
		assert.equal((await world.monitor.ok('GET /ni_status/assignment/manager')).provider, 'qwen', 'of the provider that serves it');
	});

	await t.test('W-23: tests of a provider that answers and of one that does not', async () => {
		await go(page, '#/providers', target('qwen'));
		await page.click(`${target('qwen')} .btn:has-text("TEST")`);
		await page.waitForSelector('.toast:has-text("PROVIDER qwen CONNECTED"):has-text("4 models")');
		await page.click(`${target('local')} .btn:has-text("TEST")`);
		await page.waitForSelector('.toast:has-text("PROVIDER local FAILED")');
		await page.click('.toast:has-text("PROVIDER local FAILED") button');
		await page.waitForSelector(`${target('local')} td:has-text("FAILED")`);
		await page.waitForSelector('.rail a[data-k=home] .n');
	});

	await t.test('W-19 W-21: another address of a provider is where its requests go', async () => {
		await world.monitor.ok('POST /ni_status/create-provider', { name: 'moving', type: 'openai', tokens: ['sk-moving-0123456789', 'sk-moving-9876543210'], baseUrl: 'http://127.0.0.1:9/v1' });
		await page.click(`${target('moving')} .btn:has-text("EDIT")`);
		assert.equal(await page.inputValue(`${dialog}.fbox:has(label:text("SERVICE DOMAIN")) input`), 'moving.static', 'the one that it has');
		await page.fill(`${dialog}.fbox:has(label:text("API URL")) input`, 'http://10.20.30.40:8000/v1');
		await page.click(`${dialog}footer .pri`);
		await toastOf(page, 'PROVIDER UPDATED');
		assert.equal((await world.api.data('GET /v1/service-sources')).find((x) => x.name === 'moving').domain, '10.20.30.40:8000');
		assert.deepEqual((await world.api.data('GET /v1/ai/providers')).find((p) => p.name === 'moving').tokens, ['sk-moving-0123456789', 'sk-moving-9876543210']);
		await world.api.gone('DELETE /v1/ai/routes/moving-ai-route');
		await world.api.gone('DELETE /v1/ai/providers/moving');
	});

	await t.test('W-35 W-36 W-37: what was asked is in the numbers and charts, as GET usage has it', async () => {
		world.ask = (_, asked) => (asked.fail ? { status: 500 } : { input: 100, output: 20 });
		for (let i = 0; i < 4; i++) assert.equal((await world.chat('alice', 'qwen3.6-plus')).status, 200);
		assert.ok((await world.chat('bob', 'deepseek-chat', { fail: true })).status >= 500);
		const now = () => Math.floor(Date.now() / 1000);
		const usage = async (by) => Object.fromEntries((await world.monitor.ok(`GET /ni_status/usage?from=${now() - 3600}&to=${now()}&step=60&by=${by}`)).series.map((x) => [x.key, x.points.reduce((n, p) => n.map((v, i) => v + p[i + 1]), [0, 0, 0, 0])]));
		const of = await until('the requests in the record', async () => ((u) => (u['worker-alice']?.[0] >= 5 && u['worker-bob']?.[1] >= 1 ? u : null))(await usage('consumer')));
		await go(page, '#/monitor', '.mcards');
		await page.click('.seg .btn:has-text("1 H")');
		await page.click('.seg .btn:has-text("CONSUMER")');
		await page.click('main .btn:has-text("REFRESH")');
		await page.waitForSelector('.charts .legend button:has-text("worker-alice")');
		await page.click('.charts details.under summary >> nth=0');
		const inTable = () => page.$$eval('.charts .panel:first-child details table', ([table]) => {
			const heads = [...table.querySelectorAll('thead th')].map((el) => el.textContent);
			const rows = [...table.querySelectorAll('tbody tr')].map((tr) => [...tr.children].map((el) => Number(el.textContent) || 0));
			return Object.fromEntries(heads.slice(1).map((name, i) => [name, rows.reduce((n, r) => n + r[i + 1], 0)]));
		});
		await until('the table to say the same', async () => (await inTable())['worker-alice'] === of['worker-alice'][0]);
		assert.equal((await inTable())['worker-bob'], of['worker-bob'][0]);
		await page.waitForSelector(`${target('alice')} td:has-text("${of['worker-alice'][0]}")`);
		await page.waitForSelector(`${target('carol')}:has-text("put to sleep")`);
		await page.click(`${target('carol')} .btn:has-text("WAKE")`);
		await toastOf(page, 'WAKING carol');
		await until('the controller to be asked', () => world.hiclaw.containers.carol === 'running');
	});

	await t.test('LOGS: what happened, who asked for what, who changed what', async () => {
		await go(page, '#/logs', '.subtabs');
		await page.waitForSelector('table.log td:has-text("create provider of qwen by admin")');
		await page.click('.subtabs button:has-text("REQUESTS")');
		const cells = await (await page.waitForSelector('table.log tr:has(td:text-is("worker-alice"))')).$$eval('td', (all) => all.map((el) => el.textContent));
		assert.deepEqual([cells[1], cells[2], cells[3], cells[4], cells[5], cells[7]], ['worker-alice', 'qwen3.6-plus', 'qwen-ai-route', 'qwen', '200', '120']);
		assert.match(cells[6], /^[\d,]+ ms$/);
		await page.fill('.logbar input', 'bob deepseek');
		await page.waitForFunction(() => [...document.querySelectorAll('table.log tbody tr')].every((tr) => tr.textContent.includes('worker-bob')));
		await page.fill('.logbar input', '');
		await page.click('.subtabs button:has-text("HISTORY")');
		await page.waitForSelector('table.log tr:has-text("admin"):has-text("bob")');
	});

	await t.test('news come by themselves: another client changes routes and assignments', async () => {
		await go(page, '#/providers', target('qwen'));
		await world.monitor.ok('POST /ni_status/create-provider', { name: 'late', type: 'openai', apiKey: 'sk-late-0123456789', baseUrl: 'http://127.0.0.1:9/v1' });
		await page.waitForSelector(target('late'));
		await go(page, '#/assignment', target('bob'));
		await world.assign('bob', 'kimi', 'kimi-k2.5');
		await page.waitForSelector(`${target('bob')} .cell.same:has-text("kimi-k2.5")`);
	});

	await t.test('W-61: of what the real one says, too, no word is left in English', async (tt) => {
		const zh = await openTab(tt, browser, world.url, { session: world.api, storage: { 'sluice-lang': 'zh' } });
		for (const name of ['home', 'providers', 'assignment/bob', 'monitor', 'routes', 'consumers', 'domains', 'playground', 'backup', 'logs', 'settings']) {
			await go(zh, `#/${name}`);
			await settled(zh);
		}
		assert.deepEqual(await zh.evaluate(async () => (await import(document.querySelector('link[rel=modulepreload]').href)).missing()), []);
	});

	await t.test('W-46: back to a backup, and the providers are those of then', async () => {
		await go(page, '#/backup', '.slots');
		await page.click('main header .btn.pri');
		await page.fill(`${dialog}input`, 'before the mistake');
		await page.click(`${dialog}footer .pri`);
		await toastOf(page, 'BACKUP CREATED');
		await world.api.gone('DELETE /v1/ai/routes/late-ai-route');
		await world.api.gone('DELETE /v1/ai/providers/late');
		await page.click('.slot:has-text("before the mistake")');
		await page.waitForSelector('.diffs section');
		await page.click('.bk .btn:has-text("RESTORE")');
		await page.fill(`${dialog}input`, 'RESTORE');
		await page.click(`${dialog}footer .warn`);
		await toastOf(page, 'CONFIGURATION RESTORED');
		assert.ok((await world.api.data('GET /v1/ai/providers')).some((p) => p.name === 'late'));
		await go(page, '#/providers', target('late'));
	});
});
