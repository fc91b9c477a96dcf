// Assigns a model to the Manager or to Workers: choose, look at the plan, apply, and see each step come true.
import { change, get, part, post } from './api.mjs';
import { h, put, update } from './dom.mjs';
import { short, t } from './i18n.mjs';
import { avatar } from './sprites.mjs';
import { listOf, refresh, refreshMonitor, store } from './store.mjs';
import { btn, field, gates, input, modal, note, refuse, select, stateLine, tick, toast } from './ui.mjs';

const STEPS = ['TEST', 'ROUTES_STEP', 'CONFIG', 'RELOAD', 'CONFIRMED'];
const APPLY = [['auto', 'When idle'], ['force', 'Now (restarts the container)'], ['files-only', 'Files only']];
const MODEL = /^[^\s"'\\]{1,256}$/;

export const pathOf = (w) => (w.role === 'manager' ? 'ni_status/assignment/manager' : `ni_status/assignment/workers/${part(w.name)}`);

export const assignmentOf = ({ provider, model, contextWindow, maxTokens, reasoning }) => ({ provider, model, contextWindow, maxTokens, reasoning });

// Which of the five steps the answer says were done, by what it holds.
function stepsOf(got, error) {
	if (error) {
		const at = { MODEL_NOT_REACHABLE: 0, ROUTE_CONFLICT: 1, CONFIG_INCOMPLETE: 2, CONFIG_NOT_EDITABLE: 2, CONFIG_BUSY: 2, CONFIG_VERIFY_FAILED: 2 }[error.code] ?? 0;
		return STEPS.map((word, i) => [word, i < at ? 'open' : i === at ? 'bad' : 'shut', null]);
	}
	const pending = got.state === 'pending';
	return [
		['TEST', got.test?.ok === false ? 'bad' : 'open', got.test?.ok === false ? t('not reachable') : got.test?.ms ? `${got.test.ms} ms` : got.test?.skipped ? t('skipped') : 'ok'],
		['ROUTES_STEP', 'open', t(got.routeChanged ? 'changed' : 'unchanged')],
		['CONFIG', 'open', t(got.changed === false ? 'unchanged' : 'written')],
		['RELOAD', got.reload?.ok === false ? 'now' : 'open', got.reload?.method ?? got.applied ?? 'ok'],
		['CONFIRMED', pending ? 'now' : 'open', pending ? t('waits') : 'ok'],
	];
}

// What the monitor API knows of models of a provider, for the suggestions.
async function modelsOf(provider) {
	try {
		const got = await get(`ni_status/models?provider=${part(provider)}`);
		return Array.isArray(got) ? got : (got?.models ?? []);
	} catch {
		return []; // suggestions are no reason to stop anybody
	}
}

function form(list) {
	const one = list[0];
	const a = one.assignment ?? {};
	const providers = listOf('providers').map((p) => [p.name, `${p.name} (${p.type})`]);
	const models = h('datalist', { id: 'model-ids' });
	const f = {
		provider: field('PROVIDER', select(providers, one.provider ?? providers[0]?.[0] ?? '')),
		model: field('MODEL ID', input(one.model ?? '', { list: 'model-ids', placeholder: 'qwen3.5-plus, deepseek-chat' })),
		context: field('CONTEXT WINDOW', input(a.contextWindow ?? 200000, { inputmode: 'numeric' })),
		output: field('MAX TOKENS', input(a.maxTokens ?? 64000, { inputmode: 'numeric' })),
		reasoning: tick('Enable Reasoning', a.reasoning ?? true),
		images: tick('Accepts images', (a.input ?? []).includes('image')),
		bridge: tick('Bridge: until the Worker asks for the new model, serve what it asks for with it (a day at most)', false),
		apply: 'auto',
		models,
	};
	const touched = new Set();
	for (const name of ['context', 'output']) f[name].input.addEventListener('input', () => touched.add(name));
	for (const name of ['reasoning', 'images']) f[name].input.addEventListener('change', () => touched.add(name));
	let known = [];
	const prefill = () => {
		const m = known.find((x) => x.id === f.model.input.value);
		if (!m) return f.model.say(known.length ? t('not in the table: free text is taken') : '');
		if (!touched.has('context') && m.contextWindow) f.context.input.value = m.contextWindow;
		if (!touched.has('output') && m.maxTokens) f.output.input.value = m.maxTokens;
		if (!touched.has('reasoning') && m.reasoning !== undefined) f.reasoning.input.checked = m.reasoning;
		if (!touched.has('images')) f.images.input.checked = (m.input ?? []).includes('image');
		f.model.say(t('filled from the model table'), 'ok');
	};
	const load = async () => {
		known = await modelsOf(f.provider.input.value);
		put(models, known.map((m) => h('option', { value: m.id })));
	};
	f.provider.input.addEventListener('change', load);
	f.model.input.addEventListener('input', prefill);
	load();
	return f;
}

function bodyOf(f) {
	return {
		provider: f.provider.input.value,
		model: f.model.input.value.trim(),
		contextWindow: Number(f.context.input.value),
		maxTokens: Number(f.output.input.value),
		reasoning: f.reasoning.input.checked,
		input: f.images.input.checked ? ['text', 'image'] : ['text'],
		apply: f.apply,
		...(f.bridge.input.checked ? { bridge: true } : {}),
	};
}

function valid(f) {
	if (!f.provider.input.value || !f.model.input.value.trim()) return refuse(f.provider.input.value ? f.model : f.provider, t('PROVIDER AND MODEL REQUIRED'));
	if (!MODEL.test(f.model.input.value.trim())) return refuse(f.model, t('no blanks and no quotes'));
	for (const box of [f.context, f.output]) {
		const n = Number(box.input.value);
		if (!Number.isInteger(n) || n < 1 || n > 1e8) return refuse(box, t('a whole number above 0'));
	}
	return true;
}

// What would be written where, and what the test said.
function planLines(got) {
	const { routes = [], places = [] } = got.plan ?? {};
	const line = (word, value, kind = '') => [h('span.soft', `${t(word).padEnd(8)} `), kind ? h(`span.${kind}`, value) : value, '\n'];
	return h('pre.code.wrap', got.test?.skipped ? null : line('test', got.test?.ok ? `${t('reachable')}, ${got.test.ms} ms` : t('not reachable'), got.test?.ok ? '' : 'chg'),
		line('routes', routes.map((r) => r.name ?? r).join(', ') || t('unchanged')),
		got.changed === false ? line('files', t('unchanged')) : places.map((place) => line('file', place)),
		(got.warnings ?? []).map((w) => line('!', w.message ?? w, 'chg')));
}

export function modelDialog(target) {
	if (store.monitor.state === 'absent') {
		toast(t('SET MODEL FAILED: {0}', t('not available')), t('This server does not manage assignments of models yet.'), true);
		return;
	}
	const list = [target].flat();
	const one = list[0];
	const f = form(list);
	const bar = h('div.big5', { 'aria-live': 'polite' }, gates(STEPS.map((x) => [x, 'shut'])));
	const said = h('div', { 'aria-live': 'polite' });
	let done = false;
	let agreed = false; // that running tasks are stopped

	const explain = (error, where) => note('b-bad', h('div.grow', h('b.pix.badt', where), h('div.sm', error.message), h('div.xs.soft', error.more),
		h('div.xs.soft', error.code === 'ROUTE_CONFLICT' ? btn('USE QUALIFIED ID', { s: true, on: () => save({ onConflict: 'qualify' }) }) : t('Nothing was changed.'))));
	const save = async (more = {}) => {
		if (!valid(f)) return;
		if (f.apply === 'force' && list.some((w) => (w.tasks?.finite ?? 0) > 0 || w.flight > 0) && !agreed) {
			const running = list.reduce((n, w) => n + (w.tasks?.finite ?? 0) + w.flight, 0);
			update(said, note('b-warn', h('div.grow', h('div', t('{0} tasks are running and would be stopped.', running)), btn('APPLY NOW', { s: true, k: 'warn', on: () => {
				agreed = true;
				return save(more);
			} }))));
			return;
		}
		put(said);
		update(bar, gates(STEPS.map((x, i) => [x, i ? 'shut' : 'now'])));
		const results = [];
		for (const w of list) {
			try {
				const headers = w.assignment?.updatedAt ? { 'If-Match': `"${w.assignment.updatedAt}"` } : {};
				const got = await change(pathOf(w), { ...bodyOf(f), ...more }, { headers, ms: 70000 });
				results.push({ w, got });
				update(bar, gates(stepsOf(got)));
			} catch (error) {
				results.push({ w, error });
				update(bar, gates(stepsOf(null, error)));
			}
		}
		finish(results);
	};
	const finish = (results) => {
		refreshMonitor();
		refresh('aiRoutes');
		const bad = results.filter((x) => x.error);
		if (bad.length) {
			if (results.length > 1) return update(said, h('ul.col.gap2', results.map((x) => h('li.row', h('h3', x.w.name), x.error ? h('span.badt', x.error.message) : h('span.n', t(x.got.state === 'pending' ? 'PENDING' : 'APPLIED'))))));
			const meanwhile = bad[0].error.status === 409 && bad[0].error.code === 'CONFLICT';
			if (meanwhile) one.assignment = null; // the next try is meant to win
			return update(said, explain(bad[0].error, t(meanwhile ? 'CHANGED MEANWHILE' : 'SET MODEL FAILED')));
		}
		const pending = results.some((x) => x.got.state === 'pending');
		toast(t(pending ? 'MODEL SET — PENDING' : 'MODEL SET & APPLIED'), `${list.map((w) => w.name).join(', ')} · ${f.model.input.value.trim()}`);
		dialog.clean();
		done = true;
		update(said, note(pending ? 'b-info' : 'b-ok', h('div', results.flatMap((x) => x.got.warnings ?? []).map((w) => h('div.sm', w.message ?? w)), results.some((x) => x.got.verification?.note) ? h('div.sm', t('Answered by the gateway; which provider is unknown.')) : null, h('div.sm', t(pending ? 'It is written, and is in force when the agent reads it.' : 'It is in force.')))));
		setTimeout(() => dialog.el.isConnected && done && dialog.close(), pending ? 2500 : 1200);
	};
	const look = async () => {
		if (!valid(f)) return;
		try {
			update(said, planLines(await change(pathOf(one), { ...bodyOf(f), dryRun: true }, { ms: 70000 })));
		} catch (error) {
			update(said, explain(error, t('TEST FAILED')));
		}
	};

	const who = list.length === 1
		? h('div.row', h('span.who', avatar(one, 4)), h('div', h('h3', one.name), stateLine(one), h('div.xs.soft', one.say)))
		: h('div.row.w', list.map((w) => h('span.row.gap1', avatar(w, 2), w.name)));
	const title = list.length > 1 ? t('SET MODEL: {0} WORKERS', list.length) : one.role === 'manager' ? t('SET MANAGER MODEL') : t('SET WORKER MODEL: {0}', one.name);
	const applying = h('fieldset', h('legend.lbl', t('APPLY')), h('div.col.gap1', APPLY.map(([value, label], i) => {
		const box = tick(label, i === 0, { type: 'radio', name: 'apply' });
		box.input.addEventListener('change', () => (f.apply = value));
		return box;
	})));
	const dialog = modal(title, 'robot', h('div.col', h('div.form2',
		h('div.col.gap3', who, f.provider, f.model, f.models, h('div.two', f.context, f.output), h('div.row.w', f.reasoning, f.images)),
		h('div.col.gap3', list.some((w) => w.role !== 'manager') ? [applying, f.bridge] : null, said)), bar),
	(close) => [btn('TEST', { i: 'bolt', on: look }), h('div.end', btn('CANCEL', { on: () => (done ? close() : dialog.el.dispatchEvent(new Event('cancel', { cancelable: true }))) }), btn('SAVE & APPLY', { k: 'pri', on: () => save() }))], { raw: true });
	return dialog;
}

// What is desired is written once more where something else stands; else the agent is told to read it again.
export async function reapply(w) {
	if (w.chip === 'DRIFTED' || (w.configured && w.configured !== w.model)) await change(pathOf(w), assignmentOf(w.assignment), { ms: 70000 });
	else await post('ni_status/reload', { target: w.role === 'manager' ? 'manager' : `worker:${w.name}` });
	toast(t('RE-APPLIED'), w.name);
	refreshMonitor();
}

export const limits = (a) => (a?.contextWindow ? `${short(a.contextWindow)} / ${short(a.maxTokens)}` : '—');
