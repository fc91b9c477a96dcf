// Calls of the APIs beside the page. Errors are sentences; a session that has ended is renewed and the call repeated.
import { t } from './i18n.mjs';

const CALL_MS = 30000;
const SECRET_NAMES = /^(tokens|apiTokens|values|vertexAuthKey|awsSecretKey|awsAccessKey|password)$/;

export class ApiError extends Error {
	constructor(status, message, { code, requestId, hint, retryAfter } = {}) {
		super(message);
		Object.assign(this, { status, code, requestId, hint, retryAfter });
	}
	// The object, the reason and the next step, for a toast.
	get more() {
		return [this.hint, this.code, this.requestId].filter(Boolean).join(' · ');
	}
}

let renew = null; // () => a promise that is kept when somebody has signed in
export const onSessionEnd = (fn) => (renew = fn);
let changed = null; // called when something on the server has been changed from here
export const onChange = (fn) => (changed = fn);
const isChange = (path, { method = 'GET', body }) => method !== 'GET' && /^(v1|ni_status)\//.test(path) && !body?.dryRun;

export const address = (path) => new URL(path, document.baseURI).href;

// Stored secrets are masked by the server when it is asked to; where it does not know how, here, before anybody sees them.
const maskOf = (text) => (text.includes('******') || text.startsWith('${') || text === '' ? text : text.length > 9 ? `${text.slice(0, 3)}******${text.slice(-3)}` : '******');
function mask(value, name = '') {
	if (typeof value === 'string') return SECRET_NAMES.test(name) ? maskOf(value) : value;
	if (Array.isArray(value)) return value.map((each) => mask(each, name));
	if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mask(each, key)]));
	return value;
}

function failure(response, json, text) {
	const said = json?.message ?? json?.error ?? '';
	const code = json?.code;
	const fallback = response.status === 404 ? t('There is no such thing on this server (404).') : t('The server answered {0}.', response.status);
	return new ApiError(response.status, said || (text && !text.startsWith('<') ? text.slice(0, 200) : fallback), {
		code,
		requestId: json?.requestId ?? response.headers.get('x-request-id'),
		hint: json?.hint ?? json?.errors?.join(', '),
		retryAfter: Number(response.headers.get('retry-after')) || null,
	});
}

async function send(path, { method = 'GET', body, headers = {}, signal, ms = CALL_MS } = {}) {
	try {
		return await fetch(address(path), {
			method,
			credentials: 'same-origin',
			cache: 'no-store',
			headers: {
				'X-Requested-With': 'sluice',
				'X-Sluice-Secrets': 'masked',
				...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
				...headers,
			},
			body: body === undefined ? undefined : JSON.stringify(body),
			signal: signal ?? AbortSignal.timeout(ms),
		});
	} catch (error) {
		if (error.name === 'TimeoutError') throw new ApiError(0, t('The server did not answer within {0} s.', ms / 1000));
		if (error.name === 'AbortError') throw error;
		throw new ApiError(0, t('The server cannot be reached.'));
	}
}

// The answer itself, for who reads it bit by bit. Not ok: an ApiError.
export async function open(path, options = {}) {
	for (;;) {
		const response = await send(path, options);
		if (response.ok) {
			if (isChange(path, options)) changed?.();
			return response;
		}
		if (response.status === 401 && renew && !options.anonymous) {
			await renew();
			continue;
		}
		const text = await response.text();
		let json = null;
		try {
			json = JSON.parse(text);
		} catch {
			// said as text
		}
		throw failure(response, json, text);
	}
}

export async function call(path, options = {}) {
	const response = await open(path, options);
	const text = await response.text();
	if (text === '') return null;
	if (options.text) return text;
	let json;
	try {
		json = JSON.parse(text);
	} catch {
		throw new ApiError(response.status, t('The answer is not what this page understands.'));
	}
	const data = json && typeof json === 'object' && 'data' in json && 'success' in json ? json.data : json;
	return options.clear ? data : mask(data);
}

export const get = (path, options) => call(path, options);
export const post = (path, body = {}, options = {}) => call(path, { ...options, method: 'POST', body });
export const change = (path, body, options = {}) => call(path, { ...options, method: 'PUT', body });
export const remove = (path, options = {}) => call(path, { ...options, method: 'DELETE' });
export const part = encodeURIComponent;
