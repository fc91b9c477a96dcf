// The page without a mouse: from signing in to a backup with nothing but keys, against a real gateway in a scripted HiClaw. At
// each stop it can be seen where one is; dialogs keep the focus and give it back.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ADMIN, primaryOf, startAgents } from './lib/agents.js';
import { openTab, startBrowser, tabsOf, toastOf } from './lib/page.js';
import { until } from './lib/sluice.js';

const STOPS_MAX = 60;

// Where the focus is: what it is called, whether that can be seen, and which dialog it is in.
const here = (page) => page.evaluate(() => {
	const el = document.activeElement;
	const box = el.getBoundingClientRect();
	const style = getComputedStyle(el);
	const frame = el.closest('.field') ?? el;
	const marked = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) || (frame !== el && frame.matches(':focus-within') && getComputedStyle(frame).boxShadow !== 'none');
	const top = document.elementFromPoint(Math.min(innerWidth - 1, Math.max(0, box.x + box.width / 2)), Math.min(innerHeight - 1, Math.max(0, box.y + box.height / 2)));
	const label = el.labels?.[0]?.textContent;
	return { name: (el.getAttribute('aria-label') ?? label ?? el.textContent).replace(/\s+/g, ' ').trim(), tag: el.tagName, body: el === document.body, marked, seen: box.width > 0 && box.bottom > 0 && box.top < innerHeight && Boolean(top && (el.contains(top) || frame.contains(top) || top.contains(el))), dialog: el.closest('dialog')?.querySelector('h2')?.textContent ?? null };
});

// Tab, or Shift+Tab, to what is called so; every stop on the way must show where one is.
async function tabTo(page, name, { key = 'Tab', dialog = undefined } = {}) {
	const passed = [];
	for (let i = 0; i < STOPS_MAX; i++) {
		await page.keyboard.press(key);
		const at = await here(page);
		passed.push(at.name || at.tag);
		if (at.body) continue; // the browser's own controls come between the end and the beginning
		assert.ok(at.marked, `focus can be seen at ${JSON.stringify(at)}`);
		assert.ok(at.seen, `nothing covers ${JSON.stringify(at)}, after ${passed.join(" | ")}`);
		if (dialog !== undefined) assert.equal(at.dialog, dialog, `the focus stays in the dialog, not at ${at.name}`);
		if (name.test(at.name)) return at;
	}
	return assert.fail(`no stop is called ${name}: ${passed.join(' | ')}`);
}

test('W-54: sign in, add a provider, assign it, make a backup: with keys', async (t) => {
	tabsOf(t);
	const hiclaw = await startAgents(t);
	const browser = await startBrowser(t);
	const page = await openTab(t, browser, hiclaw.url);
	const { keyboard } = page;
	const type = (text) => keyboard.type(text);
	const opened = (title) => page.waitForSelector(`dialog[open] h2:text-is("${title}")`);
	const closed = () => page.waitForFunction(() => !document.querySelector('dialog[open]'));
	page.mouse.click = () => assert.fail('no mouse');

	await t.test('signing in', async () => {
		await page.waitForFunction(() => document.activeElement.name === 'password');
		await type('wrong');
		await keyboard.press('Enter');
		await page.waitForSelector('.hint.bad:has-text("ACCESS DENIED")');
		await tabTo(page, /KEEP ME SIGNED IN/);
		await keyboard.press('Space');
		assert.equal(await page.isChecked('input[type=checkbox]'), true);
		await tabTo(page, /^PASSWORD/, { key: 'Shift+Tab' });
		await type(ADMIN.password);
		await keyboard.press('Enter');
		await page.waitForSelector('main .tiles');
	});

	await t.test('a provider: its dialog keeps the focus and gives it back', async () => {
		assert.equal((await tabTo(page, /Skip to content/)).name, 'Skip to content', 'the first stop');
		await keyboard.press('Enter');
		await tabTo(page, /\+ ADD PROVIDER/);
		await keyboard.press('Enter');
		await opened('ADD AI PROVIDER');
		assert.match((await here(page)).name, /API KEY 1/, 'the field that only the user can fill');
		await tabTo(page, /PROVIDER TYPE/, { key: 'Shift+Tab', dialog: 'ADD AI PROVIDER' });
		await type('custom');
		await page.waitForFunction(() => document.activeElement.value === 'custom');
		await tabTo(page, /PROVIDER NAME/, { dialog: 'ADD AI PROVIDER' });
		await type('kimi');
		await tabTo(page, /API KEY 1/, { dialog: 'ADD AI PROVIDER' });
		await type('vendor-key-kimi-0001');
		// Without its address it is not saved, and the focus is where it is missing.
		await keyboard.press('Enter');
		await page.waitForSelector('dialog[open] .hint.bad:has-text("CUSTOM URL REQUIRED")');
		assert.match((await here(page)).name, /API URL/);
		await type(`http://${hiclaw.vendors.kimi.address}/v1`);
		await tabTo(page, /SAVE PROVIDER/, { dialog: 'ADD AI PROVIDER' });
		await tabTo(page, /CLOSE/, { dialog: 'ADD AI PROVIDER' });
		await tabTo(page, /SAVE PROVIDER/, { key: 'Shift+Tab', dialog: 'ADD AI PROVIDER' });
		await keyboard.press('Space');
		await toastOf(page, 'PROVIDER CREATED');
		await closed();
		assert.match((await here(page)).name, /\+ ADD PROVIDER/, 'back where it was opened');
		assert.ok((await hiclaw.api.names('GET /v1/ai/routes')).includes('kimi-ai-route'));
	});

	await t.test('its test, by the command palette', async () => {
		await keyboard.press('Control+k');
		await page.waitForSelector('.palette input:focus');
		await type('test kimi');
		await page.waitForSelector('.palette .it.on:has-text("kimi")');
		await keyboard.press('Enter');
		await toastOf(page, 'PROVIDER kimi CONNECTED');
		assert.match((await here(page)).name, /\+ ADD PROVIDER/, 'the palette gives the focus back too');
	});

	await t.test('the model of the Manager', async () => {
		await Promise.all([keyboard.press('g'), keyboard.press('a')]);
		await page.waitForSelector('main.m-assignment tbody tr');
		await tabTo(page, /Skip to content/);
		await keyboard.press('Enter');
		await tabTo(page, /^SET MODEL manager/);
		await keyboard.press('Space');
		await opened('SET MANAGER MODEL');
		assert.match((await here(page)).name, /^PROVIDER/);
		await type('kimi');
		await page.waitForFunction(() => document.activeElement.value === 'kimi');
		await tabTo(page, /MODEL ID/, { dialog: 'SET MANAGER MODEL' });
		await keyboard.press('Control+a');
		await type('kimi-k2.5');
		await tabTo(page, /SAVE & APPLY/, { dialog: 'SET MANAGER MODEL' });
		await keyboard.press('Enter');
		await page.waitForSelector('.toast:has-text("MODEL SET")');
		await closed();
		assert.match((await here(page)).name, /^SET MODEL manager/);
		assert.equal(primaryOf(hiclaw.file('manager', 'openclaw.json')), 'hiclaw-gateway/kimi-k2.5');
		assert.equal(await hiclaw.ask('manager', 'kimi-k2.5'), 'by kimi');
		await page.waitForSelector('tbody tr:has(h3:text-is("manager")) .badge:has-text("APPLIED")');
	});

	await t.test('a backup', async () => {
		await Promise.all([keyboard.press('g'), keyboard.press('b')]);
		await page.waitForSelector('main.m-backup .slots');
		await keyboard.press('n');
		await opened('BACKUP NOW');
		await type('by hand');
		await keyboard.press('Enter');
		await toastOf(page, 'BACKUP CREATED');
		await closed();
		assert.equal((await here(page)).name, 'BACKUP NOW');
		await page.waitForSelector('.slot:has-text("by hand")');
		await tabTo(page, /by hand/);
		await keyboard.press('Enter');
		await page.waitForSelector('.bk section:has-text("no difference")');
		assert.ok((await hiclaw.monitor('GET backups')).json.backups.some((b) => b.reason === 'by hand'));
	});

	await t.test('tabs, rows and the end', async () => {
		await Promise.all([keyboard.press('g'), keyboard.press('l')]);
		await page.waitForSelector('main.m-logs [role=tablist]');
		await tabTo(page, /Skip to content/);
		await keyboard.press('Enter');
		await tabTo(page, /^LOG$/);
		await keyboard.press('ArrowRight');
		await page.waitForFunction(() => document.activeElement.id === 'tab-REQUESTS' && document.activeElement.getAttribute('aria-selected') === 'true');
		await Promise.all([keyboard.press('g'), keyboard.press('p')]);
		await page.waitForSelector('main.m-providers tbody tr');
		await keyboard.press('j');
		await until('the first row', async () => /kimi|qwen/.test((await here(page)).name));
		await keyboard.press('/');
		assert.equal((await here(page)).name, 'Filter');
		await type('kimi');
		await page.waitForFunction(() => document.querySelectorAll('main tbody tr').length === 1);
		await keyboard.press('?');
		assert.equal(await page.inputValue('main input[type=search]'), 'kimi?', 'what is typed is no command');
		await tabTo(page, /DEL kimi|TEST ALL/);
		await keyboard.press('?');
		await page.waitForSelector('main.m-settings');
	});
});
