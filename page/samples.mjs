// Counters of /metrics turned into rates: what has happened since this page was opened, at most the last hour of it.
const KEEP_MS = 3600000;
const MINUTE = 60000;

const samples = []; // { at, cpu, rss, open, clients, upstreams, by: Map of "kind\0name" -> [requests, errors, input, output, ms, answers] }
const line = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/;
const label = /([a-z_]+)="((?:[^"\\]|\\.)*)"/g;

function labelsOf(text) {
	const out = {};
	for (const [, name, value] of text.matchAll(label)) out[name] = value.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c));
	return out;
}

export const routeName = (label) => label.replace(/^ai-route-/, '').replace(/(\.fallback)?\.internal$/, '');
export const providerName = (cluster) => /\|\|llm-(.+)\.internal\.(dns|static)$/.exec(cluster)?.[1] ?? (cluster.split('||')[1] ?? cluster).replace(/\.(dns|static)$/, '');

const COLUMN = {
	route_upstream_model_consumer_metric_input_token: 2,
	route_upstream_model_consumer_metric_output_token: 3,
	route_upstream_model_consumer_metric_llm_service_duration: 4,
	route_upstream_model_consumer_metric_llm_duration_count: 5,
};

function count(by, labels, column, value) {
	const names = [
		['total', ''],
		['route', routeName(labels.ai_route ?? 'none')],
		['provider', providerName(labels.ai_cluster ?? 'none')],
		['model', labels.ai_model ?? 'none'],
		['consumer', labels.ai_consumer ?? 'none'],
	];
	for (const [kind, name] of names) {
		const key = `${kind}\0${name}`;
		let row = by.get(key);
		if (!row) by.set(key, (row = [0, 0, 0, 0, 0, 0]));
		row[column] += value;
	}
}

export function parse(text, at = Date.now()) {
	const sample = { at, by: new Map(), gauges: {} };
	for (const each of text.split('\n')) {
		const m = each[0] === '#' ? null : line.exec(each);
		if (!m) continue;
		const [, name, labels, value] = m;
		if (name === 'sluice_requests_total') {
			const l = labelsOf(labels);
			count(sample.by, l, 0, Number(value));
			if (/^[45]xx$/.test(l.code)) count(sample.by, l, 1, Number(value));
		} else if (name in COLUMN) {
			count(sample.by, labelsOf(labels), COLUMN[name], Number(value));
		} else if (name === 'sluice_build_info') {
			sample.version = labelsOf(labels).version;
		} else if (!labels) {
			sample.gauges[name] = Number(value);
		}
	}
	return sample;
}

export function addSample(text) {
	const next = parse(text);
	const last = samples.at(-1);
	// Another process counts from 0.
	if (last && next.gauges.process_start_time_seconds !== last.gauges.process_start_time_seconds) samples.length = 0;
	samples.push(next);
	while (samples.length > 2 && next.at - samples[0].at > KEEP_MS) samples.shift();
}

export const latest = () => samples.at(-1) ?? null;
export const since = () => samples[0]?.at ?? null;
export const gauge = (name) => latest()?.gauges[name] ?? null;

const row = (sample, key) => sample.by.get(key) ?? [0, 0, 0, 0, 0, 0];

// What the server has counted in the last hour by itself: kind -> Map of name -> [[time, requests, errors, input, output, ms]…], and the
// sample that was the last one when it said so. What came since is in the samples.
const hours = new Map();
export function setHour(kind, list) {
	const of = new Map();
	for (const x of list) {
		const name = kind === 'route' ? routeName(x.key || 'none') : x.key || 'none';
		of.set(name, of.has(name) ? of.get(name).map((p, i) => p.map((v, k) => (k && k < 5 ? v + (x.points[i]?.[k] ?? 0) : v))) : x.points);
	}
	hours.set(kind, { of, base: samples.at(-1) ?? null });
}
function ofHour(kind, name) {
	const h = hours.get(kind === 'total' ? 'provider' : kind);
	if (!h || (h.base && !samples.includes(h.base))) return null;
	const points = kind === 'total' ? [...h.of.values()].flat() : (h.of.get(name) ?? []);
	return { points, base: h.base };
}
function countedHour(kind, name) {
	const h = ofHour(kind, name);
	if (!h) return null;
	const sum = (i) => h.points.reduce((n, p) => n + (p[i] ?? 0), 0);
	const last = samples.at(-1);
	const more = h.base && last ? row(last, `${kind}\0${name}`).map((v, i) => v - row(h.base, `${kind}\0${name}`)[i]) : [0, 0, 0, 0];
	return { requests: sum(1) + more[0], errors: sum(2) + more[1], input: sum(3) + more[2], output: sum(4) + more[3], latency: null, ms: KEEP_MS };
}

// What was counted for one name within the last ms: { requests, errors, input, output, latency } or null while nothing is known.
export function counted(kind, name = '', ms = KEEP_MS) {
	const hour = ms === KEEP_MS ? countedHour(kind, name) : null;
	if (hour) return hour;
	if (samples.length < 2) return null;
	const last = samples.at(-1);
	const first = samples.find((each) => last.at - each.at <= ms) ?? samples[0];
	if (first === last) return null;
	const [a, b] = [row(first, `${kind}\0${name}`), row(last, `${kind}\0${name}`)];
	const d = b.map((value, i) => value - a[i]);
	return { requests: d[0], errors: d[1], input: d[2], output: d[3], latency: d[5] ? d[4] / d[5] : null, ms: last.at - first.at };
}

export function perMinute(kind = 'total', name = '') {
	const c = counted(kind, name, MINUTE + 2000);
	return c ? (c.requests * MINUTE) / c.ms : null;
}

export const namesOf = (kind) => [...(latest()?.by.keys() ?? [])].filter((key) => key.startsWith(`${kind}\0`)).map((key) => key.split('\0')[1]);

// n columns over the last ms: per column the difference of `column`, null where there was no sample.
export function series(kind, name, column, n, ms) {
	const out = Array(n).fill(null);
	const hour = ms === KEEP_MS && column < 4 ? ofHour(kind, name) : null;
	if (hour) {
		const end = (samples.at(-1)?.at ?? Date.now()) / 1000;
		for (const p of hour.points) {
			const slot = n - 1 - Math.floor(((end - p[0] - 1) * n * 1000) / ms);
			if (slot >= 0 && slot < n) out[slot] = (out[slot] ?? 0) + (p[column + 1] ?? 0);
		}
		return out;
	}
	if (samples.length < 2) return out;
	const end = samples.at(-1).at;
	for (let i = 1; i < samples.length; i++) {
		const slot = n - 1 - Math.floor(((end - samples[i].at) * n) / ms);
		if (slot < 0) continue;
		const d = row(samples[i], `${kind}\0${name}`)[column] - row(samples[i - 1], `${kind}\0${name}`)[column];
		out[slot] = (out[slot] ?? 0) + d;
	}
	return out;
}

// The same of a gauge, or of a function of two samples.
export function gaugeSeries(of, n, ms) {
	const out = Array(n).fill(null);
	const end = samples.at(-1)?.at;
	for (let i = 1; i < samples.length; i++) {
		const slot = n - 1 - Math.floor(((end - samples[i].at) * n) / ms);
		if (slot >= 0) out[slot] = typeof of === 'string' ? samples[i].gauges[of] : of(samples[i - 1], samples[i]);
	}
	return out;
}

// CPUs in use, from two samples.
export const cpuOf = (a, b) => (b.gauges.process_cpu_seconds_total - a.gauges.process_cpu_seconds_total) / ((b.at - a.at) / 1000);
export function cpuNow() {
	return samples.length < 2 ? null : cpuOf(samples.at(-2), samples.at(-1));
}

// When one name was last seen to do something, as far as this page has watched.
export function lastSeen(kind, name) {
	for (let i = samples.length - 1; i > 0; i--) {
		const key = `${kind}\0${name}`;
		if (row(samples[i], key)[0] > row(samples[i - 1], key)[0]) return samples[i].at;
	}
	return null;
}
