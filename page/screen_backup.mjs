// The backups of the server, newest first: what going back to one would do.
import { change, part, post, remove } from './api.mjs';
import { SECTIONS, diffList, diffOf, importDialog, look, restore, restorePanels } from './backup_restore.mjs';
import { h, update } from './dom.mjs';
import { number, t } from './i18n.mjs';
import { drop as forget, kept } from './prefs.mjs';
import { icon } from './sprites.mjs';
import { listOf, need, refresh, refreshAll, store } from './store.mjs';
import { body, btn, complain, confirm_, empty, field, input, listBody, loading, modal, note, panel, toast, when } from './ui.mjs';

const SLOTS_SHOWN = 50;
const ORIGINAL = 'ai-gateway-backup'; // what the original page left in this browser

export async function backupNow(reason) {
	try {
		await post('ni_status/backups', { reason });
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

// The header's RESET: back to the last backup, after a look at what that means.
async function reset(local, redraw) {
	const last = listOf('backups')[0];
	if (!last) return toast(t('NO BACKUP FOUND'), t('There is nothing to go back to.'), true);
	const said = h('div', loading(3));
	const dialog = modal('RESET CONFIGURATION', 'reset', h('div.col.gap3', h('p', t('Last backup'), ': ', when(last.time), ' · ', t(last.named ? 'manual' : 'automatic'), ' · ', last.reason), said), (close) => [h('div.end', btn('CANCEL', { on: close }), btn('CONFIRM RESET', { k: 'warn', on: async () => {
		await restore(last, { asked: true });
		close();
		local.chosen = null;
		redraw();
	} }))], { narrow: true });
	try {
		update(said, diffList(await diffOf(last)));
	} catch (error) {
		update(said, note('b-bad', h('div', error.message)));
	}
	return dialog;
}

async function deleteBackup(b, local, redraw) {
	if (!(await confirm_('DELETE BACKUP', t('DELETE BACKUP "{0}"?', b.id), 'DELETE', { kind: 'dang' }))) return;
	try {
		await remove(`ni_status/backups/${part(b.id)}`);
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
		await post('ni_status/backups', { reason: 'before the import' });
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

const contents = (b) => Object.entries(b.counts ?? {}).filter(([, n]) => n).map(([name, n]) => `${n} ${t(SECTIONS[name] ?? name)}`).join(', ');

function slots(all, local, redraw) {
	const shown = local.all ? all : all.slice(0, SLOTS_SHOWN);
	const pick = (b) => () => {
		local.chosen = b.id;
		look(b, local, redraw);
		redraw();
	};
	return [h('ol.slots', shown.map((b, i) => h('li', { key: b.id }, h('button.slot' + (b.id === local.chosen ? '.on' : ''), { type: 'button', 'aria-pressed': String(b.id === local.chosen), onclick: pick(b) },
		h('span.no.pix', String(all.length - i).padStart(2, '0')),
		h('span.sb', h('span.row', h('b.pix', when(b.time)), h(`span.badge.${b.named ? 'b-ok' : 'b-off'}`, t(b.named ? 'manual' : 'automatic'))), h('span.sm.cut', b.named ? b.reason || t('no reason given') : /^before /.test(b.reason) ? b.reason : t('before: {0}', b.reason)), h('span.cnt', h('span', { title: contents(b) }, icon('disk', 1), b.objects === null ? t('of all objects') : t('{0} objects', number(b.objects))), h('span.soft', [b.actor, `${number(Math.ceil(b.size / 1024))} KB`].filter(Boolean).join(' · ')))))))),
	all.length > shown.length ? body(btn(t('SHOW ALL {0}', all.length), { raw: true, on: () => {
		local.all = true;
		redraw();
	} })) : null];
}

function right(local, redraw) {
	const b = listOf('backups').find((x) => x.id === local.chosen);
	if (!b || local.look?.id !== b.id) return panel('DIFF', 'find', null, empty('disk', 'CHOOSE A SLOT', 'Here is what going back to it would do.'));
	return restorePanels(b, local, redraw, () => deleteBackup(b, local, redraw));
}

export function draw({ local, redraw }) {
	need('backups');
	return h('div.col', original(redraw), h('div.bk', panel('BACKUPS', 'disk', [btn('IMPORT', { s: true, on: () => importDialog((id) => {
		local.chosen = id;
		look({ id }, local, redraw);
		redraw();
	}) }), h('span', { 'data-new': true }, btn('BACKUP NOW', { s: true, k: 'pri', on: nowDialog }))],
		listBody(store.lists.backups, empty('disk', 'NO BACKUPS', 'Each change leaves one behind; the first comes with the first change.', btn('BACKUP NOW', { k: 'pri', on: nowDialog })), () => refresh('backups'), (all) => slots(all, local, redraw))), right(local, redraw)));
}
