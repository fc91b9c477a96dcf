// The editor of a plain HTTP route: which requests it takes, which services they go to, what is changed on the way.
import { ANSWER_KEYS, mockPart, redirectPart } from './answers_part.mjs';
import { routeName } from './samples.mjs';
import { editor } from './route_editor.mjs';
import { authPart, corsPart, domainsPart, headerControlPart, keyedPart, methodsPart, namePart, pairsPart, pathPart, retriesPart, rewritePart, servicesPart } from './route_parts.mjs';

const TIMEOUT = 'higress.io/timeout';
const blank = () => ({ name: '', domains: [], path: { matchType: 'PRE', matchValue: '/', caseSensitive: true }, services: [], authConfig: null, customConfigs: {}, customLabels: {} });

// An expression has no path of its own to ask about.
const sample = (path) => (path.type() === 'REGULAR' ? '/' : path.value().startsWith('/') ? path.value() : '/');

export function httpRouteDialog(r, onSaved) {
	const domains = domainsPart(r?.domains);
	const path = pathPart(r?.path);
	const methods = methodsPart(r?.methods);
	const auth = authPart(r?.authConfig);
	const redirect = redirectPart(r?.customConfigs);
	const host = () => domains.first().replace(/^\*\./, 'any.').replace(/^(\*|higress-default-domain)?$/, 'any.example');
	return editor({ kind: 'ROUTE', noun: 'route', list: 'routes', path: 'v1/routes', object: r, blank, save: 'SAVE ROUTE', saved: onSaved, reopen: (x) => x && httpRouteDialog(x, onSaved),
		ask: () => ({ host: host(), path: sample(path), method: methods.chosen()[0] ?? 'GET', consumer: auth.first() }),
		left: [namePart(r?.name ?? '', Boolean(r), 'shop'), domains, path, methods, keyedPart('headers', 'HEADERS', r?.headers, { header: true }), keyedPart('urlParams', 'QUERY', r?.urlParams, { header: false })],
		right: [servicesPart(r?.services), auth, rewritePart(r?.rewrite), redirect, mockPart(r?.customConfigs, redirect), headerControlPart(r?.headerControl),
			pairsPart('customConfigs', 'ANNOTATIONS', 'ADD ANNOTATION', r?.customConfigs, [TIMEOUT, ...ANSWER_KEYS]), retriesPart(r?.proxyNextUpstream, r?.customConfigs), corsPart(r?.cors), pairsPart('customLabels', 'LABELS', 'ADD LABEL', r?.customLabels)] });
}

export const isOwn = (r) => !r.name.endsWith('.internal');
// Of whom a route is that another object has made.
export function ownerOf(r) {
	if (r.name.startsWith('mcp-server-')) return ['MCP SERVER', r.name.replace(/^mcp-server-/, '').replace(/\.internal$/, '')];
	return ['AI ROUTE', routeName(r.name)];
}
