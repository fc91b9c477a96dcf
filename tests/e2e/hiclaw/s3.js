// An object store that is as strict as MinIO: every request is signed (version 4, recomputed here from what came), keys
// and conditions are checked, errors are XML. Buckets are in memory.
import crypto from 'node:crypto';
import http from 'node:http';
import { once } from 'node:events';

export const KEYS = { id: 'minio-root', secret: 'm1nio+secret/key' };

const sha256 = (data) => crypto.createHash('sha256').update(data).digest('hex');
const hmac = (key, data) => crypto.createHmac('sha256', key).update(data).digest();
const md5 = (data) => crypto.createHash('md5').update(data).digest('hex');
const xml = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

// What the client should have signed. Null: it did.
function wrongSignature(req, url, body) {
	const auth = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(req.headers.authorization ?? '');

	if (!auth) return 'AccessDenied';
	const [, id, day, region, signed, signature] = auth;
	if (id !== KEYS.id) return 'InvalidAccessKeyId';
	const names = signed.split(';');
	for (const name of ['host', 'x-amz-content-sha256', 'x-amz-date']) if (!names.includes(name)) return 'SignatureDoesNotMatch';
	if (req.headers['x-amz-content-sha256'] !== sha256(body)) return 'XAmzContentSHA256Mismatch';
	const query = [...url.searchParams].map(([k, v]) => `${encode(k)}=${encode(v)}`).sort().join('&');
	const path = url.pathname.split('/').map((s) => encode(decodeURIComponent(s))).join('/');
	const canonical = [req.method, path, query, ...names.map((n) => `${n}:${(req.headers[n] ?? '').trim()}`), '', signed, req.headers['x-amz-content-sha256']].join('\n');
	const scope = `${day}/${region}/s3/aws4_request`;
	const key = ['aws4_request'].reduce(hmac, hmac(hmac(hmac(`AWS4${KEYS.secret}`, day), region), 's3'));
	const wanted = hmac(key, ['AWS4-HMAC-SHA256', req.headers['x-amz-date'], scope, sha256(canonical)].join('\n')).toString('hex');

	return wanted === signature ? null : 'SignatureDoesNotMatch';
}

const STATUS = {
	AccessDenied: 403, InvalidAccessKeyId: 403, SignatureDoesNotMatch: 403, XAmzContentSHA256Mismatch: 400, NoSuchKey: 404, NoSuchBucket: 404,
	PreconditionFailed: 412, MethodNotAllowed: 405, ServiceUnavailable: 503,
};

export async function startStorage(t, bucket) {
	const storage = { objects: new Map(), requests: [], down: false };

	storage.put = (key, text) => storage.objects.set(key, Buffer.from(text));
	storage.get = (key) => storage.objects.get(key)?.toString();

	function list(url) {
		const prefix = url.searchParams.get('prefix') ?? '';
		const delimiter = url.searchParams.get('delimiter');
		const keys = [...storage.objects.keys()].filter((k) => k.startsWith(prefix)).sort();
		const folders = new Set();
		const contents = [];

		for (const key of keys) {
			const cut = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
			if (cut >= 0) folders.add(key.slice(0, cut + 1));
			else contents.push(`<Contents><Key>${xml(key)}</Key><ETag>&quot;${md5(storage.objects.get(key))}&quot;</ETag><Size>${storage.objects.get(key).length}</Size></Contents>`);
		}
		return `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${bucket}</Name><Prefix>${xml(prefix)}</Prefix>`
			+ `<IsTruncated>false</IsTruncated>${contents.join('')}${[...folders].map((f) => `<CommonPrefixes><Prefix>${xml(f)}</Prefix></CommonPrefixes>`).join('')}</ListBucketResult>`;
	}

	function object(req, key, body, answer, refuse) {
		const there = storage.objects.get(key);
		const etag = there && `"${md5(there)}"`;

		if (req.method === 'PUT') {
			if (req.headers['if-match'] && req.headers['if-match'] !== etag) return refuse('PreconditionFailed');
			if (req.headers['if-none-match'] === '*' && there) return refuse('PreconditionFailed');
			storage.objects.set(key, body);
			return answer(200, '', { etag: `"${md5(body)}"` });
		}
		if (req.method === 'DELETE') {
			storage.objects.delete(key);
			return answer(204, '');
		}
		if (!there) return refuse('NoSuchKey');
		return answer(200, there, { etag, 'content-type': 'application/json' });
	}

	const server = http.createServer(async (req, res) => {
		const pieces = [];
		for await (const piece of req) pieces.push(piece);
		const body = Buffer.concat(pieces);
		const url = new URL(req.url, 'http://h');
		const answer = (status, content, headers = {}) => {
			const bytes = Buffer.from(content);
			res.writeHead(status, { 'content-length': bytes.length, ...headers });
			res.end(req.method === 'HEAD' ? undefined : bytes);
		};
		const refuse = (code) => answer(STATUS[code], `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>refused</Message></Error>`, { 'content-type': 'application/xml' });
		const [name, ...rest] = url.pathname.slice(1).split('/').map(decodeURIComponent);
		const key = rest.join('/');

		storage.requests.push({ method: req.method, key, url: req.url });
		if (storage.down) return refuse('ServiceUnavailable');
		const wrong = wrongSignature(req, url, body);
		if (wrong) return refuse(wrong);
		if (name !== bucket) return refuse('NoSuchBucket');
		if (key === '') return req.method === 'GET' ? answer(200, list(url), { 'content-type': 'application/xml' }) : req.method === 'HEAD' ? answer(200, '') : refuse('MethodNotAllowed');
		return object(req, key, body, answer, refuse);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	storage.url = `http://127.0.0.1:${server.address().port}`;
	return storage;
}
