// The skill where HiClaw runs: installed beside a real Higress, which it then manages, and started by its first script.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { KEY_OF, managerConfig } from './hiclaw/world.js';
import { IS_ROOT, ROOT, SLUICE, startServe, tempDir, until } from './lib/sluice.js';

const ADMIN = { name: 'admin', password: 'secret-pw1' };
const SCRIPTS = path.join(ROOT, 'skills/ai-gateway-management/scripts');
const GATEWAY = 'http://aigw-local.hiclaw.io:8080';
const BASIC = `Basic ${Buffer.from(`${ADMIN.name}:${ADMIN.password}`).toString('base64')}`;
const LOG = /^\[hiclaw [^\]]+\] /;

const jq = (filter, text) => JSON.parse(execFileSync('jq', ['-c', filter], { input: text, encoding: 'utf8' }));
const NAMES = '[.data[].name | select(endswith(".internal") | not)] | sort';

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
	Object.assign(env, { OPENCLAW_CONFIG_PATH: config, HICLAW_AGENT_FS_DIR: path.join(dir, 'agents'), HICLAW_MANAGER_GATEWAY_KEY: KEY_OF.manager,
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
	const made = await sh('create-provider.sh', '--type', 'openai', '--name', 'made', '--token', 'vendor-key-made');
	assert.equal(made.stdout, "SUCCESS: Provider 'made' created\n", made.stderr);
	assert.deepEqual(jq('[.data[] | [.name, .tokens[0]]]', JSON.stringify(await ask('/v1/ai/providers'))), [['made', 'vendor-key-made']]);
	assert.equal(jq('.data[0].upstreams[0].provider', JSON.stringify(await ask('/v1/ai/routes'))), 'made');

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
