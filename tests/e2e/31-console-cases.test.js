// The golden cases of the management API, K001 to K245, against the real binary. The tables are in cases/: each row says
// what is asked, of which set-up, what is expected and why. A group of rows has one server; before each row it is brought
// into the row's set-up through the API itself. What cannot be asked yet is listed in tests/README.md.
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { aiRoutes } from './cases/ai_routes.js';
import { gateway } from './cases/gateway.js';
import { mcp } from './cases/mcp.js';
import { consumers, domains, others, routes, sources } from './cases/nouns.js';
import { plugins } from './cases/plugins.js';
import { providers } from './cases/providers.js';
import { empty, session } from './cases/session.js';
import { startConsole } from './lib/console.js';
import { startUpstream } from './lib/http.js';
import { tempDir } from './lib/sluice.js';
import { newAuthority } from './lib/tls.js';

const groups = { empty, session, providers, aiRoutes, consumers, domains, routes, sources, others, plugins, mcp, gateway };

// A group's server lives until a row of another one asks.
let current = null;
async function enter(name) {
	if (current?.name === name) return current.console;
	await leave();
	const endings = [];
	const owner = { after: (fn) => endings.push(fn) };
	current = { name, endings };
	const c = await startConsole(owner);
	current.console = c;
	if (name !== 'empty') await c.init();
	if (name === 'gateway') c.upstream = await startUpstream(owner);
	if (name === 'others') c.authority = await newAuthority(owner);
	return c;
}
async function leave() {
	for (const end of current?.endings.reverse() ?? []) await end();
	current = null;
}
after(leave);

for (const [name, rows] of Object.entries(groups))
	for (const [id, given, input, expectation, why, run] of rows)
		test(`${id}: ${input}: ${expectation} (${why})`, async () => {
			const c = await enter(name);
			if (given !== 'E') await c.setUp(given, c.upstream);
			await run(c);
		});

test('K023: a restart: the old cookie still counts (some clients never log in twice)', async (t) => {
	const data = tempDir(t);
	const before = await startConsole(t, { data });
	await before.init();
	assert.equal((await before.serve.stop()).code, 0);
	const now = await startConsole(t, { data });
	now.cookie = before.cookie;
	assert.equal((await now.data('GET /user/info')).name, 'admin');
});

test('every case is there once, and says what, what for and why', () => {
	const rows = Object.values(groups).flat();
	assert.equal(new Set(rows.map(([id]) => id)).size, rows.length);
	for (const row of rows) {
		assert.match(row[0], /^K\d{3}$/);
		assert.equal(row.length, 6, row[0]);
		for (const words of row.slice(2, 5)) assert.ok(words.length > 2, row[0]);
	}
});
