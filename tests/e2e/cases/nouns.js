// Cases of consumers, domains, routes, service sources and services, certificates and proxy servers. A row: id,
// set-up, what is asked, what is expected, why, how.
import assert from 'node:assert/strict';
import { bearer, DEFAULT_ROUTE, MANAGER, MANAGER_KEY } from '../lib/console.js';
import { COMPAT_SOURCE } from './providers.js';

const CONSUMERS = '/v1/consumers';
const M = `${CONSUMERS}/manager`;
const values = async (c) => (await c.data(`GET ${M}`)).credentials[0].values;
const header = (name, more) => ({ name, credentials: [{ type: 'key-auth', source: 'HEADER', values: ['v-0001'], ...more }] });

export const consumers = [
	['K110', 'I', 'a new consumer', '201, not wrapped, its key in clear, null for the name of the header', 'clients index members without asking', async (c) => {
		const made = await c.raw(`POST ${CONSUMERS}`, MANAGER);
		assert.deepEqual(made, { name: 'manager', credentials: [{ type: 'key-auth', source: 'BEARER', key: null, values: [MANAGER_KEY] }] });
	}],
	['K112', 'C', 'another consumer with the same key', '400, not 409', 'a 409 would be read as success, and nobody knows whose request it is', async (c) => {
		await c.refused(400, `POST ${CONSUMERS}`, bearer('other', MANAGER_KEY));
		assert.deepEqual(await c.names(`GET ${CONSUMERS}`), ['manager']);
	}],
	['K113', 'C', 'a consumer created again with its own key', '201', 'boot scripts do so each time', (c) => c.raw(`POST ${CONSUMERS}`, MANAGER)],
	['K114', 'I', 'a consumer without credentials', '400', 'nobody could be it', (c) => c.refused(400, `POST ${CONSUMERS}`, { name: 'x', credentials: [] })],
	['K115', 'I', 'a source in small letters', '400', 'the word is BEARER', (c) => c.refused(400, `POST ${CONSUMERS}`, { name: 'x', credentials: [{ type: 'key-auth', source: 'bearer', values: ['v'] }] })],
	['K116', 'I', 'a key in a header that is not named', '400', 'no header could be read', (c) => c.refused(400, `POST ${CONSUMERS}`, header('x'))],
	['K118', 'C', 'a PUT without keys', '200, the stored one is kept', 'a form that was not touched sends none', async (c) => {
		await c.raw(`PUT ${M}`, bearer('manager'));
		assert.deepEqual(await values(c), [MANAGER_KEY]);
	}],
	['K119', 'C', 'another name in the body', '400', 'nobody is renamed by accident', (c) => c.refused(400, `PUT ${M}`, { ...MANAGER, name: 'zzz' })],
	['K120', 'C', 'a PUT without a name', '200', 'the path says who', async (c) => assert.equal((await c.raw(`PUT ${M}`, { credentials: MANAGER.credentials })).name, 'manager')],
	['K121', 'C', 'the envelope of a GET with other credentials beside', '400, the consumer and its key are still there', 'a guide makes this mistake; elsewhere the consumer is removed by it', async (c) => {
		await c.refused(400, `PUT ${M}`, { ...(await c.call(`GET ${M}`)).json, credentials: [{ values: ['n'] }] });
		assert.deepEqual(await values(c), [MANAGER_KEY]);
	}],
	['K122', 'C', 'a PUT with a version', '200', 'clients send one, consumers have none', (c) => c.raw(`PUT ${M}`, { ...MANAGER, version: 0 })],
	['K123', 'I', 'a consumer that is not there', '404 without a body', 'scripts take an empty body for not found', (c) => c.missing(`GET ${CONSUMERS}/none`)],
	['K124', 'C', 'a consumer that nothing names, removed twice', '204 both times', 'a removal is repeated after a timeout', async (c) => {
		await c.gone(`DELETE ${M}`);
		await c.gone(`DELETE ${M}`);
	}],
	['K125', 'R', 'a consumer that an AI route admits', '409, still there', 'another one of this name would be admitted later', async (c) => {
		await c.refused(409, `DELETE ${M}`);
		assert.deepEqual(await c.names(`GET ${CONSUMERS}`), ['manager']);
	}],
	['K126', 'R', 'the same after the route admits nobody', '204', 'nothing names it any more', async (c) => {
		await c.raw('PUT /v1/ai/routes/default-ai-route', { ...DEFAULT_ROUTE, authConfig: { ...DEFAULT_ROUTE.authConfig, allowedConsumers: [] } });
		await c.gone(`DELETE ${M}`);
	}],
	['K127', 'C', 'consumers', 'the literal text of the name', 'a test of containers searches for it', async (c) => assert.ok((await c.call(`GET ${CONSUMERS}`)).text.includes('"manager"'))],
	['K128', 'C', 'a key as the front end shows it', 'the stored one is kept', 'a mask that is saved would be the key', async (c) => {
		await c.raw(`PUT ${M}`, bearer('manager', 'gk-******001'));
		assert.deepEqual(await values(c), [MANAGER_KEY]);
	}],
];

const DOMAINS = '/v1/domains';
const A = `${DOMAINS}/a.example.com`;
const domain = (name, more) => ({ name, enableHttps: 'off', ...more });
const makeA = (c) => c.raw(`POST ${DOMAINS}`, domain('a.example.com'));
const SOURCES = '/v1/service-sources';
export const TUWUNEL = { name: 'tuwunel', type: 'static', domain: '127.0.0.1:6167', port: 6167, properties: {}, authN: { enabled: false } };
const ROUTES = '/v1/routes';
export const MATRIX = { name: 'matrix-homeserver', domains: [], path: { matchType: 'PRE', matchValue: '/_matrix' }, services: [{ name: 'tuwunel.static', port: 6167, weight: 100 }] };
const X = `${ROUTES}/matrix-homeserver`;
const makeMatrix = (c, more) => c.raw(`POST ${ROUTES}`, { ...MATRIX, ...more });

export const domains = [
	['K130', 'I', 'a new domain', '201, not wrapped, with a version', 'the front end decides between PUT and POST by it', async (c) => assert.match((await makeA(c)).version, /^[1-9][0-9]*$/)],
	['K131', 'I', 'the same domain again', '409', 'scripts read 409 as: it is there', async (c) => {
		await makeA(c);
		await c.refused(409, `POST ${DOMAINS}`, domain('a.example.com'));
	}],
	['K132', 'I', 'HTTPS that is neither on, off nor forced', '400', 'nobody knows what is meant', (c) => c.refused(400, `POST ${DOMAINS}`, domain('a.example.com', { enableHttps: 'maybe' }))],
	['K133', 'I', 'a version that is not the stored one', '409', 'two editors must not lose each other\'s change', async (c) => {
		await makeA(c);
		await c.refused(409, `PUT ${A}`, domain('a.example.com', { version: '77' }));
	}],
	['K134', 'I', 'PUT of a domain that is not there', '404 in an envelope', 'it is no upsert, and no fault of the server', (c) => c.refused(404, `PUT ${A}`, domain('a.example.com'))],
	['K135', 'I', 'a wildcard domain, and its path with the star as it is and escaped', 'found both ways', 'clients differ in what they escape', async (c) => {
		await c.raw(`POST ${DOMAINS}`, domain('*.example.com'));
		for (const name of ['*.example.com', '%2A.example.com']) assert.equal((await c.data(`GET ${DOMAINS}/${name}`)).name, '*.example.com');
	}],
	['K136', 'I', 'a domain that a route names', '409, still there', 'the route would lose its certificate', async (c) => {
		await makeA(c);
		await makeMatrix(c, { domains: ['a.example.com'] });
		await c.refused(409, `DELETE ${A}`);
		assert.deepEqual(await c.names(`GET ${DOMAINS}`), ['a.example.com']);
	}],
	['K137', 'I', 'a domain removed twice', '204 both times', 'a removal is repeated after a timeout', async (c) => {
		await makeA(c);
		await c.gone(`DELETE ${A}`);
		await c.gone(`DELETE ${A}`);
	}],
	['K138', 'I', 'routes of a domain', 'the one that names it, not the others', 'the page of a domain shows them', async (c) => {
		await makeA(c);
		await makeMatrix(c, { domains: ['a.example.com'] });
		await makeMatrix(c, { name: 'other', domains: ['b.example.com'] });
		assert.deepEqual(await c.names(`GET ${A}/routes`), ['matrix-homeserver']);
	}],
];

export const routes = [
	['K140', 'I', 'a route to a service that is not there yet', '201, not wrapped; no domains, no authentication, every method', 'scripts make routes and sources in either order', async (c) => {
		const made = await makeMatrix(c);
		assert.deepEqual([made.domains, made.authConfig.enabled, made.methods], [[], false, null]);
	}],
	['K141', 'I', 'null for the domains', '201, an empty list', 'a Go client sends null for an empty list', async (c) => assert.deepEqual((await makeMatrix(c, { domains: null })).domains, [])],
	['K142', 'I', 'the same route again', '409', 'scripts read 409 as: it is there', async (c) => {
		await makeMatrix(c);
		await c.refused(409, `POST ${ROUTES}`, MATRIX);
	}],
	['K143', 'I', 'a name that ends in .internal', '400', 'these are the gateway\'s own', (c) => c.refused(400, `POST ${ROUTES}`, { ...MATRIX, name: 'x.internal' })],
	['K144', 'I', 'a route without services', '400', 'it must lead somewhere', (c) => c.refused(400, `POST ${ROUTES}`, { ...MATRIX, services: undefined })],
	['K145', 'I', 'a route without a path', '400', 'it would match nothing, or everything', (c) => c.refused(400, `POST ${ROUTES}`, { ...MATRIX, path: undefined })],
	['K146', 'I', 'a route put back as it was read, with methods', '200, not wrapped, the methods are set', 'a tool merges what it changes into what it read, nulls and all', async (c) => {
		await makeMatrix(c);
		assert.deepEqual((await c.raw(`PUT ${X}`, { ...(await c.data(`GET ${X}`)), methods: ['GET'] })).methods, ['GET']);
	}],
	['K147', 'I', 'a version that is not the stored one', '409', 'two editors must not lose each other\'s change', async (c) => {
		await makeMatrix(c);
		await c.refused(409, `PUT ${X}`, { ...MATRIX, version: '999' });
	}],
	['K148', 'I', 'PUT of a route that is not there', '404 in an envelope', 'it is no upsert, and no fault of the server', (c) => c.refused(404, `PUT ${ROUTES}/none`, { ...MATRIX, name: 'none' })],
	['K149', 'I', 'another name in the body', '400', 'nothing is renamed by accident', async (c) => {
		await makeMatrix(c);
		await c.refused(400, `PUT ${X}`, { ...MATRIX, name: 'other' });
	}],
	['K150', 'I', 'a rewrite in words that nobody knows', '201', 'an installer sends it', (c) => makeMatrix(c, { name: 'higress-manager-agm', rewrite: { enabled: true, rewriteType: 'PREFIX', matchValue: '/agm', replacement: '/' } })],
	['K151', 'I', 'a custom annotation that the gateway manages itself', '400', 'two would say where the route leads', (c) => c.refused(400, `POST ${ROUTES}`, { ...MATRIX, customConfigs: { 'higress.io/destination': 'x' } })],
	['K152', 'I', 'a removal that says JSON and sends nothing', '204', 'a script sends it', (c) => c.gone('DELETE /v1/routes/default', '', { headers: { 'content-type': 'application/json' } })],
	['K153', 'I', 'routes of a domain that none has', 'an empty list', 'the filter is exact', async (c) => {
		await makeMatrix(c);
		assert.deepEqual(await c.data(`GET ${ROUTES}?domainName=nope`), []);
	}],
	['K154', 'I', 'routes of a domain, and all', '400', 'one excludes the other', (c) => c.refused(400, `GET ${ROUTES}?domainName=a&all=true`)],
	['K155', 'I', '25 routes: the second page, and one behind the last', '10 of 25, then none', 'a page that is not there is empty, not a fault', async (c) => {
		for (let i = 0; i < 25; i++) await makeMatrix(c, { name: `r${i}`, path: { matchType: 'PRE', matchValue: `/${i}` } });
		const page = async (n) => (({ data, total, pageNum, pageSize }) => [data.length, total, pageNum, pageSize])((await c.call(`GET ${ROUTES}?pageNum=${n}&pageSize=10`)).json);
		assert.deepEqual(await page(2), [10, 25, 2, 10]);
		assert.deepEqual(await page(9), [0, 25, 9, 10]);
	}],
];

const T = `${SOURCES}/tuwunel`;
const dns = (more) => ({ type: 'dns', name: 'github-api', domain: 'api.github.com', port: 443, protocol: 'https', ...more });
const badSource = (id, input, more, why) => [id, 'I', input, '400, nothing is created', why, async (c) => {
	await c.refused(400, `POST ${SOURCES}`, dns(more));
	assert.deepEqual(await c.data(`GET ${SOURCES}`), []);
}];
const PORT = 18999;

export const sources = [
	['K160', 'I', 'a new service source', '201, not wrapped, credentials as an object without properties', 'the front end looks into both without asking', async (c) => {
		const made = await c.raw(`POST ${SOURCES}`, TUWUNEL);
		assert.deepEqual([made.authN, made.properties], [{ enabled: false, properties: null }, {}]);
	}],
	['K161', 'I', 'the same source again', '409', 'scripts read 409 as: it is there', async (c) => {
		await c.raw(`POST ${SOURCES}`, TUWUNEL);
		await c.refused(409, `POST ${SOURCES}`, TUWUNEL);
	}],
	['K162', 'I', 'a source without properties and credentials', '201, both are objects in every answer', 'the front end looks into both without asking', async (c) => {
		await c.raw(`POST ${SOURCES}`, { name: 'monitor', type: 'static', domain: '127.0.0.1:18080', port: 18080 });
		const got = await c.data(`GET ${SOURCES}/monitor`);
		assert.deepEqual([got.properties, got.authN.enabled], [{}, false]);
	}],
	['K163', 'I', 'a port as a text', '201, a number afterwards', 'an installer sends it', async (c) => assert.strictEqual((await c.raw(`POST ${SOURCES}`, dns({ port: '443' }))).port, 443)],
	badSource('K164', 'a name with a dot', { name: 'q.dns' }, 'the part behind the dot is the type of the service'),
	badSource('K165', 'a static source without addresses', { type: 'static', domain: 'nohost' }, 'nothing could be called'),
	badSource('K166', 'a type that nobody knows', { type: 'foo' }, 'nothing could be called'),
	['K167', 'I', 'a port of 0, and none', '400 each', 'no service could be named', async (c) => {
		await c.refused(400, `POST ${SOURCES}`, dns({ port: 0 }));
		await c.refused(400, `POST ${SOURCES}`, dns({ port: undefined }));
	}],
	['K168', 'I', 'PUT of a source that is not there', '200, it is created', 'PUT of a source is an upsert', async (c) => {
		await c.raw(`PUT ${SOURCES}/openai-compat`, COMPAT_SOURCE);
		assert.deepEqual(await c.names(`GET ${SOURCES}`), ['openai-compat']);
	}],
	['K169', 'I', 'another name in the body', 'the name of the path counts', 'the path says which one', async (c) => {
		await c.raw(`POST ${SOURCES}`, TUWUNEL);
		await c.raw(`PUT ${T}`, { ...TUWUNEL, name: 'other' });
		assert.deepEqual(await c.names(`GET ${SOURCES}`), ['tuwunel']);
	}],
	['K170', 'P', 'the source of a provider put or removed', '400 each', 'it belongs to the provider', async (c) => {
		await c.refused(400, `PUT ${SOURCES}/llm-qwen.internal`, dns());
		await c.refused(400, `DELETE ${SOURCES}/llm-qwen.internal`);
	}],
	['K171', 'I', 'a registry with credentials, then a PUT that does not repeat them', 'they are never shown, and they are kept', 'a form cannot repeat what it was not shown', async (c) => {
		const nacos = { name: 'reg', type: 'nacos2', domain: 'nacos.example.com', port: 8848, properties: { nacosGroups: ['DEFAULT_GROUP'] } };
		const made = await c.raw(`POST ${SOURCES}`, { ...nacos, authN: { enabled: true, properties: { nacosUsername: 'u', nacosPassword: 'pw-of-nacos' } } });
		assert.deepEqual(made.authN, { enabled: true, properties: null });
		await c.raw(`PUT ${SOURCES}/reg`, { ...nacos, authN: { enabled: true } });
		const got = await c.call(`GET ${SOURCES}/reg`);
		assert.doesNotMatch(got.text, /pw-of-nacos/);
		assert.deepEqual(got.json.data.authN, { enabled: true, properties: null });
		await c.raw(`PUT ${SOURCES}/reg`, { ...nacos, authN: { enabled: false } });
		await c.refused(400, `PUT ${SOURCES}/reg`, { ...nacos, authN: { enabled: true } });
	}],
	['K172', 'I', 'services beside a source', 'its name with its type, its port, null for the version', 'forms of routes offer them', async (c) => {
		await c.raw(`POST ${SOURCES}`, TUWUNEL);
		const [service] = await c.data('GET /v1/services');
		assert.deepEqual([service.name, service.port, service.version], ['tuwunel.static', 6167, null]);
	}],
	['K173', 'I', 'services where there are none', 'an empty list', 'null would break the form', async (c) => assert.deepEqual(await c.data('GET /v1/services'), [])],
	['K175', 'I', 'a port of a worker exposed, taken back and exposed again', '201 each, 204 each, 201 each', 'what is taken back leaves nothing behind', async (c) => {
		const name = `worker-w-${PORT}`;
		const host = `${name}-local.hiclaw.io`;
		const expose = async () => {
			await c.raw(`POST ${DOMAINS}`, domain(host));
			await c.raw(`POST ${SOURCES}`, { type: 'dns', name, domain: 'w.local', port: PORT, protocol: 'http', properties: {}, authN: { enabled: false } });
			await c.raw(`POST ${ROUTES}`, { name, domains: [host], path: { matchType: 'PRE', matchValue: '/', caseSensitive: false }, services: [{ name: `${name}.dns`, port: PORT, weight: 100 }] });
		};
		await expose();
		for (const path of [`${ROUTES}/${name}`, `${SOURCES}/${name}`, `${DOMAINS}/${host}`]) await c.gone(`DELETE ${path}`);
		await expose();
	}],
];

const CERTS = '/v1/tls-certificates';
const makeCert = async (c) => {
	c.pair ??= await c.authority.issue(['DNS:a.example.com', 'DNS:*.b.example.com'], { cn: 'a.example.com' });
	return c.raw(`POST ${CERTS}`, { name: 'site', cert: c.pair.cert, key: c.pair.key });
};
const PROXY = { type: 'HTTP', name: 'px', serverAddress: '127.0.0.1', serverPort: 3128, connectTimeout: 5000 };

export const others = [
	['K200', 'I', 'a certificate with its key', '201, not wrapped, neither text, but names and validity', 'a key never leaves', async (c) => {
		const made = await makeCert(c);
		assert.deepEqual([made.cert, made.key], [null, null]);
		assert.deepEqual(made.domains, ['a.example.com', '*.b.example.com']);
		assert.match(made.validityEnd, /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\dZ$/);
	}],
	['K201', 'I', 'the list, and one certificate', 'neither shows cert nor key', 'a key never leaves', async (c) => {
		await makeCert(c);
		for (const got of [...(await c.data(`GET ${CERTS}`)), await c.data(`GET ${CERTS}/site`)]) assert.deepEqual([got.name, got.cert, got.key], ['site', null, null]);
	}],
	['K202', 'I', 'texts that are no certificate', '400', 'every handshake would fail', (c) => c.refused(400, `POST ${CERTS}`, { name: 'site', cert: 'garbage', key: 'garbage' })],
	['K203', 'I', 'a PUT without the texts', '200, the stored pair is kept', 'a form cannot repeat what it was not shown', async (c) => {
		const made = await makeCert(c);
		const put = await c.raw(`PUT ${CERTS}/site`, { name: 'site', cert: null, key: null, version: made.version });
		assert.deepEqual([put.domains, put.validityEnd], [made.domains, made.validityEnd]);
	}],
	['K204', 'I', 'a PUT without a name', '400', 'it is an envelope that was put back by mistake', async (c) => {
		await makeCert(c);
		await c.refused(400, `PUT ${CERTS}/site`, { cert: c.pair.cert, key: c.pair.key });
	}],
	['K230', 'I', 'a new proxy server', '201, not wrapped', 'the front end sends its type in capitals', async (c) => assert.deepEqual((({ name, serverPort }) => [name, serverPort])(await c.raw('POST /v1/proxy-servers', PROXY)), ['px', 3128])],
	['K231', 'I', 'a proxy server that a source names', '409, still there', 'the source would go around it', async (c) => {
		await c.raw('POST /v1/proxy-servers', PROXY);
		await c.raw(`POST ${SOURCES}`, dns({ proxyName: 'px' }));
		await c.refused(409, 'DELETE /v1/proxy-servers/px');
		assert.deepEqual(await c.names('GET /v1/proxy-servers'), ['px']);
	}],
];
