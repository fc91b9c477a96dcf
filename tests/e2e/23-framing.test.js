// The table of framing attacks (tests/sim/given/framing.inc, which a scenario reads too) over real sockets: each row
// alone, with a request behind it that must never be read, and behind a good one.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { writeWorld } from './lib/resources.js';
import { exchange, parseAnswers, request } from './lib/http.js';
import { ROOT, isSanitized, startMock, startServe, tempDir } from './lib/sluice.js';

const ESCAPES = { r: '\r', n: '\n', t: '\t', 0: '\0' };

// A value of a scenario: quoted pieces with escapes, `* N` behind one repeats it.
function valueOf(text) {
	let out = '';
	for (const [, quoted, times] of text.matchAll(/"((?:[^"\\]|\\.)*)"(?: \* (\d+))?/g)) {
		const plain = quoted.replace(/\\x([0-9a-fA-F]{2})|\\(.)/g, (_, hex, c) => (hex ? String.fromCharCode(parseInt(hex, 16)) : (ESCAPES[c] ?? c)));
		out += plain.repeat(Number(times ?? 1));
	}
	return Buffer.from(out, 'latin1');
}

const ROWS = fs.readFileSync(path.join(ROOT, 'tests/sim/given/framing.inc'), 'utf8')
	.split('\n')
	.filter((line) => line.startsWith('\t'))
	.map((line) => line.trim().split(' | '))
	.map(([bytes, status, reason]) => ({ bytes: valueOf(bytes), status: Number(status), reason }));
const BEHIND = Buffer.from('POST /v1/chat/completions HTTP/1.1\r\nHost: zimomo.com\r\nAuthorization: Bearer 123456-xxx\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"model":"smuggled"}');

async function gateway(t) {
	const mock = await startMock(t);
	const data = writeWorld(tempDir(t), {
		providers: [{ id: 'p', address: mock.address }],
		consumers: [{ name: 'labubu', key: '123456-xxx' }],
		routes: [{ name: 'all', host: 'zimomo.com', to: 'p', allow: ['labubu'] }],
	});
	return { mock, serve: await startServe(t, { data, args: ['--workers', '1'] }) };
}

async function expectRefused(serve, row, bytes) {
	const { text, closed } = await exchange(serve.port, bytes);
	assert.ok(closed, 'the connection stays open');
	const [answer, ...more] = parseAnswers(text);
	assert.ok(answer, `no answer: ${JSON.stringify(text)}`);
	assert.equal(answer.status, row.status, text);
	assert.deepEqual(more, [], 'a second answer');
	// Not for what its body says: the body must not have been looked at.
	assert.match(answer.headers['x-sluice-reason'], /^request\./, text);
	assert.ok(answer.headers['x-request-id'], text);
	assert.equal(JSON.parse(answer.body).error.type, row.status < 500 ? 'invalid_request_error' : 'server_error');
}

test('framing attacks over real sockets are refused, and nothing reaches the upstream', async (t) => {
	const { mock, serve } = await gateway(t);
	assert.ok(ROWS.length > 100, `${ROWS.length} rows`);
	for (const row of ROWS)
		await t.test(row.reason, async () => {
			await expectRefused(serve, row, row.bytes);
			await expectRefused(serve, row, Buffer.concat([row.bytes, BEHIND]));
			assert.equal((await mock.state()).total, 0, 'something reached the upstream');
		});
	const { host, ...good } = { host: 'zimomo.com', authorization: 'Bearer 123456-xxx' };
	assert.equal((await request(serve.port, { headers: { host, ...good }, body: { model: 'mock', messages: [] } })).status, 200);
	assert.equal((await mock.state()).total, 1);
});

test('framing attacks behind a good request: that one is answered, they are refused, what follows is not read', async (t) => {
	const { mock, serve } = await gateway(t);
	const good = Buffer.from(BEHIND.toString().replace('smuggled', 'mock-crlf').replace('Length: 20', 'Length: 21'));
	let n = 0;
	for (const row of ROWS.filter((_, i) => !isSanitized || i % 5 === 0)) {
		// A greeting of TLS and the like can only be first.
		const { text, closed } = await exchange(serve.port, Buffer.concat([good, row.bytes, BEHIND]));
		const answers = parseAnswers(text);
		assert.ok(closed, row.reason);
		assert.deepEqual(answers.map((a) => a.status).slice(1), [row.status], `${row.reason}: ${text.slice(0, 500)}`);
		assert.equal((await mock.state()).total, ++n, row.reason);
	}
	const seen = await mock.requests();
	assert.ok(seen.every((r) => !r.body?.includes('smuggled')), 'a smuggled request reached the upstream');
});
