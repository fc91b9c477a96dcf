// axe-core looks at what a page shows now. It needs a tab with bypassCSP: the page's policy would not let it in.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

// rules: some of axe's rules or sets of them.
export async function audit(page, what, rules = RULES) {
	const found = await page.evaluate(async ([source, wanted, least]) => {
		const axe = (globalThis.axe ??= new Function(`${source}; return axe;`)());
		const got = await axe.run(document, { runOnly: wanted });
		if (got.passes.length < least) throw new Error('axe has looked at nothing');
		return got.violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${n.any[0]?.message ?? n.failureSummary}`).join(' | ')}`);
	}, [AXE, rules, rules === RULES ? 10 : 1]);
	assert.deepEqual(found, [], what);
}
