// What needs somebody: each with what leads to its repair.
import { t } from './i18n.mjs';
import { listOf, store } from './store.mjs';
import { workers } from './workers.mjs';

const DAYS_WARNED = 30;
const DAY = 86400000;

export const daysLeft = (certificate) => (certificate?.validityEnd ? Math.floor((new Date(certificate.validityEnd) - Date.now()) / DAY) : null);

export function warnings() {
	const out = [];
	const known = new Set(listOf('providers').map((p) => p.name));
	if (store.lists.aiRoutes.data && store.lists.providers.data) {
		for (const r of listOf('aiRoutes'))
			for (const u of r.upstreams ?? [])
				if (!known.has(u.provider)) out.push({ kind: 'b-bad', text: t('{0} leads nowhere', r.name), sub: t('provider {0} is missing', u.provider), action: 'EDIT', to: `#/routes/${encodeURIComponent(r.name)}` });
	}
	for (const [name, test] of store.tests) if (!test.ok && known.has(name)) out.push({ kind: 'b-bad', text: t('{0} is unreachable', name), sub: test.text, action: 'REVIEW', to: `#/providers/${encodeURIComponent(name)}` });
	for (const w of workers()) {
		if (w.authorized === false) out.push({ kind: 'b-bad', text: t('{0} is not authorized', w.name), sub: t('no route lets it in'), action: 'REPAIR', to: `#/consumers/worker-${encodeURIComponent(w.name)}` });
		if (w.chip === 'DRIFTED') out.push({ kind: 'b-warn', text: t('{0} has drifted', w.name), sub: t('config says {0}', w.configured), action: 'REVIEW', to: `#/assignment/${encodeURIComponent(w.name)}` });
		if (w.chip === 'FAILED') out.push({ kind: 'b-bad', text: t('{0} could not be switched', w.name), sub: w.assignment?.reason ?? '', action: 'REVIEW', to: `#/assignment/${encodeURIComponent(w.name)}` });
	}
	for (const c of listOf('certificates')) {
		const days = daysLeft(c);
		if (days !== null && days < DAYS_WARNED) out.push({ kind: days < 7 ? 'b-bad' : 'b-warn', text: days < 0 ? t('certificate has expired') : t('certificate: {0} days', days), sub: c.name, action: 'REVIEW', to: '#/domains' });
	}
	for (const w of store.monitor.status?.warnings ?? []) out.push({ kind: 'b-warn', text: typeof w === 'string' ? w : (w.message ?? w.code), sub: w.hint ?? '', action: null });
	return out;
}
