// The management API as a table of cases needs it: a server for a group of cases, emptied before each, the set-ups
// that the cases name, and what answers look like.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { request } from './http.js';
import { startServe, tempDir } from './sluice.js';

export const ADMIN = { name: 'admin', password: 'Adm1n-pw', displayName: 'admin' };
export const MANAGER_KEY = 'gk-manager-0001';
export const QWEN = {
	type: 'qwen',
	name: 'qwen',
	tokens: ['sk-qwen-00000001'],
	protocol: 'openai/v1',
	tokenFailoverConfig: { enabled: false },
	rawConfigs: { qwenEnableSearch: false, qwenEnableCompatible: true, qwenFileIds: [], hiclawMode: true },
};
export const bearer = (name, ...values) => ({ name, credentials: [{ type: 'key-auth', source: 'BEARER', values }] });
export const MANAGER = bearer('manager', MANAGER_KEY);
export const GATEWAY_HOST = 'aigw-local.hiclaw.io';
export const DEFAULT_ROUTE = {
	name: 'default-ai-route',
	domains: [GATEWAY_HOST],
	pathPredicate: { matchType: 'PRE', matchValue: '/', caseSensitive: false },
	upstreams: [{ provider: 'qwen', weight: 100, modelMapping: {} }],
	authConfig: { enabled: true, allowedCredentialTypes: ['key-auth'], allowedConsumers: ['manager'] },
	headerControl: {
		enabled: true,
		request: { add: [{ key: 'user-agent', value: 'HiClaw/1.0' }], set: [], remove: [] },
		response: { add: [], set: [], remove: [] },
	},
};
export const basic = (text) => `Basic ${Buffer.from(text).toString('base64')}`;

// An error as every endpoint answers it, of one of the statuses.
export function isError(got, status, what) {
	assert.ok([status].flat().includes(got.status), `${what}: ${got.status} ${got.text}`);
	if (got.headers) assert.match(got.headers['content-type'], /^application\/json/, what);
	assert.deepEqual(Object.keys(got.json), ['success', 'message', 'data'], what);
	assert.equal(got.json.success, false, what);
	assert.equal(got.json.data, null, what);
	assert.ok(got.json.message.length > 5, what);
}

// A success in its envelope; gives data.
export function isWrapped(got, what) {
	assert.equal(got.status, 200, `${what}: ${got.status} ${got.text}`);
	assert.deepEqual([got.json.success, got.json.message], [true, null], what);
	return got.json.data;
}

export class Console {
	constructor(serve) {
		this.serve = serve;
		this.cookie = null;
		this.changed = false;
		this.given = null; // the set-up that it is in, unless something has changed since
	}

	// One request. `line` is 'PUT /v1/domains/x'; what every answer under the API's prefixes must hold is checked.
	async call(line, body, { anon = false, headers = {} } = {}) {
		const [method, target] = line.split(' ');
		const got = await request(this.serve.console, {
			method,
			path: target,
			body,
			headers: { ...(this.cookie && !anon ? { cookie: this.cookie } : {}), ...headers },
		});
		if (method !== 'GET') this.changed = true;
		const cookie = got.headers['set-cookie']?.[0];
		if (cookie && /_hi_sess=[^;]/.test(cookie) && !anon) [this.cookie] = cookie.split(';');
		if (/^\/(v1|session|system|user|dashboard)\//.test(target)) {
			assert.doesNotMatch(got.text, /<!DOCTYPE/i, `${line}: HTML is read as an expired session`);
			if (got.text) assert.equal(JSON.stringify(got.json), got.text, `${line}: not compact`);
			if (got.status < 300 && got.text) assert.ok(!('code' in got.json), `${line}: a member "code" is read as a failure`);
		}
		return got;
	}

	// The expected kinds of answer; each fails with what was answered instead.
	async refused(status, line, body, options) {
		const got = await this.call(line, body, options);
		isError(got, status, line);
		return got;
	}

	// A list or an object in its envelope; gives data.
	async data(line, options) {
		const got = await this.call(line, undefined, options);
		assert.equal(got.status, 200, `${line}: ${got.status} ${got.text}`);
		const keys = Object.keys(got.json).join();
		assert.ok(['success,message,data', 'success,message,data,total,pageNum,pageSize'].includes(keys), `${line}: ${keys}`);
		assert.equal(got.json.success, true, line);
		assert.equal(got.json.message, null, line);
		assert.equal(Array.isArray(got.json.data), keys.endsWith('pageSize'), `${line}: a list has its totals, and nothing else has`);
		return got.json.data;
	}

	async wrapped(line, body, options) {
		const got = await this.call(line, body, options);
		isWrapped(got, line);
		return got;
	}

	// POST: 201, PUT: 200, the object itself.
	async raw(line, body, options) {
		const got = await this.call(line, body, options);
		assert.equal(got.status, line.startsWith('POST') ? 201 : 200, `${line}: ${got.status} ${got.text}`);
		assert.ok(!('success' in got.json), `${line}: wrapped`);
		return got.json;
	}

	async gone(line, body, options) {
		const got = await this.call(line, body, options);
		assert.deepEqual([got.status, got.text], [204, ''], `${line}: ${got.status} ${got.text}`);
	}

	async missing(line) {
		const got = await this.call(line);
		assert.deepEqual([got.status, got.text], [404, ''], `${line}: ${got.status} ${got.text}`);
	}

	async names(line) {
		return (await this.data(line)).map((each) => each.name);
	}

	async init() {
		await this.wrapped('POST /system/init', { adminUser: ADMIN });
		await this.login();
	}

	async login() {
		this.cookie = null;
		assert.equal((await this.call('POST /session/login', { username: ADMIN.name, password: ADMIN.password })).status, 201);
	}

	// Takes everything away, in an order that nothing refuses.
	async clear() {
		for (const name of await this.names('GET /v1/mcpServer')) await this.gone(`DELETE /v1/mcpServer/${name}`);
		const nouns = ['ai/routes', 'routes', 'ai/providers', 'consumers', 'domains', 'service-sources', 'proxy-servers', 'tls-certificates'];
		const names = await Promise.all(nouns.map((noun) => this.names(`GET /v1/${noun}`)));
		for (const [i, noun] of nouns.entries())
			for (const name of names[i]) if (!name.endsWith('.internal')) await this.gone(`DELETE /v1/${noun}/${encodeURIComponent(name)}`);
	}

	/*
	 * Brings it into one of the set-ups: I initialised and empty, P a provider, C a consumer beside, R a route
	 * beside. With an upstream the provider is of type openai and leads there.
	 */
	async setUp(given, upstream) {
		if (this.given === given && !this.changed) return;
		await this.clear();
		if ('PCR'.includes(given)) await this.raw('POST /v1/ai/providers', upstream ? localProvider(upstream) : QWEN);
		if ('CR'.includes(given)) await this.raw('POST /v1/consumers', MANAGER);
		if (given === 'R') await this.raw('POST /v1/ai/routes', DEFAULT_ROUTE);
		this.given = given;
		this.changed = false;
	}

	// A chat completion through the gateway: { status, text, ... }.
	chat(key, { host = GATEWAY_HOST, headers = {}, path: target } = {}) {
		return request(this.serve.port, {
			path: target,
			headers: { host, ...(key ? { authorization: `Bearer ${key}` } : {}), ...headers },
			body: { model: 'qwen-plus', messages: [{ role: 'user', content: 'hi' }] },
		});
	}
}

// Named qwen, so that the routes of the set-ups lead to it.
export function localProvider(upstream) {
	return { name: 'qwen', type: 'openai', tokens: ['sk-qwen-00000001'], rawConfigs: { openaiCustomUrl: `http://${upstream.address}/v1` } };
}

export async function startConsole(t, { data = tempDir(t), args = [], env } = {}) {
	fs.mkdirSync(path.join(data, 'resources'), { recursive: true });
	const serve = await startServe(t, {
		data,
		args: ['--access-log', 'off', '--error-format', 'plain', '--workers', '1', ...args],
		env,
	});
	return new Console(serve);
}
