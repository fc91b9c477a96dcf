// Byte for byte: what the gateway does not have to change arrives as the client wrote it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { writeWorld } from './lib/resources.js';
import { completion, json, request, sha256, startUpstream } from './lib/http.js';
import { startMock, startServe, tempDir } from './lib/sluice.js';

// Everything here is legal JSON that a parse and print round trip damages: number spellings, escapes,
// white space, key order, unknown members, duplicate keys below the top level.
const odd = (model) => `{ "temperature" : 1.0,"top_p":1e2 , "seed": 12345678901234567890, "n" :-0,
\t"x-unknown":{"b":[1.50,-0.0,1E+2,0.1e-7],"a":null,"a":true},
  "messages":[{"role":"user","content":"tab\\t slash\\/ \\u0041\\u00e9 \\ud83d\\ude00 é 😀 \\"model\\":\\"not me\\" \\"stream_options\\""},
   {"role" : "assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"z","arguments":"{\\"z\\":1.0}"}}]}],
"tools":[{"type":"function","function":{"name":"z","parameters":{"type":"object","properties":{"zebra":{"type":"number"},"apple":{"type":"string"},"mango":{"enum":[1.0,2e0]}},"required":["zebra","apple"]}}}],
"response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":{"type":"object","properties":{"zeta":{"type":"string"},"alpha":{"type":"integer"}},"additionalProperties":false}}},
"metadata":{"model":"inner"},"model" : ${JSON.stringify(model)}  ,"":"" }
`;

const MAPPING = { 'gpt-4o': 'vendor/big-1', 'gpt-3*': 'vendor/small', '*': '' };

async function gateway(t, provider = {}) {
	const upstream = await startUpstream(t);
	const data = writeWorld(tempDir(t), {
		providers: [{ id: 'p', address: upstream.address, mapping: MAPPING, ...provider }],
	});
	return { upstream, serve: await startServe(t, { data }) };
}

test('a body arrives unchanged but for the mapped model', async (t) => {
	const { upstream, serve } = await gateway(t);
	for (const [model, mapped] of [
		['gpt-4o', 'vendor/big-1'],
		['gpt-3.5-turbo', 'vendor/small'],
		['other', 'other'],
	]) {
		const sent = Buffer.from(odd(model));
		const got = await request(serve.port, { body: sent });
		assert.equal(got.status, 200, got.text);
		const arrived = upstream.requests.at(-1);
		const expected = Buffer.from(odd(mapped));
		assert.equal(arrived.body.toString(), expected.toString());
		assert.equal(sha256(arrived.body), sha256(expected));
		assert.equal(Number(arrived.headers['content-length']), expected.length);
	}
});

test('the mock records the same hash', async (t) => {
	const mock = await startMock(t);
	const data = writeWorld(tempDir(t), { providers: [{ id: 'p', address: mock.address, mapping: { 'gpt-4o': 'mock' } }] });
	const serve = await startServe(t, { data });
	assert.equal((await request(serve.port, { body: odd('gpt-4o') })).status, 200);
	const requests = await mock.requests();
	assert.equal(requests.length, 1);
	assert.equal(requests[0].sha256, sha256(Buffer.from(odd('mock'))));
});

test('large bodies, with the model last, arrive whole', async (t) => {
	const { upstream, serve } = await gateway(t);
	for (const size of [32 * 1024, 100 * 1024, 1024 * 1024, 5 * 1024 * 1024]) {
		const content = 'line\\n\\"quoted\\" \\u00e9 é '.repeat(Math.ceil(size / 26));
		const body = (model) => Buffer.from(`{"messages":[{"role":"user","content":"${content}"}],"model":"${model}"}`);
		const got = await request(serve.port, { body: body('gpt-4o') });
		assert.equal(got.status, 200, got.text);
		assert.equal(sha256(upstream.requests.at(-1).body), sha256(body('vendor/big-1')), `${size}`);
	}
});

test('a stream whose client asked for usage is not edited either', async (t) => {
	const { upstream, serve } = await gateway(t);
	const body = (model) => `{"stream":true, "stream_options" : {"include_usage":true,"other":1.0},"messages":[],"model":"${model}"}`;
	await request(serve.port, { body: body('gpt-4o') });
	assert.equal(upstream.requests.at(-1).body.toString(), body('vendor/big-1'));
});

test('usage asked for by us: only stream_options changes, its other members stay', async (t) => {
	const { upstream, serve } = await gateway(t);
	for (const options of [null, '{"other":1.0}', '{"include_usage":false,"z":[1.50]}']) {
		const member = options ? `"stream_options":${options},` : '';
		await request(serve.port, { body: `{${member}"stream":true,"seed":1.0,"messages":[],"model":"m"}` });
		const text = upstream.requests.at(-1).body.toString();
		assert.equal(JSON.parse(text).stream_options.include_usage, true, text);
		assert.ok(text.includes('"seed":1.0'));
		if (options?.includes('other')) assert.ok(text.includes('"other":1.0'), text);
		if (options?.includes('z')) assert.ok(text.includes('"z":[1.50]'), text);
		assert.equal(text.match(/include_usage/g).length, 1, text);
	}
});

test('headers: order, unknown ones and OpenAI ones reach the upstream; ours, hop-by-hop and another vendor\'s do not', async (t) => {
	const { upstream, serve } = await gateway(t, { token: 'sk-own' });
	const got = await request(serve.port, {
		body: { model: 'm', messages: [] },
		headers: {
			'User-Agent': 'client/1.0',
			'Anthropic-Version': '2023-06-01',
			'OpenAI-Organization': 'org',
			'Idempotency-Key': 'k1',
			'X-Zeta': 'z',
			'X-Alpha': 'a',
			'X-Mse-Consumer': 'forged',
			'X-Higress-Llm-Model': 'forged',
			'X-Envoy-Thing': 'forged',
			'X-Sluice-Thing': 'forged',
			Connection: 'keep-alive, X-Hop',
			'X-Hop': 'stops here',
			'Keep-Alive': 'timeout=5',
			'Proxy-Authorization': 'Basic AAAA',
			TE: 'trailers',
		},
	});
	assert.equal(got.status, 200, got.text);
	const { headers, rawHeaders } = upstream.requests.at(-1);
	assert.equal(headers['user-agent'], 'client/1.0');
	assert.equal(headers['openai-organization'], 'org');
	assert.equal(headers['idempotency-key'], 'k1');
	assert.equal(headers.authorization, 'Bearer sk-own');
	for (const name of ['x-mse-consumer', 'x-higress-llm-model', 'x-envoy-thing', 'x-sluice-thing', 'x-hop', 'keep-alive', 'proxy-authorization', 'te', 'anthropic-version'])
		assert.equal(headers[name], undefined, name);
	const order = rawHeaders.filter((_, i) => i % 2 === 0);
	assert.ok(order.indexOf('X-Zeta') >= 0 && order.indexOf('X-Zeta') < order.indexOf('X-Alpha'), 'names and order are kept');
});

test('the answer comes back unchanged: status, body, vendor headers', async (t) => {
	const answer = '{"z":1.0, "a":"\\u0041\\/", "usage":{"total_tokens":1e0}}\n';
	const upstream = await startUpstream(t, (req, res) => {
		res.writeHead(req.url.includes('teapot') ? 418 : 200, {
			'Content-Type': 'application/json',
			'Content-Length': Buffer.byteLength(answer),
			'X-RateLimit-Remaining': '7',
			'Retry-After': '3',
			'Connection': 'X-Hop-Back',
			'X-Hop-Back': '1',
		});
		res.end(answer);
	});
	const data = writeWorld(tempDir(t), { providers: [{ id: 'p', address: upstream.address }] });
	const serve = await startServe(t, { data });
	for (const [path, status] of [['/v1/chat/completions', 200], ['/v1/chat/completions?teapot=1', 418]]) {
		const got = await request(serve.port, { path, body: { model: 'm', messages: [] } });
		assert.equal(got.status, status);
		assert.equal(got.text, answer);
		assert.equal(got.headers['x-ratelimit-remaining'], '7');
		assert.equal(got.headers['retry-after'], '3');
		assert.equal(got.headers['x-hop-back'], undefined);
	}
	assert.equal(upstream.requests.at(-1).url, '/v1/chat/completions?teapot=1', 'the query is kept');
});

test('paths: the part before the API disappears, other paths keep theirs', async (t) => {
	const upstream = await startUpstream(t);
	const data = writeWorld(tempDir(t), {
		providers: [{ id: 'p', address: upstream.address, url: `http://${upstream.address}/base/v1` }],
		routes: [{ name: 'team', path: '/team-a', to: 'p' }],
	});
	const serve = await startServe(t, { data });
	for (const [path, arrived] of [
		['/team-a/v1/chat/completions', '/base/v1/chat/completions'],
		['/team-a/v1/chat/completions?a=1&b=%2F//', '/base/v1/chat/completions?a=1&b=%2F//'],
		['/team-a/v1/embeddings', '/base/v1/embeddings'],
	]) {
		const got = await request(serve.port, { path, body: { model: 'm', input: 'x' } });
		assert.equal(got.status, 200, got.text);
		assert.equal(upstream.requests.at(-1).url, arrived);
	}
});

test('weights: 0 is never chosen, both others are', async (t) => {
	const ups = [];
	for (let i = 0; i < 3; i++) {
		const id = `p${i}`;
		ups.push({ id, up: await startUpstream(t, (req, res) => json(res, 200, completion(id))) });
	}
	const data = writeWorld(tempDir(t), {
		providers: ups.map(({ id, up }) => ({ id, address: up.address })),
		routes: [{ name: 'all', to: [{ provider: 'p0', weight: 60 }, { provider: 'p1', weight: 0 }, { provider: 'p2', weight: 40 }] }],
	});
	const serve = await startServe(t, { data });
	for (let i = 0; i < 100; i++) assert.equal((await request(serve.port, { body: { model: 'm', messages: [] } })).status, 200);
	const counts = ups.map(({ up }) => up.requests.length);
	assert.equal(counts[1], 0);
	// Both others are chosen: the chance that a right gateway fails this is below 10^-21.
	assert.ok(counts[0] > 0 && counts[2] > 0, `${counts}`);
});
