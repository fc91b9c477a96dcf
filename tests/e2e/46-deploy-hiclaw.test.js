// What deploy/hiclaw and the skill hand out to be copied: files that parse, settings that are in force, names that exist,
// and nothing that HiClaw's renderer would turn into a secret.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { IS_ROOT, ROOT, SLUICE, isSanitized, run, tempDir, until } from './lib/sluice.js';

const DEPLOY = path.join(ROOT, 'deploy/hiclaw');
const SKILL = path.join(ROOT, 'skills/ai-gateway-management');
const read = (...p) => fs.readFileSync(path.join(...p), 'utf8');
const files = (dir) => fs.readdirSync(dir, { recursive: true }).map((f) => path.join(dir, f)).filter((f) => fs.statSync(f).isFile() && !f.includes('/bin/'));

const SUPERVISORD = `[supervisord]
nodaemon=true

[program:minio]
command=/opt/hiclaw/scripts/init/start-minio.sh

# The gateway.
[program:higress-gateway]
command=bash /usr/local/bin/start-gateway.sh
environment=A="1",B="[x]"

[program:higress-console]
command=bash /usr/local/bin/start-console.sh

[program:element-web]
command=/opt/hiclaw/scripts/init/start-element-web.sh
`;

test('supervisord starts sluice in the place of Higress, however often that is asked for', (t) => {
	const file = path.join(tempDir(t), 'supervisord.conf');
	const replace = () => execFileSync('sh', [path.join(DEPLOY, 'replace-higress.sh'), file]);

	fs.writeFileSync(file, SUPERVISORD);
	replace();
	const once = fs.readFileSync(file, 'utf8');
	assert.deepEqual([...once.matchAll(/^\[(.+)\]$/gm)].map((m) => m[1]), ['supervisord', 'program:minio', 'program:element-web', 'program:sluice']);
	assert.ok(!once.includes('start-gateway') && once.includes('start-element-web'));
	replace();
	assert.equal(fs.readFileSync(file, 'utf8'), once);
	assert.equal(fs.readFileSync(`${file}.higress`, 'utf8'), SUPERVISORD, 'the way back');
});

// Variables of a file, as sluice would get them; those that others have to fill in get a value.
function settings(text) {
	const env = {};

	for (const [, name, value] of text.matchAll(/^\s+([A-Z][A-Z0-9_]+): "?([^"\n]*)"?$/gm)) env[name] = value;
	for (const [, name, value] of text.matchAll(/\{name: ([A-Z][A-Z0-9_]+), value: "?([^"}]*)"?\}/g)) env[name] = value;
	for (const [name, value] of Object.entries(env)) env[name] = value.replace(/\$\{[A-Z_]+:[-?]([^}]*)\}/, '$1');
	return env;
}

test('compose file and manifests parse, and what they set is in force', async (t) => {
	for (const file of ['compose.yaml', 'kubernetes.yaml']) {
		const lint = await run(['lint', path.join(DEPLOY, file)]);

		assert.equal(lint.code, 0, lint.stdout);
		assert.match(lint.stdout + lint.stderr, /0 errors/, file);
		const env = settings(read(DEPLOY, file));
		assert.equal(env.SLUICE_GATEWAY, '0.0.0.0:8080', file);
		const data = tempDir(t);
		fs.mkdirSync(path.join(data, 'resources'));
		const check = await run(['serve', '--check'], { env: { ...env, SLUICE_DATA: data } });
		assert.equal(check.code, 0, `${file}: ${check.stderr}`);
		assert.match(check.stdout, /console: .*0\.0\.0\.0:8001/);
		assert.match(check.stdout, /monitor: .*0\.0\.0\.0:18080/);
		assert.match(check.stdout, /manage-on-gateway: true/, 'the profile of HiClaw');
	}
	for (const alias of ['aigw-local', 'manager-local', 'matrix-local', 'fs-local']) assert.ok(read(DEPLOY, 'compose.yaml').includes(`- ${alias}.hiclaw.io`), alias);
	// Higress's services, by HiClaw's chart.
	assert.match(read(DEPLOY, 'kubernetes.yaml'), /name: higress-gateway\n[^]*port: 80, targetPort: gateway[^]*name: higress-console\n[^]*port: 8080, targetPort: console/);
});

test('every variable that they name is one that the program reads', () => {
	const source = files(path.join(ROOT, 'src')).filter((f) => f.endsWith('.c')).map((f) => fs.readFileSync(f, 'utf8')).join('\n');
	const own = new Set(['HICLAW_PORT_GATEWAY', 'HICLAW_PORT_CONSOLE', 'HICLAW_INSTALL_EMBEDDED_IMAGE', 'SLUICE_BIN']); // of the files themselves

	for (const file of [...files(DEPLOY), ...files(SKILL)]) {
		for (const [name] of fs.readFileSync(file, 'utf8').matchAll(/\b(?:SLUICE|HICLAW|OPENCLAW|MONITOR)_[A-Z0-9_]+\b/g))
			assert.ok(own.has(name) || source.includes(`"${name}"`), `${path.relative(ROOT, file)} names ${name}`);
	}
});

test('images are built with what the program needs to be built', () => {
	const needed = read(ROOT, 'script/packages.txt').split('\n').map((line) => line.trim().split(/\s+/)).filter(([group]) => group === 'build').map(([, name]) => name);

	assert.ok(needed.length > 5);
	for (const file of ['Dockerfile', 'Dockerfile.embedded'])
		for (const name of needed.filter((n) => n !== 'ca-certificates')) assert.ok(read(DEPLOY, file).split(/\s+/).includes(name), `${file}: ${name}`);
});

test('the skill is one that HiClaw takes, and no secret gets into its pages', () => {
	const skill = read(SKILL, 'SKILL.md');

	assert.match(skill, /^---\nname: ai-gateway-management\ndescription: .{40,}\n---\n/);
	for (const file of files(SKILL).filter((f) => f.endsWith('.md'))) {
		const text = fs.readFileSync(file, 'utf8');

		assert.doesNotMatch(text, /\$\{(HICLAW_ADMIN_PASSWORD|HICLAW_REGISTRATION_TOKEN|MANAGER_TOKEN)\}/, file);
		for (const [, link] of text.matchAll(/\]\(([^)#]+)\)/g)) assert.ok(fs.existsSync(path.join(path.dirname(file), link)), `${file}: ${link}`);
	}
	for (const [name] of skill.matchAll(/[a-z-]+\.sh/g)) assert.ok(fs.statSync(path.join(SKILL, 'scripts', name)).mode & 0o111, name);
	for (const name of ['monitor-server', 'install', 'list-providers', 'create-provider', 'set-model', 'get-assignment'])
		assert.match(read(SKILL, 'scripts', `${name}.sh`), /^#!\/bin\/sh\n/);
});

test('an image holds every library that the program needs, the directories that it is told, and the ports that are published', () => {
	const image = read(DEPLOY, 'Dockerfile');
	const [, last] = image.split(/^FROM debian:12-slim$/m).map((part) => part);
	const needed = [...execFileSync('readelf', ['-d', path.resolve(SLUICE)], { encoding: 'utf8' }).matchAll(/\(NEEDED\).*\[lib([a-z0-9-]*?)(?:-0)?\.so/g)].map(([, n]) => n);
	const packages = { crypto: 'libssl3', ssl: 'libssl3', cares: 'libc-ares2', yaml: 'libyaml-0-2', z: 'zlib1g', 'pcre2-8': 'libpcre2-8-0', seccomp: 'libseccomp2', crypt: 'libcrypt1', expat: 'libexpat1' };

	for (const name of needed.filter((n) => !/^(c|m|asan|ubsan|tsan|gcc_s)$/.test(n))) assert.ok(last.split(/\s+/).includes(packages[name]), `lib${name}: ${packages[name]}`);
	const exposed = /^EXPOSE (.*)$/m.exec(image)[1].split(' ');
	const published = [...read(DEPLOY, 'kubernetes.yaml').matchAll(/containerPort: (\d+)/g)].map(([, port]) => port);
	assert.deepEqual(published.sort(), exposed.sort());
	for (const [, port] of read(DEPLOY, 'compose.yaml').matchAll(/- "127\.0\.0\.1:.*:(\d+)"$/gm)) assert.ok(exposed.includes(port), port);
	for (const text of [image, read(DEPLOY, 'compose.yaml'), read(DEPLOY, 'kubernetes.yaml')]) assert.match(text, /SLUICE_DATA(=|: |, value: )\/data/);
	assert.match(image, /^VOLUME \/data$/m);
	assert.match(read(DEPLOY, 'compose.yaml'), /- sluice-data:\/data$/m);
	assert.match(read(DEPLOY, 'kubernetes.yaml'), /mountPath: \/data\}/);
	for (const [, file] of image.matchAll(/^COPY (?!--)(\S+) /gm)) assert.ok(fs.existsSync(path.join(ROOT, file)), file);
});

test('every command and flag that their documents name is one that the program has', async () => {
	const known = (await run(['agm', '--help'])).stdout;
	const all = (await run(['help', '--markdown'])).stdout;

	for (const file of [...files(DEPLOY), ...files(SKILL)].filter((f) => f.endsWith('.md'))) {
		const text = fs.readFileSync(file, 'utf8');

		for (const [, command] of text.matchAll(/\bsluice agm ([a-z-]+)/g)) assert.match(known, new RegExp(`^ {2}${command}\\b`, 'm'), `${file}: agm ${command}`);
		for (const line of text.split('\n').filter((l) => /\bsluice [a-z]|\.sh\b|^`--/.test(l) && !/docker|helm|kubectl/.test(l)))
			for (const [flag] of line.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)) assert.ok(all.includes(`${flag} `) || all.includes(`${flag}\n`) || ['--help'].includes(flag), `${file}: ${flag}`);
	}
});

const MAY_MOUNT = IS_ROOT && spawnSync('unshare', ['-m', 'mount', '--bind', '/proc', '/proc']).status === 0;

// A directory with a shell, the program and their libraries, as the smallest container has them.
function bareRoot(t) {
	const root = tempDir(t);
	const put = (from, to = from) => {
		fs.mkdirSync(path.join(root, path.dirname(to)), { recursive: true });
		fs.copyFileSync(fs.realpathSync(from), path.join(root, to));
	};

	put('/bin/sh');
	put(path.resolve(SLUICE), '/usr/local/bin/sluice');
	for (const program of ['/bin/sh', path.resolve(SLUICE)])
		for (const [, library] of execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/(?:=> |^\s+)(\/\S+)/gm)) put(library);
	fs.cpSync(SKILL, path.join(root, 'opt/hiclaw/agent/skills/ai-gateway-management'), { recursive: true });
	fs.mkdirSync(path.join(root, 'tmp'));
	fs.mkdirSync(path.join(root, 'data'));
	fs.mkdirSync(path.join(root, 'proc'));
	fs.mkdirSync(path.join(root, 'dev'));
	fs.mkdirSync(path.join(root, 'etc'));
	fs.writeFileSync(path.join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
	execFileSync('mknod', ['-m', '666', path.join(root, 'dev/null'), 'c', '1', '3']);
	return root;
}

test('the skill works in a root of nothing but a shell and the program', { skip: MAY_MOUNT && !isSanitized ? false : 'needs the right to mount, and a program that is not sanitized' }, async (t) => {
	const root = bareRoot(t);
	const free = net.createServer().listen(0, '127.0.0.1');
	await once(free, 'listening');
	const { port } = free.address();
	await new Promise((done) => free.close(done));
	const script = (name, ...args) => run(['-i', 'PATH=/bin:/usr/local/bin', 'SLUICE_USER=root', 'HICLAW_ADMIN_PASSWORD=secret-pw1', `MONITOR_PORT=${port}`, 'SLUICE_GATEWAY=127.0.0.1:0', 'SLUICE_CONSOLE=127.0.0.1:0', 'HICLAW_AI_GATEWAY_ADMIN_URL=http://127.0.0.1:1', 'HICLAW_AI_GATEWAY_URL=http://127.0.0.1:1',
		// With /proc in it as containers have it, in a mount namespace that ends with the program.
		'/usr/bin/unshare', '-m', '/bin/sh', '-c', '/usr/bin/mount --bind /proc "$0/proc" && exec /usr/sbin/chroot "$0" "$@"', root, `/opt/hiclaw/agent/skills/ai-gateway-management/scripts/${name}`, ...args], { program: '/usr/bin/env' });
	const pidFile = path.join(root, 'tmp/monitor-server.pid');

	t.after(async () => {
		if (!fs.existsSync(pidFile)) return;
		const pid = Number(fs.readFileSync(pidFile, 'utf8').split(/\s/)[0]);
		const alive = () => fs.existsSync(`/proc/${pid}/root`) && fs.readlinkSync(`/proc/${pid}/root`) === root;
		if (pid > 0 && alive()) {
			process.kill(pid, 'SIGKILL');
			await until('the monitor to end', () => !alive());
		}
	});
	const started = await script('monitor-server.sh', 'start');
	assert.equal(started.code, 0, started.stdout + started.stderr + (fs.existsSync(path.join(root, 'tmp/monitor-server.log')) ? fs.readFileSync(path.join(root, 'tmp/monitor-server.log'), 'utf8') : ''));
	assert.match(started.stdout, /Monitor server started \(PID: \d+\)/);
	assert.match((await script('monitor-server.sh', 'status')).stdout, /Monitor server running \(PID: \d+\)/);
	assert.equal((await fetch(`http://127.0.0.1:${port}/ni_status/health`)).status, 200);
	const created = await script('create-provider.sh', '--type', 'qwen', '--name', 'qwen', '--token', 'k'.repeat(20));
	assert.equal(created.stdout, "SUCCESS: Provider 'qwen' created\n", created.stderr);
	assert.equal((await script('list-providers.sh')).stdout, 'qwen\tqwen\t1 tokens\n');
	assert.equal((await script('get-assignment.sh', 'worker:alice')).stdout, "Worker 'alice' has no model assignment stored\n");
	assert.equal((await script('set-model.sh')).code, 1);
	assert.match((await script('monitor-server.sh', 'stop')).stdout, /Monitor server stopped \(PID: \d+\)/);
	assert.equal((await script('monitor-server.sh', 'status')).code, 1);
});
