import { get, part } from './api.mjs';
import { h } from './dom.mjs';
import { short, t } from './i18n.mjs';
import { DEFAULT_ROUTE, predicateOf, routingMap } from './map.mjs';
import { routeDialog } from './route_dialog.mjs';
import { counted } from './samples.mjs';
import { listOf, need, refresh, store } from './store.mjs';
import { badge, body, btn, empty, field, filterBox, gateGlyph, input, listBody, matches, meter, note, panel, select, table } from './ui.mjs';

const modeOf = (r) => (r.name === DEFAULT_ROUTE ? ['DEFAULT', 'b-info'] : r.modelPredicates?.length ? ['DEDICATED', 'b-ok'] : ['CUSTOM', 'b-mgr']);
const TABS = [['aiRoutes', 'AI ROUTES'], ['routes', 'HTTP ROUTES'], ['sources', 'SERVICE SOURCES']];

export function opened({ arg }) {
	if (arg[0] === '+new') {
		history.replaceState(null, '', '#/routes');
		routeDialog(null);
	}
}

function ups(r) {
	return h('div.col.gap1', (r.upstreams ?? []).map((u) => h('div.ups', h('span.any', u.provider), meter(u.weight / 100, t('weight of {0}', u.provider), 10, 'var(--water-3)'), h('span.n', u.weight))));
}

function allowed(r) {
	const list = r.authConfig?.allowedConsumers ?? [];
	if (!r.authConfig?.enabled) return badge('open', 'b-warn');
	return h('span', { title: list.join(', ') }, list.length ? h('span.n', `${list.length} / ${listOf('consumers').length}`) : badge('nobody', 'b-bad'));
}

const aiColumns = [
	{ title: 'NAME', sort: (r) => r.name, cell: (r) => h('h3', r.name) },
	{ title: 'MODE', sort: (r) => modeOf(r)[0], cell: (r) => badge(...modeOf(r)) },
	{ title: 'MATCHES', cell: (r) => h('div', h('div.sm.any', predicateOf(r) || h('span.soft', t('everything else'))), h('div.xs.soft.any', `${(r.domains?.length ? r.domains : ['*']).join(', ')} ${r.pathPredicate?.matchValue ?? '/'}`)) },
	{ title: 'UPSTREAMS', cell: ups },
	{ title: 'FALLBACK', cell: (r) => h('span.soft', r.fallbackConfig?.enabled ? (r.fallbackConfig.upstreams ?? []).map((u) => u.provider).join(', ') : '—') },
	{ title: 'ALLOWED', cell: allowed },
	{ title: 'REQUESTS 1 H', end: true, sort: (r) => counted('route', r.name)?.requests ?? -1, cell: (r) => h('span.n', short(counted('route', r.name)?.requests ?? null)) },
	{ title: '', end: true, cell: (r) => h('div.row.acts', h('a.btn.s', { href: `#/playground/${part(r.name)}`, 'aria-label': `${t('TRY')} ${r.name}` }, t('TRY')), btn('EDIT', { s: true, aria: `${t('EDIT')} ${r.name}`, on: () => routeDialog(r) })) },
];
const httpColumns = [
	{ title: 'NAME', sort: (r) => r.name, cell: (r) => h('h3.any', r.name) },
	{ title: 'DOMAINS', cell: (r) => h('span.any', (r.domains?.length ? r.domains : ['*']).join(', ')) },
	{ title: 'PATH', cell: (r) => h('span.sm', `${r.path?.matchType ?? ''} ${r.path?.matchValue ?? ''}`) },
	{ title: 'METHODS', cell: (r) => h('span.soft', r.methods?.join(', ') || t('all')) },
	{ title: 'SERVICES', cell: (r) => h('span.sm.any', (r.services ?? []).map((x) => `${x.name}:${x.port ?? ''} ${x.weight ?? ''}%`).join(', ')) },
	{ title: '', end: true, cell: (r) => (r.name.endsWith('.internal') ? badge('of an AI route', 'b-off') : null) },
];
const sourceColumns = [
	{ title: 'NAME', sort: (x) => x.name, cell: (x) => h('h3.any', x.name) },
	{ title: 'TYPE', sort: (x) => x.type, cell: (x) => badge(x.type, 'b-off') },
	{ title: 'DOMAIN', cell: (x) => h('span.sm.any', x.domain ?? '—') },
	{ title: 'PORT', end: true, cell: (x) => h('span.n', x.port ?? '—') },
	{ title: 'PROTOCOL', cell: (x) => h('span.sm', x.protocol ?? '—') },
];
const KINDS = { aiRoutes: aiColumns, routes: httpColumns, sources: sourceColumns };

/* --- where would a request go? --------------------------------------------------------------------------- */

// The outcomes of `sluice explain`, in words.
const OUTCOMES = { chosen: 'wins', path: 'the path does not fit', method: 'the method does not fit', header: 'a header does not fit', query: 'the query does not fit', model: 'no predicate matches', closer: 'another one names the model more closely', later: 'another one comes first', unread: 'answered before its body is read' };

function answer(e) {
	if (!e) return null;
	if (e.error) return note('b-bad', h('div.sm', e.error));
	const got = e.got;
	const others = got.routes ?? got.candidates ?? got.refused ?? [];
	const allowedHere = got.allowed ?? got.authorized;
	return h('div.col.gap3', h('ol.trace',
		h('li.ok', h('span.gi', gateGlyph(got.route ? 'open' : 'bad')), h('div', h('h3', got.route ?? t('no route')), h('div.xs.soft', got.reason ?? got.text ?? ''))),
		others.filter((x) => (x.route ?? x.name) !== got.route).slice(0, 8).map((x) => h('li.no', h('span.gi', gateGlyph('now')), h('div', h('h3', x.route ?? x.name), h('div.xs.soft', x.text ?? (OUTCOMES[x.outcome] ? t(OUTCOMES[x.outcome]) : x.outcome)))))),
	h('dl.kv', h('dt', t('PROVIDER')), h('dd.n', got.provider ?? '—'), h('dt', t('MODEL')), h('dd', got.upstreamModel ?? got.model ?? '—'), h('dt', t('CONSUMER')), h('dd', allowedHere === undefined ? '—' : badge(allowedHere ? 'allowed' : 'refused', allowedHere ? 'b-ok' : 'b-bad'))));
}

function explain(local, redraw) {
	local.model ??= '';
	const model = field('MODEL', input(local.model, { placeholder: 'qwen3.5-plus' }));
	const consumer = field('CONSUMER', select([['', t('nobody')], ...listOf('consumers').map((c) => c.name)], local.consumer ?? ''));
	model.input.addEventListener('input', () => (local.model = model.input.value));
	consumer.input.addEventListener('change', () => (local.consumer = consumer.input.value));
	const ask = async (e) => {
		e.preventDefault();
		try {
			const got = await get(`ni_status/route?explain=${part(local.model)}${local.consumer ? `&consumer=${part(local.consumer)}` : ''}`);
			local.explained = got.explain ? { got: got.explain } : { error: t('not available') };
		} catch (error) {
			local.explained = { error: error.status === 404 ? t('This server cannot be asked that yet; the PLAYGROUND shows it of a real request.') : error.message };
		}
		redraw();
	};
	return panel('EXPLAIN', 'find', null, body(h('form.col.gap3', { onsubmit: ask }, model, consumer, btn('EXPLAIN', { k: 'pri', type: 'submit' })), local.explained ? h('div.dither.gap') : null, answer(local.explained)));
}

export function draw({ arg, local, redraw }) {
	need('aiRoutes', 'routes', 'sources', 'providers', 'consumers', 'domains');
	local.tab ??= 'aiRoutes';
	local.filter ??= arg[0] && !arg[0].startsWith('+') ? arg[0] : '';
	if (arg[0] && arg[0] !== local.arg) {
		local.arg = arg[0];
		local.filter = arg[0].startsWith('+') ? '' : arg[0];
	}
	const e = local.explained?.got;
	const path = e?.route ? [`rt:${e.route}`, ...(e.provider ? [`pv:${e.provider}`] : []), ...(listOf('aiRoutes').find((r) => r.name === e.route)?.domains ?? ['*']).map((d) => `dom:${d}`)] : null;
	const total = counted('total');
	const add = h('span', { 'data-new': true }, btn('+ ADD', { s: true, k: 'pri', off: !listOf('providers').length, tip: listOf('providers').length ? undefined : t('Add a provider first.'), on: () => routeDialog(null) }));
	const list = store.lists[local.tab];
	const rows = (all) => table(`routes-${local.tab}`, { label: t(TABS.find(([x]) => x === local.tab)[1]), columns: KINDS[local.tab], key: (r) => r.name, rows: all.filter((r) => matches(local.filter, r.name, predicateOf(r), (r.upstreams ?? []).map((u) => u.provider).join(' '), (r.domains ?? []).join?.(' ') ?? '')) });
	return h('div.routes-l',
		panel('ROUTING MAP', 'branch', [h('span.xs.soft.hide-s', total ? t('{0} requests in the last hour', short(total.requests)) : ''), add], body(listOf('aiRoutes').length ? routingMap('map-routes', false, path) : empty('branch', 'NO ROUTES', 'A route leads models to providers.'))),
		explain(local, redraw),
		panel(TABS.find(([x]) => x === local.tab)[1], 'gate', [filterBox(local.filter, (value) => {
			local.filter = value;
			redraw();
		}), h('div.seg', { role: 'group', 'aria-label': t('LIST') }, TABS.map(([key, label]) => btn(label, { s: true, pressed: local.tab === key, on: () => {
			local.tab = key;
			redraw();
		} })))],
		listBody(list, empty('branch', local.tab === 'sources' ? 'NO SERVICE SOURCES' : 'NO ROUTES', local.tab === 'aiRoutes' ? 'A route leads models to providers.' : ''), () => refresh(local.tab), rows),
		local.tab === 'routes' ? h('p.xs.soft.lead', t('Always there, before all routes: /ni_status, /agm, /_admin/api, where management is on the gateway.')) : null));
}
