// The four numbers of the monitor, with their last hour. What the monitor API measures of the container comes first; without
// it the process is what can be measured. Unknown is a dash, zero is zero.
import { h } from './dom.mjs';
import { short, t } from './i18n.mjs';
import { cpuNow, cpuOf, gauge, gaugeSeries, latest, perMinute, series, since } from './samples.mjs';
import { store } from './store.mjs';
import { meter, spark, when } from './ui.mjs';

const HOUR = 3600000;
const N = 60;
// What the server has kept of the last 5 minutes: [time, CPU, memory, connections, requests a minute] each 5 s.
function kept(column) {
	const rows = store.monitor.load?.details?.series?.slice(-N);
	return rows?.length ? [...Array(N - rows.length).fill(null), ...rows.map((p) => p[column] ?? null)] : null;
}
const bytes = (n) => (n === null || n === undefined ? '—' : n >= 1 << 30 ? `${(n / (1 << 30)).toFixed(1)} GB` : `${Math.round(n / (1 << 20))} MB`);

export function gauges() {
	const load = store.monitor.load;
	const d = load?.details;
	const cpu = cpuNow();
	const rss = gauge('process_resident_memory_bytes');
	const rpm = load?.rpm ?? perMinute();
	const peak = Math.max(...series('total', '', 0, N, HOUR).map((v) => v ?? 0), rpm ?? 0);
	return [
		{ title: 'CPU USAGE', value: load ? load.cpu : cpu === null ? null : cpu * 100, unit: '%', share: (load?.cpu ?? (cpu ?? 0) * 100) / 100,
			sub: d?.cpuCount ? t('{0} CPUs', d.cpuCount) : load ? '' : t('of one CPU, this process'), values: kept(1) ?? gaugeSeries((a, b) => cpuOf(a, b) * 100, N, HOUR / 12), colour: 'var(--ramp-5)' },
		{ title: 'MEMORY', value: load ? load.memory : rss === null ? null : Math.round(rss / (1 << 20)), unit: load ? '%' : 'MB', share: load?.memory !== undefined && load.memory !== null ? load.memory / 100 : undefined,
			sub: d?.memoryLimitBytes ? t('of {0}', bytes(d.memoryLimitBytes)) : load ? '' : t('this process'), values: kept(2) ?? gaugeSeries('process_resident_memory_bytes', N, HOUR / 12), colour: 'var(--ramp-5)' },
		{ title: 'REQUESTS/MIN', value: rpm, unit: '', share: peak ? (rpm ?? 0) / peak : 0, sub: t('peak {0}', short(peak)), values: kept(4) ?? series('total', '', 0, N, HOUR / 12), colour: 'var(--water-3)' },
		{ title: 'ACTIVE CONN', value: load?.connections ?? gauge('sluice_connections_open'), unit: '', sub: t('{0} upstream', short(d?.upstreamConnections ?? gauge('sluice_upstream_connections_open'))), values: kept(3) ?? gaugeSeries('sluice_connections_open', N, HOUR / 12), colour: 'var(--water-3)' },
	];
}

const colour = (share) => (share > 0.9 ? 'var(--danger-text)' : share > 0.75 ? 'var(--warning-text)' : null);

export function metricCards(small) {
	return gauges().map((g) => {
		const value = h('span.num', g.value === null || g.value === undefined ? '—' : short(g.value), g.unit && typeof g.value === 'number' ? h('small', g.unit) : null);
		if (small) return h('div.metric', h('span.lbl', t(g.title)), h('div.row', value, h('span.grow'), spark(g.values, 10, g.colour)));
		return h('div.panel.mcard', h('span.lbl', t(g.title)), h('div.row', value, h('span.grow'), h('span.xs.soft', g.sub)), g.share === undefined ? h('div.meter-gap') : meter(Math.min(1, g.share), t(g.title), 20, g.title === 'REQUESTS/MIN' ? null : colour(g.share)), spark(g.values, 12, g.colour));
	});
}
export const watched = () => (since() ? h('span.xs.soft', t('counted since '), when(since())) : null);
export { bytes, latest };
