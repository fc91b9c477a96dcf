// What the server says of itself, of requests, and of changes, as the monitor API gives it.
import { get, part } from './api.mjs';
import { h } from './dom.mjs';
import { exact, number, short, t } from './i18n.mjs';
import { icon } from './sprites.mjs';
import { routeName } from './samples.mjs';
import { listOf, need } from './store.mjs';
import { btn, copy, download, empty, failed, filterBox, loading, matches, select, when } from './ui.mjs';

const LINES_MAX = 2000;
const EVERY_MS = 2000;
const LEVELS = { debug: 'b-off', info: 'b-info', warn: 'b-warn', error: 'b-bad' };
const TABS = ['LOG', 'REQUESTS', 'HISTORY'];
const PATHS = { LOG: 'ni_status/logs?limit=500', REQUESTS: 'ni_status/logs?source=access&limit=500', HISTORY: 'ni_status/history?limit=200' };

const rowsIn = (got) => (Array.isArray(got) ? got : (got?.lines ?? got?.logs ?? got?.entries ?? got?.history ?? []));
const timeOf = (x) => x.time ?? x.at ?? x.ts ?? x.timestamp;
const textOf = (x) => x.message ?? x.text ?? x.line ?? '';
const sourceOf = (x) => x.source ?? x.room ?? '';
const idOf = (x, i) => x.id ?? `${timeOf(x)} ${textOf(x)} ${i}`;

// The newest first, and behind them what was seen before and is older.
function merged(fresh, old) {
	const end = fresh.length ? timeOf(fresh.at(-1)) : '';
	return [...fresh, ...(old ?? []).filter((x) => timeOf(x) < end)].slice(0, LINES_MAX);
}

async function load(local, redraw) {
	const tab = local.tab;
	if (local.asking) return;
	local.asking = true;
	try {
		const got = rowsIn(await get(PATHS[tab] + (tab === 'LOG' && local.level ? `&level=${part(local.level)}` : '')));
		if (tab === local.tab) Object.assign(local, { rows: merged(got, local.rows), error: null, absent: false });
	} catch (error) {
		if (tab === local.tab) Object.assign(local, { error, absent: error.status === 404 || error.status === 405 });
	} finally {
		local.asking = false;
	}
	redraw();
}

// As long as it is followed, shown and seen.
function follow(local, redraw) {
	if (local.timer) return;
	local.timer = setInterval(() => {
		if (!document.querySelector('main.m-logs')) {
			clearInterval(local.timer);
			local.timer = 0;
		} else if (local.follow && !document.hidden && !local.absent && !local.paused) {
			load(local, redraw);
		}
	}, EVERY_MS);
}

const modelOf = (x) => (x.upstream_model && x.requested_model && x.upstream_model !== x.requested_model ? `${x.requested_model} → ${x.upstream_model}` : (x.requested_model ?? x.upstream_model ?? '—'));
const msOf = (x) => (x.duration_us === undefined ? null : Math.round(x.duration_us / 1000));

const cells = {
	LOG: (x) => [h('td.soft.nw', { title: exact(timeOf(x)) }, clock(timeOf(x))), h('td', h(`span.badge.${LEVELS[x.level] ?? 'b-off'}`, String(x.level ?? '').toUpperCase())), h('td.soft', sourceOf(x)), h('td.any', textOf(x))],
	REQUESTS: (x) => [h('td.soft.nw', { title: exact(timeOf(x)) }, clock(timeOf(x))), h('td.sm', x.consumer ?? '—'), h('td.sm.any', modelOf(x)), h('td.sm.any', x.route ? routeName(x.route) : '—'), h('td.sm', x.provider ?? '—'), h(`td.r.${x.status >= 400 ? 'badt' : 'n'}`, x.status ?? '—'), h('td.r.nw', msOf(x) === null ? '—' : `${number(msOf(x))} ms`), h('td.r', short(x.total_token))],
	HISTORY: (x) => [h('td.soft.nw', when(timeOf(x))), h('td.sm', x.actor ?? '—'), h('td.any', [x.action ?? x.what, x.target ?? x.name].filter(Boolean).join(' ')), h('td.sm.any', [x.before, x.after].every((v) => v) ? `${brief(x.before)} → ${brief(x.after)}` : brief(x.after ?? x.reason ?? '')), h('td.sm', x.result ?? '')],
};
const HEADS = { LOG: ['TIME', 'LEVEL', 'SOURCE', 'MESSAGE'], REQUESTS: ['TIME', 'CONSUMER', 'MODEL', 'ROUTE', 'PROVIDER', 'STATUS', 'LATENCY', 'TOKENS'], HISTORY: ['TIME', 'ACTOR', 'CHANGE', 'WHAT', 'RESULT'] };
const brief = (v) => (v && typeof v === 'object' ? (v.model ?? v.name ?? JSON.stringify(v).slice(0, 80)) : String(v ?? ''));
const clock = (time) => (time ? new Date(time).toLocaleTimeString('en-GB') + '.' + String(new Date(time).getMilliseconds()).padStart(3, '0') : '—');

// Without the monitor API the changes are still known, from what they left behind.
function fromBackups() {
	return listOf('backups').map((b) => ({ id: b.id, time: b.time, actor: b.actor, action: b.what, after: b.reason, result: b.named ? 'backup' : '' }));
}

function tabs(local, pick) {
	const move = (e) => {
		const by = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
		if (!by) return;
		e.preventDefault();
		pick(TABS[(TABS.indexOf(local.tab) + by + TABS.length) % TABS.length]);
		requestAnimationFrame(() => requestAnimationFrame(() => document.querySelector('.subtabs [aria-selected=true]')?.focus()));
	};
	return h('div.subtabs', { role: 'tablist', 'aria-label': t('LOGS'), onkeydown: move }, TABS.map((x) => h('button', { type: 'button', role: 'tab', id: `tab-${x}`, 'aria-selected': String(x === local.tab), 'aria-controls': 'log-panel', tabindex: x === local.tab ? 0 : -1, onclick: () => pick(x) }, t(x))));
}

export function draw({ local, redraw }) {
	need('backups');
	if (!local.tab) {
		Object.assign(local, { tab: 'LOG', filter: '', level: '', follow: true, rows: null });
		load(local, redraw);
		follow(local, redraw);
	}
	const pick = (tab) => {
		Object.assign(local, { tab, rows: null, error: null, absent: false });
		redraw();
		load(local, redraw);
	};
	const all = local.absent && local.tab === 'HISTORY' ? fromBackups() : (local.rows ?? []);
	const shown = all.filter((x) => (local.tab !== 'LOG' || !local.source || local.source === sourceOf(x)) && matches(local.filter, textOf(x), sourceOf(x), x.consumer ?? '', modelOf(x), x.route ?? '', x.provider ?? '', String(x.status ?? ''), x.actor ?? '', x.action ?? ''));
	const text = () => shown.map((x) => (local.tab === 'LOG' ? [timeOf(x), x.level, sourceOf(x), textOf(x)].filter(Boolean).join(' ') : JSON.stringify(x))).join('\n');
	const content = () => {
		if (local.absent && local.tab !== 'HISTORY') return h('div.empty', icon('scroll', 6, 'var(--ramp-4)'), h('h3', t('NOT AVAILABLE')), h('p.sm', local.error.message), h('p.sm', t('The log is on the standard error of the server, requests are in the file of --access-log.')));
		if (local.error && !local.absent && !local.rows) return failed(local.error, () => load(local, redraw));
		if (local.rows === null && !local.absent) return loading();
		if (!shown.length) return empty('scroll', 'NOTHING HERE', all.length ? 'The filter lets nothing through.' : 'Nothing was written yet.');
		return h('div.tw.win', { tabindex: 0, onscroll: (e) => (local.paused = e.target.scrollTop > 8) }, h(`table.log.of-${local.tab.toLowerCase()}`, h('caption.sr', t(local.tab)), h('thead', h('tr', HEADS[local.tab].map((x) => h('th', { scope: 'col' }, t(x))))), h('tbody', shown.slice(0, LINES_MAX).map((x, i) => h('tr', { key: idOf(x, i) }, cells[local.tab](x))))));
	};
	return h('section.panel.logs', { 'aria-label': t('LOGS') }, tabs(local, pick),
		h('div.logbar', filterBox(local.filter, (value) => {
			local.filter = value;
			redraw();
		}),
		local.tab === 'LOG' ? h('span.field', select([['', `${t('LEVEL')}: ${t('all')}`], 'error', 'warn', 'info', 'debug'], local.level, { 'aria-label': t('LEVEL'), onchange: (e) => {
			Object.assign(local, { level: e.target.value, rows: null });
			load(local, redraw);
		} })) : null,
		local.tab === 'LOG' ? h('span.field', select([['', `${t('SOURCE')}: ${t('all')}`], ...new Set(all.map(sourceOf).filter(Boolean))], local.source ?? '', { 'aria-label': t('SOURCE'), onchange: (e) => {
			local.source = e.target.value;
			redraw();
		} })) : null,
		local.tab === 'HISTORY' ? null : btn('FOLLOW', { s: true, pressed: local.follow, on: () => {
			local.follow = !local.follow;
			redraw();
		} }),
		h('span.grow'), h('span.xs.soft.hide-s', t('{0} of at most {1} lines', number(shown.length), number(LINES_MAX))),
		btn('COPY', { s: true, off: !shown.length, on: () => copy(text()) }), btn('DOWNLOAD', { s: true, off: !shown.length, on: () => download(`sluice-${local.tab.toLowerCase()}.txt`, text(), 'text/plain') })),
		h('div', { role: 'tabpanel', id: 'log-panel', 'aria-labelledby': `tab-${local.tab}` }, content()));
}
