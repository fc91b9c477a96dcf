// Two providers behind one domain (higress-resources.md §4.3, without its fallback): the model chooses the
// route, the weight the provider, and each provider gets names that it knows.
import assert from 'node:assert/strict';
import test from 'node:test';
import { copyExample, writeWorld } from './lib/resources.js';
import { request } from './lib/http.js';
import { refusal, sdk } from './lib/sdk.js';
import { startMock, startServe, tempDir, until } from './lib/sluice.js';

const ASK = { messages: [{ role: 'user', content: 'Hello' }] };

async function twoProviders(t) {
	const qwen = await startMock(t);
	const deepseek = await startMock(t);
	const data = copyExample(tempDir(t), 'two-providers', (text, file) => {
		if (file === 'mcpbridges/default.yaml')
			return text
				.replace('dashscope.aliyuncs.com', qwen.address)
				.replace('api.deepseek.com', deepseek.address)
				.replaceAll('port: 443', 'port: 80')
				.replaceAll('protocol: https', 'protocol: http')
				.replaceAll('type: dns', 'type: static');
		return text.replaceAll('.internal.dns:443', '.internal.static:80').replaceAll('.internal.dns', '.internal.static');
	});
	return { qwen, deepseek, serve: await startServe(t, { data }) };
}

const client = (serve) => sdk(serve.port, { host: 'ai.example.com', key: 'unused', defaultHeaders: { 'x-api-key': 'alice-key-1' } });

test('one model, two providers: both are asked, each by its own name and credential', async (t) => {
	const { qwen, deepseek, serve } = await twoProviders(t);
	const ai = client(serve);
	// At 30 % none of 80 would miss a provider once in 10^12.
	for (let i = 0; i < 80; i++) await ai.chat.completions.create({ ...ASK, model: 'deepseek-chat' });
	const toQwen = await qwen.requests();
	const toDeepseek = await deepseek.requests();
	assert.equal(toQwen.length + toDeepseek.length, 80);
	assert.ok(toQwen.length > 0 && toDeepseek.length > 0, `${toQwen.length} and ${toDeepseek.length}`);
	for (const r of toQwen) assert.equal(r.path, '/compatible-mode/v1/chat/completions');
	for (const r of toDeepseek) assert.equal(r.path, '/v1/chat/completions');
	await until('80 access lines', () => serve.stdout().split('\n').length > 80);
	const log = serve.stdout();
	assert.match(log, /"provider":"qwen"[^\n]*"upstream_model":"qwen-plus"|"upstream_model":"qwen-plus"[^\n]*"provider":"qwen"/);
	assert.doesNotMatch(log, /"upstream_model":"deepseek-chat"[^\n]*"provider":"qwen"/);
	for (const text of [JSON.stringify(toQwen), JSON.stringify(toDeepseek), log]) assert.ok(!text.includes('alice-key-1'));
});

test('models of the route are streamed; others are model_not_found, which the SDK shows', async (t) => {
	const { qwen, deepseek, serve } = await twoProviders(t);
	const ai = client(serve);
	let text = '';
	for await (const event of await ai.chat.completions.create({ ...ASK, model: 'qwen-max', stream: true }))
		text += event.choices[0]?.delta?.content ?? '';
	assert.ok(text);
	const before = (await qwen.requests()).length + (await deepseek.requests()).length;
	for (const model of ['gpt-4o', 'deepseek-chat-v2', 'qwen']) {
		const error = await refusal(ai.chat.completions.create({ ...ASK, model }));
		assert.equal(error.status, 404, model);
		assert.equal(error.code, 'model_not_found');
		assert.ok(error.message.includes(model), error.message);
	}
	// What stands in the header is not the model.
	const forged = await request(serve.port, {
		headers: { host: 'ai.example.com', 'x-api-key': 'alice-key-1', 'x-higress-llm-model': 'qwen-max' },
		body: { ...ASK, model: 'gpt-4o' },
	});
	assert.equal(forged.status, 404);
	assert.equal((await qwen.requests()).length + (await deepseek.requests()).length, before);
});

test('a hundred routes of one path that differ in the model only: each takes its own', async (t) => {
	const mock = await startMock(t);
	const provider = { id: 'p', address: mock.address };
	const models = Array.from({ length: 100 }, (_, i) => `model-${i}`);
	const data = writeWorld(tempDir(t), {
		providers: [provider],
		modelRouter: { modelToHeader: 'x-higress-llm-model' },
		routes: models.map((model, i) => ({
			name: `r${i}`,
			to: 'p',
			annotations: { 'higress.io/exact-match-header-x-higress-llm-model': model },
		})),
	});
	const serve = await startServe(t, { data });
	for (const i of [0, 1, 17, 50, 99]) {
		const got = await request(serve.port, { body: { ...ASK, model: `model-${i}` } });
		assert.equal(got.status, 200, got.text);
		await until(`the line of route r${i}`, () => serve.stdout().includes(`"route":"ai-route-r${i}.internal"`));
	}
	assert.equal((await request(serve.port, { body: { ...ASK, model: 'model-100' } })).status, 404);
});
