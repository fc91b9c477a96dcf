// sluice explain, and the decision that an administrator asks the gateway for: both say what the gateway does.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { writeWorld } from './lib/resources.js';
import { request, startUpstream } from './lib/http.js';
import { run, startServe, tempDir, until } from './lib/sluice.js';

const TOKEN = 'an-administrators-token';
const KEYS = { alice: 'sk-alice-0001', bob: 'sk-bob-0002' };
const H = 'higress.io/';

// A small generator (xorshift), so that a failure names a seed that repeats it.
function dice(seed) {
	let s = (seed * 2654435761 + 1) >>> 0;
	const next = () => {
		s ^= s << 13;
		s >>>= 0;
		s ^= s >>> 17;
		s ^= s << 5;
		s >>>= 0;
		return s;
	};
	for (let i = 0; i < 8; i++) next();
	return { below: (n) => next() % n, one: (list) => list[next() % list.length], chance: (percent) => next() % 100 < percent };
}

const MODELS = ['qwen-max', 'qwen-plus', 'deepseek-chat', 'gpt-4o', 'vendor/qwen-max', 'higress/auto'];

function conditions(d, byModel) {
	const a = {};
	if (d.chance(25)) a[`${H}match-method`] = d.one(['POST', 'GET PUT', 'DELETE', 'GET POST']);
	if (d.chance(20)) a[`${H}${d.one(['exact', 'prefix'])}-match-header-x-env`] = d.one(['prod', 'p', 'dev']);
	if (d.chance(10)) a[`${H}regex-match-header-accept`] = '.*json.*';
	if (d.chance(15)) a[`${H}exact-match-pseudo-header-method`] = d.one(['POST', 'PATCH']);
	if (d.chance(20)) a[`${H}${d.one(['exact', 'prefix', 'regex'])}-match-query-user`] = d.one(['a', 'ab', 'ab?']);
	if (byModel && d.chance(45)) a[`${H}${d.one(['exact', 'prefix'])}-match-header-x-higress-llm-model`] = d.one(['qwen-max', 'qwen', 'deepseek-chat', 'vendor/']);
	if (byModel && d.chance(15)) a[`${H}regex-match-header-x-higress-llm-model`] = '^(qwen-.*|gpt-4o)';
	if (d.chance(10)) a[`${H}use-regex`] = 'true';
	if (d.chance(10)) a[`${H}ignore-path-case`] = 'true';
	if (d.chance(15)) a[`${H}rewrite-path`] = '/v1';
	return a;
}

function makeWorld(seed, address) {
	const d = dice(seed);
	const byModel = d.chance(75) || seed % 2 === 0;
	const providers = ['one', 'two', 'three'].map((id, i) => ({
		id,
		type: i === 2 ? 'deepseek' : 'openai',
		address,
		token: i === 1 ? undefined : `sk-provider-${id}`,
		mapping: i === 0 ? { 'qwen-*': 'mapped', '*': 'rest' } : undefined,
	}));
	const routes = Array.from({ length: 12 + d.below(12) }, (_, i) => ({
		name: `r${i}`,
		host: d.one(['a.test', 'a.test', 'b.a.test', '*.test', '*.a.test', undefined]),
		path: d.one(['/', '/v1', '/v1', '/v1/chat', '/v1/chat/completions', '/V1/x', '/other']),
		pathType: d.one(['Prefix', 'Prefix', 'Prefix', 'Exact']),
		annotations: conditions(d, byModel),
		to: d.chance(30)
			? [{ provider: 'one', weight: d.one([1, 30, 70]) }, { provider: 'two', weight: d.one([0, 3]) }]
			: d.one(['one', 'two', 'three']),
		allow: d.one([undefined, undefined, [], ['alice'], ['alice', 'bob']]),
	}));
	const modelRouter = byModel
		? {
				modelToHeader: 'x-higress-llm-model',
				...(d.chance(30) ? { addProviderHeader: 'x-higress-llm-provider' } : {}),
				...(d.chance(30) || seed % 2 === 0 ? { autoRouting: { enable: true, defaultModel: 'gpt-4o', rules: [{ pattern: 'code', model: 'qwen-max' }] } } : {}),
			}
		: undefined;
	return { providers, routes, modelRouter, consumers: Object.entries(KEYS).map(([name, key]) => ({ name, key })) };
}

function makeRequest(d) {
	const method = d.one(['POST', 'POST', 'POST', 'GET', 'PUT', 'DELETE', 'PATCH']);
	const rq = {
		method,
		host: d.one(['a.test', 'A.test', 'b.a.test', 'c.b.a.test', 'x.test', 'elsewhere', 'a.test:8080']),
		path: d.one(['/v1/chat/completions', '/v1/chat/completions', '/v1/chat/completions', '/v1/embeddings', '/v1/models', '/v1', '/V1/X', '/other/x', '/healthz/nothing', '/']),
		headers: {},
		query: {},
		model: ['POST', 'PUT', 'PATCH'].includes(method) && d.chance(85) ? d.one(MODELS) : undefined,
		prompt: d.one(['write code', 'a poem']),
		key: d.one([undefined, KEYS.alice, KEYS.alice, KEYS.bob, 'unknown']),
	};
	if (d.chance(40)) rq.headers['x-env'] = d.one(['prod', 'production', 'dev']);
	if (d.chance(20)) rq.headers.accept = 'application/json';
	if (d.chance(10)) rq.headers['x-higress-llm-model'] = 'qwen-max';
	if (d.chance(30)) rq.query.user = d.one(['a', 'ab', 'abc']);
	return rq;
}

function explainArgs(resources, rq) {
	const args = ['explain', '--json', '--resources', resources, '--host', rq.host, '--path', rq.path, '--method', rq.method];
	for (const [k, v] of Object.entries(rq.headers)) args.push('--header', `${k}=${v}`);
	for (const [k, v] of Object.entries(rq.query)) args.push('--query', `${k}=${v}`);
	if (rq.model !== undefined) args.push('--model', rq.model);
	args.push('--prompt', rq.prompt);
	if (rq.key) args.push('--key', rq.key);
	return args;
}

// A prompt means a body, so a method without one must not be told of it.
const withoutPrompt = (args) => args.filter((a, i) => a !== '--prompt' && args[i - 1] !== '--prompt');

const hasBody = (rq) => ['POST', 'PUT', 'PATCH'].includes(rq.method);

async function askGateway(port, rq, id) {
	const query = new URLSearchParams(rq.query).toString();
	return request(port, {
		method: rq.method,
		path: rq.path + (query ? `?${query}` : ''),
		headers: {
			host: rq.host,
			'x-request-id': id,
			'x-sluice-explain': TOKEN,
			...(rq.key ? { authorization: `Bearer ${rq.key}` } : {}),
			...rq.headers,
		},
		body: hasBody(rq) ? { ...(rq.model !== undefined ? { model: rq.model } : {}), messages: [{ role: 'user', content: rq.prompt }] } : undefined,
	});
}

// name:why of every route that was not chosen, in the order of precedence, as the header writes them.
const refusedOf = (e) =>
	e.routes
		.filter((r) => r.outcome !== 'chosen')
		.map((r) => `${r.route}:${r.outcome}${r.condition && r.outcome !== 'model' ? `(${r.condition.name})` : ''}`)
		.join(',');

function compare(e, code, got, line, what) {
	assert.equal(e.served, code === 0, `${what}: exit code`);
	assert.equal(line.status, e.served ? 200 : e.status, `${what}: status`);
	assert.equal(line.route, e.route ?? undefined, `${what}: route`);
	assert.equal(line.reason, e.reason ?? undefined, `${what}: reason`);
	const decision = got.headers['x-sluice-decision'];
	assert.equal(line.decision, decision, what);
	const refused = /; refused=([^;]*)/.exec(decision)?.[1] ?? '';
	if (!/; more=/.test(decision)) assert.equal(refused, refusedOf(e), `${what}: why not\n${decision}`);
	if (!e.served) return;
	assert.equal(line.consumer, e.consumer ?? undefined, `${what}: consumer`);
	const to = e.destinations.find((d) => d.provider === line.provider && d.weight > 0);
	assert.ok(to, `${what}: ${line.provider} is no destination that explain names`);
	if (e.reads_body) assert.equal(line.upstream_model ?? null, to.model, `${what}: model`);
	const seen = got.upstream;
	assert.equal(seen.url, to.target, `${what}: target`);
	assert.equal(seen.headers.host, to.host, `${what}: host`);
	assert.equal(seen.headers.authorization !== undefined, to.credentials > 0, `${what}: credential`);
	assert.equal(seen.headers['x-sluice-explain'], undefined, `${what}: the token went up`);
}

for (const seed of [1, 2, 3, 4, 5])
	test(`explain and the gateway agree about every request of generated world ${seed}`, async (t) => {
		const upstream = await startUpstream(t);
		const data = writeWorld(tempDir(t), makeWorld(seed, upstream.address));
		const serve = await startServe(t, { data, env: { SLUICE_EXPLAIN_TOKEN: TOKEN } });
		const d = dice(seed + 1000);
		const asked = [];
		for (let i = 0; i < 60; i++) {
			const rq = makeRequest(d);
			const before = upstream.requests.length;
			const got = await askGateway(serve.port, rq, `r${i}`);
			got.upstream = upstream.requests.length > before ? upstream.requests.at(-1) : null;
			asked.push({ rq, got });
		}
		await until('all lines', () => serve.stdout().split('\n').length > asked.length);
		const lines = new Map(serve.stdout().split('\n').filter(Boolean).map((l) => [JSON.parse(l).request_id, JSON.parse(l)]));
		let served = 0;
		for (const [i, { rq, got }] of asked.entries()) {
			const args = explainArgs(`${data}/resources`, rq);
			const { code, stdout, stderr } = await run(hasBody(rq) ? args : withoutPrompt(args));
			assert.ok(stdout, `${args.join(' ')}: ${stderr}`);
			assert.ok(!Object.values(KEYS).some((k) => stdout.includes(k)) && !stdout.includes('sk-provider'), 'a key is shown');
			const e = JSON.parse(stdout);
			served += e.served;
			compare(e, code, got, lines.get(`r${i}`), `seed ${seed}: sluice ${args.join(' ')}`);
		}
		assert.ok(served >= 5 && served <= 55, `a world that tests little: ${served} of 60 are served`);
	});

const CHAT = { method: 'POST', path: '/v1/chat/completions', body: { model: 'm', messages: [] } };

test('only the token opens the decision, and it goes no further', async (t) => {
	const upstream = await startUpstream(t);
	const data = writeWorld(tempDir(t), {
		providers: [{ id: 'one', address: upstream.address, token: 'sk-provider-one' }],
		routes: [{ name: 'r', to: 'one' }, { name: 'other', to: 'one', annotations: { [`${H}exact-match-header-authorization`]: 'Bearer sk-inner' } }],
	});
	const serve = await startServe(t, { data, env: { SLUICE_EXPLAIN_TOKEN: TOKEN }, args: ['--workers', '1'] }); // lines in order
	const ask = async (token) => (await request(serve.port, { ...CHAT, headers: token === undefined ? {} : { 'x-sluice-explain': token } })).headers['x-sluice-decision'];
	assert.match(await ask(TOKEN), /^served; route=ai-route-r\.internal; .*refused=ai-route-other\.internal:header\(authorization\)$/);
	for (const [token, why] of [
		[undefined, 'none was sent'],
		['', 'empty'],
		[TOKEN.slice(0, -1), 'a part of it'],
		[`${TOKEN}x`, 'more than it'],
		[TOKEN.toUpperCase(), 'another case'],
	])
		assert.equal(await ask(token), undefined, why);
	await until('all lines', () => serve.stdout().split('\n').length > 6);
	const lines = serve.stdout().split('\n').filter(Boolean).map(JSON.parse);
	assert.deepEqual(lines.map((l) => 'decision' in l), [true, false, false, false, false, false]);
	assert.ok(upstream.requests.every((r) => !('x-sluice-explain' in r.headers)), 'the token went up');
	assert.ok(!`${serve.stdout()}${serve.stderr()}`.includes(TOKEN), 'the token is logged');
	assert.ok(!serve.stdout().includes('sk-inner'), 'the value of a condition on a credential is logged');
});

// The lines of requests that differ in what happens to them, in order; null: no member decision.
async function decisionsLogged(t, args) {
	const upstream = await startUpstream(t);
	const data = writeWorld(tempDir(t), {
		providers: [{ id: 'one', address: upstream.address }],
		routes: [
			{ name: 'r', to: 'one' },
			{ name: 'by-header', to: 'one', annotations: { [`${H}exact-match-header-x-a`]: '1' } },
		],
	});
	const serve = await startServe(t, { data, args: ['--workers', '1', ...args] }); // lines in order
	await request(serve.port, CHAT);
	await request(serve.port, { ...CHAT, path: '/nowhere' });
	await request(serve.port, { method: 'GET', path: '/healthz/live' });
	const got = await request(serve.port, { ...CHAT, path: '/nowhere', headers: { 'x-sluice-explain': TOKEN } });
	assert.equal(got.headers['x-sluice-decision'], undefined, 'a log setting is no permission to ask');
	await until('all lines', () => serve.stdout().split('\n').length > 4);
	const lines = serve.stdout().split('\n').filter(Boolean).map(JSON.parse);
	return lines.filter((l) => l.path !== '/nowhere' || l === lines[1]).map((l) => l.decision ?? null);
}

const REFUSED = 'answered; status=404; reason=route.not_found; refused=ai-route-by-header.internal:path,ai-route-r.internal:path';
for (const [setting, expected] of [
	[undefined, [null, REFUSED, null]],
	['refused', [null, REFUSED, null]],
	['off', [null, null, null]],
	['all', [/^served; route=ai-route-r\.internal; .*refused=ai-route-by-header\.internal:header\(x-a\)$/, REFUSED, /^answered; status=200; reason=health$/]],
])
	test(`access lines tell decisions: ${setting ?? 'by default those of what is refused'}`, async (t) => {
		const got = await decisionsLogged(t, setting === undefined ? [] : ['--access-decisions', setting]);
		assert.equal(got.length, expected.length);
		for (const [i, want] of expected.entries()) want instanceof RegExp ? assert.match(got[i], want) : assert.equal(got[i], want);
	});

test('without a token nobody is told', async (t) => {
	const upstream = await startUpstream(t);
	const data = writeWorld(tempDir(t), { providers: [{ id: 'one', address: upstream.address }] });
	const serve = await startServe(t, { data });
	for (const token of ['', 'null', TOKEN])
		assert.equal((await request(serve.port, { ...CHAT, headers: { 'x-sluice-explain': token } })).headers['x-sluice-decision'], undefined);
});

test('each example of docs/explain.md prints what stands there, within 80 columns', async () => {
	const page = readFileSync(new URL('../../docs/explain.md', import.meta.url), 'utf8');
	const examples = [...page.matchAll(/```console\n\$ sluice (.*)\n([\s\S]*?)```/g)];
	assert.ok(examples.length >= 4, 'the page has examples');
	for (const [, args, expected] of examples) {
		const { code, stdout, stderr } = await run(args.split(' '));
		assert.equal(stdout, expected, `sluice ${args}\n${stderr}`);
		assert.equal(code, expected.startsWith('served') ? 0 : 1, args);
		for (const line of stdout.split('\n')) assert.ok(line.length <= 80 || !line.trim().includes(' '), `too wide: ${line}`);
	}
});

test('wrong usage is said in one sentence that names the remedy', async () => {
	for (const [args, said] of [
		[['--path', '/'], /--host is missing/],
		[['--host', 'a'], /--path is missing/],
		[['--host', 'a', '--path', '/', '--pth', '/'], /--pth.* is no option, --path is/],
		[['--host', 'a', '--path', '/', '--key', 'k', '--consumer', 'c'], /give one of them/],
		[['--host', 'a', '--path', '/', '--header', 'x y=1'], /cannot be a header field/],
		[['--host', 'a', '--path', 'no slash'], /no request that can be sent/],
		[['--host', 'a', '--path', '/', '--resources', 'x', 'y'], /give one of them/],
		[['--host', 'a', '--path', '/', '--json=1'], /--json takes no value/],
		[['--host', 'a', '--path', '/', '--model'], /--model wants a value/],
	]) {
		const { code, stdout, stderr } = await run(['explain', ...args]);
		assert.equal(code, 2, args.join(' '));
		assert.equal(stdout, '');
		assert.match(stderr, said);
		assert.equal(stderr.trim().split('\n').length, 1, stderr);
	}
});
