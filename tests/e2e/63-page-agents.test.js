// The screens of Workers and their models in states that a test cannot bring about with a real HiClaw: a CPU at 0, memory that
// nobody knows, answers that are late or fail in one way only, two providers with one id, tasks that run; and what the page sends.
// So the monitor API is played here, as its specification says it. The same screens with the real one are 72-page-team.
import assert from 'node:assert/strict';
import test from 'node:test';
import { go, monitorOf, openTab, seen, startBrowser, startWorld, toastOf } from './lib/page.js';

const dialog = 'dialog[open] ';
const text = (page, selector) => page.textContent(selector);
const target = (name) => `tbody tr:has(h3:text-is("${name}"))`;

test('Workers and their models', async (t) => {
	const world = await startWorld(t);
	const browser = await startBrowser(t);
	const failures = [[502, { success: false, error: 'Model not reachable: connect timeout', message: 'Model not reachable: connect timeout', code: 'MODEL_NOT_REACHABLE', hint: 'Check if the Provider is correctly configured in Higress Console' }]];
	const saved = (name, extra = {}) => ({ success: true, target: name, provider: 'qwen', model: 'qwen3.5-plus', routeUpdated: true, status: 'saved', changed: true, state: 'applied', test: { ok: true, ms: 412 }, reload: { ok: true, method: 'watcher' }, warnings: [], ...extra });
	let next = () => [200, saved('manager')];
	const put = (body) => (body.dryRun ? [200, { success: true, changed: true, test: { ok: true, ms: 12 }, plan: { routes: ['qwen-ai-route'], places: ['agents/alice/openclaw.json'] }, warnings: [] }] : next(body));
	const rows = monitorOf({ 'PUT assignment/manager': put, 'PUT assignment/workers/alice': put, 'PUT assignment/workers/bob': put, 'PUT assignment/workers/carol': put,
		'POST test-provider': (body) => (body.provider === 'qwen' ? [200, { success: true, models: 150, ms: 412, sample: ['qwen3.5-plus', 'qwen3-coder'] }] : [502, { success: false, error: 'Connection failed: connect timeout after 5 s', message: 'Connection failed: connect timeout after 5 s', code: 'PROVIDER_UNREACHABLE' }]),
		'GET usage': (_, url) => [200, { step: 60, series: ['qwen', 'kimi'].map((key, i) => ({ key, points: Array.from({ length: 60 }, (_x, k) => [Number(url.searchParams.get('to')) - 60 * (60 - k) + 1, 10 * (i + 1), i, 100, 50, 400 + k]) })) }],
		'GET logs': { success: true, logs: [{ time: '2026-11-21T10:00:00.123Z', level: 'warn', source: 'upstream', message: '<b>minimax</b>: connect timeout' }, { time: '2026-11-21T10:00:01Z', level: 'info', source: 'access', message: 'worker-alice 200' }, ...Array.from({ length: 2500 }, (_, i) => ({ time: '2026-11-21T09:00:00Z', level: 'info', source: 'serve', message: `line ${i}` }))] },
		'POST workers/carol/wake': [202, { success: true }] });
	const page = await openTab(t, browser, world.url, { session: world.api, monitor: rows, expected: [/status of (502|503|409|500)/, /ERR_FAILED/] });
	const sentLines = (line) => page.sent.filter((x) => x.line === line && !x.body?.dryRun);

	await t.test('W-12: states are shown as they are, in words and pictures, and stay', async () => {
		await page.waitForSelector('.room-card[data-state=busy]');
		const cards = () => page.$$eval('.room-card', (all) => all.map((el) => `${el.querySelector('h3').textContent} ${el.querySelector('.state').textContent}`));
		const first = await cards();
		assert.deepEqual(first, ['manager IDLE', 'alice BUSY', 'bob IDLE', 'carol SLEEPING', 'dave OFFLINE']);
		assert.equal(await text(page, '.room-card[data-state=busy] .flight'), '×2');
		for (let i = 0; i < 3; i++) await page.click('.qa .btn:has-text("REFRESH ALL")').then(() => toastOf(page, 'REFRESHED'));
		assert.deepEqual(await cards(), first, 'nothing is drawn at random');
		assert.deepEqual(await page.$$eval('.warnrow .cut', (all) => all.filter((_, i) => i % 2 === 0).map((el) => el.textContent)), ['carol is not authorized', 'carol has drifted', 'dave could not be switched']);
	});

	await t.test('W-13: whoever wants no motion sees none', async () => {
		await page.emulateMedia({ reducedMotion: 'reduce' });
		await page.waitForFunction(() => document.getAnimations().length === 0);
		await page.emulateMedia({ reducedMotion: 'no-preference' });
		await page.waitForFunction(() => document.getAnimations().length > 0);
	});

	await t.test('the strip of desired, stored and effective breaks where they differ', async () => {
		await go(page, '#/assignment', target('bob'));
		const strip = (name) => page.$$eval(`${target(name)} .cell`, (all) => all.map((el) => [el.className, el.textContent]));
		assert.deepEqual(await strip('alice'), [['cell same', 'qwen3.5-plus']]);
		assert.deepEqual(await strip('bob'), [['cell same', 'kimi-k2.5'], ['cell diff', 'kimi-k2']]);
		assert.deepEqual(await strip('carol'), [['cell same', 'deepseek-chat'], ['cell diff', 'deepseek-reasoner']]);
		assert.deepEqual(await page.$$eval('table.assign .badge:has(svg)', (all) => all.map((el) => el.textContent)), ['APPLIED', 'APPLIED', 'PENDING', 'DRIFTED', 'FAILED']);
	});

	await t.test('W-25 W-26: a known model fills the fields, what was typed stays, the steps are shown', async () => {
		await page.click(`${target('manager')} .btn:has-text("SET MODEL")`);
		const [model, context] = [`${dialog}input[list=model-ids]`, `${dialog}.two input >> nth=0`];
		assert.equal(await page.inputValue(model), 'qwen3.5-plus', 'prefilled with what is');
		await page.waitForSelector('#model-ids option', { state: 'attached' });
		await page.fill(model, 'kimi-k2.5');
		assert.equal(await page.inputValue(context), '256000');
		await page.fill(context, '12345');
		await page.selectOption(`${dialog}select`, 'kimi');
		await page.fill(model, 'qwen3.5-plus');
		assert.equal(await page.inputValue(context), '12345', 'typed by hand');
		await page.click(`${dialog}footer .btn:has-text("TEST")`);
		await page.waitForSelector(`${dialog}pre.code:has-text("qwen-ai-route")`);
		// The dialog closes itself a moment later.
		await seen(page, 'dialog[open] .gates:not(:has(.gt:not(.open)))', () => page.click(`${dialog}footer .pri`));
		await toastOf(page, 'MODEL SET & APPLIED');
		const sent = sentLines('PUT assignment/manager').at(-1);
		assert.deepEqual([sent.body.provider, sent.body.model, sent.body.contextWindow, sent.headers['if-match'], sent.headers['x-requested-with']], ['kimi', 'qwen3.5-plus', 12345, '"2026-11-21T10:00:00Z"', 'sluice']);
		await page.waitForFunction(() => !document.querySelector('dialog[open]'));
	});

	await t.test('W-27 W-28: an unreachable model: the step, the reason, one request, and the inputs stay', async () => {
		let answer;
		const clicked = new Promise((done) => (answer = done));
		next = () => clicked.then(() => failures[0]);
		const before = sentLines('PUT assignment/workers/alice').length;
		await page.click(`${target('alice')} .btn:has-text("SET MODEL")`);
		await page.fill(`${dialog}input[list=model-ids]`, 'nothing-like-it');
		await page.dblclick(`${dialog}footer .pri`);
		answer();
		await page.waitForSelector(`${dialog}.note:has-text("Model not reachable: connect timeout")`);
		assert.match(await text(page, `${dialog}.note`), /Nothing was changed/);
		assert.equal(await page.$$eval(`${dialog}.gt`, (all) => all.findIndex((el) => el.classList.contains('bad'))), 0);
		assert.equal(await page.inputValue(`${dialog}input[list=model-ids]`), 'nothing-like-it');
		assert.equal(sentLines('PUT assignment/workers/alice').length, before + 1, 'a double click is one request');
	});

	await t.test('W-30 W-31 W-34 W-29: running tasks, one id at two providers, a change by others, pending', async () => {
		await page.click(`${dialog}input[name=apply] >> nth=1`);
		await page.click(`${dialog}footer .pri`);
		await page.waitForSelector(`${dialog}.note:has-text("2 tasks are running")`);
		next = (body) => (body.onConflict === 'qualify' ? [409, { success: false, message: 'changed by somebody', code: 'CONFLICT' }] : [409, { success: false, message: 'two providers serve it', code: 'ROUTE_CONFLICT' }]);
		await page.click(`${dialog}.note .btn`);
		await page.click(`${dialog}.note .btn:has-text("USE QUALIFIED ID")`);
		await page.waitForSelector(`${dialog}.note:has-text("CHANGED MEANWHILE")`);
		next = () => [200, saved('alice', { state: 'pending' })];
		await page.click(`${dialog}input[name=apply] >> nth=0`);
		await page.click(`${dialog}footer .pri`);
		await toastOf(page, 'MODEL SET — PENDING');
		assert.equal(sentLines('PUT assignment/workers/alice').at(-1).headers['if-match'], undefined, 'after the conflict was shown it is meant');
		await page.waitForFunction(() => !document.querySelector('dialog[open]'));
	});

	await t.test('W-33: several at once, each with its own result', async () => {
		for (const name of ['bob', 'carol']) await page.click(`${target(name)} input[type=checkbox]`);
		next = () => (page.sent.at(-1).line.endsWith('bob') ? failures[0] : [200, saved('carol')]);
		await page.click('main header .btn:has-text("SET SELECTED")');
		await page.click(`${dialog}footer .pri`);
		await page.waitForSelector(`${dialog}li:has-text("carol"):has-text("APPLIED")`);
		assert.match(await text(page, `${dialog}li:has-text("bob")`), /Model not reachable/);
		await page.keyboard.press('Escape');
		if (await page.$('dialog[open] h2:text("DISCARD CHANGES")')) await page.click('dialog[open]:last-of-type footer .warn');
	});

	await t.test('W-23: a test of a provider, good and bad; the result stays', async () => {
		await go(page, '#/providers', target('qwen'));
		await page.click(`${target('qwen')} .btn:has-text("TEST")`);
		await page.waitForSelector('.toast:has-text("PROVIDER qwen CONNECTED"):has-text("150 models, 412 ms")');
		await page.click(`${target('kimi')} .btn:has-text("TEST")`);
		await page.waitForSelector('.toast:has-text("PROVIDER kimi FAILED"):has-text("connect timeout")');
		await page.click('.toast:has-text("PROVIDER kimi FAILED") button');
		await page.waitForFunction(() => ![...document.querySelectorAll('.toast')].some((el) => el.textContent.includes('FAILED')));
		await page.waitForSelector(`${target('qwen')} td:has-text("412 ms")`);
		await page.waitForSelector(`${target('kimi')} td:has-text("FAILED"):has-text("connect timeout")`);
	});

	await t.test('W-23: what was no test says nothing of the provider', async () => {
		const toasted = async (...words) => {
			const selector = `.toast${words.map((x) => `:has-text("${x}")`).join('')}`;
			await page.waitForSelector(selector);
			await page.click(`${selector} button`);
		};
		await page.route('**/ni_status/test-provider', (r) => r.fulfill({ status: 503, contentType: 'text/html', body: '<h1>busy</h1>' }));
		await page.click(`${target('qwen')} .btn:has-text("TEST")`);
		await toasted('TEST FAILED: qwen', 'HTTP 503');
		await page.waitForSelector(`${target('qwen')} td:has-text("CONNECTED"):has-text("412 ms")`);
		await page.unroute('**/ni_status/test-provider');
		await page.route('**/ni_status/test-provider', (r) => r.abort());
		await page.click(`${target('qwen')} .btn:has-text("TEST")`);
		await toasted('TEST ERROR: qwen', 'The server cannot be reached.');
		await page.waitForSelector(`${target('qwen')} td:has-text("CONNECTED"):has-text("412 ms")`);
		await page.unroute('**/ni_status/test-provider');
		await page.click('main .btn:has-text("TEST ALL")');
		await toasted('1 OF 3 CONNECTED', 'failed: ', 'kimi');
	});

	await t.test('W-35 W-36 W-37: numbers, charts and evidence', async () => {
		await go(page, '#/monitor', '.mcards');
		assert.deepEqual(await page.$$eval('.mcard .num', (all) => all.map((el) => el.textContent)), ['0%', '—', '150', '12'], '0 is 0, unknown is a dash');
		await page.click('.seg .btn:has-text("1 H")');
		await page.waitForSelector('.seg .btn[aria-pressed=true]:has-text("1 H")');
		await page.waitForSelector('.charts .chart svg');
		await page.focus('.charts .chart');
		await page.keyboard.press('End');
		await page.waitForFunction(() => /qwen 10|kimi 20/.test(document.querySelector('.charts .cursor').textContent));
		await page.click('.charts details.under summary');
		await page.waitForFunction(() => document.querySelectorAll('.charts details[open] tbody tr').length === 60);
		await page.click('.charts .legend button >> nth=0');
		assert.equal(await page.getAttribute('.charts .legend button >> nth=0', 'aria-pressed'), 'false');
		const [file] = await Promise.all([page.waitForEvent('download'), page.click('.btn:has-text("CSV")')]);
		assert.equal(file.suggestedFilename(), 'sluice-usage.csv');
		assert.match(await text(page, `${target('alice')}`), /2 requests in flight/);
		await page.click(`${target('carol')} .btn:has-text("WAKE")`);
		await toastOf(page, 'WAKING carol');
	});

	await t.test('W-51: the log, as text', async () => {
		await go(page, '#/logs', 'table.log');
		assert.match(await text(page, 'table.log'), /<b>minimax<\/b>: connect timeout/);
		assert.equal(await page.$('table.log b'), null);
		assert.equal(await page.$$eval('table.log tbody tr', (all) => all.length), 2000, 'the newest');
		await page.selectOption('select[aria-label=SOURCE]', 'access');
		await page.waitForFunction(() => document.querySelectorAll('table.log tbody tr').length === 1);
		await page.focus('[role=tab][aria-selected=true]');
		await page.keyboard.press('ArrowRight');
		await page.waitForSelector('#tab-REQUESTS[aria-selected=true]');
	});
});
