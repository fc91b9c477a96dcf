// Going back to a backup, as a whole or by sections, and its way out of the server and in again.
import { get, part, post } from './api.mjs';
import { h } from './dom.mjs';
import { exact, t } from './i18n.mjs';
import { refresh, refreshAll } from './store.mjs';
import { body, btn, confirm_, download, field, input, loading, modal, note, panel, refuse, select, tick, toast } from './ui.mjs';

const MARK = { added: ['+', 'add'], removed: ['−', 'del'], changed: ['~', 'chg'] };
const NAMES_SHOWN = 100;
const PASSPHRASE_MIN = 8;
export const SECTIONS = {
	settings: 'Settings', certificates: 'Certificates', domains: 'Domains', serviceSources: 'Service sources', providers: 'Providers', consumers: 'Consumers', aiRoutes: 'AI routes', routes: 'HTTP routes',
	mcpServers: 'MCP servers', plugins: 'Plugins', pluginInstances: 'Plugins in use', assignments: 'Assignments', openclaw: "Agents' configurations",
};
const base = (b) => `ni_status/backups/${part(b.id)}`;
const count = (d) => (d.added?.length ?? 0) + (d.changed?.length ?? 0) + (d.removed?.length ?? 0);

// { section: { added, changed, removed } } of what a restore would do, without the sections in which it does nothing.
export async function diffOf(b, mode = 'replace') {
	const { diff } = mode === 'replace' ? await get(`${base(b)}/diff`) : await post(`${base(b)}/restore`, { mode, dryRun: true }, { ms: 60000 });
	return Object.fromEntries(Object.keys(SECTIONS).filter((name) => diff[name] && count(diff[name])).map((name) => [name, diff[name]]));
}

function namesOf(d) {
	const all = Object.keys(MARK).flatMap((what) => (d[what] ?? []).map((name) => [what, name]));
	return h('ul.dl', all.slice(0, NAMES_SHOWN).map(([what, name]) => h('li', h(`span.mk.${MARK[what][1]}`, MARK[what][0]), h('span.any', name), h('span.soft.xs', t(what)))),
		all.length > NAMES_SHOWN ? h('li', h('span'), h('span.soft.xs', t('and {0} more', all.length - NAMES_SHOWN))) : null);
}

// picked: a Set of the sections that are wanted, which the boxes change; none: nothing can be chosen.
export function diffList(diff, picked, onPick) {
	const names = Object.keys(diff);
	if (!names.length) return h('p.soft', t('no difference'));
	return h('div.diffs', names.map((name) => h('section', { key: name }, h('div.row', picked ? h('b.grow', tick(SECTIONS[name], picked.has(name), { 'data-section': name, onchange: (e) => {
		if (e.target.checked) picked.add(name);
		else picked.delete(name);
		onPick();
	} })) : h('b.grow', t(SECTIONS[name])), Object.keys(MARK).map((what) => (diff[name][what]?.length ? h(`span.xs.${MARK[what][1]}`, `${MARK[what][0]}${diff[name][what].length} ${t(what)}`) : null))), namesOf(diff[name]))));
}

// What has become of it stays to be read: more than a message can hold.
function tell(got) {
	const restored = Object.fromEntries(Object.entries(got?.restored ?? {}).filter(([name, d]) => SECTIONS[name] && count(d)));
	toast(t('CONFIGURATION RESTORED'), t('{0} objects', Object.values(restored).reduce((n, d) => n + count(d), 0)));
	if (got?.warnings?.length) modal('RESTORED IN PART', 'warn', h('div.col.gap3', note('b-warn', h('div', got.warnings.map((w) => h('div.sm', w.message ?? w)))), diffList(restored)), (close) => [h('div.end', btn('CLOSE', { k: 'pri', on: close }))]);
}

// sections: names, null: all. asked: nothing more has to be typed.
export async function restore(b, { sections = null, mode = 'replace', asked = false } = {}) {
	const what = sections ? t('{0} of the backup of {1}. What is live now is backed up first.', sections.map((name) => t(SECTIONS[name])).join(', '), exact(b.time)) : t('Everything goes back to how it was {0}. What is live now is backed up first.', exact(b.time));
	if (!asked && !(await confirm_('RESTORE', what, 'RESTORE', { word: 'RESTORE' }))) return;
	try {
		tell(await post(`${base(b)}/restore`, { mode, ...(sections ? { sections } : {}) }, { ms: 60000 }));
	} catch (error) {
		toast(t('RESET FAILED'), [error.message, error.more].filter(Boolean).join(' · '), true);
	}
	refreshAll();
}

/* --- out and in ------------------------------------------------------------------------------------------ */

export function downloadDialog(b) {
	const how = field('SECRETS', select([['none', t('left out')], ['masked', t('masked')], ['encrypted', t('in a file that a passphrase locks')]], 'none'), t('Where secrets are left out they stay as they are when it is restored.'));
	const word = field('PASSPHRASE', input('', { type: 'password', autocomplete: 'new-password' }), t('at least {0} characters', PASSPHRASE_MIN));
	const look = () => (word.hidden = how.input.value !== 'encrypted');
	how.input.addEventListener('change', look);
	look();
	const dialog = modal('DOWNLOAD', 'disk', h('div.col.gap3', how, word), (close) => [h('div.end', btn('CANCEL', { on: close }), btn('DOWNLOAD', { k: 'pri', on: async () => {
		const sealed = how.input.value === 'encrypted';
		if (sealed && word.input.value.length < PASSPHRASE_MIN) return refuse(word, t('at least {0} characters', PASSPHRASE_MIN));
		try {
			download(`sluice-backup-${b.id}.json`, await get(`${base(b)}?secrets=${how.input.value}`, { text: true, headers: sealed ? { 'X-Backup-Passphrase': word.input.value } : {} }));
		} catch (error) {
			return refuse(sealed ? word : how, error.message);
		}
		dialog.clean();
		return close();
	} }))], { narrow: true });
}

export function importDialog(done) {
	const file = field('FILE', h('input', { type: 'file', accept: '.json,application/json' }));
	const word = field('PASSPHRASE', input('', { type: 'password', autocomplete: 'off' }), t('of a file that one locks; else empty'));
	const dialog = modal('IMPORT', 'disk', h('div.col.gap3', file, word), (close) => [h('div.end', btn('CANCEL', { on: close }), btn('IMPORT', { k: 'pri', on: async () => {
		const [chosen] = file.input.files;
		if (!chosen) return refuse(file, t('The file is missing.'));
		let got;
		try {
			got = await post('ni_status/backups/import', JSON.parse(await chosen.text()), { headers: word.input.value ? { 'X-Backup-Passphrase': word.input.value } : {} });
		} catch (error) {
			return refuse(word.input.value ? word : file, error.message);
		}
		dialog.clean();
		close();
		toast(t('IMPORTED'), t('It is a backup now; nothing has changed yet.'));
		await refresh('backups');
		return done(got.backup.id);
	} }))], { narrow: true });
}

/* --- what would change, and the choice --------------------------------------------------------------------- */

// local: what the screen keeps: { id, mode, diff, error, picked }.
export function look(b, local, redraw) {
	const mine = (local.look = { id: b.id, mode: local.look?.id === b.id ? local.look.mode : 'replace', diff: null, error: null, picked: null });
	diffOf(b, mine.mode).then((diff) => Object.assign(mine, { diff, picked: new Set(Object.keys(diff)) }), (error) => (mine.error = error)).finally(redraw);
}

export function restorePanels(b, local, redraw, onDelete) {
	const l = local.look;
	const mode = select([['replace', t('as it was: what is new goes')], ['merge', t('what is new stays')]], l.mode, { 'aria-label': t('MODE'), onchange: (e) => {
		l.mode = e.target.value;
		look(b, local, redraw);
		redraw();
	} });
	const all = l.diff && l.picked.size === Object.keys(l.diff).length;
	return h('div.col', panel('DIFF', 'find', h('span.xs.soft', t('what a restore would do')), body(l.error ? note('b-bad', h('div', l.error.message)) : l.diff ? diffList(l.diff, l.picked, redraw) : loading(3))),
		panel('RESTORE', 'reset', h('span.xs.soft', b.id), body(h('div.col.gap3', h('span.field', mode), note('b-info', h('div.sm', t('A backup of the present state is made first. All that is chosen is restored, or nothing.'))),
			h('div.row.w', btn('RESTORE', { k: 'warn', off: !l.picked?.size, tip: l.picked?.size ? undefined : t('no difference'), on: () => restore(b, { mode: l.mode, sections: all ? null : [...l.picked] }) }), btn('DOWNLOAD', { on: () => downloadDialog(b) }), h('span.grow'), btn('DELETE', { k: 'dang', on: onDelete }))))));
}
