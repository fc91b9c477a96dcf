// Asks a provider whether it answers, through its real adapter in the server; the result stays with its time.
import { post } from './api.mjs';
import { t } from './i18n.mjs';
import { store, tell } from './store.mjs';
import { toast } from './ui.mjs';

const AT_ONCE = 4;
// Verdicts of the provider. Of anything else that goes wrong he is not to blame, and nothing is known of him that was not before.
const JUDGED = ['PROVIDER_UNREACHABLE', 'PROVIDER_NOT_FOUND', 'NO_API_KEY'];

// What was no test: [message, reason].
function notTested(error) {
	if (error.status === 0) return [t('TEST ERROR'), error.message];
	return [t('TEST FAILED'), error.status === 404 ? t('This server has no test of providers yet.') : `HTTP ${error.status} · ${error.message}`];
}

// { none: why }: there was no test.
export async function testProvider(name, { quiet = false } = {}) {
	const before = store.tests.get(name);
	if (before?.running) return { none: t('CONNECTING...') };
	store.tests.set(name, { ...before, running: true });
	tell();
	const began = performance.now();
	const result = { at: Date.now(), ok: false, running: false };
	try {
		const got = await post('ni_status/test-provider', { provider: name });
		Object.assign(result, { ok: got.success !== false, models: got.models, sample: got.sample ?? [], ms: got.ms ?? Math.round(performance.now() - began), text: t('{0} models, {1} ms', got.models ?? '—', got.ms ?? '—') });
		if (!quiet) toast(t('PROVIDER {0} CONNECTED', name), result.text);
	} catch (error) {
		if (!JUDGED.includes(error.code)) {
			if (before) store.tests.set(name, { ...before, running: false });
			else store.tests.delete(name);
			tell();
			const [said, why] = notTested(error);
			if (!quiet) toast(`${said}: ${name}`, why, true);
			return { none: why };
		}
		result.text = error.message;
		if (!quiet) toast(t('PROVIDER {0} FAILED', name), result.text, true);
	}
	store.tests.set(name, result);
	tell();
	return result;
}

export async function testAll(names) {
	const waiting = [...names];
	const got = new Map();
	await Promise.all(Array.from({ length: Math.min(AT_ONCE, waiting.length) }, async () => {
		while (waiting.length) {
			const name = waiting.shift();
			got.set(name, await testProvider(name, { quiet: true }));
		}
	}));
	const of = (which) => names.filter((name) => which(got.get(name))).join(', ');
	const [bad, none] = [of((x) => !x.none && !x.ok), of((x) => x.none)];
	const why = [...got.values()].find((x) => x.none)?.none;
	toast(t('{0} OF {1} CONNECTED', names.filter((name) => got.get(name).ok).length, names.length), [bad && t('failed: {0}', bad), none && `${t('not tested: {0}', none)} · ${why}`].filter(Boolean).join(' · '), Boolean(bad || none));
}
