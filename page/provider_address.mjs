// Where a provider is asked, by its type: some keep an address of their own, in one setting or another. Any other type always asks
// its vendor, so that with an address it becomes what it then is: a provider that speaks OpenAI's protocol there.
const OPENAI = 'openaiCustomUrl';
const KEY = { openai: OPENAI, custom: OPENAI, vllm: 'vllmCustomUrl', claude: 'claudeCustomUrl', azure: 'azureServiceUrl' };
const HOST_KEY = { qwen: 'qwenDomain', zhipuai: 'zhipuDomain' };
const OLLAMA = ['ollamaServerHost', 'ollamaServerPort'];
const OF_CLAUDE = ['providerDomain', 'providerBasePath']; // the server says its address in these, too
const OF_SERVICE = ['openaiCustomServiceName', 'openaiCustomServicePort'];
const ADDRESS = [...new Set(Object.values(KEY)), ...Object.values(HOST_KEY), ...OLLAMA, 'apiUrl'];
// Settings that the address stands for, so that nobody has to see them.
export const addressKeys = (raw) => [...ADDRESS, ...OF_SERVICE, ...(raw?.claudeCustomUrl ? OF_CLAUDE : [])];

// Null: the vendor's own.
export function urlOf(p) {
	const raw = p.rawConfigs ?? {};
	if (p.type === 'ollama') return raw[OLLAMA[0]] ? `http://${raw[OLLAMA[0]]}:${raw[OLLAMA[1]]}` : null;
	if (HOST_KEY[p.type]) return raw[HOST_KEY[p.type]] ? `https://${raw[HOST_KEY[p.type]]}` : null;
	return raw[KEY[p.type]] ?? (p.type === 'openai' ? raw.apiUrl : null) ?? null;
}
export const shownType = (p) => (p.type === 'openai' && p.rawConfigs?.[OPENAI] ? 'custom' : p.type);

// { protocol, host, port, bare: nothing but a host }; null: no address of this type.
export function parsed(text, type = 'openai') {
	try {
		const url = new URL(text);
		if (!/^https?:$/.test(url.protocol) || url.username || url.password || (url.search && type !== 'azure') || url.hash) return null;
		return { protocol: url.protocol.slice(0, -1), host: url.hostname, port: url.port || (url.protocol === 'https:' ? '443' : '80'), bare: url.pathname === '/' };
	} catch {
		return null;
	}
}

// Whether this type cannot be without one.
export const needsUrl = (type) => ['custom', 'vllm', 'azure', 'ollama'].includes(type);

// What a provider of this type becomes with this address.
export const typeAt = (type, text) => putAddress({}, type, text, null);
// Writes it into the settings, and says which type that makes. What has not been touched stays as it is stored.
export function putAddress(raw, type, text, p) {
	if (p && type === shownType(p) && text === (urlOf(p) ?? '')) return p.type;
	const url = parsed(text, type);
	if (p && type !== shownType(p)) for (const key of OF_SERVICE) delete raw[key];
	for (const key of [...ADDRESS, ...(p?.type === 'claude' ? OF_CLAUDE : [])]) delete raw[key];
	if (!url) return type === 'custom' ? 'openai' : type;
	if (type === 'ollama') {
		raw[OLLAMA[0]] = url.host;
		raw[OLLAMA[1]] = Number(url.port);
		return type;
	}
	if (HOST_KEY[type] && url.protocol === 'https' && url.port === '443' && url.bare) {
		raw[HOST_KEY[type]] = url.host;
		return type;
	}
	raw[KEY[type] ?? OPENAI] = text;
	return KEY[type] && type !== 'custom' ? type : 'openai';
}
