// Services whose instances a registry knows: they come, go, and outlive the registry.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { completion, json, request, startUpstream } from './lib/http.js';
import { startServe, tempDir, until } from './lib/sluice.js';

const ASK = { model: 'm', messages: [] };

function write(data, dir, name, object) {
	const file = path.join(data, 'resources', dir, `${name}.yaml`);
	fs.mkdirSync(path.dirname(file), { recursive: true });
	fs.writeFileSync(`${file}.new`, JSON.stringify(object));
	fs.renameSync(`${file}.new`, file);
}

function writeBridge(data, registries) {
	write(data, 'mcpbridges', 'default', {
		apiVersion: 'networking.higress.io/v1', kind: 'McpBridge', metadata: { name: 'default' }, spec: { registries },
	});
}

function writeRoute(data, name, destination) {
	const backend = { resource: { apiGroup: 'networking.higress.io', kind: 'McpBridge', name: 'default' } };
	write(data, 'ingresses', name, {
		apiVersion: 'networking.k8s.io/v1', kind: 'Ingress',
		metadata: { name, annotations: { 'higress.io/destination': destination } },
		spec: {
			ingressClassName: 'higress',
			rules: [{ host: `${name}.test`, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
		},
	});
}

function writeSecret(data, name, stringData) {
	write(data, 'secrets', name, { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata: { name }, stringData });
}

// answer(url, req, body) gives [status, object].
async function startRegistry(t, answer) {
	const asked = [];
	const server = http.createServer(async (req, res) => {
		let body = '';
		for await (const piece of req) body += piece;
		const url = new URL(req.url, 'http://registry');
		asked.push({ url, headers: req.headers, body, method: req.method });
		const [status, object] = answer(url, req, body);
		json(res, status, object);
	});
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	const stop = () => new Promise((done) => {
		server.close(done);
		server.closeAllConnections();
	});
	t.after(stop);
	return { port: server.address().port, asked, stop };
}

const i32 = (n) => {
	const b = Buffer.alloc(4);
	b.writeInt32BE(n);
	return b;
};
const buffer = (text) => Buffer.concat([i32(Buffer.byteLength(text)), Buffer.from(text)]);
const framed = (...parts) => buffer(Buffer.concat(parts));

// ZooKeeper, for who reads nodes: `nodes` has what each path holds.
async function startZookeeper(t, nodes) {
	const asked = [];
	const sockets = new Set();
	const answer = (frame) => {
		const [xid, op] = [frame.readInt32BE(0), frame.readInt32BE(4)];
		if (op === -11) return framed(i32(xid), Buffer.alloc(8), i32(0));
		const path = frame.subarray(12, 12 + frame.readInt32BE(8)).toString();
		asked.push(`${op} ${path}`);
		const inside = Object.keys(nodes).filter((p) => p.startsWith(`${path}/`)).map((p) => p.slice(path.length + 1));
		if (op === 8 ? inside.length === 0 : nodes[path] === undefined) return framed(i32(xid), Buffer.alloc(8), i32(-101));
		const body = op === 8 ? [i32(inside.length), ...inside.map(buffer)] : [buffer(nodes[path])];
		return framed(i32(xid), Buffer.alloc(8), i32(0), ...body, Buffer.alloc(68));
	};
	const server = net.createServer((socket) => {
		let got = Buffer.alloc(0);
		let begun = false;
		sockets.add(socket);
		socket.on('error', () => {});
		socket.on('data', (piece) => {
			got = Buffer.concat([got, piece]);
			while (got.length >= 4 && got.length >= 4 + got.readInt32BE(0)) {
				const frame = got.subarray(4, 4 + got.readInt32BE(0));
				got = got.subarray(4 + frame.length);
				socket.write(begun ? answer(frame) : framed(i32(0), i32(10000), Buffer.alloc(8), i32(16), Buffer.alloc(17)));
				begun = true;
			}
		});
	});
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	const stop = () => new Promise((done) => {
		server.close(done);
		sockets.forEach((s) => s.destroy());
	});
	t.after(stop);
	return { port: server.address().port, asked, stop };
}

// An upstream that says its name in each answer.
async function instance(t, name) {
	return startUpstream(t, (req, res) => json(res, 200, { ...completion(name), said: name }));
}

async function ask(serve, host) {
	const got = await request(serve.port, { headers: { host }, body: ASK });
	return got.status === 200 ? JSON.parse(got.text).said : got.status;
}

const port = (upstream) => Number(upstream.port ?? upstream.address.split(':').pop());
const ofConsul = (...all) => all.map((u) => ({
	Node: { Node: 'n', Address: '127.0.0.1' },
	Service: { ID: `i${port(u)}`, Service: 'llm', Address: '', Port: port(u), Weights: { Passing: 1, Warning: 1 }, Meta: {} },
	Checks: [{ CheckID: 'serfHealth', Status: 'passing' }],
}));
const ofNacos = (...all) => all.map((u) => ({ ip: '127.0.0.1', port: port(u), weight: 1.0, healthy: true, enabled: true, metadata: {} }));
const ofEureka = (...all) => all.map((u) => ({
	instanceId: `i${port(u)}`, ipAddr: '127.0.0.1', status: 'UP', port: { $: port(u), '@enabled': 'true' }, securePort: { $: 443, '@enabled': 'false' },
}));

test('consul: instances come and go, with token, data center and tag; when it dies, what is known stays', async (t) => {
	const [a, b] = [await instance(t, 'a'), await instance(t, 'b')];
	let known = [];
	const consul = await startRegistry(t, (url, req) =>
		req.headers['x-consul-token'] === 'sesame' ? [200, ofConsul(...known)] : [403, { error: 'denied' }]);
	const data = tempDir(t);
	writeSecret(data, 'c-auth-1', { consulToken: 'wrong' });
	writeBridge(data, [{
		name: 'c', type: 'consul', domain: '127.0.0.1', port: consul.port, consulDatacenter: 'dc_1', consulServiceTag: 'v1',
		consulRefreshInterval: '10', authSecretName: 'c-auth-1',
	}]);
	writeRoute(data, 'c', 'llm.dc-1.consul');
	const serve = await startServe(t, { data });

	const asked = () => request(serve.port, { headers: { host: 'c.test' }, body: ASK });
	const refused = await asked();
	assert.equal(refused.status, 503);
	assert.match(refused.text, /could not be asked; check its address and credentials/);
	await until('a line', () => /status 403: check the Secret of authSecretName/.test(serve.stderr()));
	writeSecret(data, 'c-auth-1', { consulToken: 'sesame' });
	const none = await until('the new token', async () => {
		const got = await asked();
		return /could not be asked/.test(got.text) ? null : got;
	});
	assert.equal(none.status, 503);
	assert.match(none.text, /knows no healthy instance of service llm\.dc-1\.consul/);
	const { url } = consul.asked[0];
	assert.equal(url.pathname, '/v1/health/service/llm');
	assert.equal(url.searchParams.get('dc'), 'dc_1');
	assert.equal(url.searchParams.get('tag'), 'v1');
	assert.equal(url.searchParams.get('passing'), 'true');

	known = [a];
	await until('the first instance', async () => (await ask(serve, 'c.test')) === 'a');
	known = [b];
	await until('the second in place of the first', async () => (await ask(serve, 'c.test')) === 'b');
	assert.equal(await ask(serve, 'c.test'), 'b', 'an idle connection leads to an instance that has left');
	await until('no connection to the one that has left', () => a.requests.every((r) => r.socket.destroyed));
	known = [a, b];
	const said = new Set();
	await until('both', async () => said.add(await ask(serve, 'c.test')).has('a'));

	await consul.stop();
	await until('a line', () => /registry c at 127\.0\.0\.1:\d+ could not be asked[^\n]* stay in use/.test(serve.stderr()));
	assert.ok(['a', 'b'].includes(await ask(serve, 'c.test')));
	assert.equal([...serve.stderr().matchAll(/could not be asked[^\n]* stay in use/g)].length, 1);
	assert.doesNotMatch(serve.stderr(), /sesame/);
});

test('nacos 1, 2 and 3: logged in by the Secret, again when the token is refused', async (t) => {
	const a = await instance(t, 'a');
	let token = 'one';
	const nacos = await startRegistry(t, (url, req, body) => {
		if (url.pathname.endsWith('/login')) {
			return new URLSearchParams(body).get('password') === 'p&ss' ? [200, { accessToken: token, tokenTtl: 18000 }] : [403, {}];
		}
		if (url.searchParams.get('accessToken') !== token) return [403, { message: 'denied' }];
		if (url.pathname === '/nacos/v1/ns/instance/list') {
			return [200, { name: 'x', hosts: url.searchParams.get('serviceName') === 'G_1@@llm' ? ofNacos(a) : [] }];
		}
		return url.pathname === '/nacos/v3/client/ns/instance/list' ? [200, { code: 0, message: 'success', data: ofNacos(a) }] : [404, {}];
	});
	const data = tempDir(t);
	writeSecret(data, 'n-auth', { nacosUsername: 'nacos', nacosPassword: 'p&ss' });
	const registry = { domain: 'localhost', port: nacos.port, authSecretName: 'n-auth', nacosGroups: ['G_1'] };
	writeBridge(data, [{ ...registry, name: 'n2', type: 'nacos2' }, { ...registry, name: 'n3', type: 'nacos3', nacosNamespaceId: 'prod' }]);
	writeRoute(data, 'two', 'llm.G-1.public.nacos:8080');
	writeRoute(data, 'three', 'llm.G-1.prod.nacos');
	writeRoute(data, 'other', 'missing.G-1.public.nacos');
	writeRoute(data, 'nowhere', 'llm.G-2.public.nacos');
	const serve = await startServe(t, { data });

	assert.equal(await ask(serve, 'two.test'), 'a');
	assert.equal(await ask(serve, 'three.test'), 'a');
	assert.equal(await ask(serve, 'other.test'), 503);
	assert.equal(await ask(serve, 'nowhere.test'), 503);
	const third = nacos.asked.find((q) => q.url.pathname === '/nacos/v3/client/ns/instance/list').url.searchParams;
	assert.deepEqual([third.get('serviceName'), third.get('groupName'), third.get('namespaceId')], ['llm', 'G_1', 'prod']);

	token = 'two';
	const before = nacos.asked.length;
	assert.equal(await ask(serve, 'other.test'), 503);
	await until('another login', async () => {
		await ask(serve, 'other.test');
		return nacos.asked.slice(before).some((q) => q.url.searchParams.get('accessToken') === 'two');
	});
	assert.doesNotMatch(serve.stderr(), /p&ss|accessToken/);
});

test('eureka: what is down is not asked; an application that is not there is 503', async (t) => {
	const a = await instance(t, 'a');
	const eureka = await startRegistry(t, (url) => url.pathname === '/eureka/apps/LLM'
		? [200, { application: { name: 'LLM', instance: [...ofEureka(a), { ...ofEureka(a)[0], ipAddr: '127.0.0.2', status: 'DOWN' }] } }]
		: [404, {}]);
	const data = tempDir(t);
	writeBridge(data, [{ name: 'e', type: 'eureka', domain: '127.0.0.1', port: eureka.port }]);
	writeRoute(data, 'e', 'LLM.eureka');
	writeRoute(data, 'none', 'OTHER.eureka');
	const serve = await startServe(t, { data });
	for (let i = 0; i < 4; i++) assert.equal(await ask(serve, 'e.test'), 'a');
	assert.equal(await ask(serve, 'none.test'), 503);
	assert.equal(eureka.asked[0].headers.accept, 'application/json');
});

test('zookeeper: nodes of Spring Cloud, at its own path and at one of zkServicesPath', async (t) => {
	const [a, b] = [await instance(t, 'a'), await instance(t, 'b')];
	const node = (u, status) => JSON.stringify({
		name: 'llm', address: '127.0.0.1', port: port(u), sslPort: null, payload: { metadata: { instance_status: status } },
	});
	const nodes = { '/services/llm/1': node(a, 'UP'), '/services/llm/2': node(b, 'OUT_OF_SERVICE'), '/team/svc/llm/3': node(b, 'UP') };
	const zookeeper = await startZookeeper(t, nodes);
	const data = tempDir(t);
	writeBridge(data, [{ name: 'z', type: 'zookeeper', domain: 'localhost', port: zookeeper.port, zkServicesPath: ['/team/svc'] }]);
	writeRoute(data, 'one', 'llm.services.zookeeper');
	writeRoute(data, 'two', 'llm.team-svc.zookeeper');
	writeRoute(data, 'none', 'other.services.zookeeper');
	const serve = await startServe(t, { data });
	for (let i = 0; i < 4; i++) assert.equal(await ask(serve, 'one.test'), 'a');
	assert.equal(await ask(serve, 'two.test'), 'b');
	assert.equal(await ask(serve, 'none.test'), 503);
	assert.deepEqual(zookeeper.asked.filter((q) => q.includes('/team')), ['8 /team/svc/llm', '4 /team/svc/llm/3']);
	await zookeeper.stop();
	assert.equal(await ask(serve, 'one.test'), 'a', 'what is known stays');
	await until('a line', async () => {
		await ask(serve, 'none.test');
		return /registry z at localhost:\d+ could not be asked for service other\.services\.zookeeper/.test(serve.stderr());
	});
});

test('a registry that answers with anything else changes nothing, and is named', async (t) => {
	const a = await instance(t, 'a');
	let answer = [200, ofConsul(a)];
	const consul = await startRegistry(t, () => answer);
	const data = tempDir(t);
	writeBridge(data, [{ name: 'c', type: 'consul', domain: '127.0.0.1', port: consul.port, consulDatacenter: 'd', consulRefreshInterval: '10' }]);
	writeRoute(data, 'c', 'llm.d.consul');
	const serve = await startServe(t, { data });
	assert.equal(await ask(serve, 'c.test'), 'a');
	answer = [200, { not: 'a list' }];
	await until('a line', () => /registry c at [^\n]*could not be asked for service llm\.d\.consul/.test(serve.stderr()));
	assert.equal(await ask(serve, 'c.test'), 'a');
	answer = [200, ofConsul(a)];
	await until('another line', () => /registry c answers again/.test(serve.stderr()));
	assert.equal(await ask(serve, 'c.test'), 'a');
});
