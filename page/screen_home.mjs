// Is it up, who is working, what needs me, what can I do.
import { h, island, update } from './dom.mjs';
import { exact, isZh, number, short, t } from './i18n.mjs';
import { routingMap } from './map.mjs';
import { modelDialog } from './model_dialog.mjs';
import { providerDialog } from './provider_dialog.mjs';
import { testProvider } from './provider_test.mjs';
import { metricCards } from './gauges.mjs';
import { backupNow } from './screen_backup.mjs';
import { latest } from './samples.mjs';
import { icon } from './sprites.mjs';
import { counted, series } from './samples.mjs';
import { isAdmin, listOf, need, refreshAll, store } from './store.mjs';
import { CHIP, STATE, badge, body, btn, empty, lamp, panel, pending, roomOf, sayRefreshed, spark, stateLine, toast, when } from './ui.mjs';
import { warnings } from './warnings.mjs';
import { consumerOf, crew, manager, targets, workers } from './workers.mjs';

const ROOMS_SHOWN = 24;
const HOUR = 3600000;

const tile = (href, ic, title, [lampKind, value], sub, extra) => h('a.tile', { href }, h('span.tic', icon(ic, 2)), h('span.tb', h('span.tt', t(title)), h('span.tv.pix', lamp(lampKind), h('span.cut', value), extra), h('span.xs.soft', sub)));

function gatewayTile() {
	const c = store.connection;
	const s = store.monitor.status?.gateway;
	const up = c.state !== 'OFFLINE';
	const state = !c.lastAt ? ['l-off', t('CHECKING...')] : !up ? ['l-bad', t('OFFLINE')] : s?.state === 'degraded' ? ['l-warn', t('DEGRADED')] : ['l-ok', t('ONLINE')];
	const version = s?.version ?? store.info?.version ?? latest()?.version ?? '';
	const began = latest()?.gauges.process_start_time_seconds;
	return tile('#/monitor', 'gate', 'HIGRESS', state, h('span', { title: began ? `${t('up since ')}${exact(began * 1000)}` : null }, t('gateway: sluice {0}', version)));
}

// Not known is neither none nor zero.
const unknown = (href, ic, title, list) => tile(href, ic, title, ['l-off', t(list.error ? 'UNKNOWN' : 'CHECKING...')], list.error?.message ?? '—');

function managerTile() {
	const m = manager();
	const n = listOf('aiRoutes').length;
	if (!store.lists.aiRoutes.data) return unknown('#/assignment', 'robot', 'MANAGER', store.lists.aiRoutes);
	const state = !n ? ['l-off', t('NO ROUTES')] : store.connection.state === 'OFFLINE' ? ['l-bad', t('OFFLINE')] : ['l-ok', t('ONLINE ({0} routes)', n)];
	return tile('#/assignment', 'robot', 'MANAGER', state, m?.model ?? (m ? t('no model assigned') : t('no consumer manager')));
}

function workersTile() {
	if (!crew().data) return unknown('#/assignment', 'user', 'WORKERS', crew());
	const all = workers();
	const split = ['busy', 'idle', 'starting', 'sleeping', 'unknown'].map((k) => [k, all.filter((w) => w.state === k).length]).filter(([, n]) => n);
	const off = all.filter((w) => w.state === 'offline').length;
	const kind = all.some((w) => w.state === 'busy') ? 'l-warn' : all.some((w) => w.state === 'idle') ? 'l-ok' : 'l-off';
	return tile('#/assignment', 'user', 'WORKERS', [kind, number(all.length)], split.map(([k, n]) => `${n} ${t(STATE[k][2])}`).join(' · ') || t('none yet'), off ? badge(t('{0} OFFLINE', off), 'b-bad') : null);
}

function providersTile() {
	if (!store.lists.providers.data) return unknown('#/providers', 'box', 'PROVIDERS', store.lists.providers);
	const all = listOf('providers');
	const bad = all.filter((p) => store.tests.get(p.name)?.ok === false).length;
	const good = all.filter((p) => store.tests.get(p.name)?.ok).length;
	return tile('#/providers', 'box', 'PROVIDERS', [bad ? 'l-warn' : good ? 'l-ok' : 'l-off', number(all.length)], good || bad ? t('{0} of {1} healthy', good, good + bad) : all.length ? t('not tested') : t('none yet'), bad ? badge(t('{0} DOWN', bad), 'b-bad') : null);
}

function drawRoom(el, w, requests) {
	el.setAttribute('data-state', w.state);
	el.setAttribute('aria-label', w.name);
	update(el, () => [
		h('div.view', roomOf(w), w.flight ? h('span.flight.pix', `×${w.flight}`) : null),
		h('div.info',
			h('div.row', h('h3.grow.cut', w.name), w.role && badge('DEFAULT', 'b-mgr'), ['PENDING', 'DRIFTED', 'FAILED'].includes(w.chip) && h(`span.${CHIP[w.chip][0]}.chipic`, { title: t(w.chip) }, icon(CHIP[w.chip][1], 1), h('span.sr', t(w.chip)))),
			h('div.row.xs', stateLine(w)),
			h('div.xs.soft.cut', { title: w.say }, w.say || '\u00a0'),
			h('button.set', { type: 'button', onclick: () => modelDialog(el.w), title: t('SET MODEL'), 'aria-label': `${t('SET MODEL')} ${w.name}: ${w.model ?? t('none')}` }, h('span.grow.cut', w.model ?? t('SET MODEL')), icon('gear', 1)),
			h('div.row.foot', spark(requests, 8, w.state === 'offline' ? 'var(--ramp-4)' : 'var(--ramp-5)'), h('span.pix', { title: t('REQUESTS 1 H') }, short(w.requests)))),
	]);
}

// Hundreds of rooms are looked at with every piece of news: one is drawn again when something in it has changed.
const roomCard = (w) => island('article.room-card', `room ${w.name}`, w, (el, first) => {
	let drawn = '';
	const draw = (next) => {
		const requests = series('consumer', consumerOf(next), 0, 60, HOUR);
		const now = JSON.stringify([isZh(), next.state, next.role, next.flight, next.chip, next.say, next.model, next.requests, requests]);
		el.w = next;
		if (now !== drawn) drawRoom(el, next, requests);
		drawn = now;
	};
	draw(first);
	return draw;
}, w.name);

function floor(local, redraw) {
	const all = targets();
	const shown = local.all ? all : all.slice(0, ROOMS_SHOWN);
	const legend = h('span.xs.soft.legend-st', ['busy', 'idle', 'sleeping', 'offline'].map((k) => h('span.row', lamp(STATE[k][0]), t(STATE[k][2]))));
	return panel('WORKERS STATUS', 'user', legend,
		all.length ? h('div.rooms', shown.map(roomCard)) : pending([crew()], refreshAll) ?? empty('user', 'NO WORKERS', 'Workers are consumers named worker-NAME; HiClaw makes them.', isAdmin() && h('a.btn', { href: '#/consumers' }, t('CONSUMERS'))),
		all.length > shown.length ? body(btn(t('SHOW ALL {0}', all.length), { raw: true, on: () => {
			local.all = true;
			redraw();
		} })) : null);
}

// Of a path its end: which file it is; the whole is in the title.
const endOf = (text) => (text.startsWith('/') ? text.split('/').slice(-2).join('/') : text);

function attachments() {
	const a = store.monitor.status?.attachments;
	if (!a || Object.values(a).every((x) => x.state === 'absent')) return null; // no HiClaw is here
	const names = { controller: 'Controller', s3: 'Storage', managerFile: 'Manager config', agentsDir: 'Agent files', openclaw: 'OpenClaw', containerEngine: 'Containers' };
	const kind = { ok: 'l-ok', degraded: 'l-warn', down: 'l-bad' };
	const waiting = store.monitor.status.pendingSync ?? [];
	return h('section.panel.attp', { 'aria-label': t('ATTACHMENTS') }, h('div.att', Object.entries(names).filter(([key]) => a[key]).map(([key, name]) => h('span.row', lamp(kind[a[key].state] ?? 'l-off'), h('b', t(name)), h('span.soft.xs.cut', { title: a[key].detail }, a[key].detail ? endOf(a[key].detail) : t(a[key].state ?? 'absent')))),
		waiting.length ? h('span.row', lamp('l-warn'), h('b', t('Not yet in the storage')), h('span.soft.xs.any', waiting.join(', '))) : null));
}

function actions() {
	const last = listOf('backups')[0];
	const go = (w) => (w ? modelDialog(w) : toast(t('There is no Manager here'), t('HiClaw makes a consumer named manager.'), true));
	return panel('QUICK ACTIONS', 'bolt', null, body(h('div.qa',
		btn('+ ADD PROVIDER', { k: 'pri', on: () => providerDialog(null) }),
		btn('SET MANAGER MODEL', { on: () => go(manager()) }),
		btn('REFRESH ALL', { on: () => refreshAll().then(sayRefreshed) }),
		isAdmin() && btn('BACKUP NOW', { on: () => backupNow('') })),
	isAdmin() && h('p.xs.soft.bl', t('Last backup'), ': ', !store.lists.backups.data ? '—' : last ? [h('a', { href: '#/backup' }, when(last.time)), ' · ', t(last.named ? 'manual' : 'automatic')] : t('Never'))));
}

function warningList() {
	const all = warnings();
	const unheard = pending([store.lists.providers, store.lists.aiRoutes, crew()], refreshAll);
	return panel('WARNINGS', 'warn', all.length ? h('span.count.pix', all.length) : null,
		all.length ? h('ul.warns', all.slice(0, 6).map((w) => h(`li.warnrow.${w.kind}`, { key: w.text }, h('span.wi', icon(w.kind === 'b-bad' ? 'cross' : 'warn', 1)), h('div.grow', h('div.cut', { title: w.text }, w.text), h('div.xs.soft.cut', { title: w.sub }, w.sub)), w.action && (isAdmin() || w.to.startsWith('#/assignment') || w.to.startsWith('#/providers')) ? h('a.btn.s', { href: w.to }, t(w.action)) : null)))
			: unheard ?? body(h('p.soft.row', icon('check', 1), t('Nothing needs you.'))));
}

// Nothing is configured: three steps to the first answer.
function guide() {
	const p = listOf('providers')[0];
	const test = p && store.tests.get(p.name);
	const step = (n, done, now, title, text, action) => h(`li.guide${done ? '.done' : ''}${now ? '.now' : ''}`, { 'aria-current': now ? 'step' : null }, h('span.num', done ? icon('check', 2) : n), h('div.grow', h('h3', t(title)), h('p.sm.soft', t(text)), now && action));
	const tested = Boolean(test?.ok) || store.monitor.state === 'absent';
	return panel('FIRST STEPS', 'gate', null, h('ol.guides',
		step(1, Boolean(p), !p, 'PASTE A KEY', 'Choose a provider and paste its key: a route for it is made at once.', btn('+ ADD PROVIDER', { k: 'pri', on: () => providerDialog(null, (name) => store.monitor.state === 'there' && testProvider(name)) })),
		step(2, Boolean(p) && tested, Boolean(p) && !tested, 'TEST IT', 'The server asks the provider for its models.', p && btn('TEST', { k: 'pri', on: () => testProvider(p.name) })),
		step(3, false, Boolean(p) && tested, 'TRY A MODEL', 'Pick a model and talk to it through the gateway.', h('a.btn.pri', { href: '#/playground' }, t('PLAYGROUND')))));
}

export function draw({ local, redraw }) {
	need('providers', 'aiRoutes', 'consumers', 'domains', 'backups', 'certificates');
	const fresh = store.lists.providers.data?.length === 0 || (listOf('providers').length === 1 && !workers().length && !(counted('total')?.requests > 0) && !local.past);
	return h('div.home', h('div.tiles', gatewayTile(), managerTile(), workersTile(), providersTile()),
		fresh && guide(),
		h('div.home-a', h('div.col', floor(local, redraw), attachments()), h('div.col', actions(), warningList())),
		h('div.home-b', panel('ROUTING MAP', 'branch', isAdmin() && h('a.btn.s', { href: '#/routes' }, t('ROUTES')), pending([store.lists.aiRoutes], refreshAll) ?? body(listOf('aiRoutes').length ? routingMap('map-home', true) : h('p.soft', t('No route yet.')))),
			panel('MONITOR PREVIEW', 'chart', h('a.btn.s', { href: '#/monitor' }, t('VIEW ALL')), h('div.mini', metricCards(true)))));
}
