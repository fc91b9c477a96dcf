// Many connections as sockets, each read as it comes: what a test of endurance needs and no HTTP client gives.
import net from 'node:net';
import { residentBytes, sleep } from './sluice.js';

export const post = (body, host = 'a.test', ...fields) =>
	['POST /v1/chat/completions HTTP/1.1', `Host: ${host}`, 'Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`, ...fields].join('\r\n') + `\r\n\r\n${body}`;

// An open stream. { bytes, events, ended, tail }: events are counted as they pass, nothing is kept.
export function openStream(port, model, host) {
	const socket = net.connect(port, '127.0.0.1');
	const stream = { socket, bytes: 0, events: 0, ended: false, error: null, tail: '' };
	const body = JSON.stringify({ model, stream: true, messages: [] });
	socket.on('connect', () => socket.write(post(body, host, 'Connection: close')));
	socket.on('data', (piece) => {
		stream.bytes += piece.length;
		for (let at = piece.indexOf('data: '); at >= 0; at = piece.indexOf('data: ', at + 6)) stream.events++;
		// "data: " may be cut by the border of two pieces.
		const seam = stream.tail.slice(-5) + piece.subarray(0, 5).toString('latin1');
		if (seam.includes('data: ')) stream.events++;
		stream.tail = (stream.tail + piece.subarray(-32).toString('latin1')).slice(-32);
	});
	socket.on('error', (error) => (stream.error = error));
	stream.done = new Promise((done) => socket.on('close', () => ((stream.ended = true), done(stream))));
	return stream;
}

// The highest size of a process between start and stop, and how it went: a size each `every` ms.
export function watchMemory(pid, every = 100) {
	const seen = { highest: residentBytes(pid), samples: [] };
	const timer = setInterval(() => {
		const now = residentBytes(pid);
		seen.highest = Math.max(seen.highest, now);
		seen.samples.push(now);
	}, every);
	seen.stop = () => clearInterval(timer);
	return seen;
}

// What a process has settled at: the least of some looks.
export async function settledBytes(pid) {
	let least = Infinity;
	for (let i = 0; i < 10; i++) {
		least = Math.min(least, residentBytes(pid));
		await sleep(50);
	}
	return least;
}
