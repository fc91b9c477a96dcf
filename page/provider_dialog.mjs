// Adds or changes a provider. Stored keys are never shown: the list holds their masks, which the server takes for "unchanged".
import { change, part, post, remove } from './api.mjs';
import { newKey, showKey } from './consumer_key.mjs';
import { h, put, update } from './dom.mjs';
import { t } from './i18n.mjs';
import { failoverPart } from './provider_failover.mjs';
import { addressKeys, needsUrl, parsed, putAddress, shownType, typeAt, urlOf } from './provider_address.mjs';
import { testProvider } from './provider_test.mjs';
import { mappingOf, mappingText } from './route_dialog.mjs';
import { icon } from './sprites.mjs';
import { isAdmin, listOf, refresh, refreshMonitor, store } from './store.mjs';
import { btn, confirm_, field, input, modal, note, refuse, select, toast } from './ui.mjs';
import { DEFAULT_ROUTE } from './map.mjs';
import { targets } from './workers.mjs';

// The original's seven first.
const TYPES = [
	['qwen', 'qwen · Qwen (Tongyi)'], ['deepseek', 'deepseek · DeepSeek'], ['moonshot', 'moonshot · Kimi'], ['zhipuai', 'zhipuai · GLM'], ['minimax', 'minimax · MiniMax'], ['openai', 'openai · OpenAI'], ['custom', 'custom · OpenAI-compatible'],
	...['claude', 'gemini', 'vertex', 'bedrock', 'azure', 'groq', 'grok', 'mistral', 'openrouter', 'ollama', 'vllm', 'doubao', 'stepfun', 'yi', 'baichuan', 'baidu', 'ai360', 'github', 'cohere', 'coze'].map((x) => [x, x]),
];
const HINTS = { custom: 'the address of an OpenAI-compatible API', vllm: 'the address of an OpenAI-compatible API', ollama: 'where Ollama listens, as http://10.0.0.5:11434', azure: 'of the deployment, with its api-version' };
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

// Keys in their order; masks of stored ones stay what they are until they are replaced.
function keyList(stored) {
	const el = h('ol.keys');
	let keys = stored.map((value) => ({ value, stored: true }));
	const row = (k, i) => {
		const entry = h('input', { type: 'password', autocomplete: 'new-password', value: k.value, 'aria-label': `${t('API KEY')} ${i + 1}`, placeholder: t('paste the key'), oninput: (e) => (k.value = e.target.value) });
		const shown = k.stored ? h('span.grow.cut', k.value) : entry;
		return h('li.row', h('span.pix.soft', { 'aria-hidden': 'true' }, i + 1), h('span.field.grow', icon('key', 1), shown),
			k.stored ? btn('REPLACE', { s: true, aria: `${t('REPLACE')} ${i + 1}`, on: () => {
				keys[i] = { value: '', stored: false };
				draw(i);
			} }) : btn('SHOW', { s: true, aria: `${t('SHOW')} ${i + 1}`, on: () => (entry.type = entry.type === 'password' ? 'text' : 'password') }),
			i > 0 && btn('', { s: true, k: 'ic', i: 'up', aria: `${t('MOVE UP')} ${i + 1}`, on: () => {
				[keys[i - 1], keys[i]] = [keys[i], keys[i - 1]];
				draw();
			} }),
			keys.length > 1 && btn('', { s: true, k: 'ic', i: 'cross', aria: `${t('DELETE')} ${i + 1}`, on: () => {
				keys.splice(i, 1);
				draw();
			} }));
	};
	const draw = (focus) => {
		put(el, keys.map(row), h('li', btn('ADD KEY', { s: true, on: () => {
			keys.push({ value: '', stored: false });
			draw(keys.length - 1);
		} })));
		if (focus !== undefined) el.querySelectorAll('li')[focus]?.querySelector('input')?.focus();
	};
	if (!keys.length) keys = [{ value: '', stored: false }];
	draw();
	return { el, values: () => keys.map((k) => k.value.trim()).filter(Boolean), focus: () => el.querySelector('input')?.focus() };
}

function bodyOf(p, f) {
	const type = f.type.input.value;
	const raw = { ...(p?.rawConfigs ?? {}) };
	for (const key of ['id', 'type', 'protocol', 'apiTokens', 'failover', 'retryOnFailure']) delete raw[key];
	const kept = putAddress(raw, type, f.url.input.value.trim(), p);
	if (kept === 'qwen' && !p) Object.assign(raw, { qwenEnableSearch: false, qwenEnableCompatible: true, qwenFileIds: [] });
	Object.assign(raw, f.extra());
	const mapping = mappingOf(f.mapping.input.value);
	if (Object.keys(mapping).length) raw.modelMapping = mapping;
	else delete raw.modelMapping;
	return {
		...(p ?? {}),
		name: f.name.input.value.trim(),
		type: kept,
		protocol: f.protocol.input.value,
		tokens: f.keys.values(),
		tokenFailoverConfig: f.failover.put({ ...(p?.tokenFailoverConfig ?? {}) }),
		rawConfigs: raw,
	};
}

const serverMakes = () => !isAdmin() || (store.monitor.state === 'there' && (store.lists.aiRoutes.data?.length !== 0 || listOf('consumers').some((c) => c.name === 'manager')));

// Where HiClaw is, or routes are, the server makes the routes. Of an instance that has nothing yet the provider becomes the
// default, for one consumer, whose key is given back: nobody else may spend what the provider's key pays for.
async function store_(p, body) {
	// A named service is not of the provider alone: only the server moves it along with the address.
	const moved = p?.rawConfigs?.openaiCustomServiceName && body.type === p.type && urlOf(body) !== urlOf(p);
	if (p && (moved || p.name !== body.name)) return change(`ni_status/providers/${part(p.name)}`, { ...body, ...(moved ? { baseUrl: urlOf(body) ?? '' } : {}) });
	if (p) return change(`v1/ai/providers/${part(p.name)}`, body);
	await refresh('aiRoutes', 'consumers');
	const empty = store.lists.aiRoutes.data?.length === 0;
	if (serverMakes()) return post('ni_status/create-provider', { name: body.name, type: body.type, tokens: body.tokens, apiKey: body.tokens[0], protocol: body.protocol, rawConfigs: body.rawConfigs, tokenFailoverConfig: body.tokenFailoverConfig, ...(body.type === 'openai' && urlOf(body) ? { baseUrl: urlOf(body) } : {}) });
	const made = await post('v1/ai/providers', body);
	if (!empty) return made;
	let consumer = listOf('consumers')[0]?.name;
	let key = null;
	if (!consumer) {
		consumer = 'me';
		key = newKey();
		await post('v1/consumers', { name: consumer, credentials: [{ type: 'key-auth', source: 'BEARER', key: null, values: [key] }] });
	}
	await post('v1/ai/routes', { name: DEFAULT_ROUTE, domains: [], pathPredicate: { matchType: 'PRE', matchValue: '/', caseSensitive: false }, upstreams: [{ provider: body.name, weight: 100, modelMapping: {} }], authConfig: { enabled: true, allowedCredentialTypes: ['key-auth'], allowedConsumers: [consumer] } });
	return { ...made, routeName: DEFAULT_ROUTE, consumer, key };
}

// The routes that the server makes for a new provider: the first one gets the default, the second one parts from the first.
const routeOf = (name) => `${name}-ai-route`;
function routesMade(name) {
	const others = listOf('providers').map((x) => x.name);
	const wanted = !listOf('aiRoutes').length ? [DEFAULT_ROUTE] : others.length === 1 ? [routeOf(name), routeOf(others[0])] : others.length ? [routeOf(name)] : [];
	const there = new Set(listOf('aiRoutes').map((r) => r.name));
	return wanted.filter((x) => !there.has(x));
}

function freeName(base) {
	const taken = new Set(listOf('providers').map((x) => x.name));
	for (let n = 1; ; n++) if (!taken.has(n > 1 ? `${base}-${n}` : base)) return n > 1 ? `${base}-${n}` : base;
}

// p: the one that is changed; like: of a new one, what it begins as.
export function providerDialog(p, onSaved, like = null) {
	const from = p ?? like;
	const f = {
		type: field('PROVIDER TYPE', select(from && !TYPES.some(([type]) => type === shownType(from)) ? [...TYPES, [shownType(from), shownType(from)]] : TYPES, from ? shownType(from) : 'qwen')),
		name: field('PROVIDER NAME', input(p?.name ?? freeName(like?.name ?? 'qwen'), { placeholder: 'qwen, deepseek' })),
		url: field('API URL', input(from ? (urlOf(from) ?? '') : '', { placeholder: 'https://api.example.com/v1', inputmode: 'url' }), t('only where it is not the usual one')),
		keys: keyList(p?.tokens ?? []),
		failover: failoverPart(from?.tokenFailoverConfig),
		protocol: field('PROTOCOL', select([['openai/v1', t("OpenAI's, translated for the provider")], ['original', t('as it comes, untranslated')]], from?.protocol ?? 'openai/v1')),
		mapping: field('MODEL MAPPING', h('textarea', { rows: 3, spellcheck: 'false', value: mappingText(from?.rawConfigs?.modelMapping), placeholder: 'gpt-4o = qwen3.5-plus' })),
	};
	const json = h('textarea', { rows: 6, spellcheck: 'false', value: JSON.stringify(extrasOf(from), null, 2) });
	const extra = field('EXTRA SETTINGS (JSON)', json);
	f.extra = () => (json.value.trim() ? JSON.parse(json.value) : {});
	const keysBox = h('fieldset', h('legend.lbl', t('API KEYS')), f.keys.el, h('p.hint', t('stored keys are never shown again')));
	const keyError = h('p.hint.bad', { role: 'alert' });
	const domain = field('SERVICE DOMAIN', input('', { readonly: true }));
	const plan = h('p.sm.soft.any', { role: 'status' });
	const said = h('div', { 'aria-live': 'polite' });
	let named = Boolean(from);

	const look = () => {
		const url = parsed(f.url.input.value.trim(), f.type.input.value);
		const [type, text] = [f.type.input.value, f.url.input.value.trim()];
		const becomes = url ? typeAt(type, text) : type;
		f.url.say(url ? [url.protocol, url.host, url.port, becomes !== type && type !== 'custom' ? t('asked as an OpenAI-compatible provider') : null].filter(Boolean).join(' · ') : t(HINTS[type] ?? 'only where it is not the usual one'));
		const name = f.name.input.value.trim();
		const made = p || !NAME.test(name) ? [] : routesMade(name);
		put(plan, made.length ? t('Saving makes these routes: {0}', made.join(', ')) : '');
		domain.input.value = (p && type === shownType(p) ? p.rawConfigs?.openaiCustomServiceName : null) ?? `${serverMakes() && !p && url && becomes === 'openai' ? name || '…' : `llm-${name || '…'}.internal`}.${url && /^[\d.]+$/.test(url.host) ? 'static' : 'dns'}`;
	};
	f.type.input.addEventListener('change', () => {
		if (!named) f.name.input.value = f.type.input.value === 'custom' ? '' : freeName(f.type.input.value);
		look();
	});
	f.name.input.addEventListener('input', () => {
		named = true;
		look();
		const name = f.name.input.value.trim();
		if (!NAME.test(name)) f.name.say(t('letters, digits, dots, dashes; at most 63'), 'bad');
		else if (name !== p?.name && listOf('providers').some((x) => x.name === name)) f.name.say(t('this name is taken'), 'bad');
		else f.name.say(t('name is free'), 'ok');
	});
	f.url.input.addEventListener('input', look);
	f.keys.el.addEventListener('input', () => put(keyError));
	look();

	const valid = () => {
		const name = f.name.input.value.trim();
		if (!name) return refuse(f.name, t('NAME AND API KEY REQUIRED'));
		if (!NAME.test(name)) return refuse(f.name, t('letters, digits, dots, dashes; at most 63'));
		if (name !== p?.name && listOf('providers').some((x) => x.name === name)) return refuse(f.name, t('this name is taken'));
		if (!f.keys.values().length && f.type.input.value !== 'ollama') {
			put(keyError, t('NAME AND API KEY REQUIRED'));
			f.keys.focus();
			return false;
		}
		const url = f.url.input.value.trim();
		if (f.type.input.value === 'custom' && !url) return refuse(f.url, t('CUSTOM URL REQUIRED FOR CUSTOM TYPE'));
		if (!url && needsUrl(f.type.input.value)) return refuse(f.url, t('The address is missing.'));
		if (url && !parsed(url, f.type.input.value)) return refuse(f.url, t('http or https, a host, a path; no user, query or fragment'));
		if (!f.failover.valid()) return false;
		try {
			f.extra();
		} catch (error) {
			advanced.open = true;
			return refuse(extra, error.message);
		}
		return true;
	};
	const save = async (close) => {
		if (!valid()) return;
		const body = bodyOf(p, f);
		const before = new Set(listOf('aiRoutes').map((r) => r.name));
		try {
			const got = await store_(p, body);
			dialog.clean();
			close();
			await refresh('providers', 'aiRoutes', 'sources');
			const made = listOf('aiRoutes').map((r) => r.name).filter((x) => !before.has(x));
			toast(t(p ? 'PROVIDER UPDATED' : 'PROVIDER CREATED'), made.length && !p ? t('routes: {0}', made.join(', ')) : got?.routeName ? t('{0} leads to it', got.routeName) : body.name);
			if (store.monitor.state === 'there') refreshMonitor();
			refresh('consumers');
			if (got?.key) showKey(got.consumer, got.key);
			onSaved?.(body.name);
		} catch (error) {
			update(said, note('b-bad', h('div', h('b.pix.badt', t('SAVE FAILED')), h('div.sm', error.message), h('div.xs.soft', error.more))));
		}
	};
	const advanced = h('details', h('summary', t('ADVANCED')), h('div.col.gap3', f.protocol, f.mapping, extra));
	const dialog = modal(p ? 'EDIT AI PROVIDER' : 'ADD AI PROVIDER', 'box',
		h('div.form2', h('div.col.gap3', f.type, f.name, keysBox, keyError), h('div.col.gap3', f.url, domain, f.failover.el, advanced, plan, said)),
		(close) => [p && btn('TEST', { i: 'bolt', on: async () => {
			const got = await testProvider(p.name, { quiet: true });
			update(said, note(got.ok ? 'b-ok' : 'b-bad', h('div', h('b.pix', t(got.ok ? 'CONNECTED' : got.none ? 'TEST FAILED' : 'FAILED')), h('div.xs.soft', got.none ?? got.text))));
		} }), h('div.end', btn('CANCEL', { on: () => dialog.el.dispatchEvent(new Event('cancel', { cancelable: true })) }), btn('SAVE PROVIDER', { k: 'pri', on: () => save(close) }))]);
	if (!p) f.keys.focus();
	return dialog;
}

// What the form has no field for.
function extrasOf(p) {
	const known = new Set(['id', 'type', 'protocol', 'apiTokens', 'failover', 'retryOnFailure', 'modelMapping', ...addressKeys(p?.rawConfigs)]);
	return Object.fromEntries(Object.entries(p?.rawConfigs ?? {}).filter(([key]) => !known.has(key)));
}

// What names a provider: its own route, others, those that fall back to it, and who it is assigned to.
function usersOf(name) {
	const leads = (list) => (list ?? []).some((u) => u.provider === name);
	const own = store.monitor.state === 'there' ? routeOf(name) : null;
	const routes = listOf('aiRoutes').filter((r) => leads(r.upstreams));
	return {
		own: routes.filter((r) => r.name === own),
		routes: routes.filter((r) => r.name !== own),
		backed: listOf('aiRoutes').filter((r) => !leads(r.upstreams) && r.fallbackConfig?.enabled && leads(r.fallbackConfig.upstreams)),
		assigned: targets().filter((w) => w.provider === name),
	};
}

export async function deleteProvider(p) {
	const { own, routes, backed, assigned } = usersOf(p.name);
	const names = (list) => list.map((x) => x.name).join(', ');
	const said = [[routes, '{0} routes lead to it: {1}'], [backed, '{0} routes fall back to it: {1}']].map(([list, text]) => list.length > 0 && h('div', t(text, list.length, names(list))));
	if (own.length) said.unshift(h('div', t('Its own route goes with it: {0}', names(own))));
	if (assigned.length) said.push(h('div', t('It is assigned to {0}: they need another model.', names(assigned))));
	const others = listOf('providers').filter((x) => x.name !== p.name).map((x) => x.name);
	const there = store.monitor.state === 'there' && (others.length > 0 || !routes.length);
	const heirs = there && routes.length + backed.length ? field('REPLACEMENT', select(others, others[0])) : null;
	const used = said.some(Boolean);
	const details = !used ? h('p.soft', t('No route leads to it.')) : h('div.col.gap2', note('b-warn', h('div', said)),
		heirs ?? (routes.length ? h('p.badt', t('No other provider is there to take over: these routes will answer 503.')) : null));
	if (!(await confirm_('DELETE PROVIDER', t('DELETE PROVIDER "{0}"?', p.name), 'DELETE', { word: used ? p.name : undefined, details, kind: 'dang' }))) return;
	try {
		// One change of the server's: routes, their fallbacks, and the service that nobody else has.
		const got = await remove(there ? `ni_status/providers/${part(p.name)}?force=true${heirs ? `&replacement=${part(heirs.input.value)}` : ''}` : `v1/ai/providers/${part(p.name)}`);
		store.tests.delete(p.name);
		toast(t('PROVIDER DELETED'), [p.name, ...(got?.warnings ?? []).map((w) => w.message ?? w)].join(' · '));
	} catch (error) {
		toast(t('DELETE FAILED'), [error.message, error.more].filter(Boolean).join(' · '), true);
	}
	refresh('providers', 'aiRoutes', 'sources');
}
