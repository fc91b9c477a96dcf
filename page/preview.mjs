// What saving would do, while it is being typed: the server rehearses the change (POST page/preview) and says what becomes of
// which object, what it finds odd, and where a request of one's choice goes now and then.
import { post } from './api.mjs';
import { h, put, update } from './dom.mjs';
import { t } from './i18n.mjs';
import { verdict } from './explain.mjs';
import { listOf } from './store.mjs';
import { badge, field, input, note, select } from './ui.mjs';

const WAIT_MS = 300;
const CONTEXT = 2;
const MARK = { create: ['+', 'add'], update: ['~', 'chg'], remove: ['−', 'del'] };
const KEPT_BY_STORE = /^\s*(resourceVersion|creationTimestamp): /;

// The lines of two texts, by their longest common part: [' ' | '-' | '+', line].
export function lineDiff(a, b) {
	const [x, y] = [a, b].map((text) => (text ?? '').split('\n').filter((line) => line && !KEPT_BY_STORE.test(line)));
	const n = Array.from({ length: x.length + 1 }, () => new Uint16Array(y.length + 1));
	for (let i = x.length - 1; i >= 0; i--) for (let k = y.length - 1; k >= 0; k--) n[i][k] = x[i] === y[k] ? n[i + 1][k + 1] + 1 : Math.max(n[i + 1][k], n[i][k + 1]);
	const out = [];
	let [i, k] = [0, 0];
	while (i < x.length || k < y.length) {
		if (i < x.length && k < y.length && x[i] === y[k]) out.push([' ', x[i++], k++]);
		else if (i < x.length && (k === y.length || n[i + 1][k] >= n[i][k + 1])) out.push(['-', x[i++]]);
		else out.push(['+', y[k++]]);
	}
	return out;
}

function diffOf(c) {
	const lines = lineDiff(c.before, c.after);
	const near = (i) => lines.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some(([mark]) => mark !== ' ');
	const shown = lines.map((line, i) => (near(i) ? line : null));
	return h('pre.code', { tabindex: 0 }, shown.map((line, i) => (line ? h(`span.${{ ' ': 'soft', '-': 'del', '+': 'add' }[line[0]]}`, `${line[0]} ${line[1]}\n`) : shown[i - 1] ? h('span.soft', '  …\n') : null)));
}

function changes(got) {
	if (!got.changes.length) return h('p.sm.soft', t('Nothing would change.'));
	return h('ul.becomes', got.changes.map((c) => {
		const line = [h(`span.mk.${MARK[c.what][1]}`, MARK[c.what][0]), ' ', h('b.any', c.name), ' ', h('span.soft.xs', c.kind)];
		return h('li', { key: `${c.kind} ${c.name}` }, c.before || c.after ? h('details', h('summary', line), diffOf(c)) : line);
	}));
}

// noun: the server's word. name(), object(): what would be saved. ask(): { host, path, model, … } as the form has them now; null: no
// request is asked about. Gives { el, look }.
export function previewPane({ noun, name, object, create, ask = null, ai }) {
	const method = ai ? null : field('METHOD', select(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'], 'GET'));
	const host = field('HOST', input('', { placeholder: '—' }));
	const path = field('PATH', input('', { placeholder: '/' }));
	const model = ai ? field('MODEL', input('', { placeholder: 'qwen3.5-plus' })) : null;
	const consumer = field('AS CONSUMER', select([['', t('nobody')], ...listOf('consumers').map((c) => c.name)], ''));
	const fields = { host, path, model, method, consumer };
	const touched = new Set();
	for (const [key, box] of Object.entries(fields)) box?.input.addEventListener('input', () => touched.add(key));
	const said = h('div', { 'aria-live': 'polite', 'aria-busy': 'false' });
	let asked = 0;
	let timer = 0;
	let busy = false;
	let again = false;

	const answer = (got) => {
		if (got.refused) return note('b-warn', h('div.sm.any', got.refused));
		const moved = got.before && got.after && (got.before.route !== got.after.route || got.before.status !== got.after.status);
		return h('div.col.gap3',
			got.before ? h('div.nowthen', h('div', h('span.lbl', t('NOW')), verdict(got.before)), h('div', h('span.lbl', t('AFTER SAVING'), ' ', moved ? badge('changed', 'b-info') : null), verdict(got.after ?? got.before))) : null,
			h('div', h('span.lbl', t('WHAT CHANGES')), changes(got)),
			[...got.warnings.map((text) => ({ level: 'warning', text })), ...got.findings].map((f) => note(f.level === 'error' ? 'b-bad' : f.level === 'warning' ? 'b-warn' : 'b-info', h('div.sm.any', f.text))));
	};
	const prefill = () => {
		const now = ask?.() ?? {};
		for (const key of Object.keys(fields)) if (fields[key] && !touched.has(key) && now[key] !== undefined) fields[key].input.value = now[key];
	};
	const run = async () => {
		if (busy) {
			again = true;
			return;
		}
		prefill();
		busy = true;
		const mine = ++asked;
		said.setAttribute('aria-busy', 'true');
		const value = (key) => fields[key]?.input.value.trim() ?? '';
		const to = value('path') || '/';
		try {
			const got = await post('page/preview', { change: { noun, name: name(), create, body: object() }, ...(ask && value('host') && to.startsWith('/') && !/\s/.test(to + value('host')) ? { ask: { host: value('host'), path: to, method: ai ? 'POST' : value('method'), model: value('model'), consumer: value('consumer') } } : {}) });
			if (mine === asked) update(said, answer(got));
		} catch (error) {
			if (mine === asked) update(said, error.status === 404 ? null : note('b-warn', h('div.sm', error.message)));
		} finally {
			busy = false;
			said.setAttribute('aria-busy', 'false');
			if (again) {
				again = false;
				look();
			}
		}
	};
	const look = () => {
		clearTimeout(timer);
		timer = setTimeout(() => said.isConnected && name() && run(), WAIT_MS);
	};
	const el = h('section.rehearsal', { 'aria-label': t('PREVIEW') }, h('div.row.w', h('h3.grow', t('PREVIEW')), h('span.xs.soft', t('nothing is saved yet'))), ask ? h('div.asked', method, host, path, model, consumer) : null, said);
	el.addEventListener('input', (e) => {
		e.stopPropagation(); // a question is no change of the form
		look();
	});
	el.addEventListener('keydown', (e) => {
		if (e.key !== 'Enter' || !e.target.matches('input')) return;
		e.preventDefault(); // the question, not the form
		look();
	});
	put(said, h('p.sm.soft', t('What saving would do is shown here while you type.')));
	return { el, look };
}
