// axe-core looks at what a page shows now. It needs a tab with bypassCSP: the page's policy would not let it in.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export async function audit(page, what) {
	const found = await page.evaluate(async (source) => {
		const axe = globalThis.axe ?? (new Function(`${source}; return axe;`)());
		const got = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] });
		if (got.passes.length < 10) throw new Error('axe has looked at nothing');
		return got.violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${n.any[0]?.message ?? ''}`).join(' | ')}`);
	}, AXE);
	assert.deepEqual(found, [], what);
}
