// HTTP seen as bytes: an upstream that does what a test says, and clients that hide nothing.
import crypto from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { once } from 'node:events';

export const sha256 = (bytes) => crypto.createHash('sha256').update(bytes).digest('hex');

// A thousand streams at once must not overflow the queue of connections, whose overflow is a reset.
const BACKLOG = 4096;

// An upstream on a free port. handler(request, response, body); without one it answers a completion.
// requests: what arrived, each { method, url, headers, rawHeaders, body, closed }.
export async function startUpstream(t, handler, tlsOptions) {
	const upstream = { requests: [], connections: 0 };
	const onRequest = async (req, res) => {
		const seen = {
			method: req.method,
			url: req.url,
			headers: req.headers,
			rawHeaders: req.rawHeaders,
			socket: req.socket,
			body: null,
			closed: false,
		};
		upstream.requests.push(seen);
		res.on('close', () => (seen.closed = true));
		res.on('error', () => {});
		const pieces = [];
		try {
			for await (const piece of req) pieces.push(piece);
		} catch {
			return; // the gateway gave up
		}
		seen.body = Buffer.concat(pieces);
		if (handler) await handler(req, res, seen.body);
		else json(res, 200, completion('ok', modelOf(seen.body)));
	};
	const server = tlsOptions ? https.createServer(tlsOptions, onRequest) : http.createServer(onRequest);
	server.on('connection', () => upstream.connections++);
	server.keepAliveTimeout = 60000;
	server.listen(0, '127.0.0.1', BACKLOG);
	await once(server, 'listening');
	t.after(() => {
		server.closeAllConnections?.();
		server.close();
	});
	upstream.server = server;
	upstream.port = server.address().port;
	upstream.address = `127.0.0.1:${upstream.port}`;
	return upstream;
}

// An upstream that is only a socket: onData(socket, textSoFar) decides. For answers that no HTTP
// library would give.
export async function startRawUpstream(t, onRequest) {
	const sockets = new Set();
	const upstream = { requests: [] };
	const server = net.createServer((socket) => {
		sockets.add(socket);
		socket.on('error', () => {});
		socket.on('close', () => sockets.delete(socket));
		let text = '';
		socket.on('data', (chunk) => {
			text += chunk.toString('latin1');
			const head = text.indexOf('\r\n\r\n');
			if (head < 0) return;
			const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0);
			if (text.length < head + 4 + length) return;
			const request = text.slice(0, head + 4 + length);
			text = text.slice(head + 4 + length);
			upstream.requests.push(request);
			onRequest(socket, request);
		});
	});
	server.listen(0, '127.0.0.1', BACKLOG);
	await once(server, 'listening');
	t.after(() => {
		for (const socket of sockets) socket.destroy();
		server.close();
	});
	upstream.address = `127.0.0.1:${server.address().port}`;
	upstream.port = server.address().port;
	return upstream;
}

export function modelOf(body) {
	try {
		return JSON.parse(body).model;
	} catch {
		return 'unknown';
	}
}

export function completion(content, model = 'm') {
	return {
		id: 'chatcmpl-1',
		object: 'chat.completion',
		created: 1,
		model,
		choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
		usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
	};
}

export function json(res, status, object, headers = {}) {
	const body = Buffer.from(JSON.stringify(object));
	res.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length, ...headers });
	res.end(body);
}

export const chunk = (content, extra = {}) => ({
	id: 'chatcmpl-1',
	object: 'chat.completion.chunk',
	created: 1,
	model: 'm',
	choices: [{ index: 0, delta: { content }, finish_reason: null }],
	...extra,
});
export const usageChunk = () => ({
	...chunk(''),
	choices: [],
	usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
});
export const sse = (object, eol = '\n') => `data: ${JSON.stringify(object)}${eol}${eol}`;

// One request with node's client, any Host: { status, headers, body (Buffer), text, json }. tls: options of
// a TLS connection (ca, servername, ...).
export function request(port, { method = 'POST', path = '/v1/chat/completions', headers = {}, body, agent, tls } = {}) {
	return new Promise((resolve, reject) => {
		const payload = body === undefined || Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body);
		const req = (tls ? https : http).request(
			{
				...tls,
				host: '127.0.0.1',
				port,
				method,
				path,
				agent: agent ?? false,
				headers: {
					...(payload === undefined
						? {}
						: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
					...headers,
				},
			},
			async (res) => {
				const pieces = [];
				let cut = null;
				try {
					for await (const piece of res) pieces.push(piece);
				} catch (error) {
					cut = error;
				}
				const all = Buffer.concat(pieces);
				resolve({
					status: res.statusCode,
					headers: res.headers,
					rawHeaders: res.rawHeaders,
					body: all,
					text: all.toString(),
					cut,
					get json() {
						return JSON.parse(all.toString());
					},
				});
			},
		);
		req.on('error', reject);
		req.setTimeout(60000, () => req.destroy(new Error('no answer within 60 s')));
		if (payload !== undefined) req.write(payload);
		req.end();
	});
}

// Bytes out, bytes back until the connection ends or `enough(text)` is true.
export function exchange(port, bytes, { enough = () => false, ms = 20000, end = false, wait = 0 } = {}) {
	return new Promise((resolve, reject) => {
		const socket = net.connect(port, '127.0.0.1');
		let text = '';
		const done = (closed) => {
			clearTimeout(timer);
			socket.destroy();
			resolve({ text, closed });
		};
		const timer = setTimeout(() => {
			socket.destroy();
			reject(new Error(`no end within ${ms} ms; got ${JSON.stringify(text.slice(0, 2000))}`));
		}, ms);
		socket.on('connect', async () => {
			for (const piece of [bytes].flat()) {
				socket.write(piece);
				if (wait) await new Promise((go) => setTimeout(go, wait));
			}
			if (end) socket.end();
		});
		socket.on('data', (chunk) => {
			text += chunk.toString('latin1');
			if (enough(text)) done(false);
		});
		socket.on('end', () => done(true));
		socket.on('error', () => done(true));
	});
}

// Splits raw response text into { status, headers, body } for answers with a length or chunks.
export function parseAnswers(text) {
	const answers = [];
	let rest = text;
	while (rest.startsWith('HTTP/1.')) {
		const end = rest.indexOf('\r\n\r\n');
		if (end < 0) break;
		const [line, ...fields] = rest.slice(0, end).split('\r\n');
		const headers = Object.fromEntries(fields.map((f) => [f.slice(0, f.indexOf(':')).toLowerCase(), f.slice(f.indexOf(':') + 1).trim()]));
		const status = Number(line.split(' ')[1]);
		rest = rest.slice(end + 4);
		let body = '';
		if (status === 100) {
			// no body
		} else if (headers['content-length'] !== undefined) {
			body = rest.slice(0, Number(headers['content-length']));
			rest = rest.slice(body.length);
		} else if (/chunked/i.test(headers['transfer-encoding'] ?? '')) {
			for (;;) {
				const eol = rest.indexOf('\r\n');
				const size = parseInt(rest.slice(0, eol), 16);
				body += rest.slice(eol + 2, eol + 2 + size);
				rest = rest.slice(eol + 2 + size + 2);
				if (!(size > 0)) break;
			}
		} else {
			body = rest;
			rest = '';
		}
		answers.push({ line, status, headers, body });
	}
	return answers;
}
