import { get, part, post } from './api.mjs';
import { h } from './dom.mjs';
import { short, t } from './i18n.mjs';
import { bytes, metricCards, watched } from './gauges.mjs';
import { counted, gauge, namesOf, series } from './samples.mjs';
import { isAdmin, need, refreshMonitor, refreshMetrics, store } from './store.mjs';
import { badge, body, btn, chart, complain, download, empty, face, note, panel, pending, sayRefreshed, stateLine, table, toast, when } from './ui.mjs';
import { crew, targets } from './workers.mjs';

const MINUTE = 60000;
const RANGES = [['5 min', 5 * MINUTE, 60], ['1 h', 60 * MINUTE, 60], ['24 h', 1440 * MINUTE, 96], ['7 d', 7 * 1440 * MINUTE, 84], ['30 d', 30 * 1440 * MINUTE, 90]];
const SPLITS = ['provider', 'model', 'consumer', 'route'];
const COLOURS = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6'];
const SHOWN = 6;
const LATENCY = 5; // the column of a point of usage; of no requests there is none

// The server's own record where there is one; without it what this page has counted since it was opened.
async function load(local, redraw) {
	const [, ms, n] = RANGES[local.range];
	const to = Math.floor(Date.now() / 1000);
	const step = Math.max(60, Math.round(ms / 1000 / n));
	const columns = Math.max(1, Math.round(ms / 1000 / step));
	const wanted = `${local.range} ${local.split}`;
	try {
		const got = await get(`ni_status/usage?from=${to - Math.round(ms / 1000)}&to=${to}&step=${step}&by=${local.split}`);
		if (wanted === `${local.range} ${local.split}`) local.usage = { wanted, got, to, step, n: columns };
	} catch {
		local.usage = { wanted, got: null };
	}
	redraw();
}

function fromUsage(u, column, scale = 1) {
	const first = u.to - u.step * u.n;
	return (u.got.series ?? []).map((x) => {
		const values = Array(u.n).fill(null);
		for (const p of x.points) {
			const slot = Math.floor((p[0] - first) / u.step);
			if (slot >= 0 && slot < u.n) values[slot] = column === LATENCY && !p[1] ? values[slot] : (values[slot] ?? 0) + (p[column] ?? 0) * scale;
		}
		return { name: x.key || t('none'), values };
	});
}

function fromPage(local, columns) {
	const [, ms, n] = RANGES[local.range];
	return namesOf(local.split).map((name) => ({ name, values: columns.map((c) => series(local.split, name, c, n, ms)).reduce((a, b) => a.map((v, i) => (v === null && b[i] === null ? null : (v ?? 0) + (b[i] ?? 0)))) }));
}

function ranked(all) {
	const sum = (x) => x.values.reduce((a, b) => a + (b ?? 0), 0);
	const sorted = all.map((x) => ({ ...x, sum: sum(x) })).sort((a, b) => b.sum - a.sum);
	const shown = sorted.slice(0, SHOWN - 1);
	const rest = sorted.slice(SHOWN - 1);
	if (rest.length > 1) shown.push({ name: t('{0} others', rest.length), values: rest[0].values.map((_, i) => rest.reduce((a, x) => (x.values[i] === null ? a : (a ?? 0) + x.values[i]), null)) });
	else shown.push(...rest);
	return shown.map((x, i) => ({ ...x, c: COLOURS[i] }));
}

// One name has one colour and one place in all charts: those of its requests.
function painter(requests) {
	const own = new Map(requests.map((x) => [x.name, x.c]));
	return (list) => {
		const free = COLOURS.filter((c) => !list.some((x) => own.get(x.name) === c));
		return list.map((x) => ({ ...x, c: own.get(x.name) ?? free.shift() })).sort((a, b) => COLOURS.indexOf(a.c) - COLOURS.indexOf(b.c));
	};
}

// What has come of what is asked for now; not what was shown before.
const usageOf = (local) => (local.usage?.got && local.usage.wanted === `${local.range} ${local.split}` ? local.usage : null);

// The server keeps minutes: of five there are five columns, not more.
function labelsOf(local) {
	const [, ms, wanted] = RANGES[local.range];
	const n = usageOf(local)?.n ?? wanted;
	const long = ms > 1440 * MINUTE;
	const format = new Intl.DateTimeFormat(document.documentElement.lang, long ? { month: '2-digit', day: '2-digit' } : { hour: '2-digit', minute: '2-digit', hour12: false, ...(ms <= 5 * MINUTE ? { second: '2-digit' } : {}) });
	return Array.from({ length: n }, (_, i) => format.format(new Date(Date.now() - ms + ((i + 1) * ms) / n)));
}

function latency(local) {
	const [, ms, n] = RANGES[local.range];
	const u = usageOf(local) ? fromUsage(usageOf(local), LATENCY) : null;
	if (u?.length) return ranked(u).map((x) => ({ ...x, line: true }));
	const sums = series('total', '', 4, n, ms);
	const counts = series('total', '', 5, n, ms);
	return [{ name: t('mean'), c: 'c2', line: true, values: sums.map((v, i) => (counts[i] ? v / counts[i] : null)) }];
}

function csv(local, sets, labels) {
	const cell = (x) => `"${String(x).replaceAll('"', '""').replace(/^[=+\-@]/, "'$&")}"`;
	const lines = [['time', 'what', 'name', 'value'].map(cell).join()];
	for (const [what, all] of Object.entries(sets)) for (const x of all) x.values.forEach((v, i) => v !== null && lines.push([labels[i], what, x.name, v].map(cell).join()));
	download('sluice-usage.csv', lines.join('\r\n'), 'text/csv');
}

const wake = (w, what) => async () => {
	try {
		await post(`ni_status/workers/${part(w.name)}/${what}`);
		toast(t(what === 'wake' ? 'WAKING {0}' : 'PUTTING {0} TO SLEEP', w.name));
		refreshMonitor();
	} catch (error) {
		complain(t(what === 'wake' ? 'WAKE' : 'SLEEP'), error);
	}
};

function wakeOrSleep(w, controlled) {
	const wakes = w.state === 'sleeping' || w.state === 'offline';
	const word = wakes ? 'WAKE' : 'SLEEP';
	return h('div.row.acts', btn(word, { s: true, off: !controlled, tip: controlled ? undefined : t('No controller is attached.'), aria: `${t(word)} ${w.name}`, on: wake(w, wakes ? 'wake' : 'sleep') }));
}

// What is known of where it runs and of what it has to do.
function aboutOf(w) {
	const tasks = (w.tasks?.finite ?? 0) + (w.tasks?.infinite ?? 0);
	const one = (label, value) => (value ? `${t(label)} ${value}` : null);
	return [one('container', w.container?.state ?? w.container), one('phase', w.phase), one('tasks', tasks), one('team', w.team)].filter(Boolean).join(' · ');
}

function details() {
	const all = targets();
	const controlled = store.monitor.status?.attachments?.controller && store.monitor.status.attachments.controller.state !== 'absent';
	const columns = [
		{ title: 'WORKER', sort: (w) => w.name, cell: (w) => h('div.row', face(w), h('h3', w.name)) },
		{ title: 'STATE', sort: (w) => w.state, cell: stateLine },
		{ title: 'EVIDENCE', cell: (w) => h('div', h('span.sm.soft', w.say, w.last ? [' · ', when(w.last)] : ''), h('div.xs.soft.any', aboutOf(w)), w.authorized === false ? badge('NOT AUTHORIZED', 'b-bad') : null) },
		{ title: 'MODEL', cell: (w) => h('span.sm', w.observed ?? w.model ?? '—') },
		{ title: 'REQUESTS 1 H', end: true, sort: (w) => w.requests ?? -1, cell: (w) => h('span.n', short(w.requests)) },
		{ title: 'ERRORS', end: true, sort: (w) => w.errors ?? -1, cell: (w) => h(w.errors ? 'span.badt' : 'span.soft', short(w.errors)) },
		{ title: 'TOKENS', end: true, sort: (w) => w.tokens ?? -1, cell: (w) => h('span.n', short(w.tokens)) },
		{ title: '', end: true, cell: (w) => (w.role || !isAdmin() ? null : wakeOrSleep(w, controlled)) },
	];
	return panel('WORKER DETAILS', 'user', null, all.length ? table('worker-details', { label: t('WORKER DETAILS'), columns, rows: all, key: (w) => w.name }) : pending([crew()], refreshMonitor) ?? empty('user', 'NO WORKERS', 'Workers are consumers named worker-NAME; HiClaw makes them.'));
}

function facts() {
	const d = store.monitor.load?.details;
	const hour = counted('total');
	const rows = [
		['IN FLIGHT', short(d?.inFlight ?? gauge('sluice_exchanges_open'))],
		['ERROR RATE', d?.errorRate !== undefined ? `${(d.errorRate * 100).toFixed(1)} %` : hour?.requests ? `${((hour.errors / hour.requests) * 100).toFixed(1)} %` : '—'],
		['TOKENS', hour ? short(hour.input + hour.output) : '—'],
		['UPSTREAM', short(d?.upstreamConnections ?? gauge('sluice_upstream_connections_open'))],
		['PROCESS MEMORY', bytes(d?.processRssBytes ?? gauge('process_resident_memory_bytes'))],
		['BROKEN FILES', short(gauge('sluice_files_kept_bad'))],
	];
	return h('dl.facts.panel', rows.map(([k, v]) => h('div', h('dt.lbl', t(k)), h('dd.pix', v))));
}

// What is shown is not of now, or is not there at all.
function unavailable() {
	const { error, at } = store.monitor.load ? store.monitor : store.metrics;
	return error && note('b-bad', h('div', h('b', t('MONITOR DATA UNAVAILABLE')), ' ', h('span.sm', error.message), at ? [' · ', when(at)] : null));
}

export function draw({ local, redraw }) {
	need('consumers', 'providers', 'aiRoutes');
	local.range ??= 0;
	local.split ??= 'provider';
	if (local.usage?.wanted !== `${local.range} ${local.split}` && !local.asking) {
		local.asking = true;
		load(local, redraw).finally(() => (local.asking = false));
	}
	const labels = labelsOf(local);
	const of = (columns) => ranked(usageOf(local) ? columns.map((c) => fromUsage(usageOf(local), c)).reduce((a, b) => a.map((x, i) => ({ ...x, values: x.values.map((v, k) => (v === null ? null : v + (b[i]?.values[k] ?? 0))) }))) : fromPage(local, columns));
	const u = usageOf(local) ? { requests: of([1]), errors: of([2]), tokens: of([3, 4]) } : { requests: of([0]), errors: of([1]), tokens: of([2, 3]) };
	const painted = painter(u.requests);
	for (const key of ['errors', 'tokens']) u[key] = painted(u[key]);
	const ms = painted(latency(local));
	const own = local.usage && !local.usage.got;
	const set = (key, value) => () => {
		local[key] = value;
		redraw();
	};
	const box = (id, title, ic, sub, list, rows, unit) => panel(title, ic, h('span.xs.soft', t(sub)), body(list.some((x) => x.values.some((v) => v)) ? chart(`${id} ${local.range}`, { title: t(title), series: list, labels, rows, unit }) : h('p.soft.nothing', t('Nothing in this time.'))));
	return h('div.col', h('div.row.w.mhead', h('h2.grow.nw', t('PILOT-AGENT MONITOR')),
		h('div.seg', { role: 'group', 'aria-label': t('TIME') }, RANGES.map(([label], i) => btn(label, { s: true, raw: true, pressed: local.range === i, off: own && i > 1, tip: own && i > 1 ? t('This server keeps no usage yet.') : undefined, on: set('range', i) }))),
		h('div.seg', { role: 'group', 'aria-label': t('SPLIT') }, SPLITS.map((x) => btn(x.toUpperCase(), { s: true, pressed: local.split === x, on: set('split', x) }))),
		btn('CSV', { s: true, on: () => csv(local, { ...u, latency: ms }, labels) }),
		btn('REFRESH', { s: true, i: 'reset', on: () => Promise.all([refreshMetrics(), refreshMonitor(), load(local, redraw)]).then(() => sayRefreshed(store.connection.lostAt === 0)) })),
	own ? h('p', watched()) : null,
	unavailable(), h('div.mcards', metricCards(false)), facts(),
	h('div.charts', box('requests', 'REQUESTS', 'chart', `requests, by ${local.split}`, u.requests, 26), box('latency', 'LATENCY', 'clock', 'from request to end', ms, 26, ' ms')),
	h('div.charts', box('tokens', 'TOKENS', 'bolt', `tokens, by ${local.split}`, u.tokens, 12), box('errors', 'ERRORS', 'warn', `errors, by ${local.split}`, u.errors, 12)),
	details());
}
