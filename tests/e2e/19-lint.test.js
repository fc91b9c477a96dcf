// sluice lint: every finding has its place, a level, a code and what to do; docs/lint.md is true; the
// gateway and lint never disagree about what is wrong.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { cleanEnv, ROOT, run, SLUICE, startServe, tempDir } from './lib/sluice.js';

const SEED = 'tests/data/seed-article';
const read = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8');

async function lint(...args) {
	const got = await run(['lint', '--json', ...args]);
	assert.ok(got.code === 0 || got.code === 1, got.stderr);
	return { ...JSON.parse(got.stdout), code: got.code };
}

const codesOf = (findings) => [...new Set(findings.map((f) => f.code))].sort();

// --- documents ---------------------------------------------------------------------------------------

const nameOf = (doc) => {
	const kind = /^kind: (\S+)/m.exec(doc)?.[1];
	const name = (/^metadata: \{name: ([^,}]+)/m.exec(doc) ?? /^ {2}name: (\S+)/m.exec(doc))?.[1];
	return `${kind}/${name}`;
};
const split = (bundle) => bundle.split(/^---\n/m);

// The set that examples are read with, and { code, levels, text, example } of each section.
function lintPage() {
	const [head, ...sections] = read('docs/lint.md').split(/^### /m);
	const block = (text) => /^```yaml\n(.*?)^```$/ms.exec(text)?.[1];
	return {
		base: block(head),
		codes: sections.map((s) => ({
			code: /^`([a-z0-9-]+)`/.exec(s)[1],
			level: /^\*\*(error|warning|info)\*\*/m.exec(s)[1],
			text: s,
			example: block(s),
		})),
	};
}

// Writes an example, and what it does not replace of the set; returns the arguments for lint.
function writeExample(dir, base, example) {
	const named = /^# (\w+\/\S+\.yaml)\n/.exec(example);
	const own = named ? [] : split(example).map(nameOf);
	const rest = split(base).filter((doc) => !own.includes(nameOf(doc)));
	fs.writeFileSync(path.join(dir, 'base.yaml'), rest.join('---\n'));
	if (named) {
		const file = path.join(dir, 'root', named[1]);
		fs.mkdirSync(path.dirname(file), { recursive: true });
		fs.writeFileSync(file, example.slice(named[0].length));
		return [path.join(dir, 'root'), path.join(dir, 'base.yaml')];
	}
	fs.writeFileSync(path.join(dir, 'example.yaml'), example);
	return [path.join(dir, 'example.yaml'), path.join(dir, 'base.yaml')];
}

test('the set that the examples of docs/lint.md are read with has nothing to mend', async (t) => {
	const file = path.join(tempDir(t), 'base.yaml');
	fs.writeFileSync(file, lintPage().base);
	assert.deepEqual((await lint('--info', file)).findings, []);
});

test('each example of docs/lint.md gives its code, at its level, and no other error or warning', async (t) => {
	const { base, codes } = lintPage();
	const wrong = [];
	for (const { code, level, text, example } of codes) {
		if (example === undefined) {
			assert.match(text, /No example: it .*|No example: the value counts as on/, `${code}: without an example and a reason`);
			continue;
		}
		const args = writeExample(tempDir(t), base, example);
		const got = await lint(...args);
		const expected = level === 'info' ? [] : [code];
		let good = JSON.stringify(codesOf(got.findings)) === JSON.stringify(expected);
		good &&= got.findings.every((f) => f.level === level && f.text.length > 10 && f.line > 0 && f.column > 0);
		good &&= got.code === (level === 'error' ? 1 : 0);
		good &&= got.errors + got.warnings === got.findings.length;
		if (level === 'info') good &&= (await lint('--info', ...args)).findings.some((f) => f.code === code && f.level === 'info');
		if (!good) wrong.push(`${code}: ${JSON.stringify(got)}`);
	}
	assert.deepEqual(wrong, []);
});

test('every code of the sources is in docs/lint.md, once, and every code there is in the sources', () => {
	const makers =
		/\b(build_warning|build_error|lint_info|skip|refuse|provider_refuse|provider_note|registry_error|note|note_at|note_file|report_fault)\(|code =/;
	const found = new Set();
	for (const room of ['plan', 'resource', 'store', 'cli'])
		for (const file of fs.readdirSync(path.join(ROOT, 'src', room))) {
			if (!file.endsWith('.c') || /_(test|fuzz)\.c$/.test(file)) continue;
			if (room === 'cli' && file !== 'tree.c') continue;
			if (file.startsWith('op_')) continue; // what writes resources finds nothing in them
			const source = read(`src/${room}/${file}`);
			for (const m of source.matchAll(/"([a-z0-9]+(?:-[a-z0-9]+)+)"/g)) {
				const before = source.slice(Math.max(0, m.index - 200), m.index).replaceAll('{1, 1}', '');
				const statement = /code = $/.test(before) ? before : before.split(/[;{}]/).pop();
				if (makers.test(statement)) found.add(m[1]);
			}
		}
	const listed = lintPage().codes.map((c) => c.code);
	assert.ok(found.size > 90, `${found.size} codes were found in the sources`);
	assert.deepEqual([...listed].sort(), [...found].sort());
});

test('every other resource in the documents lints clean, and so do the examples', async (t) => {
	const files = ['README.md', 'ARCHITECTURE.md', 'SECURITY.md', ...fs.readdirSync(path.join(ROOT, 'docs')).map((f) => `docs/${f}`)];
	for (const file of files.filter((f) => f.endsWith('.md') && f !== 'docs/lint.md'))
		for (const [, block] of read(file).matchAll(/^```yaml\n(.*?)^```$/gms)) {
			if (!/^(apiVersion|kind):/m.test(block)) continue; // of another program
			const at = path.join(tempDir(t), 'block.yaml');
			fs.writeFileSync(at, block);
			assert.deepEqual((await lint(at)).findings, [], `${file}:\n${block}`);
		}
	for (const example of fs.readdirSync(path.join(ROOT, 'examples')))
		// This one has no apiTokens on purpose: the client's credential is never passed on in their place, and who
		// knows Higress expects it to be (product: provider-without-credential).
		assert.deepEqual(
			codesOf((await lint(`examples/${example}`)).findings),
			example === 'zimomo' ? ['provider-without-credential'] : [],
			example,
		);
});

// --- the article -------------------------------------------------------------------------------------

const ARTICLE = [
	// item of the list of inconsistencies, file, code, what the text names
	[1, 'ingresses/ai-route-zimomo2lololo.internal.yaml', 'domain-label', /lololo\.com/],
	[2, 'configmaps/domain-zimomo.com.yaml', 'domain-unused', /zimomo\.com/],
	[3, 'ingresses/ai-route-zimomo2lololo.internal.yaml', 'destination-unknown-service', /llm-lololo-provider\.internal\.dns/],
	[4, 'ingresses/ai-route-zimomo2lololo.internal.yaml', 'destination-port-mismatch', /30000.*llm-lololo\.internal\.dns.*443/],
	[5, 'configmaps/ai-route-lololo.yaml', 'ai-route-without-ingress', /ai-route-lololo\.internal/],
	[5, 'ingresses/ai-route-zimomo2lololo.internal.yaml', 'ingress-without-ai-route', /ai-route-zimomo2lololo/],
	// Item 6 is item 5 as the JSON says it: name and resource agree with one another, and with no Ingress.
	[6, 'configmaps/ai-route-lololo.yaml', 'ai-route-without-ingress', /^AI route lololo /],
	[7, 'configmaps/ai-route-lololo.yaml', 'ai-route-domain', /lololo\.com/],
	[8, 'configmaps/ai-route-lololo.yaml', 'ai-route-unknown-provider', /lololo-provider/],
];

test('G141: the resources of the article load without error, and each inconsistency is reported', async () => {
	const got = await lint(SEED);
	assert.equal(got.errors, 0, JSON.stringify(got.findings));
	assert.equal(got.code, 0);
	for (const [item, file, code, text] of ARTICLE)
		assert.ok(
			got.findings.some((f) => f.file === `${SEED}/${file}` && f.code === code && text.test(f.text)),
			`item ${item}: ${code} in ${file}\n${JSON.stringify(got.findings, null, 1)}`,
		);
	assert.equal((await run(['lint', '--strict', SEED])).code, 1);
});

// --- places ------------------------------------------------------------------------------------------

test('file:line:column is where the text stands, in a tree and in a bundle', async (t) => {
	const { findings } = await lint(SEED);
	const at = (f) => fs.readFileSync(f.file, 'utf8').split('\n')[f.line - 1].slice(f.column - 1);
	const of = (code) => findings.filter((f) => f.code === code).map((f) => at({ ...f, file: path.join(ROOT, f.file) }));
	assert.ok(of('destination-unknown-service').every((s) => s.startsWith('llm-lololo-provider.internal.dns:30000')));
	assert.ok(of('domain-unused').every((s) => s === 'zimomo.com'));
	assert.ok(of('domain-label').every((s) => s === '"true"'));

	// The same documents in one file, behind comments: only the file and the line change.
	const bundle = path.join(tempDir(t), 'bundle.yaml');
	const parts = ['mcpbridges', 'ingresses', 'configmaps', 'wasmplugins'].flatMap((dir) =>
		fs.readdirSync(path.join(ROOT, SEED, dir)).map((f) => read(`${SEED}/${dir}/${f}`)));
	fs.writeFileSync(bundle, `# a bundle\n\n---\n${parts.join('--- # next\n')}`);
	const again = await lint(bundle);
	assert.deepEqual(codesOf(again.findings), codesOf(findings));
	for (const f of again.findings) {
		const other = findings.find((g) => g.code === f.code && g.text === f.text);
		assert.ok(other, JSON.stringify(f));
		if (other.column !== 1) assert.equal(at(f), at({ ...other, file: path.join(ROOT, other.file) }), JSON.stringify(f));
	}
});

test('CRLF, a byte order mark and a broken document in the middle hide nothing', async (t) => {
	const dir = tempDir(t);
	const docs = 'kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\ndata: {x: off}\n---\nkind: [\n---\n' +
		'kind: ConfigMap\napiVersion: v1\nmetadata: {name: b}\ndata: {x: off}\n';
	const places = [];
	for (const [i, text] of [docs, docs.replaceAll('\n', '\r\n'), `\ufeff${docs}`].entries()) {
		const file = path.join(dir, `${i}.yaml`);
		fs.writeFileSync(file, text);
		const got = await lint(file);
		places.push(got.findings.map((f) => `${f.line}:${f.column} ${f.code}`));
	}
	assert.deepEqual(places[0].map((s) => s.replace(/:\d+ /, ' ')), ['4 string-expected', '7 yaml-syntax', '11 string-expected']);
	assert.deepEqual(places[1], places[0]);
	assert.deepEqual(places[2], places[0]);
});

// --- the command -------------------------------------------------------------------------------------

const BROKEN = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a\n';
const ODD = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: off}\n';

test('exit codes: 0 nothing or warnings, 1 errors, 1 warnings with --strict, 2 wrong usage', async (t) => {
	const dir = tempDir(t);
	fs.writeFileSync(path.join(dir, 'broken.yaml'), BROKEN);
	fs.writeFileSync(path.join(dir, 'odd.yaml'), ODD);
	const rows = [
		// arguments, exit code
		[['examples/quickstart'], 0],
		[['--strict', 'examples/quickstart'], 0],
		[[path.join(dir, 'odd.yaml')], 0],
		[['--strict', path.join(dir, 'odd.yaml')], 1],
		[[path.join(dir, 'broken.yaml')], 1],
		[[path.join(dir, 'odd.yaml'), path.join(dir, 'broken.yaml')], 1],
		[[dir], 1],
		[[], 2],
		[['--sctrict', dir], 2],
		[[path.join(dir, 'gone.yaml')], 2],
		[['--', '--strict'], 2],
	];
	for (const [args, code] of rows) {
		const got = await run(['lint', ...args]);
		assert.equal(got.code, code, `${args.join(' ')}\n${got.stdout}${got.stderr}`);
		if (code === 2) assert.equal(got.stderr.trim().split('\n').length, 1, got.stderr);
	}
	fs.writeFileSync(path.join(dir, '--strict'), ODD);
	assert.equal((await run(['lint', '--', '--strict'], { cwd: dir })).code, 0);
});

test('a line is file:line:column: level: text (code), without colours, on standard output', async (t) => {
	const file = path.join(tempDir(t), 'odd.yaml');
	fs.writeFileSync(file, ODD);
	for (const env of [{}, { NO_COLOR: '1' }, { TERM: 'xterm-256color' }]) {
		const got = await run(['lint', file], { env });
		assert.match(got.stdout, /^\S+odd\.yaml:4:11: warning: .+ \(string-expected\)\n$/);
		assert.equal(got.stdout.includes('\x1b'), false);
		assert.match(got.stderr, /^1 resource: 0 errors, 1 warning\n$/);
	}
});

test('on a terminal levels are coloured, never with NO_COLOR', async (t) => {
	const file = path.join(tempDir(t), 'odd.yaml');
	fs.writeFileSync(file, ODD);
	for (const [env, colours] of [[{}, true], [{ NO_COLOR: '1' }, false]]) {
		// script(1) of util-linux gives the program a terminal.
		const got = await run(['-qec', `'${SLUICE}' lint '${file}'`, '/dev/null'], { program: 'script', env });
		assert.match(got.stdout, /string-expected/);
		assert.equal(got.stdout.includes('\x1b['), colours, JSON.stringify(got.stdout));
	}
});

test('control characters of names never reach the terminal', async (t) => {
	const file = path.join(tempDir(t), 'odd.yaml');
	fs.writeFileSync(file, 'kind: ConfigMap\napiVersion: v1\nmetadata: {name: "domain-\\e[31m"}\ndata: {domain: "\\e]0;x\\a\\x9b2J"}\n');
	const got = await run(['lint', file]);
	assert.notEqual(got.stdout, '');
	assert.doesNotMatch(got.stdout, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
});

test('a bundle comes on standard input as well', async () => {
	const child = spawn(SLUICE, ['lint', '-'], { env: cleanEnv(), stdio: 'pipe' });
	let out = '';
	child.stdout.on('data', (chunk) => (out += chunk));
	child.stdin.end(`${ODD}---\n${BROKEN}`);
	const [code] = await once(child, 'close');
	assert.equal(code, 1);
	assert.match(out, /^<stdin>:4:11: warning: .*\n<stdin>:\d+:\d+: error: .*\(yaml-syntax\)\n$/);
});

test('a file that is given twice is read once; another one with the same object replaces it, and that is said', async (t) => {
	const dir = tempDir(t);
	const [a, b] = ['a.yaml', 'b.yaml'].map((f) => path.join(dir, f));
	fs.writeFileSync(a, ODD);
	assert.equal((await lint(a, a, path.join(dir, '.', 'a.yaml'), dir)).findings.length, 1);
	fs.writeFileSync(b, ODD.replace('off', '"off"'));
	const { findings } = await lint(a, b);
	assert.deepEqual(findings.map((f) => [path.basename(f.file), f.line, f.code]), [
		['a.yaml', 4, 'string-expected'], // where it stands, although it does not count
		['b.yaml', 1, 'object-replaced'],
	]);
	assert.match(findings[1].text, /a\.yaml/);
});

test('loops of links, directories called .yaml and files that cannot be read', async (t) => {
	const root = tempDir(t);
	const dir = path.join(root, 'configmaps');
	fs.mkdirSync(path.join(dir, 'd.yaml'), { recursive: true });
	fs.symlinkSync('loop.yaml', path.join(dir, 'loop.yaml'));
	fs.symlinkSync('..', path.join(dir, 'up'));
	fs.writeFileSync(path.join(dir, 'a.yaml'), ODD);
	fs.writeFileSync(path.join(dir, 'notes.txt'), 'not a resource');
	const { findings, code } = await lint(root);
	assert.equal(code, 1);
	assert.deepEqual(findings.map((f) => [path.basename(f.file), f.code]), [
		['a.yaml', 'string-expected'],
		['loop.yaml', 'file-unreadable'],
	]);
});

test('a slip of the pen is told with the name that was meant; what is like nothing without one', async (t) => {
	const text = (provider, rule = 'activeProviderId') => `kind: WasmPlugin
apiVersion: extensions.higress.io/v1alpha1
metadata: {name: ai-proxy.internal}
spec:
  defaultConfig:
    providers:
    - {id: a, ${provider}, apiTokens: [k]}
  matchRules:
  - {service: [a.dns], config: {${rule}: a}}
`;
	const rows = [
		[text('type: opnai'), 'provider-type-unknown', /no type opnai; write openai$/, 'letters missing'],
		[text('type: gibberish'), 'provider-type-unknown', /no type gibberish; check the spelling$/, 'like none'],
		[text('type: openai, openAiCustomURL: x'), 'unknown-field', /; write openaiCustomUrl$/, 'only letters of another case'],
		[text('type: openai, colour: red'), 'unknown-field', /; check the spelling$/, 'like none'],
		[text('type: openai, failover: {enabled: true, healthCheckModel: m, failureTreshold: 3}'), 'unknown-field', /; write failureThreshold$/, 'in a block'],
		[text('type: openai', 'activeProviderID'), 'unknown-field', /^activeProviderID means nothing to ai-proxy; write activeProviderId$/, 'in a rule'],
	];
	for (const [yaml, code, said, reason] of rows) {
		const file = path.join(tempDir(t), 'a.yaml');
		fs.writeFileSync(file, yaml);
		const found = (await lint(file)).findings.filter((f) => f.code === code);
		assert.equal(found.length, 1, reason);
		assert.match(found[0].text, said, reason);
	}
});

test('what a file that cannot be read may explain is kept back until it can be read', async (t) => {
	const root = path.join(tempDir(t), 'resources');
	fs.cpSync(path.join(ROOT, 'examples/quickstart/resources'), root, { recursive: true });
	const file = path.join(root, 'wasmplugins/ai-proxy.internal.yaml');
	fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('  name: ai-proxy', '\tname: ai-proxy'));
	const broken = await lint(`${root}/`);
	assert.deepEqual(broken.findings.map((f) => [f.file, f.code]), [[file, 'yaml-syntax']], 'nobody is told to remove what is right');
	assert.equal(broken.keptBack, 2);
	assert.match((await run(['lint', root])).stderr, /^6 resources: 1 error, 0 warnings\n2 more that may come of what could not be read are kept back; mend that first\n$/);
	fs.rmSync(file);
	const gone = await lint(root);
	assert.deepEqual(codesOf(gone.findings), ['ai-route-unknown-provider', 'upstream-without-provider']);
	assert.equal(gone.keptBack, 0);
});

// --- lint and the gateway ----------------------------------------------------------------------------

const DIRS = { ConfigMap: 'configmaps', Ingress: 'ingresses', McpBridge: 'mcpbridges', WasmPlugin: 'wasmplugins', Secret: 'secrets', EnvoyFilter: 'envoyfilters' };

test('the gateway logs the errors that lint tells, at the same places, and no others', async (t) => {
	const { base, codes } = lintPage();
	let compared = 0;
	for (const { code, level, example } of codes) {
		if (level !== 'error' || example === undefined || example.startsWith('# ')) continue;
		const data = tempDir(t);
		const root = path.join(data, 'resources');
		const own = split(example).map(nameOf);
		for (const doc of [...split(base).filter((d) => !own.includes(nameOf(d))), ...split(example)]) {
			const [kind, name] = nameOf(doc).split('/');
			fs.mkdirSync(path.join(root, DIRS[kind]), { recursive: true });
			fs.writeFileSync(path.join(root, DIRS[kind], `${name}.yaml`), doc);
		}
		const told = (await lint(root)).findings.filter((f) => f.level === 'error')
			.map((f) => `${path.relative(root, f.file)}:${f.line}:${f.column}: error: ${f.text} (${f.code})`);
		const serve = await startServe(t, { data, args: ['--log-format', 'json'] });
		await serve.stop();
		const logged = serve.stderr().split('\n').filter((l) => l.startsWith('{')).map((l) => Object.values(JSON.parse(l)))
			.map((v) => v.find((x) => /: error: .*\([a-z0-9-]+\)$/.test(x))).filter(Boolean);
		assert.deepEqual([...new Set(logged)].sort(), [...new Set(told)].sort(), code);
		compared += told.length !== 0;
	}
	assert.ok(compared > 30, `${compared} errors were compared`);
});
