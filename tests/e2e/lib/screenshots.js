// Pictures of the page for the documents: node screenshots.js DIRECTORY (script/screenshots). A real gateway with traffic;
// what Workers do is the monitor API as tests have it.
import fs from 'node:fs';
import path from 'node:path';
import { enter, go, monitorOf, openTab, startBrowser, startWorld } from './page.js';

const [out] = process.argv.slice(2);
const LAPTOP = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
const SAMPLES_MS = 16000;
const PICTURES = [
	['pixel-home', 'pixel', 'en', LAPTOP, '#/home'],
	['pixel-routes', 'pixel', 'en', LAPTOP, '#/routes'],
	['pixel-monitor', 'pixel', 'en', LAPTOP, '#/monitor'],
	['pixel-playground', 'pixel', 'en', LAPTOP, '#/playground/kimi-ai-route', async (page) => {
		await page.fill('.chatbar input', 'kimi-k2.5');
		await page.fill('.say input', 'Why is a gateway like a sluice?');
		await page.keyboard.press('Enter');
		await page.waitForSelector('.msg.ai .txt:has-text("open.")');
	}],
	['cyber-assignment', 'cyber', 'en', LAPTOP, '#/assignment/carol'],
	['cyber-provider', 'cyber', 'en', LAPTOP, '#/providers', (page) => page.click('td .btn:has-text("EDIT")')],
	['office-home-zh', 'office', 'zh', LAPTOP, '#/home'],
	['office-backup', 'office', 'en', LAPTOP, '#/backup', async (page) => {
		await page.click('.slot >> nth=3');
		await page.waitForSelector('.diffs');
	}],
	['phone-home', 'pixel', 'en', PHONE, '#/home'],
];

const after = [];
const t = { after: (fn) => after.push(fn) };
async function draw() {
	const world = await startWorld(t);
	const browser = await startBrowser(t);
	const traffic = () => Promise.all(Array.from({ length: 12 }, (_, i) => world.api.chat(i % 3 ? 'wk-alice-00000001' : 'gk-manager-0001')));
	const tab = (theme, lang, viewport, extra = {}) => openTab(t, browser, world.url, { storage: { 'ai-gateway-theme': theme, 'sluice-lang': lang, 'sluice-motion': 'off' }, context: { viewport }, ...extra });
	const shoot = (page, name) => page.screenshot({ path: path.join(out, `${name}.png`) });

	fs.mkdirSync(out, { recursive: true });
	const gate = await tab('pixel', 'en', LAPTOP);
	await gate.waitForSelector('input[name=password]');
	await shoot(gate, 'pixel-sign-in');
	await enter(gate);
	await gate.context().close();
	for (const [name, theme, lang, viewport, hash, act] of PICTURES) {
		const page = await tab(theme, lang, viewport, { session: world.api, monitor: monitorOf() });
		if (/home|routes|monitor/.test(name)) {
			for (let spent = 0; spent < SAMPLES_MS; spent += 4000) {
				await traffic();
				await page.waitForTimeout(4000);
			}
		}
		await go(page, hash);
		await act?.(page);
		await page.waitForTimeout(400);
		await shoot(page, name);
		await page.context().close();
	}
}

try {
	await draw();
} finally {
	for (const fn of after.reverse()) await fn();
}
