// The shortest way: examples/quickstart with the built-in mock, by curl and by the SDK; the start
// without any configuration but a key; script/run as a newcomer types it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { copyExample } from './lib/resources.js';
import { json, completion, startUpstream } from './lib/http.js';
import { sdk } from './lib/sdk.js';
import { ROOT, SLUICE, cleanEnv, isSanitized, run, startMock, startServe, tempDir, until } from './lib/sluice.js';

export const QUICKSTART_KEY = 'quickstart-key';
const MOCK_IN_EXAMPLE = /127\.0\.0\.1:9000/g;

async function quickstart(t) {
	const mock = await startMock(t);
	const data = copyExample(tempDir(t), 'quickstart', (text) => text.replace(MOCK_IN_EXAMPLE, mock.address));
	const serve = await startServe(t, { data });
	return { mock, serve };
}

const curl = (...args) => run(['-sS', '-m', '20', ...args], { program: 'curl' });

test('quickstart: curl gets a completion, and a stream when it asks for one', async (t) => {
	const { serve } = await quickstart(t);
	const ask = (body) =>
		curl(`${serve.url}/v1/chat/completions`, '-H', `Authorization: Bearer ${QUICKSTART_KEY}`,
			'-H', 'Content-Type: application/json', '-d', JSON.stringify(body));
	const messages = [{ role: 'user', content: 'Hello' }];

	const whole = await ask({ model: 'mock', messages });
	assert.equal(whole.code, 0, whole.stderr);
	assert.ok(JSON.parse(whole.stdout).choices[0].message.content.length > 0);

	const stream = await ask({ model: 'mock', messages, stream: true });
	assert.equal(stream.code, 0, stream.stderr);
	assert.match(stream.stdout, /^data: \{/);
	assert.match(stream.stdout, /data: \[DONE\]\s*$/);
});

test('quickstart: the SDK completes and streams', async (t) => {
	const { serve, mock } = await quickstart(t);
	const client = sdk(serve.port, { key: QUICKSTART_KEY });
	const ask = { model: 'mock', messages: [{ role: 'user', content: 'Hello' }] };

	const whole = await client.chat.completions.create(ask);
	const text = whole.choices[0].message.content;
	assert.ok(text.length > 0);
	assert.ok(whole.usage.total_tokens > 0);

	let streamed = '';
	for await (const event of await client.chat.completions.create({ ...ask, stream: true }))
		streamed += event.choices[0]?.delta?.content ?? '';
	assert.ok(streamed.length > 0);

	const requests = await mock.requests();
	assert.equal(requests.length, 2);
	assert.ok(!JSON.stringify(requests).includes(QUICKSTART_KEY), 'the client key reached the upstream');
});

test('quickstart: a wrong key is refused', async (t) => {
	const { serve } = await quickstart(t);
	const got = await curl('-o', '/dev/null', '-w', '%{http_code}', `${serve.url}/v1/chat/completions`,
		'-H', 'Authorization: Bearer wrong', '-H', 'Content-Type: application/json', '-d', '{"model":"mock","messages":[]}');
	assert.equal(got.stdout, '401');
});

test('a key in the environment and no resources: a working endpoint at once', async (t) => {
	const data = tempDir(t);
	const serve = await startServe(t, { data, env: { DEEPSEEK_API_KEY: 'sk-from-environment' } });
	const said = await until('what was set up', () => /Bearer (\S+?)['"\s]/.exec(serve.stderr() + serve.stdout()));
	const key = said[1];
	assert.match(serve.stderr() + serve.stdout(), /curl /);
	assert.ok(!(serve.stderr() + serve.stdout()).includes('sk-from-environment'), 'the secret was printed');

	// The resources are there, private, and name the provider; its address is swapped for one of ours.
	const upstream = await startUpstream(t, (req, res, body) =>
		json(res, 200, completion('from the provider', JSON.parse(body).model)));
	const proxy = path.join(data, 'resources/wasmplugins/ai-proxy.internal.yaml');
	assert.match(fs.readFileSync(proxy, 'utf8'), /type: deepseek/);
	assert.equal(fs.statSync(proxy).mode & 0o077, 0, 'others may read the file with the secret');
	const bridge = path.join(data, 'resources/mcpbridges/default.yaml');
	fs.writeFileSync(bridge, fs.readFileSync(bridge, 'utf8')
		.replace('api.deepseek.com', 'localhost').replace(/port: 443/, `port: ${upstream.port}`).replace(/protocol: https/, 'protocol: http'));
	for (const name of fs.readdirSync(path.join(data, 'resources/ingresses'))) {
		const ingress = path.join(data, 'resources/ingresses', name);
		fs.writeFileSync(ingress, fs.readFileSync(ingress, 'utf8').replace(/\.dns:443/g, `.dns:${upstream.port}`));
	}
	serve.kill('SIGHUP');
	const client = sdk(serve.port, { key });
	const got = await until('the reload', () =>
		client.chat.completions.create({ model: 'deepseek-chat', messages: [{ role: 'user', content: 'hi' }] }).catch(() => null));
	assert.equal(got.choices[0].message.content, 'from the provider');
	const arrived = upstream.requests.at(-1);
	assert.equal(arrived.headers.authorization, 'Bearer sk-from-environment');
	assert.equal(arrived.url, '/v1/chat/completions');

	// A second start finds resources and writes nothing.
	const before = fs.readFileSync(proxy, 'utf8');
	await serve.stop();
	const again = await startServe(t, { data, env: { DEEPSEEK_API_KEY: 'another' } });
	assert.equal(fs.readFileSync(proxy, 'utf8'), before);
	await again.stop();
});

test('script/run prints a curl line that works, and ends both programs', { skip: isSanitized || SLUICE !== path.join(ROOT, 'build/sluice') }, async (t) => {
	const data = path.join(tempDir(t), 'data');
	const probe = net.createServer().listen(0, '127.0.0.1');
	await new Promise((done) => probe.once('listening', done));
	const mockPort = probe.address().port;
	await new Promise((done) => probe.close(done));

	const child = spawn(path.join(ROOT, 'script/run'), ['--data', data, '--gateway', '127.0.0.1:0'], {
		env: cleanEnv({ MOCK_PORT: String(mockPort) }),
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	let output = '';
	child.stdout.on('data', (chunk) => (output += chunk));
	child.stderr.on('data', (chunk) => (output += chunk));
	const exited = new Promise((done) => child.on('close', done));
	t.after(() => child.exitCode ?? child.kill('SIGTERM'));

	const line = (await until('the curl line', () => {
		if (child.exitCode !== null) throw new Error(`script/run ended:\n${output}`);
		return /^ *(curl http.*)$/m.exec(output);
	}, 120000))[1];
	for (const [command, expected] of [
		[line, /"choices"/],
		[line.replace('{"model"', '{"stream":true,"model"'), /data: \[DONE\]/],
	]) {
		const got = await run(['-c', command], { program: 'sh' });
		assert.match(got.stdout, expected, `${command}\n${got.stderr}`);
	}
	child.kill('SIGINT');
	await exited;
	await until('the gateway to be gone', async () => {
		const port = /gateway +http:\/\/127\.0\.0\.1:(\d+)/.exec(output)[1];
		return new Promise((done) => {
			const socket = net.connect(Number(port), '127.0.0.1');
			socket.on('connect', () => (socket.destroy(), done(false)));
			socket.on('error', () => done(true));
		});
	});
});
