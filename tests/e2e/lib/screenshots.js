// Pictures of the page for the documents: node screenshots.js DIRECTORY [NAME]... (script/screenshots; names: those only). All of it is real but the people: a
// gateway, a HiClaw that is scripted (team.js), providers that answer, Workers that ask, each as fast as its work goes.
import fs from 'node:fs';
import path from 'node:path';
import { openclaw } from './hiclaw.js';
import { go, openTab, startBrowser } from './page.js';
import { sleep } from './sluice.js';
import { HOST, startTeam } from './team.js';

const [out, ...only] = process.argv.slice(2);
const LAPTOP = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
const TEAM = { alice: 'running', bob: 'running', carol: 'stopped', erin: 'running', frank: 'running', grace: 'stopped', dave: null };
const MODELS = [['manager', 'qwen', 'qwen3.6-plus'], ['alice', 'qwen', 'qwen3-coder-next'], ['bob', 'kimi', 'kimi-k2.5'], ['carol', 'deepseek', 'deepseek-chat'], ['erin', 'deepseek', 'deepseek-chat'], ['frank', 'qwen', 'qwen3.6-plus'], ['grace', 'kimi', 'kimi-k2.5']];
// Requests of each in ten turns, and for how long there are turns before the first picture.
const SPEED = { manager: 3, alice: 9, bob: 5, erin: 4 };
const TURN_MS = 400;
const TRAFFIC_MS = Number(process.env.TRAFFIC_MS ?? 150000);

const dialog = 'dialog[open] ';
const PICTURES = [
	['home', '#/home'],
	['providers', '#/providers', (page) => page.waitForSelector('tbody .lamp')],
	['assignment', '#/assignment/alice', (page) => page.waitForSelector('.detail')],
	['monitor', '#/monitor', (page) => page.click('.seg .btn:has-text("CONSUMER")').then(() => page.waitForSelector('.charts .legend'))],
	['routes', '#/routes', async (page) => {
		await page.fill('.fbox:has(input[placeholder="qwen3.5-plus"]) input', 'kimi-k2.5');
		await page.selectOption('form select >> nth=0', 'worker-bob');
		await page.click('form .btn.pri');
		await page.waitForSelector('.verdict');
	}],
	['route-editor', '#/routes', async (page) => {
		await page.click('.seg .btn >> nth=1');
		await page.click('tbody tr:has(h3:text-is("docs")) .btn >> nth=1');
		await page.waitForSelector(`${dialog}.nowthen .verdict`);
		await page.fill(`${dialog}fieldset:has(input[placeholder="shop.static"]) .row:nth-of-type(1) .w6:has(.soft) input`, '80');
		await page.fill(`${dialog}fieldset:has(input[placeholder="shop.static"]) .row:nth-of-type(2) .w6:has(.soft) input`, '20');
		await page.waitForSelector(`${dialog}.becomes summary`);
		await page.click(`${dialog}.becomes summary`);
		await page.waitForSelector(`${dialog}.becomes .add`);
	}],
	['consumers', '#/consumers', (page) => page.waitForSelector('tbody tr')],
	['playground', '#/playground/kimi-ai-route', async (page) => {
		await page.fill('.chatbar input', 'kimi-k2.5');
		await page.fill('.say input', 'Why is a gateway like a sluice?');
		await page.keyboard.press('Enter');
		await page.waitForSelector('.msg.ai .txt:has-text("goes.")');
	}],
	['set-model', '#/home', async (page) => {
		await page.click('button.set >> nth=2');
		await page.click(`${dialog}footer .btn >> nth=0`);
		await page.waitForSelector(`${dialog}pre.code`);
	}],
	['backup', '#/backup', async (page) => {
		await page.click('.slot:has-text("before the new routes")');
		await page.waitForSelector('.diffs section');
	}],
	['logs', '#/logs', async (page) => {
		await page.click('.subtabs button >> nth=1');
		await page.waitForSelector('table.log tbody tr >> nth=20');
	}],
	['settings', '#/settings'],
];
// Every screen in one theme, the main ones in the others and on a phone, some in Chinese.
const SETS = [
	['pixel', 'en', LAPTOP, PICTURES.map(([name]) => name)],
	['cyber', 'en', LAPTOP, ['home', 'assignment', 'monitor', 'routes', 'route-editor']],
	['office', 'zh', LAPTOP, ['home', 'assignment', 'routes']],
	['office', 'en', LAPTOP, ['monitor', 'backup']],
	['phone', 'en', PHONE, ['home', 'assignment', 'routes']],
];

const after = [];
const t = { after: (fn) => after.push(fn) };
const random = (() => {
	let x = 42;
	return () => (x = (x * 1103515245 + 12345) % 2147483648) / 2147483648;
})();

async function furnish(world) {
	const { api } = world;
	for (const [who, provider, model] of MODELS) await world.assign(who, provider, model);
	for (const name of [HOST, 'llm.example.com', 'docs.example.com']) await api.raw('POST /v1/domains', { name, enableHttps: 'off' });
	await api.raw('POST /v1/backups', { reason: 'before the new routes' });
	for (const [name, port] of [['docs', 8001], ['docs-next', 8002]]) await api.raw('POST /v1/service-sources', { name, type: 'static', domain: `10.20.0.7:${port}`, port: 80 });
	await api.raw('POST /v1/routes', { name: 'docs', domains: ['docs.example.com'], path: { matchType: 'PRE', matchValue: '/', caseSensitive: true }, services: [{ name: 'docs.static', port: 80, weight: 90 }, { name: 'docs-next.static', port: 80, weight: 10 }] });
	for (const r of await api.data('GET /v1/ai/routes')) {
		const more = { 'kimi-ai-route': { domains: [HOST, 'llm.example.com'] }, 'deepseek-ai-route': { domains: [HOST], fallbackConfig: { enabled: true, upstreams: [{ provider: 'qwen', weight: 100, modelMapping: {} }], fallbackStrategy: 'RAND', responseCodes: ['5xx'] } } }[r.name] ?? { domains: [HOST] };
		const allowedConsumers = r.authConfig.allowedConsumers.filter((c) => c !== 'worker-grace');
		await api.raw(`PUT /v1/ai/routes/${r.name}`, { ...r, ...more, authConfig: { ...r.authConfig, allowedConsumers } });
	}
}

// Workers at work until it is stopped; some requests fail, some take their time.
function begin(world) {
	const state = { on: true, n: 0 };
	world.ask = () => {
		const dice = random();
		return { status: dice < 0.015 ? 500 : 0, input: Math.round(200 + 3800 * random() * random()), output: Math.round(40 + 900 * random() * random()), wait: sleep(20 + 900 * random() * random()) };
	};
	const turn = async () => {
		while (state.on) {
			const swell = 0.6 + 0.4 * Math.sin(state.n++ / 25);
			for (const [who, , model] of MODELS) if (random() * 10 < (SPEED[who] ?? 0) * swell) world.chat(who, model, { stream: random() < 0.7 }).catch(() => {});
			await sleep(TURN_MS);
		}
	};
	turn();
	return state;
}

async function draw() {
	const world = await startTeam(t, { team: TEAM });
	await furnish(world);
	for (const [who, , model] of MODELS) if (SPEED[who]) await world.chat(who, model);
	const traffic = begin(world);
	t.after(() => (traffic.on = false));
	const browser = await startBrowser(t);
	const tab = (theme, lang, viewport, extra = {}) => openTab(t, browser, world.url, { storage: { 'ai-gateway-theme': theme === 'phone' ? 'pixel' : theme, 'sluice-lang': lang, 'sluice-motion': 'off' }, context: { viewport }, expected: [/status of 5/], ...extra });

	fs.mkdirSync(out, { recursive: true });
	const gate = await tab('pixel', 'en', LAPTOP);
	await gate.waitForSelector('input[name=password]');
	await gate.screenshot({ path: path.join(out, 'pixel-sign-in.png') });
	await gate.context().close();
	const pages = [];
	for (const [theme, lang, viewport] of SETS) pages.push(await tab(theme, lang, viewport, { session: world.api }));
	for (const page of pages) {
		await go(page, '#/providers', 'tbody tr');
		await page.waitForSelector('main header .btn:not(.pri)').then((el) => el.click());
	}
	await sleep(TRAFFIC_MS);
	world.hiclaw.write('agents/frank/openclaw.json', openclaw('qwen3-max'));
	world.hiclaw.objects.set('agents/frank/openclaw.json', openclaw('qwen3-max'));
	await sleep(4000);
	for (const [i, [theme, lang, , names]] of SETS.entries()) {
		for (const name of names.filter((each) => !only.length || only.includes(each))) {
			const [, hash, act] = PICTURES.find((x) => x[0] === name);
			await pages[i].evaluate(() => document.querySelectorAll('.toast').forEach((el) => el.remove()));
			await go(pages[i], '#/settings');
			await go(pages[i], hash);
			await act?.(pages[i]);
			await pages[i].evaluate(() => scrollTo(0, 0));
			await pages[i].mouse.move(0, 0); // nothing is pointed at
			await pages[i].waitForTimeout(700);
			await pages[i].screenshot({ path: path.join(out, `${theme}-${name}${lang === 'zh' ? '-zh' : ''}.png`) });
			for (let n = 0; n < 3 && (await pages[i].$('dialog[open]')); n++) await pages[i].evaluate(() => document.querySelectorAll('dialog').forEach((el) => el.remove()));
		}
	}
}

try {
	await draw();
} finally {
	for (const fn of after.reverse()) await fn();
}
