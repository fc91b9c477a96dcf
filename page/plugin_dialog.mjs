// The plugins of a route: which are configured, with what, and whether they are on.
import { change, get, part, remove } from './api.mjs';
import { h, put, update } from './dom.mjs';
import { isZh, t } from './i18n.mjs';
import { shortName } from './explain.mjs';
import { badge, btn, complain, confirm_, empty, field, loading, modal, note, select, tick, toast } from './ui.mjs';

const ABOUT_MAX = 600;

export function pluginsDialog(route) {
	const path = `v1/routes/${part(route)}/plugin-instances`;
	const list = h('div', loading(2));
	const form = h('div');
	let all = [];
	let known = [];

	// One of them, as YAML: what a plugin takes is its own.
	const edit = (name, now) => {
		const yaml = field('CONFIGURATION (YAML)', h('textarea', { rows: 10, spellcheck: 'false', value: now?.rawConfigurations ?? '' }));
		const on = tick('ON', now ? now.enabled : true);
		const said = h('div', { 'aria-live': 'polite' });
		const about = h('p.sm.soft.any');
		get(`v1/wasm-plugins/${part(name)}/readme?lang=${isZh() ? 'zh-CN' : 'en-US'}`).then((text) => put(about, String(text ?? '').replace(/^#.*$/gm, '').replace(/\s+/g, ' ').trim().slice(0, ABOUT_MAX)), () => {});
		put(form, h('div.dither.gap'), h('div.col.gap3', h('div.row', h('h3.grow', name), on), about, yaml, said, h('div.row', btn('SAVE PLUGIN', { s: true, k: 'pri', on: async () => {
			try {
				await change(`${path}/${part(name)}`, { pluginName: name, enabled: on.input.checked, rawConfigurations: yaml.input.value });
				dialog.clean();
				put(form);
				toast(t('PLUGIN SAVED'), name);
				load();
			} catch (error) {
				if (error.status === 400) return yaml.fail(error.message);
				update(said, note('b-bad', h('div', error.message)));
			}
		} }), btn('CANCEL', { s: true, on: () => put(form) }))));
		if (!now?.rawConfigurations) get(`v1/wasm-plugins/${part(name)}/config?lang=${isZh() ? 'zh-CN' : 'en-US'}`).then((got) => {
			const example = got?.schema?.extensions?.['x-example-raw'];
			if (example && !yaml.input.value) yaml.input.placeholder = example;
		}, () => {});
		yaml.input.focus();
	};
	const drop = async (name) => {
		if (!(await confirm_('DELETE PLUGIN', t('DELETE PLUGIN "{0}"?', name), 'DELETE', { kind: 'dang' }))) return;
		try {
			await remove(`${path}/${part(name)}`);
			toast(t('PLUGIN DELETED'), name);
		} catch (error) {
			complain(t('DELETE FAILED'), error);
		}
		load();
	};
	const draw = () => {
		const free = known.filter((p) => !all.some((x) => x.pluginName === p.name));
		const pick = field('ADD PLUGIN', select([['', '—'], ...free.map((p) => [p.name, `${p.name} · ${p.title ?? ''}`])], ''));
		pick.input.addEventListener('change', () => pick.input.value && edit(pick.input.value, null));
		put(list, all.length ? h('ul.col.gap2', all.map((x) => h('li.row', h('h3.grow.any', x.pluginName), badge(x.enabled ? 'ON' : 'OFF', x.enabled ? 'b-ok' : 'b-off'), btn('EDIT', { s: true, aria: `${t('EDIT')} ${x.pluginName}`, on: () => edit(x.pluginName, x) }), btn('DEL', { s: true, k: 'dang', aria: `${t('DEL')} ${x.pluginName}`, on: () => drop(x.pluginName) })))) : empty('bolt', 'NO PLUGINS', 'Nothing is done to its requests beside what the route itself says.'), pick);
	};
	const load = async () => {
		try {
			[all, known] = await Promise.all([get(path), known.length ? known : get(`v1/wasm-plugins?lang=${isZh() ? 'zh-CN' : 'en-US'}`)]);
			draw();
		} catch (error) {
			put(list, note('b-bad', h('div', h('div.sm', error.message), h('div.xs.soft', error.more))));
		}
	};
	const dialog = modal(t('PLUGINS OF {0}', shortName(route)), 'bolt', h('div.col', list, form), (close) => [h('div.end', btn('CLOSE', { k: 'pri', on: close }))], { raw: true });
	load();
	return dialog;
}
