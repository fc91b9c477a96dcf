// What each type of provider gets: path, host, credential, model; and the golden cases G0xx of the data plane.
import assert from 'node:assert/strict';
import test from 'node:test';
import { createGzip } from 'node:zlib';
import { writeWorld } from './lib/resources.js';
import { completion, json, request, startUpstream } from './lib/http.js';
import { startServe, tempDir } from './lib/sluice.js';

const KEY = 'the-clients-key';
const CHAT = '/v1/chat/completions';
const PLAIN = { openaiCustomUrl: undefined }; // api.openai.com itself
const OLLAMA = { ollamaServerHost: 'ollama.test', ollamaServerPort: 11434 };
const CODE_PLAN = { zhipuCodePlanMode: true, zhipuDomain: 'api.z.ai' };

// id, type, further members, host, paths: what the upstream gets for what the client asked; null is 404.
const TYPES = [
	['openai', 'openai', { extra: PLAIN }, 'api.openai.com', { [CHAT]: CHAT, '/v1/embeddings': '/v1/embeddings' }],
	['qwen', 'qwen', {}, 'dashscope.aliyuncs.com', { [CHAT]: `/compatible-mode${CHAT}`, '/v1/embeddings': '/compatible-mode/v1/embeddings' }],
	['deepseek', 'deepseek', {}, 'api.deepseek.com', { [CHAT]: CHAT, '/v1/embeddings': null }],
	['moonshot', 'moonshot', {}, 'api.moonshot.cn', { [CHAT]: CHAT, '/v1/embeddings': null }],
	['minimax', 'minimax', {}, 'api.minimax.chat', { [CHAT]: '/v1/text/chatcompletion_v2', '/v1/embeddings': null }],
	['zhipuai', 'zhipuai', {}, 'open.bigmodel.cn', { [CHAT]: '/api/paas/v4/chat/completions', '/v1/embeddings': '/api/paas/v4/embeddings' }],
	['codeplan', 'zhipuai', { extra: CODE_PLAN }, 'api.z.ai', { [CHAT]: '/api/coding/paas/v4/chat/completions' }],
	['groq', 'groq', {}, 'api.groq.com', { [CHAT]: `/openai${CHAT}`, '/v1/embeddings': null }],
	['ollama', 'ollama', { token: undefined, extra: OLLAMA }, 'ollama.test:11434', { [CHAT]: CHAT, '/v1/embeddings': '/v1/embeddings' }],
	['openrouter', 'openrouter', {}, 'openrouter.ai', { [CHAT]: `/api${CHAT}`, '/v1/embeddings': null }],
	['port', 'openai', { url: 'http://10.0.0.5:8000/v1' }, '10.0.0.5:8000', { [CHAT]: CHAT }],
	['bare', 'openai', { url: 'https://custom.test' }, 'custom.test', { [CHAT]: '/chat/completions' }],
	['direct', 'openai', { url: 'https://custom.test/my/chat/completions' }, 'custom.test', { [CHAT]: '/my/chat/completions', '/v1/embeddings': '/my/embeddings' }],
];

async function gateway(t, handler) {
	const upstream = await startUpstream(t, handler);
	const data = writeWorld(tempDir(t), {
		providers: TYPES.map(([id, type, more]) => ({
			id,
			type,
			address: upstream.address,
			token: `sk-${id}`,
			mapping: id === 'openai' ? undefined : { asked: 'exact', 'as*': 'prefix' },
			...more,
		})),
		consumers: [{ name: 'labubu', key: KEY }],
		routes: TYPES.map(([id]) => ({ name: id, path: `/${id}`, to: id, allow: ['labubu'] })),
	});
	const serve = await startServe(t, { data });
	const ask = (path, body, headers = {}) =>
		request(serve.port, { path, body, headers: { authorization: `Bearer ${KEY}`, 'x-api-key': 'another', ...headers } });
	return { upstream, ask };
}

test('each type: path, host, its own credential and only that, model by exact name and prefix', async (t) => {
	const { upstream, ask } = await gateway(t);
	for (const [id, , more, host, paths] of TYPES)
		for (const [asked, path] of Object.entries(paths)) {
			const what = `${id} ${asked}`;
			const before = upstream.requests.length;
			const got = await ask(`/${id}${asked}?x=1`, { model: 'asked', messages: [] });
			if (path === null) {
				assert.equal(got.status, 404, what);
				assert.equal(got.headers['x-sluice-reason'], 'api.unsupported', what);
				assert.equal(upstream.requests.length, before, what);
				continue;
			}
			assert.equal(got.status, 200, `${what}: ${got.text}`);
			const seen = upstream.requests.at(-1);
			assert.equal(seen.url, `${path}?x=1`, what);
			assert.equal(seen.headers.host, host, what);
			assert.equal(seen.headers.authorization, 'token' in more ? undefined : `Bearer sk-${id}`, what);
			assert.equal(seen.headers['x-api-key'], undefined, what);
			if (id === 'openai') continue;
			assert.equal(JSON.parse(seen.body).model, 'exact', what);
			await ask(`/${id}${asked}`, { model: 'assume', messages: [] });
			assert.equal(JSON.parse(upstream.requests.at(-1).body).model, 'prefix', what);
		}
});

test('G032: a body without model is not given one', async (t) => {
	const { upstream, ask } = await gateway(t);
	await ask(`/openai${CHAT}`, '{ "messages": [] }');
	assert.equal(upstream.requests[0].body.toString(), '{ "messages": [] }');
});

test('G042: of a body for deepseek only the role and the mapped model change', async (t) => {
	const { upstream, ask } = await gateway(t);
	const body = (model, role) =>
		`{"temperature": 0, "parallel_tool_calls": false, "foo": 1, "messages": [{"role": "${role}", "content": "x"}], "model": "${model}"}`;
	await ask(`/deepseek${CHAT}`, body('asked', 'developer'));
	assert.equal(upstream.requests[0].body.toString(), body('exact', 'system'));
});

test('G148: a path with a bad escape is refused, and nothing goes up', async (t) => {
	const { upstream, ask } = await gateway(t);
	const got = await ask(`/openai${CHAT}%zz`, { model: 'm', messages: [] });
	assert.equal(got.status, 400);
	assert.equal(got.headers['x-sluice-reason'], 'request.malformed');
	assert.equal(upstream.requests.length, 0);
});

test('G153, G154: 201 is an answer like 200, and JSON for a stream request stays JSON', async (t) => {
	const answer = completion('ok');
	const { ask } = await gateway(t, (req, res) => json(res, 201, answer));
	for (const stream of [false, true]) {
		const got = await ask(`/openai${CHAT}`, { model: 'm', messages: [], stream });
		assert.equal(got.status, 201);
		assert.match(got.headers['content-type'], /application\/json/);
		assert.deepEqual(got.json, answer);
	}
});

// A vendor that compresses whatever it is asked for; Node's zlib flushes behind each event.
test('a stream and an answer that come as gzip reach the client plain, event by event', async (t) => {
	const events = ['{"choices":[{"delta":{"content":"a"}}]}', '{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}', '[DONE]'];
	const { ask } = await gateway(t, (req, res, body) => {
		const stream = body.toString().includes('"stream":true');
		res.writeHead(200, { 'content-type': stream ? 'text/event-stream' : 'application/json', 'content-encoding': 'gzip' });
		const packed = createGzip();
		packed.pipe(res);
		if (!stream) return packed.end(JSON.stringify(completion('ok')));
		for (const e of events) {
			packed.write(`data: ${e}\n\n`);
			packed.flush();
		}
		return packed.end();
	});
	const whole = await ask(`/openai${CHAT}`, { model: 'm', messages: [] }, { 'accept-encoding': 'gzip' });
	assert.equal(whole.headers['content-encoding'], undefined);
	assert.deepEqual(whole.json, completion('ok'));
	const stream = await ask(`/openai${CHAT}`, { model: 'm', messages: [], stream: true });
	assert.equal(stream.headers['content-encoding'], undefined);
	assert.equal(stream.text, `data: ${events[0]}\n\ndata: ${events[2]}\n\n`);
});

// data-plane.md 8.7, with a server of files that knows ETag.
test('the file of a context stands in front of chats, and a server of files that is gone stops nobody', async (t) => {
	const text = 'Be brief.\n"Quoted" \u{1f600}\n';
	const files = await startUpstream(t, (req, res) => {
		res.writeHead(200, { 'content-type': 'text/plain', etag: '"1"' });
		res.end(text);
	});
	const upstream = await startUpstream(t);
	const context = (service, path) => ({
		context: { fileUrl: `http://files.test${path}`, serviceName: `llm-${service}.internal.static`, servicePort: 80 },
	});
	const data = writeWorld(tempDir(t), {
		providers: [
			{ id: 'files', address: files.address, token: 'sk-files' },
			{ id: 'nobody', address: '127.0.0.1:1', token: 'sk-nobody' },
			{ id: 'with', address: upstream.address, token: 'sk-with', extra: context('files', '/a.txt?v=1') },
			{ id: 'without', address: upstream.address, token: 'sk-without', extra: context('nobody', '/b.txt') },
		],
		routes: ['with', 'without'].map((id) => ({ name: id, path: `/${id}`, to: id })),
	});
	const serve = await startServe(t, { data });
	const messages = [{ role: 'system', content: 's' }, { role: 'user', content: 'u' }];
	const ask = (id) => request(serve.port, { path: `/${id}${CHAT}`, body: { model: 'm', messages } });
	const sent = () => JSON.parse(upstream.requests.at(-1).body).messages;

	for (let i = 0; i < 20; i++) {
		assert.equal((await ask('with')).status, 200);
		assert.deepEqual(sent(), [messages[0], { role: 'system', content: text }, messages[1]]);
	}
	assert.deepEqual(files.requests.map((r) => [r.method, r.url, r.headers.host]), [['GET', '/a.txt?v=1', 'files.test']]);
	assert.equal(files.requests[0].headers.authorization, undefined);
	assert.equal((await ask('without')).status, 200);
	assert.deepEqual(sent(), messages);
});
