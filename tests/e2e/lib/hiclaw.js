// HiClaw as a switch of models meets it (hiclaw-integration.md): directories of agents, the Manager's configuration, the
// controller, the bucket and the Manager's program. Files and objects can be looked at and changed by the test.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { json, startUpstream } from './http.js';
import { tempDir } from './sluice.js';

export const DEFAULT_MODEL = 'qwen3.6-plus';

// The Manager's and the Workers' configuration as HiClaw's templates make it.
export const openclaw = (model, key = 'k') => `${JSON.stringify(
	{
		gateway: { mode: 'local', port: 18799, auth: { token: key } },
		models: {
			mode: 'merge',
			providers: {
				'hiclaw-gateway': {
					baseUrl: 'http://aigw-local.hiclaw.io:8080/v1',
					apiKey: key,
					api: 'openai-completions',
					models: [{ id: model, name: model, reasoning: true, contextWindow: 200000, maxTokens: 64000, input: ['text'] }],
				},
			},
		},
		agents: {
			defaults: {
				maxConcurrent: 4,
				model: { primary: `hiclaw-gateway/${model}` },
				models: { [`hiclaw-gateway/${model}`]: { alias: model } },
			},
		},
		session: { dmScope: 'per-channel-peer' },
	},
	null,
	2,
)}\n`;

const etagOf = (content) => `"${createHash('md5').update(content).digest('hex')}"`;

export class Hiclaw {
	// containers: what runs of which Worker, "running", "stopped", or null: the controller knows nothing of it.
	constructor(dir, server, containers = { alice: 'running' }) {
		this.dir = dir;
		this.server = server;
		this.objects = new Map();
		this.containers = containers;
		this.resources = { manager: DEFAULT_MODEL }; // spec.model of each
		this.puts = [];
		this.storageDown = false;
		for (const sub of ['agents/manager', 'workspace', 'creds']) fs.mkdirSync(path.join(dir, sub), { recursive: true });
		this.write('workspace/openclaw.json', openclaw(DEFAULT_MODEL));
		for (const name of Object.keys(containers)) this.addWorker(name);
	}

	addWorker(name) {
		fs.mkdirSync(path.join(this.dir, 'agents', name), { recursive: true });
		this.write(`agents/${name}/openclaw.json`, openclaw(DEFAULT_MODEL));
		this.objects.set(`agents/${name}/openclaw.json`, openclaw(DEFAULT_MODEL));
		if (this.containers[name]) this.resources[name] = DEFAULT_MODEL;
	}

	worker(name) {
		const running = this.containers[name] === 'running';
		return { name, phase: running ? 'Running' : 'Sleeping', model: this.resources[name], containerState: this.containers[name] };
	}

	get env() {
		const url = `http://${this.server.address}`;
		return {
			HICLAW_AGENT_FS_DIR: path.join(this.dir, 'agents'),
			OPENCLAW_CONFIG_PATH: path.join(this.dir, 'workspace/openclaw.json'),
			HICLAW_CREDS_DIR: path.join(this.dir, 'creds'),
			HICLAW_DEFAULT_MODEL: DEFAULT_MODEL,
			HICLAW_MANAGER_RUNTIME: 'openclaw',
			HICLAW_MINIO_S3_URL: url,
			HICLAW_FS_BUCKET: 'bucket',
			HICLAW_STORAGE_PREFIX: 'hiclaw/bucket',
			HICLAW_FS_ACCESS_KEY: 'access',
			HICLAW_FS_SECRET_KEY: 'storage-secret-1',
			HICLAW_CONTROLLER_URL: url,
			HICLAW_AUTH_TOKEN: 'controller-token-1',
			SLUICE_OPENCLAW_RELOAD_URL: `${url}/api/reload`,
			SLUICE_OPENCLAW_PROBE_URL: `${url}/healthz`,
		};
	}

	write(name, text) {
		fs.writeFileSync(path.join(this.dir, name), text, { mode: 0o600 });
	}

	read(name) {
		return fs.readFileSync(path.join(this.dir, name), 'utf8');
	}

	json(name) {
		return JSON.parse(this.read(name));
	}

	object(key) {
		return JSON.parse(this.objects.get(key));
	}

	// The model that a file or object names as the primary one.
	primary(config) {
		return config.agents.defaults.model.primary.replace('hiclaw-gateway/', '');
	}

	serve(req, res, body) {
		const { pathname, searchParams } = new URL(req.url, 'http://x');
		if (/^\/bucket\/?$/.test(pathname)) res.writeHead(200).end(searchParams.has('list-type') ? this.listOf(searchParams) : undefined);
		else if (pathname.startsWith('/bucket/')) this.serveObject(req, res, decodeURIComponent(pathname.slice(8)), body);
		else if (pathname.startsWith('/api/v1/')) this.serveController(req, res, pathname.slice(8), body);
		else if (pathname === '/healthz') json(res, 200, { status: 'ok' });
		else json(res, 404, { error: 'no such page' }); // OpenClaw has no /api/reload
	}

	// ListObjectsV2, all of it in one answer.
	listOf(asked) {
		const prefix = asked.get('prefix') ?? '';
		const delimiter = asked.get('delimiter');
		const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
		const below = (key) => (delimiter ? key.indexOf(delimiter, prefix.length) : -1);
		const prefixes = new Set(keys.filter((key) => below(key) >= 0).map((key) => key.slice(0, below(key) + 1)));
		const text = (value) => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
		return `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name><IsTruncated>false</IsTruncated>${
			keys.filter((key) => below(key) < 0).map((key) => `<Contents><Key>${text(key)}</Key><ETag>${etagOf(this.objects.get(key)).replaceAll('"', '&quot;')}</ETag><Size>${Buffer.byteLength(this.objects.get(key))}</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>`).join('')}${
			[...prefixes].map((each) => `<CommonPrefixes><Prefix>${text(each)}</Prefix></CommonPrefixes>`).join('')}</ListBucketResult>`;
	}

	serveObject(req, res, key, body) {
		const now = this.objects.get(key);
		assert.match(req.headers.authorization ?? '', /^AWS4-HMAC-SHA256 Credential=access\//);
		if (this.storageDown) {
			res.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>');
		} else if (req.method === 'PUT') {
			const wants = req.headers['if-match'];
			if ((wants && (now === undefined || wants !== etagOf(now))) || (req.headers['if-none-match'] && now !== undefined)) {
				res.writeHead(412).end();
				return;
			}
			this.objects.set(key, body.toString());
			res.writeHead(200, { etag: etagOf(body) }).end();
		} else if (req.method === 'DELETE') {
			this.objects.delete(key);
			res.writeHead(204).end();
		} else if (now === undefined) {
			res.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
		} else {
			res.writeHead(200, { etag: etagOf(now), 'content-length': Buffer.byteLength(now) }).end(req.method === 'HEAD' ? undefined : now);
		}
	}

	serveController(req, res, what, body) {
		const [noun, name, act] = what.split('/');
		const who = noun === 'managers' ? 'manager' : name;
		assert.equal(req.headers.authorization, 'Bearer controller-token-1');
		if (req.method === 'PUT') {
			this.resources[who] = JSON.parse(body).model;
			this.puts.push(who);
			json(res, 200, {});
		} else if (req.method === 'POST' && this.resources[who] && ['wake', 'sleep', 'ensure-ready'].includes(act)) {
			this.containers[who] = act === 'sleep' ? 'stopped' : 'running';
			json(res, 202, {});
		} else if (noun === 'managers') {
			json(res, 200, { managers: [{ name: 'default', model: this.resources.manager }], total: 1 });
		} else if (noun === 'workers' && !name) {
			const workers = Object.keys(this.containers).filter((each) => this.containers[each]).map((each) => this.worker(each));
			json(res, 200, { workers, total: workers.length });
		} else if (this.resources[who]) {
			json(res, 200, this.worker(who));
		} else {
			json(res, 404, { message: 'not found' });
		}
	}
}

export async function startHiclaw(t, containers) {
	let hiclaw;
	const server = await startUpstream(t, (req, res, body) => hiclaw.serve(req, res, body));
	hiclaw = new Hiclaw(tempDir(t), server, containers);
	return hiclaw;
}
