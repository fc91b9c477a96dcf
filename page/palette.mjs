// Ctrl K: screens, models of Workers, tests of providers, routes, and what the settings do.
import { h, put } from './dom.mjs';
import { keyOf } from './keys.mjs';
import { t } from './i18n.mjs';
import { predicateOf } from './map.mjs';
import { screens } from './screens.mjs';
import { avatar, icon } from './sprites.mjs';
import { isAdmin, listOf, refresh, refreshAll } from './store.mjs';
import { modelDialog } from './model_dialog.mjs';
import { testProvider } from './provider_test.mjs';
import { targets } from './workers.mjs';
import { matches, sayRefreshed } from './ui.mjs';

const SHOWN = 12;

function entries() {
	const to = (hash) => () => (location.hash = hash);
	return [
		...screens().filter(Boolean).map((x) => ({ group: 'GO TO', icon: x.icon, text: t(x.title), key: keyOf(x.name), run: to(`#/${x.name}`) })),
		...targets().map((w) => ({ group: 'ASSIGNMENT', worker: w, text: `${t('SET MODEL')}  ${w.name}`, sub: w.model ?? '', run: () => modelDialog(w) })),
		...listOf('providers').map((p) => ({ group: 'PROVIDERS', icon: 'box', text: `${t('TEST')}  ${p.name}`, sub: p.type, run: () => testProvider(p.name) })),
		...listOf('aiRoutes').filter(isAdmin).map((r) => ({ group: 'ROUTES', icon: 'gate', text: r.name, sub: predicateOf(r) || t('everything else'), run: to(`#/routes/${encodeURIComponent(r.name)}`) })),
		...listOf('consumers').map((c) => ({ group: 'CONSUMERS', icon: 'key', text: c.name, sub: '', run: to(`#/consumers/${encodeURIComponent(c.name)}`) })),
		{ group: 'ACTIONS', icon: 'box', text: t('+ ADD PROVIDER'), run: to('#/providers/+new') },
		...(isAdmin() ? [{ group: 'ACTIONS', icon: 'disk', text: t('BACKUP NOW'), run: to('#/backup/+new') }] : []),
		{ group: 'ACTIONS', icon: 'reset', text: t('REFRESH ALL'), run: () => refreshAll().then(sayRefreshed) },
	];
}

export function openPalette() {
	document.querySelector('.palette')?.remove();
	refresh('providers', 'aiRoutes', 'consumers').then(() => box.isConnected && draw());
	const opener = document.activeElement;
	let at = 0;
	let list = [];
	const ul = h('ul', { role: 'listbox', id: 'palette-list', 'aria-label': t('command palette') });
	const q = h('input', { placeholder: t('Search or run a command'), 'aria-label': t('Search or run a command'), role: 'combobox', 'aria-expanded': 'true', 'aria-controls': 'palette-list', autocomplete: 'off', spellcheck: 'false' });
	const box = h('dialog.palette', { 'aria-label': t('command palette') }, h('div.menu', h('div.q', icon('find', 2), q, h('kbd', 'Esc')), ul));
	const close = () => {
		box.close();
		box.remove();
		opener?.isConnected && opener.focus();
	};
	const run = (x) => {
		close();
		x.run();
	};
	const pick = () => {
		const all = entries().filter((x) => matches(q.value, x.text, x.sub ?? ''));
		if (q.value.trim()) return all.slice(0, SHOWN);
		const few = {};
		return all.filter((x) => (few[x.group] = (few[x.group] ?? 0) + 1) <= (x.group === 'GO TO' ? 14 : 2));
	};
	const draw = () => {
		list = pick();
		at = Math.max(0, Math.min(at, list.length - 1));
		let group;
		put(ul, list.map((x, i) => [x.group !== group && h('li.grp', { role: 'presentation' }, t((group = x.group))),
			h('li.it' + (i === at ? '.on' : ''), { role: 'option', id: `palette-${i}`, 'aria-selected': String(i === at), onclick: () => run(x) }, x.worker ? avatar(x.worker, 2) : icon(x.icon, 2), h('span', x.text), h('span.end.xs.soft', x.key ? [h('kbd', 'g'), h('kbd', x.key)] : x.sub))]),
		list.length ? null : h('li.grp', { role: 'presentation' }, t('Nothing of that name.')));
		if (list.length) q.setAttribute('aria-activedescendant', `palette-${at}`);
		else q.removeAttribute('aria-activedescendant');
		ul.querySelector('.on')?.scrollIntoView({ block: 'nearest' });
	};
	q.addEventListener('input', () => {
		at = 0;
		draw();
	});
	box.addEventListener('keydown', (e) => {
		if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
			e.preventDefault();
			at += e.key === 'ArrowDown' ? 1 : -1;
			draw();
		} else if (e.key === 'Enter' && list[at]) {
			e.preventDefault();
			run(list[at]);
		}
	});
	box.addEventListener('cancel', (e) => {
		e.preventDefault();
		close();
	});
	box.addEventListener('mousedown', (e) => e.target === box && close());
	document.body.append(box);
	box.showModal();
	draw();
	q.focus();
}
