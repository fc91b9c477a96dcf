// The Debian package: built twice with the same bytes, looked into, and its program run from where it was unpacked.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { ROOT, run, startServe, tempDir } from './lib/sluice.js';

const VERSION = fs.readFileSync(path.join(ROOT, 'VERSION'), 'utf8').trim();
const build = (dir) => execFileSync(path.join(ROOT, 'script/package'), [dir], { encoding: 'utf8', env: { ...process.env, SOURCE_DATE_EPOCH: '1767225600' }, stdio: ['ignore', 'pipe', 'ignore'] }).trim();
const deb = (...args) => execFileSync('dpkg-deb', args, { encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } });

test('a package is made of the tree', async (t) => {
	const dir = tempDir(t);
	const file = build(path.join(dir, 'one'));
	const root = path.join(dir, 'root');
	const read = (name) => fs.readFileSync(path.join(root, name), 'utf8');

	await t.test('its bytes depend on nothing but the tree and a date', () => {
		assert.match(path.basename(file), new RegExp(`^sluice_${VERSION.replaceAll('.', '\\.')}_[a-z0-9]+\\.deb$`));
		const sum = (f) => crypto.createHash('sha256').update(fs.readFileSync(f)).digest('hex');
		assert.equal(sum(build(path.join(dir, 'two'))), sum(file));
	});

	deb('-x', file, root);
	deb('-e', file, path.join(dir, 'control'));
	const control = (name) => fs.readFileSync(path.join(dir, 'control', name), 'utf8');

	await t.test('it holds what belongs there, owned by root, and nothing that anybody may change', () => {
		const list = deb('-c', file).trim().split('\n').map((line) => line.split(/\s+/));
		const names = list.map((l) => l[5]);
		for (const name of ['./usr/bin/sluice', './usr/lib/systemd/system/sluice.service', './usr/lib/sysusers.d/sluice.conf', './usr/lib/tmpfiles.d/sluice.conf', './etc/logrotate.d/sluice',
			'./etc/sluice/environment', './usr/share/man/man1/sluice.1.gz', './usr/share/bash-completion/completions/sluice', './usr/share/doc/sluice/copyright', './usr/share/doc/sluice/LICENSE',
			'./usr/share/doc/sluice/configuration.md', './usr/share/doc/sluice/examples/quickstart/', './usr/share/sluice/skills/ai-gateway-management/SKILL.md'])
			assert.ok(names.includes(name), name);
		for (const [mode, owner, , day, , name] of list) {
			assert.equal(owner, 'root/root', name);
			assert.equal(day, '2026-01-01', name);
			assert.doesNotMatch(mode, /^.{5}w|^.{8}w|s|t/, name);
		}
		assert.equal(list.find((l) => l[5] === './etc/sluice/environment')[0], '-rw-------', 'keys may stand in it');
		assert.deepEqual(control('conffiles').trim().split('\n'), ['/etc/logrotate.d/sluice', '/etc/sluice/environment']);
		for (const line of control('md5sums').trim().split('\n')) {
			const [sum, name] = line.split(/ +/);
			assert.equal(crypto.createHash('md5').update(fs.readFileSync(path.join(root, name))).digest('hex'), sum, name);
		}
	});

	await t.test('it names the libraries that its program needs', () => {
		const depends = /^Depends: (.*)$/m.exec(control('control'))[1];
		for (const library of ['libc6', 'libssl3', 'libc-ares2', 'libyaml-0-2']) assert.match(depends, new RegExp(`\\b${library} \\(>= \\d`));
		const needed = [...execFileSync('readelf', ['-d', path.join(root, 'usr/bin/sluice')], { encoding: 'utf8' }).matchAll(/\(NEEDED\).*\[(.*)\.so/g)].map(([, n]) => n.replace('libcrypto', 'libssl'));
		assert.equal(new Set(needed).size, depends.split(', ').length - 1, `${needed}: ${depends}`); // and systemd
	});

	await t.test('the service starts what is in it, as nobody else, with no capability but that for low ports', () => {
		const unit = read('usr/lib/systemd/system/sluice.service');
		const [, program] = /^ExecStart=(\S+) serve/m.exec(unit);
		assert.ok(fs.statSync(path.join(root, program)).mode & 0o111);
		assert.match(unit, /^User=sluice$/m);
		assert.match(read('usr/lib/sysusers.d/sluice.conf'), /^u sluice /m);
		assert.match(unit, /^CapabilityBoundingSet=CAP_NET_BIND_SERVICE$/m);
		for (const rule of ['NoNewPrivileges=yes', 'ProtectSystem=strict', 'ProtectHome=yes', 'PrivateTmp=yes', 'PrivateDevices=yes', 'RestrictNamespaces=yes', 'SystemCallArchitectures=native']) assert.ok(unit.includes(`\n${rule}\n`), rule);
		for (const name of ['/var/lib/sluice', '/var/lib/sluice/resources']) assert.match(read('usr/lib/tmpfiles.d/sluice.conf'), new RegExp(`^d ${name} 0700 sluice sluice$`, 'm'));
		for (const script of ['postinst', 'prerm', 'postrm']) {
			execFileSync('sh', ['-n', path.join(dir, 'control', script)]);
			assert.match(control(script), /^#!\/bin\/sh\n(#.*\n)*set -e\n/);
		}
	});

	await t.test('its program runs, with the example that it brings', async (t2) => {
		const program = path.join(root, 'usr/bin/sluice');
		assert.match((await run(['version'], { program })).stdout, new RegExp(`^sluice ${VERSION.replaceAll('.', '\\.')}`));
		const lint = await run(['lint', path.join(root, 'usr/share/doc/sluice/examples/quickstart')], { program });
		assert.equal(lint.code, 0, lint.stdout + lint.stderr);
		const data = path.join(dir, 'data');
		fs.cpSync(path.join(root, 'usr/share/doc/sluice/examples/quickstart/resources'), path.join(data, 'resources'), { recursive: true });
		const serve = await startServe(t2, { data, program, args: ['--access-log', 'off'] });
		assert.equal((await fetch(`${serve.url}/healthz/ready`)).status, 200);
	});

	await t.test('its manual page has every command', async () => {
		const page = gunzipSync(fs.readFileSync(path.join(root, 'usr/share/man/man1/sluice.1.gz'))).toString();
		const { stdout } = await run(['help']);
		assert.match(page, /^\.\\".*\n\.TH SLUICE 1 /);
		for (const [, name] of stdout.matchAll(/^ {2}([a-z-]+) /gm)) assert.ok(page.includes(`.SH "sluice ${name}"\n.nf\n${name.replaceAll('-', '\\-')}: `), name);
		assert.doesNotMatch(page, /^['.](?!\\"|TH|SH|B|I|TP|nf|fi)/m, 'no request that is none of ours');
	});
});
