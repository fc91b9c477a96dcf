// Keys of consumers: made here, of the browser's own randomness, and seen once.
import { h } from './dom.mjs';
import { t } from './i18n.mjs';
import { btn, copy, input, modal } from './ui.mjs';

const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789'.slice(0, 56);
const LENGTH = 35;

// 32 letters and digits: more than 180 bits. What would favour some letters is thrown away.
export function newKey() {
	const fair = 256 - (256 % LETTERS.length);
	let out = 'sk-';
	while (out.length < LENGTH) for (const b of crypto.getRandomValues(new Uint8Array(48))) if (b < fair && out.length < LENGTH) out += LETTERS[b % LETTERS.length];
	return out;
}

export function showKey(name, key) {
	modal('KEY', 'key', h('div.col.gap3', h('p', t('The key of {0}. It is shown this once; afterwards only its mask.', name)), h('div.row', h('span.field.grow', input(key, { readonly: true, 'aria-label': t('KEY'), onfocus: (e) => e.target.select() })), btn('COPY', { on: () => copy(key) }))), (close) => [h('div.end', btn('DONE', { k: 'pri', on: close }))], { narrow: true });
}
