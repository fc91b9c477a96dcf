// Management through the gateway's own listeners: before all routes, when it was asked for, and for nobody who only
// says that he is the gateway. And the monitor's listener, without which the gateway runs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import test from 'node:test';
import { completion, json, request, startUpstream } from './lib/http.js';
import { writeWorld } from './lib/resources.js';
import { startServe, tempDir } from './lib/sluice.js';

const get = (port, path, headers = {}) => request(port, { method: 'GET', path, headers });
const portOf = (address) => Number(address.split(':').pop());
const BY_ROUTE = { host: 'any.test' };

async function start(t, args = [], env) {
	const data = tempDir(t);
	const upstream = await startUpstream(t, (req, res) => json(res, 200, completion('by the route')));

	writeWorld(data, {
		providers: [{ id: 'p', address: `127.0.0.1:${upstream.port}`, token: 'k' }],
		routes: [{ name: 'all', path: '/', to: 'p' }],
	});
	return startServe(t, { data, args: ['--access-log', 'off', ...args], env });
}

const isManagement = (got) => /^{"(success|status)":/.test(got.text) || got.text.includes('<div id="app">');

test('management is in front of the routes when it was asked for, and nowhere when not', async (t) => {
	const on = await start(t, ['--manage-on-gateway']);
	const off = await start(t);
	// path, headers, management's when it is on, why
	const rows = [
		['/ni_status/health', BY_ROUTE, true, 'the monitor API'],
		['/ni_status', BY_ROUTE, true, 'and without a slash'],
		['/ni_statuses', BY_ROUTE, false, 'a name that begins alike is somebody else'],
		['/agm/', BY_ROUTE, true, 'the page'],
		['/agmx', BY_ROUTE, false, 'a name that begins alike'],
		['/_admin/api/providers', BY_ROUTE, true, 'the API of the reference'],
		['/_admin', BY_ROUTE, false, 'nothing above it'],
		['/v1/domains', BY_ROUTE, false, 'the Console is not on every host'],
		['/v1/domains', { host: 'manager-local.hiclaw.io' }, true, 'but on its own, by any port'],
		['/v1/domains', { host: 'MANAGER-local.hiclaw.io:8080' }, true, 'whatever its case'],
		['/v1/domains', { host: 'x.manager-local.hiclaw.io' }, false, 'and not below it'],
	];

	for (const [path, headers, wanted, reason] of rows) {
		assert.equal(isManagement(await get(on.port, path, headers)), wanted, `${path}: ${reason}`);
		assert.equal(isManagement(await get(off.port, path, headers)), false, `${path} without --manage-on-gateway`);
	}
	const info = await get(on.port, '/system/info', { host: 'manager-local.hiclaw.io' });
	assert.equal(info.status, 200);
});

test('who comes through the gateway is not taken for this machine', async (t) => {
	const serve = await start(t, ['--manage-on-gateway']);
	const host = 'manager-local.hiclaw.io';
	const body = { adminUser: { name: 'admin', password: 'Adm1n-pw', displayName: 'admin' } };
	const init = await request(serve.port, { path: '/system/init', headers: { host }, body });

	assert.equal(init.status, 403, 'initialisation without the code is for programs of this machine that mean it');
	assert.equal((await get(serve.port, '/metrics', { host })).status, 403, 'metrics as well');
	// Nobody else comes in at that door, whatever he says.
	for (const port of listeningPorts(serve.pid).filter((p) => ![serve.port, serve.console, portOf(serve.ready.monitor[0])].includes(p))) {
		for (const secret of ['', '0'.repeat(32)]) {
			const got = await get(port, '/system/info', { 'x-sluice-inside': secret, 'x-forwarded-for': '127.0.0.1' });
			assert.equal(got.status, 403, got.text);
		}
	}
	const spoofed = await get(serve.port, '/metrics', { host, 'x-sluice-inside': 'x', 'x-forwarded-for': '127.0.0.1' });
	assert.equal(spoofed.status, 403);
});

function listeningPorts(pid) {
	const LISTENING = '0A';
	const sockets = fs.readdirSync(`/proc/${pid}/fd`).map((fd) => fs.readlinkSync(`/proc/${pid}/fd/${fd}`));

	return fs.readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').map((line) => line.trim().split(/\s+/))
		.filter((f) => f[3] === LISTENING && sockets.includes(`socket:[${f[9]}]`))
		.map((f) => parseInt(f[1].split(':')[1], 16));
}

test('the monitor listens, and the gateway runs without it when its address is taken', async (t) => {
	const first = await start(t);
	const monitor = portOf(first.ready.monitor[0]);

	assert.equal((await get(monitor, '/system/info')).status, 200, 'the Console is there too');
	const second = await start(t, ['--monitor', `127.0.0.1:${monitor}`]);
	assert.deepEqual(second.ready.monitor, []);
	assert.equal((await get(second.console, '/healthz/ready')).status, 200);
	assert.match(second.stderr(), /monitor cannot listen on .*in use/);
});

test('the profile of HiClaw', async (t) => {
	const free = net.createServer().listen(0, '127.0.0.1');
	await new Promise((done) => free.once('listening', done));
	const { port } = free.address();
	await new Promise((done) => free.close(done));
	const serve = await start(t, ['--hiclaw'], { SLUICE_MONITOR: '', MONITOR_PORT: String(port), MONITOR_BIND: '127.0.0.1' });

	assert.equal(portOf(serve.ready.monitor[0]), port, 'MONITOR_PORT');
	assert.equal(isManagement(await get(serve.port, '/ni_status/health', BY_ROUTE)), true, 'manage-on-gateway');
	const refused = await request(serve.port, { path: '/v1/chat/completions', headers: BY_ROUTE, body: '{' });
	assert.match(refused.text, /^the request/, 'plain errors');
	const body = { adminUser: { name: 'admin', password: 'Adm1n-pw', displayName: 'admin' } };
	const init = await request(serve.port, { path: '/system/init', headers: { host: 'manager-local.hiclaw.io' }, body });
	assert.equal(init.status, 200, 'open initialisation');
});
