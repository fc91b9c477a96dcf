// The gate at night: sign-in, the first start, and the way out.
import { ApiError, get, post } from './api.mjs';
import { h, put } from './dom.mjs';
import { t } from './i18n.mjs';
import { gateScene } from './scene.mjs';
import { icon } from './sprites.mjs';
import { btn, complain, field, input, refuse, tick } from './ui.mjs';

const brand = () => h('div.brand', icon('gate', 4), h('div', h('h1', 'SLUICE'), h('p.xs.soft', t('one gate, every model'))));
const frame = (label, submit, ...kids) => h('main.signin', gateScene(), h('form.gatebox.panel', { onsubmit: submit, 'aria-label': t(label), novalidate: true }, brand(), h('div.dither'), kids));

async function login(name, password, stay) {
	return post('session/login', { username: name, password, autoLogin: stay }, { anonymous: true });
}

// Counts down, when too many were wrong.
function pause(box, button, seconds) {
	let left = seconds;
	button.setAttribute('aria-disabled', 'true');
	const say = () => box.fail(t('Too many attempts. Next one in {0} s.', left));
	say();
	const timer = setInterval(() => {
		left--;
		if (left > 0) return say();
		clearInterval(timer);
		button.removeAttribute('aria-disabled');
		box.fail(null);
	}, 1000);
}

export function signIn({ onDone, ended = false }) {
	const user = field('USER', input('admin', { name: 'username', autocomplete: 'username' }));
	const password = field('PASSWORD', input('', { type: 'password', name: 'password', autocomplete: 'current-password', autofocus: true }));
	const stay = tick('KEEP ME SIGNED IN', false);
	const button = btn('ENTER', { k: 'pri', type: 'submit' });
	const submit = async (e) => {
		e.preventDefault();
		if (button.getAttribute('aria-disabled') === 'true' || button.getAttribute('aria-busy') === 'true') return;
		if (!password.input.value) return refuse(password, t('The password is missing.'));
		button.setAttribute('aria-busy', 'true');
		try {
			onDone(await login(user.input.value, password.input.value, stay.input.checked));
		} catch (error) {
			password.input.value = '';
			if (!(error instanceof ApiError)) throw error;
			if (error.status === 429) return pause(password, button, error.retryAfter ?? 30);
			const why = error.status === 401 ? [h('b', t('ACCESS DENIED')), ' ', t('Wrong user or password.')] : error.message;
			refuse(password, why);
		} finally {
			button.removeAttribute('aria-busy');
		}
	};
	const form = frame('SIGN IN', submit, ended ? h('p.sm', { role: 'status' }, t('The session has ended. What is on the page stays.')) : null, user, password, stay, button);
	queueMicrotask(() => password.input.focus());
	return form;
}

export async function signOut() {
	try {
		await get('session/logout', { anonymous: true });
	} catch (error) {
		return complain(t('SIGN OUT'), error);
	}
	location.reload();
}

const PASSWORD_MIN = 8;

// The administrator is made once; then the page goes on as if he had signed in.
export function firstRun({ onDone }) {
	const user = field('USER', input('admin', { autocomplete: 'username' }));
	const one = field('NEW PASSWORD', input('', { type: 'password', autocomplete: 'new-password' }), t('at least {0} characters', PASSWORD_MIN));
	const two = field('REPEAT PASSWORD', input('', { type: 'password', autocomplete: 'new-password' }));
	const code = field('SET-UP CODE', input('', { autocomplete: 'one-time-code' }), t('printed on the server at start'));
	const button = btn('OPEN THE GATE', { k: 'pri', type: 'submit' });
	const needsCode = h('div', { hidden: true }, code);
	const submit = async (e) => {
		e.preventDefault();
		const name = user.input.value.trim();
		const password = one.input.value;
		if (!name) return refuse(user, t('The name is missing.'));
		if (password.length < PASSWORD_MIN) return refuse(one, t('at least {0} characters', PASSWORD_MIN));
		if (two.input.value !== password) return refuse(two, t('The two passwords differ.'));
		button.setAttribute('aria-busy', 'true');
		try {
			await post('system/init', { adminUser: { name, password, displayName: name }, ...(code.input.value ? { setupCode: code.input.value.trim() } : {}) }, { anonymous: true });
			location.hash = '#/home';
			onDone(await login(name, password, false));
		} catch (error) {
			if (error.status !== 403) return refuse(one, error.message);
			const again = !needsCode.hidden;
			needsCode.hidden = false;
			refuse(code, again ? t('That is not the code. It is in the log of the server.') : t('From another machine this needs the code that the server printed.'));
		} finally {
			button.removeAttribute('aria-busy');
		}
	};
	const steps = h('ol.steps3', ['1 PASSWORD', '2 PROVIDER', '3 MODEL'].map((x, i) => h('li.pix' + (i ? '' : '.on'), { 'aria-current': i ? null : 'step' }, t(x))));
	const form = frame('FIRST START', submit, steps, h('p.sm', t('Choose the administrator password.')), user, one, two, needsCode, button);
	queueMicrotask(() => one.input.focus());
	return form;
}
