// sluice in a scripted HiClaw, with what HiClaw sets up through the Console: consumers, the first provider, the default
// route. The resources are there when the gateway starts, as after the restart of an installation.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { completion, json, modelOf, startUpstream } from '../lib/http.js';
import { startServe } from '../lib/sluice.js';

export const ADMIN = { name: 'admin', password: 'secret-pw1' };
export const BASIC = `Basic ${Buffer.from(`${ADMIN.name}:${ADMIN.password}`).toString('base64')}`;
export const GATEWAY = 'http://aigw-local.hiclaw.io:8080';

// A vendor that knows some models and answers with its own name; the others get 404 as vendors say it.
export const startVendor = (t, name, models) => startUpstream(t, (req, res, body) => {
	if (req.method === 'GET') return json(res, 200, { object: 'list', data: models.map((id) => ({ id, object: 'model' })) });
	const model = modelOf(body);
	if (!models.includes(model)) return json(res, 404, { error: { message: `The model ${model} does not exist`, type: 'invalid_request_error', code: 'model_not_found' } });
	return json(res, 200, completion(`by ${name}`, model));
});

// keys: { consumer: key }.
export async function setUp(t, data, { vendor, keys }) {
	fs.mkdirSync(path.join(data, 'resources'), { recursive: true });
	const serve = await startServe(t, { data, args: ['--access-log', 'off'], env: { HICLAW_ADMIN_USER: ADMIN.name, HICLAW_ADMIN_PASSWORD: ADMIN.password } });
	const post = async (at, body) => {
		const res = await fetch(`http://127.0.0.1:${serve.console}${at}`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: BASIC }, body: JSON.stringify(body) });
		assert.ok(res.ok, `${at}: ${res.status} ${await res.text()}`);
	};
	for (const [name, key] of Object.entries(keys)) await post('/v1/consumers', { name, credentials: [{ type: 'key-auth', source: 'BEARER', values: [key] }] });
	await post('/v1/service-sources', { type: 'static', name: 'qwen', domain: vendor.address, port: vendor.port, protocol: 'http' });
	await post('/v1/ai/providers', { type: 'openai', name: 'qwen', tokens: ['vendor-key-qwen'], protocol: 'openai/v1', tokenFailoverConfig: { enabled: false },
		rawConfigs: { openaiCustomUrl: `http://${vendor.address}/v1`, openaiCustomServiceName: 'qwen.static', openaiCustomServicePort: vendor.port, hiclawMode: true } });
	await post('/v1/ai/routes', { name: 'default-ai-route', domains: [], pathPredicate: { matchType: 'PRE', matchValue: '/v1', caseSensitive: false },
		upstreams: [{ provider: 'qwen', weight: 100, modelMapping: {} }], authConfig: { enabled: true, allowedCredentialTypes: ['key-auth'], allowedConsumers: Object.keys(keys) } });
	await serve.stop();
}

// The gateway with HiClaw's profile; api(method, path, body, headers) asks its monitor as the administrator.
export async function startGateway(t, data, env) {
	const serve = await startServe(t, { data, args: ['--hiclaw', '--access-log', 'off'], env: { HICLAW_ADMIN_USER: ADMIN.name, HICLAW_ADMIN_PASSWORD: ADMIN.password, ...env } });

	serve.monitor = `http://127.0.0.1:${serve.ready.monitor[0].split(':').pop()}`;
	serve.api = async (method, at, body, headers = {}) => {
		const res = await fetch(`${serve.monitor}/ni_status${at}`, { method, headers: { authorization: BASIC, ...headers }, body: body && JSON.stringify(body) });
		return { status: res.status, body: await res.json() };
	};
	return serve;
}
