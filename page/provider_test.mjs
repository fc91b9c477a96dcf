// Asks a provider whether it answers, through its real adapter in the server; the result stays with its time.
import { post } from './api.mjs';
import { t } from './i18n.mjs';
import { store, tell } from './store.mjs';
import { toast } from './ui.mjs';

const AT_ONCE = 4;

export async function testProvider(name, { quiet = false } = {}) {
	store.tests.set(name, { ...store.tests.get(name), running: true });
	tell();
	const began = performance.now();
	const result = { at: Date.now(), ok: false, running: false };
	try {
		const got = await post('ni_status/test-provider', { provider: name });
		Object.assign(result, { ok: got.success !== false, models: got.models, sample: got.sample ?? [], ms: got.ms ?? Math.round(performance.now() - began), text: t('{0} models, {1} ms', got.models ?? '—', got.ms ?? '—') });
		if (!quiet) toast(t('PROVIDER {0} CONNECTED', name), result.text);
	} catch (error) {
		const absent = error.status === 404 && error.code !== 'PROVIDER_NOT_FOUND';
		result.text = absent ? t('This server has no test of providers yet.') : error.message;
		if (absent) {
			store.tests.delete(name);
			if (!quiet) toast(t('TEST FAILED'), result.text, true);
			tell();
			return null;
		}
		if (!quiet) toast(t('PROVIDER {0} FAILED', name), result.text, true);
	}
	store.tests.set(name, result);
	tell();
	return result;
}

export async function testAll(names) {
	const waiting = [...names];
	let ok = 0;
	await Promise.all(Array.from({ length: Math.min(AT_ONCE, waiting.length) }, async () => {
		while (waiting.length) if ((await testProvider(waiting.shift(), { quiet: true }))?.ok) ok++;
	}));
	toast(t('{0} OF {1} CONNECTED', ok, names.length), '', ok < names.length);
}
