// Everything at once on four workers: streams, short requests, clients that leave, files that change. Under the
// thread sanitizer (the suite e2e-tsan) it judges what is shared between threads; without it, the answers.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { openStream } from './lib/load.js';
import { writeRoute, writeWorld } from './lib/resources.js';
import { request } from './lib/http.js';
import { isSanitized, sleep, startMock, startServe, tempDir, until } from './lib/sluice.js';

const SECONDS = Number(process.env.SOAK_SECONDS ?? (isSanitized ? 20 : 5));
const ASK = { model: 'mock', messages: [] };

test(`four workers for ${SECONDS} s: streams, short requests, clients that leave, reloads by file`, { timeout: (SECONDS + 100) * 1000 }, async (t) => {
	const mock = await startMock(t);
	const world = {
		providers: [{ id: 'p', address: mock.address }, { id: 'q', host: 'localhost', port: mock.port }],
		consumers: [{ name: 'c', key: 'k' }],
		modelRouter: { modelToHeader: 'x-higress-llm-model' },
		routes: [
			{ name: 'a', host: 'a.test', to: 'p' },
			{ name: 'b', host: 'b.test', to: [{ provider: 'p', weight: 50 }, { provider: 'q', weight: 50 }] },
			{ name: 'c', host: 'c.test', to: 'p', allow: ['c'] },
			{ name: 'm', host: 'm.test', to: 'q', annotations: { 'higress.io/exact-match-header-x-higress-llm-model': 'mock' } },
		],
	};
	const data = writeWorld(tempDir(t), world);
	const log = path.join(tempDir(t), 'access.log');
	const serve = await startServe(t, { data, args: ['--workers', '4', '--access-log', log] });
	const end = Date.now() + SECONDS * 1000;
	const counts = { short: 0, streams: 0, left: 0, files: 0 };

	const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
	t.after(() => agent.destroy());
	const short = Array.from({ length: 8 }, async (_, i) => {
		const host = ['a.test', 'b.test', 'c.test', 'm.test'][i % 4];
		while (Date.now() < end) {
			const got = await request(serve.port, { headers: { host, authorization: 'Bearer k' }, body: ASK, agent: i % 2 ? agent : undefined });
			assert.equal(got.status, 200, `${host}: ${got.text}`);
			counts.short++;
		}
	});
	const streams = Array.from({ length: 16 }, async (_, i) => {
		while (Date.now() < end) {
			const s = openStream(serve.port, `bench-sse-${20 + i * 10}+slow-3`, i % 2 ? 'a.test' : 'b.test');
			if (i % 4 === 3) {
				await until('an event', () => s.events > 3 || s.ended);
				s.socket.destroy();
				counts.left++;
			} else {
				await s.done;
				assert.ok(s.tail.includes('[DONE]') && s.events > 20, s.tail);
				counts.streams++;
			}
		}
	});
	const files = (async () => {
		for (let i = 0; Date.now() < end; i++) {
			writeRoute(data, world, { name: `n${i % 7}`, host: `n${i}.test`, to: i % 2 ? 'p' : 'q' });
			if (i % 5 === 0) fs.writeFileSync(path.join(data, 'resources/ingresses/broken.yaml'), i % 10 ? 'kind: [' : 'kind: {');
			if (i % 11 === 0) serve.kill('SIGHUP');
			if (i % 13 === 0) {
				// A provider that nobody asks changes its name of host: cells come and go.
				const other = { id: 'o', host: `o${i}.invalid`, port: 80 };
				writeWorld(data, { ...world, providers: [...world.providers, other], routes: [{ name: 'o', host: 'o.test', to: 'o' }] });
			}
			counts.files++;
			await sleep(20);
		}
	})();
	await Promise.all([...short, ...streams, files]);
	const lives = [...serve.stderr().matchAll(/configuration is live/g)].length;
	assert.ok(counts.short > SECONDS && counts.streams > SECONDS && counts.left > 0 && lives >= SECONDS / 2, JSON.stringify({ ...counts, lives }));
	await until('the mock to have nothing open', async () => (await mock.state()).open === 0);
	assert.deepEqual(await serve.stop(), { code: 0, signal: null });
	const lines = fs.readFileSync(log, 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line));
	assert.equal(lines.length, counts.short + counts.streams + counts.left, 'a line per exchange');
	t.diagnostic(`${counts.short} requests, ${counts.streams} streams, ${counts.left} left, ${counts.files} changes of files, ${lives} times live`);
});
