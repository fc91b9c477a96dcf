// What the process is and may do: its user and capabilities, its sandbox, what a service manager hears.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { request, startUpstream } from './lib/http.js';
import { writeRoute, writeWorld } from './lib/resources.js';
import { cleanEnv, IS_ROOT, isSanitized, run, SLUICE, startServe, tempDir, until } from './lib/sluice.js';

const NOBODY = 65534;
const ASK = { model: 'm', messages: [] };
const asRoot = { skip: IS_ROOT ? false : 'only root can change to another user' };
// A process that changed its user cannot be stopped by the leak check of the sanitizer.
const changesUser = { skip: asRoot.skip || (isSanitized && 'not with a sanitizer') };
const NO_CAPABILITY = '0000000000000000';

// { Uid: '0 0 0 0', NoNewPrivs: '1', ... }
function statusOf(pid) {
	const lines = fs.readFileSync(`/proc/${pid}/status`, 'utf8').trim().split('\n');
	return Object.fromEntries(lines.map((line) => line.split(/:\s*/)).map(([name, value]) => [name, value.replaceAll('\t', ' ')]));
}

function giveTo(uid, file) {
	fs.lchownSync(file, uid, uid);
	if (fs.lstatSync(file).isDirectory()) for (const name of fs.readdirSync(file)) giveTo(uid, path.join(file, name));
}

async function world(t) {
	const upstream = await startUpstream(t);
	const what = { providers: [{ id: 'p', address: upstream.address }], routes: [{ name: 'a', host: 'a.test', to: 'p' }] };
	const data = writeWorld(tempDir(t), what);
	return { data, what, root: path.join(data, 'resources') };
}

const status = async (serve, host) => (await request(serve.port, { headers: { host }, body: ASK })).status;
const live = (serve, host) => until(`${host} to be live`, async () => (await status(serve, host)) === 200);
const said = (serve, pattern) => until(`${pattern} in the log`, () => pattern.test(serve.stderr()));
const fileOf = (root, name) => path.join(root, `ingresses/ai-route-${name}.internal.yaml`);

// --- user and capabilities ---

test('root that was not asked for is refused, with the remedy', asRoot, async (t) => {
	const { data } = await world(t);
	for (const more of [[], ['--check']]) {
		const got = await run(['serve', '--data', data, '--gateway', '127.0.0.1:0', ...more], { env: { SLUICE_USER: undefined } });
		assert.equal(got.code, 2, got.stderr);
		assert.match(got.stderr, /^sluice serve: started as root; [^\n]*--user root[^\n]*\n$/);
		assert.equal(got.stdout, '');
	}
});

test('users that are not there, and changes that only root may make', async (t) => {
	const { data } = await world(t);
	const serve = (user) => run(['serve', '--data', data, '--gateway', '127.0.0.1:0', '--user', user]);
	for (const user of ['no-such-user', 'nobody:no-such-group', ':', '4294967295']) {
		const got = await serve(user);
		assert.equal(got.code, 2, user);
		assert.match(got.stderr, /--user: [^\n]+\n$/);
	}
	if (IS_ROOT) return;
	const got = await serve('root');
	assert.equal(got.code, 2);
	assert.match(got.stderr, /only root may change to user root/);
});

test('root that stays root keeps one capability', asRoot, async (t) => {
	const { data } = await world(t);
	const serve = await startServe(t, { data, env: { SLUICE_USER: 'root' } });
	const is = statusOf(serve.pid);
	assert.equal(is.Uid, '0 0 0 0');
	for (const set of ['CapPrm', 'CapEff', 'CapBnd']) assert.equal(is[set], '0000000000000002', set);
	for (const set of ['CapInh', 'CapAmb']) assert.equal(is[set], NO_CAPABILITY, set);
	await live(serve, 'a.test');
});

test('another user: listeners as root, everything else as that user; resources, log and rotation', changesUser, async (t) => {
	const { data, what, root } = await world(t);
	const log = path.join(data, 'log');
	fs.mkdirSync(log, { mode: 0o700 });
	giveTo(NOBODY, data);
	const file = path.join(log, 'access.log');
	const serve = await startServe(t, { data, dir: data, args: ['--user', 'nobody', '--access-log', file] });
	const is = statusOf(serve.pid);
	assert.equal(is.Uid, `${NOBODY} ${NOBODY} ${NOBODY} ${NOBODY}`);
	assert.equal(is.Gid, `${NOBODY} ${NOBODY} ${NOBODY} ${NOBODY}`);
	assert.equal(is.Groups.trim(), `${NOBODY}`);
	for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) assert.equal(is[set], NO_CAPABILITY, set);
	for (const thread of fs.readdirSync(`/proc/${serve.pid}/task`))
		assert.equal(statusOf(`${serve.pid}/task/${thread}`).CapEff, NO_CAPABILITY, 'every thread');

	await live(serve, 'a.test');
	writeRoute(data, what, { name: 'b', host: 'b.test', to: 'p' });
	giveTo(NOBODY, root);
	await live(serve, 'b.test');
	await until('a line', () => fs.readFileSync(file, 'utf8').includes('b.test'));
	fs.renameSync(file, `${file}.1`);
	serve.kill('SIGHUP');
	await until('the new file', () => fs.existsSync(file));
	for (const made of [file, fs.readdirSync(data).filter((name) => name.startsWith('ready-')).map((name) => path.join(data, name))[0]]) {
		const st = fs.statSync(made);
		assert.equal(st.uid, NOBODY, made);
		assert.equal(st.mode & 0o777, 0o600, made);
	}
	assert.equal((await serve.stop()).code, 0);
});

test('a user that may not read the resources is told at the start', changesUser, async (t) => {
	const { data, root } = await world(t);
	fs.chmodSync(data, 0o755);
	fs.chmodSync(root, 0o700);
	for (const more of [[], ['--check']]) {
		const got = await run(['serve', '--data', data, '--gateway', '127.0.0.1:0', '--user', 'nobody', ...more]);
		assert.equal(got.code, 1, got.stderr);
		assert.match(got.stderr, /user nobody cannot read \S*resources \(Permission denied\); `chown /);
	}
});

test('an ordinary user needs no option, and gives up what its manager gave it', changesUser, async (t) => {
	const { data } = await world(t);
	const program = path.join(data, 'sluice'); // the tree may be in a directory that is only root's
	fs.copyFileSync(SLUICE, program);
	giveTo(NOBODY, data);
	const user = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
	for (const [wrap, given] of [[user, false], [[...user, '--inh-caps=+net_bind_service', '--ambient-caps=+net_bind_service'], true]]) {
		const serve = await startServe(t, { data, dir: data, env: { SLUICE_USER: undefined }, wrap, program });
		const is = statusOf(serve.pid);
		assert.equal(is.Uid, `${NOBODY} ${NOBODY} ${NOBODY} ${NOBODY}`);
		for (const set of ['CapPrm', 'CapEff', 'CapAmb']) assert.equal(is[set], NO_CAPABILITY, set);
		await live(serve, 'a.test');
		assert.equal((await serve.stop()).code, 0);
		assert.equal(/capabilities given up: 1/.test(serve.stderr()), given, serve.stderr());
	}
});

// --- sandbox ---

test('the sandbox is entered by every thread, and can be switched off', async (t) => {
	const { data } = await world(t);
	const serve = await startServe(t, { data });
	for (const thread of fs.readdirSync(`/proc/${serve.pid}/task`)) {
		const is = statusOf(`${serve.pid}/task/${thread}`);
		assert.equal(is.NoNewPrivs, '1');
		assert.equal(is.Seccomp, '2');
	}
	await said(serve, /sandbox: no new privileges, files [^\n]*, \d+ system calls refused/);
	const off = await startServe(t, { data, args: ['--sandbox', 'off'] });
	const is = statusOf(off.pid);
	assert.equal(is.Seccomp, '0');
	await said(off, /the sandbox is off/);
});

test('a link out of the resources is not followed; one that stays inside is, and may be swapped', async (t) => {
	const { data, root, what } = await world(t);
	const outside = tempDir(t);
	writeRoute(data, what, { name: 'b', host: 'b.test', to: 'p' });
	fs.renameSync(fileOf(root, 'b'), path.join(outside, 'b.yaml'));
	fs.symlinkSync(path.join(outside, 'b.yaml'), fileOf(root, 'b'));
	// As a volume of Kubernetes is: files are links through ..data, which is swapped.
	for (const version of ['1', '2']) {
		fs.mkdirSync(path.join(root, `..${version}`));
		writeRoute(data, what, { name: 'c', host: `c${version}.test`, to: 'p' });
		fs.renameSync(fileOf(root, 'c'), path.join(root, `..${version}`, 'c.yaml'));
	}
	fs.symlinkSync('..1', path.join(root, '..data'));
	fs.symlinkSync('../..data/c.yaml', fileOf(root, 'c'));
	const serve = await startServe(t, { data });
	await said(serve, /sandbox: /);
	if (!/landlock \d/.test(serve.stderr())) return t.skip('this kernel has no landlock');
	await said(serve, /ai-route-b\.internal\.yaml:0:0: error: cannot read [^\n]*no symbolic link leads out[^\n]*\(file-unreadable\)/);
	assert.equal(await status(serve, 'b.test'), 404);
	assert.equal(await status(serve, 'c1.test'), 200);
	fs.symlinkSync('..2', path.join(root, '..new'));
	fs.renameSync(path.join(root, '..new'), path.join(root, '..data'));
	await live(serve, 'c2.test');
	assert.equal(await status(serve, 'c1.test'), 404);
	const free = await startServe(t, { data, args: ['--sandbox', 'off'] });
	assert.equal(await status(free, 'b.test'), 200, 'it is the sandbox that refuses');
});

test('resources that are replaced as a whole: by a rename below DATA, by a link that is swapped', async (t) => {
	const { data, root, what } = await world(t);
	const serve = await startServe(t, { data });
	await live(serve, 'a.test');
	fs.renameSync(root, path.join(data, 'old'));
	writeWorld(data, { ...what, routes: [{ name: 'a', host: 'new.test', to: 'p' }] });
	await live(serve, 'new.test');

	const releases = tempDir(t);
	for (const n of [1, 2])
		writeWorld(path.join(releases, 'all', `${n}`), { ...what, routes: [{ name: 'a', host: `r${n}.test`, to: 'p' }] });
	const current = path.join(releases, 'current');
	fs.symlinkSync('all/1', current);
	const linked = await startServe(t, { data: tempDir(t), args: ['--resources', path.join(current, 'resources')] });
	await live(linked, 'r1.test');
	fs.symlinkSync('all/2', `${current}.new`);
	fs.renameSync(`${current}.new`, current);
	linked.kill('SIGHUP');
	await live(linked, 'r2.test');
});

test('killed without warning: what is on the disk serves again', async (t) => {
	const data = path.join(tempDir(t), 'data');
	const env = { DEEPSEEK_API_KEY: 'sk-x' };
	const dir = tempDir(t);
	const first = await startServe(t, { data, dir, env });
	await until('the key to be printed', () => first.stderr().includes('Bearer'));
	first.kill('SIGKILL');
	assert.equal((await first.exited).signal, 'SIGKILL');
	assert.ok(fs.readdirSync(dir).some((name) => name.startsWith('ready-')), 'its ready file is left');
	const again = await startServe(t, { data, dir, env });
	const got = await request(again.port, { headers: { authorization: 'Bearer wrong' }, body: ASK });
	assert.equal(got.status, 401, 'the consumer is there');
	assert.equal((await again.stop()).code, 0);
	assert.ok(!again.stderr().includes('Bearer'), 'nothing was written anew');
});

// --- the service manager ---

// Listens as systemd does (node has no datagram sockets of this family). { messages(), address }
async function manager(t, abstract) {
	const dir = tempDir(t);
	const name = abstract ? `@sluice-e2e-${process.pid}` : path.join(dir, 'notify');
	const child = spawn('perl', ['-MSocket', '-e', `
		$| = 1;
		($name = $ARGV[0]) =~ s/^@/\\0/;
		socket(S, PF_UNIX, SOCK_DGRAM, 0) && bind(S, pack_sockaddr_un($name)) or die $!;
		print "listening\\n\\n";
		print "$got\\n\\n" while defined(recv(S, $got, 4096, 0));`, name], { stdio: ['ignore', 'pipe', 'inherit'] });
	let out = '';
	child.stdout.on('data', (chunk) => (out += chunk));
	t.after(() => child.kill('SIGKILL'));
	await until('the manager to listen', () => out.startsWith('listening'));
	if (!abstract) fs.chmodSync(name, 0o777);
	return { address: name, messages: () => out.split('\n\n').slice(1, -1) };
}

for (const abstract of [false, true])
	test(`a service manager hears of start, reload, life and end (${abstract ? 'abstract name' : 'path'})`, async (t) => {
		const { data, what } = await world(t);
		const { address, messages } = await manager(t, abstract);
		const heard = (pattern) => messages().filter((message) => pattern.test(message));
		const serve = await startServe(t, { data, env: { NOTIFY_SOCKET: address, WATCHDOG_USEC: '200000' } });
		await until('READY', () => heard(/^READY=1\n/).length === 1);
		assert.match(heard(/^READY/)[0], /^READY=1\nSTATUS=1 routes, 1 providers, 0 consumers on 127\.0\.0\.1:\d+$/);
		await until('three signs of life', () => heard(/^WATCHDOG=1$/).length >= 3);

		serve.kill('SIGHUP');
		await until('READY again', () => heard(/^READY=1\n/).length === 2);
		const [reloading] = heard(/^RELOADING=1\n/);
		assert.match(reloading, /^RELOADING=1\nMONOTONIC_USEC=\d+\nSTATUS=/);
		assert.ok(messages().indexOf(reloading) < messages().findLastIndex((message) => message.startsWith('READY=1')));

		writeRoute(data, what, { name: 'b', host: 'b.test', to: 'p' });
		serve.kill('SIGHUP');
		await until('READY with the new route', () => heard(/^READY=1\nSTATUS=2 routes/).length >= 1);
		assert.equal((await serve.stop()).code, 0);
		await until('STOPPING', () => heard(/^STOPPING=1\n/).length === 1);
		assert.equal(messages().filter((message) => !message.startsWith('WATCHDOG')).at(-1), heard(/^STOPPING/)[0], 'the last word');
	});

// Stops one thread, as a debugger does, until it is killed; false where the system does not allow it.
async function holdThread(t, tid) {
	const SEIZE = 0x4206;
	const INTERRUPT = 0x4207;
	const child = spawn('perl', ['-e', `
		$| = 1;
		my ($nil, $tid, $seize, $interrupt) = (0, ${tid}, ${SEIZE}, ${INTERRUPT});
		syscall(101, $seize, $tid, $nil, $nil) == 0 && syscall(101, $interrupt, $tid, $nil, $nil) == 0 or print("no\n"), exit;
		print "held\n";
		sleep 60;`], { stdio: ['ignore', 'pipe', 'inherit'] });
	let out = '';
	child.stdout.on('data', (chunk) => (out += chunk));
	t.after(() => child.kill('SIGKILL'));
	await until('the debugger', () => out !== '');
	return out === 'held\n' && (() => child.kill('SIGKILL'));
}

test('a worker that stands still ends the signs of life', { skip: process.arch !== 'x64' && 'the system call has another number' }, async (t) => {
	const { data } = await world(t);
	const { address, messages } = await manager(t, false);
	const signs = () => messages().filter((message) => message === 'WATCHDOG=1').length;
	const serve = await startServe(t, { data, args: ['--workers', '1'], env: { NOTIFY_SOCKET: address, WATCHDOG_USEC: '1000000' } });
	await until('signs of life', () => signs() >= 2);
	// The worker is the thread that was made last.
	const release = await holdThread(t, Math.max(...fs.readdirSync(`/proc/${serve.pid}/task`).map(Number)));
	if (!release) return t.skip('no thread may be stopped here');
	await said(serve, /worker 0 has stood still for 500 ms/);
	const before = signs();
	release();
	await until('signs of life again', () => signs() > before);
	await live(serve, 'a.test');
});

// --- logs that nobody reads ---

// A pipe that is open for reading and never read. Returns its path; t closes it.
function deafPipe(t) {
	const pipe = path.join(tempDir(t), 'pipe');
	execFileSync('mkfifo', [pipe]);
	const fd = fs.openSync(pipe, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
	t.after(() => fs.closeSync(fd));
	return { pipe, fd };
}

// Requests that find no route: a line each, as fast as they are answered.
async function manyLines(serve, n) {
	const path = `/${'x'.repeat(400)}`;
	const socket = net.connect(serve.port, '127.0.0.1');
	let answers = 0;
	socket.on('data', (chunk) => (answers += chunk.toString('latin1').split('HTTP/1.1 404').length - 1));
	for (let i = 0; i < n; i += 100) {
		socket.write(`GET ${path} HTTP/1.1\r\nHost: nobody.test\r\n\r\n`.repeat(100));
		await until('answers', () => answers >= i + 100);
	}
	socket.destroy();
}

test('an access log that nobody reads: requests go on, what is lost is said, SIGTERM ends it', async (t) => {
	const { data } = await world(t);
	const { pipe } = deafPipe(t);
	const serve = await startServe(t, { data, args: ['--workers', '1', '--access-log', pipe] });
	await manyLines(serve, 4000);
	assert.equal(await status(serve, 'a.test'), 200);
	await said(serve, /\d+ access lines were lost[^\n]*pipe/);
	const page = await (await fetch(`http://127.0.0.1:${serve.console}/metrics`)).text();
	assert.ok(Number(/^sluice_log_dropped_total (\d+)$/m.exec(page)[1]) > 0);
	assert.equal((await serve.stop()).code, 0);
});

test('an access log on a full disk: requests go on, it is said, and lines are whole again when there is room', asRoot, async (t) => {
	const { data } = await world(t);
	const disk = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-disk-'));
	let mounted = false;
	t.after(() => {
		if (mounted) execFileSync('umount', ['-l', disk]);
		fs.rmdirSync(disk);
	});
	try {
		execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', disk], { stdio: 'ignore' });
		mounted = true;
	} catch {
		return t.skip('nothing may be mounted here');
	}
	const log = path.join(disk, 'access.log');
	const serve = await startServe(t, { data, args: ['--workers', '1', '--access-log', log] });
	await manyLines(serve, 100);
	assert.equal(await status(serve, 'a.test'), 200);
	await said(serve, /\d+ access lines were lost[^\n]*access\.log cannot be written to \(No space left/);
	assert.equal(fs.statSync(log).size, 8192);
	fs.truncateSync(log, 0);
	await status(serve, 'a.test');
	await until('a line', () => fs.readFileSync(log, 'utf8').includes('a.test'));
	for (const line of fs.readFileSync(log, 'utf8').split('\n')) if (line !== '') JSON.parse(line);
	assert.equal(fs.readFileSync(log, 'utf8')[0], '\n', 'the end of the line that was cut');
	assert.equal((await serve.stop()).code, 0);
});

test('an stderr that nobody reads: it starts, reloads and ends; what was not said is counted when somebody reads', async (t) => {
	const { data, what } = await world(t);
	const { pipe, fd } = deafPipe(t);
	const fill = () => {
		try {
			for (;;) fs.writeSync(fd, 'x'.repeat(4096));
		} catch (error) {
			assert.equal(error.code, 'EAGAIN');
		}
	};
	const empty = () => {
		let text = '';
		try {
			for (const room = Buffer.alloc(65536); ;) text += room.toString('latin1', 0, fs.readSync(fd, room));
		} catch (error) {
			assert.equal(error.code, 'EAGAIN');
		}
		return text;
	};
	fill();
	const serve = await startServe(t, { data, wrap: ['sh', '-c', `exec "$@" 2>${pipe}`, 'sh'] });
	await live(serve, 'a.test');
	empty();
	writeRoute(data, what, { name: 'b', host: 'b.test', to: 'p' });
	await live(serve, 'b.test');
	let text = '';
	await until('what was lost', () => /[1-9]\d* lines before this one found no reader/.test((text += empty())));
	fill();
	assert.equal((await serve.stop()).code, 0);
});

test('SIGTERM while it starts: it ends with 0 and never says that it is ready', async (t) => {
	const { data, root } = await world(t);
	const { address, messages } = await manager(t, false);
	for (let i = 0; i < 3000; i++) fs.copyFileSync(fileOf(root, 'a'), fileOf(root, `copy-${i}`));
	const ready = path.join(data, 'ready.json');
	const child = spawn(SLUICE, ['serve', '--data', data, '--gateway', '127.0.0.1:0', '--ready-file', ready], {
		env: cleanEnv({ NOTIFY_SOCKET: address }), stdio: ['ignore', 'ignore', 'pipe'],
	});
	let text = '';
	child.stderr.on('data', (chunk) => {
		if (text === '' || !/sandbox: /.test(text)) setImmediate(() => /sandbox: /.test(text) && child.kill('SIGTERM'));
		text += chunk;
	});
	const [code] = await once(child, 'close');
	assert.equal(code, 0, text);
	assert.match(text, /stopping/);
	if (text.indexOf('ready on') >= 0 && text.indexOf('ready on') < text.indexOf('stopping')) return t.skip('it was faster than the signal');
	assert.doesNotMatch(text, /ready on/);
	assert.ok(!fs.existsSync(ready));
	assert.ok(!messages().some((message) => message.startsWith('READY')));
});

// --- descriptors, and --check ---

test('descriptors that are too few for connections-max are told', async (t) => {
	const { data } = await world(t);
	const wrap = ['prlimit', '--nofile=300:400'];
	const few = await startServe(t, { data, wrap, args: ['--workers', '1'] });
	// 400, since the soft limit is raised; 128 for the process and management, 8 for the worker, two for each connection.
	await said(few, /400 descriptors are enough for 132 connections per worker[^\n]*connections-max allows 100000/);
	await said(few, /ready on [^\n]*descriptors for 132 connections per worker/);
	const enough = await startServe(t, { data, wrap, args: ['--workers', '1', '--limit', 'connections-max=132'] });
	assert.equal((await enough.stop()).code, 0);
	assert.doesNotMatch(enough.stderr(), /descriptors are enough/);
});

test('serve --check reads the resources: 0 when nothing is wrong, 1 when something is', async (t) => {
	const { data, root } = await world(t);
	const check = (...more) => run(['serve', '--data', data, '--check', ...more]);
	const good = await check();
	assert.equal(good.code, 0, good.stderr);
	assert.match(good.stdout, /^# descriptors: \d+ of \d+, enough for \d+ connections per worker/m);
	assert.match(good.stdout, /^# resources: \d+ files, 1 routes, 1 providers, 0 consumers; 0 errors, \d+ other findings$/m);
	fs.writeFileSync(fileOf(root, 'broken'), 'kind: Ingress\nspec: [\n');
	const bad = await check();
	assert.equal(bad.code, 1);
	assert.match(bad.stderr, /^ingresses\/ai-route-broken\.internal\.yaml:\d+:\d+: error: [^\n]+ \([a-z-]+\)$/m);
	assert.match(bad.stdout, /; 1 errors, /);
	assert.ok(!fs.existsSync(path.join(data, 'state')), 'it writes nothing');
	const config = path.join(data, 'sluice.yaml');
	fs.writeFileSync(config, 'sandbox: off\n');
	assert.match((await check('--config', config)).stdout, /^sandbox: off # file$/m);
});

// How often its threads went to sleep by themselves.
function sleepsOf(pid) {
	return fs.readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
		const text = fs.readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
		return sum + Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(text)[1]);
	}, 0);
}

async function sleepsOfRequests(serve, n) {
	const before = sleepsOf(serve.pid);
	for (let i = 0; i < n; i++) assert.equal(await status(serve, 'a.test'), 200);
	return sleepsOf(serve.pid) - before;
}

test('--busy-poll: a worker that polls answers all the same and seldom sleeps between requests', async (t) => {
	const { data } = await world(t);
	const sleeper = await startServe(t, { data, args: ['--workers', '1'] });
	const poller = await startServe(t, { data: (await world(t)).data, args: ['--workers', '1', '--busy-poll', '1000'] });
	const seen = [];
	// On a machine that is busy with other work the worker gives up polling more often: a few tries.
	for (let round = 0; round < 8; round++) {
		seen.push([await sleepsOfRequests(poller, 100), await sleepsOfRequests(sleeper, 100)]);
		const [polled, slept] = seen.at(-1);
		if (polled * 4 < slept * 3) return;
	}
	assert.fail(`sleeps of 100 requests, polling and not: ${JSON.stringify(seen)}`);
});
