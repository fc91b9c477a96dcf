// What the page knows, when it came to know it, and whether it still hears from the server. Screens read it and are told
// of news; nothing in it is invented: what is not known is null.
import { ApiError, address, get } from './api.mjs';
import { addSample, setHour } from './samples.mjs';

const LISTS = {
	providers: 'v1/ai/providers',
	aiRoutes: 'v1/ai/routes',
	routes: 'v1/routes',
	consumers: 'v1/consumers',
	domains: 'v1/domains',
	sources: 'v1/service-sources',
	mcp: 'v1/mcpServer',
	services: 'v1/services',
	certificates: 'v1/tls-certificates',
	backups: 'ni_status/backups',
};
// The same for who is no administrator, as far as the monitor API tells: the path, and where the list is in the answer.
const LIMITED = {
	providers: ['ni_status/providers', 'providers'],
	aiRoutes: ['ni_status/route?all=1', 'routes'],
};
const METRICS_MS = 5000;
const LISTS_MS = 60000;
const WORKERS_MS = 10000;
const HOUR_MS = 60000;
const STALE_MS = 10000;
const BACKOFF_MAX_MS = 60000;
const ROUND_MS = 1000;

export const store = {
	user: null, // { name, limited }: limited is the Manager, by its key
	info: null,
	lists: Object.fromEntries(Object.keys(LISTS).map((name) => [name, { data: null, at: 0, error: null }])),
	metrics: { at: 0, error: null },
	// The monitor API: 'asking', 'absent' or 'there'.
	monitor: { state: 'asking', status: null, workers: null, assignment: null, load: null, error: null, at: 0 },
	connection: { state: 'POLLING', lastAt: 0, lostAt: 0, retryAt: 0 },
	tests: new Map(), // provider -> what its last test said, { at, ok, text, ms, models }
};

const listeners = new Set();
let told = false;
export const onNews = (fn) => listeners.add(fn);
export function tell() {
	if (told) return;
	told = true;
	requestAnimationFrame(() => {
		told = false;
		for (const fn of listeners) fn();
	});
}

/* --- connection ------------------------------------------------------------------------------------ */

let events = null;
let failures = 0; // rounds of them: several calls fail at once
let failedAt = 0;

function heard() {
	failures = 0;
	const wasLost = store.connection.lostAt !== 0;
	Object.assign(store.connection, { lastAt: Date.now(), lostAt: 0, state: events?.readyState === 1 ? 'LIVE' : 'POLLING' });
	if (wasLost) askNow();
}

function lost() {
	if (Date.now() - failedAt > ROUND_MS) failures++;
	failedAt = Date.now();
	if (!store.connection.lostAt) store.connection.lostAt = Date.now();
	store.connection.state = 'OFFLINE';
}

export const isStale = () => store.connection.lostAt !== 0 && Date.now() - store.connection.lostAt >= STALE_MS;

async function guarded(work) {
	try {
		const got = await work();
		heard();
		return got;
	} catch (error) {
		if (error instanceof ApiError && error.status === 0) lost();
		else heard();
		throw error;
	} finally {
		tell();
	}
}

/* --- lists ------------------------------------------------------------------------------------------ */

const wanted = new Set();

// One that the store has made has not counted what is in it.
const slotOf = (b) => ({ ...b, time: b.createdAt, named: !b.auto, objects: b.counts ? Object.values(b.counts).reduce((sum, n) => sum + (Number(n) || 0), 0) : null });

// What the server last heard of a provider, unless this page has asked since.
const TEST_MS = 30000;
function heardOf({ name, lastTest }) {
	const own = store.tests.get(name);
	const at = lastTest ? Date.parse(lastTest.at) : 0;
	if (!at || own?.running || (own && at < own.at + TEST_MS)) return;
	store.tests.set(name, { at, ok: lastTest.ok, running: false, ms: lastTest.ms, sample: [], text: lastTest.ok ? `${lastTest.ms} ms` : lastTest.error });
}

async function ask(name) {
	if (name === 'providers') get('ni_status/providers').then((got) => got.providers.forEach(heardOf)).catch(() => {}); // tests are none of the list
	if (!store.user?.limited) return name === 'backups' ? (await get(LISTS[name])).backups.map(slotOf) : get(LISTS[name]);
	const [path, member] = LIMITED[name] ?? [];
	return path ? (await get(path))[member] : [];
}

export async function refresh(...names) {
	await Promise.all(names.map(async (name) => {
		const list = store.lists[name];
		try {
			list.data = await guarded(() => ask(name));
			list.at = Date.now();
			list.error = null;
		} catch (error) {
			list.error = error;
		}
	}));
	tell();
}

// What a screen shows: read now unless it is fresh, and again from time to time.
export function need(...names) {
	const old = names.filter((name) => !store.lists[name].at || (!document.hidden && Date.now() - store.lists[name].at > LISTS_MS / 4)); // all is asked for when a tab is seen again
	wanted.clear();
	for (const name of names) wanted.add(name);
	const due = old.filter((name) => !store.lists[name].asking);
	for (const name of due) store.lists[name].asking = true;
	if (due.length) refresh(...due).finally(() => due.forEach((name) => (store.lists[name].asking = false)));
}

export const isAdmin = () => !store.user?.limited;
export const listOf = (name) => store.lists[name].data ?? [];

/* --- the monitor API ---------------------------------------------------------------------------------- */

// Each part may be missing: what is there is shown.
export async function refreshMonitor() {
	const m = store.monitor;
	const parts = ['status', 'workers', 'assignment', 'metrics?detail=1'];
	const askAll = async () => {
		const all = await Promise.allSettled(parts.map((name) => get(`ni_status/${name}`)));
		if (all.every((x) => x.reason?.status === 0)) throw all[0].reason;
		return all;
	};
	let got;
	try {
		got = await guarded(askAll);
	} catch (error) {
		m.error = error;
		return;
	}
	const [status, workers, assignment, load] = got.map((x) => (x.status === 'fulfilled' ? x.value : null));
	if (workers || assignment) {
		Object.assign(m, { state: 'there', status, workers: workers?.workers ?? [], assignment, load, error: null, at: Date.now() });
		if (!events) {
			listen();
			refreshHour();
		}
	} else {
		m.error = got[1].reason;
		if (got.every((x) => [404, 405, 501].includes(x.reason?.status))) m.state = 'absent';
	}
	tell();
}

// The last hour as the server has counted it, by what the screens show of it.
async function refreshHour() {
	const to = Math.floor(Date.now() / 1000);
	await Promise.all(['provider', 'route', 'consumer'].map(async (by) => {
		const got = await get(`ni_status/usage?from=${to - 3600}&to=${to}&step=60&by=${by}`).catch(() => null);
		if (got?.series) setHour(by, got.series);
	}));
	tell();
}

function listen() {
	events = new EventSource(address('ni_status/events'));
	events.onopen = heard;
	events.onerror = () => {
		store.connection.state = 'POLLING';
		tell();
	};
	events.addEventListener('metrics', (e) => {
		heard();
		store.monitor.load = { ...store.monitor.load, ...JSON.parse(e.data) };
		store.monitor.at = Date.now();
		tell();
	});
	const lists = { provider: ['providers'], route: ['aiRoutes', 'routes'], backup: ['backups'] };
	for (const [name, of] of Object.entries(lists)) events.addEventListener(name, () => document.hidden || refresh(...of)); // all is asked for when it is seen again
	for (const name of ['worker', 'assignment']) events.addEventListener(name, () => document.hidden || soon(refreshMonitor));
}

let planned = 0;
function soon(work) {
	clearTimeout(planned);
	planned = setTimeout(work, 300);
}

/* --- the clock ------------------------------------------------------------------------------------------ */

export async function refreshMetrics() {
	try {
		addSample(await guarded(() => get('metrics', { text: true, ms: 10000 })));
		store.metrics = { at: Date.now(), error: null };
	} catch (error) {
		store.metrics.error = error;
	}
	tell();
}

const jobs = [
	{ every: METRICS_MS, work: refreshMetrics, next: 0 },
	{ every: LISTS_MS, work: () => refresh(...wanted), next: LISTS_MS },
	{ every: WORKERS_MS, work: () => (store.monitor.state === 'there' ? refreshMonitor() : null), next: WORKERS_MS },
	{ every: HOUR_MS, work: () => (store.monitor.state === 'there' ? refreshHour() : null), next: HOUR_MS },
	{ every: 5 * LISTS_MS, work: () => (store.monitor.state === 'there' ? null : refreshMonitor()), next: 5 * LISTS_MS },
];

function askNow() {
	for (const job of jobs) job.next = 0;
}

function tick() {
	if (document.hidden) return;
	const now = performance.now();
	for (const job of jobs) {
		if (now < job.next || job.busy) continue;
		job.busy = true;
		Promise.resolve(job.work()).finally(() => {
			job.busy = false;
			const wait = Math.min(job.every * 2 ** Math.min(failures, 5), Math.max(BACKOFF_MAX_MS, job.every));
			job.next = performance.now() + (failures ? Math.min(wait, BACKOFF_MAX_MS) : job.every);
			store.connection.retryAt = Date.now() + Math.min(...jobs.map((each) => each.next)) - performance.now();
		});
	}
	if (store.connection.lostAt) tell(); // its age is shown
}

let started = false;
export function start() {
	refreshMonitor();
	if (started) return;
	started = true;
	setInterval(tick, 1000);
	tick();
	document.addEventListener('visibilitychange', () => {
		if (document.hidden) return;
		askNow();
		tick();
	});
	addEventListener('online', askNow);
}

// Whether the server has answered.
export async function refreshAll() {
	await Promise.all([refresh(...new Set([...wanted, 'providers', 'aiRoutes', 'consumers', 'backups'])), refreshMetrics(), refreshMonitor()]);
	return store.connection.lostAt === 0;
}
