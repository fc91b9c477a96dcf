// The whole story in a scripted HiClaw (hiclaw/world.js): the skill is installed, a second provider made by script, a
// Worker switched to it and back, and the Manager; every file and object looked at with jq, requests followed to the
// provider, and everything once more, which changes nothing.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { completion, json, modelOf, startUpstream } from './lib/http.js';
import { KEY_OF, managerConfig, startWorld } from './hiclaw/world.js';
import { IS_ROOT, ROOT, SLUICE, startServe, tempDir, until } from './lib/sluice.js';

const ADMIN = { name: 'admin', password: 'secret-pw1' };
const SCRIPTS = path.join(ROOT, 'skills/ai-gateway-management/scripts');
const GATEWAY = 'http://aigw-local.hiclaw.io:8080';
const BASIC = `Basic ${Buffer.from(`${ADMIN.name}:${ADMIN.password}`).toString('base64')}`;
const LOG = /^\[hiclaw [^\]]+\] /;

// A vendor that knows some models and answers with its own name; the others get 404 as vendors say it.
async function startVendor(t, name, models) {
	return startUpstream(t, (req, res, body) => {
		if (req.method === 'GET') return json(res, 200, { object: 'list', data: models.map((id) => ({ id, object: 'model' })) });
		const model = modelOf(body);
		if (!models.includes(model)) return json(res, 404, { error: { message: `The model ${model} does not exist`, type: 'invalid_request_error', code: 'model_not_found' } });
		return json(res, 200, completion(`by ${name}`, model));
	});
}

const jq = (filter, text) => JSON.parse(execFileSync('jq', ['-c', filter], { input: text, encoding: 'utf8' }));
const PRIMARY = '.agents.defaults.model.primary';
const NAMES = '[.data[].name | select(endswith(".internal") | not)] | sort';
const ENTRY = (id) => `[.models.providers["hiclaw-gateway"].models[] | select(.id == "${id}")] | length`;

async function runScript(env, name, args, input = '') {
	const child = spawn(path.join(SCRIPTS, name), args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
	let stdout = '';
	let stderr = '';
	child.stdout.on('data', (chunk) => (stdout += chunk));
	child.stderr.on('data', (chunk) => (stderr += chunk));
	child.stdin.on('error', () => {});
	child.stdin.end(input);
	const [code] = await once(child, 'close');
	return { code, stdout, stderr, lines: stdout.split('\n').filter(Boolean).map((l) => l.replace(LOG, '')) };
}

// A directory for a server that scripts start. What is registered first is done first: the server ends, then its
// directory goes.
function serverDir(t) {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-e2e-'));
	const pidFile = path.join(dir, 'monitor-server.pid');

	t.after(async () => {
		const pid = Number(fs.existsSync(pidFile) ? fs.readFileSync(pidFile, 'utf8') : 0);
		const line = () => (pid > 0 && fs.existsSync(`/proc/${pid}`) ? fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '');

		if (line().includes('--hiclaw')) {
			process.kill(pid);
			await until('the server to end', () => !line().includes('--hiclaw'));
		}
		fs.rmSync(dir, { recursive: true, force: true });
	});
	return dir;
}

async function freePort() {
	const server = net.createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address();
	server.close();
	return port;
}

async function start(t, options = {}) {
	const dir = tempDir(t);
	const vendors = { qwen: await startVendor(t, 'qwen', ['qwen3.5-plus', 'qwen-max']), minimax: await startVendor(t, 'minimax', ['MiniMax-M2.7', 'MiniMax-M2.5']) };
	const world = await startWorld(t, dir, { gateway: GATEWAY, ...options });
	const data = path.join(dir, 'data');
	fs.mkdirSync(path.join(data, 'resources'), { recursive: true });
	const env = { HICLAW_ADMIN_USER: ADMIN.name, HICLAW_ADMIN_PASSWORD: ADMIN.password, ...world.env };
	const serve = await startServe(t, { data, args: ['--hiclaw', '--access-log', 'off'], env });
	const monitor = `http://127.0.0.1:${serve.ready.monitor[0].split(':').pop()}`;
	const scriptEnv = { PATH: process.env.PATH, HOME: dir, SLUICE_BIN: path.resolve(SLUICE), SLUICE_NO_AUTOSTART: '1', SLUICE_SERVER: monitor, SLUICE_MONITOR_DIR: dir, MONITOR_PORT: monitor.split(':').pop(),
		HICLAW_AI_GATEWAY_ADMIN_URL: `http://127.0.0.1:${serve.console}`, ...env };
	const sh = (name, args, input) => runScript(scriptEnv, name, args, input);
	sh.good = async (name, args, input) => {
		const got = await sh(name, args, input);
		assert.equal(got.code, 0, `${name} ${args.join(' ')}: ${got.stdout}${got.stderr}`);
		return got;
	};
	const api = async (method, at, body) => {
		const res = await fetch(`${monitor}/ni_status${at}`, { method, headers: { authorization: BASIC }, body: body && JSON.stringify(body) });
		return { status: res.status, body: await res.json() };
	};
	// As HiClaw sets a gateway up: consumers, the first provider, the default route.
	const console_ = async (method, at, body) => {
		const res = await fetch(`http://127.0.0.1:${serve.console}${at}`, { method, headers: { 'content-type': 'application/json', authorization: BASIC }, body: JSON.stringify(body) });
		assert.ok(res.ok, `${method} ${at}: ${res.status} ${await res.text()}`);
	};
	for (const [name, key] of Object.entries(KEY_OF))
		await console_('POST', '/v1/consumers', { name: name === 'manager' ? name : `worker-${name}`, credentials: [{ type: 'key-auth', source: 'BEARER', values: [key] }] });
	await console_('POST', '/v1/service-sources', { type: 'static', name: 'qwen', domain: vendors.qwen.address, port: vendors.qwen.port, protocol: 'http' });
	await console_('POST', '/v1/ai/providers', { type: 'openai', name: 'qwen', tokens: ['vendor-key-qwen'], protocol: 'openai/v1', tokenFailoverConfig: { enabled: false },
		rawConfigs: { openaiCustomUrl: `http://${vendors.qwen.address}/v1`, openaiCustomServiceName: 'qwen.static', openaiCustomServicePort: vendors.qwen.port, hiclawMode: true } });
	await console_('POST', '/v1/ai/routes', { name: 'default-ai-route', domains: [], pathPredicate: { matchType: 'PRE', matchValue: '/v1', caseSensitive: false },
		upstreams: [{ provider: 'qwen', weight: 100, modelMapping: {} }], authConfig: { enabled: true, allowedCredentialTypes: ['key-auth'], allowedConsumers: ['manager', 'worker-alice', 'worker-bob'] } });
	const chat = async (agent, model) => {
		const res = await fetch(`${serve.url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY_OF[agent]}` },
			body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] }) });
		const text = await res.text();
		return res.ok ? JSON.parse(text).choices[0].message.content : `${res.status} ${text}`;
	};
	return { ...world, world, vendors, serve, sh, api, chat, data, monitor };
}

const readTree = (dir) => Object.fromEntries(fs.readdirSync(dir, { recursive: true }).map((f) => path.join(dir, f))
	.filter((f) => fs.statSync(f).isFile()).map((f) => [path.relative(dir, f), fs.readFileSync(f, 'utf8')]));

test('from install.sh to a Worker on a second provider and back', async (t) => {
	const hiclaw = await start(t, { controller: false });
	const { sh, chat, storage, agents, vendors } = hiclaw;
	const file = (...p) => fs.readFileSync(path.join(agents, ...p), 'utf8');
	const before = { manager: file('manager', 'openclaw.json'), bob: file('bob', 'openclaw.json') };

	const installed = await sh.good('install.sh', []);
	assert.ok(installed.lines.includes("  Found sluice in Higress's place"), installed.stdout);
	assert.match((await sh.good('monitor-server.sh', ['status'])).stdout, new RegExp(`running \\(PID: ${hiclaw.serve.pid}\\)`));
	assert.match((await sh.good('monitor-server.sh', ['stop'])).stdout, /part of the gateway/);

	// What it is attached to.
	const { body: status } = await hiclaw.api('GET', '/status');
	assert.equal(jq('.attachments.s3.state', JSON.stringify(status)), 'ok');
	assert.equal(jq('.attachments.managerFile.state', JSON.stringify(status)), 'ok');
	assert.equal(await chat('alice', 'qwen3.5-plus'), 'by qwen');

	// A second provider, with its routes.
	assert.equal((await sh.good('create-provider.sh', ['--type', 'openai', '--name', 'minimax', '--token', '-', '--url', `http://${vendors.minimax.address}/v1`], 'vendor-key-minimax\n')).stdout, "SUCCESS: Provider 'minimax' created\n");
	assert.equal((await sh.good('list-providers.sh', [])).stdout, 'minimax\topenai\t1 tokens\nqwen\topenai\t1 tokens\n');
	const { body: routes } = await hiclaw.api('GET', '/route?all=1');
	assert.deepEqual(jq('[.routes[].name] | sort', JSON.stringify(routes)), ['default-ai-route', 'minimax-ai-route', 'qwen-ai-route']);
	assert.equal(jq('.routes[] | select(.name == "default-ai-route") | .upstreams[0].provider', JSON.stringify(routes)), 'qwen');

	// The Worker there.
	const there = await sh.good('set-model.sh', ['--target', 'worker:alice', '--provider', 'minimax', '--model', 'MiniMax-M2.7']);
	assert.equal(there.lines.at(-1), 'Done!');
	for (const text of [file('alice', 'openclaw.json'), storage.get('agents/alice/openclaw.json')]) {
		assert.equal(jq(PRIMARY, text), 'hiclaw-gateway/MiniMax-M2.7');
		assert.equal(jq(ENTRY('MiniMax-M2.7'), text), 1);
		assert.equal(jq(ENTRY('qwen3.5-plus'), text), 1, 'what was there stays');
		assert.equal(jq('.agents.defaults.models["hiclaw-gateway/MiniMax-M2.7"].alias', text), 'MiniMax-M2.7');
		assert.deepEqual(jq('keys_unsorted', text), ['agents', 'gateway', 'models'], 'in its order');
		assert.ok(!text.endsWith('\n'), 'without a final newline, as it was');
	}
	for (const text of [file('alice', 'model.json'), storage.get('agents/alice/model.json')]) {
		assert.deepEqual(jq('keys_unsorted', text), ['provider', 'model', 'contextWindow', 'maxTokens', 'reasoning', 'updatedAt']);
		assert.deepEqual(jq('[.provider, .model, .contextWindow, .maxTokens, .reasoning]', text), ['minimax', 'MiniMax-M2.7', 200000, 128000, true]);
	}
	assert.equal(await chat('alice', 'MiniMax-M2.7'), 'by minimax');
	assert.equal(await chat('bob', 'qwen3.5-plus'), 'by qwen', 'the others go on');
	assert.equal(file('bob', 'openclaw.json'), before.bob);
	assert.equal(file('manager', 'openclaw.json'), before.manager);
	assert.deepEqual(JSON.parse((await sh.good('get-assignment.sh', ['worker:alice', '--json'])).stdout).provider, 'minimax');

	// Once more: nothing changes, not even a time.
	const tree = readTree(agents);
	const mtime = fs.statSync(path.join(agents, 'alice', 'openclaw.json')).mtimeMs;
	const objects = new Map(storage.objects);
	const again = await sh.good('set-model.sh', ['--target', 'worker:alice', '--provider', 'minimax', '--model', 'MiniMax-M2.7']);
	assert.ok(again.lines.includes('Worker model already exists in config'), again.stdout);
	assert.deepEqual(readTree(agents), tree);
	assert.equal(fs.statSync(path.join(agents, 'alice', 'openclaw.json')).mtimeMs, mtime);
	assert.deepEqual(new Map(storage.objects), objects);

	// And back.
	await sh.good('set-model.sh', ['--target', 'worker:alice', '--provider', 'qwen', '--model', 'qwen3.5-plus']);
	for (const text of [file('alice', 'openclaw.json'), storage.get('agents/alice/openclaw.json')]) assert.equal(jq(PRIMARY, text), 'hiclaw-gateway/qwen3.5-plus');
	assert.equal(jq('.provider', storage.get('agents/alice/model.json')), 'qwen');
	assert.equal(await chat('alice', 'qwen3.5-plus'), 'by qwen');
	assert.equal(await chat('alice', 'MiniMax-M2.7'), 'by minimax', 'the route stays');
});

test('the Manager is switched when the model answers, and not at all when it does not', async (t) => {
	const hiclaw = await start(t, { controller: false });
	const { sh, chat, config, storage, vendors, openclaw } = hiclaw;
	const read = () => fs.readFileSync(config, 'utf8');

	await sh.good('create-provider.sh', ['--type', 'openai', '--name', 'minimax', '--token', '-', '--url', `http://${vendors.minimax.address}/v1`], 'vendor-key-minimax');
	const before = { text: read(), mtime: fs.statSync(config).mtimeMs, routes: JSON.stringify((await hiclaw.api('GET', '/route?all=1')).body) };
	const dead = await sh('set-model.sh', ['--target', 'manager', '--provider', 'minimax', '--model', 'no-such-model']);
	assert.equal(dead.code, 1, dead.stdout);
	assert.match(dead.stdout, /ERROR: Model test failed: .*Model not reachable/);
	assert.deepEqual({ text: read(), mtime: fs.statSync(config).mtimeMs, routes: JSON.stringify((await hiclaw.api('GET', '/route?all=1')).body) }, before);
	assert.ok(!fs.existsSync(path.join(path.dirname(config), 'model.json')));

	const done = await sh.good('set-model.sh', ['--target', 'manager', '--provider', 'minimax', '--model', 'MiniMax-M2.7']);
	assert.equal(done.lines.at(-1), 'Done!');
	assert.equal(jq(PRIMARY, read()), 'hiclaw-gateway/MiniMax-M2.7');
	assert.deepEqual(jq('keys_unsorted', read()), ['gateway', 'channels', 'models', 'agents', 'tools', 'session', 'plugins', 'commands']);
	assert.equal(fs.statSync(config).mode & 0o777, 0o600);
	assert.equal(jq('.model', fs.readFileSync(path.join(path.dirname(config), 'model.json'), 'utf8')), 'MiniMax-M2.7');
	assert.equal(jq('.provider', storage.get('agents/manager/model.json')), 'minimax');
	assert.equal(await chat('manager', 'MiniMax-M2.7'), 'by minimax');
	assert.ok(openclaw.requests.some((r) => r.method === 'POST' && r.path === '/api/reload'));
	const shown = JSON.parse((await sh.good('get-assignment.sh', ['manager', '--json'])).stdout);
	assert.deepEqual(shown, { target: 'manager', provider: 'minimax', model: 'hiclaw-gateway/MiniMax-M2.7', contextWindow: 200000 });

	await sh.good('set-model.sh', ['--target', 'manager', '--provider', 'qwen', '--model', 'qwen3.5-plus']);
	assert.equal(jq(PRIMARY, read()), 'hiclaw-gateway/qwen3.5-plus');
	// No key, password or vendor's key in any log or answer.
	const said = hiclaw.serve.stderr() + hiclaw.serve.stdout() + JSON.stringify((await hiclaw.api('GET', '/providers')).body) + JSON.stringify((await hiclaw.api('GET', '/history')).body);
	for (const secret of [ADMIN.password, ...Object.values(KEY_OF), 'vendor-key-minimax', 'vendor-key-qwen']) assert.ok(!said.includes(secret), secret);
});

test('with a controller the Worker is switched by it', async (t) => {
	const hiclaw = await start(t);
	const { sh, controller, storage, vendors } = hiclaw;

	await sh.good('create-provider.sh', ['--type', 'openai', '--name', 'minimax', '--token', '-', '--url', `http://${vendors.minimax.address}/v1`], 'vendor-key-minimax');
	await sh.good('set-model.sh', ['--target', 'worker:bob', '--provider', 'minimax', '--model', 'MiniMax-M2.5']);
	assert.deepEqual(controller.requests.filter((r) => r.method === 'PUT').map((r) => [r.path, JSON.parse(r.body)]), [['/api/v1/workers/bob', { model: 'MiniMax-M2.5' }]]);
	assert.equal(jq(PRIMARY, storage.get('agents/bob/openclaw.json')), 'hiclaw-gateway/MiniMax-M2.5');
	assert.equal(jq('[.model]', JSON.stringify(controller.workers.find((w) => w.name === 'bob')))[0], 'MiniMax-M2.5');
	const { body } = await hiclaw.api('GET', '/workers');
	assert.deepEqual(jq('[.workers[].name]', JSON.stringify(body)), ['alice', 'bob']);
});

// A Console that is not sluice: ours behind a door without the monitor's paths.
async function startForeignConsole(t, dir) {
	fs.mkdirSync(path.join(dir, 'higress/resources'), { recursive: true });
	const higress = await startServe(t, { data: path.join(dir, 'higress'), args: ['--access-log', 'off'], env: { HICLAW_ADMIN_USER: ADMIN.name, HICLAW_ADMIN_PASSWORD: ADMIN.password } });
	const server = http.createServer((req, res) => {
		if (req.url.startsWith('/ni_status')) {
			res.writeHead(404).end();
			return;
		}
		const up = http.request({ port: higress.console, host: '127.0.0.1', method: req.method, path: req.url, headers: req.headers }, (got) => {
			res.writeHead(got.statusCode, got.headers);
			got.pipe(res);
		});
		req.pipe(up);
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	return `http://127.0.0.1:${server.address().port}`;
}

test('install.sh beside a real Higress starts the monitor and registers it, however often', async (t) => {
	const dir = serverDir(t);
	const vendor = await startVendor(t, 'made', ['some-model']);
	const console_ = await startForeignConsole(t, dir);
	const port = await freePort();
	const supervisor = path.join(dir, 'supervisor');
	fs.mkdirSync(supervisor);
	fs.writeFileSync(path.join(supervisor, 'supervisord.conf'), '[supervisord]\n\n[include]\nfiles = *.conf\n');
	const env = { PATH: process.env.PATH, HOME: dir, SLUICE_BIN: path.resolve(SLUICE), SLUICE_MONITOR_DIR: dir, SLUICE_DATA: path.join(dir, 'data'), MONITOR_PORT: String(port),
		MONITOR_BIND: '127.0.0.1', SLUICE_GATEWAY: '127.0.0.1:0', SLUICE_CONSOLE: '127.0.0.1:0', SLUICE_SUPERVISOR_DIR: supervisor, HICLAW_AI_GATEWAY_ADMIN_URL: console_,
		HICLAW_ADMIN_USER: ADMIN.name, HICLAW_ADMIN_PASSWORD: ADMIN.password, ...(IS_ROOT ? { SLUICE_USER: 'root' } : {}) };
	const config = path.join(dir, 'openclaw.json');
	fs.writeFileSync(config, managerConfig(GATEWAY), { mode: 0o600 });
	Object.assign(env, { OPENCLAW_CONFIG_PATH: config, HICLAW_AGENT_FS_DIR: path.join(dir, 'agents'), HICLAW_MANAGER_GATEWAY_KEY: KEY_OF.manager, HICLAW_AI_GATEWAY_URL: 'http://127.0.0.1:1',
		HICLAW_CONTROLLER_URL: 'http://127.0.0.1:1', HICLAW_MINIO_S3_URL: 'http://127.0.0.1:1', SLUICE_OPENCLAW_RELOAD_URL: '', SLUICE_OPENCLAW_PROBE_URL: 'http://127.0.0.1:1' });
	fs.mkdirSync(path.join(dir, 'agents'));
	const sh = (name, ...args) => runScript(env, name, args);
	const ask = async (at) => (await fetch(`${console_}${at}`, { headers: { authorization: BASIC } })).json();

	const first = await sh('install.sh');
	assert.equal(first.code, 0, first.stdout + first.stderr);
	assert.ok(first.lines.includes('  Found a Higress Console, logged in as admin'), first.stdout);
	assert.ok(first.lines.includes('  Monitor server is healthy'), first.stdout);
	assert.equal(first.lines.filter((l) => /^ {2}OK \(20[01]\)$/.test(l)).length, 5, first.stdout);
	const routes = JSON.stringify(await ask('/v1/routes'));
	assert.deepEqual(jq(NAMES, routes), ['ai-gateway-monitor', 'higress-manager', 'higress-manager-agm']);
	assert.deepEqual(jq('.data[] | select(.name == "higress-manager-agm") | [.path.matchValue, .services[0].name, .services[0].port]', routes), ['/agm', 'monitor.static', port]);
	assert.equal(jq('.data[] | select(.name == "monitor") | .domain', JSON.stringify(await ask('/v1/service-sources'))), `127.0.0.1:${port}`);
	assert.match(fs.readFileSync(path.join(supervisor, 'ai-gateway-management.conf'), 'utf8'), /^\[program:ai-gateway-management\]\ncommand=\/.* agm monitor run\n/);
	assert.equal((await fetch(`http://127.0.0.1:${port}/ni_status/health`)).status, 200);

	// The monitor manages that Higress: what scripts make is at its Console.
	const made = await sh('create-provider.sh', '--type', 'openai', '--name', 'made', '--token', 'vendor-key-made', '--url', `http://${vendor.address}/v1`);
	assert.equal(made.stdout, "SUCCESS: Provider 'made' created\n", made.stderr);
	assert.deepEqual(jq('[.data[] | [.name, .tokens[0]]]', JSON.stringify(await ask('/v1/ai/providers'))), [['made', 'vendor-key-made']]);
	assert.equal(jq('.data[0].upstreams[0].provider', JSON.stringify(await ask('/v1/ai/routes'))), 'made');

	const set = await sh('set-model.sh', '--target', 'manager', '--provider', 'made', '--model', 'some-model');
	assert.equal(set.code, 0, set.stdout + set.stderr);
	assert.ok(set.lines.includes('Model connectivity test passed'), set.stdout);
	assert.match(set.stdout + set.stderr, /There is no consumer manager yet/, 'nobody could ask the gateway');
	assert.equal(jq(PRIMARY, fs.readFileSync(config, 'utf8')), 'hiclaw-gateway/some-model');

	const again = await sh('install.sh', '--clean-legacy');
	assert.equal(again.code, 0, again.stdout);
	assert.match(again.stdout, /already running \(PID: \d+\)/);
	assert.doesNotMatch(again.stdout, /WARNING/);
	assert.deepEqual(jq(NAMES, JSON.stringify(await ask('/v1/routes'))), ['ai-gateway-monitor', 'higress-manager', 'higress-manager-agm']);

	// The recipe of the plugin's README: reading needs no password on the machine itself.
	const get = (headers = {}) => fetch(`http://localhost:${port}/ni_status/providers`, { headers }).then((r) => r.status);
	assert.equal(await get(), 200);
	assert.equal(await get({ 'x-forwarded-for': '10.0.0.1' }), 401);
	assert.equal((await fetch(`http://127.0.0.1:${port}/ni_status/providers`, { headers: { origin: 'http://evil' } })).status >= 401, true);

	// A copy of everything, and the way back to it, in words.
	const agm = async (...args) => {
		const got = await runScript({ ...env, SLUICE_SERVER: `http://127.0.0.1:${port}`, SLUICE_PASSWORD: ADMIN.password }, path.relative(SCRIPTS, path.resolve(SLUICE)), ['agm', 'backup', ...args]);
		assert.equal(got.code, 0, got.stderr);
		return got.stdout;
	};
	const id = /^backup (\S+) created\n$/.exec(await agm('create', '--reason', 'before'))[1];
	assert.equal(await agm('restore', id, '--dry-run'), `going back to ${id} would change\n  nothing: all is as it was then\n`);
	assert.equal((await sh('create-provider.sh', '--type', 'openai', '--name', 'more', '--token', 'k', '--url', `http://${vendor.address}/v1`)).code, 0);
	assert.match(await agm('restore', id), new RegExp(`^backup ${id} restored\\n[^]*  providers: removed more\\n[^]*\\nthe way back: \\S+\\n$`));

	// What installing made goes, what was done with it stays; however often.
	for (let i = 0; i < 2; i++) {
		const gone = await sh('install.sh', '--uninstall');
		assert.equal(gone.code, 0, gone.stdout + gone.stderr);
		assert.doesNotMatch(gone.stdout, /WARNING/);
	}
	assert.deepEqual(jq(NAMES, JSON.stringify(await ask('/v1/routes'))), []);
	assert.ok(!JSON.stringify(await ask('/v1/domains')).includes('manager-local'));
	assert.ok(!JSON.stringify(await ask('/v1/service-sources')).includes('"monitor"'));
	assert.deepEqual(jq('[.data[].name]', JSON.stringify(await ask('/v1/ai/providers'))), ['made']);
	assert.deepEqual(fs.readdirSync(supervisor), ['supervisord.conf']);
	assert.equal((await sh('monitor-server.sh', 'status')).code, 1);
});

test('the first script starts the server when there is none', async (t) => {
	const dir = serverDir(t);
	const port = await freePort();
	const env = { PATH: process.env.PATH, HOME: dir, SLUICE_BIN: path.resolve(SLUICE), SLUICE_MONITOR_DIR: dir, SLUICE_DATA: path.join(dir, 'data'), MONITOR_PORT: String(port),
		MONITOR_BIND: '127.0.0.1', SLUICE_GATEWAY: '127.0.0.1:0', SLUICE_CONSOLE: '127.0.0.1:0', HICLAW_AI_GATEWAY_ADMIN_URL: 'http://127.0.0.1:1', HICLAW_ADMIN_PASSWORD: ADMIN.password,
		...(IS_ROOT ? { SLUICE_USER: 'root' } : {}) };

	const no = await runScript({ ...env, SLUICE_NO_AUTOSTART: '1' }, 'list-providers.sh', []);
	assert.equal(no.code, 3);
	assert.match(no.stderr, /no sluice answers at http:\/\/127\.0\.0\.1:\d+ or http:\/\/127\.0\.0\.1:1: start it/);
	const listed = await runScript(env, 'list-providers.sh', []);
	assert.deepEqual([listed.code, listed.stdout], [0, ''], listed.stderr);
	assert.match(listed.stderr, /Monitor server started \(PID: \d+\)/, 'beside the output');
	assert.equal((await runScript(env, 'list-providers.sh', [])).stderr, '');
});
