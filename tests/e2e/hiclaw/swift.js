// OpenStack Swift with its s3api, which Debian packages: a real S3 server, in place of one that we have written. And a
// client that signs for itself, to put and look at objects behind the gateway's back.
import crypto from 'node:crypto';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { ROOT, until } from '../lib/sluice.js';

const PYTHON = '/usr/bin/python3'; // Debian's, which has Debian's packages
export const SWIFT_KEYS = { id: 'test:tester', secret: 'testing/+secret' };

// Why there is none; null: there is one.
export function swiftMissing(dir) {
	const probe = spawnSync(PYTHON, ['-c', 'import swift.common.middleware.s3api.s3api, xattr, sys; xattr.setxattr(sys.argv[1], "user.test", b"1")', dir], { encoding: 'utf8' });

	if (probe.error || probe.status !== 0) return /No module/.test(probe.stderr) ? 'python3-swift is not installed' : `no Swift here: ${probe.error ?? probe.stderr.trim().split('\n').at(-1)}`;
	return null;
}

const sha256 = (data) => crypto.createHash('sha256').update(data).digest('hex');
const hmac = (key, data) => crypto.createHmac('sha256', key).update(data).digest();
const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

export function s3Client(url, bucket, { id, secret }) {
	const { host } = new URL(url);

	return async (method, key, body = '') => {
		const at = `/${bucket}/${key.split('/').map(encode).join('/')}`;
		const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
		const scope = `${date.slice(0, 8)}/us-east-1/s3/aws4_request`;
		const payload = sha256(body);
		const canonical = [method, at, '', `host:${host}`, `x-amz-content-sha256:${payload}`, `x-amz-date:${date}`, '', 'host;x-amz-content-sha256;x-amz-date', payload].join('\n');
		const signing = ['us-east-1', 's3', 'aws4_request'].reduce(hmac, hmac(`AWS4${secret}`, date.slice(0, 8)));
		const signature = hmac(signing, ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n')).toString('hex');
		const res = await fetch(url + at, { method, body: method === 'PUT' ? body : undefined, headers: { 'x-amz-date': date, 'x-amz-content-sha256': payload,
			authorization: `AWS4-HMAC-SHA256 Credential=${id}/${scope},SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=${signature}` } });
		const text = await res.text();

		if (res.status >= 300 && res.status !== 404) throw new Error(`${method} ${key}: ${res.status} ${text}`);
		return res.status === 404 ? undefined : text;
	};
}

// dir is the test's own. { url, put(key, text), get(key) }: get is undefined where there is no object.
export async function startSwift(t, dir, bucket) {
	const ready = path.join(dir, 'swift-ready');
	const child = spawn(PYTHON, [path.join(ROOT, 'tests/clients/s3-server.py'), dir, ready, bucket, SWIFT_KEYS.id, SWIFT_KEYS.secret], { stdio: ['ignore', 'ignore', 'pipe'] });
	const gone = once(child, 'close');
	let stderr = '';

	child.stderr.on('data', (chunk) => (stderr += chunk));
	t.after(async () => {
		child.kill('SIGKILL');
		await gone;
	});
	await until('Swift to serve', () => {
		if (child.exitCode !== null) throw new Error(`Swift ended: ${stderr}`);
		return fs.existsSync(ready);
	}, 60000);
	const url = `http://127.0.0.1:${JSON.parse(fs.readFileSync(ready, 'utf8')).port}`;
	const ask = s3Client(url, bucket, SWIFT_KEYS);
	return { url, put: (key, text) => ask('PUT', key, text), get: (key) => ask('GET', key) };
}
