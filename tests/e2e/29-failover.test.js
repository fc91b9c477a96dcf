// When a provider fails: what official SDKs get, with real sockets and mocks that fail as providers do. One gateway and
// three mocks for all tests; a sequence (`POST /mock/script`) says what the next requests at a mock get.
import assert from 'node:assert/strict';
import test from 'node:test';
import { anthropic, refusal, sdk } from './lib/sdk.js';
import { writeWorld } from './lib/resources.js';
import { request } from './lib/http.js';
import { startMock, startServe, tempDir, until } from './lib/sluice.js';

const ASK = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] };
const RETRY = { enabled: true, retryOnStatus: ['429', '5..'] };
const FAILOVER = { enabled: true, failureThreshold: 1, healthCheckInterval: 60000, healthCheckModel: 'mock' };
const NEXT = {
	'higress.io/proxy-next-upstream': 'error,timeout,http_503,non_idempotent',
	'higress.io/proxy-next-upstream-tries': '2',
};

const plan = (mock, sequence) => fetch(`${mock.url}/mock/script`, { method: 'POST', body: sequence });
const forget = (mock) => fetch(`${mock.url}/mock/requests`, { method: 'DELETE' });
const header = (seen, name) => seen.headers.find(([n]) => n.toLowerCase() === name)?.[1];
const modelOf = (seen) => JSON.parse(seen.body).model;

async function world(t) {
	const [a, b, c] = [await startMock(t), await startMock(t), await startMock(t)];
	const dead = await startMock(t);
	await dead.stop();
	const data = writeWorld(tempDir(t), {
		providers: [
			{ id: 'keys', address: a.address, token: ['key-1', 'key-2'], extra: { retryOnFailure: RETRY, failover: FAILOVER } },
			{ id: 'one', address: a.address, token: 'key-1', extra: { retryOnFailure: RETRY } },
			{ id: 'plain', address: a.address, token: 'key-1', mapping: { '*': 'primary' } },
			{ id: 'backup', address: b.address, token: 'key-b', mapping: { 'gpt-4o': 'backup-model' } },
			{ id: 'last', address: c.address, token: 'key-c' },
			{ id: 'half', address: `${dead.address},${b.address}`, url: `http://${b.address}/v1`, token: 'key-b' },
			{ id: 'claude', type: 'claude', address: a.address, token: 'key-1' },
			{ id: 'claude-2', type: 'claude', address: b.address, token: 'key-b', mapping: { '*': 'claude-other' } },
			{ id: 'slow', address: a.address, token: 'key-1', extra: { firstByteTimeout: 300 } },
		].map((p) => (p.type ? { ...p, extra: { providerDomain: p.address } } : p)),
		routes: [
			{ name: 'keys', host: 'keys.test', to: 'keys' },
			{ name: 'one', host: 'one.test', to: 'one' },
			{ name: 'half', host: 'half.test', to: 'half', annotations: NEXT },
			{ name: 'plain', host: 'plain.test', to: 'plain' },
			{ name: 'falls', host: 'falls.test', to: 'plain', annotations: { 'sluice.io/fallback': 'ai-route-backups.internal' } },
			{ name: 'backups', host: 'backups.test', to: [{ provider: 'backup' }, { provider: 'last' }] },
			{ name: 'claude', host: 'claude.test', to: 'claude', annotations: { 'sluice.io/fallback': 'ai-route-claude-2.internal' } },
			{ name: 'claude-2', host: 'claude-2.test', to: 'claude-2' },
			{ name: 'slow', host: 'slow.test', to: 'slow', annotations: { 'sluice.io/fallback': 'ai-route-backups.internal' } },
		],
	});
	return { a, b, c, serve: await startServe(t, { data }) };
}

async function collect(stream) {
	let text = '';
	for await (const event of stream) text += event.choices[0]?.delta?.content ?? '';
	return text;
}

test('when a provider fails', async (t) => {
	const { a, b, c, serve } = await world(t);
	const client = (host) => sdk(serve.port, { host });
	const each = async (name, run) =>
		t.test(name, async () => {
			for (const mock of [a, b, c]) await Promise.all([plan(mock, ''), forget(mock)]);
			await run();
		});

	await each('429 with one key: the other one answers, in a stream too, and the first is left alone', async () => {
		await plan(a, 'status-429+retry-after-60');
		assert.match(await collect(await client('keys.test').chat.completions.create({ ...ASK, stream: true })), /mock/);
		const [first, second] = (await a.requests()).map((r) => header(r, 'authorization'));
		assert.notEqual(first, second);
		for (let i = 0; i < 8; i++) await client('keys.test').chat.completions.create(ASK);
		const seen = await a.requests();
		assert.equal(seen.length, 10);
		for (const r of seen.slice(1)) assert.equal(header(r, 'authorization'), second);
		assert.equal(seen[0].sha256, seen[1].sha256, 'the same body');
	});

	await each('one key, a 500: it is tried once more (G118); all fail: the last answer, its Retry-After, and how often', async () => {
		await plan(a, 'status-500');
		assert.ok((await client('one.test').chat.completions.create(ASK)).id);
		assert.equal((await a.requests()).length, 2);
		await plan(a, 'status-503+retry-after-77,again');
		const error = await refusal(client('one.test').chat.completions.create(ASK));
		assert.equal(error.status, 503);
		assert.equal(error.headers.get('retry-after'), '77');
	});

	await each('an endpoint that is dead: nobody notices', async () => {
		for (let i = 0; i < 10; i++) assert.ok((await client('half.test').chat.completions.create({ ...ASK, model: 'mock' })).id);
		assert.equal((await b.requests()).length, 10);
	});

	await each('fallback: its own model of the client\'s, the whole list, and the answer says from where', async () => {
		await plan(a, 'status-503,again');
		await plan(b, 'status-500');
		const got = await request(serve.port, { headers: { host: 'falls.test' }, body: ASK });
		assert.equal(got.status, 200);
		assert.equal(got.headers['x-higress-fallback-from'], 'ai-route-falls.internal');
		assert.equal(got.headers['x-sluice-fallback'], '2');
		assert.equal(modelOf((await a.requests())[0]), 'primary');
		assert.equal(modelOf((await b.requests())[0]), 'backup-model');
		assert.equal(modelOf((await c.requests())[0]), 'gpt-4o');
		for (const [mock, key] of [[a, 'key-1'], [b, 'key-b'], [c, 'key-c']])
			for (const r of await mock.requests()) assert.equal(header(r, 'authorization'), `Bearer ${key}`);
	});

	await each('a client\'s own mistake, and a provider without a policy, are not repeated', async () => {
		await plan(a, 'status-404,status-503');
		assert.equal((await refusal(client('falls.test').chat.completions.create(ASK))).status, 404);
		assert.equal((await refusal(client('plain.test').chat.completions.create(ASK))).status, 503);
		assert.equal((await a.requests()).length, 2);
		assert.equal((await b.requests()).length, 0);
	});

	// A reset of a connection that was idle says nothing: it is asked once more, whatever policies say.
	for (const fault of ['reset*2', 'cut', 'error-event', 'json-error', 'html', 'comments+cut', 'json-as-sse'])
		await each(`a stream that is ${fault} before data goes to the fallback`, async () => {
			await plan(a, fault);
			assert.match(await collect(await client('falls.test').chat.completions.create({ ...ASK, stream: true })), /mock/);
			assert.equal((await b.requests()).length, 1);
		});

	await each('a stream that is cut after data ends with one error, and nobody is asked again', async () => {
		await plan(a, 'cut-3');
		const got = await request(serve.port, { headers: { host: 'falls.test' }, body: { ...ASK, stream: true } });
		assert.equal(got.status, 200);
		assert.equal(got.body.toString().match(/"error"/g).length, 1);
		assert.doesNotMatch(got.body.toString(), /\[DONE\]/);
		await plan(a, 'cut-3');
		await assert.rejects(collect(await client('falls.test').chat.completions.create({ ...ASK, stream: true })));
		assert.equal((await b.requests()).length, 0);
	});

	await each('no byte in time (G126): the fallback answers', async () => {
		await plan(a, 'silent');
		assert.match(await collect(await client('slow.test').chat.completions.create({ ...ASK, stream: true })), /mock/);
		assert.equal((await b.requests()).length, 1);
		await until('the silent one is left', async () => (await a.requests())[0].ended === 'client-gone');
	});

	await each('Anthropic: overloaded falls back, in a stream and out of it; what both refuse stays in its words', async () => {
		const ai = anthropic(serve.port, { host: 'claude.test' });
		const ask = { model: 'claude-x', max_tokens: 9, messages: ASK.messages };
		await plan(a, 'status-529*2');
		assert.equal((await ai.messages.create(ask)).model, 'claude-other');
		let events = 0;
		for await (const _ of await ai.messages.create({ ...ask, stream: true })) events++;
		assert.ok(events > 3);
		assert.equal((await b.requests()).length, 2);
		await plan(a, 'context');
		const error = await refusal(ai.messages.create(ask));
		assert.equal(error.status, 400);
		assert.match(error.message, /prompt is too long/);
	});

	await each('the access log counts attempts', async () => {
		await plan(a, 'status-503');
		await request(serve.port, { headers: { host: 'falls.test' }, body: ASK });
		await until('a line with two attempts', () =>
			serve.stdout().split('\n').filter((l) => l.includes('"route":"ai-route-falls.internal"')).at(-1)?.includes('"attempts":2'));
	});
});
