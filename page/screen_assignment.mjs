// Which model each agent is meant to use, is configured for, and has used last: one strip that breaks where they differ.
import { get, part, change } from './api.mjs';
import { h } from './dom.mjs';
import { t } from './i18n.mjs';
import { assignmentOf, limits, modelDialog, pathOf, reapply } from './model_dialog.mjs';
import { icon } from './sprites.mjs';
import { isAdmin, listOf, need, refreshAll, refreshMonitor, store } from './store.mjs';
import { badge, btn, chip, complain, empty, face, filterBox, matches, note, panel, pending, stateLine, table, toast, when } from './ui.mjs';
import { consumerOf, crew, targets } from './workers.mjs';

function chain(w) {
	const values = [w.model, w.configured, w.observed].map((v) => v ?? '—');
	const runs = [];
	values.forEach((v) => {
		const last = runs.at(-1);
		if (last?.v === v) last.n++;
		else runs.push({ v, n: 1 });
	});
	const words = ['DESIRED', 'STORED', 'EFFECTIVE'].map((word, i) => `${t(word)}: ${values[i]}`).join(', ');
	return h('div.chain', { role: 'img', 'aria-label': words }, runs.map((r, k) => [
		k ? h('span.joint', r.v === '—' || runs[k - 1].v === '—' ? null : icon('brk', 1)) : null,
		h(`span.cell.${r.v === '—' ? 'unk' : k && runs[k - 1].v !== '—' ? 'diff' : 'same'}`, { style: { 'grid-column': `span ${r.n * 2 - 1}` }, title: r.v }, h('span.cut', r.v), r.v !== '—' && Array.from({ length: r.n - 1 }, (_, q) => h('i', { style: { left: `calc(${((q + 1) * 100) / r.n}% - .5rem)` }, title: t('all agree') }))),
	]));
}

async function revert(w, a) {
	try {
		await change(pathOf(w), assignmentOf(a), { ms: 70000 });
		toast(t('MODEL SET & APPLIED'), `${w.name} · ${a.model}`);
	} catch (error) {
		complain(t('SET MODEL FAILED'), error);
	}
	refreshMonitor();
}

// What stands in the file becomes what is desired, of the provider that a request for it goes to.
async function adopt(w) {
	const got = await get(`ni_status/route?explain=${part(w.configured)}&consumer=${part(consumerOf(w))}`).catch(() => null);
	await revert(w, { ...w.assignment, provider: got?.explain?.provider || w.assignment.provider, model: w.configured });
}

function history(w, local, redraw) {
	if (!local.history || local.historyOf !== w.name) {
		local.historyOf = w.name;
		local.history = [];
		get(`ni_status/history?target=${part(w.role === 'manager' ? 'manager' : `worker:${w.name}`)}&limit=5`).then((got) => {
			local.history = Array.isArray(got) ? got : (got?.history ?? got?.entries ?? []);
			redraw();
		}, () => {});
	}
	return local.history.length ? h('ul.hist', local.history.map((e) => h('li.row', when(e.time ?? e.at), h('span.grow.cut', `${e.before?.model ?? '—'} → ${e.after?.model ?? '—'}`), h('span.soft', e.actor ?? ''), e.before?.model && btn('REVERT TO THIS', { s: true, on: () => revert(w, e.before) })))) : null;
}

function details(w, local, redraw) {
	const a = w.assignment;
	const fact = (label, value, sub, bad) => h('div', h('span.lbl', t(label)), h(`div.big${bad ? '.chg' : ''}`, value ?? '—'), h('div.xs.soft', sub));
	return h('div.col.gap3', h('div.three',
		fact('DESIRED', w.model, a?.updatedAt ? [when(a.updatedAt), ` · ${limits(a)}`, a.reasoning ? ` · ${t('reasoning')}` : ''] : t('nobody has asked for one')),
		fact('STORED', w.configured, t('what the agent will read'), w.model && w.configured && w.configured !== w.model),
		fact('EFFECTIVE', w.observed, a?.observed?.at ? when(a.observed.at) : t('no request seen'), w.model && w.observed && w.observed !== w.model),
		h('div.acts2', w.model && btn('RE-APPLY', { s: true, k: w.chip === 'DRIFTED' ? 'pri' : undefined, on: () => reapply(w).catch((e) => complain(t('SET MODEL FAILED'), e)) }),
			w.chip === 'DRIFTED' && w.configured ? btn('ADOPT', { s: true, on: () => adopt(w) }) : null)),
	a?.bridge ? note('b-info', h('div', t('Bridge: requests for {0} are served with {1}, at the latest until {2}.', a.bridge.from, a.bridge.to ?? w.model, a.bridge.until))) : null,
	a?.synced === false ? note('b-warn', h('div', t('Not yet in the storage'))) : null,
	(a?.warnings ?? []).map((x) => note('b-warn', h('div', x.message ?? x))), history(w, local, redraw));
}

// What a state is owed to; where there is nothing to say, since when.
function why(w) {
	const a = w.assignment;
	const text = w.chip === 'DRIFTED' && w.configured ? t('config says {0}', w.configured) : w.chip === 'PENDING' ? t(a?.applied === 'when-idle' ? 'waits until idle' : 'waits for a request') : w.chip === 'FAILED' ? a?.reason : '';
	return h('div.xs.soft.why.cut', { title: text || null }, text || (a?.updatedAt ? when(a.updatedAt) : ''));
}

function columns(local, redraw) {
	const chosen = (local.chosen ??= new Set());
	return [
		{ title: 'TARGET', sort: (w) => w.name, cell: (w) => h('div.row',
			h('label.tick', h('input', { type: 'checkbox', checked: chosen.has(w.name), 'aria-label': t('select {0}', w.name), onchange: (e) => {
				if (e.target.checked) chosen.add(w.name);
				else chosen.delete(w.name);
				redraw();
			} })),
			h('span.who', face(w)), h('div', h('h3', w.name), h('div.row.xs', stateLine(w), w.role && badge('DEFAULT', 'b-mgr')))) },
		{ title: 'DESIRED · STORED · EFFECTIVE', cell: chain },
		{ title: 'PROVIDER', sort: (w) => w.provider ?? '', cell: (w) => h('div', h('div.sm.nw', w.provider ?? '—'), h('div.xs.soft.nw', limits(w.assignment))) },
		{ title: 'STATUS', sort: (w) => w.chip, cell: (w) => h('div', chip(w.chip), why(w)) },
		{ title: '', end: true, cell: (w) => h('div.row.acts', btn('SET MODEL', { s: true, aria: `${t('SET MODEL')} ${w.name}`, on: () => modelDialog(w) }),
			btn('', { s: true, k: 'ic', i: local.open === w.name ? 'cross' : 'find', aria: `${t('DETAILS')} ${w.name}`, pressed: local.open === w.name, on: () => {
				local.open = local.open === w.name ? '' : w.name;
				redraw();
			} })) },
	];
}

export function draw({ arg, local, redraw }) {
	need('providers', 'aiRoutes', 'consumers');
	local.open ??= arg[0] ?? '';
	local.filter ??= '';
	const all = targets();
	const rows = all.filter((w) => matches(local.filter, w.name, w.model ?? '', w.provider ?? ''));
	const chosen = all.filter((w) => local.chosen?.has(w.name));
	const manager = all.find((w) => w.role);
	const { data, error } = store.lists.aiRoutes;
	const routes = !data ? t(error ? 'Failed to load' : 'Loading...') : data.map((r) => `${r.upstreams?.[0]?.provider ?? '—'} (${r.pathPredicate?.matchValue ?? '/'})`).join(', ') || t('No AI routes configured');
	return panel('MODEL ASSIGNMENT', 'robot', [
		all.length > 8 && filterBox(local.filter, (value) => {
			local.filter = value;
			redraw();
		}),
		btn('SET SELECTED', { s: true, off: !chosen.length, on: () => modelDialog(chosen) })],
	h('p.lead.xs.soft.any', `${t('Routes')}: ${routes} | ${t('Model')}: ${manager?.model ?? '—'}`),
	h('p.lead.xs.soft', t('Desired is what you asked for. Stored is what the agent will read. Effective is what its last request used.')),
	store.monitor.state === 'absent' ? note('b-info', h('div', t('This server does not say what agents do: states, configurations and the last models are not available. Who exists is taken from the consumers.'))) : null,
	all.length ? table('assignment', { label: t('MODEL ASSIGNMENT'), kind: 'cards assign', columns: columns(local, redraw), rows, key: (w) => w.name, detail: (w) => (w.name === local.open ? details(w, local, redraw) : null) })
		: pending([crew()], refreshAll) ?? empty('robot', 'NO WORKERS', 'The Manager and the Workers are consumers that HiClaw makes.', isAdmin() && h('a.btn', { href: '#/consumers' }, t('CONSUMERS'))));
}
