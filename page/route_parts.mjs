// Parts of the editors of routes. Each is { el, names, put, check, fail }: names are the members of the object that it speaks
// for, put(out) writes them, check() says what is wrong with what was typed and marks it there, fail(text) shows what the
// server says of it. What a part has no field for stays as it was.
import { h, put as fill } from './dom.mjs';
import { t } from './i18n.mjs';
import { listOf } from './store.mjs';
import { btn, field, input, select, tick } from './ui.mjs';

let ids = 0;
export const plain = (label, el, kind = '') => h(`span.field${kind}`, (el.setAttribute('aria-label', label), el));
const split = (text) => text.split(/[,\s]+/).filter(Boolean);
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

// Marks what is wrong in a part that has no field() of its own, until something is typed there.
function complaints(el) {
	const said = h('p.hint.bad', { role: 'alert', id: `p${++ids}` });
	const clear = () => {
		fill(said);
		for (const x of el.querySelectorAll('[aria-invalid]')) {
			x.removeAttribute('aria-invalid');
			x.closest('.field')?.classList.remove('bad');
		}
	};
	el.addEventListener('input', clear);
	const fail = (text, at) => {
		clear();
		fill(said, text);
		for (let up = el; up; up = up.parentElement) if (up.tagName === 'DETAILS') up.open = true;
		const to = at ?? el.querySelector('input, select, textarea, button');
		if (to?.matches('input, select, textarea')) {
			to.setAttribute('aria-invalid', 'true');
			to.setAttribute('aria-describedby', said.id);
			to.closest('.field')?.classList.add('bad');
		}
		to?.focus();
		return text;
	};
	return { said, fail };
}

// Rows that can be added and removed. make(row, redraw, i) gives the fields of one; check(row, i) a sentence, or one and which
// field of the row it is about.
export function rows({ names, label, list, fresh, make, add, put, check = () => null, whole = () => null, after = null }) {
	const el = h('fieldset.rows');
	const { said, fail } = complaints(el);
	const rowOf = (i) => el.querySelectorAll(':scope > div.row')[i];
	const draw = () => {
		fill(el, h('legend.lbl', t(label)), list.map((row, i) => h('div.row', make(row, draw, i), btn('', { s: true, k: 'ic', i: 'cross', aria: `${t('DELETE')} ${t(label)} ${i + 1}`, on: () => {
			list.splice(i, 1);
			draw();
			el.dispatchEvent(new Event('input', { bubbles: true }));
			(rowOf(Math.min(i, list.length - 1)) ?? el).querySelector('input, select, button')?.focus();
		} }))), said, btn(add, { s: true, on: () => {
			list.push(fresh());
			draw();
			el.dispatchEvent(new Event('input', { bubbles: true }));
			rowOf(list.length - 1)?.querySelector('input, select')?.focus();
		} }), after?.());
	};
	draw();
	const wrong = () => {
		for (const [i, row] of list.entries()) {
			const [text, n = 0] = [check(row, i)].flat();
			if (text) return fail(text, rowOf(i).querySelectorAll('input, select, textarea')[n]);
		}
		return null;
	};
	return { el, names, draw, put, fail, count: () => list.length, check: () => wrong() ?? ((text) => text && fail(text))(whole()) };
}

// A part that is seldom needed: folded, with how much is in it.
export function folded(label, part) {
	const n = h('span.pix.n');
	const el = h('details.part', { open: part.count() > 0 }, h('summary', t(label), ' ', n), part.el);
	const say = () => fill(n, part.count() || '');
	el.addEventListener('input', () => queueMicrotask(say));
	say();
	// What is wrong inside of it is seen.
	const check = () => {
		const text = part.check();
		if (!text) return text;
		el.open = true;
		el.querySelector('[aria-invalid]')?.focus();
		return text;
	};
	return { ...part, el, check };
}

export function namePart(value, fixed, placeholder) {
	const el = field('NAME', input(value, { readonly: fixed, placeholder }), fixed ? null : t('small letters, digits, dots, dashes'));
	const fail = (text) => (el.fail(text), el.input.focus(), text);
	const value_ = () => el.input.value.trim();
	return { el, names: ['name'], fail, value: value_, put: (o) => (o.name = value_()), check: () => {
		if (!value_()) return fail(t('The name is missing.'));
		return fixed || /^[a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?$/.test(value_()) ? null : fail(t('A name has small letters, digits, dots and dashes, and begins and ends with a letter or digit.'));
	} };
}

const HOST = /^(\*|(\*\.)?[^\s,/\\.][^\s,/\\]*)$/;
export function domainsPart(domains) {
	const list = (domains ?? []).map((name) => ({ name }));
	const id = `domains${++ids}`;
	const part = rows({ names: ['domains'], label: 'DOMAINS', list, fresh: () => ({ name: '' }), add: 'ADD DOMAIN',
		make: (d) => [plain(t('domain'), input(d.name, { list: id, placeholder: 'llm.example.com', oninput: (e) => (d.name = e.target.value) }), '.grow')],
		after: () => [h('datalist', { id }, listOf('domains').map((d) => h('option', { value: d.name }))), list.length ? null : h('p.hint', t('none: any host'))],
		check: (d) => (d.name.trim() && !HOST.test(d.name.trim()) ? t('a host name, as llm.example.com or *.example.com') : null),
		put: (o) => (o.domains = list.map((d) => d.name.trim()).filter(Boolean)) });
	return { ...part, first: () => list.find((d) => d.name.trim())?.name.trim() ?? '' };
}

const KINDS = [['PRE', 'begins with'], ['EQUAL', 'is'], ['REGULAR', 'matches (expression)']];
export const kinds = (all = KINDS) => all.map(([value, label]) => [value, t(label)]);

export function pathPart(path) {
	const now = { matchType: 'PRE', matchValue: '/', caseSensitive: true, ...path };
	const type = select(kinds(), now.matchType);
	const value = input(now.matchValue, { placeholder: '/shop' });
	const sensitive = tick('Upper and lower case differ', now.caseSensitive !== false);
	const el = h('fieldset.rows', h('legend.lbl', t('PATH')), h('div.row', plain(t('how'), type), plain(t('PATH'), value, '.grow')), sensitive);
	const { said, fail } = complaints(el);
	el.append(said);
	return { el, names: ['path'], value: () => value.value.trim(), type: () => type.value,
		put: (o) => (o.path = { ...path, matchType: type.value, matchValue: value.value.trim(), caseSensitive: sensitive.input.checked }),
		fail: (text) => fail(text, value),
		check: () => {
			if (!value.value.trim()) return fail(t('The path is missing.'), value);
			if (type.value !== 'REGULAR' && !value.value.trim().startsWith('/')) return fail(t('A path begins with /.'), value);
			return /\s/.test(value.value.trim()) ? fail(t('A path has no blanks.'), value) : null;
		} };
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'];
export function methodsPart(methods) {
	const boxes = [...new Set([...METHODS, ...(methods ?? [])])].map((m) => tick(m, (methods ?? []).includes(m), { raw: true, value: m }));
	const el = h('fieldset.rows', h('legend.lbl', t('METHODS')), h('div.picks', boxes), h('p.hint', t('none: all methods')));
	const { said, fail } = complaints(el);
	el.append(said);
	const chosen = () => boxes.map((b) => b.input).filter((b) => b.checked).map((b) => b.value);
	return { el, names: ['methods'], fail, chosen, check: () => null, put: (o) => (o.methods = chosen().length ? chosen() : null) };
}

// Conditions on headers or on parameters of the query.
export function keyedPart(name, label, list_, { header }) {
	const list = (list_ ?? []).map((x) => ({ ...x }));
	const part = rows({ names: [name], label, list, fresh: () => ({ key: '', matchType: 'EQUAL', matchValue: '', caseSensitive: true }), add: header ? 'ADD HEADER' : 'ADD PARAMETER',
		make: (p) => [
			plain(header ? t('header') : t('query parameter'), input(p.key, { placeholder: header ? 'x-tier' : 'debug', oninput: (e) => (p.key = e.target.value) }), '.w8'),
			plain(t('how'), select(kinds(), p.matchType, { onchange: (e) => (p.matchType = e.target.value) })),
			plain(t('value'), input(p.matchValue, { placeholder: 'gold', oninput: (e) => (p.matchValue = e.target.value) }), '.grow')],
		check: (p) => (!p.key.trim() ? [t('The name is missing.'), 0] : /\s/.test(p.key.trim()) ? [t('no blanks'), 0] : !p.matchValue.trim() ? [t('The value is missing.'), 2] : null),
		put: (o) => (o[name] = list.length ? list.map((p) => ({ ...p, key: p.key.trim(), matchValue: p.matchValue.trim() })) : null) });
	return folded(label, { ...part, list });
}

// Services with their weights, out of the service sources or others that come later.
export function servicesPart(services) {
	const list = (services ?? [{ name: '', port: null, weight: 100 }]).map((x) => ({ ...x }));
	const known = listOf('services');
	const id = `services${++ids}`;
	const sum = h('p.hint');
	const total = () => list.reduce((n, s) => n + (Number(s.weight) || 0), 0);
	const weigh = () => {
		sum.hidden = list.length < 2;
		sum.className = `hint ${total() === 100 ? 'ok' : 'bad'}`;
		fill(sum, t('weights: {0} of 100', total()));
	};
	const portOf = (name) => known.find((x) => x.name === name)?.port;
	return rows({ names: ['services'], label: 'SERVICES', list, fresh: () => ({ name: '', port: null, weight: list.length ? Math.max(0, 100 - total()) : 100 }), add: 'ADD SERVICE',
		make: (s) => {
			const port = input(s.port ?? '', { inputmode: 'numeric', placeholder: t('port'), oninput: (e) => (s.port = e.target.value.trim() === '' ? null : Number(e.target.value)) });
			return [
				plain(t('service'), input(s.name, { list: id, placeholder: 'shop.static', oninput: (e) => {
					s.name = e.target.value;
					const usual = portOf(s.name.trim());
					if (usual && s.port === null) port.value = s.port = usual;
				} }), '.grow'),
				plain(t('port'), port, '.w6'),
				h('span.field.w6', input(s.weight ?? 100, { inputmode: 'numeric', 'aria-label': t('weight of {0}', s.name || t('service')), oninput: (e) => {
					s.weight = e.target.value.trim() === '' ? NaN : Number(e.target.value);
					weigh();
				} }), h('span.soft', '%'))];
		},
		after: () => (queueMicrotask(weigh), [sum, h('datalist', { id }, known.map((x) => h('option', { value: x.name }, `${x.endpoints?.join(', ') ?? ''}`)))]),
		check: (s) => (!s.name.trim() ? [t('The service is missing.'), 0] : /\s/.test(s.name.trim()) ? [t('no blanks'), 0] : s.port !== null && !(Number.isInteger(s.port) && s.port > 0 && s.port < 65536) ? [t('a port is 1 to 65535, or empty for the port of the source'), 1] : !(Number.isInteger(s.weight) && s.weight >= 0) ? [t('a whole number from 0 to 100'), 2] : null),
		whole: () => (!list.length ? t('A route needs a service.') : list.length > 1 && total() !== 100 ? t('The weights must add up to 100, they make {0}.', total()) : null),
		put: (o) => (o.services = list.map((s) => ({ ...s, name: s.name.trim(), weight: list.length > 1 ? s.weight : 100 }))) });
}

// Who may call it. Many consumers are searched.
export function authPart(auth) {
	const chosen = new Set(auth?.allowedConsumers ?? []);
	const on = tick('Only these consumers', Boolean(auth?.enabled));
	const all = [...new Set([...listOf('consumers').map((c) => c.name), ...chosen])];
	const boxes = all.map((name) => {
		const box = tick(name, chosen.has(name), { raw: true });
		box.input.addEventListener('change', () => (box.input.checked ? chosen.add(name) : chosen.delete(name)));
		return box;
	});
	const find = all.length > 12 ? h('span.field', h('input', { type: 'search', placeholder: t('Filter'), 'aria-label': `${t('Filter')} ${t('ALLOWED')}`, oninput: (e) => boxes.forEach((box, i) => (box.hidden = !all[i].toLowerCase().includes(e.target.value.trim().toLowerCase()))) })) : null;
	const note = h('p.hint');
	const el = h('fieldset.rows', h('legend.lbl', t('ALLOWED')), on, find, h('div.picks', { role: 'group', 'aria-label': t('ALLOWED') }, boxes), note);
	const { said, fail } = complaints(el);
	el.append(said);
	const say = () => fill(note, on.input.checked ? (chosen.size ? t('{0} of {1} may call it', chosen.size, all.length) : t('nobody may call it')) : t('everybody may call it'));
	el.addEventListener('change', say);
	say();
	return { el, names: ['authConfig'], fail, check: () => null, first: () => (on.input.checked ? (all.find((name) => chosen.has(name)) ?? '') : ''),
		put: (o) => {
			const next = { ...auth, enabled: on.input.checked, allowedCredentialTypes: auth?.allowedCredentialTypes ?? ['key-auth'], allowedConsumers: all.filter((name) => chosen.has(name)) };
			const touched = Boolean(auth?.enabled) !== next.enabled || !same([...(auth?.allowedConsumers ?? [])].sort(), [...next.allowedConsumers].sort());
			o.authConfig = touched ? next : (auth ?? null); // no list is not an empty one
		} };
}

export function rewritePart(rewrite) {
	const on = rewrite ? rewrite.enabled !== false : false;
	const path = field('NEW PATH', input(rewrite?.path ?? '', { placeholder: t('as it came') }), t('replaces what the condition on the path matches'));
	const host = field('NEW HOST', input(rewrite?.host ?? '', { placeholder: t('as it came') }));
	const use = tick('Rewrite requests', on);
	const el = h('fieldset.rows', use, h('div.two', path, host));
	const any = () => path.input.value.trim() || host.input.value.trim();
	path.input.addEventListener('input', () => (use.input.checked = Boolean(any())));
	host.input.addEventListener('input', () => (use.input.checked = Boolean(any())));
	return folded('REWRITE', { el, names: ['rewrite'], count: () => (use.input.checked && any() ? 1 : 0), fail: (text) => (path.fail(text), path.input.focus(), text),
		check: () => {
			if (path.input.value.trim() && !path.input.value.trim().startsWith('/')) return path.fail(t('A path begins with /.')), path.input.focus(), true;
			if (/\s/.test(host.input.value.trim())) return host.fail(t('no blanks')), host.input.focus(), true;
			return null;
		},
		put: (o) => (o.rewrite = rewrite || any() ? { ...rewrite, enabled: use.input.checked && Boolean(any()), path: path.input.value.trim() || null, host: host.input.value.trim() || null } : null) });
}

const STAGES = [['request', 'request'], ['response', 'response']];
const EDITS = [['set', 'set'], ['add', 'add'], ['remove', 'remove']];
export function headerControlPart(control) {
	const list = [];
	for (const [stage] of STAGES) {
		for (const edit of ['set', 'add']) for (const x of control?.[stage]?.[edit] ?? []) list.push({ stage, edit, key: x.key, value: x.value });
		for (const key of control?.[stage]?.remove ?? []) list.push({ stage, edit: 'remove', key, value: '' });
	}
	const was = list.map((x) => ({ ...x }));
	const stageOf = (stage) => {
		const of = (edit) => list.filter((x) => x.stage === stage && x.edit === edit);
		const some = (v) => (v.length ? v : null);
		const [set, add] = ['set', 'add'].map((edit) => some(of(edit).map((x) => ({ key: x.key.trim(), value: x.value.trim() }))));
		const gone = some(of('remove').map((x) => x.key.trim()));
		return set || add || gone ? { add, set, remove: gone } : null;
	};
	return folded('HEADERS CHANGED', rows({ names: ['headerControl'], label: 'HEADERS CHANGED', list, fresh: () => ({ stage: 'request', edit: 'set', key: '', value: '' }), add: 'ADD CHANGE',
		make: (x, redraw) => [
			plain(t('of the request or the response'), select(STAGES.map(([v, label]) => [v, t(label)]), x.stage, { onchange: (e) => (x.stage = e.target.value) })),
			plain(t('what'), select(EDITS.map(([v, label]) => [v, t(label)]), x.edit, { onchange: (e) => {
				x.edit = e.target.value;
				redraw();
			} })),
			plain(t('header'), input(x.key, { placeholder: 'x-from', oninput: (e) => (x.key = e.target.value) }), '.w8'),
			x.edit === 'remove' ? null : plain(t('value'), input(x.value, { oninput: (e) => (x.value = e.target.value) }), '.grow')],
		check: (x) => (!x.key.trim() ? [t('The name is missing.'), 2] : /\s/.test(x.key.trim()) ? [t('no blanks'), 2] : null),
		put: (o) => {
			if (same(list, was)) return; // as it is stored, in its own order
			o.headerControl = list.length ? { ...control, enabled: true, request: stageOf('request'), response: stageOf('response') } : null;
		} }));
}

const CONDITIONS = ['error', 'timeout', 'invalid_header', 'http_502', 'http_503', 'http_504', 'http_429', 'non_idempotent'];
export function retriesPart(next, configs) {
	const KEY = 'higress.io/timeout';
	const use = tick('Try another endpoint when one fails', next ? next.enabled !== false : false);
	const attempts = field('ATTEMPTS', input(next?.attempts ?? '', { inputmode: 'numeric', placeholder: '3' }));
	const within = field('WITHIN (S)', input(next?.timeout ?? '', { inputmode: 'numeric', placeholder: t('no limit') }));
	const timeout = field('TIMEOUT OF ALL (S)', input(configs?.[KEY] ?? '', { inputmode: 'decimal', placeholder: t('no limit') }));
	const when = [...new Set([...CONDITIONS, ...(next?.conditions ?? [])])].map((c) => tick(c, (next?.conditions ?? ['error', 'timeout']).includes(c), { raw: true, value: c }));
	const el = h('fieldset.rows', use, h('div.three2', attempts, within, timeout), h('div.picks', { role: 'group', 'aria-label': t('when it fails') }, when));
	const whole = (box, low) => {
		const v = box.input.value.trim();
		if (v === '' || (Number.isInteger(Number(v)) && Number(v) >= low && Number(v) <= 86400)) return false;
		box.fail(t('a whole number above 0'));
		box.input.focus();
		return true;
	};
	const number = (box) => (box.input.value.trim() === '' ? null : Number(box.input.value));
	return folded('RETRIES AND TIMEOUT', { el, names: ['proxyNextUpstream'], count: () => Number(use.input.checked) + Number(timeout.input.value.trim() !== ''), fail: (text) => (attempts.fail(text), attempts.input.focus(), text),
		check: () => {
			for (const box of [attempts, within]) if (whole(box, 1)) return true;
			const v = timeout.input.value.trim();
			if (v === '' || Number(v) > 0) return null;
			timeout.fail(t('a number above 0'));
			timeout.input.focus();
			return true;
		},
		put: (o) => {
			const conditions = when.map((b) => b.input).filter((b) => b.checked).map((b) => b.value);
			if (next || use.input.checked) o.proxyNextUpstream = { ...next, enabled: use.input.checked, attempts: number(attempts), timeout: number(within), conditions };
			const { [KEY]: gone, ...rest } = o.customConfigs ?? {};
			if (timeout.input.value.trim()) o.customConfigs = { ...rest, [KEY]: timeout.input.value.trim() };
			else if (gone !== undefined) o.customConfigs = rest;
		} });
}

export function corsPart(cors) {
	const use = tick('Answer pages of other origins', cors?.enabled ?? false);
	const text = (label, list, placeholder) => field(label, input((list ?? []).join(', '), { placeholder }));
	const f = {
		allowOrigins: text('ORIGINS', cors?.allowOrigins, 'https://app.example.com'),
		allowMethods: text('METHODS', cors?.allowMethods, 'GET, POST'),
		allowHeaders: text('HEADERS', cors?.allowHeaders, 'content-type, authorization'),
		exposeHeaders: text('HEADERS SHOWN', cors?.exposeHeaders, 'x-request-id'),
	};
	const age = field('KEPT (S)', input(cors?.maxAge ?? '', { inputmode: 'numeric', placeholder: '3600' }));
	const credentials = tick('With credentials', cors?.allowCredentials ?? false);
	const el = h('fieldset.rows', use, h('div.two', ...Object.values(f), age, credentials));
	return folded('CORS', { el, names: ['cors'], count: () => Number(use.input.checked), fail: (said) => (f.allowOrigins.fail(said), f.allowOrigins.input.focus(), said),
		check: () => {
			const v = age.input.value.trim();
			if (v === '' || (Number.isInteger(Number(v)) && Number(v) >= 0)) return null;
			age.fail(t('a whole number'));
			age.input.focus();
			return true;
		},
		put: (o) => {
			if (!use.input.checked && !cors?.enabled) return;
			o.cors = { ...cors, enabled: use.input.checked, ...Object.fromEntries(Object.entries(f).map(([key, box]) => [key, split(box.input.value).length ? split(box.input.value) : null])), maxAge: age.input.value.trim() === '' ? null : Number(age.input.value), allowCredentials: credentials.input.checked };
		} });
}

// Annotations and labels that have no field of their own.
export function pairsPart(name, label, add, map, without = []) {
	const list = Object.entries(map ?? {}).filter(([key]) => !without.includes(key)).map(([key, value]) => ({ key, value: String(value ?? '') }));
	return folded(label, rows({ names: [name], label, list, fresh: () => ({ key: '', value: '' }), add,
		make: (p) => [plain(t('name'), input(p.key, { oninput: (e) => (p.key = e.target.value) }), '.w12'), plain(t('value'), input(p.value, { oninput: (e) => (p.value = e.target.value) }), '.grow')],
		check: (p, i) => (!p.key.trim() ? [t('The name is missing.'), 0] : list.findIndex((x) => x.key.trim() === p.key.trim()) !== i ? [t('this name is taken'), 0] : null),
		put: (o) => {
			const kept = Object.fromEntries(without.filter((key) => o[name]?.[key] !== undefined).map((key) => [key, o[name][key]]));
			o[name] = { ...Object.fromEntries(list.map((p) => [p.key.trim(), p.value])), ...kept };
		} }));
}
