// The editor of an MCP server: tools of an HTTP interface, a database, or a server of tools as it is, and who may call them.
import { change, get, part as escaped, post } from './api.mjs';
import { h } from './dom.mjs';
import { t } from './i18n.mjs';
import { editor } from './route_editor.mjs';
import { authPart, domainsPart, namePart, servicesPart } from './route_parts.mjs';
import { listOf } from './store.mjs';
import { btn, complain, field, input, select } from './ui.mjs';

export const TYPES = { OPEN_API: 'tools of an HTTP interface', DATABASE: 'a database', DIRECT_ROUTE: 'an MCP server, as it is' };
const DATABASES = ['MYSQL', 'POSTGRESQL', 'CLICKHOUSE', 'SQLITE'];
const EXAMPLE = 'server:\n  name: weather\ntools:\n- name: get_weather\n  description: the weather of a city\n  args:\n  - name: city\n    type: string\n    required: true\n  requestTemplate:\n    url: https://api.example.com/weather?city={{.args.city}}\n    method: GET\n';
const blank = () => ({ name: '', description: '', type: 'OPEN_API', domains: [], services: [] });
export const addressOf = (name) => `/mcp-servers/${name}/mcp`;

function newName(x) {
	const part = namePart(x?.name ?? '', Boolean(x), 'weather');
	const taken = () => !x && listOf('mcp').some((each) => each.name === part.value());
	return { ...part, check: () => part.check() ?? (taken() ? part.fail(t('There is an MCP server of this name already.')) : null) };
}

// The same list of consumers that routes have, in the words of this object.
function consumersPart(info) {
	const part = authPart(info ? { enabled: Boolean(info.enable), allowedConsumers: info.allowedConsumers ?? [] } : null);
	return { ...part, names: ['consumerAuthInfo'], put: (o) => {
		const got = {};
		part.put(got);
		o.consumerAuthInfo = { type: 'key-auth', ...info, enable: Boolean(got.authConfig?.enabled), allowedConsumers: got.authConfig?.allowedConsumers ?? [] };
	} };
}

// What an OpenAPI document describes, as tools.
function converter(yaml) {
	const text = field('OPENAPI DOCUMENT', h('textarea', { rows: 5, spellcheck: 'false', placeholder: 'openapi: 3.0.0' }));
	const convert = async () => {
		if (!text.input.value.trim()) return text.fail(t('The document is missing.'));
		try {
			yaml.input.value = await post('v1/mcpServer/swaggerToMcpConfig', { content: text.input.value });
			yaml.input.dispatchEvent(new Event('input', { bubbles: true }));
		} catch (error) {
			if (error.status !== 400 && error.status !== 500) return complain(t('CONVERT'), error);
			text.fail(error.message);
		}
		return undefined;
	};
	return h('details', h('summary', t('from an OpenAPI document')), h('div.col.gap2', text, h('div.row', btn('CONVERT', { s: true, on: convert }))));
}

function toolsPart(x) {
	const yaml = field('CONFIGURATION (YAML)', h('textarea', { rows: 12, spellcheck: 'false', placeholder: EXAMPLE, value: x?.rawConfigurations ?? '' }));
	const fail = (text) => (yaml.fail(text), yaml.input.focus(), text);
	return { el: h('div.col.gap2', yaml, converter(yaml)), names: ['rawConfigurations', 'tools', 'server'], fail, put: (o) => (o.rawConfigurations = yaml.input.value), check: () => (yaml.input.value.trim() ? null : fail(t('The configuration is missing.'))) };
}

function databasePart(x) {
	const now = x?.dbConfig ?? {};
	const kind = field('DATABASE', select(DATABASES, x?.dbType ?? 'MYSQL'));
	const host = field('HOST', input(now.host ?? '', { placeholder: 'db.example.com' }));
	const port = field('PORT', input(now.port ?? '3306', { inputmode: 'numeric' }));
	const user = field('USER', input(now.username ?? ''));
	const password = field('PASSWORD', input(now.password ?? '', { type: 'password', autocomplete: 'new-password' }));
	const name = field('NAME OF THE DATABASE', input(now.dbname ?? ''));
	const boxes = { host, port, username: user, password, dbname: name };
	const fail = (text) => {
		const box = boxes[/dbConfig\.(\w+)/.exec(text)?.[1]] ?? host;
		box.fail(text);
		box.input.focus();
		return text;
	};
	const isFile = () => kind.input.value === 'SQLITE';
	const look = () => [host, port, user, password].forEach((box) => (box.hidden = isFile()));
	kind.input.addEventListener('change', look);
	look();
	const check = () => {
		if (!isFile() && !host.input.value.trim()) return fail(t('The host is missing.'));
		if (name.input.value.trim()) return null;
		name.fail(t('The name is missing.'));
		name.input.focus();
		return 'dbname';
	};
	return { el: h('div.col.gap2', h('div.two', kind, name), h('div.two', host, port), h('div.two', user, password)), names: ['dbConfig', 'dbType'], fail, check,
		put: (o) => Object.assign(o, { dbType: kind.input.value, dbConfig: { ...now, ...Object.fromEntries(Object.entries(boxes).map(([key, box]) => [key, isFile() && key !== 'dbname' ? '' : key === 'password' ? box.input.value : box.input.value.trim()])) } }) };
}

function directPart(x) {
	const now = x?.directRouteConfig ?? {};
	const path = field('PATH', input(now.path ?? '/mcp'), t('where the server has its tools; for sse it ends with /sse'));
	const transport = field('TRANSPORT', select(['streamable', 'sse'], now.transportType ?? 'streamable'));
	const fail = (text) => (path.fail(text), path.input.focus(), text);
	return { el: h('div.two', path, transport), names: ['directRouteConfig'], fail, check: () => (path.input.value.trim().startsWith('/') ? null : fail(t('A path begins with /.'))), put: (o) => (o.directRouteConfig = { ...now, path: path.input.value.trim(), transportType: transport.input.value }) };
}

export function mcpDialog(x, onSaved) {
	const type = field('TYPE', select(Object.entries(TYPES).map(([key, text]) => [key, t(text)]), x?.type ?? 'OPEN_API'));
	const about = field('DESCRIPTION', input(x?.description ?? ''));
	const kinds = { OPEN_API: toolsPart(x), DATABASE: databasePart(x), DIRECT_ROUTE: directPart(x) };
	const isIt = (key) => type.input.value === key;
	// Of what is of another kind nothing is asked and nothing is sent.
	const only = Object.entries(kinds).map(([key, part]) => ({ ...part, check: () => (isIt(key) ? part.check() : null), put: (o) => isIt(key) && part.put(o) }));
	const look = () => Object.entries(kinds).forEach(([key, part]) => (part.el.hidden = !isIt(key)));
	type.input.addEventListener('change', look);
	look();
	const alone = (box, name, value) => ({ el: box, names: [name], check: () => null, put: (o) => (o[name] = value()), fail: (text) => (box.fail(text), box.input.focus(), text) });
	return editor({ kind: 'MCP SERVER', noun: 'mcpServer', icon: 'bolt', list: 'mcp', also: ['routes', 'consumers'], path: 'v1/mcpServer', object: x, blank, save: 'SAVE MCP SERVER', saved: onSaved, reopen: (next) => next && openMcp(next.name),
		write: (out) => change('v1/mcpServer', out),
		left: [newName(x), alone(about, 'description', () => about.input.value.trim()), domainsPart(x?.domains), servicesPart(x?.services), consumersPart(x?.consumerAuthInfo)],
		right: [alone(type, 'type', () => type.input.value), ...only] });
}

// A list does not have all of it.
export async function openMcp(name) {
	try {
		mcpDialog(await get(`v1/mcpServer/${escaped(name)}`));
	} catch (error) {
		complain(name, error);
	}
}
