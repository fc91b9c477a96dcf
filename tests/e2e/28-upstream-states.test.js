// /healthz/upstreams: what the gateway knows of endpoints and credentials, and that no secret is in it. One gateway; times are
// kept in units of 8 ms.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { writeWorld } from './lib/resources.js';
import { request } from './lib/http.js';
import { startMock, startServe, tempDir, until } from './lib/sluice.js';

const SECRETS = ['sk-first-0123456789-aaaa', 'sk-other-0123456789-bbbb'];
const body = (model) => ({ model, messages: [{ role: 'user', content: 'Hello' }] });

test('states of upstreams', async (t) => {
	const mock = await startMock(t);
	// Nobody listens there; a port that was free a moment ago may be another test's.
	const dead = { address: '127.0.0.1:1' };
	const data = writeWorld(tempDir(t), {
		providers: [
			{
				id: 'two', address: mock.address, token: SECRETS,
				extra: { failover: { enabled: true, failureThreshold: 1, healthCheckModel: 'mock', healthCheckInterval: 60000 }, concurrency: { max: 9 } },
			},
			{ id: 'gone', address: dead.address, token: 'short' },
			{ id: 'few', address: mock.address, token: 'another-key', extra: { concurrency: { max: 2, maxPerToken: 2, queueTimeout: 20000 } } },
		],
		routes: [{ name: 'few', host: 'few.test', to: 'few' }, { name: 'two', host: 'two.test', to: 'two' }, { name: 'gone', host: 'gone.test', to: 'gone' }],
	});
	const serve = await startServe(t, { data, args: ['--workers', '4'] });
	const ask = (host, model) => request(serve.port, { method: 'POST', path: '/v1/chat/completions', headers: { Host: host, 'Content-Type': 'application/json' }, body: JSON.stringify(body(model)) });
	const states = async (options = {}) => request(serve.console, { method: 'GET', path: '/healthz/upstreams', ...options });
	const seen = async () => JSON.parse((await states()).body);

	await t.test('everything is in service before anything was asked', async () => {
		const s = await seen();
		assert.equal(s.truncated, false);
		assert.equal(s.endpoints.length, 3);
		assert.deepEqual(s.credentials.map((c) => [c.provider, c.index, c.ends_with, c.state]).sort(), [
			['few', 0, 'ey', 'in_service'], ['gone', 0, 't', 'in_service'], ['two', 0, 'aaaa', 'in_service'], ['two', 1, 'bbbb', 'in_service'],
		]);
		assert.deepEqual(s.upstreams.find((u) => u.provider === 'two').cap, 9);
	});

	await t.test('a credential that is refused is out of service, and why', async () => {
		assert.equal((await ask('two.test', 'mock-status-401')).status, 401);
		const out = (await seen()).credentials.filter((c) => c.state !== 'in_service');
		assert.equal(out.length, 1);
		assert.equal(out[0].state, 'out_of_service');
		assert.equal(out[0].reason, 'credential');
	});

	await t.test('one that is told to wait says how long', async () => {
		assert.equal((await ask('two.test', 'mock-status-429+retry-after-30')).status, 429);
		const waits = (await seen()).credentials.filter((c) => c.state === 'told_to_wait');
		assert.equal(waits.length, 1);
		assert.equal(waits[0].reason, 'rate');
		assert.ok(waits[0].again_in_ms > 1000 && waits[0].again_in_ms <= 30008);
	});

	await t.test('an endpoint that refuses three times is out of service, and stands first', async () => {
		for (let i = 0; i < 3; i++) assert.equal((await ask('gone.test', 'mock')).status, 502);
		const s = await seen();
		assert.equal(s.endpoints[0].endpoint, dead.address);
		assert.equal(s.endpoints[0].state, 'out_of_service');
		assert.equal(s.endpoints[0].reason, 'connect');
		assert.ok(s.endpoints[0].again_in_ms <= 5008);
	});

	// Of four workers: a place that one gives back is for somebody who waits at another.
	await t.test('two at once, of 60 at four workers: each is answered or has left, and no place is lost', async () => {
		const few = async () => (await seen()).upstreams.find((u) => u.provider === 'few');
		const leave = () =>
			new Promise((resolve) => {
				const text = JSON.stringify(body('mock'));
				const socket = net.connect(serve.port, '127.0.0.1', () =>
					socket.end(`POST /v1/chat/completions HTTP/1.1\r\nHost: few.test\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`, () => socket.destroy()));
				socket.on('close', resolve).on('error', () => {});
			});
		const asked = Array.from({ length: 60 }, (_, i) => (i % 10 === 9 ? leave() : ask('few.test', i % 3 === 0 ? 'mock-delay-20' : 'mock')));
		for (const got of await Promise.all(asked)) assert.equal(got?.status ?? 200, 200);
		await until('no place is taken', async () => (({ in_use, waiting }) => in_use === 0 && waiting === 0)(await few()));
	});

	await t.test('no secret is in it, nor in the log', async () => {
		const text = `${(await states()).body}${serve.stderr()}`;
		for (const secret of SECRETS) assert.ok(!text.includes(secret.slice(0, 12)));
	});

	await t.test('who comes by another name gets nothing', async () => {
		const got = await states({ headers: { Host: 'evil.example' } });
		assert.equal(got.status, 403);
		assert.match(got.body.toString(), /metrics token/);
	});
});
