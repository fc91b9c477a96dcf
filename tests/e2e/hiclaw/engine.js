// A container engine behind a socket in the file system, in the words of Docker's API: it lists containers and shows one.
// Everything else is refused, and remembered: nobody but its owner may do more than read.
import http from 'node:http';
import path from 'node:path';
import { once } from 'node:events';

export const idOf = (name) => Buffer.from(name.padEnd(32, '.')).toString('hex').slice(0, 64);

export async function startEngine(t, dir) {
	const engine = { socket: path.join(dir, 'docker.sock'), containers: [], requests: [], drip: false };

	engine.run = (name, state, { startedAt = '2026-01-01T00:00:00.5Z', finishedAt = '0001-01-01T00:00:00Z' } = {}) => {
		engine.containers = engine.containers.filter((c) => c.name !== name).concat({ name, state, startedAt, finishedAt, id: idOf(name) });
	};

	const listed = ({ name, state, id }) => ({ Id: id, Names: [`/${name}`], Image: 'hiclaw/worker:1.1', Command: '/entrypoint.sh', Created: 1767225600, Ports: [], Labels: {}, State: state, Status: 'Up 2 hours', HostConfig: { NetworkMode: 'hiclaw-net' }, Mounts: [] });
	const shown = ({ name, state, id, startedAt, finishedAt }) => ({ Id: id, Name: `/${name}`, Created: '2026-01-01T00:00:00Z', State: { Status: state, Running: state === 'running', ExitCode: 0, StartedAt: startedAt, FinishedAt: finishedAt }, Config: { Env: ['WORKER_GATEWAY_KEY=container-secret'] } });

	const server = http.createServer(async (req, res) => {
		const url = new URL(req.url, 'http://h');
		const one = /^\/containers\/([0-9a-f]{64})\/json$/.exec(url.pathname)?.[1];
		const answer = (status, body) => {
			const text = Buffer.from(JSON.stringify(body));
			res.writeHead(status, { 'content-type': 'application/json', ...(engine.drip ? {} : { 'content-length': text.length }) });
			if (!engine.drip) return res.end(text);
			for (const byte of text) res.write(Buffer.from([byte])); // a chunk each
			return res.end();
		};

		engine.requests.push(`${req.method} ${req.url}`);
		if (req.method !== 'GET' || req.headers.host === undefined) return answer(405, { message: 'read only' });
		if (one) {
			const c = engine.containers.find((x) => x.id === one);
			return c ? answer(200, shown(c)) : answer(404, { message: `No such container: ${one}` });
		}
		if (url.pathname !== '/containers/json') return answer(404, { message: 'page not found' });
		const filter = JSON.parse(url.searchParams.get('filters') ?? '{}');
		const all = url.searchParams.get('all') === '1';
		return answer(200, engine.containers.filter((c) => (all || c.state === 'running') && (!filter.name || filter.name.some((n) => new RegExp(n).test(`/${c.name}`)))).map(listed));
	});
	server.listen(engine.socket);
	await once(server, 'listening');
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	return engine;
}
