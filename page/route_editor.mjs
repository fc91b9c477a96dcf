// The frame of the editors of routes and service sources: parts in two columns, the object as JSON, a preview of what saving
// does, and the server's refusals at the field that they are about.
import { change, part as escaped, post, remove } from './api.mjs';
import { h, update } from './dom.mjs';
import { t } from './i18n.mjs';
import { previewPane } from './preview.mjs';
import { listOf, refresh } from './store.mjs';
import { btn, confirm_, modal, note, toast } from './ui.mjs';

// "services[0].port must be …", "headerControl: the name …", "the name of the route …": what it is about.
function subjectOf(message, status) {
	if (status === 409 || /^the name of /.test(message)) return 'name';
	if (/domains of a route/.test(message)) return 'domains';
	return /^([A-Za-z]+)\b/.exec(message)?.[1];
}

// spec: { kind: the word in titles, noun: of previews, list: of the store, path: of the API, object: what is there or null,
// blank(), left, right: parts, ask(), ai, write(object): where it is not POST and PUT, saved(name), also: lists to read again, usedBy(name): sentence or null }
export function editor(spec) {
	const { kind, object: there } = spec;
	const parts = [...spec.left, ...spec.right].filter(Boolean);
	const nameOf = () => there?.name ?? parts.find((p) => p.names.includes('name')).value();
	const said = h('div', { 'aria-live': 'polite' });
	const collect = () => {
		const out = structuredClone(there ?? spec.blank());
		for (const p of parts) p.put(out);
		return out;
	};
	const raw = h('textarea', { rows: 14, spellcheck: 'false', 'aria-label': 'JSON' });
	const rawBox = h('details', { ontoggle: (e) => e.target.open && !raw.value && (raw.value = JSON.stringify(collect(), null, 2)) }, h('summary', 'JSON'), h('p.hint', t('what stands here is saved while this is open')), h('span.field', raw));
	const object = () => (rawBox.open ? JSON.parse(raw.value) : collect());
	const pane = previewPane({ noun: spec.noun, name: nameOf, create: !there, ai: spec.ai, ask: spec.ask, object });
	const say = (...kids) => update(said, note('b-bad', h('div.grow', kids)));

	const typed = () => {
		if (!rawBox.open) {
			for (const p of parts) if (p.check()) return null;
			return collect();
		}
		try {
			return JSON.parse(raw.value);
		} catch (error) {
			raw.focus();
			say(error.message);
			return null;
		}
	};
	// The part that the sentence is about shows it; else it stands below.
	const refused = (error) => {
		const to = !rawBox.open && [400, 409].includes(error.status) && !(error.status === 409 && there) ? parts.find((p) => p.names.includes(subjectOf(error.message, error.status))) : null;
		if (to) return to.fail(error.message);
		const meanwhile = error.status === 409 && there;
		return say(h('b.pix.badt', t(meanwhile ? 'CHANGED MEANWHILE' : 'SAVE FAILED')), h('div.sm', error.message), meanwhile ? btn('LOAD THE NEW ONE', { s: true, on: async () => {
			await refresh(spec.list);
			dialog.clean();
			dialog.close();
			spec.reopen(listOf(spec.list).find((x) => x.name === there.name));
		} }) : h('div.xs.soft', error.more));
	};
	const save = async (close) => {
		update(said);
		const out = typed();
		if (!out) return;
		try {
			await (spec.write ? spec.write(out) : there ? change(`${spec.path}/${escaped(there.name)}`, out) : post(spec.path, out));
			dialog.clean();
			close();
			toast(t(there ? `${kind} UPDATED` : `${kind} CREATED`), out.name);
			spec.saved?.(out.name);
		} catch (error) {
			refused(error);
		}
		refresh(spec.list, ...(spec.also ?? []));
	};
	const drop = async (close) => {
		const used = spec.usedBy?.(there.name);
		if (!(await confirm_(`DELETE ${kind}`, t(`DELETE ${kind} "{0}"?`, there.name), 'DELETE', { kind: 'dang', word: there.name, details: used ? note('b-warn', h('div', used)) : null }))) return;
		try {
			await remove(`${spec.path}/${escaped(there.name)}`);
			dialog.clean();
			close();
			toast(t(`${kind} DELETED`), there.name);
		} catch (error) {
			say(h('b.pix.badt', t('DELETE FAILED')), h('div.sm', error.message));
		}
		refresh(spec.list, ...(spec.also ?? []));
	};
	const fields = h('div.form2', h('div.col.gap3', spec.left.filter(Boolean).map((p) => p.el)), h('div.col.gap3', spec.right.filter(Boolean).map((p) => p.el), rawBox));
	fields.addEventListener('input', pane.look);
	const dialog = modal(`${there ? 'EDIT' : 'ADD'} ${kind}`, spec.icon ?? 'gate', h('div.rehearsed', h('div.col', fields, said), pane.el),
		(close) => [there && btn('DEL', { k: 'dang', on: () => drop(close) }), h('div.end', btn('CANCEL', { on: () => dialog.el.dispatchEvent(new Event('cancel', { cancelable: true })) }), btn(spec.save, { k: 'pri', on: () => save(close) }))]);
	dialog.el.classList.add('wide');
	pane.look();
	return dialog;
}
