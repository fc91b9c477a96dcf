// Writes resource trees as Higress keeps them. JSON is YAML, so most of them are written as JSON; the
// examples/ directory holds the spelling that the Console writes.
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from './sluice.js';

const META = { namespace: 'higress-system' };

function write(root, dir, name, object) {
	fs.mkdirSync(path.join(root, dir), { recursive: true });
	const file = path.join(root, dir, `${name}.yaml`);
	fs.writeFileSync(`${file}.new`, JSON.stringify(object, null, 1) + '\n');
	fs.renameSync(`${file}.new`, file);
}

function plugin(name, spec) {
	return {
		apiVersion: 'extensions.higress.io/v1alpha1',
		kind: 'WasmPlugin',
		metadata: { ...META, name: `${name}.internal`, labels: { 'higress.io/wasm-plugin-name': name } },
		spec: { defaultConfigDisable: false, ...spec },
	};
}

/*
 * world: {
 *   providers: [{ id, address | host+port, tls, url, token(s), type, mapping, extra, registry }],
 *   consumers: [{ name, key }],
 *   modelRouter: { modelToHeader, ... } | undefined,
 *   routes: [{ name, host, path, annotations, to: 'provider' | [{ provider, weight }], allow: [names] | undefined }],
 * }
 * Every member has a default, so that a test only says what it is about.
 */
export function writeWorld(data, world) {
	const root = path.join(data, 'resources');
	const providers = world.providers ?? [];
	write(root, 'mcpbridges', 'default', {
		apiVersion: 'networking.higress.io/v1',
		kind: 'McpBridge',
		metadata: { ...META, name: 'default' },
		spec: {
			registries: providers.map((p) => ({
				name: `llm-${p.id}.internal`,
				type: p.host ? 'dns' : 'static',
				domain: p.host ?? p.address,
				port: p.host ? p.port : 80,
				protocol: p.tls ? 'https' : 'http',
				...p.registry,
			})),
		},
	});
	write(root, 'wasmplugins', 'ai-proxy.internal', plugin('ai-proxy', {
		priority: 100,
		defaultConfig: {
			providers: providers.map((p) => ({
				id: p.id,
				type: p.type ?? 'openai',
				protocol: 'openai',
				...(p.type && p.type !== 'openai'
					? {}
					: { openaiCustomUrl: p.url ?? `http://${p.address ?? `${p.host}:${p.port}`}/v1` }),
				...(p.token ? { apiTokens: [p.token].flat() } : {}),
				...(p.mapping ? { modelMapping: p.mapping } : {}),
				...p.extra,
			})),
		},
		matchRules: providers.map((p) => ({
			config: { activeProviderId: p.id },
			configDisable: false,
			service: [serviceOf(p)],
		})),
	}));
	const routes = world.routes ?? [{ name: 'all', to: providers[0].id }];
	if (world.consumers || routes.some((r) => r.allow))
		write(root, 'wasmplugins', 'key-auth.internal', plugin('key-auth', {
			phase: 'AUTHN',
			priority: 310,
			defaultConfig: {
				allow: [],
				consumers: (world.consumers ?? []).map((c) => ({
					name: c.name,
					credentials: [`Bearer ${c.key}`],
					keys: ['Authorization'],
					in_header: true,
					in_query: false,
				})),
				global_auth: false,
				keys: ['x-higress-dummy-key'],
			},
			matchRules: routes.filter((r) => r.allow).map((r) => ({
				config: { allow: r.allow },
				configDisable: false,
				ingress: [`ai-route-${r.name}.internal`],
			})),
		}));
	if (world.modelRouter)
		write(root, 'wasmplugins', 'model-router.internal', plugin('model-router', {
			phase: 'AUTHN',
			priority: 900,
			defaultConfig: world.modelRouter,
		}));
	for (const route of routes) writeRoute(data, world, route);
	return data;
}

function serviceOf(p) {
	return `llm-${p.id}.internal.${p.host ? 'dns' : 'static'}`;
}

export function writeRoute(data, world, route) {
	const to = typeof route.to === 'string' ? [{ provider: route.to }] : route.to;
	const lines = to.map(({ provider, weight }) => {
		const p = world.providers.find((each) => each.id === provider);
		const where = `${serviceOf(p)}:${p.host ? p.port : 80}`;
		return weight === undefined ? where : `${weight}% ${where}`;
	});
	const name = `ai-route-${route.name}.internal`;
	write(path.join(data, 'resources'), 'ingresses', name, {
		apiVersion: 'networking.k8s.io/v1',
		kind: 'Ingress',
		metadata: {
			...META,
			name,
			annotations: { 'higress.io/destination': lines.join('\n'), ...route.annotations },
		},
		spec: {
			ingressClassName: 'higress',
			rules: [{
				...(route.host ? { host: route.host } : {}),
				http: {
					paths: [{
						path: route.path ?? '/v1',
						pathType: route.pathType ?? 'Prefix',
						backend: {
							resource: { apiGroup: 'networking.higress.io', kind: 'McpBridge', name: 'default' },
						},
					}],
				},
			}],
		},
	});
}

// A copy of examples/<name> in `data`; edit(text, file) may change each file.
export function copyExample(data, name, edit = (text) => text) {
	const from = path.join(ROOT, 'examples', name, 'resources');
	for (const dir of fs.readdirSync(from)) {
		fs.mkdirSync(path.join(data, 'resources', dir), { recursive: true });
		for (const file of fs.readdirSync(path.join(from, dir)))
			fs.writeFileSync(
				path.join(data, 'resources', dir, file),
				edit(fs.readFileSync(path.join(from, dir, file), 'utf8'), `${dir}/${file}`),
			);
	}
	return data;
}
