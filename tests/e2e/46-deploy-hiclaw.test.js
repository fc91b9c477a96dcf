// What deploy/hiclaw and the skill hand out to be copied: files that parse, settings that are in force, names that exist,
// and nothing that HiClaw's renderer would turn into a secret.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { ROOT, run, tempDir } from './lib/sluice.js';

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
