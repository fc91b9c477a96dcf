// The official SDKs of OpenAI and Anthropic, with one difference: names are looked up here, so that `zimomo.com` reaches
// the gateway under test and the Host header is what a real client would send.
import http from 'node:http';
import { Readable } from 'node:stream';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

function fetchThrough(port) {
	return (url, init = {}) =>
		new Promise((resolve, reject) => {
			const { hostname, pathname, search } = new URL(url);
			const req = http.request(
				{
					host: '127.0.0.1',
					port,
					method: init.method ?? 'GET',
					path: pathname + search,
					headers: { ...Object.fromEntries(new Headers(init.headers)), host: hostname },
				},
				(res) => {
					const headers = new Headers();
					for (let i = 0; i < res.rawHeaders.length; i += 2)
						headers.append(res.rawHeaders[i], res.rawHeaders[i + 1]);
					const empty = res.statusCode === 204 || res.statusCode === 304;
					resolve(new Response(empty ? null : Readable.toWeb(res), { status: res.statusCode, headers }));
				},
			);
			init.signal?.addEventListener('abort', () => req.destroy(new Error('aborted')));
			req.on('error', reject);
			if (init.body) req.write(init.body);
			req.end();
		});
}

export function sdk(port, { host = '127.0.0.1', key = 'none', ...options } = {}) {
	return new OpenAI({
		baseURL: `http://${host}/v1`,
		apiKey: key,
		maxRetries: 0,
		timeout: 30000,
		fetch: fetchThrough(port),
		...options,
	});
}

export function anthropic(port, { host = '127.0.0.1', key = 'none', ...options } = {}) {
	return new Anthropic({
		baseURL: `http://${host}`,
		apiKey: key,
		maxRetries: 0,
		timeout: 30000,
		fetch: fetchThrough(port),
		...options,
	});
}

// What the SDK throws for a refused call.
export async function refusal(promise) {
	try {
		await promise;
	} catch (error) {
		return error;
	}
	throw new Error('the call was not refused');
}
