// The scenario of the specification (higress-resources.md §4.2): consumer labubu, domain zimomo.com,
// provider lololo, in the files that a Higress Console wrote. Only the upstream's address is ours.
import assert from 'node:assert/strict';
import test from 'node:test';
import { copyExample } from './lib/resources.js';
import { request } from './lib/http.js';
import { refusal, sdk } from './lib/sdk.js';
import { startMock, startServe, tempDir } from './lib/sluice.js';

const KEY = '123456-xxx';
const CREDENTIAL = 'sk-upstream-0123456789abcdef';
const ASK = { model: 'mock', messages: [{ role: 'user', content: 'Hello' }] };

// A second consumer who exists but is not allowed on the route.
const SECOND_CONSUMER = `    consumers:
    - credentials:
      - Bearer other-key
      in_header: true
      in_query: false
      keys:
      - Authorization
      name: pupu
`;

async function zimomo(t, example) {
	const mock = await startMock(t);
	const data = copyExample(tempDir(t), example, (text, file) => {
		if (file === 'mcpbridges/default.yaml')
			return text
				.replace('domain: lololo.com', `domain: ${mock.address}`)
				.replace('port: 443', 'port: 80')
				.replace('protocol: https', 'protocol: http')
				.replace('type: dns', 'type: static');
		if (file === 'wasmplugins/ai-proxy.internal.yaml')
			return text
				.replace('https://lololo.com/v1', `http://${mock.address}/v1`)
				.replace('llm-lololo.internal.dns', 'llm-lololo.internal.static');
		if (file.startsWith('ingresses/')) return text.replace('llm-lololo.internal.dns:443', 'llm-lololo.internal.static:80');
		if (file === 'wasmplugins/key-auth.internal.yaml') return text.replace('    consumers:\n', SECOND_CONSUMER);
		return text;
	});
	const serve = await startServe(t, { data });
	const seen = () => mock.requests();
	return { mock, serve, seen };
}

test('labubu is served on zimomo.com/v1, whole and streamed', async (t) => {
	const { serve, seen } = await zimomo(t, 'zimomo');
	const client = sdk(serve.port, { host: 'zimomo.com', key: KEY });
	assert.ok((await client.chat.completions.create(ASK)).choices[0].message.content);
	let text = '';
	for await (const event of await client.chat.completions.create({ ...ASK, stream: true }))
		text += event.choices[0]?.delta?.content ?? '';
	assert.ok(text);
	const requests = await seen();
	assert.equal(requests.length, 2);
	for (const r of requests) assert.equal(r.path, '/v1/chat/completions');
});

test('the upstream gets the provider credential where there is one, and never the client key', async (t) => {
	for (const [example, credential] of [['zimomo', null], ['zimomo-credential', CREDENTIAL]]) {
		const { serve, seen } = await zimomo(t, example);
		await sdk(serve.port, { host: 'zimomo.com', key: KEY }).chat.completions.create(ASK);
		const [arrived] = await seen();
		const text = JSON.stringify(arrived);
		assert.ok(!text.includes(KEY), `${example}: the client key reached the upstream: ${text}`);
		if (credential) assert.ok(text.includes(credential) || text.toLowerCase().includes('authorization'), text);
	}
});

const REFUSALS = [
	// name, host, key, status, type, code, words of the message
	['no key', 'zimomo.com', null, 401, 'authentication_error', 'key-auth.invalid_key', /Invalid API key/],
	['an unknown key', 'zimomo.com', 'nobody', 401, 'authentication_error', 'key-auth.invalid_key', /Invalid API key/],
	['the key of another consumer', 'zimomo.com', 'other-key', 403, 'permission_error', 'key-auth.unauthorized', /Unauthorized consumer/],
	['another host', 'lololo.com', KEY, 404, 'invalid_request_error', 'not_found', /./],
];
test('refusals: each is an error object that the SDK shows', async (t) => {
	const { serve, seen } = await zimomo(t, 'zimomo');
	for (const [name, host, key, status, type, code, words] of REFUSALS) {
		await t.test(name, async () => {
			const client = sdk(serve.port, { host, key: key ?? 'x', ...(key ? {} : { defaultHeaders: { authorization: null } }) });
			const error = await refusal(client.chat.completions.create(ASK));
			assert.equal(error.status, status);
			assert.equal(error.type, type);
			assert.equal(error.code, code);
			assert.equal(error.param, null);
			assert.match(error.message, words);
			const wire = await request(serve.port, {
				headers: { host, ...(key ? { authorization: `Bearer ${key}` } : {}) },
				body: ASK,
			});
			assert.equal(wire.headers['content-type'], 'application/json');
			assert.ok(wire.headers['x-request-id']);
			assert.equal(wire.headers['x-sluice-reason'], status === 404 ? 'route.not_found' : code);
			if (status === 401) assert.equal(wire.headers['www-authenticate'], 'Key realm=MSE Gateway');
		});
	}
	assert.deepEqual(await seen(), [], 'a refused request reached the upstream');
});

test('another path of the host is not found', async (t) => {
	const { serve } = await zimomo(t, 'zimomo');
	for (const path of ['/', '/v2/chat/completions', '/v1beta/models']) {
		const got = await request(serve.port, { path, headers: { host: 'zimomo.com', authorization: `Bearer ${KEY}` }, body: ASK });
		assert.equal(got.status, 404, path);
	}
});

test('host names compare without case and port', async (t) => {
	const { serve } = await zimomo(t, 'zimomo');
	for (const host of ['ZIMOMO.com', 'zimomo.com:8080']) {
		const got = await request(serve.port, { headers: { host, authorization: `bearer ${KEY}` }, body: ASK });
		assert.equal(got.status, 200, `${host}: ${got.text}`);
	}
});
