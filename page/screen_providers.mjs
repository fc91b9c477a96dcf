import { get, part } from './api.mjs';
import { h } from './dom.mjs';
import { number, short, t } from './i18n.mjs';
import { shownType, urlOf } from './provider_address.mjs';
import { deleteProvider, providerDialog } from './provider_dialog.mjs';
import { testAll, testProvider } from './provider_test.mjs';
import { counted } from './samples.mjs';
import { isAdmin, listOf, need, refresh, store } from './store.mjs';
import { badge, body, btn, empty, face, filterBox, gates, lamp, listBody, matches, panel, table, when } from './ui.mjs';
import { targets } from './workers.mjs';

const COLOURS = ['c1', 'c2', 'c3', 'c4', 'c6', 'c5'];
export const colourOf = (name) => COLOURS[Math.max(0, listOf('providers').findIndex((p) => p.name === name)) % COLOURS.length];

export function opened({ arg }) {
	if (arg[0] === '+new') {
		history.replaceState(null, '', '#/providers');
		providerDialog(null);
	}
}

const add = () => btn('+ ADD', { k: 'pri', s: true, on: () => providerDialog(null) });
const servedBy = (name) => listOf('aiRoutes').filter((r) => (r.upstreams ?? []).some((u) => u.provider === name)).map((r) => r.name);

function health(p) {
	const test = store.tests.get(p.name);
	if (!test) return h('div.row', lamp('l-off'), h('span.soft.nw', t('not tested')));
	if (test.running) return h('div.row', lamp('l-info'), h('span.soft.nw', t('CONNECTING...')));
	const facts = test.ok ? [`${number(test.ms)} ms · `] : [h('span.badt', test.text), ' · '];
	return h('div.row', lamp(test.ok ? 'l-ok' : 'l-bad'), h('div.tested', h(`div.${test.ok ? 'n' : 'badt'}.nw`, t(test.ok ? 'CONNECTED' : 'FAILED')), h('div.xs.soft.any', facts, when(test.at))));
}

const MODELS_SHOWN = 60;
// What it serves, where it is used, and another one like it.
function more(p, local, redraw) {
	if (!local.models?.[p.name]) {
		local.models = { ...local.models, [p.name]: [] };
		get(`ni_status/models?provider=${part(p.name)}`).then((got) => (local.models[p.name] = got.models ?? []), () => {}).finally(redraw);
	}
	const models = local.models[p.name];
	const routes = servedBy(p.name);
	return h('div.col.gap3', h('div', h('span.lbl', t('MODELS')), h('p.sm.any', models.length ? [models.slice(0, MODELS_SHOWN).map((m) => m.id).join(', '), models.length > MODELS_SHOWN ? ` ${t('and {0} more', models.length - MODELS_SHOWN)}` : ''] : t('not known'))),
		h('div', h('span.lbl', t('ROUTES')), h('p.sm.any', routes.length ? routes.map((name, i) => [i ? ', ' : '', h('a', { href: `#/routes/${part(name)}` }, name)]) : t('no route'))),
		isAdmin() && h('div.row.w', btn('DUPLICATE', { s: true, aria: `${t('DUPLICATE')} ${p.name}`, on: () => providerDialog(null, redraw, p) })));
}

// How many keys it has, and how many models it was last heard to list.
function holdings(p) {
	const n = p.tokens?.length ?? 0;
	const { models } = store.tests.get(p.name) ?? {};
	return t('{0} configured', n === 1 ? t('1 key') : t('{0} keys', n)) + (models ? ` · ${t('{0} models', number(models))}` : '');
}

function columns(local, redraw) {
	return [
		{ title: 'HEALTH', cell: health },
		{ title: 'NAME', sort: (p) => p.name, cell: (p) => h('div.row', h('span.swatch', { style: { background: `var(--${colourOf(p.name)})` } }), h('div', h('h3', p.name), badge(shownType(p), 'b-off'))) },
		{ title: 'BASE URL', cell: (p) => h('div.where', h('div.any', urlOf(p) ?? sourceOf(p)), h('div.xs.soft', holdings(p))) },
		{ title: 'USED BY', cell: (p) => used(p) },
		{ title: 'REQUESTS 1 H', end: true, sort: (p) => counted('provider', p.name)?.requests ?? -1, cell: (p) => traffic(p) },
		{ title: '', end: true, cell: (p) => h('div.row.acts',
			btn('TEST', { s: true, aria: `${t('TEST')} ${p.name}`, on: () => testProvider(p.name) }),
			isAdmin() && btn('EDIT', { s: true, aria: `${t('EDIT')} ${p.name}`, on: () => providerDialog(p, redraw) }),
			isAdmin() && btn('DEL', { s: true, k: 'dang', aria: `${t('DEL')} ${p.name}`, on: () => deleteProvider(p) }),
			btn('', { s: true, k: 'ic', i: local.open === p.name ? 'cross' : 'find', aria: `${t('DETAILS')} ${p.name}`, pressed: local.open === p.name, on: () => {
				local.open = local.open === p.name ? '' : p.name;
				redraw();
			} })) },
	];
}
const sourceOf = (p) => listOf('sources').find((x) => x.name === `llm-${p.name}.internal`)?.domain ?? '—';

function used(p) {
	const who = targets().filter((w) => w.provider === p.name);
	const routes = servedBy(p.name);
	if (!who.length && !routes.length) return h('span.xs.soft', t('no route'));
	return h('div', who.length ? h('div.row.gap1', who.slice(0, 5).map((w) => h('span.mini-av', { title: w.name }, face(w)))) : null, h('div.xs.soft.any', routes.join(', ')));
}

function traffic(p) {
	const c = counted('provider', p.name);
	if (!c) return h('span.soft', '—');
	return h('div', h('div.n', short(c.requests)), h(`div.xs.${c.errors ? 'badt' : 'soft'}`, `${short(c.errors)} ${t(c.errors === 1 ? 'ERROR' : 'ERRORS')}`));
}

function result() {
	const last = [...store.tests].filter(([, x]) => x.at && !x.running).sort((a, b) => b[1].at - a[1].at).slice(0, 2);
	if (!last.length) return null;
	return h('div.two', last.map(([name, x]) => panel('TEST RESULT', x.ok ? 'check' : 'cross', h('span.xs.soft', `${name} · `, when(x.at)), body(h('div.result',
		gates([['ASK', 'open', name], ['ANSWER', x.ok ? 'open' : 'bad', x.ok ? `${x.ms} ms` : '—'], ['MODELS', x.ok ? 'open' : 'shut', x.ok ? number(x.models) : '—']]),
		h('p', h(`b.pix${x.ok ? '' : '.badt'}`, t(x.ok ? 'CONNECTED' : 'FAILED')), ' ', h('span.soft', x.text)),
		x.sample?.length ? h('p.xs.soft.any', x.sample.slice(0, 8).join(', '), x.models > 8 ? ' …' : '') : null)))));
}

export function draw({ arg, local, redraw }) {
	need('providers', 'aiRoutes', 'sources');
	local.filter ??= arg[0] && !arg[0].startsWith('+') ? arg[0] : '';
	const rows = (all) => {
		const shown = all.filter((p) => matches(local.filter, p.name, p.type, urlOf(p) ?? ''));
		return table('providers', { label: t('AI PROVIDERS'), columns: columns(local, redraw), rows: shown, key: (p) => p.name, detail: (p) => (p.name === local.open ? more(p, local, redraw) : null) });
	};
	return h('div.col', panel('AI PROVIDERS', 'box', [
		filterBox(local.filter, (value) => {
			local.filter = value;
			redraw();
		}),
		listOf('providers').length > 1 && btn('TEST ALL', { s: true, on: () => testAll(listOf('providers').map((p) => p.name)) }),
		h('span', { 'data-new': true }, add())],
	listBody(store.lists.providers, empty('box', 'NO PROVIDERS', 'Add the first one to open the gate.', btn('+ ADD PROVIDER', { k: 'pri', on: () => providerDialog(null) })), () => refresh('providers'), rows, 'FAILED TO LOAD PROVIDERS')), result());
}
