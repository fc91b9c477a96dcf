// Cases of MCP servers. A row: id, set-up, what is asked, what is expected, why, how.
import assert from 'node:assert/strict';

const TOOLS = 'server:\n  name: github-mcp-server\n  config:\n    accessToken: ghp_0001\ntools:\n- name: get_user\n  description: who I am\n  args: []\n  requestTemplate:\n    url: https://api.github.com/user\n    method: GET\n';
export const SERVER = {
	name: 'mcp-github',
	description: 'GitHub',
	type: 'OPEN_API',
	rawConfigurations: TOOLS,
	mcpServerName: 'mcp-github',
	domains: ['aigw-local.hiclaw.io'],
	services: [{ name: 'github-api.dns', port: 443, weight: 100 }],
	consumerAuthInfo: { type: 'key-auth', enable: true, allowedConsumers: ['manager'] },
};
const ROUTE = 'mcp-server-mcp-github.internal';
const WHO = '/v1/mcpServer/consumers';
const make = (c, more = {}) => c.raw('PUT /v1/mcpServer', { ...SERVER, ...more });
const allowed = async (c) => (await c.data(`GET ${WHO}?mcpServerName=mcp-github`)).map((each) => each.consumerName);
const withWorker = async (c) => {
	await make(c);
	await c.gone(`PUT ${WHO}`, { mcpServerName: 'mcp-github', consumers: ['worker-a', 'manager', 'worker-a'] });
};

export const mcp = [
	['K210', 'C', 'an MCP server as a boot script sends it', '200, what was sent, not wrapped', 'tools for agents', async (c) => {
		const echo = await make(c);
		const { mcpServerName, ...sent } = SERVER;
		assert.deepEqual({ ...echo, services: [{ ...SERVER.services[0] }] }, { id: null, ...sent, dbConfig: null, dbType: null, directRouteConfig: null });
		assert.deepEqual(echo.services, [{ name: 'github-api.dns', port: 443, version: null, weight: 100 }]);
	}],
	['K211', 'C', 'whether one consumer may call it', '200, one, and the name of the derived route', 'a script looks before it adds', async (c) => {
		await make(c);
		const got = (await c.call(`GET ${WHO}?mcpServerName=mcp-github&consumerName=manager`)).json;
		assert.deepEqual([got.total, got.data], [1, [{ mcpServerName: ROUTE, consumerName: 'manager' }]]);
		assert.deepEqual(await c.data(`GET ${WHO}?mcpServerName=mcp-github&consumerName=none`), []);
		await c.refused(404, `GET ${WHO}?mcpServerName=none`);
	}],
	['K212', 'C', 'more consumers', '204, behind those that are there, none twice', 'the others keep their access', async (c) => {
		await withWorker(c);
		assert.deepEqual(await allowed(c), ['manager', 'worker-a']);
		await c.refused(404, `PUT ${WHO}`, { mcpServerName: 'none', consumers: ['a'] });
	}],
	['K213', 'C', 'the same server once more', '200, its list is the one that was sent', 'a boot sets it anew', async (c) => {
		await withWorker(c);
		const config = await c.data('GET /system/higress-config');
		await make(c);
		assert.deepEqual(await allowed(c), ['manager']);
		assert.equal(await c.data('GET /system/higress-config'), config, 'whoever edits it meets no conflict');
		await make(c, { consumerAuthInfo: undefined });
		assert.deepEqual(await allowed(c), ['manager'], 'without consumerAuthInfo it stays');
	}],
	['K214', 'C', 'a consumer fewer, by a body', '204, gone from the list', 'the page removes one so', async (c) => {
		await withWorker(c);
		await c.gone(`DELETE ${WHO}`, { mcpServerName: 'mcp-github', consumers: ['worker-a'] });
		assert.deepEqual(await allowed(c), ['manager']);
	}],
	['K215', 'C', 'a consumer fewer, by the query', '204, gone from every list', 'a guide says so, which no Console understands (D24)', async (c) => {
		await withWorker(c);
		await c.gone(`DELETE ${WHO}?consumer=worker-a`);
		assert.deepEqual(await allowed(c), ['manager']);
	}],
	['K216', 'C', 'all MCP servers', '200, with who may call them; filters by name and type', 'a shell library reads the lists', async (c) => {
		await make(c);
		await make(c, { name: 'a-first', type: 'DIRECT_ROUTE', rawConfigurations: undefined, directRouteConfig: { path: '/mcp', transportType: 'streamable' } });
		const [first, second] = await c.data('GET /v1/mcpServer');
		assert.deepEqual([first.name, second.name, second.consumerAuthInfo.allowedConsumers, second.rawConfigurations], ['a-first', 'mcp-github', ['manager'], null]);
		assert.deepEqual(await c.names('GET /v1/mcpServers'), ['a-first', 'mcp-github']);
		assert.deepEqual(await c.names('GET /v1/mcpServer?mcpServerName=github'), ['mcp-github']);
		assert.deepEqual(await c.names('GET /v1/mcpServer?type=DIRECT_ROUTE&pageNum=1&pageSize=100'), ['a-first']);
		await c.refused(400, 'GET /v1/mcpServer?type=FOO');
		await c.gone('DELETE /v1/mcpServer?name=a-first');
		assert.deepEqual(await c.names('GET /v1/mcpServer'), ['mcp-github']);
	}],
	['K217', 'C', 'one MCP server', '200, its tools as text', 'the page edits them', async (c) => {
		await make(c);
		const got = await c.data('GET /v1/mcpServer/mcp-github');
		assert.match(got.rawConfigurations, /accessToken: ghp_0001\n/);
		assert.deepEqual([got.description, got.domains, got.consumerAuthInfo], ['GitHub', SERVER.domains, SERVER.consumerAuthInfo]);
		assert.equal((await make(c, got)).rawConfigurations, got.rawConfigurations, 'and is put back as it was read');
		assert.deepEqual(await c.data('GET /v1/mcpServer/mcp-github'), got);
	}],
	['K218', 'I', 'an MCP server that is not there', '404 with an envelope', 'a Console says 502 (D6)', (c) => c.refused(404, 'GET /v1/mcpServer/none')],
	['K219', 'C', 'a server without its tools', '200, they are kept', 'the list page does not send them (D23)', async (c) => {
		await make(c);
		await make(c, { rawConfigurations: null });
		assert.match((await c.data('GET /v1/mcpServer/mcp-github')).rawConfigurations, /get_user/);
	}],
	['K220', 'I', 'no type, and one that is none', '400 each, nothing is made', 'nobody knows what to serve', async (c) => {
		for (const type of [undefined, 'FOO']) await c.refused(400, 'PUT /v1/mcpServer', { ...SERVER, type });
		await c.refused(400, 'PUT /v1/mcpServer', { ...SERVER, name: undefined });
		await c.refused(400, 'PUT /v1/mcpServer', { ...SERVER, name: 'consumers' });
		assert.deepEqual(await c.data('GET /v1/mcpServer'), []);
	}],
	['K221', 'C', 'a removal, twice', '204 both times, the derived route is gone', 'a removal is repeated after a timeout', async (c) => {
		await make(c);
		await c.gone('DELETE /v1/mcpServer/mcp-github');
		await c.gone('DELETE /v1/mcpServer/mcp-github');
		assert.ok(!(await c.names('GET /v1/routes')).includes(ROUTE));
		await c.gone('DELETE /v1/consumers/manager');
	}],
	['K222', 'C', 'the route that is derived from it', '200; it refuses a change', 'plugins are configured for it', async (c) => {
		await make(c);
		const route = await c.data(`GET /v1/routes/${ROUTE}`);
		assert.deepEqual([route.path.matchValue, route.authConfig.allowedConsumers], ['/mcp-servers/mcp-github', ['manager']]);
		await c.refused(400, `PUT /v1/routes/${ROUTE}`, route);
	}],
	['K223', 'C', 'a consumer that a server lists, removed', '409, still there', 'it would be admitted by a name that is free (D7)', async (c) => {
		await make(c);
		await c.refused(409, 'DELETE /v1/consumers/manager');
	}],
	['K224', 'I', 'who may call a server that is not named', '400', 'nobody knows which one is meant', (c) => c.refused(400, `GET ${WHO}`)],
	['K225', 'I', 'tools from an empty document', '400; 500 from one that is none; from an API its operations', 'a page offers to import an API', async (c) => {
		const at = 'POST /v1/mcpServer/swaggerToMcpConfig';
		for (const content of ['', ' \n']) await c.refused(400, at, { content });
		await c.refused(500, at, { content: 'no: [such' });
		const api = { openapi: '3.0.0', servers: [{ url: 'https://api.example.com/' }], paths: { '/users/{id}': { get: { operationId: 'getUser', summary: 'A user', parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }] } } } };
		const got = (await c.wrapped(at, { content: JSON.stringify(api) })).json.data;
		assert.match(got, /^server:\n {2}name: openapi-server\ntools:\n- name: getUser\n {2}description: A user\n/);
		assert.match(got, /url: https:\/\/api\.example\.com\/users\/\{id\}\n/);
		const server = await make(c, { rawConfigurations: got, consumerAuthInfo: null });
		assert.equal(server.rawConfigurations, got);
	}],
];
