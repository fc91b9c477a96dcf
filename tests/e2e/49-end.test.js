// The process is told to end while everything that management does is under way: switches of models, backups, tests of
// providers, writes, streams of events, requests. It ends as it should, each time, and what it leaves is read by the next
// start. Under a sanitizer this is what shows that those that are freed first are not asked by those that are freed last.
import assert from 'node:assert/strict';
import test from 'node:test';
import { completion, json, modelOf, request, startUpstream } from './lib/http.js';
import { startHiclaw } from './lib/hiclaw.js';
import { ALICE, startMonitor } from './lib/monitor.js';
import { tempDir, until } from './lib/sluice.js';

const ROUNDS = 4;

test('told to end in the midst of everything', async (t) => {
	const vendor = await startUpstream(t, (req, res, body) => {
		if (req.url.endsWith('/models')) return json(res, 200, { data: [{ id: 'a-0' }, { id: 'a-1' }] });
		return json(res, 200, completion('x', modelOf(body)));
	});
	const hiclaw = await startHiclaw(t);
	const options = { data: tempDir(t), args: ['--hiclaw'], env: hiclaw.env };
	let m = await startMonitor(t, options);
	await m.addAgents();
	await m.ok('POST /ni_status/create-provider', { name: 'one', type: 'openai', apiKey: 'key-of-one', baseUrl: `http://${vendor.address}/v1` });
	await m.serve.stop();

	for (let round = 0; round < ROUNDS; round++) {
		m = await startMonitor(t, options);
		let going = true;
		const calls = [
			(i) => m.call('PUT /ni_status/assignment/manager', { provider: 'one', model: `a-${i % 2}` }),
			(i) => m.call('PUT /ni_status/assignment/workers/alice', { provider: 'one', model: `a-${i % 2}` }),
			() => m.call('POST /ni_status/backups', { reason: 'once more' }),
			() => m.call('POST /ni_status/test-provider', { provider: 'one' }),
			() => m.call('GET /ni_status/workers'),
			(i) => m.console('POST /v1/domains', { name: `d${round}-${i}.example.com`, enableHttps: 'off' }),
			(i) => m.call('PUT /ni_status/providers/one', { apiKey: `key-${i}-of-one` }),
			(i) => request(m.serve.port, { headers: { authorization: `Bearer ${ALICE}` }, body: { model: `a-${i % 2}`, messages: [] } }),
		];
		// Each as often as it goes, until the listeners are shut.
		const events = m.call('GET /ni_status/events').catch(() => {}); // a stream: it ends with the process
		const answers = calls.map(() => 0);
		const lanes = calls.map(async (call, lane) => {
			for (let i = 0; going; i++) {
				await call(i).then(() => answers[lane]++, () => (going = false));
			}
		});
		// From the moment when all have been answered once, a little later each time.
		await until('traffic', () => (Math.min(...answers) > 0 && answers.at(-1) > 20 * round) || null);
		const how = await m.serve.stop();
		going = false;
		assert.deepEqual(how, { code: 0, signal: null }, `round ${round}: ${m.serve.stderr().slice(-4000)}`);
		await Promise.all([events, ...lanes]);
	}

	m = await startMonitor(t, options);
	assert.equal((await m.ok('GET /ni_status/assignment/manager')).provider, 'one');
});
