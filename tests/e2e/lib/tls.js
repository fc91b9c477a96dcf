// Authorities and certificates made on the spot, and the resources that carry them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { run, tempDir } from './sluice.js';

async function openssl(dir, ...args) {
	const got = await run(args, { program: 'openssl', cwd: dir });
	assert.equal(got.code, 0, got.stderr);
	return got.stdout;
}

// { file, cert, issue(names, { days, rsa, cn }) }; issue gives { key, cert, keyFile, certFile }, all PEM.
export async function newAuthority(t) {
	const dir = tempDir(t);
	let issued = 0;
	await openssl(dir, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=Test CA');
	return {
		file: path.join(dir, 'ca.pem'),
		cert: fs.readFileSync(path.join(dir, 'ca.pem'), 'utf8'),
		async issue(names, { days = 2, rsa = false, cn = 'server' } = {}) {
			const name = `c${issued++}`;
			const at = (what) => path.join(dir, `${name}.${what}`);
			fs.writeFileSync(at('ext'), `subjectAltName=${names.join(',')}\nextendedKeyUsage=serverAuth\n`);
			await openssl(dir, 'req', '-new', ...(rsa ? ['-newkey', 'rsa:2048'] : ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']), '-nodes', '-keyout', at('key'), '-out', at('csr'), '-subj', `/CN=${cn}`);
			await openssl(dir, 'x509', '-req', '-in', at('csr'), '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', `${days}`, '-extfile', at('ext'), '-out', at('pem'));
			return { key: fs.readFileSync(at('key'), 'utf8'), cert: fs.readFileSync(at('pem'), 'utf8'), keyFile: at('key'), certFile: at('pem') };
		},
	};
}

function write(data, dir, name, object) {
	const root = path.join(data, 'resources', dir);
	fs.mkdirSync(root, { recursive: true });
	fs.writeFileSync(path.join(root, `${name}.yaml.new`), JSON.stringify(object, null, 1) + '\n');
	fs.renameSync(path.join(root, `${name}.yaml.new`), path.join(root, `${name}.yaml`));
}

const base64 = (text) => Buffer.from(text).toString('base64');

// A TLS Secret as the Console writes it.
export function writeSecret(data, name, { cert, key }) {
	write(data, 'secrets', name, {
		apiVersion: 'v1',
		kind: 'Secret',
		metadata: { name, namespace: 'higress-system', labels: { 'higress.io/resource-definer': 'higress' } },
		type: 'kubernetes.io/tls',
		data: { 'tls.crt': base64(cert), 'tls.key': base64(key) },
	});
}

// A domain as the Console writes it. https: off, on, force.
export function writeDomain(data, domain, { https = 'on', cert } = {}) {
	const name = `domain-${domain.replace(/^\*/, 'wildcard')}`;
	write(data, 'configmaps', name, {
		apiVersion: 'v1',
		kind: 'ConfigMap',
		metadata: {
			name,
			namespace: 'higress-system',
			labels: { 'higress.io/config-map-type': 'domain', 'higress.io/resource-definer': 'higress' },
		},
		data: { domain, enableHttps: https, ...(cert ? { cert } : {}) },
	});
}
