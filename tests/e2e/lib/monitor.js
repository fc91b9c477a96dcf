// The monitor API as its tests need it: a server with HiClaw's environment, and requests by whom they come from.
import assert from 'node:assert/strict';
import { bearer, basic } from './console.js';
import { request } from './http.js';
import { startServe, tempDir } from './sluice.js';

export const PASSWORD = 'secret-pw1';
export const MANAGER = 'mgrkey-0123456789abcdef';
export const ALICE = 'alicekey-0123456789abcdef';
export const BOB = 'bobkey-0123456789abcdef';
const NOBODY = {};
export const AS = {
	nobody: NOBODY,
	admin: { authorization: basic(`admin:${PASSWORD}`) },
	wrong: { authorization: basic('admin:wrong-pw') },
	manager: { authorization: `Bearer ${MANAGER}` },
	alice: { authorization: `Bearer ${ALICE}` },
	bob: { authorization: `Bearer ${BOB}` },
};

export const portOf = (address) => Number(address.split(':').pop());

export async function startMonitor(t, { env = {}, args = [], data = tempDir(t), ready } = {}) {
	const serve = await startServe(t, {
		data,
		args: ['--access-log', `${data}/access.log`, '--manage-on-gateway', ...args],
		env: { HICLAW_ADMIN_PASSWORD: PASSWORD, HICLAW_MANAGER_GATEWAY_KEY: MANAGER, ...env },
		...ready,
	});
	return new Monitor(serve);
}

export class Monitor {
	constructor(serve) {
		this.serve = serve;
		this.port = portOf(serve.ready.monitor[0]);
	}

	// One request: 'PUT /ni_status/…'. What every answer must hold is checked here (M-61).
	async call(line, body, { as = 'admin', headers = {}, port = this.port } = {}) {
		const [method, path] = line.split(' ');
		const got = await request(port, { method, path, body, headers: { ...AS[as], ...headers } });

		assert.equal(got.headers['cache-control'], 'no-store', line);
		assert.equal(got.headers['x-content-type-options'], 'nosniff', line);
		assert.ok(got.headers['x-request-id'], line);
		if (got.status !== 204 && !got.headers['content-type'].startsWith('text/event-stream')) assert.ok(got.headers['content-length'], line);
		if (got.text && got.headers['content-type'].startsWith('application/json')) {
			assert.equal(JSON.stringify(got.json), got.text, `${line}: compact`);
			if (got.status >= 400) {
				assert.equal(got.json.success, false, line);
				assert.equal(got.json.error, got.json.message, line);
				assert.match(got.json.code, /^[A-Z_]+$/, line);
				assert.equal(got.json.requestId, got.headers['x-request-id'], line);
			}
		}
		return got;
	}

	async ok(line, body, options) {
		const got = await this.call(line, body, options);
		assert.ok(got.status >= 200 && got.status < 300, `${line}: ${got.status} ${got.text}`);
		return got.json;
	}

	async refused(status, code, line, body, options) {
		const got = await this.call(line, body, options);
		assert.deepEqual([got.status, got.json?.code], [status, code], `${line}: ${got.status} ${got.text}`);
		return got;
	}

	// The Console's API of the same server.
	async console(line, body) {
		const [method, path] = line.split(' ');
		return request(this.serve.console, { method, path, body, headers: AS.admin });
	}

	async addAgents() {
		for (const [name, key] of [['manager', MANAGER], ['worker-alice', ALICE], ['worker-bob', BOB], ['customer', 'customerkey-0123456789']])
			assert.equal((await this.console('POST /v1/consumers', bearer(name, key))).status, 201);
	}
}
