// Cases of plugin instances. A row: id, set-up, what is asked, what is expected, why, how.
import assert from 'node:assert/strict';
import { MATRIX, TUWUNEL } from './nouns.js';

const AT = '/v1/routes/matrix-homeserver/plugin-instances';
const BLOCK = `${AT}/request-block`;
const makeRoute = (c) => c.raw('POST /v1/routes', MATRIX);
const makeBlock = async (c) => {
	await makeRoute(c);
	return c.raw(`PUT ${BLOCK}`, { ...(await c.data(`GET ${BLOCK}`)), configurations: { block_urls: ['x'] }, enabled: true, rawConfigurations: null });
};
export const BASIC_AUTH = {
	version: null,
	scope: 'ROUTE',
	target: 'matrix-homeserver',
	targets: { ROUTE: 'matrix-homeserver' },
	pluginName: 'basic-auth',
	pluginVersion: null,
	internal: false,
	enabled: true,
	rawConfigurations: 'consumers:\n  - name: admin\n    credential: admin:Adm1n-pw',
};
const refusal = (id, input, plugin, body, why) => [id, 'I', input, '400, nothing is configured', why, async (c) => {
	await makeRoute(c);
	await c.refused(400, `PUT ${AT}/${plugin}`, body);
	assert.deepEqual(await c.data(`GET ${AT}`), []);
}];

export const plugins = [
	['K102', 'R', 'plugins of the route that is derived from an AI route', 'ai-statistics is there, the gateway\'s own ones are not', 'users may change what they see, and nothing else', async (c) => {
		const all = await c.data('GET /v1/routes/ai-route-default-ai-route.internal/plugin-instances');
		assert.ok(all.some((i) => i.pluginName === 'ai-statistics'));
		assert.ok(!all.some((i) => i.internal || ['model-router', 'key-auth'].includes(i.pluginName)));
	}],
	['K180', 'I', 'a plugin that is not configured for a route', '200, off, both forms of the configuration there and null', 'a client indexes them without asking', async (c) => {
		await makeRoute(c);
		const got = await c.data(`GET ${BLOCK}`);
		assert.deepEqual([got.enabled, got.configurations, got.rawConfigurations], [false, null, null]);
	}],
	['K181', 'I', 'that object put back with a configuration', '200, not wrapped, the configuration as YAML text too', 'a person reads the text, a program the object', async (c) => {
		const put = await makeBlock(c);
		assert.deepEqual([put.enabled, put.configurations], [true, { block_urls: ['x'] }]);
		assert.match(put.rawConfigurations, /^block_urls:\n *- "?x"?$/);
	}],
	['K182', 'I', 'another configuration beside the old text', 'the configuration counts, not the text', 'a tool changes the one and sends both', async (c) => {
		await makeBlock(c);
		const got = await c.data(`GET ${BLOCK}`);
		await c.raw(`PUT ${BLOCK}`, { ...got, configurations: { block_urls: ['y'] } });
		assert.deepEqual((await c.data(`GET ${BLOCK}`)).configurations, { block_urls: ['y'] });
	}],
	['K185', 'I', 'a plugin of a route that is not there', '400', 'it would never have an effect', (c) => c.refused(400, 'PUT /v1/routes/none/plugin-instances/basic-auth', { ...BASIC_AUTH, target: 'none', targets: { ROUTE: 'none' } })],
	refusal('K186', 'a plugin that nobody knows', 'nosuch', { enabled: true }, 'it would never have an effect'),
	refusal('K187', 'another plugin\'s name in the body', 'basic-auth', { ...BASIC_AUTH, pluginName: 'key-auth' }, 'nobody knows which one is meant'),
	refusal('K188', 'a configuration that is not YAML', 'basic-auth', { enabled: true, rawConfigurations: 'a: [b' }, 'it could not be read back'),
	['K189', 'I', 'a plugin switched off without a configuration', '200 with the object', 'a client reads JSON from every success', async (c) => {
		await makeRoute(c);
		assert.equal((await c.raw(`PUT ${BLOCK}`, { enabled: false })).enabled, false);
	}],
	['K190', 'I', 'a removal without a session', '401, still there', 'elsewhere this is answered 200', async (c) => {
		await makeBlock(c);
		await c.refused(401, `DELETE ${BLOCK}`, undefined, { anon: true });
		assert.equal((await c.data(`GET ${BLOCK}`)).enabled, true);
	}],
	['K191', 'I', 'a removal, twice', '204 both times, it is configured no longer', 'a removal is repeated after a timeout', async (c) => {
		await makeBlock(c);
		await c.gone(`DELETE ${BLOCK}`);
		await c.gone(`DELETE ${BLOCK}`);
		assert.equal((await c.data(`GET ${BLOCK}`)).configurations, null);
	}],
	['K192', 'I', 'a plugin for all traffic, read and put back', '200 each, null for the target', 'the global page works like the others', async (c) => {
		const at = '/v1/global/plugin-instances/request-block';
		const got = await c.data(`GET ${at}`);
		assert.deepEqual([got.scope, got.targets], ['GLOBAL', { GLOBAL: null }]);
		assert.equal((await c.raw(`PUT ${at}`, { ...got, enabled: true, configurations: { block_urls: ['x'] } })).enabled, true);
		await c.gone(`DELETE ${at}`);
	}],
	['K193', 'I', 'a plugin for a domain and for a service', '200 each, shown there and nowhere else', 'a rule is of one scope', async (c) => {
		await c.raw('POST /v1/domains', { name: 'a.example.com', enableHttps: 'off' });
		await c.raw('POST /v1/service-sources', TUWUNEL);
		for (const base of ['/v1/domains/a.example.com', '/v1/services/tuwunel.static']) {
			await c.raw(`PUT ${base}/plugin-instances/request-block`, { enabled: true, configurations: { block_urls: [base] } });
			assert.deepEqual((await c.data(`GET ${base}/plugin-instances`)).map((i) => i.configurations.block_urls), [[base]]);
		}
		assert.deepEqual(await c.data('GET /v1/global/plugin-instances'), []);
		await c.gone('DELETE /v1/services/tuwunel.static/plugin-instances/request-block');
	}],
	['K194', 'I', 'the plugins there are, in English and in Chinese', '200, each with title, category and whether it is built in', 'the plugin page lists them in the reader\'s language', async (c) => {
		const all = await c.data('GET /v1/wasm-plugins?lang=en-US');
		assert.ok(all.length > 40, `${all.length}`);
		for (const p of all) assert.ok(p.builtIn === true && p.title && p.category && p.description, p.name);
		assert.deepEqual(all.map((p) => p.name), all.map((p) => p.name).sort());
		assert.deepEqual(all.filter((p) => p.productCovered).map((p) => p.name), ['ai-proxy', 'key-auth', 'mcp-server', 'model-mapper', 'model-router']);
		const zh = await c.data('GET /v1/wasm-plugins/basic-auth?lang=zh-CN');
		const en = all.find((p) => p.name === 'basic-auth');
		assert.deepEqual([zh.title, en.title, en.phase, en.priority], ['Basic 认证', 'Basic Auth', 'AUTHN', 320]);
		assert.deepEqual([en.imageRepository.startsWith('oci://'), en.imageVersion], [true, '2.0.0']);
		assert.deepEqual(Object.keys(en), ['name', 'pluginVersion', 'version', 'category', 'title', 'description', 'builtIn', 'productCovered', 'icon', 'readmeUrl', 'imageRepository', 'imageVersion', 'imagePullPolicy', 'imagePullSecret', 'phase', 'priority']);
		assert.equal((await c.call('GET /v1/wasm-plugins?pageNum=2&pageSize=5')).json.data.length, 5);
	}],
	['K195', 'I', 'what of a plugin can be configured', '200, a schema; a page to read; 404 for what nobody knows', 'the page makes its form of it', async (c) => {
		const { schema } = await c.data('GET /v1/wasm-plugins/basic-auth/config');
		assert.equal(schema.jsonSchema.properties.consumers.type, 'array');
		assert.match(schema.extensions['x-example-raw'], /^consumers:\n/);
		assert.match(await c.data('GET /v1/wasm-plugins/key-auth/readme?lang=zh-CN'), /^# Key 认证\n/);
		for (const p of await c.data('GET /v1/wasm-plugins')) assert.ok((await c.data(`GET /v1/wasm-plugins/${p.name}/readme`)).length > 50, p.name);
		for (const what of ['', '/config', '/readme']) await c.missing(`GET /v1/wasm-plugins/nosuch${what}`);
	}],
	['K196', 'I', 'a custom plugin with the name of a built-in one', '409; with a name of its own it is made, changed and removed', 'two plugins of one name', async (c) => {
		const mine = { name: 'mine', title: 'Mine', category: 'custom', imageRepository: 'images.example.com/mine', imageVersion: '1' };
		await c.refused(409, 'POST /v1/wasm-plugins', { ...mine, name: 'basic-auth' });
		await c.refused(409, 'POST /v1/wasm-plugins', { ...mine, builtIn: true });
		await c.refused(409, 'DELETE /v1/wasm-plugins/basic-auth');
		await c.refused(404, 'PUT /v1/wasm-plugins/mine', mine);
		for (const wrong of [{ name: '-a' }, { title: ' ' }, { imageRepository: '' }, { phase: 'LATE' }, { imagePullPolicy: 'Never' }]) await c.refused(400, 'POST /v1/wasm-plugins', { ...mine, ...wrong });
		const made = await c.raw('POST /v1/wasm-plugins', mine);
		assert.deepEqual([made.builtIn, made.pluginVersion, made.imageRepository, made.phase], [false, '1.0.0', 'oci://images.example.com/mine', 'UNSPECIFIED_PHASE']);
		await c.refused(409, 'POST /v1/wasm-plugins', mine);
		await makeRoute(c);
		await c.raw(`PUT ${AT}/mine`, { enabled: true, configurations: { a: 1 } });
		assert.equal((await c.raw('PUT /v1/wasm-plugins/mine', { ...mine, imageVersion: '2', phase: 'authz', priority: 7 })).phase, 'AUTHZ');
		await c.refused(409, 'PUT /v1/wasm-plugins/mine', { ...mine, version: made.version });
		assert.deepEqual((await c.data(`GET ${AT}/mine`)).configurations, { a: 1 });
		assert.equal((await c.data('GET /v1/wasm-plugins')).at(-1).name, 'mine');
		await c.gone('DELETE /v1/wasm-plugins/mine');
		await c.gone('DELETE /v1/wasm-plugins/mine');
		await c.missing('GET /v1/wasm-plugins/mine');
	}],
];
