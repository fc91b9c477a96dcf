// The binary answers at all: version, help, wrong usage and exit codes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { ROOT, run, tempDir } from './lib/sluice.js';

test('version prints the version of this tree', async () => {
	const version = fs.readFileSync(path.join(ROOT, 'VERSION'), 'utf8').trim();
	for (const args of [['version'], ['--version']]) {
		const got = await run(args);
		assert.equal(got.code, 0);
		assert.match(got.stdout, new RegExp(version.replaceAll('.', '\\.')));
	}
});

test('help lists the commands, and each command has help with an example', async () => {
	const overview = await run(['help']);
	assert.equal(overview.code, 0);
	for (const command of ['serve', 'mock', 'version', 'help']) {
		assert.match(overview.stdout, new RegExp(`^  ${command} `, 'm'));
		const own = await run([command, '--help']);
		assert.equal(own.code, 0);
		assert.match(own.stdout, /^Example: sluice /m);
		assert.deepEqual((await run(['help', command])).stdout, own.stdout);
	}
});

test('no command is wrong usage and shows the overview on stderr', async () => {
	const got = await run([]);
	assert.equal(got.code, 2);
	assert.match(got.stderr, /Commands:/);
	assert.equal(got.stdout, '');
});

const WRONG = [
	// arguments, what the sentence must name
	[['sevre'], /serve/],
	[['serve', '--gatway', '127.0.0.1:0'], /--gatway.*--?gateway/s],
	[['serve', '--gateway', 'nonsense'], /gateway/],
	[['serve', '--workers', '0'], /workers/],
	[['serve', '--workers'], /workers/],
	[['serve', '--limit', 'body-mux=1M'], /body-mux.*body-max/s],
	[['serve', 'stray'], /stray/],
	[['mock', '--nope'], /nope/],
];
for (const [args, names] of WRONG)
	test(`wrong usage: sluice ${args.join(' ')} ends with 2 and one sentence that names it`, async () => {
		const got = await run(args);
		assert.equal(got.code, 2, got.stderr);
		assert.match(got.stderr, names);
		assert.equal(got.stderr.trim().split('\n').length, 1, got.stderr);
	});

test('serve --check prints the effective settings and the memory bound, and starts nothing', async (t) => {
	const data = tempDir(t);
	const got = await run(['serve', '--check', '--data', data, '--gateway', '127.0.0.1:0', '--memory-max', '64M']);
	assert.equal(got.code, 0, got.stderr);
	assert.match(got.stdout, /memory bound: \d+ bytes/);
	assert.match(got.stdout, /gateway/);
});

test('an unknown key of the configuration file is an error with the nearest name', async (t) => {
	const file = path.join(tempDir(t), 'sluice.yaml');
	fs.writeFileSync(file, 'wokers: 2\n');
	const got = await run(['serve', '--check', '--config', file]);
	assert.equal(got.code, 2);
	assert.match(got.stderr, /wokers.*workers/s);
});

test('flag before environment before file before default', async (t) => {
	const dir = tempDir(t);
	const file = path.join(dir, 'sluice.yaml');
	fs.writeFileSync(file, 'workers: 2\nbusy-poll: 7\ndrain-timeout: 9s\n');
	const got = await run(['serve', '--check', '--config', file, '--data', dir, '--workers', '3'], {
		env: { SLUICE_WORKERS: '4', SLUICE_BUSY_POLL: '8' },
	});
	assert.equal(got.code, 0, got.stderr);
	assert.match(got.stdout, /^workers: 3\b/m);
	assert.match(got.stdout, /^busy-poll: 8\b/m);
	assert.match(got.stdout, /^drain-timeout: 9/m);
	assert.match(got.stdout, /^log-level: info\b/m);
});
