// Where a request goes, as the server says it (page/rehearse.h in its source): the route that it gets, why each other one is
// refused, the provider and the model behind it.
import { h } from './dom.mjs';
import { isZh, t } from './i18n.mjs';
import { routeName } from './samples.mjs';
import { badge, gateGlyph, note } from './ui.mjs';

// The outcomes of `sluice explain`, in words.
const OUTCOMES = { chosen: 'wins', path: 'the path does not fit', method: 'the method does not fit', header: 'a header does not fit', query: 'the query does not fit', model: 'no predicate matches', closer: 'another one names the model more closely', later: 'another one comes first', unread: 'answered before its body is read' };
// What a route answers by itself is what it is for.
const OF_ROUTES = ['route.redirect', 'route.mock'];
const REFUSED_SHOWN = 8;

export const outcome = (x) => (isZh() && OUTCOMES[x.outcome] ? t(OUTCOMES[x.outcome]) : (x.text ?? x.outcome));
export const shortName = (name) => (name ? routeName(name) : null);
const where = (d) => d.provider ?? d.service;

export function destinations(e) {
	const of = e.destinations.filter((d) => d.weight > 0);
	return of.map((d) => `${where(d)}${of.length > 1 ? ` ${Math.round((d.weight * 100) / d.of)} %` : ''}`).join(' · ');
}

// One line: the gate, the route, what it means.
export function verdict(e) {
	const kind = e.served || OF_ROUTES.includes(e.reason) ? 'open' : 'bad';
	return h(`div.verdict.${kind}`, h('span.gi', gateGlyph(kind)), h('div.grow', h('h3.any', shortName(e.route) ?? t('no route')),
		h('div.xs.soft.any', e.served ? destinations(e) : `${e.status} · ${e.text ?? e.reason ?? ''}`),
		e.served && e.destinations.some((d) => !d.reachable && d.weight > 0) ? h('div.xs.warnt', t('no endpoint is known of this service')) : null));
}

export function trace(e) {
	const others = e.routes.filter((x) => x.route !== e.route);
	const d = e.destinations.find((x) => x.weight > 0);
	return h('div.col.gap3', verdict(e),
		others.length ? h('ol.trace', others.slice(0, REFUSED_SHOWN).map((x) => h('li.no', h('span.gi', gateGlyph('now')), h('div', h('h3.any', shortName(x.route)), h('div.xs.soft', outcome(x)))))) : null,
		others.length > REFUSED_SHOWN || e.further ? h('p.xs.soft', t('and {0} more in the list', others.length - Math.min(others.length, REFUSED_SHOWN) + e.further)) : null,
		h('dl.kv', h('dt', t(d?.provider ? 'PROVIDER' : 'SERVICE')), h('dd.n.any', destinations(e) || '—'),
			e.model || d?.model ? [h('dt', t('MODEL')), h('dd.any', d?.model ?? e.model)] : null,
			h('dt', t('CONSUMER')), h('dd', e.consumer ?? t('nobody'), ' ', !e.route && ![401, 403].includes(e.status) ? null : badge([401, 403].includes(e.status) ? 'refused' : 'allowed', [401, 403].includes(e.status) ? 'b-bad' : 'b-ok'))));
}

export const unexplained = (error) => note('b-bad', h('div.sm', error.status === 404 ? t('This server cannot be asked that yet; the PLAYGROUND shows it of a real request.') : error.message));
