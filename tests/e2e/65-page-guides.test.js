// The guides say what works: every curl line of theirs is run against a gateway as the page would set it up.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { localProvider, startConsole } from './lib/console.js';
import { completion, json, startUpstream } from './lib/http.js';
import { ROOT, run } from './lib/sluice.js';

const GUIDES = path.join(ROOT, 'docs/guides');
const KEY = 'guide-key-000001';

test('the guides: what they tell to run is answered', async (t) => {
	const upstream = await startUpstream(t, (req, res) => {
		const answers = { '/v1/messages': { type: 'message', content: [{ type: 'text', text: 'ok' }], usage: { input_tokens: 1, output_tokens: 1 } }, '/v1/responses': { object: 'response', output: [], usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 } } };
		json(res, 200, answers[req.url] ?? completion('ok'));
	});
	const c = await startConsole(t);
	await c.init();
	await c.raw('POST /v1/ai/providers', { ...localProvider(upstream), name: 'main' });
	await c.raw('POST /v1/ai/providers', { name: 'claude', type: 'ollama', tokens: [], rawConfigs: { ollamaServerHost: '127.0.0.1', ollamaServerPort: upstream.port } });
	await c.raw('POST /v1/consumers', { name: 'me', credentials: [{ type: 'key-auth', source: 'BEARER', values: [KEY] }] });
	const route = (name, provider, modelPredicates) => c.raw('POST /v1/ai/routes', { name, domains: [], pathPredicate: { matchType: 'PRE', matchValue: '/', caseSensitive: false }, upstreams: [{ provider, weight: 100, modelMapping: {} }], modelPredicates, authConfig: { enabled: true, allowedCredentialTypes: ['key-auth'], allowedConsumers: ['me'] } });
	await route('default-ai-route', 'main', null);
	await route('claude-ai-route', 'claude', [{ matchType: 'PRE', matchValue: 'claude', caseSensitive: false }]);

	let tried = 0;
	for (const file of fs.readdirSync(GUIDES).sort()) {
		const text = fs.readFileSync(path.join(GUIDES, file), 'utf8');
		for (const [, block] of text.matchAll(/```sh\n(curl [\s\S]*?)```/g)) {
			const got = await run(['-c', `${block.trim()} -sS -o /dev/null -w '%{http_code}'`], { program: 'sh', env: { SLUICE_URL: c.serve.url, SLUICE_KEY: KEY } });
			assert.equal(got.stdout, '200', `${file}: ${block}${got.stderr}`);
			tried++;
		}
		for (const [, link] of text.matchAll(/\]\((?!http)([^)#]+)/g)) assert.ok(fs.existsSync(path.join(GUIDES, link)), `${file} links to ${link}`);
	}
	assert.equal(tried, 4, 'each guide has a line to try');
	assert.deepEqual(upstream.requests.map((r) => r.url).sort(), ['/v1/chat/completions', '/v1/chat/completions', '/v1/messages', '/v1/responses']);
});
