// The editor of a service source: where the endpoints of a service are found.
import { h } from './dom.mjs';
import { t } from './i18n.mjs';
import { listOf } from './store.mjs';
import { editor } from './route_editor.mjs';
import { field, input, select } from './ui.mjs';

const TYPES = [['static', 'static · addresses with ports'], ['dns', 'dns · host names'], ['nacos', 'nacos'], ['nacos2', 'nacos2'], ['nacos3', 'nacos3'], ['zookeeper', 'zookeeper'], ['consul', 'consul'], ['eureka', 'eureka']];
const SECRETS = { nacos: ['nacosUsername', 'nacosPassword'], nacos2: ['nacosUsername', 'nacosPassword'], nacos3: ['nacosUsername', 'nacosPassword'], consul: ['consulToken'] };
const LABELS = { nacosUsername: 'USER', nacosPassword: 'PASSWORD', consulToken: 'TOKEN' };

// A field as a part of an editor.
function single(names, box, put, check = () => null) {
	const fail = (text) => (box.fail(text), box.input.focus(), text);
	return { el: box, names, put, fail, value: () => box.input.value.trim(), check: () => ((text) => text && fail(text))(check(box.input.value.trim())) };
}

export const usersOf = (name) => listOf('routes').filter((r) => (r.services ?? []).some((s) => s.name.replace(/\.[a-z0-9]+$/, '') === name)).map((r) => r.name);

export function sourceDialog(x) {
	const type = field('TYPE', select(TYPES, x?.type ?? 'static'));
	const domain = field('ADDRESSES', input(x?.domain ?? '', { placeholder: '10.0.0.5:8080, 10.0.0.6:8080' }));
	const port = field('PORT', input(x?.port ?? 80, { inputmode: 'numeric' }));
	const protocol = field('PROTOCOL', select(['http', 'https', 'grpc', 'grpcs'], x?.protocol || 'http'));
	const sni = field('SERVER NAME (TLS)', input(x?.sni ?? '', { placeholder: 'api.example.com' }), t('empty: the host name, where there is one'));
	const proxy = field('PROXY', input(x?.proxyName ?? ''), t('name of a proxy server; empty: none'));
	const json = field('PROPERTIES (JSON)', h('textarea', { rows: 4, spellcheck: 'false', value: JSON.stringify(x?.properties ?? {}, null, 2) }));
	const user = Object.fromEntries([...new Set(Object.values(SECRETS).flat())].map((key) => [key, field(LABELS[key], input('', { type: /Pass|Token/.test(key) ? 'password' : 'text', autocomplete: 'new-password', placeholder: x?.authN?.enabled ? t('kept as it is') : '' }))]));
	const secrets = h('fieldset.rows', h('legend.lbl', t('LOG-IN AT THE REGISTRY')), Object.values(user));
	const name = field('NAME', input(x?.name ?? '', { readonly: Boolean(x), placeholder: 'shop' }), x ? null : t('letters, digits, dashes'));
	const look = () => {
		const now = type.input.value;
		const addresses = now === 'static';
		domain.say(t(addresses ? 'addresses with their ports, several with commas' : now === 'dns' ? 'host names, several with commas' : 'address of the registry'));
		domain.input.placeholder = addresses ? '10.0.0.5:8080, 10.0.0.6:8080' : 'api.example.com';
		port.say(addresses ? t('what routes call it; each address has its own') : '');
		proxy.hidden = !['static', 'dns'].includes(now);
		json.hidden = ['static', 'dns'].includes(now);
		secrets.hidden = !SECRETS[now];
		for (const [key, box] of Object.entries(user)) box.hidden = !SECRETS[now]?.includes(key);
		sni.hidden = !/s$/.test(protocol.input.value);
	};
	for (const box of [type, protocol]) box.input.addEventListener('change', look);
	look();
	const authOf = () => {
		const keys = SECRETS[type.input.value] ?? [];
		const given = Object.fromEntries(keys.map((key) => [key, user[key].input.value]).filter(([, v]) => v));
		if (Object.keys(given).length) return { enabled: true, properties: given };
		return x?.authN?.enabled && x.type === type.input.value ? { enabled: true } : { enabled: false };
	};
	const portOk = (v) => (/^\d{1,5}$/.test(v) && Number(v) > 0 && Number(v) < 65536 ? null : t('a port is 1 to 65535'));
	return editor({ kind: 'SERVICE SOURCE', icon: 'link', noun: 'source', list: 'sources', also: ['services', 'routes'], path: 'v1/service-sources', object: x, blank: () => ({ properties: {} }), save: 'SAVE', reopen: (next) => next && sourceDialog(next),
		usedBy: (called) => ((of) => (of.length ? t('{0} use it: {1}', of.length, of.join(', ')) : null))(usersOf(called)),
		left: [single(['name'], name, (o) => (o.name = name.input.value.trim()), (v) => (x || /^(?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9]$/.test(v) ? null : v ? t('letters, digits and dashes, no dots; at most 63') : t('The name is missing.'))),
			single(['type'], type, (o) => (o.type = type.input.value)),
			single(['domain'], domain, (o) => (o.domain = domain.input.value.split(',').map((v) => v.trim()).filter(Boolean).join(',')), (v) => (v ? null : t('The addresses are missing.')))],
		right: [h('div.two', port, protocol)].map((el) => ({ el, names: [], put: () => {}, check: () => null })).concat([
			{ ...single(['port'], port, (o) => (o.port = Number(port.input.value)), portOk), el: null },
			{ ...single(['protocol'], protocol, (o) => (o.protocol = protocol.input.value)), el: null },
			single(['sni'], sni, (o) => (o.sni = sni.hidden ? null : sni.input.value.trim() || null)),
			single(['proxyName'], proxy, (o) => (o.proxyName = proxy.hidden ? '' : proxy.input.value.trim())),
			single(['properties'], json, (o) => (o.properties = json.hidden ? {} : JSON.parse(json.input.value || '{}')), (v) => {
				try {
					return json.hidden || !v || JSON.parse(v) ? null : t('no object');
				} catch (error) {
					return error.message;
				}
			}),
			{ el: secrets, names: ['authN'], put: (o) => (o.authN = authOf()), check: () => null, fail: (text) => (Object.values(user)[0].fail(text), text) }]) });
}
