import { answerOf } from './answers_part.mjs';
import { part, post } from './api.mjs';
import { h } from './dom.mjs';
import { shortName, trace, unexplained } from './explain.mjs';
import { httpRouteDialog, isOwn, ownerOf } from './http_route_dialog.mjs';
import { short, t } from './i18n.mjs';
import { DEFAULT_ROUTE, predicateOf, routingMap } from './map.mjs';
import { TYPES, addressOf, mcpDialog, openMcp } from './mcp_dialog.mjs';
import { routeDialog } from './route_dialog.mjs';
import { counted } from './samples.mjs';
import { sourceDialog, usersOf } from './source_dialog.mjs';
import { pluginsDialog } from './plugin_dialog.mjs';
import { listOf, need, refresh, store } from './store.mjs';
import { badge, body, btn, empty, field, filterBox, input, listBody, matches, meter, panel, pending, select, table } from './ui.mjs';

const modeOf = (r) => (r.name === DEFAULT_ROUTE ? ['DEFAULT', 'b-info'] : r.modelPredicates?.length ? ['DEDICATED', 'b-ok'] : ['CUSTOM', 'b-mgr']);
const TABS = [['aiRoutes', 'AI ROUTES'], ['routes', 'HTTP ROUTES'], ['sources', 'SERVICE SOURCES'], ['mcp', 'MCP SERVERS']];

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
	return allowedList(list);
}

function allowedList(list) {
	return h('span', { title: list.join(', ') }, list.length ? h('span.n.nw', `${list.length} / ${store.lists.consumers.data?.length ?? '—'}`) : badge('nobody', 'b-bad'));
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
const WORDS = { PRE: 'begins with', EQUAL: 'is', REGULAR: 'matches (expression)' };
const serviceName = (x) => /^llm-(.+)\.internal\.[a-z]+$/.exec(x.name)?.[1] ?? `${x.name}${x.port ? `:${x.port}` : ''}`;
// Redirections and mocks: no service is asked.
function ownAnswer(r) {
	const a = answerOf(r);
	return a && h('div', badge(a.to ? 'REDIRECT' : 'MOCK ANSWER', 'b-info'), ' ', h('span.n', a.status), a.to ? h('div.xs.soft.any', a.to) : null);
}
const conditions = (r) => [...(r.headers ?? []), ...(r.urlParams ?? [])];
const editRoute = (r) => (isOwn(r) ? httpRouteDialog(r) : ownerOf(r)[0] === 'MCP SERVER' ? openMcp(ownerOf(r)[1]) : routeDialog(listOf('aiRoutes').find((x) => x.name === ownerOf(r)[1])));
const httpColumns = [
	{ title: 'NAME', sort: (r) => r.name, cell: (r) => h('div', h('h3.any', isOwn(r) ? r.name : ownerOf(r)[1]), isOwn(r) ? null : badge(ownerOf(r)[0] === 'MCP SERVER' ? 'of an MCP server' : r.name.endsWith('.fallback.internal') ? 'its fallback' : 'of an AI route', 'b-off')) },
	{ title: 'MATCHES', sort: (r) => r.path?.matchValue ?? '', cell: (r) => h('div', h('div.sm.any', h('span.soft', `${t(WORDS[r.path?.matchType] ?? 'is')} `), r.path?.matchValue ?? '—'), h('div.xs.soft.any', (r.domains?.length ? r.domains : ['*']).join(', '))) },
	{ title: 'METHODS', cell: (r) => h('div', h('span.soft.sm', r.methods?.join(' ') || t('all')), conditions(r).length ? h('div.xs.soft', { title: conditions(r).map((x) => `${x.key} ${x.matchType} ${x.matchValue}`).join(', ') }, t('{0} more conditions', conditions(r).length)) : null) },
	{ title: 'SERVICES', cell: (r) => ownAnswer(r) ?? h('div.col.gap1', (r.services ?? []).map((x) => h('div.ups.svc', h('span.any', serviceName(x)), meter((x.weight ?? 100) / 100, t('weight of {0}', x.name), 10, 'var(--water-3)'), h('span.n', x.weight ?? 100)))) },
	{ title: 'ALLOWED', cell: allowed },
	{ title: 'REQUESTS 1 H', end: true, sort: (r) => counted('route', isOwn(r) ? r.name : ownerOf(r)[1])?.requests ?? -1, cell: (r) => h('span.n', short(counted('route', isOwn(r) ? r.name : ownerOf(r)[1])?.requests ?? null)) },
	{ title: '', end: true, cell: (r) => h('div.row.acts', btn('PLUGINS', { s: true, aria: `${t('PLUGINS')} ${r.name}`, on: () => pluginsDialog(r.name) }),
		btn('EDIT', { s: true, aria: `${t('EDIT')} ${r.name}`, off: isOwn(r) && r.readonly, tip: r.readonlyReason ?? undefined, on: () => editRoute(r) })) },
];
const sourceColumns = [
	{ title: 'NAME', sort: (x) => x.name, cell: (x) => h('h3.any', x.name) },
	{ title: 'TYPE', sort: (x) => x.type, cell: (x) => h('span.badge.b-off', x.type) },
	{ title: 'ADDRESSES', cell: (x) => h('span.sm.any', x.domain ?? '—') },
	{ title: 'PORT', end: true, cell: (x) => h('span.n', x.port ?? '—') },
	{ title: 'PROTOCOL', cell: (x) => h('span.sm', x.protocol || 'http', x.sni ? h('span.xs.soft', ` · ${x.sni}`) : null) },
	{ title: 'USED BY', cell: (x) => h('span.xs.soft.any', usersOf(x.name).map((name) => shortName(name)).join(', ') || t('no route')) },
	{ title: '', end: true, cell: (x) => (x.name.endsWith('.internal') ? badge('of a provider', 'b-off') : btn('EDIT', { s: true, aria: `${t('EDIT')} ${x.name}`, on: () => sourceDialog(x) })) },
];
const mcpColumns = [
	{ title: 'NAME', sort: (x) => x.name, cell: (x) => h('div', h('h3.any', x.name), h('div.xs.soft.any', x.description)) },
	{ title: 'TYPE', sort: (x) => x.type, cell: (x) => h('span.sm', t(TYPES[x.type] ?? x.type)) },
	{ title: 'CALLED AT', cell: (x) => h('div', h('div.sm.any', addressOf(x.name)), h('div.xs.soft.any', (x.domains?.length ? x.domains : ['*']).join(', '))) },
	{ title: 'SERVICES', cell: (x) => h('span.sm.any', (x.services ?? []).map(serviceName).join(', ') || '—') },
	{ title: 'ALLOWED', cell: (x) => (x.consumerAuthInfo?.enable ? allowedList(x.consumerAuthInfo.allowedConsumers ?? []) : badge('open', 'b-warn')) },
	{ title: 'REQUESTS 1 H', end: true, sort: (x) => mcpCount(x) ?? -1, cell: (x) => h('span.n', short(mcpCount(x))) },
	{ title: '', end: true, cell: (x) => btn('EDIT', { s: true, aria: `${t('EDIT')} ${x.name}`, on: () => openMcp(x.name) }) },
];
const mcpCount = (x) => counted('route', ownerOf({ name: `mcp-server-${x.name}.internal` })[1])?.requests ?? null;
const KINDS = { aiRoutes: aiColumns, routes: httpColumns, sources: sourceColumns, mcp: mcpColumns };
const EMPTY = { aiRoutes: ['NO ROUTES', 'A route leads models to providers.'], routes: ['NO ROUTES', 'An HTTP route leads requests to services.'], sources: ['NO SERVICE SOURCES', 'A service source says where the endpoints of a service are.'], mcp: ['NO MCP SERVERS', 'An MCP server gives agents tools: those of an HTTP interface, a database, or a server of tools.'] };

function domainsOf(name) {
	const of = [...listOf('aiRoutes'), ...listOf('routes')].find((r) => r.name === name)?.domains;
	return of?.length ? of : ['*'];
}
const ownFirst = (all) => [...all.filter(isOwn), ...all.filter((r) => !isOwn(r))];

/* --- where would a request go? --------------------------------------------------------------------------- */

// Where requests usually come to, for who does not say: routes of the default route's domains, or of anybody's. Where a
// route takes any host none has to be said.
function usualHost() {
	const all = listOf('aiRoutes');
	if (all.some((r) => !r.domains?.length)) return '';
	const names = (r) => r?.domains?.filter((d) => !d.startsWith('*')) ?? [];
	return names(all.find((r) => r.name === DEFAULT_ROUTE))[0] ?? all.flatMap(names)[0] ?? '';
}

function explain(local, redraw) {
	if (local.asked && !local.asked.host && !local.explained) local.asked.host = usualHost();
	const asked = (local.asked ??= { host: usualHost(), path: '/v1/chat/completions', model: '', consumer: '', method: 'POST' });
	const keep = (key, label, el) => {
		const box = field(label, el);
		el.addEventListener('input', () => (asked[key] = el.value));
		return box;
	};
	const host = keep('host', 'HOST', input(asked.host, { list: 'explain-hosts', placeholder: 'llm.example.com' }));
	const path = keep('path', 'PATH', input(asked.path));
	const model = keep('model', 'MODEL', input(asked.model, { placeholder: 'qwen3.5-plus' }));
	const method = keep('method', 'METHOD', select(['POST', 'GET', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'], asked.method));
	const consumer = keep('consumer', 'CONSUMER', select([['', t('nobody')], ...listOf('consumers').map((c) => c.name)], asked.consumer));
	const ask = async (e) => {
		e.preventDefault();
		const to = Object.fromEntries(Object.entries(asked).map(([key, value]) => [key, value.trim()]));
		try {
			local.explained = { got: (await post('page/preview', { ask: { ...to, host: to.host || usualHost() || 'any.example', path: to.path || '/' } })).before };
		} catch (error) {
			local.explained = { error };
		}
		redraw();
	};
	const known = [...new Set(listOf('aiRoutes').concat(listOf('routes')).flatMap((r) => r.domains ?? []))];
	return panel('EXPLAIN', 'find', null, body(h('form.col.gap3', { onsubmit: ask }, model, consumer, h('details', { open: Boolean(local.wide), ontoggle: (e) => (local.wide = e.target.open) }, h('summary', t('HOST, PATH, METHOD')), h('div.col.gap3', host, path, method)), h('datalist', { id: 'explain-hosts' }, known.map((d) => h('option', { value: d }))), btn('EXPLAIN', { k: 'pri', type: 'submit' })),
		local.explained ? h('div.dither.gap') : null, local.explained?.error ? unexplained(local.explained.error) : local.explained ? trace(local.explained.got) : null));
}

export function draw({ arg, local, redraw }) {
	need('aiRoutes', 'routes', 'sources', 'mcp', 'services', 'providers', 'consumers', 'domains');
	local.tab ??= 'aiRoutes';
	local.filter ??= arg[0] && !arg[0].startsWith('+') ? arg[0] : '';
	if (arg[0] && arg[0] !== local.arg) {
		local.arg = arg[0];
		local.filter = arg[0].startsWith('+') ? '' : arg[0];
		const holds = TABS.map(([key]) => key).find((key) => listOf(key).some((x) => x.name === arg[0] || (key === 'sources' && arg[0] === `${x.name}.${x.type}`)));
		if (holds) local.tab = holds;
		if (holds === 'sources') local.filter = arg[0].replace(/\.[a-z0-9]+$/, '');
	}
	const e = local.explained?.got;
	const at = shortName(e?.route);
	const path = at ? [`rt:${at}`, `rt:http ${at}`, ...e.destinations.filter((d) => d.weight).map((d) => `pv:${d.provider ?? d.service}`), ...domainsOf(at).map((d) => `dom:${d}`)] : null;
	const total = counted('total');
	const fresh = { aiRoutes: () => routeDialog(null), routes: () => httpRouteDialog(null), sources: () => sourceDialog(null), mcp: () => mcpDialog(null) }[local.tab];
	const none = local.tab === 'aiRoutes' && store.lists.providers.data?.length === 0;
	const add = () => btn('+ ADD', { s: true, k: 'pri', off: none, tip: none ? t('Add a provider first.') : undefined, aria: `${t('+ ADD')} ${t(TABS.find(([x]) => x === local.tab)[1])}`, on: fresh });
	const list = store.lists[local.tab];
	const rows = (all) => table(`routes-${local.tab}`, { label: t(TABS.find(([x]) => x === local.tab)[1]), columns: KINDS[local.tab], key: (r) => r.name, rows: ownFirst(all).filter((r) => matches(local.filter, r.name, predicateOf(r), (r.upstreams ?? []).map((u) => u.provider).join(' '), [r.domains].flat().join(' '), r.path?.matchValue ?? '', (r.services ?? []).map((x) => x.name).join(' '))) });
	return h('div.routes-l',
		panel('ROUTING MAP', 'branch', h('span.xs.soft.hide-s', total ? t('{0} requests in the last hour', short(total.requests)) : ''), pending([store.lists.aiRoutes], () => refresh('aiRoutes')) ?? body(listOf('aiRoutes').length ? routingMap('map-routes', false, path) : empty('branch', 'NO ROUTES', 'A route leads models to providers.'))),
		explain(local, redraw),
		panel(TABS.find(([x]) => x === local.tab)[1], 'gate', [filterBox(local.filter, (value) => {
			local.filter = value;
			redraw();
		}), h('div.seg', { role: 'group', 'aria-label': t('LIST') }, TABS.map(([key, label]) => btn(label, { s: true, pressed: local.tab === key, on: () => {
			local.tab = key;
			redraw();
		} }))), h('span', { 'data-new': true }, add())],
		listBody(list, empty('branch', ...EMPTY[local.tab], none ? h('a.btn.pri', { href: '#/providers/+new' }, t('+ ADD PROVIDER')) : add()), () => refresh(local.tab), rows),
		local.tab === 'routes' ? h('p.xs.soft.lead', t('Always there, before all routes: /ni_status, /agm, /_admin/api, where management is on the gateway.')) : null));
}
