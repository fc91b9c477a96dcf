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
];
