// What the page costs a browser: node page.mjs ROUNDS. Prints rows of raw.tsv (script/bench): when something is seen first and when HOME
// is there, with nothing kept by the browser and on the second visit, what comes over the network, and the time between frames while
// 500 Workers and 1,000 routes are scrolled. Browser, gateway and what they talk to share the machine.
import { GATEWAY_HOST } from '../e2e/lib/console.js';
import { go, monitorOf, openTab, startBrowser, startWorld } from '../e2e/lib/page.js';

const rounds = Number(process.argv[2] ?? 10);
const FRAMES = 180;
const STEP_PX = 60;
const SETTLE_MS = 1000; // a new window loads the browser's own parts too
const WORKERS = 500;
const ROUTES = 1000;
const after = [];
const t = { after: (fn) => after.push(fn) };
const row = (cell, round, values) => console.log([cell, round, 'sluice', Object.entries(values).map(([k, v]) => `${k}=${Math.round(v * 10) / 10}`).join(' ')].join('\t'));

// From the start of the navigation, as the browser tells it. first_text_ms is its first contentful paint; files are those of the page itself.
const paints = (page, ready) => page.evaluate(async (selector) => {
	while (!document.querySelector(selector) || !performance.getEntriesByName('first-contentful-paint').length) await new Promise(requestAnimationFrame);
	const readyAt = performance.now();
	const paint = (name) => performance.getEntriesByName(name)[0].startTime;
	const files = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource').filter((x) => /\/a\/[0-9a-f]+\//.test(x.name))];
	return { first_paint_ms: paint('first-paint'), first_text_ms: paint('first-contentful-paint'), ready_ms: readyAt, files: files.filter((x) => x.transferSize).length, kb: files.reduce((sum, x) => sum + x.transferSize, 0) / 1024 };
}, ready);

// A browser that has kept nothing, then the same once more.
async function visit(browser, world, round, name, session, ready, path = '') {
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
	if (session) {
		const [key, value] = session.cookie.split('=');
		await context.addCookies([{ name: key, value, url: world.url }]);
	}
	for (const which of ['first', 'again']) {
		const page = await context.newPage();
		await page.waitForTimeout(SETTLE_MS);
		await page.goto(world.url + path);
		row(`page-${name}-${which}`, round, await paints(page, ready));
		await page.close();
	}
	await context.close();
}

// Scrolls a frame at a time, there and back, and looks at the time between frames.
const scrolled = (page, selector) => page.evaluate(async ([wanted, frames, step]) => {
	const el = wanted ? document.querySelector(wanted) : document.scrollingElement;
	const gaps = [];
	el.scrollTop = 0;
	let last = await new Promise(requestAnimationFrame);
	for (let i = 0; i < frames; i++) {
		el.scrollTop += i < frames / 2 ? step : -step;
		const now = await new Promise(requestAnimationFrame);
		gaps.push(now - last);
		last = now;
	}
	gaps.sort((a, b) => a - b);
	return { frame_p50_ms: gaps[frames >> 1], frame_p95_ms: gaps[Math.floor(frames * 0.95)], frame_max_ms: gaps.at(-1) };
}, [selector, FRAMES, STEP_PX]);

async function openCrowd(browser, world) {
	const workers = Array.from({ length: WORKERS }, (_, i) => ({ name: `w-${i}`, state: ['busy', 'idle', 'sleeping', 'offline'][i % 4], reason: 'recent_request', inFlight: i % 3, requests1h: i, consumer: `worker-w-${i}`, authorized: true }));
	const page = await openTab(t, browser, world.url, { session: world.api, monitor: monitorOf({ 'GET workers': { success: true, workers }, 'GET assignment': { manager: { provider: 'default', model: 'default' }, workers: {} } }) });
	await page.route(/\/v1\/ai\/routes$/, async (r) => {
		const got = await r.fetch();
		const json = await got.json();
		await r.fulfill({ response: got, body: JSON.stringify({ ...json, data: Array.from({ length: ROUTES }, (_, i) => ({ ...json.data[i % 3], name: `route-${i}-ai-route`, domains: [GATEWAY_HOST] })) }) });
	});
	await page.reload();
	await page.waitForSelector('.room-card');
	return page;
}

async function measure() {
	const world = await startWorld(t);
	const browser = await startBrowser(t);
	// A text without anything to it: what the browser itself needs, on this machine at this time, until something is seen.
	const plain = /a\/[0-9a-f]+\//.exec(await (await fetch(world.url)).text())[0] + 'codex.md';
	for (let round = 1; round <= rounds; round++) {
		await visit(browser, world, round, 'plain', world.api, 'pre', plain);
		await visit(browser, world, round, 'gate', null, 'input[name=password]');
		await visit(browser, world, round, 'home', world.api, 'main .room-card');
	}
	const page = await openCrowd(browser, world);
	for (let round = 1; round <= rounds; round++) {
		await go(page, '#/assignment', '.tw.win');
		row('page-workers', round, await scrolled(page, '.tw.win'));
		await go(page, '#/routes', '.tw.win');
		row('page-routes', round, await scrolled(page, '.tw.win'));
	}
	await go(page, '#/home', '.room-card');
	await page.click('.panel:has(.rooms) > .body .btn');
	await page.waitForFunction((n) => document.querySelectorAll('.room-card').length > n, WORKERS);
	for (let round = 1; round <= rounds; round++) row('page-rooms', round, await scrolled(page, null));
}

try {
	await measure();
} finally {
	for (const fn of after) await fn();
}
