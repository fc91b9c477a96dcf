// The page in a real browser: a gateway with a small world behind it, Debian's Chromium, and what is watched in every test:
// no error on the console, nothing that the policy had to stop, no request to anybody else.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { chromium } from 'playwright-core';
import { ADMIN, GATEWAY_HOST, MANAGER, bearer, localProvider, startConsole } from './console.js';
import { completion, json, startUpstream } from './http.js';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((file) => fs.existsSync(file));
const WAIT_MS = 60000; // a busy machine

// What is done before the server of a test ends: hooks run in the order in which they were asked for, and a tab that outlives
// its server has errors to tell.
const first = new WeakMap();
export const tabsOf = (t) => {
	if (first.has(t)) return first.get(t);
	const closers = [];
	first.set(t, closers);
	t.after(async () => {
		for (const close of closers.splice(0)) await close();
	});
	return closers;
};

export const route = (name, provider, extra = {}) => ({
	name,
	domains: [GATEWAY_HOST],
	pathPredicate: { matchType: 'PRE', matchValue: '/', caseSensitive: false },
	upstreams: [{ provider, weight: 100, modelMapping: {} }],
	authConfig: { enabled: true, allowedCredentialTypes: ['key-auth'], allowedConsumers: ['manager', 'worker-alice', 'worker-bob'] },
	...extra,
});
const prefix = (value) => ({ modelPredicates: [{ matchType: 'PRE', matchValue: value, caseSensitive: false }] });

// An upstream that lists its models, and answers chats, streamed where that is asked for, bit by bit.
function chat(req, res, body) {
	if (req.method === 'GET') return json(res, 200, { object: 'list', data: ['text-embedding-1', 'any-model'].map((id) => ({ id, object: 'model' })) });
	const asked = JSON.parse(body.toString() || '{}');
	if (!asked.stream) return json(res, 200, completion('The gate is open.', asked.model));
	res.writeHead(200, { 'content-type': 'text/event-stream' });
	const event = (object) => res.write(`data: ${JSON.stringify(object)}\n\n`);
	for (const text of ['The ', 'gate ', 'is ', 'open.']) event({ id: 'c', object: 'chat.completion.chunk', model: asked.model, choices: [{ index: 0, delta: { content: text } }] });
	event({ id: 'c', object: 'chat.completion.chunk', model: asked.model, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
	event({ id: 'c', object: 'chat.completion.chunk', model: asked.model, choices: [], usage: { prompt_tokens: 12, completion_tokens: 4, total_tokens: 16 } });
	res.end('data: [DONE]\n\n');
	return undefined;
}

// Providers qwen, kimi and deepseek, a default route and one of each, a Manager and Workers alice, bob and carol, of whom carol is let in nowhere.
export async function startWorld(t, { filled = true, args = [] } = {}) {
	tabsOf(t);
	const upstream = await startUpstream(t, chat);
	const c = await startConsole(t, { args: ['--manage-on-gateway', ...args] });
	if (filled) {
		await c.init();
		for (const name of ['qwen', 'kimi', 'deepseek']) await c.raw('POST /v1/ai/providers', { ...localProvider(upstream), name, tokens: [`sk-${name}-0000000001`, `sk-${name}-0000000002`] });
		await c.raw('POST /v1/consumers', MANAGER);
		for (const name of ['alice', 'bob', 'carol']) await c.raw('POST /v1/consumers', bearer(`worker-${name}`, `wk-${name}-00000001`));
		await c.raw('POST /v1/ai/routes', route('default-ai-route', 'qwen'));
		await c.raw('POST /v1/ai/routes', route('kimi-ai-route', 'kimi', { ...prefix('kimi'), domains: [GATEWAY_HOST, 'llm.example.com'] }));
		await c.raw('POST /v1/ai/routes', route('deepseek-ai-route', 'deepseek', { ...prefix('deepseek'), fallbackConfig: { enabled: true, upstreams: [{ provider: 'qwen', weight: 100, modelMapping: {} }], fallbackStrategy: 'RAND', responseCodes: ['5xx'] } }));
		await c.raw('POST /v1/domains', { name: GATEWAY_HOST, enableHttps: 'off' });
		await c.raw('POST /v1/domains', { name: 'llm.example.com', enableHttps: 'off' });
	}
	return { api: c, upstream, port: c.serve.console, url: `http://127.0.0.1:${c.serve.console}/` };
}

export async function startBrowser(t) {
	const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--force-color-profile=srgb'] });
	t.after(() => browser.close());
	return browser;
}

const KEPT = ['20261122T040953Z-0b3ee8', '20261122T040952Z-0b3ee7', '20261122T040951Z-0b3ee6'];
// The monitor API as its specification writes it, for states that a test cannot bring about; changes are kept in `sent`.
export function monitorOf(overrides = {}) {
	const now = () => new Date().toISOString();
	const assignment = (provider, model, extra = {}) => ({ provider, model, contextWindow: 200000, maxTokens: 64000, reasoning: true, updatedAt: '2026-11-21T10:00:00Z', state: 'applied', configured: { model }, observed: { model, at: now() }, synced: true, warnings: [], ...extra });
	const worker = (name, state, extra = {}) => ({ name, state, since: now(), reason: 'recent_request', evidence: ['G'], lastRequestAt: now(), inFlight: 0, requests1h: 0, errors1h: 0, tokens1h: 0, tasks: { finite: 0, infinite: 0 }, consumer: `worker-${name}`, authorized: true, ...extra });
	return {
		'GET status': { gateway: { state: 'ok', version: '0.1.0', uptimeSeconds: 90, listeners: ['127.0.0.1:8080'] }, console: { state: 'ok' }, manager: { state: 'idle', model: 'qwen3.5-plus', provider: 'qwen', assignmentState: 'applied' }, routing: { mode: 'multi' }, counts: {}, attachments: { controller: { state: 'ok', detail: 'ok' }, s3: { state: 'degraded', detail: '2 objects wait, retry in 8 s' }, openclaw: { state: 'ok', detail: 'ok' } }, warnings: [] },
		'GET workers': { success: true, workers: [worker('alice', 'busy', { inFlight: 2, requests1h: 884, tokens1h: 3800000 }), worker('bob', 'idle', { reason: 'container_running', requests1h: 214, tokens1h: 900000 }), worker('carol', 'sleeping', { reason: 'idle_timeout', authorized: false }), worker('dave', 'offline', { reason: 'not_found' })] },
		'GET assignment': { manager: assignment('qwen', 'qwen3.5-plus'), workers: { alice: assignment('qwen', 'qwen3.5-plus'), bob: assignment('kimi', 'kimi-k2.5', { state: 'pending', observed: { model: 'kimi-k2', at: now() } }), carol: assignment('deepseek', 'deepseek-chat', { state: 'drifted', configured: { model: 'deepseek-reasoner' }, observed: { model: 'deepseek-reasoner', at: now() } }), dave: assignment('kimi', 'kimi-k2.5', { state: 'failed', configured: { model: 'kimi-k2.5' }, observed: null }) } },
		'GET backups': { success: true, backups: KEPT.map((id, i) => ({ id, createdAt: now(), auto: i > 0, reason: i ? 'PUT /v1/domains/a' : 'before the move', actor: 'admin', size: 4096, counts: { domains: 2, providers: 3 }, sha256: '' })) },
		...Object.fromEntries(KEPT.map((id) => [`GET backups/${id}/diff`, { success: true, id, diff: { domains: { added: ['a.example.com'], changed: [], removed: ['b.example.com'] }, openclaw: { added: [], changed: ['manager'], removed: [] } } }])),
		'GET metrics': { cpu: 0, memory: null, connections: 12, rpm: 150, timestamp: now() },
		'GET models': { models: [{ id: 'qwen3.5-plus', contextWindow: 200000, maxTokens: 64000, reasoning: true, input: ['text', 'image'] }, { id: 'kimi-k2.5', contextWindow: 256000, maxTokens: 128000, reasoning: true, input: ['text', 'image'] }] },
		...overrides,
	};
}

// Answers ni_status in place of the server. A row may be a function of the request's body that gives [status, object].
export async function mockMonitor(page, rows, sent = []) {
	await page.route(/\/ni_status\//, async (r) => {
		const url = new URL(r.request().url());
		const name = url.pathname.replace(/^.*\/ni_status\//, '');
		if (name === 'events') return r.fulfill({ status: 200, contentType: 'text/event-stream', body: 'retry: 3000\n\n: here\n\n' });
		const line = `${r.request().method()} ${name}`;
		const body = r.request().postDataJSON();
		if (r.request().method() !== 'GET') sent.push({ line, body, headers: r.request().headers() });
		const row = rows[line];
		if (row === undefined) return r.fulfill({ status: 404, contentType: 'application/json', body: JSON.stringify({ success: false, error: 'Not found', message: 'Not found', code: 'NOT_FOUND' }) });
		const [status, object] = typeof row === 'function' ? await row(body, url) : [200, row];
		return r.fulfill({ status, contentType: 'application/json', body: JSON.stringify(object) });
	});
	return sent;
}

// A tab, signed in with the session of an API client (`session: world.api`) or not at all. Ends with an assertion that it was quiet: `expected` are errors that a test brings about.
export async function openTab(t, browser, url, { session = null, expected = [], monitor = null, context = {}, storage = {} } = {}) {
	const ctx = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-US', ...context });
	if (session) {
		const [name, value] = session.cookie.split('=');
		await ctx.addCookies([{ name, value, url }]);
	}
	const page = await ctx.newPage();
	page.setDefaultTimeout(WAIT_MS);
	const noise = [];
	const origin = new URL(url).origin;
	// A status of 401 or 404 that the page asked for is said by the browser too; everything else is not expected.
	const usual = /Failed to load resource: (the server responded with a status of (401|404|405)|net::ERR_(CONNECTION|INCOMPLETE_CHUNKED))/; // the latter when the server ends before the tab
	page.on('console', (m) => m.type() === 'error' && !usual.test(m.text()) && !expected.some((e) => e.test(m.text())) && noise.push(`${m.text()} ${m.location().url}`));
	page.on('pageerror', (error) => noise.push(error.stack));
	page.on('request', (r) => !r.url().startsWith(origin) && !/^(data|blob):/.test(r.url()) && noise.push(`a request to ${r.url()}`));
	await page.addInitScript((values) => {
		for (const [key, value] of Object.entries(values)) localStorage.getItem(key) ?? localStorage.setItem(key, value);
		addEventListener('securitypolicyviolation', (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`));
	}, storage);
	if (monitor) page.sent = await mockMonitor(page, monitor);
	await page.goto(url);
	if (session) await page.waitForSelector('header.top');
	page.quiet = () => assert.deepEqual(noise.splice(0), [], 'the page was quiet');
	tabsOf(t).push(async () => {
		const said = noise.slice();
		if (!page.isClosed()) await page.unrouteAll({ behavior: 'ignoreErrors' });
		await ctx.close();
		assert.deepEqual(said, [], 'the page was quiet');
	});
	return page;
}

export async function enter(page, password = ADMIN.password) {
	await page.fill('input[name=password]', password);
	await page.press('input[name=password]', 'Enter');
	await page.waitForSelector('header.top');
}

// The screen of an address, and what is looked at on it: another screen may have the like.
export const go = async (page, hash, selector = ':scope > :nth-child(2)') => {
	await page.evaluate((to) => (location.hash = to), hash);
	const main = await page.waitForSelector(`main.m-${/^#\/(\w+)/.exec(hash)[1]}`);
	await (selector.startsWith(':scope') ? main : page).waitForSelector(selector);
};
// What a message said, also when it is gone before anybody looks: `act` brings it about.
export async function seen(page, selector, act) {
	const found = page.evaluate((wanted) => new Promise((done) => {
		const look = () => document.querySelector(wanted) && (watch.disconnect(), done());
		const watch = new MutationObserver(look);
		watch.observe(document, { subtree: true, childList: true, attributes: true });
		look();
	}), selector);
	await act();
	await found;
}
// Until a screen has what it asked for, and has drawn it.
export const settled = async (page) => {
	await page.waitForFunction(() => !document.querySelector('main [aria-busy=true]'));
	await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)))));
};
export const toastOf = (page, text) => page.waitForSelector(`.toast:has-text("${text}")`);
