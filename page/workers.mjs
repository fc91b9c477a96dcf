// The Manager and the Workers as the monitor API knows them; without it, as far as consumers and counters tell, which is
// that they exist and when they last did something. Then their state is unknown, and says so.
import { t } from './i18n.mjs';
import { counted, lastSeen } from './samples.mjs';
import { listOf, store } from './store.mjs';

const BUSY_MS = 20000;
const ORDER = ['busy', 'starting', 'idle', 'sleeping', 'offline', 'unknown'];
const stateOf = (w) => (w.transition === 'starting' ? 'starting' : w.reason === 'no_signal' ? 'unknown' : ORDER.includes(w.state) ? w.state : 'unknown');
export const consumerOf = (w) => (w.role === 'manager' ? 'manager' : `worker-${w.name}`);

// What HiClaw's evidence says, in words.
const REASONS = {
	request_in_flight: 'a request is under way',
	recent_request: 'has just asked',
	requests: 'asks now and then',
	no_requests: 'asks for nothing',
	running: 'container ready, no task',
	asleep: 'put to sleep',
	remote: 'runs elsewhere',
	no_signal: 'nothing is heard of it',
	container_stopped: 'container stopped',
	not_found: 'container not found',
	failed: 'its start has failed',
	task: 'a task is running',
	task_lease: 'a task is being worked on',
	config_lost: 'its configuration cannot be read',
};

function words(w) {
	if (w.inFlight > 0) return w.inFlight === 1 ? t('1 request in flight') : t('{0} requests in flight', w.inFlight);
	if (w.reason) return REASONS[w.reason] ? t(REASONS[w.reason]) : w.reason.replaceAll('_', ' ');
	return '';
}

function merge(name, role, w, a) {
	const consumer = role === 'manager' ? 'manager' : `worker-${name}`;
	const seen = counted('consumer', consumer);
	const assignment = w?.assignment ?? a ?? null;
	const managed = assignment && assignment.model && assignment.model !== 'default';
	const state = w ? stateOf(w) : 'unknown';
	const last = w?.lastRequestAt ?? lastSeen('consumer', consumer);
	return {
		...w, name, role, state, last,
		say: w ? words(w) : last ? t('last seen to ask') : store.monitor.state === 'absent' ? t('state not available') : t('not heard of yet'),
		flight: w?.inFlight ?? 0,
		requests: w?.requests1h ?? seen?.requests ?? null,
		tokens: w?.tokens1h ?? (seen ? seen.input + seen.output : null),
		errors: w?.errors1h ?? seen?.errors ?? null,
		assignment,
		provider: managed ? assignment.provider : null,
		model: managed ? assignment.model : (assignment?.configured?.model ?? null),
		configured: assignment?.configured?.model ?? null,
		observed: assignment?.observed?.model ?? null,
		chip: (assignment?.state ?? 'unmanaged').toUpperCase(),
	};
}

export function workers() {
	const m = store.monitor;
	const of = m.assignment?.workers ?? {};
	const known = new Map((m.workers ?? []).map((w) => [w.name, w]));
	const names = new Set([...known.keys(), ...Object.keys(of), ...listOf('consumers').filter((c) => c.name.startsWith('worker-')).map((c) => c.name.slice('worker-'.length))]);
	return [...names].map((name) => merge(name, null, known.get(name), of[name]))
		.sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || (a.name < b.name ? -1 : 1));
}

export function manager() {
	const m = store.monitor;
	const of = m.assignment?.manager;
	const s = m.status?.manager;
	const has = (of?.model && of.model !== 'default') || (s && s.state !== 'absent') || listOf('consumers').some((c) => c.name === 'manager');
	return has ? merge('manager', 'manager', s ? managerState(s) : null, of) : null;
}

// Of the Manager nothing is known but its requests and whether its configuration can be read.
function managerState(s) {
	if (['offline', 'down'].includes(s.state)) return { state: 'offline', reason: 'config_lost' };
	if (counted('consumer', 'manager', BUSY_MS)?.requests > 0) return { state: 'busy', reason: 'recent_request' };
	const asked = counted('consumer', 'manager')?.requests > 0;
	return { state: asked || ['idle', 'ok'].includes(s.state) ? 'idle' : 'unknown', reason: asked ? 'requests' : s.state === 'absent' ? 'no_signal' : 'no_requests' };
}

// What who there is rests on: the monitor API, or the list of consumers.
export const crew = () => (store.monitor.state === 'there' ? { data: [], error: null } : store.lists.consumers);
export const targets = () => [manager(), ...workers()].filter(Boolean);
