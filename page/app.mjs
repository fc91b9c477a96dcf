// The frame around the screens: header, navigation, addresses, keys, the command palette, and what is shown when the server
// is gone or the session has ended.
import { get, onChange, onSessionEnd } from './api.mjs';
import { startBeat } from './beat.mjs';
import { h, put, update } from './dom.mjs';
import { ago, isZh, missing, short, t } from './i18n.mjs';
import { firstRun, signIn } from './gate.mjs';
import { routes as keys } from './keys.mjs';
import { openPalette } from './palette.mjs';
import * as prefs from './prefs.mjs';
import { perMinute, series } from './samples.mjs';
import { screenOf, screens } from './screens.mjs';
import { icon } from './sprites.mjs';
import { isAdmin, isStale, onNews, refreshAll, start, store, tell } from './store.mjs';
import { btn, lamp, liftToasts, messages, modal, sayRefreshed, when } from './ui.mjs';
import { warnings } from './warnings.mjs';

const root = document.getElementById('app');
let shown = null; // { name, arg, local }

const go = (hash) => (location.hash = hash);

function addressed() {
	const [, name = 'home', ...rest] = location.hash.replace(/\?.*/, '').split('/');
	return { name: screenOf(name) ? name : 'home', arg: rest.map(decodeURIComponent) };
}

/* --- the frame -------------------------------------------------------------------------------------------- */

function connection() {
	const c = store.connection;
	const word = { LIVE: ['l-ok', 'LIVE'], POLLING: ['l-info', 'POLLING'], OFFLINE: ['l-bad', 'OFFLINE'] }[c.state];
	return h('span.conn', { title: t('last answer: {0}', c.lastAt ? ago(c.lastAt) : '—') }, lamp(word[0]), h('span.pix', t(word[1])), h('span.xs.soft', c.lastAt && c.state === 'OFFLINE' ? ago(c.lastAt) : ''));
}

function themeSquares() {
	const now = prefs.theme();
	const pick = (value) => () => {
		prefs.setTheme(value);
		render();
	};
	const move = (e) => {
		const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];
		if (!by) return;
		e.preventDefault();
		const all = prefs.THEMES;
		const at = all.indexOf(now);
		prefs.setTheme(all[(at + by + all.length) % all.length]);
		render();
		root.querySelector('.th[aria-checked=true]')?.focus();
	};
	return h('div.themes3', { role: 'radiogroup', 'aria-label': t('THEME'), onkeydown: move }, prefs.THEMES.map((value) => {
		const name = value[0].toUpperCase() + value.slice(1);
		return h(`button.th.${value}`, { type: 'button', role: 'radio', 'aria-checked': String(now === value), tabindex: now === value ? 0 : -1, title: t(name), 'aria-label': t(name), onclick: pick(value) }, value === 'auto' ? 'A' : null);
	}));
}

// What needs somebody, and what was said before it went.
function messagesDialog() {
	const rows = (all, nothing) => (all.length ? h('ul.col.gap2.said', all) : h('p.soft', t(nothing)));
	modal('MESSAGES', 'bell', h('div.col.gap3',
		h('section.col.gap2', h('h3', t('WARNINGS')), rows(warnings().map((w) => h('li', h('div', w.text), h('div.xs.soft.any', w.sub))), 'Nothing needs you.')),
		h('section.col.gap2', h('h3', t('HISTORY')), rows(messages().map((m) => h('li', h('div.row', h(`span.grow.any${m.bad ? '.badt' : ''}`, m.text), h('span.xs.soft.nw', when(m.at))), h('div.xs.soft.any', m.sub))), 'Nothing was said yet.'))),
	(close) => [h('div.end', btn('HOME', { on: () => {
		close();
		go('#/home');
	} }), btn('CLOSE', { k: 'pri', on: close }))], { narrow: true });
}

function header(count) {
	const zh = isZh();
	return h('header.top',
		h('a.brand', { href: '#/home', 'aria-label': `${t('AI GATEWAY MANAGEMENT')} ${t('HOME')}` }, icon('gate', 2), h('h1', t('AI GATEWAY MANAGEMENT'))),
		h('button.find', { type: 'button', onclick: () => openPalette(), 'aria-label': `${t('Search or run a command')} Ctrl K` }, icon('find', 1), h('span.grow', t('Search or run a command')), ' ', h('kbd', 'Ctrl K')),
		connection(), themeSquares(),
		h('button.btn.ghost.s.lng', { type: 'button', onclick: () => {
			prefs.setLanguage(zh ? 'en' : 'zh');
			render();
		}, lang: zh ? 'en' : 'zh-CN', 'aria-label': zh ? 'EN English' : '中文 简体中文' }, zh ? 'EN' : '中文'),
		h('button.btn.ghost.ic.s.bell', { type: 'button', onclick: messagesDialog, 'aria-label': `${t('WARNINGS')} ${count}` }, icon('bell', 2), count ? h('i', count) : null),
		isAdmin() && h('span.hide-s', btn('RESET', { k: 'warn', s: true, i: 'reset', on: () => go('#/backup/reset') })));
}

function tank() {
	const now = perMinute();
	const peak = Math.max(...series('total', '', 0, 60, 3600000).map((v) => v ?? 0), now ?? 0);
	const level = now && peak ? Math.max(8, Math.round((now / peak) * 90)) : 0;
	return h('div.tank', h('div.row', h('span.num', now === null ? '—' : short(now)), h('span.xs.soft', t('REQUESTS/MIN'))),
		h('div.wt' + (level ? '' : '.dry'), { style: { '--lv': `${level}%` } }),
		h('div.row.xs.soft', h('span', `sluice ${store.info?.version ?? ''}`), h('span.grow'), h('span', t('peak {0}', short(peak)))));
}

function rail(current, count) {
	return h('nav.rail', { 'aria-label': t('Main') }, h('div.rl', screens().map((x) =>
		x ? h('a', { href: `#/${x.name}`, 'aria-current': current === x.name ? 'page' : null, 'data-k': x.name }, icon(x.icon, 2), h('span', t(x.title)), x.name === 'home' && count ? h('i.n', count) : null) : h('hr')),
	h('button.more', { type: 'button', onclick: () => openPalette() }, icon('gear', 2), h('span', t('MORE')))), tank());
}

function lostBar() {
	if (!isStale()) return null;
	const left = Math.max(0, Math.round((store.connection.retryAt - Date.now()) / 1000));
	return h('div.lost', { role: 'alert' }, icon('warn', 1), h('span.pix', t('CONNECTION LOST — RETRYING IN {0}', left)), h('span.xs', t('what is shown is of {0}', ago(store.connection.lastAt))));
}

function screen() {
	return screenOf(shown.name).draw({ arg: shown.arg, local: shown.local, redraw: render, go, refresh: () => refreshAll() });
}

let drawing = false;
function draw() {
	const count = warnings().length;
	const x = screenOf(shown.name);
	const active = document.activeElement;
	update(root, () => [
		h('a.skip', { href: '#main', onclick: (e) => {
			e.preventDefault();
			document.getElementById('main').focus();
		} }, t('Skip to content')),
		header(count), lostBar(),
		h('div.shell', rail(shown.name, count), h('main', { id: 'main', tabindex: -1, class: `m-${shown.name}${isStale() ? ' stale' : ''}` }, h('h2.sr', t(x.title)), screen()))]);
	// What had the focus is gone with what it did: who goes on with the keyboard is not sent to the top.
	if (active !== document.activeElement && !active.isConnected) document.getElementById('main').focus({ preventScroll: true });
	document.title = `${t(x.title)} · ${t('AI GATEWAY MANAGEMENT')}`;
}

function render() {
	if (!shown || drawing) return;
	drawing = true;
	requestAnimationFrame(() => {
		drawing = false;
		if (shown) draw();
	});
}

function navigate() {
	const next = addressed();
	const moved = !shown || shown.name !== next.name;
	shown = moved ? { ...next, local: {} } : { ...shown, arg: next.arg };
	if (moved) for (const d of document.querySelectorAll('dialog:not(.cover)')) d.remove();
	liftToasts();
	if (moved) put(document.getElementById('main') ?? h('i'));
	const x = screenOf(next.name);
	x.enter?.(shown);
	draw();
	if (moved) scrollTo(0, 0);
	x.opened?.({ arg: shown.arg, local: shown.local, redraw: render, go });
}

/* --- the session -------------------------------------------------------------------------------------------- */

let renewing = null;
// Over whatever is shown: what was typed there stays.
onSessionEnd(() => (renewing ??= new Promise((done) => {
	const cover = h('dialog.cover', { 'aria-label': t('SIGN IN') });
	cover.addEventListener('cancel', (e) => e.preventDefault());
	put(cover, signIn({ ended: true, onDone: (user) => {
		store.user = user;
		cover.close();
		cover.remove();
		renewing = null;
		done();
	} }));
	document.body.append(cover);
	cover.showModal();
	cover.querySelector('input[type=password]').focus();
})));

function forgetOriginal() {
	for (const key of ['higress_user', 'higress_pass']) prefs.drop(key);
}

async function enter(user) {
	store.user = user;
	forgetOriginal();
	get('system/info').then((info) => {
		store.info = info;
		tell();
	}, () => {});
	start();
	navigate();
}

// Whether something on the way, as a proxy, puts the Manager's key into requests. Only who is known is told more than that the
// server is healthy.
async function isManager() {
	try {
		return Boolean((await get('ni_status/health', { anonymous: true })).version && (await get('ni_status/status', { anonymous: true })));
	} catch {
		return false;
	}
}

async function boot() {
	let config;
	try {
		config = await get('system/config', { anonymous: true });
		if (config?.['system.initialized']) return enter(await get('user/info', { anonymous: true }));
		return put(root, firstRun({ onDone: enter }));
	} catch (error) {
		if (error.status === 401) return (await isManager()) ? enter({ name: 'manager', limited: true }) : put(root, signIn({ onDone: enter }));
		put(root, h('div.signin', h('section.gatebox.panel', h('h1', 'SLUICE'), h('p', error.message), btn('RETRY', { k: 'pri', on: boot }))));
	}
}

/* --- keys ------------------------------------------------------------------------------------------------------- */

const FOLLOW_MS = 300;
const SEQUENCE_MS = 3000; // for slow fingers too
let prefix = 0;
addEventListener('keydown', (e) => {
	if (!shown) return;
	if ((e.ctrlKey || e.metaKey) && e.key === 'k') {
		e.preventDefault();
		return openPalette();
	}
	if (!prefs.hasShortcuts() || /INPUT|SELECT|TEXTAREA/.test(e.target.tagName) || e.ctrlKey || e.metaKey || e.altKey || document.querySelector('dialog[open]')) return;
	if (prefix && Date.now() - prefix < SEQUENCE_MS) {
		prefix = 0;
		const to = keys[e.key];
		if (to) go(`#/${to}`);
		return;
	}
	const act = {
		g: () => (prefix = Date.now()),
		r: () => refreshAll().then(sayRefreshed),
		n: () => {
			const make = document.querySelector('main [data-new] button');
			make?.focus(); // it comes back here
			make?.click();
		},
		'?': () => go('#/settings'),
		'/': () => (document.querySelector('main input[type=search]') ? document.querySelector('main input[type=search]').focus() : openPalette()),
		j: () => rowStep(1),
		k: () => rowStep(-1),
	}[e.key];
	if (!act) return;
	e.preventDefault();
	act();
});
function rowStep(by) {
	const rows = [...document.querySelectorAll('main tbody tr:not(.fill, .detail)')].map((row) => row.querySelector('a, button')).filter(Boolean);
	const at = rows.findIndex((el) => el.closest('tr').contains(document.activeElement));
	rows[Math.max(0, Math.min(rows.length - 1, at + by))]?.focus();
}

document.addEventListener('visibilitychange', () => document.body.classList.toggle('paused', document.hidden));
addEventListener('hashchange', () => shown && navigate());
addEventListener('storage', (e) => {
	if (!e.key?.startsWith('sluice-') && e.key !== 'ai-gateway-theme') return;
	prefs.apply();
	render();
});
// What one tab has changed the others look at.
const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('sluice') : null;
let following = 0;
if (channel) {
	channel.onmessage = () => {
		clearTimeout(following); // a change is often several calls
		following = setTimeout(() => document.hidden || refreshAll(), FOLLOW_MS); // who is hidden looks when he comes back
	};
	onChange(() => channel.postMessage('changed'));
}
onNews(render);
startBeat();
boot();

export { missing }; // for the tests

