import { change, part, post, remove } from './api.mjs';
import { newKey, showKey } from './consumer_key.mjs';
import { h, update } from './dom.mjs';
import { short, t } from './i18n.mjs';
import { counted, lastSeen } from './samples.mjs';
import { icon } from './sprites.mjs';
import { listOf, need, refresh, store } from './store.mjs';
import { badge, btn, complain, confirm_, empty, face, field, filterBox, input, listBody, matches, modal, note, panel, refuse, select, table, tick, toast, when } from './ui.mjs';
import { targets } from './workers.mjs';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const PARALLEL = [['0', 'at once'], ['3600000', '1 hour'], ['86400000', '1 day'], ['604800000', '7 days']];
const kindOf = (name) => (name === 'manager' ? ['MANAGER', 'b-mgr'] : name.startsWith('worker-') ? ['WORKER', 'b-info'] : ['OTHER', 'b-off']);
const open = () => listOf('aiRoutes');
const allowing = (name) => open().filter((r) => !r.authConfig?.enabled || (r.authConfig.allowedConsumers ?? []).includes(name));
const barred = (name) => open().length > 0 && allowing(name).length === 0;

export function opened({ arg }) {
	if (arg[0] === '+new') {
		history.replaceState(null, '', '#/consumers');
		consumerDialog();
	}
}

async function setAllowed(name, routes) {
	for (const r of open()) {
		const now = r.authConfig?.allowedConsumers ?? [];
		const wanted = routes.includes(r.name);
		if (!r.authConfig?.enabled || now.includes(name) === wanted) continue;
		await change(`v1/ai/routes/${part(r.name)}`, { ...r, authConfig: { ...r.authConfig, allowedConsumers: wanted ? [...now, name] : now.filter((x) => x !== name) } });
	}
	await refresh('aiRoutes');
}

async function allowEverywhere(name) {
	try {
		await setAllowed(name, open().map((r) => r.name));
		toast(t('ALLOWED ON ALL ROUTES'), name);
	} catch (error) {
		complain(t('SAVE FAILED'), error);
	}
}

function consumerDialog() {
	const name = field('NAME', input('', { placeholder: 'worker-alice' }));
	const key = field('KEY', input('', { placeholder: t('empty: one is made') }));
	const source = field('SENT AS', select([['BEARER', 'Authorization: Bearer'], ['HEADER', t('header')], ['QUERY', t('query parameter')]], 'BEARER'));
	const where = field('ITS NAME', input('', { placeholder: 'x-api-key' }));
	const everywhere = tick('Allow on all AI routes', true);
	const said = h('div', { 'aria-live': 'polite' });
	where.hidden = true;
	source.input.addEventListener('change', () => (where.hidden = source.input.value === 'BEARER'));
	const save = async (close) => {
		const called = name.input.value.trim();
		if (!NAME.test(called)) return refuse(name, t('letters, digits, dots, dashes; at most 63'));
		if (listOf('consumers').some((c) => c.name === called)) return refuse(name, t('this name is taken'));
		if (!where.hidden && !where.input.value.trim()) return refuse(where, t('The name is missing.'));
		const value = key.input.value.trim() || newKey();
		try {
			await post('v1/consumers', { name: called, credentials: [{ type: 'key-auth', source: source.input.value, key: where.hidden ? null : where.input.value.trim(), values: [value] }] });
			if (everywhere.input.checked) await setAllowed(called, open().map((r) => r.name));
			dialog.clean();
			close();
			refresh('consumers');
			showKey(called, value);
		} catch (error) {
			update(said, note('b-bad', h('div', h('b.pix.badt', t('SAVE FAILED')), h('div.sm', error.message))));
		}
	};
	const dialog = modal('NEW CONSUMER', 'key', h('div.col.gap3', name, key, h('div.two', source, where), everywhere, said), (close) => [h('div.end', btn('CANCEL', { on: () => dialog.el.dispatchEvent(new Event('cancel', { cancelable: true })) }), btn('CREATE', { k: 'pri', on: () => save(close) }))], { narrow: true });
}

function rotateDialog(c) {
	const cred = c.credentials?.[0] ?? {};
	const parallel = field('OLD KEY ENDS', select(PARALLEL.map(([v, label]) => [v, t(label)]), '86400000'), t('until then both are good, as long as this page stays open; ending it later is one press'));
	const save = async (close) => {
		const value = newKey();
		const old = cred.values ?? [];
		const ms = Number(parallel.input.value);
		const put_ = (values) => change(`v1/consumers/${part(c.name)}`, { ...c, credentials: [{ ...cred, values }] });
		try {
			await put_(ms ? [value, ...old] : [value]);
			dialog.clean();
			close();
			refresh('consumers');
			showKey(c.name, value);
			if (ms) setTimeout(() => put_([value]).then(() => refresh('consumers'), (e) => complain(t('SAVE FAILED'), e)), Math.min(ms, 2 ** 31 - 1));
		} catch (error) {
			complain(t('SAVE FAILED'), error);
		}
	};
	const dialog = modal(t('ROTATE KEY: {0}', c.name), 'key', h('div.col.gap3', h('p', t('A new key is made and shown once.')), parallel), (close) => [h('div.end', btn('CANCEL', { on: close }), btn('ROTATE KEY', { k: 'pri', on: () => save(close) }))], { narrow: true, raw: true });
}

async function endOldKeys(c) {
	const cred = c.credentials[0];
	if (!(await confirm_('END OLD KEYS', t('Only the newest key of {0} stays good.', c.name), 'END OLD KEYS'))) return;
	try {
		await change(`v1/consumers/${part(c.name)}`, { ...c, credentials: [{ ...cred, values: cred.values.slice(0, 1) }] });
		toast(t('OLD KEYS ENDED'), c.name);
	} catch (error) {
		complain(t('SAVE FAILED'), error);
	}
	refresh('consumers');
}

const lists = (all, name) => all.filter((r) => (r.authConfig?.allowedConsumers ?? []).includes(name));
const serversOf = (name) => listOf('mcp').filter((x) => (x.consumerAuthInfo?.allowedConsumers ?? []).includes(name)).map((x) => x.name);

// Who is in a list cannot go: out of all of them first.
async function deleteConsumer(c) {
	await refresh('aiRoutes', 'routes', 'mcp');
	const ai = lists(open(), c.name);
	const plain = lists(listOf('routes').filter((r) => !r.name.endsWith('.internal')), c.name);
	const servers = serversOf(c.name);
	const names = [...[...ai, ...plain].map((r) => r.name), ...servers];
	const details = names.length ? note('b-warn', h('div', t('It is in the lists of {0}; it is taken out of them first.', names.join(', ')))) : null;
	const without = (r) => ({ ...r, authConfig: { ...r.authConfig, allowedConsumers: r.authConfig.allowedConsumers.filter((x) => x !== c.name) } });
	if (!(await confirm_('DELETE CONSUMER', t('DELETE CONSUMER "{0}"?', c.name), 'DELETE', { kind: 'dang', word: c.name, details }))) return;
	try {
		for (const r of ai) await change(`v1/ai/routes/${part(r.name)}`, without(r));
		for (const r of plain) await change(`v1/routes/${part(r.name)}`, without(r));
		for (const server of servers) await remove('v1/mcpServer/consumers', { body: { mcpServerName: server, consumers: [c.name] } });
		await remove(`v1/consumers/${part(c.name)}`);
		toast(t('CONSUMER DELETED'), c.name);
	} catch (error) {
		complain(t('DELETE FAILED'), error);
	}
	refresh('consumers', 'aiRoutes', 'routes', 'mcp');
}

function accessDialog(c) {
	const chosen = new Set(allowing(c.name).map((r) => r.name));
	const boxes = open().map((r) => {
		const box = tick(r.authConfig?.enabled ? r.name : `${r.name} · ${t('open to everybody')}`, chosen.has(r.name), { raw: true, disabled: !r.authConfig?.enabled });
		box.input.addEventListener('change', () => (box.input.checked ? chosen.add(r.name) : chosen.delete(r.name)));
		return box;
	});
	const dialog = modal(t('ROUTES OF {0}', c.name), 'branch', h('div.col.gap2', boxes), (close) => [h('div.end', btn('CANCEL', { on: close }), btn('SAVE', { k: 'pri', on: async () => {
		try {
			await setAllowed(c.name, [...chosen]);
			dialog.clean();
			close();
			toast(t('SAVED'), c.name);
		} catch (error) {
			complain(t('SAVE FAILED'), error);
		}
	} }))], { narrow: true, raw: true });
}

function columns() {
	return [
		{ title: 'NAME', sort: (c) => c.name, cell: (c) => {
			const w = targets().find((x) => (x.role ? x.name : `worker-${x.name}`) === c.name);
			return h('div.row', h('span.who', w ? face(w) : h('span.noav', icon('key', 2))), h('div', h('h3.any', c.name), h('div.row.gap1', badge(...kindOf(c.name)), barred(c.name) && badge('NOT AUTHORIZED', 'b-bad'))));
		} },
		{ title: 'CREDENTIAL', cell: (c) => (c.credentials ?? []).map((x) => h('div', h('div.sm.any', (x.values ?? []).join(', ') || '—'), h('div.xs.soft', `${x.type} · ${x.source}${x.key ? ` ${x.key}` : ''}`))) },
		{ title: 'ROUTES', sort: (c) => allowing(c.name).length, cell: (c) => btn(`${allowing(c.name).length} / ${open().length}`, { s: true, raw: true, aria: `${allowing(c.name).length} / ${open().length} ${t('ROUTES')} ${c.name}`, on: () => accessDialog(c) }) },
		{ title: 'MCP SERVERS', sort: (c) => serversOf(c.name).length, cell: (c) => h('span.n', { title: serversOf(c.name).join(', ') || null }, store.lists.mcp.data ? serversOf(c.name).length : '—') },
		{ title: 'LAST REQUEST', sort: (c) => lastSeen('consumer', c.name) ?? 0, cell: (c) => h('span.sm.soft.nw', when(lastSeen('consumer', c.name), t('not seen'))) },
		{ title: 'REQUESTS 1 H', end: true, sort: (c) => counted('consumer', c.name)?.requests ?? -1, cell: (c) => {
			const n = counted('consumer', c.name);
			return h('div', h('div.n', short(n?.requests ?? null)), h('div.xs.soft.nw', `${short(n ? n.input + n.output : null)} ${t('TOKENS')}`));
		} },
		{ title: '', end: true, cell: (c) => h('div.row.acts', barred(c.name) ? btn('ALLOW ON ALL', { s: true, k: 'pri', aria: `${t('ALLOW ON ALL')} ${c.name}`, on: () => allowEverywhere(c.name) }) : null,
			(c.credentials?.[0]?.values?.length ?? 0) > 1 ? btn('END OLD KEYS', { s: true, aria: `${t('END OLD KEYS')} ${c.name}`, on: () => endOldKeys(c) }) : btn('ROTATE KEY', { s: true, aria: `${t('ROTATE KEY')} ${c.name}`, on: () => rotateDialog(c) }),
			c.name === 'manager' ? h('span.prot', { title: t('protected') }, icon('key', 1), h('span.sr', t('protected'))) : btn('DEL', { s: true, k: 'dang', aria: `${t('DEL')} ${c.name}`, on: () => deleteConsumer(c) })) },
	];
}

export function draw({ arg, local, redraw }) {
	need('consumers', 'aiRoutes', 'mcp');
	local.filter ??= arg[0] && !arg[0].startsWith('+') ? arg[0] : '';
	const add = () => btn('NEW CONSUMER', { s: true, k: 'pri', on: consumerDialog });
	return panel('CONSUMERS', 'key', [filterBox(local.filter, (value) => {
		local.filter = value;
		redraw();
	}), h('span', { 'data-new': true }, add())],
	listBody(store.lists.consumers, empty('key', 'NO CONSUMERS', 'A consumer is who calls: a person, a program, a Worker.', add()), () => refresh('consumers'),
		(all) => table('consumers', { label: t('CONSUMERS'), columns: columns(), rows: all.filter((c) => matches(local.filter, c.name)), key: (c) => c.name })));
}
