// What this browser keeps: looks and language, nothing else. Private windows that keep nothing are served too.
export const THEMES = ['pixel', 'cyber', 'office', 'auto'];
const root = document.documentElement;

export function kept(key) {
	try {
		return localStorage.getItem(key);
	} catch {
		return null;
	}
}
export function keep(key, value) {
	try {
		localStorage.setItem(key, value);
	} catch {
		// then only until the page is left
	}
}
export function drop(key) {
	try {
		localStorage.removeItem(key);
	} catch {
		// nothing was kept
	}
}

const light = matchMedia('(prefers-color-scheme: light)');
let chosen = THEMES.includes(kept('ai-gateway-theme')) ? kept('ai-gateway-theme') : 'pixel';
export const theme = () => chosen;
const show = () => (root.dataset.theme = chosen === 'auto' ? (light.matches ? 'office' : 'pixel') : chosen);
light.addEventListener('change', show);
export function setTheme(value) {
	chosen = value;
	keep('ai-gateway-theme', value);
	show();
}
export function setLanguage(value) {
	keep('sluice-lang', value);
	root.lang = value === 'zh' ? 'zh-CN' : 'en';
}
export const scaleOf = () => Number(kept('sluice-scale')) || 100;
export function setScale(value) {
	keep('sluice-scale', value);
	if (value === 100) root.style.removeProperty('font-size');
	else root.style.setProperty('font-size', `${value}%`);
	dispatchEvent(new Event('resize'));
}
export const motion = () => (root.dataset.motion === 'off' ? 'off' : 'system');
export function setMotion(value) {
	keep('sluice-motion', value);
	if (value === 'off') root.dataset.motion = 'off';
	else delete root.dataset.motion;
}
export const lines = () => root.dataset.lines === 'on';
export function setLines(on) {
	keep('sluice-lines', on ? 'on' : 'off');
	if (on) root.dataset.lines = 'on';
	else delete root.dataset.lines;
}
export const hasShortcuts = () => kept('sluice-keys') !== 'off';
export const setShortcuts = (on) => keep('sluice-keys', on ? 'on' : 'off');

// Another tab has chosen.
export function apply() {
	chosen = THEMES.includes(kept('ai-gateway-theme')) ? kept('ai-gateway-theme') : chosen;
	show();
	root.lang = kept('sluice-lang') === 'zh' ? 'zh-CN' : kept('sluice-lang') === 'en' ? 'en' : root.lang;
	setMotion(kept('sluice-motion') ?? 'system');
	const size = Number(kept('sluice-scale'));
	if (size) root.style.setProperty('font-size', `${size}%`);
}
