// Every field of every object of the management API, one after the other, gets what it cannot hold: another type, a
// text that a file, a header or a path cannot carry, a number that is none. The answer is 400, its sentence is one line,
// and nothing is written.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { bearer, QWEN, startConsole } from './lib/console.js';
import { newAuthority } from './lib/tls.js';

const predicate = (more) => ({ matchType: 'EQUAL', matchValue: 'b', caseSensitive: true, ...more });
const headers = { add: [{ key: 'a', value: 'b' }], set: [{ key: 'a', value: 'b' }], remove: ['x'] };
const shared = {
	domains: ['a.example.com'],
	authConfig: { enabled: true, allowedCredentialTypes: ['key-auth'], allowedConsumers: ['m'] },
	cors: { enabled: true, allowOrigins: ['*'], allowMethods: ['GET'], allowHeaders: ['*'], exposeHeaders: ['*'], maxAge: 5, allowCredentials: true },
	headerControl: { enabled: true, request: headers, response: headers },
	proxyNextUpstream: { enabled: true, attempts: 3, timeout: 5, conditions: ['error'] },
	customConfigs: { 'my.org/a': 'b' },
	customLabels: { 'my.org/l': 'b' },
};
const failover = { enabled: true, failureThreshold: 1, successThreshold: 1, healthCheckInterval: 1, healthCheckTimeout: 1, healthCheckModel: 'm' };
// Path, an object that is taken. What is free is a settings map of a provider or plugin, and text of many lines.
const objects = [
	['ai/providers', { name: 'atk', type: 'openai', protocol: 'openai/v1', proxyName: 'px', tokens: ['sk-a'], tokenFailoverConfig: failover, rawConfigs: { openaiCustomUrl: 'http://127.0.0.1:9/v1', openaiExtraCustomUrls: ['http://127.0.0.2:9/v1'] } }],
	['ai/providers', { name: 'atk', type: 'ollama', rawConfigs: { ollamaServerHost: '127.0.0.1', ollamaServerPort: 5 } }],
	['ai/providers', { name: 'atk', type: 'azure', tokens: ['k'], rawConfigs: { azureServiceUrl: 'https://h.example.com/openai/deployments/d/chat/completions?api-version=1' } }],
	['ai/providers', { name: 'atk', type: 'vllm', rawConfigs: { vllmCustomUrl: 'http://127.0.0.1:1/v1', vllmExtraCustomUrls: ['http://127.0.0.2:1/v1'] } }],
	['ai/providers', { name: 'atk', type: 'openai', rawConfigs: { basePath: '/x' } }],
	['ai/routes', {
		...shared,
		name: 'atk',
		pathPredicate: { matchType: 'PRE', matchValue: '/atk', caseSensitive: true },
		headerPredicates: [predicate({ key: 'x-a' })],
		urlParamPredicates: [predicate({ key: 'q' })],
		upstreams: [{ provider: 'qwen', weight: 60, modelMapping: { a: 'b' } }, { provider: 'other', weight: 40 }],
		modelPredicates: [predicate({})],
		fallbackConfig: { enabled: true, upstreams: [{ provider: 'other', weight: 1, modelMapping: { a: 'b' } }], fallbackStrategy: 'RAND', responseCodes: ['4xx'] },
	}],
	['routes', {
		...shared,
		name: 'atk',
		path: predicate({ matchValue: '/atk' }),
		methods: ['GET'],
		headers: [predicate({ key: 'x-a' })],
		urlParams: [predicate({ key: 'q' })],
		services: [{ name: 'src.dns', port: 80, version: 'v1', weight: 50 }, { name: 'b.dns', port: 80, weight: 50 }],
		rewrite: { enabled: true, path: '/n', host: 'h.example.com' },
	}],
	['consumers', { name: 'atk', credentials: [{ type: 'key-auth', source: 'HEADER', key: 'x-key', values: ['k1'] }] }],
	['domains', { name: 'atk.example.com', enableHttps: 'on', certIdentifier: 'c' }],
	['service-sources', { name: 'atk', type: 'dns', domain: 'b.example.com', port: 443, protocol: 'https', sni: 'b.example.com', proxyName: 'px', properties: {}, authN: { enabled: true, properties: { a: 'b' } }, vport: { defaultValue: 80, servicesVport: [{ name: 'a', value: 80 }] } }],
	['service-sources', { name: 'atk', type: 'static', domain: '127.0.0.1:80', port: 80 }],
	['service-sources', { name: 'atk', type: 'nacos3', domain: 'b.example.com', port: 443, properties: { nacosGroups: ['g'], nacosNamespaceId: 'n', enableMCPServer: true, mcpServerBaseUrl: '/m', mcpServerExportDomains: ['a.example.com'] } }],
	['service-sources', { name: 'atk', type: 'consul', domain: 'b.example.com', port: 443, properties: { consulDatacenter: 'd', consulServiceTag: 't', consulRefreshInterval: 30 } }],
	['service-sources', { name: 'atk', type: 'zookeeper', domain: 'b.example.com', port: 443, properties: { zkServicesPath: ['/a'] } }],
	['proxy-servers', { name: 'atk', type: 'HTTP', serverAddress: '127.0.0.1', serverPort: 3128, connectTimeout: 5000 }],
];

// An annotation may have many lines; what a registry's log-in is made of may be any text.
const manyLines = /customConfigs\.my\.org/;
const anyText = /authN\.properties\.a$/;
const badTexts = ['a\u0000b', 'a\nb', 'a\r\nX-Y: z', 'a\u0001', 'a\u007f'];
const badNumbers = ['x', 1.5, 1099511627776, -1099511627776];
// Each [where, bad value].
function* badOnes(value, at) {
	if (Array.isArray(value)) {
		yield* [[at, 'x'], [at, 5], [at, { a: 1 }]];
		for (const [i, each] of value.entries()) yield* badOnes(each, [...at, i]);
	} else if (value !== null && typeof value === 'object') {
		yield* [[at, 'x'], [at, 5], [at, [1]]];
		for (const [key, each] of Object.entries(value)) yield* badOnes(each, [...at, key]);
	} else {
		yield* [[at, {}], [at, [1]]];
		const texts = manyLines.test(at.join('.')) ? ['a\u0000b'] : badTexts;
		const bad = { string: anyText.test(at.join('.')) ? [] : texts, number: badNumbers, boolean: ['x', 1.5] }[typeof value];
		for (const each of bad) yield [at, each];
	}
}

function withValue(object, at, value) {
	const copy = structuredClone(object);
	let parent = copy;
	for (const key of at.slice(0, -1)) parent = parent[key];
	parent[at.at(-1)] = value;
	return copy;
}

const stateOf = (dir) => {
	const hash = crypto.createHash('sha256');
	for (const name of fs.readdirSync(dir, { recursive: true }).sort()) {
		const file = path.join(dir, name);
		if (fs.statSync(file).isFile()) hash.update(name).update(fs.readFileSync(file));
	}
	return hash.digest('hex');
};

async function startFull(t) {
	const c = await startConsole(t);
	await c.init();
	await c.raw('POST /v1/ai/providers', QWEN);
	await c.raw('POST /v1/ai/providers', { ...QWEN, name: 'other' });
	await c.raw('POST /v1/proxy-servers', { type: 'HTTP', name: 'px', serverAddress: '127.0.0.1', serverPort: 3128 });
	return c;
}

test('no field of any object takes what it cannot hold, and a refusal writes nothing', async (t) => {
	const c = await startFull(t);
	const resources = path.join(c.serve.data, 'resources');
	const taken = [];
	let asked = 0;
	for (const [noun, object] of objects) {
		await c.raw(`POST /v1/${noun}`, object);
		await c.gone(`DELETE /v1/${noun}/${object.name}`);
		const before = stateOf(resources);
		for (const [at, value] of badOnes(object, [])) {
			if (at.length === 0) continue;
			const where = `${noun} ${at.join('.')} = ${JSON.stringify(value)}`;
			const got = await c.call(`POST /v1/${noun}`, withValue(object, at, value));
			asked++;
			if (got.status !== 400) {
				taken.push(`${where}: ${got.status}`);
				await c.call(`DELETE /v1/${noun}/${encodeURIComponent(got.json?.name ?? object.name)}`);
				continue;
			}
			assert.doesNotMatch(got.json.message, /[\u0000-\u001f]/, where);
		}
		if (taken.length === 0) assert.equal(stateOf(resources), before, `${noun}: something was written`);
	}
	assert.deepEqual(taken, []);
	assert.ok(asked > 1000, `${asked}`);
});

test('names that a file, a path or a header cannot carry', async (t) => {
	const c = await startFull(t);
	const before = stateOf(path.join(c.serve.data, 'resources'));
	const bad = ['', ' ', '.', '..', '../a', 'a/b', 'a\u0000b', 'a\tb', 'x'.repeat(300), [], {}, null];
	for (const [noun, object] of objects)
		for (const name of bad) await c.refused(400, `POST /v1/${noun}`, { ...object, name });
	// In paths: what is no UTF-8 is nobody's name.
	for (const noun of ['consumers', 'ai/providers', 'ai/routes', 'routes', 'domains', 'service-sources', 'proxy-servers']) {
		const [, object] = objects.find(([n]) => n === noun);
		const { name, ...rest } = object;
		for (const segment of ['%ff', '%c0%af', '%00', '%0a']) {
			const got = await c.call(`PUT /v1/${noun}/${segment}`, /^ai/.test(noun) ? object : rest);
			assert.ok(got.status === 400 || got.status === 404, `${noun}/${segment}: ${got.status} ${got.text}`);
			await c.missing(`GET /v1/${noun}/${segment}`);
		}
	}
	assert.equal(stateOf(path.join(c.serve.data, 'resources')), before);
});

// console-api.md 3.2.2: also those that no request can be translated for yet; they answer for themselves alone.
test('a provider of every type is kept, whether it is served or not', async (t) => {
	const c = await startFull(t);
	const vertexAuthKey = JSON.stringify({ client_email: 'a', private_key_id: 'b', private_key: 'c', token_uri: 'd' });
	const settings = {
		azure: { azureServiceUrl: 'https://h.example.com/openai/deployments/d/chat/completions?api-version=1' },
		ollama: { ollamaServerHost: '127.0.0.1', ollamaServerPort: 5 },
		vllm: { vllmCustomUrl: 'http://127.0.0.1:1/v1' },
		vertex: { vertexRegion: 'us', vertexProjectId: 'p', vertexAuthKey },
		bedrock: { awsRegion: 'us-east-1', awsAccessKey: 'a', awsSecretKey: 'b' },
		claude: { claudeCodeMode: true },
	};
	const types = 'openai qwen claude azure vertex bedrock ollama vllm zhipuai moonshot ai360 github groq baichuan yi deepseek baidu stepfun minimax gemini mistral cohere doubao coze openrouter grok'.split(' ');
	assert.equal(types.length, 26);
	for (const type of types) {
		const made = await c.raw('POST /v1/ai/providers', { name: `p-${type}`, type, tokens: ['k'], rawConfigs: settings[type] });
		assert.deepEqual([made.type, made.rawConfigs.id], [type, `p-${type}`]);
	}
	assert.equal((await c.data('GET /v1/ai/providers')).length, 26 + 2);
	for (const type of ['hunyuan', 'cloudflare', 'spark', 'deepl', 'together-ai', 'nope']) await c.refused(400, 'POST /v1/ai/providers', { name: 'x', type });
	await c.raw('POST /v1/ai/routes', { name: 'r', upstreams: [{ provider: 'p-bedrock', weight: 100 }] });
	assert.ok((await c.chat(null)).status >= 500, 'nobody else answers for it');
});

test('what is named elsewhere: what may go, what stays, and what follows', async (t) => {
	const c = await startFull(t);
	const pair = await (await newAuthority(t)).issue(['DNS:a.example.com']);
	await c.raw('POST /v1/tls-certificates', { name: 'c', cert: pair.cert, key: pair.key });
	await c.raw('POST /v1/domains', { name: 'a.example.com', enableHttps: 'force', certIdentifier: 'c' });
	// Its certificate may come later.
	await c.raw('POST /v1/domains', { name: 'b.example.com', enableHttps: 'on', certIdentifier: 'later' });
	await c.raw('POST /v1/consumers', bearer('m', 'k-12345678'));
	const route = { name: 'r', domains: ['a.example.com'], upstreams: [{ provider: 'qwen', weight: 100 }], authConfig: { enabled: true, allowedConsumers: ['m'] }, fallbackConfig: { enabled: true, upstreams: [{ provider: 'other' }], responseCodes: ['5xx'] } };
	await c.raw('POST /v1/ai/routes', route);
	await c.refused(409, 'DELETE /v1/domains/a.example.com');
	await c.refused(409, 'DELETE /v1/consumers/m');
	// A certificate and a provider go although they are named; the route stays as it is, and its next write is refused.
	await c.gone('DELETE /v1/tls-certificates/c');
	await c.gone('DELETE /v1/ai/providers/qwen');
	assert.equal((await c.data('GET /v1/ai/routes/r')).upstreams[0].provider, 'qwen');
	await c.refused(400, 'PUT /v1/ai/routes/r', route);
	// A list that is switched off still names them.
	await c.raw('POST /v1/ai/providers', QWEN);
	await c.raw('PUT /v1/ai/routes/r', { ...route, authConfig: { enabled: false, allowedConsumers: ['m'] } });
	await c.refused(409, 'DELETE /v1/consumers/m');
	await c.raw('PUT /v1/ai/routes/r', { ...route, authConfig: { enabled: true, allowedConsumers: [] } });
	await c.gone('DELETE /v1/consumers/m');
	await c.gone('DELETE /v1/ai/routes/r');
	await c.gone('DELETE /v1/domains/a.example.com');
	const files = fs.readdirSync(path.join(c.serve.data, 'resources'), { recursive: true });
	assert.deepEqual(files.filter((f) => /ai-route-r/.test(f)), [], 'both Ingresses, the filter and the record');
});

// Lists and maps that were compared item by item held up every other change for minutes.
test('objects with more than anybody needs are refused at once', async (t) => {
	const c = await startFull(t);
	const many = (n, each) => Array.from({ length: n }, (_, i) => each(i));
	const members = (n) => Object.fromEntries(many(n, (i) => [`k${i}`, 'x']));
	const route = { name: 'r', upstreams: [{ provider: 'qwen', weight: 100 }] };
	const generic = { name: 'g', path: predicate({ matchValue: '/' }), services: [{ name: 'a.dns' }] };
	for (const [noun, object] of [
		['ai/routes', { ...route, domains: many(16000, (i) => `d${i}.example.com`) }],
		['ai/routes', { ...route, upstreams: [{ provider: 'qwen', weight: 100, modelMapping: members(60000) }] }],
		['ai/routes', { ...route, upstreams: many(20000, () => ({ provider: 'qwen', weight: 0 })) }],
		['ai/routes', { ...route, headerPredicates: many(20000, (i) => predicate({ key: `x${i}` })) }],
		['routes', { ...generic, services: many(20000, (i) => ({ name: `s${i}.dns` })) }],
		['routes', { ...generic, customConfigs: members(60000) }],
		['ai/providers', { ...QWEN, tokens: many(60000, (i) => `sk-${i}`) }],
		['ai/providers', { ...QWEN, rawConfigs: members(60000) }],
		['service-sources', { name: 's', type: 'dns', domain: 'a.example.com', port: 1, vport: { servicesVport: many(60000, (i) => ({ name: `s${i}`, value: 1 })) } }],
	]) await c.refused(400, `POST /v1/${noun}`, object);
	await c.refused(400, 'PUT /v1/global/plugin-instances/waf', { configurations: members(60000) });
	await c.refused(400, 'PUT /v1/global/plugin-instances/waf', { rawConfigurations: many(60000, (i) => `k${i}: x`).join('\n') });
	// What is large and makes sense is taken.
	await c.raw('POST /v1/ai/routes', { ...route, domains: many(1000, (i) => `d${i}.example.com`), authConfig: { enabled: true, allowedConsumers: many(20000, (i) => `c${i}`) } });
	await c.raw('PUT /v1/ai/providers/qwen', { ...QWEN, tokens: many(10000, (i) => `sk-${i}`) });
});
