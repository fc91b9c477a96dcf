// The editor of an AI route: which requests it takes, where they go, who may use it. What the form has no field for stays.
import { get } from './api.mjs';
import { h, put as fill } from './dom.mjs';
import { t } from './i18n.mjs';
import { editor } from './route_editor.mjs';
import { authPart, corsPart, domainsPart, folded, headerControlPart, keyedPart, kinds, namePart, pairsPart, plain, retriesPart, rows } from './route_parts.mjs';
import { listOf } from './store.mjs';
import { field, input, select, tick } from './ui.mjs';

const TIMEOUT = 'higress.io/timeout';
const MODELS_SHOWN = 6;
const providers = () => listOf('providers').map((p) => p.name);
const blank = () => ({ name: '', domains: [], pathPredicate: { matchType: 'PRE', matchValue: '/', caseSensitive: false }, upstreams: [], modelPredicates: [], authConfig: { enabled: false, allowedCredentialTypes: ['key-auth'], allowedConsumers: [] } });

export function mappingText(mapping) {
	return Object.entries(mapping ?? {}).map(([from, to]) => `${from} = ${to}`).join('\n');
}
export function mappingOf(text) {
	const out = {};
	for (const line of text.split('\n')) {
		const [from, ...to] = line.split('=');
		if (from.trim() && to.length) out[from.trim()] = to.join('=').trim();
	}
	return out;
}

function prefixPart(path) {
	const el = field('PATH PREFIX', input(path?.matchValue ?? '/'));
	const fail = (text) => (el.fail(text), el.input.focus(), text);
	return { el, names: ['pathPredicate', 'path'], fail, value: () => el.input.value.trim(),
		check: () => (el.input.value.trim().startsWith('/') ? null : fail(t('A path begins with /.'))),
		put: (o) => (o.pathPredicate = { caseSensitive: false, ...path, matchType: 'PRE', matchValue: el.input.value.trim() }) };
}

// What the server knows of models says which of them a condition takes; nobody has to know them.
function modelsPart(predicates) {
	const list = (predicates ?? []).map((p) => ({ ...p }));
	const matched = h('p.hint.any');
	let known = [];
	const takes = (p, id) => {
		const [value, name] = p.caseSensitive ? [p.matchValue.trim(), id] : [p.matchValue.trim().toLowerCase(), id.toLowerCase()];
		return value && (p.matchType === 'EQUAL' ? name === value : name.startsWith(value));
	};
	const say = () => {
		const all = known.filter((id) => list.some((p) => takes(p, id)));
		fill(matched, !list.length ? t('none: all models') : all.length ? `${t('matches')}: ${all.slice(0, MODELS_SHOWN).join(', ')}${all.length > MODELS_SHOWN ? ', …' : ''}` : '');
	};
	get('ni_status/models').then((got) => {
		known = (Array.isArray(got) ? got : (got?.models ?? [])).map((m) => m.id);
		say();
	}, () => {});
	const part = rows({ names: ['modelPredicates'], label: 'MODELS', list, fresh: () => ({ matchType: 'PRE', matchValue: '', caseSensitive: false }), add: 'ADD MODEL',
		make: (p) => [
			plain(t('how'), select(kinds([['PRE', 'begins with'], ['EQUAL', 'is']]), p.matchType, { onchange: (e) => (p.matchType = e.target.value) })),
			plain(t('model'), input(p.matchValue, { placeholder: 'qwen', oninput: (e) => (p.matchValue = e.target.value) }), '.grow')],
		after: () => (queueMicrotask(say), matched),
		check: (p) => (/\s/.test(p.matchValue.trim()) ? [t('no blanks and no quotes'), 1] : null),
		put: (o) => (o.modelPredicates = list.filter((p) => p.matchValue.trim()).map((p) => ({ ...p, matchValue: p.matchValue.trim() }))) });
	part.el.addEventListener('input', () => queueMicrotask(say));
	return { ...part, first: () => list.find((p) => p.matchValue.trim())?.matchValue.trim() ?? 'any-model' };
}

function upstreamsPart(upstreams) {
	const list = (upstreams ?? [{ provider: providers()[0] ?? '', weight: 100, modelMapping: {} }]).map((u) => ({ ...u }));
	const sum = h('p.hint');
	const total = () => list.reduce((n, u) => n + (Number(u.weight) || 0), 0);
	const weigh = () => {
		sum.className = `hint ${total() === 100 ? 'ok' : 'bad'}`;
		fill(sum, t('weights: {0} of 100', total()));
	};
	return rows({ names: ['upstreams'], label: 'UPSTREAMS', list, fresh: () => ({ provider: providers()[0] ?? '', weight: Math.max(0, 100 - total()), modelMapping: {} }), add: 'ADD UPSTREAM',
		make: (u) => [
			h('span.field.grow', select([...new Set([...providers(), u.provider])].map((name) => [name, providers().includes(name) ? name : `${name} · ${t('MISSING')}`]), u.provider, { 'aria-label': t('PROVIDER'), onchange: (e) => (u.provider = e.target.value) })),
			h('span.field.w6', input(u.weight, { inputmode: 'numeric', 'aria-label': t('weight of {0}', u.provider), oninput: (e) => {
				u.weight = e.target.value.trim() === '' ? NaN : Number(e.target.value);
				weigh();
			} }), h('span.soft', '%')),
			h('details.map-of', h('summary', t('MODEL MAPPING'), ' ', h('span.pix.n', Object.keys(u.modelMapping ?? {}).length || '')), h('span.field', h('textarea', { rows: 3, spellcheck: 'false', 'aria-label': t('MODEL MAPPING'), value: mappingText(u.modelMapping), placeholder: 'gpt-4o = qwen3.5-plus', oninput: (e) => (u.modelMapping = mappingOf(e.target.value)) })))],
		after: () => (queueMicrotask(weigh), sum),
		check: (u) => (Number.isInteger(u.weight) && u.weight >= 0 ? null : [t('a whole number from 0 to 100'), 1]),
		whole: () => (!list.length ? t('A route needs an upstream.') : total() !== 100 ? t('The weights must add up to 100, they make {0}.', total()) : null),
		put: (o) => (o.upstreams = list.map((u) => ({ ...u }))) });
}

const STRATEGIES = [['RAND', 'by weight'], ['SEQ', 'the first one']];
function fallbackPart(config) {
	const f = config?.enabled ? config : null;
	const use = tick('Fall back when the upstream fails', Boolean(f));
	const list = (f?.upstreams ?? []).map((u) => ({ ...u }));
	if (!list.length) list.push({ provider: providers().at(-1) ?? '', weight: 100, modelMapping: {} });
	const how = field('CHOICE', select(STRATEGIES.map(([v, label]) => [v, t(label)]), f?.fallbackStrategy || 'RAND'));
	const codes = ['4xx', '5xx'].map((code) => tick(code, (f?.responseCodes ?? ['5xx']).includes(code), { raw: true }));
	const to = rows({ names: ['fallbackConfig'], label: 'FALLBACK', list, fresh: () => ({ provider: providers()[0] ?? '', weight: 0, modelMapping: {} }), add: 'ADD UPSTREAM',
		make: (u) => [h('span.field.grow', select([...new Set([...providers(), u.provider])], u.provider, { 'aria-label': t('FALLBACK'), onchange: (e) => (u.provider = e.target.value) })), h('span.field.w6', input(u.weight ?? 100, { inputmode: 'numeric', 'aria-label': t('weight of {0}', u.provider), oninput: (e) => (u.weight = Number(e.target.value)) }), h('span.soft', '%'))],
		check: (u) => (!use.input.checked || (Number.isInteger(u.weight ?? 100) && (u.weight ?? 100) >= 0) ? null : [t('a whole number from 0 to 100'), 1]),
		put: (o) => (o.fallbackConfig = use.input.checked
			? { ...config, enabled: true, upstreams: list.map((u) => ({ ...u })), fallbackStrategy: how.input.value, responseCodes: ['4xx', '5xx'].filter((_, i) => codes[i].input.checked) }
			: config ? { ...config, enabled: false } : null),
		whole: () => (!use.input.checked ? null : !list.length ? t('A route needs an upstream.') : codes.some((c) => c.input.checked) ? null : t('Choose for which answers it falls back.')) });
	const el = h('fieldset.rows', use, to.el, h('div.row.w', how, codes));
	return folded('FALLBACK', { ...to, el, count: () => (use.input.checked ? list.length : 0) });
}

export function routeDialog(r, onSaved) {
	const domains = domainsPart(r?.domains);
	const path = prefixPart(r?.pathPredicate);
	const models = modelsPart(r?.modelPredicates);
	const auth = authPart(r?.authConfig ?? { enabled: false, allowedCredentialTypes: ['key-auth'], allowedConsumers: [] });
	const under = () => `${path.value().replace(/\/+$/, '')}/v1/chat/completions`.replace(/\/v1\/v1\//, '/v1/');
	return editor({ kind: 'AI ROUTE', noun: 'aiRoute', list: 'aiRoutes', also: ['routes'], path: 'v1/ai/routes', object: r, blank, save: 'SAVE ROUTE', ai: true, saved: onSaved, reopen: (x) => x && routeDialog(x, onSaved),
		ask: () => ({ host: domains.first().replace(/^\*\./, 'any.') || 'any.example', path: under(), model: models.first(), consumer: auth.first() }),
		left: [namePart(r?.name ?? '', Boolean(r), 'qwen-ai-route'), domains, path, models, keyedPart('headerPredicates', 'HEADERS', r?.headerPredicates, { header: true }), keyedPart('urlParamPredicates', 'QUERY', r?.urlParamPredicates, { header: false })],
		right: [upstreamsPart(r?.upstreams), auth, fallbackPart(r?.fallbackConfig), headerControlPart(r?.headerControl),
			pairsPart('customConfigs', 'ANNOTATIONS', 'ADD ANNOTATION', r?.customConfigs, [TIMEOUT]), retriesPart(r?.proxyNextUpstream, r?.customConfigs), corsPart(r?.cors), pairsPart('customLabels', 'LABELS', 'ADD LABEL', r?.customLabels)] });
}
