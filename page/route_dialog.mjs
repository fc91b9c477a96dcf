// The editor of an AI route: which requests it takes, where they go, who may use it. What the form has no field for stays.
import { change, part, post, remove } from './api.mjs';
import { h, put, update } from './dom.mjs';
import { t } from './i18n.mjs';
import { listOf, refresh } from './store.mjs';
import { btn, confirm_, field, input, modal, note, refuse, select, tick, toast } from './ui.mjs';

const blank = () => ({ name: '', domains: [], pathPredicate: { matchType: 'PRE', matchValue: '/', caseSensitive: false }, upstreams: [{ provider: listOf('providers')[0]?.name ?? '', weight: 100, modelMapping: {} }], modelPredicates: [], authConfig: { enabled: false, allowedCredentialTypes: ['key-auth'], allowedConsumers: [] } });

// Rows that can be added and removed; make(row, redraw) gives the fields of one.
function rows(label, list, fresh, make, add, after) {
	const el = h('fieldset.rows');
	const draw = () => {
		put(el, h('legend.lbl', t(label)), list.map((row, i) => h('div.row', make(row, draw, i), btn('', { s: true, k: 'ic', i: 'cross', aria: `${t('DELETE')} ${t(label)} ${i + 1}`, on: () => {
			list.splice(i, 1);
			draw();
		} }))), btn(add, { s: true, on: () => {
			list.push(fresh());
			draw();
			el.querySelectorAll('div.row')[list.length - 1]?.querySelector('input, select')?.focus();
		} }), after?.());
	};
	draw();
	return { el, draw };
}

const plain = (label, el) => h('span.field.grow', (el.setAttribute('aria-label', label), el));

function mappingText(mapping) {
	return Object.entries(mapping ?? {}).map(([from, to]) => `${from} = ${to}`).join('\n');
}
function mappingOf(text) {
	const out = {};
	for (const line of text.split('\n')) {
		const [from, ...to] = line.split('=');
		if (from.trim() && to.length) out[from.trim()] = to.join('=').trim();
	}
	return out;
}

export function routeDialog(r, onSaved) {
	const draft = structuredClone(r ?? blank());
	draft.modelPredicates ??= [];
	draft.authConfig ??= { enabled: false, allowedCredentialTypes: ['key-auth'], allowedConsumers: [] };
	draft.authConfig.allowedConsumers ??= [];
	const said = h('div', { 'aria-live': 'polite' });
	const name = field('NAME', input(draft.name, { readonly: Boolean(r), placeholder: 'qwen-ai-route' }));
	const path = field('PATH PREFIX', input(draft.pathPredicate?.matchValue ?? '/'));
	const domains = field('DOMAINS', input((draft.domains ?? []).join(', '), { list: 'domain-names', placeholder: t('any host') }), t('empty: any host; several with commas'));
	const names = h('datalist', { id: 'domain-names' }, listOf('domains').map((d) => h('option', { value: d.name })));
	const predicates = rows('MODELS', draft.modelPredicates, () => ({ matchType: 'PRE', matchValue: '', caseSensitive: false }), (p) => [
		h('span.field', select([['PRE', t('begins with')], ['EQUAL', t('is')]], p.matchType, { 'aria-label': t('how'), onchange: (e) => (p.matchType = e.target.value) })),
		plain(t('model'), input(p.matchValue, { placeholder: 'qwen', oninput: (e) => (p.matchValue = e.target.value) })),
	], 'ADD MODEL', () => h('p.hint', t('none: all models')));

	const sum = h('p.hint');
	const weigh = () => {
		const total = draft.upstreams.reduce((n, u) => n + (Number(u.weight) || 0), 0);
		sum.className = `hint ${total === 100 ? 'ok' : 'bad'}`;
		put(sum, t('weights: {0} of 100', total));
		return total;
	};
	const upstreams = rows('UPSTREAMS', draft.upstreams, () => ({ provider: listOf('providers')[0]?.name ?? '', weight: 0, modelMapping: {} }), (u) => [
		h('span.field.grow', select(listOf('providers').map((p) => p.name), u.provider, { 'aria-label': t('PROVIDER'), onchange: (e) => (u.provider = e.target.value) })),
		h('span.field.w6', input(u.weight, { inputmode: 'numeric', 'aria-label': t('weight of {0}', u.provider), oninput: (e) => {
			u.weight = Number(e.target.value);
			weigh();
		} }), h('span.soft', '%')),
		h('details.map-of', h('summary', t('MODEL MAPPING')), h('span.field', h('textarea', { rows: 3, spellcheck: 'false', 'aria-label': t('MODEL MAPPING'), value: mappingText(u.modelMapping), placeholder: 'gpt-4o = qwen3.5-plus', oninput: (e) => (u.modelMapping = mappingOf(e.target.value)) }))),
	], 'ADD UPSTREAM', () => (queueMicrotask(weigh), sum));

	const auth = tick('Only these consumers', draft.authConfig.enabled);
	const who = h('div.picks', { role: 'group', 'aria-label': t('ALLOWED') }, listOf('consumers').map((c) => {
		const box = tick(c.name, draft.authConfig.allowedConsumers.includes(c.name), { raw: true });
		box.input.addEventListener('change', () => {
			const list = draft.authConfig.allowedConsumers.filter((x) => x !== c.name);
			draft.authConfig.allowedConsumers = box.input.checked ? [...list, c.name] : list;
		});
		return box;
	}));
	const f = draft.fallbackConfig?.enabled ? draft.fallbackConfig : null;
	const fallback = tick('Fall back when the upstream fails', Boolean(f));
	const fallbackTo = field('FALLBACK', select(listOf('providers').map((p) => p.name), f?.upstreams?.[0]?.provider ?? listOf('providers')[0]?.name ?? ''));
	const codes = ['4xx', '5xx'].map((code) => tick(code, (f?.responseCodes ?? ['5xx']).includes(code), { raw: true }));

	const collect = () => ({
		...draft,
		name: name.input.value.trim(),
		domains: domains.input.value.split(',').map((x) => x.trim()).filter(Boolean),
		pathPredicate: { ...draft.pathPredicate, matchType: 'PRE', matchValue: path.input.value.trim() },
		modelPredicates: draft.modelPredicates.filter((p) => p.matchValue.trim()).map((p) => ({ ...p, matchValue: p.matchValue.trim() })),
		authConfig: { ...draft.authConfig, enabled: auth.input.checked },
		fallbackConfig: fallback.input.checked
			? { ...(draft.fallbackConfig ?? {}), enabled: true, upstreams: [{ provider: fallbackTo.input.value, weight: 100, modelMapping: {} }], fallbackStrategy: draft.fallbackConfig?.fallbackStrategy ?? 'RAND', responseCodes: ['4xx', '5xx'].filter((_, i) => codes[i].input.checked) }
			: draft.fallbackConfig ? { ...draft.fallbackConfig, enabled: false } : null,
	});
	const raw = h('textarea', { rows: 12, spellcheck: 'false', 'aria-label': 'JSON' });
	const rawBox = h('details', { ontoggle: (e) => e.target.open && (raw.value = JSON.stringify(collect(), null, 2)) }, h('summary', 'JSON'), h('p.hint', t('what stands here is saved while this is open')), h('span.field', raw));

	const save = async (close) => {
		let route = collect();
		if (rawBox.open) {
			try {
				route = JSON.parse(raw.value);
			} catch (error) {
				raw.focus();
				return update(said, note('b-bad', h('div', error.message)));
			}
		} else {
			if (!route.name) return refuse(name, t('The name is missing.'));
			if (!route.pathPredicate.matchValue.startsWith('/')) return refuse(path, t('A path begins with /.'));
			if (!route.upstreams.length) return update(said, note('b-bad', h('div', t('A route needs an upstream.'))));
			if (weigh() !== 100) return update(said, note('b-bad', h('div', t('The weights must add up to 100, they make {0}.', weigh()))));
			if (fallback.input.checked && !route.fallbackConfig.responseCodes.length) return update(said, note('b-bad', h('div', t('Choose for which answers it falls back.'))));
		}
		try {
			await (r ? change(`v1/ai/routes/${part(r.name)}`, route) : post('v1/ai/routes', route));
			dialog.clean();
			close();
			toast(t(r ? 'ROUTE UPDATED' : 'ROUTE CREATED'), route.name);
			onSaved?.(route.name);
		} catch (error) {
			const meanwhile = error.status === 409 && r;
			update(said, note('b-bad', h('div.grow', h('b.pix.badt', t(meanwhile ? 'CHANGED MEANWHILE' : 'SAVE FAILED')), h('div.sm', error.message), meanwhile ? btn('LOAD THE NEW ONE', { s: true, on: async () => {
				await refresh('aiRoutes');
				dialog.clean();
				close();
				routeDialog(listOf('aiRoutes').find((x) => x.name === r.name), onSaved);
			} }) : h('div.xs.soft', error.more))));
		}
		refresh('aiRoutes', 'routes');
	};
	const dialog = modal(r ? 'EDIT AI ROUTE' : 'ADD AI ROUTE', 'gate', h('div.form2',
		h('div.col.gap3', name, domains, names, path, predicates.el),
		h('div.col.gap3', upstreams.el, auth, who, fallback, h('div.row.w', fallbackTo, codes), rawBox, said)),
	(close) => [r && btn('DEL', { k: 'dang', on: async () => {
		if (!(await confirm_('DELETE ROUTE', t('DELETE ROUTE "{0}"?', r.name), 'DELETE', { kind: 'dang', word: r.name }))) return;
		await remove(`v1/ai/routes/${part(r.name)}`);
		dialog.clean();
		close();
		toast(t('ROUTE DELETED'), r.name);
		refresh('aiRoutes', 'routes');
	} }), h('div.end', btn('CANCEL', { on: () => dialog.el.dispatchEvent(new Event('cancel', { cancelable: true })) }), btn('SAVE ROUTE', { k: 'pri', on: () => save(close) }))]);
	return dialog;
}
