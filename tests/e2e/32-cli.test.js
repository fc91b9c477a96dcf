// The management API from a shell: what commands make is served, what they say names object and remedy, exit codes
// are those that scripts rely on, secrets stay hidden unless asked for.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { newAuthority } from './lib/tls.js';
import { ROOT, run, SLUICE, startMock, startServe, tempDir, cleanEnv } from './lib/sluice.js';

const PASSWORD = 'c0rrect-horse';
const KEY = 'sk-0123456789abcdef';

// A gateway with nothing in it, and cli(...args) that asks it: { code, stdout, stderr }.
async function start(t, { data = tempDir(t) } = {}) {
	fs.mkdirSync(path.join(data, 'resources'), { recursive: true });
	const serve = await startServe(t, {
		data,
		args: ['--access-log', 'off'],
		env: { HICLAW_ADMIN_USER: 'admin', HICLAW_ADMIN_PASSWORD: PASSWORD },
	});
	const home = tempDir(t);
	const env = { HOME: home, XDG_CONFIG_HOME: '', SLUICE_SERVER: `http://127.0.0.1:${serve.console}`, SLUICE_PASSWORD: PASSWORD };
	const cli = (...args) => run(args, { env });
	// The command succeeds; what it prints.
	cli.good = async (...args) => {
		const got = await cli(...args);
		assert.equal(got.code, 0, `sluice ${args.join(' ')}: ${got.stderr}`);
		assert.equal(got.stderr, '', args.join(' '));
		return got.stdout;
	};
	// It ends with the code, and one sentence that names what it is about.
	cli.bad = async (code, names, ...args) => {
		const got = await cli(...args);
		assert.equal(got.code, code, `sluice ${args.join(' ')}: ${got.stdout}${got.stderr}`);
		assert.match(got.stderr, names, args.join(' '));
		assert.equal(got.stderr.trim().split('\n').length, 1, got.stderr);
		assert.equal(got.stdout, '', args.join(' '));
		return got.stderr;
	};
	return { serve, data, env, home, cli };
}

// A command with something on its standard input.
async function feed(env, input, ...args) {
	const child = spawn(SLUICE, args, { env: cleanEnv(env), stdio: ['pipe', 'pipe', 'pipe'] });
	let stdout = '';
	let stderr = '';
	child.stdout.on('data', (chunk) => (stdout += chunk));
	child.stderr.on('data', (chunk) => (stderr += chunk));
	child.stdin.end(input);
	const [code] = await once(child, 'close');
	return { code, stdout, stderr };
}

const readTree = (dir) => Object.fromEntries(fs.readdirSync(dir, { recursive: true })
	.map((f) => [f, path.join(dir, f)])
	.filter(([, f]) => fs.statSync(f).isFile())
	.map(([name, f]) => [name, fs.readFileSync(f, 'utf8')]));

const chat = (serve, model, key = KEY) => fetch(`${serve.url}/v1/chat/completions`, {
	method: 'POST',
	headers: { 'content-type': 'application/json', ...(key ? { authorization: `Bearer ${key}` } : {}) },
	body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] }),
});

test('from nothing to a served completion by five commands', async (t) => {
	const mock = await startMock(t);
	const { serve, cli } = await start(t);
	assert.equal(await cli.good('providers', 'create', 'one', '--type', 'openai', '--token', 'vendor-key-0001', '--url', `${mock.url}/v1`), 'provider "one" created\n');
	assert.equal(await cli.good('consumers', 'create', 'alice', '--key', KEY), 'consumer "alice" created\n');
	assert.equal(await cli.good('domains', 'create', 'api.example.com'), 'domain "api.example.com" created\n');
	assert.equal(await cli.good('routes', 'create', 'chat', '--provider', 'one', '--model-prefix', 'mock', '--consumer', 'alice', '--map', 'mock-x=mock'), 'AI route "chat" created\n');
	assert.match(await cli.good('providers', 'test', 'one'), /^provider "one" answers, \d+ models: mock/);

	const good = await chat(serve, 'mock-x');
	assert.equal(good.status, 200, await good.text());
	assert.equal((await chat(serve, 'mock-x', 'sk-wrong')).status, 401);
	assert.equal((await chat(serve, 'other')).status, 404);

	assert.equal(await cli.good('routes', 'update', 'chat', '--everybody'), 'AI route "chat" updated\n');
	assert.equal((await chat(serve, 'mock-x', null)).status, 200, 'open now, and the prefix and the mapping are still there');
	assert.match(await cli.good('ai-routes', 'list'), /^NAME +DOMAINS +PATH +MODELS +PROVIDERS +CONSUMERS\nchat +\* +\/ +mock\* +one +everybody\n$/);
	assert.equal(await cli.good('routes', 'delete', 'chat'), 'AI route "chat" deleted\n');
	assert.equal((await chat(serve, 'mock-x')).status, 404);
});

test('providers test tells a good credential from a bad one, without showing it', async (t) => {
	const mock = await startMock(t);
	const { cli } = await start(t);
	await cli.good('providers', 'create', 'one', '--type', 'openai', '--token', 'vendor-key-0001', '--url', `${mock.url}/v1`);
	assert.equal(await cli.good('providers', 'test', 'one', '--model', 'mock'), 'provider "one" answers as model mock\n');
	const asked = await mock.requests();
	assert.ok(asked.at(-1).headers.some(([n, v]) => n.toLowerCase() === 'authorization' && v === 'Bearer vendor-key-0001'));
	const said = await cli.bad(1, /provider "one" answers 401.*credential/, 'providers', 'test', 'one', '--model', 'mock-status-401');
	assert.doesNotMatch(said, /vendor-key-0001/);
	await cli.bad(1, /provider "nope": there is none/, 'providers', 'test', 'nope');
	const closed = net.createServer().listen(0, '127.0.0.1');
	await once(closed, 'listening');
	const { port } = closed.address();
	closed.close();
	await cli.good('providers', 'update', 'one', '--url', `http://127.0.0.1:${port}/v1`);
	await cli.bad(1, /provider "one": 127\.0\.0\.1:\d+ does not answer/, 'providers', 'test', 'one');
});

test('secrets are masked in every form until somebody asks for them', async (t) => {
	const { cli } = await start(t);
	await cli.good('consumers', 'create', 'alice', '--key', KEY);
	await cli.good('providers', 'create', 'one', '--type', 'openai', '--token', 'vendor-key-0001');
	for (const form of [[], ['--json'], ['--yaml']]) {
		for (const what of [['consumers', 'list'], ['consumers', 'get', 'alice'], ['providers', 'list'], ['providers', 'get', 'one']]) {
			const hidden = await cli.good(...what, ...form);
			assert.doesNotMatch(hidden, /sk-0123456789abcdef|vendor-key-0001/, what.join(' '));
			assert.match(hidden, /sk-\*{6}def|ven\*{6}001/);
			assert.match(await cli.good(...what, ...form, '--show-secrets'), /sk-0123456789abcdef|vendor-key-0001/);
		}
	}
	assert.deepEqual(JSON.parse(await cli.good('consumers', 'list', '--json')).map((c) => c.name), ['alice']);
	// What was shown masked may come back: the key stays.
	const file = path.join(tempDir(t), 'alice.yaml');
	fs.writeFileSync(file, await cli.good('consumers', 'get', 'alice', '--yaml'));
	await cli.good('consumers', 'update', '-f', file);
	assert.match(await cli.good('consumers', 'list', '--show-secrets'), new RegExp(KEY));
});

test('a consumer without a key gets one, which is shown once and works', async (t) => {
	const { cli } = await start(t);
	const made = await cli.good('consumers', 'create', 'bob');
	const key = /^key: (sk-[0-9a-f]{32})$/m.exec(made)[1];
	assert.match(await cli.good('consumers', 'get', 'bob', '--show-secrets'), new RegExp(key));
	assert.doesNotMatch(await cli.good('consumers', 'update', 'bob', '--header', 'x-key'), /sk-/);
	assert.match(await cli.good('consumers', 'get', 'bob', '--show-secrets'), new RegExp(`HEADER x-key +${key}`), 'the key stays when its place changes');
});

test('objects come from files and standard input, as YAML and as JSON', async (t) => {
	const { cli, env } = await start(t);
	const dir = tempDir(t);
	fs.writeFileSync(path.join(dir, 'd.yaml'), 'name: a.example.com\nenableHttps: "off"\n');
	assert.equal(await cli.good('domains', 'create', '-f', path.join(dir, 'd.yaml')), 'domain "a.example.com" created\n');
	const fed = await feed(env, '{"enableHttps":"on"}', 'domains', 'create', 'b.example.com', '-f', '-');
	assert.equal(fed.code, 0, fed.stderr);
	assert.equal(await cli.good('domains', 'list'), 'NAME           HTTPS  CERTIFICATE\na.example.com  off\nb.example.com  on\n');
	await cli.bad(2, /another one/, 'domains', 'create', 'c.example.com', '-f', path.join(dir, 'd.yaml'));
	await cli.bad(2, /-f brings the whole object/, 'domains', 'create', '-f', path.join(dir, 'd.yaml'), '--https', 'on');
	fs.writeFileSync(path.join(dir, 'bad.yaml'), 'name: [\n');
	await cli.bad(2, /bad\.yaml/, 'domains', 'create', '-f', path.join(dir, 'bad.yaml'));
});

// Exit code, what the sentence must name, the command.
const REFUSED = [
	[1, /consumer "alice" is there already.*update/, ['consumers', 'create', 'alice', '--key', 'another-key-01']],
	[1, /consumer "nobody"/, ['consumers', 'get', 'nobody']],
	[1, /consumer "nobody"/, ['consumers', 'update', 'nobody', '--key', 'another-key-01']],
	[1, /consumer "nobody"/, ['consumers', 'delete', 'nobody']],
	[1, /consumer "eve"/, ['consumers', 'create', 'eve', '--key', KEY]],
	[1, /AI route "r".*missing/s, ['routes', 'create', 'r', '--provider', 'missing']],
	[2, /did you mean create\?/, ['consumers', 'craete', 'x']],
	[2, /list, get, create, update or delete/, ['consumers']],
	[2, /test/, ['consumers', 'test', 'x']],
	[2, /did you mean --key\?/, ['consumers', 'create', 'x', '--kye', 'k']],
	[2, /--key needs a value/, ['consumers', 'create', 'x', '--key']],
	[2, /--json takes no value/, ['consumers', 'list', '--json=yes']],
	[2, /NAME is missing/, ['consumers', 'create']],
	[2, /one NAME/, ['consumers', 'get', 'a', 'b']],
	[2, /takes no NAME/, ['consumers', 'list', 'a']],
	[2, /--type/, ['providers', 'create', 'p']],
	[2, /NOT_SET_AT_ALL/, ['providers', 'create', 'p', '--type', 'openai', '--token-env', 'NOT_SET_AT_ALL']],
	[2, /-f PATH is missing/, ['apply']],
	[2, /nothing-here/, ['apply', '-f', 'nothing-here']],
	[2, /one ID is needed/, ['backup', 'restore']],
	[1, /no such backup/, ['backup', 'restore', '20201121T150405Z-0f423f']],
	[1, /is named as|segment/, ['backup', 'restore', '../../x']],
	[2, /did you mean restore\?/, ['backup', 'restor', 'x']],
	[2, /did you mean consumers\?/, ['consumer', 'list']],
	[2, /completion bash/, ['completion', 'fish']],
];
test('what is refused is said in one sentence, with the exit code that scripts read', async (t) => {
	const { cli } = await start(t);
	await cli.good('consumers', 'create', 'alice', '--key', KEY);
	for (const [code, names, args] of REFUSED) await cli.bad(code, names, ...args);
});

test('a server that is not there, or is another one, ends with 3; a wrong password with 1', async (t) => {
	const { cli, env } = await start(t);
	const other = net.createServer((s) => s.on('error', () => {}).end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello')).listen(0, '127.0.0.1');
	t.after(() => other.close());
	await once(other, 'listening');
	await cli.bad(3, /could not be reached/, 'domains', 'list', '--server', 'http://127.0.0.1:1');
	await cli.bad(3, /could not be resolved/, 'domains', 'list', '--server', 'http://nowhere.invalid');
	await cli.bad(3, /not as the management API does/, 'domains', 'list', '--server', `http://127.0.0.1:${other.address().port}`);
	await cli.bad(2, /no URL/, 'domains', 'list', '--server', 'localhost:8001');
	const wrong = await run(['domains', 'list'], { env: { ...env, SLUICE_PASSWORD: 'wrong' } });
	assert.equal(wrong.code, 1);
	assert.match(wrong.stderr, /password of "admin"/);
	const none = await run(['domains', 'list'], { env: { ...env, SLUICE_PASSWORD: '' } });
	assert.equal(none.code, 2);
	assert.match(none.stderr, /SLUICE_PASSWORD/);
});

test('server and password may stand in a file that nobody else can read', async (t) => {
	const { env, home } = await start(t);
	const file = path.join(home, '.config/sluice/config.yaml');
	fs.mkdirSync(path.dirname(file), { recursive: true });
	fs.writeFileSync(file, `server: ${env.SLUICE_SERVER}\npassword: ${PASSWORD}\n`, { mode: 0o600 });
	const ask = () => run(['domains', 'list'], { env: { HOME: home, XDG_CONFIG_HOME: '' } });
	assert.equal((await ask()).code, 0);
	fs.chmodSync(file, 0o640);
	const open = await ask();
	assert.equal(open.code, 2);
	assert.match(open.stderr, /others can read it: chmod 600/);
	assert.doesNotMatch(open.stderr, new RegExp(PASSWORD));
	fs.chmodSync(file, 0o600);
	fs.writeFileSync(file, `sever: ${env.SLUICE_SERVER}\n`);
	assert.match((await ask()).stderr, /sever.*did you mean server/);
});

test('export, diff and apply: the same files are no change, another file is one change', async (t) => {
	const mock = await startMock(t);
	const { serve, cli, data } = await start(t);
	await cli.good('providers', 'create', 'one', '--type', 'openai', '--token', 'vendor-key-0001', '--url', `${mock.url}/v1`);
	await cli.good('routes', 'create', 'chat', '--provider', 'one', '--model', 'mock');
	const dir = path.join(tempDir(t), 'out');
	assert.match(await cli.good('export', '-o', dir), /^\d+ resources written/);
	assert.deepEqual(readTree(dir), readTree(path.join(data, 'resources')), 'to the byte what the store holds');
	for (const f of Object.keys(readTree(dir))) assert.equal(fs.statSync(path.join(dir, f)).mode & 0o777, 0o600, f);
	assert.equal(await cli.good('diff', '-f', dir), '');
	assert.match(await cli.good('apply', '-f', dir), /^0 created, 0 changed, 0 removed, \d+ unchanged\n$/);
	const lint = await run(['lint', dir]);
	assert.equal(lint.code, 0, lint.stdout);

	const plugin = path.join(dir, 'wasmplugins/ai-proxy.internal.yaml');
	const text = fs.readFileSync(plugin, 'utf8');
	fs.writeFileSync(plugin, text.replace('vendor-key-0001', 'vendor-kez-0001'));
	const shown = await cli('diff', '-f', dir);
	assert.equal(shown.code, 1);
	assert.doesNotMatch(shown.stdout, /vendor-ke[yz]-0001/);
	assert.match(shown.stdout, /^--- gateway\/wasmplugins\/ai-proxy\.internal\.yaml\n\+\+\+ files\/.*^- +- ven\*{6}001 \([0-9a-f]{8}\)\n\+ +- ven\*{6}001/ms);
	assert.match((await cli('diff', '-f', dir, '--show-secrets')).stdout, /^\+ .*vendor-kez-0001/m);
	assert.match(await cli.good('apply', '-f', dir, '--dry-run'), /^WasmPlugin\/ai-proxy\.internal changed\n0 created, 1 changed.*nothing was done/);
	assert.match(await cli.good('apply', '-f', dir), /^WasmPlugin\/ai-proxy\.internal changed\n0 created, 1 changed, 0 removed/);
	assert.equal((await chat(serve, 'mock', null)).status, 200);
	const asked = (await mock.requests()).at(-1);
	assert.ok(asked.headers.some(([n, v]) => n.toLowerCase() === 'authorization' && v === 'Bearer vendor-kez-0001'), 'live when it is answered');

	// A route less in the files: it stays, until somebody says --prune.
	fs.rmSync(path.join(dir, 'ingresses'), { recursive: true });
	assert.equal(await cli.good('diff', '-f', dir), '');
	const pruned = await cli('diff', '-f', dir, '--prune');
	assert.equal(pruned.code, 1);
	assert.match(pruned.stdout, /^\+\+\+ \/dev\/null$/m);
	assert.match(await cli.good('apply', '-f', dir, '--prune'), /^Ingress\/ai-route-chat\.internal removed\n0 created, 0 changed, 1 removed/);
	assert.equal((await chat(serve, 'mock', null)).status, 404);
});

test('a bundle goes from one gateway to another through a pipe', async (t) => {
	const one = await start(t);
	const other = await start(t);
	await one.cli.good('consumers', 'create', 'alice', '--key', KEY);
	await one.cli.good('domains', 'create', 'a.example.com');
	const bundle = await one.cli.good('export');
	const got = await feed(other.env, bundle, 'apply', '-f', '-');
	assert.equal(got.code, 0, got.stderr);
	assert.match(got.stdout, /2 created, 0 changed/);
	assert.match(await other.cli.good('consumers', 'list', '--show-secrets'), new RegExp(KEY));
	assert.equal((await feed(other.env, bundle, 'diff', '-f', '-')).stdout, '');
});

// Consumers as the file store writes them, 170 bytes each.
function manyConsumers(n) {
	const head = ['apiVersion: extensions.higress.io/v1alpha1', 'kind: WasmPlugin', 'metadata:', '  labels:', '    higress.io/wasm-plugin-name: key-auth', '  name: key-auth.internal', 'spec:', '  defaultConfig:', '    consumers:'];
	const each = (i) => `    - credentials:\n      - Bearer sk-0123456789abcdef0123456789abcdef-${i}\n      in_header: true\n      in_query: false\n      keys:\n      - Authorization\n      name: consumer-${i}`;
	return [...head, ...Array.from({ length: n }, (_, i) => each(i)), '    global_auth: false', '  defaultConfigDisable: false', ''].join('\n');
}

test('a file of 100,000 consumers is applied as one change; more than a gateway takes is said so', async (t) => {
	const { serve, cli } = await start(t);
	const dir = path.join(tempDir(t), 'wasmplugins');
	fs.mkdirSync(dir);
	const text = manyConsumers(100000);
	assert.ok(text.length > 16 << 20, `${text.length}`);
	fs.writeFileSync(path.join(dir, 'key-auth.internal.yaml'), text);
	assert.match(await cli.good('apply', '-f', path.dirname(dir)), /^WasmPlugin\/key-auth\.internal created\n1 created/);
	assert.equal(await cli.good('diff', '-f', path.dirname(dir)), '');
	assert.equal((await chat(serve, 'mock', 'sk-0123456789abcdef0123456789abcdef-99999')).status, 404, 'no route, but it is served');
	const answered = await new Promise((resolve, reject) => {
		const req = http.request({ port: serve.console, method: 'PUT', path: '/v1/resources', headers: { authorization: `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}`, 'content-length': 97 << 20 } });
		req.on('response', (res) => { res.resume(); resolve(res.statusCode); req.destroy(); }).on('error', reject);
		req.flushHeaders();
	});
	assert.equal(answered, 413);
});

// The console behind somebody who speaks TLS for it.
async function startTls(t, serve, { key, cert }) {
	const server = https.createServer({ key, cert }, (req, res) => {
		const up = http.request({ port: serve.console, method: req.method, path: req.url, headers: req.headers }, (from) => {
			res.writeHead(from.statusCode, from.headers);
			from.pipe(res);
		});
		req.pipe(up);
	});
	t.after(() => { server.close(); server.closeAllConnections(); });
	await once(server.listen(0, '127.0.0.1'), 'listening');
	return server.address().port;
}

test('a server behind TLS: its certificate must be of an authority that is trusted, and of its name', async (t) => {
	const { serve, env } = await start(t);
	const authority = await newAuthority(t);
	const stranger = await newAuthority(t);
	const good = await startTls(t, serve, await authority.issue(['DNS:localhost', 'IP:127.0.0.1']));
	const otherName = await startTls(t, serve, await authority.issue(['DNS:gateway.example.com']));
	const ask = (url, more = {}) => run(['consumers', 'list'], { env: { ...env, SLUICE_SERVER: url, SSL_CERT_FILE: authority.file, ...more } });
	for (const host of ['localhost', '127.0.0.1']) {
		const got = await ask(`https://${host}:${good}`);
		assert.deepEqual([got.code, got.stderr], [0, ''], host);
	}
	// Nothing goes to a server that could be anybody: exit 3, and why.
	for (const [why, url, more] of [
		['another name', `https://localhost:${otherName}`],
		['another address', `https://127.0.0.1:${otherName}`],
		['an authority that nobody trusts', `https://localhost:${good}`, { SSL_CERT_FILE: stranger.file }],
		['no TLS there', `https://127.0.0.1:${serve.console}`],
	]) {
		const got = await ask(url, more);
		assert.equal(got.code, 3, `${why}: ${got.stdout}${got.stderr}`);
		assert.equal(got.stderr.trim().split('\n').length, 1, got.stderr);
		assert.match(got.stderr, /could not be reached/, why);
		if (/name|address|authority/.test(why)) assert.match(got.stderr, /certificate/i, why);
	}
	const plain = await ask(`http://127.0.0.1:${good}`);
	assert.equal(plain.code, 3, plain.stderr);
});

test('apply changes all or nothing', async (t) => {
	const { cli, data } = await start(t);
	await cli.good('consumers', 'create', 'alice', '--key', KEY);
	const before = readTree(path.join(data, 'resources'));
	const dir = tempDir(t);
	const head = (kind, name, api = 'v1') => ({ apiVersion: api, kind, metadata: { name, namespace: 'higress-system' } });
	const bundle = (...objects) => objects.map((o) => JSON.stringify(o)).join('\n---\n');
	const good = { ...head('ConfigMap', 'domain-x.example.com'), data: { domain: 'x.example.com', enableHttps: 'off' } };
	const rows = [
		[1, /mend them/, bundle(good, { ...head('Ingress', 'broken', 'networking.k8s.io/v1'), spec: 7 }), 'a file that cannot be read'],
		[1, /higress-system/, bundle(good, { ...good, metadata: { name: 'y', namespace: 'elsewhere' } }), 'a namespace that is not ours'],
		[1, /could not be served/, bundle(good, {
			...head('WasmPlugin', 'ai-proxy.internal', 'extensions.higress.io/v1alpha1'),
			metadata: { name: 'ai-proxy.internal', labels: { 'higress.io/wasm-plugin-name': 'ai-proxy' } },
			spec: { defaultConfig: { providers: [{ id: 'p', type: 'no-such-vendor' }] } },
		}), 'an object that is well written and cannot be served'],
	];
	for (const [code, names, text, reason] of rows) {
		fs.writeFileSync(path.join(dir, 'b.yaml'), text);
		const got = await cli('apply', '-f', path.join(dir, 'b.yaml'));
		assert.equal(got.code, code, `${reason}: ${got.stdout}${got.stderr}`);
		assert.match(got.stderr, names, reason);
		assert.deepEqual(readTree(path.join(data, 'resources')), before, reason);
	}
});

test('backups: one before every change, and one that a person makes; going back is a change', async (t) => {
	const { cli, data } = await start(t);
	await cli.good('consumers', 'create', 'alice', '--key', KEY);
	const before = readTree(path.join(data, 'resources'));
	const id = /^backup (\S+) created\n$/.exec(await cli.good('backup', 'create', '--reason', 'before bob'))[1];
	await cli.good('consumers', 'create', 'bob', '--key', 'another-key-0002');
	await cli.good('domains', 'create', 'a.example.com');
	assert.match(await cli.good('backup', 'list'), new RegExp(`^ID .*\n.*POST /v1/domains.*\n.*POST /v1/consumers.*\n${id} .*before bob.*\n`));
	const plan = 'removes ConfigMap/domain-a.example.com\n';
	assert.match(await cli.good('backup', 'show', id), new RegExp(plan));
	assert.match(await cli.good('backup', 'restore', id, '--dry-run'), new RegExp(plan));
	assert.match(await cli.good('backup', 'list', '--json'), /"named":true/);
	assert.match(await cli.good('domains', 'list'), /a\.example\.com/, 'nothing was done yet');
	await cli.good('backup', 'restore', id);
	assert.deepEqual(readTree(path.join(data, 'resources')), before);
	assert.doesNotMatch(await cli.good('consumers', 'list'), /bob/);
	const undo = JSON.parse(await cli.good('backup', 'list', '--json'))[0];
	assert.match(undo.what, /restore$/);
	await cli.good('backup', 'restore', undo.id);
	assert.match(await cli.good('consumers', 'list'), /bob/, 'and back again');
	assert.equal(await cli.good('backup', 'delete', id), `backup ${id} deleted\n`);
	assert.doesNotMatch(await cli.good('backup', 'list'), new RegExp(`^${id}`, 'm'));
});

test('the endpoints behind it refuse who is not the administrator, and what is no resource', async (t) => {
	const { serve } = await start(t);
	const base = `http://127.0.0.1:${serve.console}`;
	const authorization = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}`;
	for (const [method, target] of [['GET', '/v1/resources'], ['PUT', '/v1/resources'], ['GET', '/v1/backups'], ['POST', '/v1/backups'], ['POST', '/v1/backups/20201121T150405Z-0f423f/restore']])
		assert.equal((await fetch(base + target, { method })).status, 401, `${method} ${target}`);
	const put = async (body) => {
		const got = await fetch(`${base}/v1/resources`, { method: 'PUT', headers: { authorization }, body: JSON.stringify(body) });
		return { status: got.status, ...(await got.json()) };
	};
	const map = (name, more = {}) => ({ kind: 'ConfigMap', metadata: { name, ...more }, data: {} });
	const rows = [
		[{}, /needs a list/], [{ resources: 7 }, /must be a list/], [{ resources: [7] }, /no object/],
		[{ resources: [{ kind: 'Pod', metadata: { name: 'x' } }] }, /kind "Pod"/],
		[{ resources: [map('../x')] }, /name/], [{ resources: [map('.x')] }, /name/], [{ resources: [map('a/b')] }, /name/],
		[{ resources: [map('x'.repeat(300))] }, /name/], [{ resources: [map('a\nb')] }, /name/], [{ resources: [map('')] }, /name/],
		[{ resources: [map('x', { namespace: 'other' })] }, /namespace/],
		[{ remove: [{ kind: 'ConfigMap', name: '../x' }] }, /name/], [{ remove: [{ kind: 'Nope', name: 'x' }] }, /kind/],
	];
	for (const [body, why] of rows) {
		const got = await put(body);
		assert.equal(got.status, 400, JSON.stringify(body));
		assert.match(got.message, why);
	}
	const first = await put({ resources: [map('x')] });
	assert.deepEqual(first.data, [{ kind: 'ConfigMap', name: 'x', version: '1' }]);
	const again = await put({ resources: [map('x', { resourceVersion: '77' })], remove: [{ kind: 'ConfigMap', name: 'gone' }] });
	assert.deepEqual(again.data, [{ kind: 'ConfigMap', name: 'x', version: '1' }], 'what is so already is not written');
	const list = await (await fetch(`${base}/v1/resources?kind=ConfigMap`, { headers: { authorization } })).json();
	assert.deepEqual(list.data.map((r) => [r.kind, r.name, r.file, r.version]), [['ConfigMap', 'x', 'configmaps/x.yaml', '1']]);
	assert.equal((await fetch(`${base}/v1/resources?kind=Pod`, { headers: { authorization } })).status, 400);
});

test('bash completes commands, verbs and options', async (t) => {
	const made = await run(['completion', 'bash']);
	assert.equal(made.code, 0);
	const file = path.join(tempDir(t), 'complete.sh');
	const rows = [
		[['sluice', 'prov'], 'providers'],
		[['sluice', 'providers', 't'], 'test'],
		[['sluice', 'consumers', 't'], ''],
		[['sluice', 'routes', 'create', '--model'], '--model --model-prefix'],
		[['sluice', 'serve', '--upstream'], '--upstream-ca'],
		[['sluice', 'backup', 're'], 'restore'],
		[['sluice', 'apply', '-f', 'README'], 'README.md'],
		[['sluice', 'lint', 'README'], 'README.md'],
	];
	fs.writeFileSync(file, made.stdout + rows.map(([words]) => `COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _sluice; echo "\${COMPREPLY[*]}"\n`).join(''));
	const got = await run([file], { program: '/bin/bash', cwd: ROOT });
	assert.equal(got.stderr, '');
	assert.deepEqual(got.stdout.trimEnd().split('\n'), rows.map(([, want]) => want));
});

// Commands of docs/cli.md with what they answer. CLI_DOC=write puts the answers of this run into the page.
test('the session of docs/cli.md is true to the letter', async (t) => {
	const mock = await startMock(t);
	const { env } = await start(t);
	const cwd = tempDir(t);
	const file = path.join(ROOT, 'docs/cli.md');
	const page = fs.readFileSync(file, 'utf8');
	const ID = /\d{8}T\d{6}Z-[0-9a-f]{6}/g;
	const shownId = '20261121T150405Z-0f423f';
	let id = shownId;
	let n = 0;
	let made = '';
	for (const part of page.split(/(^```console\n.*?^```$)/ms)) {
		if (!part.startsWith('```console\n')) {
			made += part;
			continue;
		}
		made += '```console\n';
		for (const [, line] of part.matchAll(/^\$ sluice (.*)$/gm)) {
			const args = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((m) => m[1] ?? m[2])
				.map((a) => a.replace('http://127.0.0.1:39000', mock.url).replace(shownId, id));
			const got = await run(args, { env, cwd });
			const text = (got.stdout + got.stderr).replaceAll(mock.url, 'http://127.0.0.1:39000');
			id = text.match(ID)?.[0] ?? id;
			made += `$ sluice ${line}\n${text.replaceAll(ID, shownId)}`;
			n++;
		}
		made += '```';
	}
	assert.ok(n > 15);
	if (process.env.CLI_DOC === 'write') fs.writeFileSync(file, made);
	else assert.equal(made, page);
});
