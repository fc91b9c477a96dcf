// A monitor API that says what the specification's examples say, for tests of who asks it: strict about what it is
// sent, in memory, and with a provider list and routes that change as a switch changes them.
import http from 'node:http';
import { once } from 'node:events';

export const ADMIN = { name: 'admin', password: `p'w"$\\ü:x` };
export const MANAGER_KEY = 'mgrkey-0123456789';

const CODES = {
	INVALID_REQUEST: 400, INVALID_NAME: 400, NO_API_KEY: 400, AUTH_FAILED: 401, FORBIDDEN: 403, NOT_FOUND: 404,
	PROVIDER_NOT_FOUND: 404, CONFLICT: 409, CONFIG_INCOMPLETE: 500, MODEL_NOT_REACHABLE: 502,
};
const WORKER = /^[a-z0-9][a-z0-9-]{0,62}$/;
const KINDS = {
	provider: 'string', model: 'string', contextWindow: 'number', maxTokens: 'number', reasoning: 'boolean', apply: 'string',
	onConflict: 'string', skipTest: 'boolean', strict: 'boolean', dryRun: 'boolean', target: 'string',
};

const route = (name, provider, predicates) => ({
	name, domains: [], pathPredicate: { matchType: 'PRE', matchValue: '/v1', caseSensitive: false },
	upstreams: [{ provider, weight: 100, modelMapping: {} }],
	...(predicates ? { modelPredicates: predicates } : {}),
	authConfig: { enabled: true, allowedConsumers: ['manager', 'worker-alice'] },
});

class Refusal extends Error {
	constructor(code, message) {
		super(message);
		this.code = code;
	}
}

// One number or boolean, or its text, as forms send it.
function check(body) {
	for (const [key, kind] of Object.entries(KINDS)) {
		const v = body[key];

		if (v === undefined || v === null || typeof v === kind) continue;
		if (kind === 'number' && typeof v === 'string' && /^[0-9]+$/.test(v)) body[key] = Number(v);
		else if (kind === 'boolean' && (v === 'true' || v === 'false')) body[key] = v === 'true';
		else throw new Refusal('INVALID_REQUEST', `${key} is no ${kind}`);
	}
}

export async function startMonitor(t) {
	const monitor = {
		requests: [],
		providers: [{ name: 'qwen', type: 'qwen', tokens: ['sk-******xyz'] }, { name: 'minimax', type: 'minimax', tokens: ['a', 'b'] },
			{ name: 'keyless', type: 'openai', tokens: [] }],
		routes: [route('default-ai-route', 'qwen')],
		assignments: {},
		configured: { manager: 'hiclaw-gateway/qwen3.5-plus', alice: 'hiclaw-gateway/qwen3.5-plus' },
		synced: true,
		reloads: true,
	};
	const find = (name) => monitor.routes.find((r) => r.name === name);

	function assign(target, body) {
		check(body);
		if (!body.provider || !body.model) throw new Refusal('INVALID_REQUEST', 'Provider and model are required');
		const provider = monitor.providers.find((p) => p.name === body.provider);
		if (!provider) throw new Refusal('PROVIDER_NOT_FOUND', 'Provider not found');
		if (!provider.tokens.length) throw new Refusal('NO_API_KEY', 'No API key configured');
		if (body.model.startsWith('dead-') && !body.skipTest && target === 'manager') throw new Refusal('MODEL_NOT_REACHABLE', 'Model not reachable: 401 invalid key');
		if (target === 'manager' && !monitor.configured.manager) throw new Refusal('CONFIG_INCOMPLETE', 'OpenClaw config not found at /workspace/openclaw.json');
		const model = body.model.replace(/^hiclaw-gateway\//, '');
		const changed = monitor.assignments[target]?.model !== model;
		const own = `${body.provider}-ai-route`;
		let routeChanged = false;
		if (!body.dryRun) {
			if (target === 'manager' && monitor.routes.length === 1 && find('default-ai-route').upstreams[0].provider !== body.provider) {
				find('default-ai-route').upstreams[0].provider = body.provider;
				routeChanged = true;
			} else if (monitor.routes.length > 1 && !find(own)) {
				monitor.routes.push(route(own, body.provider, [{ matchType: 'PRE', matchValue: body.provider }]));
				routeChanged = true;
			}
			monitor.assignments[target] = {
				provider: body.provider, model, contextWindow: body.contextWindow ?? 200000, maxTokens: body.maxTokens ?? 64000,
				reasoning: body.reasoning ?? true, updatedAt: '2026-01-31T12:00:00Z',
			};
			if (monitor.configured[target]) monitor.configured[target] = `hiclaw-gateway/${model}`;
		}
		const record = monitor.assignments[target] ?? {};
		return {
			success: true, target, provider: body.provider, model, routeUpdated: true, status: 'saved', name: target, routeChanged,
			changed, state: 'pending', contextWindow: record.contextWindow, maxTokens: record.maxTokens, reasoning: record.reasoning,
			updatedAt: record.updatedAt, test: body.skipTest ? { skipped: true } : { ok: true, ms: 41, status: 200 },
			...(target === 'manager' ? { reload: { ok: monitor.reloads, method: monitor.reloads ? 'watcher' : 'unreachable' } } : { applied: 'on-restart' }),
			synced: monitor.synced, backupId: '20260131T120000Z-abcdef',
			warnings: monitor.configured[target] ? [] : [{ code: 'CONFIG_MISSING', message: `${target} has no configuration yet` }],
		};
	}

	function shown(target) {
		const record = monitor.assignments[target] ?? { provider: 'default', model: 'default', state: 'unmanaged' };
		const configured = monitor.configured[target];

		return { ...record, ...(record.state ? {} : { target, state: 'applied' }), ...(configured ? { configured: { model: configured } } : {}) };
	}

	function create(body) {
		if (!body.name || !body.apiKey) throw new Refusal('INVALID_REQUEST', 'Provider name and API key are required');
		if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(body.name)) throw new Refusal('INVALID_NAME', 'the name of a provider is made of letters, digits, ".", "_" and "-"');
		if (monitor.providers.some((p) => p.name === body.name)) throw new Refusal('CONFLICT', `Provider '${body.name}' already exists`);
		monitor.providers.push({ name: body.name, type: body.type ?? 'openai', tokens: ['sk-******new'] });
		for (const p of ['qwen', body.name])
			if (!find(`${p}-ai-route`)) monitor.routes.push(route(`${p}-ai-route`, p, [{ matchType: 'PRE', matchValue: p }]));
		return { success: true, provider: body.name, routeName: `${body.name}-ai-route`, routeUpdated: true, routeChanged: true };
	}

	function explain(query) {
		const model = query.get('explain');
		const hit = monitor.routes.find((r) => r.modelPredicates?.some((p) => model.startsWith(p.matchValue))) ?? find('default-ai-route');

		return { route: hit.name, provider: hit.upstreams[0].provider, model, allowed: true };
	}

	function handle(method, path, query, body) {
		const at = `${method} ${path}`;
		const worker = /^\/ni_status\/assignment\/workers\/(.+)$/.exec(path)?.[1];

		if (worker !== undefined) {
			if (!WORKER.test(worker)) throw new Refusal('INVALID_NAME', 'no name of a Worker');
			if (method === 'PUT') return assign(worker, body);
			if (method === 'DELETE') delete monitor.assignments[worker];
			return method === 'DELETE' ? { success: true } : shown(worker);
		}
		switch (at) {
		case 'GET /ni_status/assignment/manager': return shown('manager');
		case 'PUT /ni_status/assignment/manager': return assign('manager', body);
		case 'DELETE /ni_status/assignment/manager': delete monitor.assignments.manager; return { success: true };
		case 'GET /ni_status/assignment': return { manager: shown('manager'), workers: Object.fromEntries(Object.keys(monitor.assignments).filter((n) => n !== 'manager').map((n) => [n, shown(n)])) };
		case 'GET /ni_status/providers': return { success: true, providers: monitor.providers };
		case 'POST /ni_status/create-provider': return create(body);
		case 'GET /ni_status/route': return { success: true, routes: query.get('all') ? monitor.routes : monitor.routes.slice(1), ...(query.get('explain') ? { explain: explain(query) } : {}) };
		case 'POST /ni_status/test-provider': return { success: true, models: 150, ms: 12, status: 200, ...(body.model ? { modelFound: body.model === 'qwen3.5-plus' } : {}), via: 'models', sample: [] };
		case 'POST /ni_status/reload': return { success: true, status: 'reloaded', target: body.target, reload: { ok: true, method: 'watcher' } };
		case 'GET /ni_status/workers': return { success: true, workers: [{ name: 'alice', state: 'idle', since: '2026-01-31T12:00:00Z', reason: 'running', evidence: ['C'], requests1h: 3 }] };
		case 'GET /ni_status/models': return { success: true, models: [{ id: 'qwen3.5-plus', contextWindow: 200000, maxTokens: 64000, reasoning: true, input: ['text', 'image'], source: 'table' }] };
		case 'POST /ni_status/backups': return { success: true, backup: { id: '20260131T120000Z-abcdef' } };
		case 'GET /ni_status/backups': return { success: true, backups: [{ id: '20260131T120000Z-abcdef', auto: true, reason: 'switch', actor: 'admin', size: 1234 }] };
		default: throw new Refusal('NOT_FOUND', 'Not found');
		}
	}

	const server = http.createServer(async (req, res) => {
		const pieces = [];
		for await (const piece of req) pieces.push(piece);
		const text = Buffer.concat(pieces).toString();
		const url = new URL(req.url, 'http://h');
		const basic = `Basic ${Buffer.from(`${ADMIN.name}:${ADMIN.password}`).toString('base64')}`;
		monitor.requests.push({ method: req.method, url: req.url, authorization: req.headers.authorization, body: text });
		const answer = (status, body) => {
			const bytes = Buffer.from(JSON.stringify(body));
			res.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': bytes.length, 'cache-control': 'no-store' });
			res.end(bytes);
		};
		try {
			if (req.method === 'GET' && url.pathname === '/ni_status/health') return answer(200, { status: 'healthy' });
			if (![basic, `Bearer ${MANAGER_KEY}`].includes(req.headers.authorization)) throw new Refusal('AUTH_FAILED', 'no or wrong credentials');
			return answer(200, handle(req.method, url.pathname, url.searchParams, text === '' ? {} : JSON.parse(text)));
		} catch (e) {
			if (!(e instanceof Refusal)) throw e;
			return answer(CODES[e.code], { success: false, error: e.message, message: e.message, code: e.code, requestId: 'r' });
		}
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	monitor.port = server.address().port;
	monitor.url = `http://127.0.0.1:${monitor.port}`;
	return monitor;
}
