// axe-core over every screen, every dialog and every message, in every theme: no serious finding.
import assert from 'node:assert/strict';
import test from 'node:test';
import { audit as auditPage } from './lib/audit.js';
import { enter, go, monitorOf, openTab, settled, startBrowser, startWorld } from './lib/page.js';
import { until } from './lib/sluice.js';

const THEMES = ['pixel', 'cyber', 'office'];
const SCREENS = ['home', 'providers', 'assignment', 'assignment/carol', 'monitor', 'routes', 'consumers', 'domains', 'playground', 'backup', 'logs', 'settings'];
// A theme is a set of colours, so that after the first one only what is said of colours is asked again.
async function audit(page, what) {
	await settled(page);
	for (const theme of THEMES) {
		const before = await page.evaluate((name) => {
			const root = document.documentElement;
			const now = root.dataset.theme;
			root.dataset.theme = name;
			return now;
		}, theme);
		await auditPage(page, `${what} in ${theme}`, theme === THEMES[0] ? undefined : ['color-contrast']);
		await page.evaluate((name) => (document.documentElement.dataset.theme = name), before);
	}
}

// screen, what is pressed one after the other, and the title of the dialog
const DIALOGS = [
	['providers', ['main header .btn.pri', 'dialog summary'], 'ADD AI PROVIDER'],
	['providers', ['.btn[aria-label="EDIT qwen"]', 'dialog summary'], 'EDIT AI PROVIDER'],
	['providers', ['main header .btn.pri', 'dialog footer .pri'], 'ADD AI PROVIDER'],
	['providers', ['.btn[aria-label="DEL qwen"]'], 'DELETE PROVIDER'],
	['assignment', ['.btn[aria-label="SET MODEL manager"]'], 'SET MANAGER MODEL'],
	['assignment', ['.btn[aria-label="SET MODEL alice"]', 'dialog footer .btn >> nth=0'], 'SET WORKER MODEL: alice'],
	['routes', ['.btn[aria-label="EDIT kimi-ai-route"]', 'dialog summary >> nth=0'], 'EDIT AI ROUTE'],
	['consumers', ['main header .btn.pri'], 'NEW CONSUMER'],
	['consumers', ['.btn[aria-label="ROTATE KEY worker-bob"]'], 'ROTATE KEY: worker-bob'],
	['consumers', ['.btn[aria-label$="ROUTES worker-bob"]'], 'ROUTES OF worker-bob'],
	['consumers', ['.btn[aria-label="DEL worker-bob"]'], 'DELETE CONSUMER'],
	['domains', ['main header .btn.pri'], 'ADD DOMAIN'],
	['domains', ['main .btn:has-text("ADD CERTIFICATE")'], 'ADD CERTIFICATE'],
	['backup', ['main header .btn.pri'], 'BACKUP NOW'],
	['backup', ['.slot >> nth=2', '.bk .btn:has-text("RESTORE")'], 'RESTORE'],
	['home', ['header.top .btn:has-text("RESET")'], 'RESET CONFIGURATION'],
	['settings', ['.btn:has-text("CHANGE PASSWORD")'], 'CHANGE PASSWORD'],
];

test('W-08 W-55: no serious finding on any screen, in any dialog, in any theme', async (t) => {
	const world = await startWorld(t);
	const browser = await startBrowser(t);
	const context = { bypassCSP: true };
	const storage = { 'sluice-motion': 'off' };
	const monitor = monitorOf({ 'PUT assignment/workers/alice': () => [502, { success: false, error: 'Model not reachable', message: 'Model not reachable', code: 'MODEL_NOT_REACHABLE' }], 'POST test-provider': () => [502, { success: false, error: 'Connection failed', message: 'Connection failed', code: 'PROVIDER_UNREACHABLE' }] });
	const page = await openTab(t, browser, world.url, { storage, monitor, context, expected: [/status of 502/] });

	await t.test('signing in', async () => {
		await page.waitForSelector('input[name=password]');
		await audit(page, 'sign-in');
		await page.fill('input[name=password]', 'wrong');
		await page.press('input[name=password]', 'Enter');
		await page.waitForSelector('.hint.bad');
		await audit(page, 'sign-in refused');
		await enter(page);
	});

	for (const name of SCREENS)
		await t.test(name, async () => {
			await go(page, `#/${name}`);
			await audit(page, name);
		});

	await t.test('messages, and what a test said', async () => {
		await go(page, '#/providers', 'td .btn');
		await page.click('.btn[aria-label="TEST kimi"]');
		await page.waitForSelector('.toast[role=alert]');
		await page.waitForSelector('section:has-text("TEST RESULT")');
		await audit(page, 'a failed test');
		await page.click('.toast[role=alert] button');
		await page.keyboard.press('Control+k');
		await page.fill('.palette input', 'kimi');
		await audit(page, 'the palette');
		await page.keyboard.press('Escape');
	});

	for (const [screen, presses, title] of DIALOGS)
		await t.test(`${screen}: ${title}`, async () => {
			await go(page, `#/${screen}`);
			for (const press of presses) await page.click(press);
			await page.waitForSelector(`dialog[open] h2:text-is("${title}")`);
			await audit(page, title);
			await page.evaluate(() => document.querySelectorAll('dialog').forEach((d) => (d.close(), d.remove())));
		});

	await t.test('the server is gone, the session is gone', async (tt) => {
		const tab = await openTab(tt, browser, world.url, { session: world.api, storage, context, expected: [/ERR_FAILED/] });
		await tab.route('**/ni_status/events', (r) => r.abort()); // its events would be signs of life
		await tab.clock.install({ time: Date.now() });
		await tab.reload();
		await tab.waitForSelector('main .tiles');
		await tab.route('**/*', (r) => r.abort());
		await until('the page to notice', async () => {
			await tab.clock.runFor(2000);
			return tab.$('.lost');
		}, 60000);
		await tab.clock.pauseAt(await tab.evaluate(() => Date.now() + 1000));
		await tab.clock.resume();
		await audit(tab, 'a lost connection');
		await tab.unroute('**/*');
		await tab.context().clearCookies();
		await tab.evaluate(() => (location.hash = '#/consumers'));
		await tab.clock.runFor(20000);
		await tab.waitForSelector('dialog.cover input[type=password]');
		await audit(tab, 'the sign-in above a page');
	});

	await t.test('a first start', async (tt) => {
		const empty = await startWorld(tt, { filled: false });
		const tab = await openTab(tt, browser, empty.url, { storage, context });
		await tab.waitForSelector('form[aria-label="FIRST START"]');
		await audit(tab, 'first start');
		await tab.fill('input[type=password] >> nth=0', 'long enough 1');
		await tab.fill('input[type=password] >> nth=1', 'long enough 1');
		await tab.keyboard.press('Enter');
		await tab.waitForSelector('.guides');
		for (const name of ['home', 'providers', 'assignment', 'routes', 'consumers', 'domains', 'backup']) {
			await go(tab, `#/${name}`);
			await audit(tab, `${name}, empty`);
		}
	});
});
