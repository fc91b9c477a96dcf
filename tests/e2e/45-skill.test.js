// The scripts of HiClaw's skill: the words, flags and exit codes that agents rely on, the server as a process of its
// own, and nothing but a shell and the program needed.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { ADMIN, MANAGER_KEY, startMonitor } from './hiclaw/monitor.js';
import { IS_ROOT, ROOT, run, SLUICE, cleanEnv, tempDir } from './lib/sluice.js';

const SCRIPTS = path.join(ROOT, 'skills/ai-gateway-management/scripts');
const LOG = /^\[hiclaw \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] /;

// A shell and the program, nothing else: no jq, curl, python3, mc, dirname.
function bareEnv(t, extra) {
	const bin = tempDir(t);

	for (const tool of ['sh', 'env']) fs.symlinkSync(execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim(), path.join(bin, tool));
	fs.symlinkSync(path.resolve(SLUICE), path.join(bin, 'sluice'));
	return { PATH: bin, HOME: tempDir(t), SLUICE_NO_AUTOSTART: '1', ...extra };
}

async function script(env, name, args = [], input = null) {
	const child = spawn(path.join(SCRIPTS, name), args, { env, stdio: [input === null ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
	let stdout = '';
	let stderr = '';
	child.stdout.on('data', (chunk) => (stdout += chunk));
	child.stderr.on('data', (chunk) => (stderr += chunk));
	if (input !== null) child.stdin.end(input);
	const [code] = await once(child, 'close');
	return { code, stdout, stderr, lines: stdout.split('\n').filter(Boolean).map((l) => l.replace(LOG, '')) };
}

// The scripts against a server that knows the administrator.
async function start(t) {
	const monitor = await startMonitor(t);
	const env = bareEnv(t, { SLUICE_SERVER: monitor.url, HICLAW_ADMIN_USER: ADMIN.name, HICLAW_ADMIN_PASSWORD: ADMIN.password, HICLAW_AGENT_FS_DIR: '/agents' });

	return { monitor, env, sh: (name, ...args) => script(env, name, args) };
}

test('set-model.sh switches the Manager, and says each step', async (t) => {
	const { monitor, env, sh } = await start(t);
	const first = await sh('set-model.sh', '--target', 'manager', '--provider', 'qwen', '--model', 'qwen3.5-plus');

	assert.equal(first.code, 0, first.stderr);
	assert.ok(first.stdout.split('\n').filter(Boolean).every((l) => LOG.test(l)), first.stdout);
	assert.deepEqual(first.lines, [
		'Setting model for manager: manager', '  Provider: qwen', '  Model: qwen3.5-plus', '  Context Window: 200000', '  Max Tokens: 64000',
		'  Reasoning: true', 'Testing model connectivity...', 'Model connectivity test passed', 'Managing AI routes...',
		"Provider 'qwen' already has route: default-ai-route", 'Skipping route creation', 'Backup saved: 20260131T120000Z-abcdef',
		'Model assignment saved to /agents/manager/model.json', 'Updating OpenClaw config...',
		'Setting primary model to hiclaw-gateway/qwen3.5-plus...', 'Triggering OpenClaw config reload...',
		'Manager model updated and reloaded successfully', 'Done!',
	]);

	const other = await sh('set-model.sh', '--model', 'MiniMax-M2.7', '--provider', 'minimax', '--target', 'manager', '--context-window', '1000', '--max-tokens', '10', '--reasoning', 'false');
	assert.equal(other.code, 0);
	assert.ok(other.lines.includes('Single route mode: updating default-ai-route'), other.stdout);
	assert.deepEqual(other.lines.slice(3, 6), ['  Context Window: 1000', '  Max Tokens: 10', '  Reasoning: false']);
	assert.deepEqual(monitor.assignments.manager, { provider: 'minimax', model: 'MiniMax-M2.7', contextWindow: 1000, maxTokens: 10, reasoning: false, updatedAt: '2026-01-31T12:00:00Z' });

	await sh('create-provider.sh', '--type', 'deepseek', '--name', 'deepseek', '--token', 'k');
	const third = await sh('set-model.sh', '--target', 'manager', '--provider', 'minimax', '--model', 'MiniMax-M2.5');
	assert.ok(third.lines.includes('Multi-route mode: creating minimax-ai-route'), third.stdout);
	assert.ok(third.lines.includes('SUCCESS: Created minimax-ai-route with modelPredicate'));

	monitor.reloads = false;
	const away = await sh('set-model.sh', '--target', 'manager', '--provider', 'minimax', '--model', 'MiniMax-M2.7');
	assert.equal(away.code, 0);
	assert.ok(!away.stdout.includes('reloaded successfully'), 'what was not seen is not said');
	const untested = await sh('set-model.sh', '--target', 'manager', '--provider', 'minimax', '--model', 'MiniMax-M2.7', '--skip-test');
	assert.ok(untested.lines.includes('Model connectivity test skipped'));
	delete monitor.configured.manager;
	const bare = await script({ ...env, OPENCLAW_CONFIG_PATH: '/nowhere/openclaw.json' }, 'set-model.sh', ['--target', 'manager', '--provider', 'minimax', '--model', 'MiniMax-M2.7']);
	assert.deepEqual([bare.code, bare.lines.at(-1)], [1, 'ERROR: OpenClaw config not found at /workspace/openclaw.json']);
});

test('set-model.sh ends with 1 and the reason when it cannot', async (t) => {
	const { monitor, env, sh } = await start(t);
	const target = ['--target', 'manager', '--provider'];
	// arguments, texts in order, why
	const rows = [
		[[], [/^Usage: .*--target <manager\|worker:name>/], 'no flags'],
		[['--target', 'manager', '--provider', 'qwen', '--model'], [/^Usage: /], 'a flag without its value'],
		[['--target', 'manager', '--provider', 'qwen', '--model', ''], [/^Usage: /], 'an empty value'],
		[['--target', 'bob', '--provider', 'qwen', '--model', 'm'], [/^ERROR: Invalid target format\. Use 'manager' or 'worker:NAME'/], 'no target'],
		[['--target', 'worker:../x', '--provider', 'qwen', '--model', 'm'], [/^ERROR: Invalid target format/], 'a name that would be a path'],
		[[...target, 'nobody', '--model', 'm'], [/ERROR: Provider 'nobody' not found or has no API key configured/, /Ask admin to create the provider in Higress Console first/], 'an unknown provider'],
		[[...target, 'keyless', '--model', 'm'], [/ERROR: Provider 'keyless' not found or has no API key/], 'a provider without a key'],
		[[...target, 'qwen', '--model', 'dead-1'], [/Testing model connectivity\.\.\./, /ERROR: Model test failed: Model not reachable: 401 invalid key/, /1\. Open Higress Console/, /4\. Try again/], 'a model that does not answer'],
		[[...target, 'qwen', '--model', 'm', '--context-window', 'abc'], [/ERROR: contextWindow is no number/], 'no number'],
	];

	for (const [args, texts, why] of rows) {
		const got = await sh('set-model.sh', ...args);

		assert.equal(got.code, 1, `${why}: ${got.stdout}`);
		let rest = got.stdout;
		for (const text of texts) {
			assert.match(rest, text, why);
			rest = rest.slice(rest.search(text));
		}
	}
	assert.deepEqual(monitor.assignments, {});
	const odd = await sh('set-model.sh', '--verbose', 'really', '--target', 'manager', '--provider', 'qwen', '--model', 'm');
	assert.equal(odd.code, 0, 'unknown words have always been passed over');
	assert.match(odd.stderr, /"--verbose" is ignored\n.*"really" is ignored/);
	const wrong = await script({ ...env, HICLAW_ADMIN_PASSWORD: 'wrong' }, 'set-model.sh', ['--target', 'manager', '--provider', 'qwen', '--model', 'm']);
	assert.equal(wrong.code, 1);
	assert.match(wrong.stderr, /does not know the password of "admin"/);
});

test('set-model.sh switches a Worker', async (t) => {
	const { monitor, sh } = await start(t);
	const good = await sh('set-model.sh', '--target', 'worker:alice', '--provider', 'minimax', '--model', 'MiniMax-M2.7');

	assert.equal(good.code, 0, good.stderr);
	assert.deepEqual(good.lines.filter((l) => !l.startsWith('  ')), [
		'Setting model for worker: alice', 'Backup saved: 20260131T120000Z-abcdef', 'Model assignment saved to /agents/alice/model.json',
		'Updating Worker openclaw.json...', 'Syncing to MinIO...', 'Worker model updated successfully',
		'It takes effect when the Worker starts again', 'Done!',
	]);
	const again = await sh('set-model.sh', '--target', 'worker:alice', '--provider', 'minimax', '--model', 'MiniMax-M2.7');
	assert.ok(again.lines.includes('Worker model already exists in config'));
	assert.equal(monitor.requests.filter((r) => r.method === 'PUT').length, 2, 'and the primary model is set anyway');
	monitor.synced = false;
	const apart = await sh('set-model.sh', '--target', 'worker:alice', '--provider', 'qwen', '--model', 'q');
	assert.equal(apart.code, 0);
	assert.ok(apart.lines.includes('WARNING: Failed to sync to MinIO'));
	const early = await sh('set-model.sh', '--target', 'worker:newbie', '--provider', 'qwen', '--model', 'q');
	assert.equal(early.code, 0);
	assert.ok(early.lines.includes('WARNING: Worker openclaw.json not found (Worker may not be created yet)'));
});

test('get-assignment.sh tells what is in use', async (t) => {
	const { monitor, env, sh } = await start(t);
	const manager = await sh('get-assignment.sh', 'manager');

	assert.equal(manager.stdout, 'Manager Model Assignment:\n  Provider: qwen\n  Model: hiclaw-gateway/qwen3.5-plus\n  Context Window: unknown\n');
	await sh('create-provider.sh', '--type', 'deepseek', '--name', 'deepseek', '--token', 'k');
	monitor.configured.manager = 'hiclaw-gateway/deepseek-chat';
	const other = JSON.parse((await sh('get-assignment.sh', '--json', 'manager')).stdout);
	assert.deepEqual(other, { target: 'manager', provider: 'deepseek', model: 'hiclaw-gateway/deepseek-chat', contextWindow: null }, 'the provider that the model reaches, not that of the default route');
	assert.deepEqual(JSON.parse((await sh('get-assignment.sh', 'manager', '--json')).stdout), other);

	const config = path.join(tempDir(t), 'openclaw.json');
	fs.writeFileSync(config, `{"agents":{"defaults":{"model":{"primary":"hiclaw-gateway/qwen-max"}}},"models":{"providers":{"hiclaw-gateway":{"models":[{"id":"qwen-max","contextWindow":32768}]}}}}`);
	const local = JSON.parse((await script({ ...env, OPENCLAW_CONFIG_PATH: config }, 'get-assignment.sh', ['manager', '--json'])).stdout);
	assert.deepEqual(local, { target: 'manager', provider: 'qwen', model: 'hiclaw-gateway/qwen-max', contextWindow: 32768 }, 'the entry of the file on this machine');

	const none = await sh('get-assignment.sh', 'worker:none', '--json');
	assert.deepEqual([none.code, JSON.parse(none.stdout)], [0, { error: 'Worker model assignment not found', worker: 'none' }]);
	assert.equal((await sh('get-assignment.sh', 'worker:none')).stdout, "Worker 'none' has no model assignment stored\n");
	await sh('set-model.sh', '--target', 'worker:alice', '--provider', 'qwen', '--model', 'q');
	assert.equal((await sh('get-assignment.sh', 'worker:alice')).stdout, "Worker 'alice' Model Assignment:\n  Provider: qwen\n  Model: q\n  Context Window: 200000\n  Updated: 2026-01-31T12:00:00Z\n");
	assert.equal(JSON.parse((await sh('get-assignment.sh', 'worker:alice', '--json')).stdout).model, 'q');
	const bob = await sh('get-assignment.sh', 'bob');
	assert.deepEqual([bob.code, bob.stdout], [1, "ERROR: Invalid target format. Use 'manager' or 'worker:NAME'\n"]);
	const nothing = await sh('get-assignment.sh', '--json');
	assert.deepEqual([nothing.code, nothing.stdout], [1, 'Usage: get-assignment.sh <manager|worker:NAME> [--json]\n']);
});

test('providers are listed and made, and keys stay out of command lines', async (t) => {
	const { monitor, env, sh } = await start(t);

	assert.equal((await sh('list-providers.sh')).stdout, 'qwen\tqwen\t1 tokens\nminimax\tminimax\t2 tokens\nkeyless\topenai\t0 tokens\n');
	const listed = JSON.parse((await sh('list-providers.sh', '--json')).stdout);
	assert.deepEqual([listed.success, listed.data.length, listed.total], [true, 3, 3]);
	monitor.providers = [];
	assert.equal((await sh('list-providers.sh')).stdout, '', 'nothing when there are none');

	const key = 'sk-secret-0123456789';
	const stdin = await script(env, 'create-provider.sh', ['--type', 'openai', '--name', 'a', '--token', '-', '--url', 'http://10.0.0.5:8000/v1'], `${key}\n`);
	assert.deepEqual([stdin.code, stdin.stdout], [0, "SUCCESS: Provider 'a' created\n"], stdin.stderr);
	assert.deepEqual(JSON.parse(monitor.requests.at(-1).body), { name: 'a', type: 'openai', apiKey: key, baseUrl: 'http://10.0.0.5:8000/v1' });
	const file = path.join(tempDir(t), 'key');
	fs.writeFileSync(file, key);
	assert.equal((await sh('create-provider.sh', '--type', 'openai', '--name', 'b', '--token-file', file)).code, 0);
	const again = await sh('create-provider.sh', '--type', 'openai', '--name', 'a', '--token', 'k');
	assert.deepEqual([again.code, again.stdout], [0, "WARNING: Provider 'a' already exists\n"]);
	const bad = await sh('create-provider.sh', '--type', 'openai', '--name', `a'; touch x; '`, '--token', 'k');
	assert.deepEqual([bad.code, bad.stdout], [1, 'ERROR: Failed to create provider (HTTP 400)\n']);
	assert.match(bad.stderr, /the name of a provider is made of/);
	const unknown = await sh('create-provider.sh', '--type', 'openai', '--colour', 'red');
	assert.deepEqual([unknown.code, unknown.stdout], [1, 'Unknown option: --colour\n']);
	const few = await sh('create-provider.sh', '--type', 'openai');
	assert.deepEqual([few.code, few.stdout], [1, 'Usage: create-provider.sh --type <TYPE> --name <NAME> --token <TOKEN> [--url <URL>]\n']);
});

test('the Manager\'s key serves where there is no password, and secrets may hold anything', async (t) => {
	const { monitor, env } = await start(t);
	const asManager = { ...env, HICLAW_ADMIN_PASSWORD: '', HICLAW_MANAGER_GATEWAY_KEY: MANAGER_KEY };

	assert.equal((await script(asManager, 'list-providers.sh')).code, 0);
	assert.equal(monitor.requests.at(-1).authorization, `Bearer ${MANAGER_KEY}`);
	const nobody = await script({ ...env, HICLAW_ADMIN_PASSWORD: '' }, 'list-providers.sh');
	assert.equal(nobody.code, 1);
	assert.match(nobody.stderr, /no password .*HICLAW_ADMIN_PASSWORD/);
	const none = await script({ ...env, SLUICE_SERVER: 'http://127.0.0.1:1' }, 'list-providers.sh');
	assert.equal(none.code, 3);
	assert.match(none.stderr, /could not be reached/);
});

test('sluice model and sluice agm have the manners of all commands', async (t) => {
	const { monitor, env } = await start(t);
	const cli = (...args) => run(args, { env });
	// arguments, exit code, output, why
	const rows = [
		[['model', 'get'], 0, /^TARGET .*MODEL .*CONFIGURED/, 'the Manager when nobody is named'],
		[['model', 'set', '--target', 'alice', '--provider', 'minimax', '--model', 'MiniMax-M2.7'], 0, /^alice: MiniMax-M2\.7 of minimax, pending\n$/, 'a bare name'],
		[['model', 'get', 'alice', '--json'], 0, /"model":"MiniMax-M2\.7"/, 'as a document'],
		[['model', 'list'], 0, /manager[^]*alice +minimax +MiniMax-M2\.7/, 'all of them'],
		[['model', 'unset', 'worker:alice'], 0, /^alice: no model is assigned any more/, 'and back'],
		[['model', 'test', 'qwen'], 0, /^qwen answers in 12 ms, 150 models\n$/, 'a provider'],
		[['model', 'test', 'qwen', '--model', 'nix'], 1, /nix is not among them/, 'the answer is no'],
		[['model', 'known'], 0, /qwen3\.5-plus +200000 +64000 +text,image/, 'limits'],
		[['agm', 'reload'], 0, /^manager: reloaded \(watcher\)\n$/, 'the Manager'],
		[['agm', 'workers'], 0, /alice +idle +running/, 'what they do'],
		[['agm', 'routes'], 0, /default-ai-route/, 'with the default one'],
		[['agm', 'routes', '--explain', 'x', '--consumer', 'manager'], 0, /provider: qwen\n/, 'where it goes'],
		[['agm', 'backup', 'list'], 0, /20260131T120000Z-abcdef +automatic/, 'copies'],
		[['agm', 'backup', 'create', '--reason', 'x'], 0, /^backup 20260131T120000Z-abcdef created/, 'one more'],
	];

	for (const [args, code, output, why] of rows) {
		const got = await cli(...args);

		assert.equal(got.code, code, `${args.join(' ')}: ${why}: ${got.stderr}`);
		assert.match(got.stdout, output, `${args.join(' ')}: ${why}`);
	}
	for (const [args, code, words] of [
		[['model', 'set', '--provider', 'qwen'], 2, /--provider and --model are needed/],
		[['model', 'set', '--provider', 'nobody', '--model', 'm'], 1, /manager: Provider not found/],
		[['model', 'get', '../x'], 2, /sluice model get: /],
		[['model', 'gte'], 2, /did you mean get\?/],
		[['agm'], 2, /say what to do/],
		[['agm', 'wake', '../x'], 2, /the name of one Worker is needed/],
		[['agm', 'wake', 'alice'], 1, /alice: Not found/],
		[['agm', 'backup', 'restore'], 2, /say what to do/],
	]) {
		const got = await cli(...args);

		assert.equal(got.code, code, `${args.join(' ')}: ${got.stdout}${got.stderr}`);
		assert.match(got.stderr, words);
		assert.equal(got.stderr.trim().split('\n').length, 1, got.stderr);
	}
	assert.equal(monitor.assignments.manager, undefined);
});

// --- the server as a process ---------------------------------------------------------------------------------------

async function freePort() {
	const server = net.createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address();
	server.close();
	return port;
}

async function processEnv(t, extra = {}) {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-e2e-'));
	const pidFile = path.join(dir, 'monitor-server.pid');
	const env = {
		...bareEnv(t), SLUICE_MONITOR_DIR: dir, SLUICE_DATA: path.join(dir, 'data'), MONITOR_PORT: String(await freePort()), MONITOR_BIND: '127.0.0.1',
		SLUICE_GATEWAY: '127.0.0.1:0', SLUICE_CONSOLE: '127.0.0.1:0', HICLAW_ADMIN_PASSWORD: ADMIN.password, ...(IS_ROOT ? { SLUICE_USER: 'root' } : {}), ...extra,
	};

	// Without the script, whose commands are in a directory that is gone by now.
	t.after(() => {
		const pid = Number(fs.existsSync(pidFile) && !fs.lstatSync(pidFile).isSymbolicLink() ? fs.readFileSync(pidFile, 'utf8') : 0);
		const line = pid > 0 && fs.existsSync(`/proc/${pid}`) ? fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '';

		if (line.includes('--hiclaw')) process.kill(pid);
		fs.rmSync(dir, { recursive: true, force: true });
	});
	return { env, dir, pidFile, sh: (...args) => script(env, 'monitor-server.sh', args) };
}

const listens = (port) => new Promise((done) => {
	const socket = net.connect(port, '127.0.0.1').on('connect', () => { socket.destroy(); done(true); }).on('error', () => done(false));
});

test('monitor-server.sh starts once, on its port, and stops what it started', async (t) => {
	const { env, dir, pidFile, sh } = await processEnv(t);
	const port = Number(env.MONITOR_PORT);

	assert.deepEqual([(await sh('status')).code, (await sh('status')).stdout], [1, 'Monitor server not running\n']);
	assert.deepEqual([(await sh('stop')).code, (await sh('stop')).stdout], [0, '']);
	const started = await sh();
	assert.equal(started.code, 0, started.stderr);
	assert.match(started.stdout, new RegExp(`^\\[.+\\] Starting monitor server on port ${port}\\.\\.\\.\n\\[.+\\] Monitor server started \\(PID: (\\d+)\\)\n`));
	assert.match(started.stdout, /MONITOR_LOOPBACK_READ=1/);
	const pid = Number(/PID: (\d+)/.exec(started.stdout)[1]);
	assert.equal(fs.readFileSync(pidFile, 'utf8'), `${pid}\n`);
	assert.equal(fs.statSync(pidFile).mode & 0o777, 0o600);
	assert.equal(fs.statSync(path.join(dir, 'monitor-server.log')).mode & 0o777, 0o600);
	assert.ok(await listens(port), 'MONITOR_PORT takes effect');
	assert.ok(!fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(ADMIN.password));

	const twice = await sh('start');
	assert.equal(twice.code, 0);
	assert.match(twice.stdout, new RegExp(`^\\[.+\\] Monitor server already running \\(PID: ${pid}\\)\n$`));
	assert.match((await sh('status')).stdout, new RegExp(`Monitor server running \\(PID: ${pid}\\)`));
	const anew = await sh('restart');
	assert.match(anew.stdout, new RegExp(`stopped \\(PID: ${pid}\\)[^]*started \\(PID: `));
	assert.match((await sh('stop')).stdout, /^\[.+\] Monitor server stopped \(PID: \d+\)\n$/);
	assert.ok(!(await listens(port)));
	assert.equal((await sh('status')).code, 1);
	assert.deepEqual([(await sh('dance')).code, (await sh('dance')).stdout], [0, 'Usage: monitor-server.sh {start|stop|status|restart}\n']);
});

test('a pid file of somebody else is neither followed nor believed', async (t) => {
	const { env, dir, pidFile, sh } = await processEnv(t);
	const precious = path.join(dir, 'precious');
	const other = spawn('sleep', ['60'], { stdio: 'ignore' });
	t.after(() => other.kill());

	fs.writeFileSync(precious, 'mine');
	fs.symlinkSync(precious, pidFile);
	const linked = await sh('start');
	assert.equal(linked.code, 1);
	assert.match(linked.stderr, /monitor-server\.pid is a symbolic link/);
	assert.equal(fs.readFileSync(precious, 'utf8'), 'mine');
	assert.ok(!(await listens(Number(env.MONITOR_PORT))));
	fs.unlinkSync(pidFile);
	fs.symlinkSync(precious, path.join(dir, 'monitor-server.log'));
	assert.equal((await sh('start')).code, 1, 'nor the log');
	assert.equal(fs.readFileSync(precious, 'utf8'), 'mine');
	fs.unlinkSync(path.join(dir, 'monitor-server.log'));

	fs.writeFileSync(pidFile, `${other.pid}\n`, { mode: 0o600 });
	assert.equal((await sh('status')).code, 1, 'another program is not the server');
	assert.equal((await sh('stop')).code, 0);
	assert.equal(other.exitCode, null, 'and is not ended');
	assert.equal(other.signalCode, null);
	assert.equal((await sh('start')).code, 0, 'a stale number is no obstacle');
});

test('a port of somebody else is said, and a gateway that serves it stays', async (t) => {
	const { env, sh } = await processEnv(t);
	const squatter = net.createServer().listen(Number(env.MONITOR_PORT), '127.0.0.1');
	await once(squatter, 'listening');
	const got = await sh('start');

	assert.equal(got.code, 1);
	assert.match(got.stderr, /does not serve port \d+: the port is in use/);
	squatter.close();
	await once(squatter, 'close');

	// Started by somebody else, as a gateway is.
	const gateway = await processEnv(t, { MONITOR_PORT: env.MONITOR_PORT });
	const started = await gateway.sh('start');
	const pid = Number(/started \(PID: (\d+)/.exec(started.stdout)[1]);
	assert.match((await sh('start')).stdout, new RegExp(`already running \\(PID: ${pid}\\)`));
	assert.match((await sh('stop')).stdout, new RegExp(`part of the gateway \\(PID: ${pid}\\)`));
	assert.ok(await listens(Number(env.MONITOR_PORT)), 'it goes on');
});
