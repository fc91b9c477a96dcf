import { post } from './api.mjs';
import { h, update } from './dom.mjs';
import { signOut } from './gate.mjs';
import { isZh, t } from './i18n.mjs';
import * as prefs from './prefs.mjs';
import { room } from './sprites.mjs';
import { isAdmin, store } from './store.mjs';
import { body, btn, field, input, modal, note, panel, refuse, toast } from './ui.mjs';

const SCALES = [90, 100, 125, 150, 200];
const SHORTCUTS = [
	[['Ctrl K'], 'command palette'],
	[['g h', 'g p', 'g a', 'g m', 'g r', 'g c', 'g d', 'g t', 'g b', 'g l', 'g s'], 'go to a screen'],
	[['/'], 'filter the list'],
	[['n'], 'new'],
	[['r'], 'refresh'],
	[['j', 'k'], 'next or previous row'],
	[['?'], 'this list'],
	[['Esc'], 'close'],
];
const GUIDES = [['OpenClaw & HiClaw', 'openclaw.md'], ['Claude Code', 'claude-code.md'], ['Codex', 'codex.md'], ['OpenAI SDK', 'openai-sdk.md']];

function passwordDialog() {
	const old = field('OLD PASSWORD', input('', { type: 'password', autocomplete: 'current-password' }));
	const one = field('NEW PASSWORD', input('', { type: 'password', autocomplete: 'new-password' }), t('at least {0} characters', 8));
	const two = field('REPEAT PASSWORD', input('', { type: 'password', autocomplete: 'new-password' }));
	const said = h('div', { 'aria-live': 'polite' });
	const dialog = modal('CHANGE PASSWORD', 'key', h('div.col.gap3', old, one, two, said), (close) => [h('div.end', btn('CANCEL', { on: close }), btn('SAVE', { k: 'pri', on: async () => {
		if (one.input.value.length < 8) return refuse(one, t('at least {0} characters', 8));
		if (two.input.value !== one.input.value) return refuse(two, t('The two passwords differ.'));
		try {
			await post('user/changePassword', { oldPassword: old.input.value, newPassword: one.input.value });
			await post('session/login', { username: store.user?.name ?? 'admin', password: one.input.value }, { anonymous: true });
			dialog.clean();
			close();
			toast(t('PASSWORD CHANGED'), t('Other sessions have ended.'));
		} catch (error) {
			update(said, note('b-bad', h('div', error.message)));
		}
	} }))], { narrow: true });
}

export function draw({ redraw }) {
	const set = (label, ...kids) => h('div.set', { role: 'group', 'aria-label': t(label) }, h('span.lbl', t(label)), h('div.row.w', kids));
	const choice = (items, now, on) => items.map(([value, label, raw]) => btn(label, { s: true, raw, pressed: value === now, on: () => {
		on(value);
		redraw();
	} }));
	const info = store.info ?? {};
	const listeners = Object.entries(store.monitor.status?.gateway?.listeners ?? {}).map(([what, of]) => `${Array.isArray(of) ? `${what} ` : ''}${[of].flat().join(' ')}`);
	return h('div.set-l', panel('LOOK', 'gear', h('span.xs.soft', t('Stored in this browser only.')), body(h('div.col',
		h('div.set', h('span.lbl', t('THEME')), h('div.themes', [['pixel', 'Pixel'], ['cyber', 'Cyber'], ['office', 'Office']].map(([value, label]) => h('button.tcard', { type: 'button', 'data-theme': value, 'aria-pressed': String(prefs.theme() === value), onclick: () => {
			prefs.setTheme(value);
			redraw();
		} }, h('span.tprev', room({ name: 'alice', state: 'busy' }, 4)), h('span.pix', t(label)))))),
		set('AUTO', choice([['auto', 'FOLLOW THE SYSTEM']], prefs.theme(), prefs.setTheme)),
		set('SCALE', choice(SCALES.map((n) => [n, `${n} %`, true]), prefs.scaleOf(), prefs.setScale)),
		set('LANGUAGE', choice([['en', 'English', true], ['zh', '简体中文', true]], isZh() ? 'zh' : 'en', prefs.setLanguage)),
		set('MOTION', choice([['system', 'SYSTEM'], ['off', 'OFF']], prefs.motion(), prefs.setMotion)),
		set('SCAN LINES', choice([[true, 'ON'], [false, 'OFF']], prefs.lines(), prefs.setLines))))),
	h('div.col', panel('SHORTCUTS', 'bolt', null, body(h('div.col.gap3', h('dl.keysl', SHORTCUTS.map(([list, what]) => [h('dt', list.map((k) => h('kbd', k))), h('dd', t(what))])), set('KEYS', choice([[true, 'ON'], [false, 'OFF']], prefs.hasShortcuts(), prefs.setShortcuts))))),
		panel('SERVER', 'gate', null, body(h('div.col.gap3', h('dl.kv', h('dt', t('version')), h('dd', `sluice ${info.version ?? '—'}`), h('dt', t('this page')), h('dd.any', document.baseURI.replace(/#.*/, '')), listeners.length ? [h('dt', t('listeners')), h('dd', listeners.join(' · '))] : null, h('dt', t('SESSION')), h('dd', store.user?.name ?? '—'), h('dt', t('licence')), h('dd', 'Apache-2.0')),
			isAdmin() && h('div.row.w', btn('CHANGE PASSWORD', { s: true, on: passwordDialog }), btn('SIGN OUT', { s: true, on: signOut }))))),
		panel('GUIDES', 'scroll', null, body(h('ul.col.gap2', GUIDES.map(([name, file]) => h('li.row', h('b.grow', name), h('a', { href: new URL(file, import.meta.url).href, target: '_blank', rel: 'noopener' }, file))), h('li.row', h('b.grow', t('API description')), h('a', { href: 'v1/openapi.json', target: '_blank', rel: 'noopener' }, 'v1/openapi.json')))))));
}
