// Starts and stops the programs under test. Everything is found by a ready file and ended by its pid;
// nothing sleeps for a guessed time, and every wait is bounded.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const SLUICE = process.env.SLUICE ?? path.join(ROOT, 'build/sluice');

const START_MS = 30000; // a sanitized binary on a busy machine
const STOP_MS = 45000; // longer than the default drain timeout

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// Calls probe until it returns something true; fails after `ms` with what was awaited.
export async function until(what, probe, ms = 20000) {
	const end = Date.now() + ms;
	for (;;) {
		const got = await probe();
		if (got) return got;
		if (Date.now() > end) throw new Error(`waited ${ms} ms for ${what}`);
		await sleep(10);
	}
}

export function tempDir(t) {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-e2e-'));
	t.after(() => fs.rmSync(dir, { recursive: true, force: true, maxRetries: 40, retryDelay: 50 }));
	return dir;
}

export const IS_ROOT = process.getuid() === 0;

// The environment without what changes the behaviour of sluice: keys of providers, its own variables, a
// service manager's. Management takes a free port. Whoever runs the tests as root means it: sluice wants that said.
export function cleanEnv(extra = {}) {
	const env = {};
	for (const [name, value] of Object.entries(process.env))
		if (!/_API_KEY$|^OLLAMA|^OPENAI|^SLUICE|^HICLAW|^MONITOR_|^MOCK_|^NOTIFY_|^WATCHDOG_|_proxy$|_PROXY$|^NO_COLOR$/.test(name)) env[name] = value;
	return { ...env, SLUICE_CONSOLE: '127.0.0.1:0', SLUICE_MONITOR: '127.0.0.1:0', ...(IS_ROOT ? { SLUICE_USER: 'root' } : {}), ...extra };
}

// Runs to the end: { code, signal, stdout, stderr }.
export async function run(args, { program = SLUICE, env = {}, cwd = ROOT, ms = START_MS } = {}) {
	const child = spawn(program, args, { env: cleanEnv(env), cwd, stdio: ['ignore', 'pipe', 'pipe'] });
	let stdout = '';
	let stderr = '';
	child.stdout.on('data', (chunk) => (stdout += chunk));
	child.stderr.on('data', (chunk) => (stderr += chunk));
	const timer = setTimeout(() => child.kill('SIGKILL'), ms);
	const [code, signal] = await once(child, 'close');
	clearTimeout(timer);
	return { code, signal, stdout, stderr };
}

// A program that stays: waits for its ready file. { ready, pid, stdout(), stderr(), stop(), exited }.
// wrap: a command with arguments that runs it and becomes it (setpriv, prlimit).
// exit: the code with which it may end by itself.
async function start(t, args, { env = {}, dir, wrap = [], exit = 0, program: file = SLUICE } = {}) {
	const readyFile = path.join(dir ?? tempDir(t), `ready-${process.hrtime.bigint()}.json`);
	const [command, ...rest] = [...wrap, file, ...args, '--ready-file', readyFile];
	const child = spawn(command, rest, {
		env: cleanEnv(env),
		cwd: path.dirname(readyFile),
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	let stdout = '';
	let stderr = '';
	child.stdout.on('data', (chunk) => (stdout += chunk));
	child.stderr.on('data', (chunk) => (stderr += chunk));
	const program = {
		pid: child.pid,
		stdout: () => stdout,
		stderr: () => stderr,
		exited: once(child, 'close').then(([code, signal]) => ({ code, signal })),
		gone: false,
	};
	program.exited.then(() => (program.gone = true));
	program.kill = (signal) => process.kill(child.pid, signal);
	// Ends it as an operator would, and says how it ended.
	program.stop = async (signal = 'SIGTERM') => {
		if (!program.gone) program.kill(signal);
		const timer = setTimeout(() => program.gone || program.kill('SIGKILL'), STOP_MS);
		const how = await program.exited;
		clearTimeout(timer);
		return how;
	};
	t.after(async () => {
		const already = program.gone;
		// What is still open after three seconds belongs to a test that is over: do not drain for it.
		const timer = setTimeout(() => program.gone || program.kill('SIGKILL'), 3000);
		const how = await program.stop();
		clearTimeout(timer);
		if (how.code !== 0 && how.code !== exit && how.signal !== 'SIGKILL')
			throw new Error(`sluice ${args[0]} ended ${already ? 'early' : 'badly'}: ${JSON.stringify(how)}\n${stderr}`);
		if (/ERROR: \w+Sanitizer|runtime error:|WARNING: ThreadSanitizer/.test(stderr))
			throw new Error(`sanitizer report of sluice ${args[0]}:\n${stderr}`);
	});
	try {
		await until(`sluice ${args[0]} to be ready`, () => {
			if (program.gone) throw new Error(`sluice ${args.join(' ')} ended:\n${stderr}`);
			if (!fs.existsSync(readyFile)) return null;
			const text = fs.readFileSync(readyFile, 'utf8');
			return text.endsWith('}') || text.endsWith('}\n') ? (program.ready = JSON.parse(text)) : null;
		}, START_MS);
	} catch (error) {
		error.message += `\n${stderr}`;
		throw error;
	}
	return program;
}

// "127.0.0.1:8080" of a ready file's member, which may be a list.
function addressOf(ready, ...names) {
	for (const name of names) {
		const value = [ready[name]].flat()[0];
		if (typeof value === 'string') return value;
	}
	throw new Error(`the ready file names no ${names[0]}: ${JSON.stringify(ready)}`);
}

export async function startMock(t, options = {}) {
	const mock = await start(t, ['mock', '--listen', '127.0.0.1:0', ...(options.args ?? [])], options);
	mock.address = addressOf(mock.ready, 'mock', 'listen', 'addresses');
	mock.port = Number(mock.address.split(':').pop());
	mock.url = `http://${mock.address}`;
	mock.state = async () => (await fetch(`${mock.url}/mock/state`)).json();
	// What it saw, the oldest first: { method, path, headers: [[name, value]], sha256, ended, ... }.
	mock.requests = async () => (await fetch(`${mock.url}/mock/requests`)).json();
	return mock;
}

// data: a directory that holds resources/ (lib/resources.js writes one).
export async function startServe(t, { data, args = [], ...options }) {
	const serve = await start(
		t,
		['serve', '--data', data, '--gateway', '127.0.0.1:0', ...args],
		options,
	);
	serve.address = addressOf(serve.ready, 'gateway');
	serve.port = Number(serve.address.split(':').pop());
	serve.url = `http://${serve.address}`;
	serve.console = Number(addressOf(serve.ready, 'console').split(':').pop());
	serve.tlsAddress = [serve.ready.gateway_tls].flat()[0];
	serve.tlsPort = Number(serve.tlsAddress?.split(':').pop());
	serve.data = data;
	return serve;
}

// Resident memory of a process in bytes.
export function residentBytes(pid) {
	const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
	return Number(/VmRSS:\s+(\d+) kB/.exec(status)[1]) * 1024;
}

export const isSanitized = /\/(asan|tsan)/.test(SLUICE);
