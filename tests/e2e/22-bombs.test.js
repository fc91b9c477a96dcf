// Input made to hurt: bodies and resource files whose size, depth or meaning explodes. Each gets a clear answer, memory
// stays below what was set, and the gateway goes on to answer meanwhile. Times are printed, never judged.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { watchMemory } from './lib/load.js';
import { writeRoute, writeWorld } from './lib/resources.js';
import { parseAnswers, request } from './lib/http.js';
import { isSanitized, residentBytes, sleep, startMock, startServe, tempDir, until } from './lib/sluice.js';

const MB = 1 << 20;
const ASK = { model: 'mock', messages: [] };

async function gateway(t, args) {
	const mock = await startMock(t);
	const world = { providers: [{ id: 'p', address: mock.address }], routes: [{ name: 'a', host: 'a.test', to: 'p' }] };
	const data = writeWorld(tempDir(t), world);
	return { mock, data, world, serve: await startServe(t, { data, args }) };
}
const ask = (serve, host = 'a.test') => request(serve.port, { headers: { host }, body: ASK });

// Asks all the time; stop() says how often and how long the longest took.
function probe(serve, host = 'a.test') {
	let stop = false;
	let n = 0;
	let longest = 0;
	const done = (async () => {
		while (!stop) {
			const begun = performance.now();
			const got = await ask(serve, host);
			longest = Math.max(longest, performance.now() - begun);
			assert.equal(got.status, 200, got.text);
			n++;
			await sleep(5);
		}
	})();
	return async () => ((stop = true), await done, { n, longest: Math.round(longest) });
}

// Sends a body of `size` bytes from few bytes of memory; resolves to the status, whenever it comes.
function sendBody(port, size, { chunked = false, open = '{"model":"mock","a":"', fill = 'x', close = '"}' } = {}) {
	const piece = Buffer.alloc(MB, fill);
	return new Promise((resolve, reject) => {
		const socket = net.connect(port, '127.0.0.1');
		let left = size - open.length - close.length;
		let text = '';
		const frame = (bytes) => (chunked ? Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]) : bytes);
		const more = () => {
			while (left > 0 && !text && !socket.destroyed) {
				const n = Math.min(left, piece.length);
				left -= n;
				if (!socket.write(frame(piece.subarray(0, n)))) return void socket.once('drain', more);
			}
			if (left === 0 && !text && !socket.destroyed) {
				left = -1;
				if (close) socket.write(frame(Buffer.from(close)));
				if (chunked) socket.write('0\r\n\r\n');
			}
		};
		const timer = setTimeout(() => (socket.destroy(), reject(new Error('no answer'))), 120000);
		const end = () => (clearTimeout(timer), socket.destroy(), resolve(parseAnswers(text)[0]));
		socket.on('connect', () => {
			socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\n${chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${size}`}\r\n\r\n`);
			socket.write(frame(Buffer.from(open)));
			more();
		});
		socket.on('data', (bytes) => ((text += bytes.toString('latin1')), /\r\n\r\n[\s\S]+/.test(text) && end()));
		socket.on('error', () => end());
		socket.on('close', () => end());
	});
}

test('bodies of 100 MB: at the limit, one byte above, in chunks, too deep, and many at once', { timeout: 240000 }, async (t) => {
	const LIMIT = 100 * MB;
	const { serve, mock } = await gateway(t, ['--workers', '1', '--memory-max', '256M', '--access-log', 'off']);
	const idle = residentBytes(serve.pid);
	const memory = watchMemory(serve.pid, 20);
	t.after(() => memory.stop());
	const report = [];
	const one = async (what, expected, size, options) => {
		const begun = performance.now();
		const answer = await sendBody(serve.port, size, options);
		assert.equal(answer?.status, expected, `${what}: ${JSON.stringify(answer)}`);
		report.push(`${what} ${Math.round(performance.now() - begun)} ms`);
		return answer;
	};
	const stop = probe(serve);
	await one('at the limit', 200, LIMIT);
	await one('one above', 413, LIMIT + 1);
	await one('chunked at the limit', 200, LIMIT, { chunked: true });
	await one('chunked, one above', 413, LIMIT + 1, { chunked: true });
	const before = (await mock.state()).total;
	const deep = await one('deep', 400, LIMIT, { open: '{"a":', fill: '[', close: '' });
	assert.match(JSON.parse(deep.body).error.message, /\b133\b|\b13[0-9]\b/, 'the offset of the bracket that is too much');
	await one('seven million values', 200, 14 * MB, { open: '{"model":"mock","a":[0', fill: ',0', close: ']}' });
	const probed = await stop();
	// More than fit: those that fit are answered, the others are told to come again; nobody is left without an answer.
	const all = await Promise.all(Array.from({ length: 12 }, (_, i) => sendBody(serve.port, LIMIT - i, { chunked: i % 2 === 1 })));
	const statuses = all.map((a) => a?.status);
	assert.ok(statuses.every((s) => s === 200 || s === 503), statuses.join(' '));
	assert.ok(statuses.includes(200), 'none was served');
	memory.stop();
	assert.equal((await ask(serve)).status, 200, 'afterwards');
	assert.ok((await mock.state()).total > before);
	t.diagnostic(`${report.join(', ')}; twelve at once: ${statuses.join(' ')}`);
	t.diagnostic(`${probed.n} short requests meanwhile, the longest ${probed.longest} ms; ${idle >> 10} KB idle, ${memory.highest >> 10} KB at most of 256 MB`);
	if (!isSanitized) assert.ok(memory.highest - idle < 256 * MB, `${memory.highest} bytes`);
});

const OFFSETS = [
	// what, body, offset of the first byte that cannot be
	['a trailing comma', '{"model":"m",}', 13],
	['a colon that is none', '{"model";"m"}', 8],
	['cut off in a string', '{"model":"m', 11],
	['a bad literal behind 10,000 good values', `{"a":[${'1,'.repeat(10000)}nul]}`, 6 + 20000 + 3],
	['a second value', '{"model":"m"}{}', 13],
	['a control character', '{"model":"a\u0001"}', 11],
	['invalid UTF-8', Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xc0, 0xaf, 0x22, 0x7d]), 6],
	['a byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('{"model":"m"}')]), 0],
	['a NUL', '{"model":"m"}\0', 13],
	['UTF-16', Buffer.from('{"model":"m"}', 'utf16le'), 1],
];
test('malformed JSON: 400, and the answer names the offset', async (t) => {
	const { serve, mock } = await gateway(t, ['--workers', '1']);
	for (const [what, body, offset] of OFFSETS)
		await t.test(what, async () => {
			const got = await request(serve.port, { headers: { host: 'a.test' }, body });
			assert.equal(got.status, 400, got.text);
			assert.deepEqual([...got.json.error.message.matchAll(/byte (\d+)/g)].map((m) => m[1]), [`${offset}`], got.text);
		});
	assert.equal((await mock.state()).total, 0);
	assert.equal((await ask(serve)).status, 200);
});

const INGRESS = 'apiVersion: networking.k8s.io/v1\nkind: Ingress\n';
const laughs = () => {
	let text = `${INGRESS}spec:\n  l0: &l0 [${'x,'.repeat(9)}x]\n`;
	for (let i = 1; i < 12; i++) text += `  l${i}: &l${i} [${`*l${i - 1},`.repeat(9)}*l${i - 1}]\n`;
	return text;
};
const merges = () => {
	let text = `${INGRESS}m0: &m0 {${Array.from({ length: 2000 }, (_, i) => `k${i}: 0`).join(', ')}}\n`;
	for (let i = 1; i < 12; i++) text += `m${i}: &m${i}\n  <<: [${Array(400).fill(`*m${i - 1}`).join(', ')}]\n  own${i}: 0\n`;
	return text;
};
const BOMBS = [
	// what, content, reason that must be said
	['billion laughs', laughs, /more than \d+ values/],
	['merge keys of merge keys', merges, /more than \d+ values|memory/],
	['an anchor inside of itself', () => `${INGRESS}spec: &a [*a]\n`, /inside of its own anchor/],
	['flow depth', () => `${INGRESS}spec: ${'['.repeat(1000000)}`, /deeper than/],
	['block depth', () => `${INGRESS}spec:\n${Array.from({ length: 3000 }, (_, i) => `${' '.repeat(i + 1)}a:\n`).join('')}`, /deeper than/],
	['dashes', () => `${INGRESS}spec:\n  ${'- '.repeat(1000000)}x\n`, /deeper than/],
	['question marks', () => `${INGRESS}spec:\n  ${'? '.repeat(1000000)}x\n`, /deeper than|plain text/],
	['a file above 64 MB', () => Buffer.concat([Buffer.from(`${INGRESS}#`), Buffer.alloc(64 * MB, 'x')]), /too large: .*64 MB/],
	['a scalar of 60 MB', () => Buffer.concat([Buffer.from(`${INGRESS}spec: "`), Buffer.alloc(60 * MB, 'x'), Buffer.from('"\n')]), /./],
	['a comment of 60 MB', () => Buffer.concat([Buffer.from(`${INGRESS}#`), Buffer.alloc(60 * MB, 'x'), Buffer.from('\nspec: x\n')]), /./],
	['60 MB of empty lines', () => Buffer.concat([Buffer.from(INGRESS), Buffer.alloc(60 * MB, '\n'), Buffer.from('spec: x\n')]), /./],
	['a million keys', () => `${INGRESS}spec:\n${Array.from({ length: 1000000 }, (_, i) => `  k${i}: 0\n`).join('')}`, null],
	['five million values', () => Buffer.concat([Buffer.from(`${INGRESS}spec: [`), Buffer.alloc(10000000, 'x,'), Buffer.from('x]\n')]), /more than \d+ values|memory/],
	['a million anchors', () => `${INGRESS}spec:\n${Array.from({ length: 1000000 }, (_, i) => `- &a${i} x\n`).join('')}`, /./],
	['a key of a megabyte', () => `${INGRESS}${'k'.repeat(MB)}: 0\nspec: x\n`, /./],
	['one line of a million brackets closed', () => `${INGRESS}spec: x ${']'.repeat(1000000)}\n{`, /./],
	['many directives', () => `${Array.from({ length: 100000 }, (_, i) => `%TAG !t${i}! tag:x,${i}:\n`).join('')}---\n${INGRESS}`, /directive/],
	['a NUL', () => `${INGRESS}spec: a\0b\n`, /character|control/],
	['invalid UTF-8', () => Buffer.concat([Buffer.from(`${INGRESS}spec: `), Buffer.from([0xc0, 0xaf, 0x0a])]), /UTF-8/],
	['UTF-16 without its mark', () => Buffer.from(`${INGRESS}spec: x\n`, 'utf16le'), /./],
	['a tab as indentation', () => `${INGRESS}spec:\n\trules: []\n`, /./],
	['a thousand unclosed quotes', () => `${INGRESS}spec: ${'"\n'.repeat(1000)}"x`, /./],
];
test('YAML bombs as resource files: named by file and line, the last good state serves, memory is bounded', { timeout: 240000 }, async (t) => {
	const { serve, data, world } = await gateway(t, ['--workers', '1', '--memory-max', '64M', '--access-log', 'off']);
	const file = path.join(data, 'resources/ingresses/bomb.yaml');
	const good = fs.readFileSync(path.join(data, 'resources/ingresses/ai-route-a.internal.yaml'), 'utf8').replaceAll('a.test', 'bomb.test');
	const idle = residentBytes(serve.pid);
	const memory = watchMemory(serve.pid, 20);
	t.after(() => memory.stop());
	const report = [];
	for (const [what, make, reason] of BOMBS) {
		await t.test(what, async () => {
			// A good version first: it has to survive.
			fs.writeFileSync(`${file}.new`, good);
			fs.renameSync(`${file}.new`, file);
			await until('the good version', async () => (await ask(serve, 'bomb.test')).status === 200);
			const from = serve.stderr().length;
			const named = /ingresses\/bomb\.yaml:(\d+)(?::(\d+))?: error: ([^\n]+)/;
			fs.writeFileSync(`${file}.new`, make());
			const stop = probe(serve);
			const stopBomb = reason ? probe(serve, 'bomb.test') : async () => null;
			const begun = performance.now();
			fs.renameSync(`${file}.new`, file);
			const line = await until('the finding', () => {
				const text = serve.stderr().slice(from);
				return reason ? named.exec(text) : /configuration is live|bomb\.yaml/.exec(text);
			}, 60000);
			const ms = Math.round(performance.now() - begun);
			const probed = await stop();
			await stopBomb();
			if (reason) {
				assert.match(line[3], reason);
				assert.ok(line[3].length < 400, 'a finding is one short line');
			}
			report.push(`${what}: ${ms} ms, longest answer meanwhile ${probed.longest} ms${reason ? `, ${line[3].slice(0, 80)}` : ''}`);
		});
	}
	memory.stop();
	fs.unlinkSync(file);
	writeRoute(data, world, { name: 'after', host: 'after.test', to: 'p' });
	await until('a good change afterwards', async () => (await ask(serve, 'after.test')).status === 200);
	for (const line of report) t.diagnostic(line);
	t.diagnostic(`${idle >> 10} KB idle, ${memory.highest >> 10} KB at most`);
	// What a file may take: its bytes once, and its tree up to the arena's limit.
	if (!isSanitized) assert.ok(memory.highest - idle < 1024 * MB, `${memory.highest} bytes`);
});
