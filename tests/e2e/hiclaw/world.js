// A HiClaw in a directory: the Manager's workspace with its OpenClaw configuration, agents' directories, a bucket, the
// controller's API, and the HTTP side of the Manager's OpenClaw. What they do is what HiClaw's sources do.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { once } from 'node:events';
import { KEYS, startStorage } from './s3.js';

export const BUCKET = 'hiclaw-storage';
export const TOKEN = 'controller-token-0123456789';
export const KEY_OF = { manager: 'manager-key-0123456789abcdef', alice: 'alice-key-0123456789abcdef', bob: 'bob-key-0123456789abcdef' };

const model = (id, contextWindow, maxTokens, input) => ({ id, name: id, reasoning: true, contextWindow, maxTokens, input });

// As the Manager's template has it: order kept, a final newline.
export const managerConfig = (gateway) => `${JSON.stringify({
	gateway: { mode: 'local', port: 18799, auth: { token: KEY_OF.manager } },
	channels: { matrix: { enabled: true } },
	models: {
		mode: 'merge',
		providers: { 'hiclaw-gateway': { baseUrl: `${gateway}/v1`, apiKey: KEY_OF.manager, api: 'openai-completions', models: [model('qwen3.5-plus', 200000, 64000, ['text', 'image'])] } },
	},
	agents: { defaults: { model: { primary: 'hiclaw-gateway/qwen3.5-plus' }, models: { 'hiclaw-gateway/qwen3.5-plus': { alias: 'qwen3.5-plus' } } } },
	tools: {}, session: {}, plugins: {}, commands: {},
}, null, 2)}\n`;

const sorted = (v) => Array.isArray(v) ? v.map(sorted) : v && typeof v === 'object' ? Object.fromEntries(Object.keys(v).sort().map((k) => [k, sorted(v[k])])) : v;

// As the controller generates it: sorted keys, no final newline.
export const workerConfig = (gateway, name) => JSON.stringify(sorted({
	gateway: { mode: 'local', auth: { token: KEY_OF[name] } },
	models: {
		mode: 'merge',
		providers: { 'hiclaw-gateway': { baseUrl: `${gateway}/v1`, apiKey: KEY_OF[name], api: 'openai-completions', models: [model('qwen3.5-plus', 200000, 64000, ['text', 'image'])] } },
	},
	agents: { defaults: { maxConcurrent: 4, model: { primary: 'hiclaw-gateway/qwen3.5-plus' }, models: { 'hiclaw-gateway/qwen3.5-plus': { alias: 'qwen3.5-plus' } } } },
}), null, 2);

async function listen(t, handler) {
	const server = http.createServer(async (req, res) => {
		const pieces = [];
		for await (const piece of req) pieces.push(piece);
		handler(req, Buffer.concat(pieces).toString(), (status, body) => {
			const text = body === undefined ? '' : JSON.stringify(body);
			res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
			res.end(text);
		});
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	return `http://127.0.0.1:${server.address().port}`;
}

// The controller: a change of a model recreates the container, which reads the object anew.
async function startController(t) {
	const controller = {
		requests: [],
		workers: ['alice', 'bob'].map((name) => ({ name, phase: 'Running', containerManaged: true, state: 'Running', model: 'qwen3.5-plus', runtime: 'openclaw', containerState: 'running', role: 'worker' })),
		managers: [{ name: 'default', model: 'qwen3.5-plus', phase: 'Running' }],
	};

	controller.url = await listen(t, (req, body, answer) => {
		const { pathname } = new URL(req.url, 'http://h');
		const [, kind, name, action] = /^\/api\/v1\/(workers|managers)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(pathname) ?? [];

		controller.requests.push({ method: req.method, path: pathname, body });
		if (pathname === '/healthz') return answer(200, { status: 'ok' });
		if (req.headers.authorization !== `Bearer ${TOKEN}`) return answer(401, { message: 'no token' });
		if (pathname === '/api/v1/version') return answer(200, { version: '1.1.2' });
		if (pathname === '/api/v1/status') return answer(200, { mode: 'embedded' });
		if (!kind) return answer(404, { message: 'not found' });
		if (!name) return answer(200, { [kind]: controller[kind], total: controller[kind].length });
		const object = controller[kind].find((o) => o.name === name);
		if (!object) return answer(404, { message: `no ${name}` });
		if (req.method === 'PUT') {
			const wanted = JSON.parse(body);
			if (Object.keys(wanted).some((k) => k !== 'model') || typeof wanted.model !== 'string') return answer(400, { message: 'only model' });
			object.model = wanted.model;
			return answer(200, object);
		}
		if (req.method === 'POST' && ['wake', 'sleep', 'ensure-ready'].includes(action)) return answer(202, {});
		return req.method === 'GET' ? answer(200, object) : answer(405, { message: 'no' });
	});
	return controller;
}

// OpenClaw has probes and no /api/reload: it watches its file.
async function startOpenClaw(t) {
	const openclaw = { requests: [] };

	openclaw.url = await listen(t, (req, body, answer) => {
		openclaw.requests.push({ method: req.method, path: req.url, authorization: req.headers.authorization });
		return ['/health', '/healthz', '/ready', '/readyz'].includes(req.url) ? answer(200, { ok: true }) : answer(404, { error: 'not found' });
	});
	return openclaw;
}

// options.controller false: an old HiClaw without one.
export async function startWorld(t, dir, { gateway, controller: hasController = true }) {
	const agents = path.join(dir, 'agents');
	const workspace = path.join(agents, 'manager');
	const creds = path.join(dir, 'worker-creds');
	const storage = await startStorage(t, BUCKET);
	const world = {
		storage, openclaw: await startOpenClaw(t), controller: hasController ? await startController(t) : null,
		agents, workspace, config: path.join(workspace, 'openclaw.json'), creds,
	};

	fs.mkdirSync(path.join(workspace, '.openclaw'), { recursive: true });
	fs.mkdirSync(creds);
	fs.writeFileSync(world.config, managerConfig(gateway), { mode: 0o600 });
	fs.writeFileSync(path.join(workspace, 'workers-registry.json'), JSON.stringify({ workers: { alice: { runtime: 'openclaw' }, bob: { runtime: 'openclaw' } } }));
	for (const name of ['alice', 'bob']) {
		fs.mkdirSync(path.join(agents, name));
		fs.writeFileSync(path.join(agents, name, 'openclaw.json'), workerConfig(gateway, name), { mode: 0o600 });
		fs.writeFileSync(path.join(creds, `${name}.env`), `export WORKER_GATEWAY_KEY="${KEY_OF[name]}"\n`, { mode: 0o600 });
		storage.put(`agents/${name}/openclaw.json`, workerConfig(gateway, name));
	}
	storage.put('shared/tasks/.gitkeep', '');
	world.env = {
		HICLAW_AGENT_FS_DIR: agents, OPENCLAW_CONFIG_PATH: world.config, HICLAW_CREDS_DIR: creds, HICLAW_FS_BUCKET: BUCKET,
		HICLAW_MINIO_S3_URL: storage.url, HICLAW_MINIO_USER: KEYS.id, HICLAW_MINIO_PASSWORD: KEYS.secret, HICLAW_MANAGER_GATEWAY_KEY: KEY_OF.manager,
		SLUICE_OPENCLAW_RELOAD_URL: `${world.openclaw.url}/api/reload`, SLUICE_OPENCLAW_PROBE_URL: `${world.openclaw.url}/healthz`,
		...(hasController ? { HICLAW_CONTROLLER_URL: world.controller.url, HICLAW_AUTH_TOKEN: TOKEN } : { HICLAW_CONTROLLER_URL: 'http://127.0.0.1:1' }),
	};
	return world;
}
