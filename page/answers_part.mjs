// What an HTTP route answers by itself, as parts of its editor: a redirection in the annotations of Higress, a mock answer in
// sluice's own. What is switched off stays with "disabled." before its name, as the other settings of a route do.
import { h } from './dom.mjs';
import { t } from './i18n.mjs';
import { folded } from './route_parts.mjs';
import { field, input, refuse, select, tick } from './ui.mjs';

const OFF = 'disabled.';
const [FOR_A_TIME, FOR_GOOD, CODE] = ['temporal-redirect', 'permanent-redirect', 'permanent-redirect-code'].map((x) => `higress.io/${x}`);
const [STATUS, TYPE, BODY] = ['status', 'type', 'body'].map((x) => `sluice.io/mock-${x}`);
const REDIRECT = [FOR_A_TIME, FOR_GOOD, CODE];
const MOCK = [STATUS, TYPE, BODY];
// Those have fields here; others are shown as annotations.
export const ANSWER_KEYS = [...REDIRECT, ...MOCK].flatMap((key) => [key, OFF + key]);

const CODES = [['301', 'moved for good'], ['302', 'for a time'], ['303', 'ask there with GET'], ['307', 'for a time, same method'], ['308', 'moved for good, same method']];
const BODY_MAX = 65536; // FIXED_ANSWER_BODY_MAX of the server

const wrong = (box, text) => !refuse(box, text);

// { on, values }: of the keys that are set, or else of those that are switched off.
function stored(configs, keys, needs) {
	const of = (prefix) => Object.fromEntries(keys.filter((key) => configs?.[prefix + key] !== undefined).map((key) => [key, String(configs[prefix + key] ?? '')]));
	const on = needs.some((key) => configs?.[key]);
	return { on, values: on ? of('') : { ...of(OFF), ...of('') } };
}

// What the route says now, in a word for lists; null: it asks its services.
export function answerOf(r) {
	const redirect = stored(r.customConfigs, REDIRECT, [FOR_A_TIME, FOR_GOOD]);
	if (redirect.on) return redirect.values[FOR_A_TIME] ? { status: '302', to: redirect.values[FOR_A_TIME] } : { status: redirect.values[CODE] || '301', to: redirect.values[FOR_GOOD] };
	const mock = stored(r.customConfigs, MOCK, [STATUS]);
	return mock.on ? { status: mock.values[STATUS], to: null } : null;
}

// Writes the values that are not empty; nothing at all when the form says what it said at first.
function keeper(configs, keys, now) {
	const first = JSON.stringify(now());
	return (o) => {
		if (JSON.stringify(now()) === first) return;
		const { on, values } = now();
		const rest = Object.fromEntries(Object.entries(o.customConfigs ?? {}).filter(([key]) => !keys.some((x) => key === x || key === OFF + x)));
		o.customConfigs = { ...rest, ...Object.fromEntries(Object.entries(values).filter(([, value]) => value !== '').map(([key, value]) => [(on ? '' : OFF) + key, value])) };
	};
}

function part(label, use, el, { check, now, configs, keys, first }) {
	return folded(label, { el, names: [], count: () => Number(use.input.checked), fail: (text) => wrong(first, text) && text, check, put: keeper(configs, keys, now), on: () => use.input.checked });
}

export function redirectPart(configs) {
	const was = stored(configs, REDIRECT, [FOR_A_TIME, FOR_GOOD]);
	const use = tick('Send callers to another address', was.on);
	const to = field('NEW ADDRESS', input(was.values[FOR_A_TIME] || was.values[FOR_GOOD] || '', { placeholder: 'https://new.example.com/shop' }), t('no service is asked then'));
	const code = field('HTTP STATUS', select(CODES.map(([value, words]) => [value, `${value} · ${t(words)}`]), was.values[FOR_A_TIME] ? '302' : CODES.some(([value]) => value === was.values[CODE]) ? was.values[CODE] : was.values[FOR_GOOD] ? '301' : '307'));
	to.input.addEventListener('input', () => (use.input.checked = Boolean(to.input.value.trim())));
	const now = () => {
		const [at, status] = [to.input.value.trim(), code.input.value];
		const kept = was.values[FOR_A_TIME] && status === '302';
		return { on: use.input.checked, values: kept ? { [FOR_A_TIME]: at } : { [FOR_GOOD]: at, [CODE]: at && status !== '301' ? status : '' } };
	};
	return part('REDIRECT', use, h('fieldset.rows', use, h('div.two', to, code)), { now, configs, keys: REDIRECT, first: to, check: () => {
		const at = to.input.value.trim();
		if (!use.input.checked) return null;
		if (!at) return wrong(to, t('The address is missing.'));
		return /^(https?:\/\/[!-~]|\/)[!-~]*$/.test(at) ? null : wrong(to, t('an address with http:// or https://, or a path that begins with /, without blanks'));
	} });
}

export function mockPart(configs, redirect) {
	const was = stored(configs, MOCK, [STATUS]);
	const use = tick('Answer without asking a service', was.on);
	const status = field('HTTP STATUS', input(was.values[STATUS] || '200', { inputmode: 'numeric' }));
	const type = field('MEDIA TYPE', input(was.values[TYPE] ?? '', { placeholder: 'text/plain', list: 'media-types' }));
	const body = field('BODY', h('textarea', { rows: 4, spellcheck: 'false', value: was.values[BODY] ?? '', placeholder: '{"ok": true}' }));
	const types = h('datalist', { id: 'media-types' }, ['application/json', 'text/plain', 'text/html'].map((value) => h('option', { value })));
	body.input.addEventListener('input', () => body.input.value && (use.input.checked = true));
	const now = () => {
		const values = { [STATUS]: status.input.value.trim(), [TYPE]: type.input.value.trim(), [BODY]: body.input.value };
		return { on: use.input.checked, values: use.input.checked || values[TYPE] || values[BODY] || was.values[STATUS] ? values : {} };
	};
	return part('MOCK ANSWER', use, h('fieldset.rows', use, h('div.two', status, type), types, body), { now, configs, keys: MOCK, first: status, check: () => {
		if (!use.input.checked) return null;
		const code = status.input.value.trim();
		if (!/^[2-5]\d\d$/.test(code)) return wrong(status, t('a status from 200 to 599'));
		if (redirect.on()) return wrong(status, t('A route redirects or gives a mock answer, not both.'));
		if (type.input.value.trim() && !/^[!-~]+\/[ -~]+$/.test(type.input.value.trim())) return wrong(type, t('a media type, as application/json'));
		if (body.input.value && ['204', '205', '304'].includes(code)) return wrong(body, t('An answer with status {0} has no body.', code));
		return new TextEncoder().encode(body.input.value).length > BODY_MAX ? wrong(body, t('at most {0} bytes', BODY_MAX)) : null;
	} });
}
