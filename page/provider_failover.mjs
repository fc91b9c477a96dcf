// Of a provider with several keys: when one is put aside, and how it comes back. Without a model to ask for a key never does,
// so there has to be one.
import { h } from './dom.mjs';
import { t } from './i18n.mjs';
import { field, input, refuse, tick } from './ui.mjs';

const NUMBERS = [
	['failureThreshold', 'FAILURES UNTIL PUT ASIDE', '3'],
	['successThreshold', 'SUCCESSES UNTIL BACK', '1'],
	['healthCheckInterval', 'ASKED EVERY (MS)', '5000'],
	['healthCheckTimeout', 'ANSWER WITHIN (MS)', '5000'],
];

// Gives { el, put(config), valid() }: put writes into the object what was chosen, and leaves the rest of it.
export function failoverPart(config) {
	const on = tick('Key fail-over', config?.enabled ?? false);
	const model = field('HEALTH CHECK MODEL', input(config?.healthCheckModel ?? '', { placeholder: 'qwen3.5-plus' }), t('a key that was put aside is asked for this one'));
	const numbers = NUMBERS.map(([name, label, usual]) => ({ name, box: field(label, input(config?.[name] ?? '', { inputmode: 'numeric', placeholder: usual })) }));
	const more = h('div.col.gap3', model, h('div.two', numbers.map((x) => x.box)));
	const look = () => (more.hidden = !on.input.checked);
	on.input.addEventListener('change', look);
	look();
	const number = (x) => (x.box.input.value.trim() === '' ? null : Number(x.box.input.value));
	return {
		el: h('div.col.gap3', on, more),
		put: (out) => Object.assign(out, { enabled: on.input.checked, healthCheckModel: model.input.value.trim() || null }, Object.fromEntries(numbers.map((x) => [x.name, number(x)]))),
		valid: () => {
			if (!on.input.checked) return true;
			if (!model.input.value.trim()) return refuse(model, t('without a model no key would ever come back'));
			const bad = numbers.find((x) => number(x) !== null && !(Number.isInteger(number(x)) && number(x) > 0));
			return bad ? refuse(bad.box, t('a whole number above 0')) : true;
		},
	};
}
