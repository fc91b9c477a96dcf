import { change, get, part, post, remove } from './api.mjs';
import { h, update } from './dom.mjs';
import { exact, number, t } from './i18n.mjs';
import { drop as forget, kept } from './prefs.mjs';
import { icon } from './sprites.mjs';
import { listOf, need, refresh, refreshAll, store } from './store.mjs';
import { body, btn, complain, confirm_, download, empty, field, input, listBody, loading, modal, note, panel, toast, when } from './ui.mjs';

const SLOTS_SHOWN = 50;
const MARK = { adds: ['+', 'add', 'added'], removes: ['−', 'del', 'removed'], changes: ['~', 'chg', 'changed'] };
const markOf = (f) => MARK[f.change] ?? MARK.changes;
const ORIGINAL = 'ai-gateway-backup'; // what the original page left in this browser

export async function backupNow(reason) {
	try {
		await post('v1/backups', { reason });
		toast(t('BACKUP CREATED'), reason);
	} catch (error) {
		complain(t('BACKUP FAILED'), error);
	}
	await refresh('backups');
}

function nowDialog() {
	const reason = field('REASON', input('', { placeholder: t('before the move'), maxlength: 200 }));
	const dialog = modal('BACKUP NOW', 'disk', reason, (close) => [h('div.end', btn('CANCEL', { on: close }), btn('BACKUP NOW', { k: 'pri', on: async () => {
		await backupNow(reason.input.value.trim());
		dialog.clean();
		close();
	} }))], { narrow: true });
}

export function opened({ arg, local, redraw }) {
	if (arg[0] === '+new') {
		history.replaceState(null, '', '#/backup');
		nowDialog();
	}
	if (arg[0] === 'reset') {
		history.replaceState(null, '', '#/backup');
		refresh('backups').then(() => reset(local, redraw));
	}
}

const diffOf = (id) => get(`v1/backups/${part(id)}`).then((got) => got.files ?? []);

function diffList(files) {
	if (!files.length) return h('p.soft', t('no difference'));
	const kinds = [...new Set(files.map((f) => f.kind))].sort();
	return h('div.diffs', kinds.map((kind) => {
		const of = files.filter((f) => f.kind === kind);
		const count = (what) => of.filter((f) => f.change === what).length;
		return h('section', h('div.row', h('b.grow', kind), Object.keys(MARK).map((what) => (count(what) ? h(`span.xs.${MARK[what][1]}`, `${MARK[what][0]}${count(what)} ${t(MARK[what][2])}`) : null))),
			h('ul.dl', of.slice(0, 100).map((f) => h('li', h(`span.mk.${markOf(f)[1]}`, markOf(f)[0]), h('span.any', f.name), h('span.soft.xs', t(markOf(f)[2]))))));
	}));
}

async function restore(b, typed) {
	if (!typed && !(await confirm_('RESTORE', t('Everything goes back to how it was {0}. What is live now is backed up first.', exact(b.time)), 'RESTORE', { word: 'RESTORE' }))) return;
	try {
		await post(`v1/backups/${part(b.id)}/restore`, {}, { ms: 60000 });
		toast(t('CONFIGURATION RESTORED'), b.id);
	} catch (error) {
		toast(t('RESET FAILED'), error.message, true);
	}
	refreshAll();
}

// The header's RESET: back to the last backup, after a look at what that means.
async function reset(local, redraw) {
	const last = listOf('backups')[0];
	if (!last) return toast(t('NO BACKUP FOUND'), t('There is nothing to go back to.'), true);
	const said = h('div', loading(3));
	const dialog = modal('RESET CONFIGURATION', 'reset', h('div.col.gap3', h('p', t('Last backup'), ': ', when(last.time), ' · ', t(last.named ? 'manual' : 'automatic'), ' · ', last.reason || last.what), said), (close) => [h('div.end', btn('CANCEL', { on: close }), btn('CONFIRM RESET', { k: 'warn', on: async () => {
		await restore(last, true);
		close();
		local.chosen = null;
		redraw();
	} }))], { narrow: true });
	try {
		update(said, diffList(await diffOf(last.id)));
	} catch (error) {
		update(said, note('b-bad', h('div', error.message)));
	}
	return dialog;
}

async function downloadBackup(b) {
	if (!(await confirm_('DOWNLOAD', t('The document holds all resources as they were. Secrets are masked in it; a complete copy is on the server.'), 'DOWNLOAD'))) return;
	try {
		download(`sluice-${b.id}.json`, JSON.stringify(maskText(await get(`v1/backups/${part(b.id)}/document`)), null, 1));
	} catch (error) {
		complain(t('DOWNLOAD'), error);
	}
}

// Resources are YAML as the file store writes it, a line per value: what stands at a name of a secret goes, and all below it;
// of a Secret all of its data.
const SECRET = /(tokens?|keys?|secrets?|passwords?|credentials?)$/i;
const SECRET_DATA = /^(data|stringData)$/;
const LINE = /^(\s*)((?:- )*)(?:("?)([\w.\-/]+)\3:(?=\s|$))?\s*(.*)$/;
const IN_JSON = /("(?:[\w]*(?:token|key|secret|password|credential)s?)"\s*:\s*)("(?:[^"\\]|\\.)*"|\[[^\]]*\])/gi;

function maskYaml(text, kind) {
	let depth = null; // of the name whose inside is masked
	return text.split('\n').map((line) => {
		const [, indent, dashes, , name, value] = LINE.exec(line);
		const at = indent.length + dashes.length;
		if (depth !== null && line.trim() && (at < depth || (at === depth && !dashes) || (name && !dashes && indent.length <= depth))) depth = null;
		const secret = name && (SECRET.test(name) || (kind === 'Secret' && SECRET_DATA.test(name)));
		if (depth === null && secret && !/^[|>]?[+-]?$/.test(value)) return line.slice(0, line.length - value.length) + '"******"';
		if (depth === null && secret) depth = at;
		else if (depth !== null && value && !(name && !value)) return line.slice(0, line.length - value.length) + '"******"';
		return line.replace(IN_JSON, '$1"******"');
	}).join('\n');
}
export const maskText = (document_) => ({ ...document_, resources: (document_.resources ?? []).map((r) => ({ ...r, text: maskYaml(r.text, r.kind) })) });

async function deleteBackup(b, local, redraw) {
	if (!(await confirm_('DELETE BACKUP', t('DELETE BACKUP "{0}"?', b.id), 'DELETE', { kind: 'dang' }))) return;
	try {
		await remove(`v1/backups/${part(b.id)}`);
		toast(t('BACKUP DELETED'), b.id);
	} catch (error) {
		complain(t('DELETE FAILED'), error);
	}
	local.chosen = null;
	await refresh('backups');
	redraw();
}

/* --- what the original page left behind ------------------------------------------------------------------- */

const listIn = (x) => (Array.isArray(x) ? x : Array.isArray(x?.data) ? x.data : []);

async function importOriginal(redraw) {
	let made = 0;
	try {
		const old = JSON.parse(kept(ORIGINAL));
		await post('v1/backups', { reason: 'before the import' });
		for (const p of listIn(old.providers)) {
			await change(`v1/ai/providers/${part(p.name)}`, p);
			made++;
		}
		for (const c of listIn(old.consumers)) {
			await change(`v1/consumers/${part(c.name)}`, c);
			made++;
		}
		for (const r of listIn(old.routes)) {
			const { version, ...route } = r;
			await change(`v1/ai/routes/${part(r.name)}`, route);
			made++;
		}
		forget(ORIGINAL);
		toast(t('IMPORTED'), t('{0} objects', made));
	} catch (error) {
		toast(t('IMPORT FAILED'), t('{0}; {1} objects were taken over', error.message, made), true);
	}
	await refreshAll();
	redraw();
}

function original(redraw) {
	const text = kept(ORIGINAL);
	if (!text) return null;
	let when_ = null;
	try {
		when_ = JSON.parse(text).timestamp;
	} catch {
		// it can still be thrown away
	}
	return note('b-warn', h('div.grow', h('b', t('This browser holds a backup of the original page, with keys in clear.')), ' ', when_ ? when(when_) : null, h('div.row.w', btn('IMPORT', { s: true, on: () => importOriginal(redraw) }), btn('REMOVE FROM THIS BROWSER', { s: true, on: () => {
		forget(ORIGINAL);
		redraw();
	} }))));
}

/* --- the slots ------------------------------------------------------------------------------------------------ */

function slots(all, local, redraw) {
	const shown = local.all ? all : all.slice(0, SLOTS_SHOWN);
	const pick = (b) => () => {
		local.chosen = b.id;
		local.diff = null;
		redraw();
		diffOf(b.id).then((files) => (local.diff = { id: b.id, files }), (error) => (local.diff = { id: b.id, error })).finally(redraw);
	};
	return [h('ol.slots', shown.map((b, i) => h('li', { key: b.id }, h('button.slot' + (b.id === local.chosen ? '.on' : ''), { type: 'button', 'aria-pressed': String(b.id === local.chosen), onclick: pick(b) },
		h('span.no.pix', String(all.length - i).padStart(2, '0')),
		h('span.sb', h('span.row', h('b.pix', when(b.time)), h(`span.badge.${b.named ? 'b-ok' : 'b-off'}`, t(b.named ? 'manual' : 'automatic'))), h('span.sm.cut', b.named ? b.reason || t('no reason given') : t('before: {0}', b.what)), h('span.cnt', h('span', icon('disk', 1), t('{0} files', number(b.files))), h('span.soft', [b.actor, `${number(Math.ceil(b.size / 1024))} KB`].filter(Boolean).join(' · ')))))))),
	all.length > shown.length ? body(btn(t('SHOW ALL {0}', all.length), { raw: true, on: () => {
		local.all = true;
		redraw();
	} })) : null];
}

function right(local, redraw) {
	const b = listOf('backups').find((x) => x.id === local.chosen);
	if (!b) return panel('DIFF', 'find', null, empty('disk', 'CHOOSE A SLOT', 'Here is what going back to it would do.'));
	const d = local.diff?.id === b.id ? local.diff : null;
	return h('div.col', panel('DIFF', 'find', h('span.xs.soft', t('what a restore would do')), body(!d ? loading(3) : d.error ? note('b-bad', h('div', d.error.message)) : diffList(d.files))),
		panel('RESTORE', 'reset', h('span.xs.soft', b.id), body(h('div.col.gap3', note('b-info', h('div.sm', t('A backup of the present state is made first. All of it is restored, or nothing.'))),
			h('div.row.w', btn('RESTORE', { k: 'warn', off: !d?.files?.length, tip: d?.files?.length ? undefined : t('no difference'), on: () => restore(b) }), btn('DOWNLOAD', { on: () => downloadBackup(b) }), h('span.grow'), btn('DELETE', { k: 'dang', on: () => deleteBackup(b, local, redraw) }))))));
}

export function draw({ local, redraw }) {
	need('backups');
	return h('div.col', original(redraw), h('div.bk', panel('BACKUPS', 'disk', h('span', { 'data-new': true }, btn('BACKUP NOW', { s: true, k: 'pri', on: nowDialog })),
		listBody(store.lists.backups, empty('disk', 'NO BACKUPS', 'Each change leaves one behind; the first comes with the first change.', btn('BACKUP NOW', { k: 'pri', on: nowDialog })), () => refresh('backups'), (all) => slots(all, local, redraw))), right(local, redraw)));
}
