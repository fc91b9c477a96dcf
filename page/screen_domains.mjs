import { change, part, post, remove } from './api.mjs';
import { h, update } from './dom.mjs';
import { exact, t } from './i18n.mjs';
import { icon } from './sprites.mjs';
import { listOf, need, refresh, store } from './store.mjs';
import { badge, btn, complain, confirm_, empty, field, input, listBody, modal, note, panel, refuse, select, table, toast } from './ui.mjs';
import { daysLeft } from './warnings.mjs';

const KNOWN = { 'manager-local.hiclaw.io': 'this page', 'aigw-local.hiclaw.io': 'the gateway of HiClaw', 'higress-default-domain': 'any other host' };
const HTTPS = [['off', 'off'], ['on', 'on'], ['force', 'forced: plain requests are sent on']];
const routesOf = (name) => [...listOf('aiRoutes'), ...listOf('routes').filter((r) => !r.name.endsWith('.internal'))].filter((r) => (r.domains ?? []).includes(name));
const certificateOf = (d) => listOf('certificates').find((c) => c.name === d.certIdentifier);

export function opened({ arg }) {
	if (arg[0] === '+new') {
		history.replaceState(null, '', '#/domains');
		domainDialog(null);
	}
}

function domainDialog(d) {
	const name = field('NAME', input(d?.name ?? '', { readonly: Boolean(d), placeholder: 'llm.example.com' }));
	const https = field('HTTPS', select(HTTPS.map(([v, label]) => [v, t(label)]), d?.enableHttps ?? 'off'));
	const cert = field('CERTIFICATE', select([['', t('none')], ...listOf('certificates').map((c) => c.name)], d?.certIdentifier ?? ''));
	const said = h('div', { 'aria-live': 'polite' });
	const save = async (close) => {
		const called = name.input.value.trim().toLowerCase();
		if (!/^(\*\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(called)) return refuse(name, t('a host name, as llm.example.com or *.example.com'));
		if (https.input.value !== 'off' && !cert.input.value) return refuse(cert, t('HTTPS needs a certificate.'));
		const next = { ...(d ?? {}), name: called, enableHttps: https.input.value, certIdentifier: cert.input.value || null };
		try {
			await (d ? change(`v1/domains/${part(d.name)}`, next) : post('v1/domains', next));
			dialog.clean();
			close();
			toast(t(d ? 'DOMAIN UPDATED' : 'DOMAIN CREATED'), called);
		} catch (error) {
			update(said, note('b-bad', h('div', h('b.pix.badt', t(error.status === 409 ? 'CHANGED MEANWHILE' : 'SAVE FAILED')), h('div.sm', error.message))));
		}
		refresh('domains');
	};
	const dialog = modal(d ? 'EDIT DOMAIN' : 'ADD DOMAIN', 'globe', h('div.col.gap3', name, https, cert, said), (close) => [h('div.end', btn('CANCEL', { on: () => dialog.el.dispatchEvent(new Event('cancel', { cancelable: true })) }), btn('SAVE', { k: 'pri', on: () => save(close) }))], { narrow: true });
}

function certificateDialog() {
	const name = field('NAME', input('', { placeholder: 'example-com' }));
	const cert = field('CERTIFICATE (PEM)', h('textarea', { rows: 5, spellcheck: 'false', placeholder: '-----BEGIN CERTIFICATE-----' }));
	const key = field('PRIVATE KEY (PEM)', h('textarea', { rows: 5, spellcheck: 'false', autocomplete: 'off', placeholder: '-----BEGIN PRIVATE KEY-----' }));
	const said = h('div', { 'aria-live': 'polite' });
	const save = async (close) => {
		if (!name.input.value.trim()) return refuse(name, t('The name is missing.'));
		if (!cert.input.value.includes('BEGIN CERTIFICATE')) return refuse(cert, t('That is no certificate in PEM.'));
		if (!/BEGIN [A-Z ]*PRIVATE KEY/.test(key.input.value)) return refuse(key, t('That is no private key in PEM.'));
		try {
			await post('v1/tls-certificates', { name: name.input.value.trim(), cert: cert.input.value, key: key.input.value });
			dialog.clean();
			close();
			toast(t('CERTIFICATE STORED'), name.input.value.trim());
		} catch (error) {
			update(said, note('b-bad', h('div', h('b.pix.badt', t('SAVE FAILED')), h('div.sm', error.message))));
		}
		refresh('certificates');
	};
	const dialog = modal('ADD CERTIFICATE', 'key', h('div.col.gap3', name, cert, key, said), (close) => [h('div.end', btn('CANCEL', { on: () => dialog.el.dispatchEvent(new Event('cancel', { cancelable: true })) }), btn('SAVE', { k: 'pri', on: () => save(close) }))], { narrow: true });
}

const drop = (kind, path, name, used, list) => async () => {
	const details = used.length ? note('b-warn', h('div', t('{0} use it: {1}', used.length, used.join(', ')))) : null;
	if (!(await confirm_(`DELETE ${kind}`, t(`DELETE ${kind} "{0}"?`, name), 'DELETE', { kind: 'dang', details, word: used.length ? name : undefined }))) return;
	try {
		await remove(`${path}/${part(name)}`);
		toast(t(`${kind} DELETED`), name);
	} catch (error) {
		complain(t('DELETE FAILED'), error);
	}
	refresh(list);
};

function expiry(c) {
	const days = daysLeft(c);
	if (days === null) return h('span.soft', '—');
	const kind = days < 7 ? 'b-bad' : days < 30 ? 'b-warn' : 'b-ok';
	return h(`span.badge.${kind}`, { title: exact(c.validityEnd) }, icon('clock', 1), days < 0 ? t('expired') : t('{0} days left', days));
}

const domainColumns = [
	{ title: 'NAME', sort: (d) => d.name, cell: (d) => h('div', h('h3.any', d.name), KNOWN[d.name] ? h('div.xs.soft', t(KNOWN[d.name])) : null) },
	{ title: 'HTTPS', sort: (d) => d.enableHttps, cell: (d) => badge(d.enableHttps ?? 'off', d.enableHttps === 'force' ? 'b-ok' : d.enableHttps === 'on' ? 'b-info' : 'b-off') },
	{ title: 'CERTIFICATE', cell: (d) => h('div.row', h('span.sm.any', d.certIdentifier ?? '—'), certificateOf(d) ? expiry(certificateOf(d)) : null) },
	{ title: 'ROUTES', sort: (d) => routesOf(d.name).length, cell: (d) => h('span.n', { title: routesOf(d.name).map((r) => r.name).join(', ') }, routesOf(d.name).length) },
	{ title: '', end: true, cell: (d) => h('div.row.acts', btn('EDIT', { s: true, aria: `${t('EDIT')} ${d.name}`, on: () => domainDialog(d) }), btn('DEL', { s: true, k: 'dang', aria: `${t('DEL')} ${d.name}`, on: drop('DOMAIN', 'v1/domains', d.name, routesOf(d.name).map((r) => r.name), 'domains') })) },
];
const certificateColumns = [
	{ title: 'NAME', sort: (c) => c.name, cell: (c) => h('h3.any', c.name) },
	{ title: 'DOMAINS', cell: (c) => h('span.sm.any', (c.domains ?? []).join(', ')) },
	{ title: 'EXPIRY', sort: (c) => daysLeft(c) ?? 0, cell: expiry },
	{ title: '', end: true, cell: (c) => h('div.row.acts', btn('DEL', { s: true, k: 'dang', aria: `${t('DEL')} ${c.name}`, on: drop('CERTIFICATE', 'v1/tls-certificates', c.name, listOf('domains').filter((d) => d.certIdentifier === c.name).map((d) => d.name), 'certificates') })) },
];

export function draw() {
	need('domains', 'certificates', 'aiRoutes', 'routes');
	const add = () => btn('+ ADD', { s: true, k: 'pri', on: () => domainDialog(null) });
	return h('div.col',
		panel('DOMAINS', 'globe', h('span', { 'data-new': true }, add()), listBody(store.lists.domains, empty('globe', 'NO DOMAINS', 'Routes without a domain take requests of any host.', add()), () => refresh('domains'), (all) => table('domains', { label: t('DOMAINS'), columns: domainColumns, rows: all, key: (d) => d.name }))),
		panel('CERTIFICATES', 'key', btn('ADD CERTIFICATE', { s: true, on: certificateDialog }), listBody(store.lists.certificates, empty('key', 'NO CERTIFICATES', 'HTTPS of a domain needs one.'), () => refresh('certificates'), (all) => table('certificates', { label: t('CERTIFICATES'), columns: certificateColumns, rows: all, key: (c) => c.name }))));
}
