// Cases of providers. A row: id, set-up, what is asked, what is expected, why, how.
import assert from 'node:assert/strict';
import { QWEN } from '../lib/console.js';

const ALL = '/v1/ai/providers';
const ONE = `${ALL}/qwen`;
const openai = (name, rawConfigs = {}, more = {}) => ({ name, type: 'openai', tokens: ['sk-openai-000001'], rawConfigs, ...more });
export const COMPAT_SOURCE = { type: 'dns', name: 'openai-compat', port: 443, protocol: 'https', proxyName: '', domain: 'models.example.com' };
const compat = openai('openai-compat', {
	openaiCustomUrl: 'https://models.example.com/v1',
	openaiCustomServiceName: 'openai-compat.dns',
	openaiCustomServicePort: 443,
	hiclawMode: true,
}, { version: 0, protocol: 'openai/v1', tokenFailoverConfig: { enabled: false } });

export const providers = [
	['K040', 'I', 'providers of an empty instance', 'an empty list with total 0 and no pages', 'pages count the list that they are given', async (c) => {
		const { json } = await c.wrapped(`GET ${ALL}`);
		assert.deepEqual([json.data, json.total, json.pageNum, json.pageSize], [[], 0, null, null]);
	}],
	['K041', 'I', 'a new provider', '201, not wrapped, its token in clear, members that were not given as null', 'clients index members without asking whether they are there', async (c) => {
		const made = await c.raw(`POST ${ALL}`, QWEN);
		assert.deepEqual([made.name, made.tokens[0], made.proxyName], ['qwen', QWEN.tokens[0], null]);
	}],
	['K042', 'P', 'the provider', 'rawConfigs as it is stored: id, type, protocol and tokens beside what was sent', 'the front end filters exactly these', async (c) => {
		const { rawConfigs } = await c.data(`GET ${ONE}`);
		const { id, type, protocol, apiTokens, qwenEnableCompatible } = rawConfigs;
		assert.deepEqual([id, type, protocol, apiTokens, qwenEnableCompatible], ['qwen', 'qwen', 'openai', QWEN.tokens, true]);
	}],
	['K043', 'P', 'the same provider created again with another token', '201, the token is replaced', 'a shell library takes 409 for a failure', async (c) => {
		await c.raw(`POST ${ALL}`, { ...QWEN, tokens: ['sk-qwen-another'] });
		assert.deepEqual((await c.data(`GET ${ONE}`)).tokens, ['sk-qwen-another']);
	}],
	['K044', 'P', 'a provider with a version', '200, not wrapped', 'clients send version 0, which providers do not have', async (c) => assert.equal((await c.raw(`PUT ${ONE}`, { ...QWEN, version: 0 })).name, 'qwen')],
	['K045', 'P', 'a provider put back as it was read', 'it is the same afterwards', 'an edit that changes nothing changes nothing', async (c) => {
		const before = await c.data(`GET ${ONE}`);
		await c.raw(`PUT ${ONE}`, before);
		assert.deepEqual(await c.data(`GET ${ONE}`), before);
	}],
	['K046', 'P', 'a provider put back without tokens', 'it has none, in rawConfigs neither', 'the top-level fields win over rawConfigs', async (c) => {
		await c.raw(`PUT ${ONE}`, { ...(await c.data(`GET ${ONE}`)), tokens: [] });
		const after = await c.data(`GET ${ONE}`);
		assert.ok(!('apiTokens' in after.rawConfigs));
		assert.equal(after.tokens?.length ?? 0, 0);
	}],
	['K047', 'P', 'a provider without a name in the body', '400', 'it is an envelope that was put back by mistake', async (c) => {
		const { name, ...rest } = QWEN;
		assert.ok(name);
		await c.refused(400, `PUT ${ONE}`, rest);
	}],
	['K048', 'P', 'another name in the body', 'the name of the path counts', 'the path says which object is meant', async (c) => {
		await c.raw(`PUT ${ONE}`, { ...QWEN, name: 'other' });
		assert.deepEqual(await c.names(`GET ${ALL}`), ['qwen']);
	}],
	['K049', 'P', 'PUT of a provider that is not there', '200, it is created', 'PUT of a provider is an upsert', async (c) => {
		await c.raw(`PUT ${ALL}/new`, openai('new'));
		assert.deepEqual(await c.names(`GET ${ALL}`), ['new', 'qwen']);
	}],
	['K050', 'I', 'a provider that is not there', '404 without a body', 'scripts take an empty body for not found, anything else for found', (c) => c.missing(`GET ${ALL}/none`)],
	['K051', 'P', 'a provider removed twice', '204 both times', 'a removal is repeated after a timeout', async (c) => {
		await c.gone(`DELETE ${ONE}`);
		await c.gone(`DELETE ${ONE}`);
		await c.missing(`GET ${ONE}`);
	}],
	['K052', 'I', 'a type that nobody knows', '400', 'no endpoint could be called', (c) => c.refused(400, `POST ${ALL}`, { name: 'x', type: 'nosuch' })],
	['K053', 'I', 'a type that is only declared', '400, or 201 where it is supported', 'never a fault of the server', async (c) => {
		const got = await c.call(`POST ${ALL}`, { name: 'deepl', type: 'deepl', tokens: ['k'] });
		assert.ok([201, 400].includes(got.status), `${got.status} ${got.text}`);
	}],
	['K054', 'I', 'type zhipu', '201, stored as zhipuai', 'a page offers this word', async (c) => assert.equal((await c.raw(`POST ${ALL}`, { name: 'zhipu', type: 'zhipu', tokens: ['k'] })).type, 'zhipuai')],
	['K055', 'I', 'a name with a slash', '400', 'no path could name it', (c) => c.refused(400, `POST ${ALL}`, openai('a/b'))],
	['K056', 'I', 'a protocol that nobody knows', '400', 'it would be served as something else', (c) => c.refused(400, `POST ${ALL}`, openai('x', {}, { protocol: 'foo' }))],
	['K057', 'I', 'a custom URL that is none', '400', 'no endpoint could be called', (c) => c.refused(400, `POST ${ALL}`, openai('x', { openaiCustomUrl: 'not a url' }))],
	['K058', 'I', 'azure without its URL, ollama without its host', '400 each', 'no endpoint could be called', async (c) => {
		await c.refused(400, `POST ${ALL}`, { name: 'a', type: 'azure', tokens: ['k'], rawConfigs: {} });
		await c.refused(400, `POST ${ALL}`, { name: 'o', type: 'ollama', rawConfigs: { ollamaServerPort: 11434 } });
	}],
	['K059', 'I', 'the port of ollama as a text', '201, a number afterwards', 'forms send texts', async (c) => {
		const made = await c.raw(`POST ${ALL}`, { name: 'o', type: 'ollama', rawConfigs: { ollamaServerHost: 'models.example.com', ollamaServerPort: '11434' } });
		assert.strictEqual(made.rawConfigs.ollamaServerPort, 11434);
	}],
	['K060', 'I', 'members that mean nothing, at the top and in rawConfigs', '201, those of rawConfigs are stored, those at the top are not', 'clients send what later versions may know', async (c) => {
		const made = await c.raw(`POST ${ALL}`, openai('p', { apiUrl: 'https://models.example.com/v1', hiclawMode: true }, { modelMapping: {}, protocol: 'openai/v1' }));
		assert.deepEqual([made.rawConfigs.apiUrl, made.rawConfigs.hiclawMode], ['https://models.example.com/v1', true]);
		assert.ok(!('modelMapping' in made));
	}],
	['K061', 'I', 'a service source, then a provider that names its service', '201 each, no source is made for the provider', 'its traffic goes to the named service', async (c) => {
		await c.raw('POST /v1/service-sources', COMPAT_SOURCE);
		await c.raw(`POST ${ALL}`, compat);
		assert.deepEqual(await c.names('GET /v1/service-sources'), ['openai-compat']);
	}],
	['K062', 'P', 'service sources beside a provider', 'its own one, of type dns, with properties as an object', 'the front end looks into properties without asking', async (c) => {
		const source = (await c.data('GET /v1/service-sources')).find((s) => s.name === 'llm-qwen.internal');
		assert.deepEqual([source.type, source.properties], ['dns', {}]);
	}],
	['K063', 'P', 'a page of providers', 'one item, page 1', 'paging is the same everywhere', async (c) => {
		const { json } = await c.wrapped(`GET ${ALL}?pageNum=1&pageSize=10`);
		assert.deepEqual([json.data.length, json.pageNum, json.pageSize], [1, 1, 10]);
	}],
	['K064', 'P', 'a token as the front end shows it', 'the stored one is kept', 'a mask that is saved would be the key', async (c) => {
		await c.raw(`PUT ${ONE}`, { ...QWEN, tokens: ['sk-******001'] });
		assert.deepEqual((await c.data(`GET ${ONE}`)).tokens, QWEN.tokens);
	}],
	['K065', 'I', 'a token that refers to a secret', 'stored and returned as it is', 'it is resolved where it is used', async (c) => assert.deepEqual((await c.raw(`POST ${ALL}`, { ...QWEN, tokens: ['${secret.llm.key}'] })).tokens, ['${secret.llm.key}'])],
	['K066', 'P', 'a provider removed and created again from the list that was read', 'it is the same', 'a page backs up and restores this way', async (c) => {
		const before = await c.data(`GET ${ALL}`);
		await c.gone(`DELETE ${ONE}`);
		for (const each of before) await c.raw(`POST ${ALL}`, each);
		assert.deepEqual(await c.data(`GET ${ALL}`), before);
	}],
	['K067', 'I', 'the envelope of a list as a provider', '400', 'it has no name', async (c) => c.refused(400, `POST ${ALL}`, (await c.call(`GET ${ALL}`)).json)],
];
