// A real request through the gateway, as one of its consumers: what comes back, and what the gateway decided on the way. The
// server puts the consumer's key in and asks for the decision; nothing that is typed here is kept.
import { get, open, part } from './api.mjs';
import { h, put } from './dom.mjs';
import { number, t } from './i18n.mjs';
import { DEFAULT_ROUTE, predicateOf } from './map.mjs';
import { avatar, icon } from './sprites.mjs';
import { listOf, need, store } from './store.mjs';
import { badge, body, btn, copy, field, input, note, panel, select, tick } from './ui.mjs';
import { targets } from './workers.mjs';

const STEP_MS = 50;
const CHAT_MS = 300000;
const PROVIDERS_ASKED = 8;

// "served; route=...; consumer=...": percent-encoded where a byte is no token.
export function decisionOf(text) {
	const out = {};
	for (const piece of (text ?? '').split(';')) {
		const [key, ...value] = piece.trim().split('=');
		if (!value.length) out.outcome ??= key;
		else out[key] = decode(value.join('='));
	}
	return out;
}
function decode(text) {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

// The text of one event of a chat completion, and what it says of tokens.
export function readEvent(json) {
	const delta = json.choices?.[0]?.delta ?? json.choices?.[0]?.message ?? {};
	return { text: delta.content ?? '', thought: delta.reasoning_content ?? '', usage: json.usage ?? null, error: json.error?.message ?? null, model: json.model };
}

// Its value at the end: whether the stream said that it is complete.
async function* eventsOf(response) {
	const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
	let rest = '';
	for (;;) {
		const { done, value } = await reader.read();
		rest += value ?? '';
		const lines = rest.split(/\r?\n/);
		rest = done ? '' : lines.pop();
		for (const line of lines) {
			if (!line.startsWith('data:')) continue;
			const data = line.slice(5).trim();
			if (data === '[DONE]') return true;
			try {
				yield JSON.parse(data);
			} catch {
				yield { error: { message: data.slice(0, 200) } };
			}
		}
		if (done) return false;
	}
}

async function send(local, redraw) {
	const question = local.question.trim();
	if (!question || local.running) return;
	local.refused = !local.model.trim();
	if (local.refused) {
		redraw();
		requestAnimationFrame(() => requestAnimationFrame(() => document.querySelector('.chatbar input')?.focus()));
		return;
	}
	const turn = { question, text: '', thought: '', at: performance.now(), first: null, total: null, usage: null, status: null, decision: null, error: null };
	const messages = [...local.turns.filter((x) => x.text && !x.error).flatMap((x) => [{ role: 'user', content: x.question }, { role: 'assistant', content: x.text }]), { role: 'user', content: question }];
	local.turns.push(turn);
	local.question = '';
	local.running = new AbortController();
	local.scroll = true;
	redraw();
	const timer = setInterval(redraw, STEP_MS);
	try {
		const request = { consumer: local.consumer, host: local.host, body: { model: local.model.trim(), messages, stream: local.stream, ...(local.stream ? { stream_options: { include_usage: true } } : {}) } };
		const response = await open('page/try', { method: 'POST', body: request, signal: AbortSignal.any([local.running.signal, AbortSignal.timeout(CHAT_MS)]) });
		turn.status = Number(response.headers.get('x-sluice-status'));
		turn.decision = decisionOf(response.headers.get('x-sluice-decision'));
		const take = (json) => {
			const e = readEvent(json);
			if (turn.first === null && (e.text || e.thought)) turn.first = performance.now() - turn.at;
			turn.text += e.text;
			turn.thought += e.thought;
			turn.usage = e.usage ?? turn.usage;
			turn.error = e.error ?? turn.error;
			turn.model = e.model ?? turn.model;
		};
		if ((response.headers.get('content-type') ?? '').includes('event-stream')) {
			const events = eventsOf(response);
			let next = await events.next();
			for (; !next.done; next = await events.next()) take(next.value);
			if (!next.value && !turn.error) turn.error = t('The stream was cut before its end.');
		} else {
			const text = await response.text();
			try {
				take(JSON.parse(text));
				if (turn.status >= 400) turn.error ??= JSON.parse(text).message ?? text.slice(0, 300);
			} catch {
				turn.error = text.slice(0, 300);
			}
		}
	} catch (error) {
		turn.error = error.name === 'AbortError' ? t('stopped') : error.status === 404 ? t('This server has no playground.') : error.message;
	} finally {
		clearInterval(timer);
		turn.total = performance.now() - turn.at;
		local.running = null;
		redraw();
	}
}

function bubble(turn, running, who) {
	return [
		h('div.msg.me', h('div.bubble', turn.question), h('div.who', who)),
		h('div.msg.ai', h('div.who', icon('gate', 2)), h('div.bubble', { 'aria-live': 'polite', 'aria-busy': String(running) },
			h('div.xs.soft.meta', [turn.model, turn.decision?.provider].filter(Boolean).join(' · ') || '\u00a0'),
			turn.thought ? h('details.thought', h('summary.xs', t('reasoning')), h('div.soft', turn.thought)) : null,
			h('div.txt', turn.text, running ? h('span.caret') : null), turn.error ? note('b-bad', h('div.any', turn.error)) : null)),
	];
}

function happened(turn) {
	const d = turn?.decision ?? {};
	const seconds = (ms) => (ms === null || ms === undefined ? '—' : (ms / 1000).toFixed(2));
	const out = turn?.usage?.completion_tokens;
	const span = turn?.first !== null && turn?.first !== undefined && turn.total ? (turn.total - turn.first) / 1000 : null;
	const stat = (label, value, unit) => h('div.stat', h('span.lbl', t(label)), h('span.num', value, h('small', unit)));
	const hop = (ic, label, value, sub) => h('li', h('span.hi', icon(ic, 2)), h('div.grow', h('span.lbl', t(label)), h('div.v.any', value ?? '—'), sub && h('div.xs.soft.any', sub)));
	const refused = (d.refused ?? '').split(',').filter(Boolean).slice(0, 4).map((x) => x.replace(':', ': ')).join(', ');
	const route = d.route?.replace(/^ai-route-/, '').replace(/\.internal$/, '');
	const r = listOf('aiRoutes').find((x) => x.name === route);
	return panel('WHAT HAPPENED', 'branch', turn?.status ? badge(String(turn.status), turn.status < 400 ? 'b-ok' : 'b-bad') : null, body(
		h('div.stats4', stat('FIRST TOKEN', seconds(turn?.first), 's'), stat('TOTAL', seconds(turn?.total), 's'), stat('TOKENS', out === undefined ? '—' : number(out), t('out')), stat('SPEED', out && span > 0.05 ? Math.round(out / span) : '—', '/s')),
		h('div.dither.gap'),
		h('ol.hops', hop('key', 'CONSUMER', d.consumer ?? (turn ? t('nobody') : '—'), null), hop('gate', 'ROUTE', route, r ? predicateOf(r) || t('everything else') : (d.reason ?? refused)), hop('box', 'PROVIDER', d.provider, d.service), hop('robot', 'MODEL', d['upstream-model'] ?? d.model, turn?.usage ? `${t('{0} tokens in', number(turn.usage.prompt_tokens))}${turn.usage.completion_tokens_details?.reasoning_tokens ? ` · ${t('reasoning')} ${number(turn.usage.completion_tokens_details.reasoning_tokens)}` : ''}` : null))));
}

// What the providers of the routes list. The first that chats is taken where nothing else says which one: a first user knows none.
const NO_CHAT = /embed|rerank|image|vision-gen|tts|whisper|audio|speech|moderation|dall-e/i;
async function askModels(wanted, local, redraw) {
	const names = [...new Set([wanted, ...listOf('aiRoutes')].filter(Boolean).flatMap((r) => (r.upstreams ?? []).map((u) => u.provider)))].slice(0, PROVIDERS_ASKED);
	const got = await Promise.all(names.map((name) => get(`ni_status/models?provider=${part(name)}`).catch(() => null)));
	const listed = got.flatMap((x) => x?.models ?? []).filter((m) => m.source === 'provider').map((m) => m.id);
	local.listed = listed;
	if (!local.model) local.model = listed.find((id) => !NO_CHAT.test(id)) ?? '';
	redraw();
}

// What the models of the routes are called, for who does not know.
function suggestions(local) {
	const out = new Set();
	for (const w of targets()) if (w.model) out.add(w.model);
	for (const r of listOf('aiRoutes')) {
		for (const p of r.modelPredicates ?? []) if (p.matchType === 'EQUAL') out.add(p.matchValue);
		for (const u of r.upstreams ?? []) for (const name of Object.keys(u.modelMapping ?? {})) if (!name.includes('*')) out.add(name);
	}
	for (const id of local.listed ?? []) out.add(id);
	return [...out];
}

export function draw({ arg, local, redraw }) {
	need('consumers', 'aiRoutes', 'providers', 'domains');
	if (!local.turns) Object.assign(local, { turns: [], question: '', model: suggestions(local)[0] ?? '', consumer: '', host: '', stream: true });
	const wanted = arg[0] && listOf('aiRoutes').find((r) => r.name === arg[0]);
	if (wanted && local.arg !== arg[0]) {
		local.arg = arg[0];
		local.host = wanted.domains?.[0] ?? '';
		local.consumer = wanted.authConfig?.enabled ? (wanted.authConfig.allowedConsumers?.[0] ?? '') : '';
		local.model = wanted.modelPredicates?.[0]?.matchValue ?? local.model;
	}
	if (!local.listing && listOf('aiRoutes').length && store.monitor.state === 'there') {
		local.listing = true;
		askModels(wanted, local, redraw);
	}
	// At first what works: the default route's host, and who may use it.
	if (!local.begun && !wanted && listOf('aiRoutes').length && store.lists.consumers.data) {
		local.begun = true;
		const r = listOf('aiRoutes').find((x) => x.name === DEFAULT_ROUTE) ?? listOf('aiRoutes')[0];
		local.host = r.domains?.[0] ?? '';
		local.consumer = r.authConfig?.enabled ? (r.authConfig.allowedConsumers?.find((name) => listOf('consumers').some((c) => c.name === name)) ?? '') : '';
	}
	const hosts = [...new Set(listOf('aiRoutes').flatMap((r) => r.domains ?? []))];
	const who = targets().find((w) => local.consumer === (w.role ? w.name : `worker-${w.name}`));
	const last = local.turns.at(-1);
	if (local.scroll) requestAnimationFrame(() => {
		const chat = document.querySelector('.chat');
		if (chat) chat.scrollTop = chat.scrollHeight;
	});
	const consumer = field('AS CONSUMER', select([['', t('nobody')], ...listOf('consumers').map((c) => c.name)], local.consumer, { onchange: (e) => (local.consumer = e.target.value) }));
	const host = field('DOMAIN', select([['', t('any host')], ...hosts], local.host, { onchange: (e) => (local.host = e.target.value) }));
	const model = field('MODEL', input(local.model, { list: 'play-models', placeholder: 'qwen3.5-plus', oninput: (e) => {
		local.model = e.target.value;
		if (local.refused) redraw();
		local.refused = false;
	} }));
	if (local.refused) model.fail(t('The model is missing.'));
	const stream = tick('STREAM', local.stream, { onchange: (e) => (local.stream = e.target.checked) });
	const curl = () => `curl -N '${location.protocol}//${local.host || location.hostname}:8080/v1/chat/completions' -H 'Authorization: Bearer KEY' -H 'Content-Type: application/json' -d '${JSON.stringify({ model: local.model, stream: local.stream, messages: [{ role: 'user', content: last?.question ?? 'hello' }] }).replaceAll("'", "'\\''")}'`;
	return h('div.play', panel('PLAYGROUND', 'chat', [h('span.xs.soft.hide-s', t('Nothing typed here is stored.')), btn('COPY AS CURL', { s: true, on: () => copy(curl()) })],
		h('div.chatbar', { key: `bar ${listOf('consumers').length} ${hosts.length}` }, consumer, host, model, h('datalist', { id: 'play-models' }, suggestions(local).map((m) => h('option', { value: m }))), stream),
		h('div.chat', { tabindex: 0, role: 'log', 'aria-label': t('PLAYGROUND') }, local.turns.length ? local.turns.map((turn) => bubble(turn, turn === last && Boolean(local.running), who ? avatar(who, 2) : icon('user', 2))) : h('div.empty', icon('chat', 6, 'var(--ramp-4)'), h('p.sm', t('Ask something: it goes through the gateway, to the model that the routes choose.')))),
		h('form.say', { onsubmit: (e) => {
			e.preventDefault();
			const field_ = e.target.querySelector('input');
			send(local, redraw);
			field_.value = local.question;
			field_.focus();
		} }, h('span.field.grow', h('input', { value: local.question, placeholder: t('Ask something'), 'aria-label': t('Ask something'), autocomplete: 'off', oninput: (e) => (local.question = e.target.value) })),
		local.running ? btn('STOP', { on: () => local.running.abort() }) : btn('SEND', { k: 'pri', type: 'submit', i: 'play' }))),
	happened(last));
}
