// Cases of AI routes. A row: id, set-up, what is asked, what is expected, why, how.
import assert from 'node:assert/strict';
import { DEFAULT_ROUTE, QWEN } from '../lib/console.js';

const ALL = '/v1/ai/routes';
const ONE = `${ALL}/default-ai-route`;
const DERIVED = 'ai-route-default-ai-route.internal';
const route = (name, more = {}) => ({ name, upstreams: [{ provider: 'qwen', weight: 100 }], ...more });
const refusal = (id, input, more, why) => [id, 'P', input, '400, nothing is created', why, async (c) => {
	await c.refused(400, `POST ${ALL}`, route('x', more));
	assert.deepEqual(await c.names(`GET ${ALL}`), []);
	assert.deepEqual(await c.names('GET /v1/routes'), []);
}];
const withConsumer = (object, name) => ({
	...object,
	authConfig: { ...object.authConfig, allowedConsumers: [...(object.authConfig.allowedConsumers ?? []), name] },
});
const allowed = async (c) => (await c.data(`GET ${ONE}`)).authConfig.allowedConsumers;

export const SKELETON = {
	name: 'default-ai-route',
	domains: [],
	pathPredicate: { matchType: 'PRE', matchValue: '/v1', caseSensitive: false },
	upstreams: [{ provider: 'qwen', weight: 100, modelMapping: {} }],
	authConfig: { enabled: true, allowedCredentialTypes: ['key-auth'] },
};

export const aiRoutes = [
	['K070', 'P', 'AI routes where there are none', 'an empty list', 'a list is a list', async (c) => assert.deepEqual(await c.data(`GET ${ALL}`), [])],
	['K071', 'C', 'a new AI route', '201, not wrapped, with a version and three attempts', 'edit mode of the front end depends on the version', async (c) => {
		const made = await c.raw(`POST ${ALL}`, DEFAULT_ROUTE);
		assert.match(made.version, /^[1-9][0-9]*$/);
		assert.equal(made.proxyNextUpstream.attempts, 3);
	}],
	['K072', 'R', 'the same AI route created again with another provider', '409, the stored one is untouched', 'a refusal must not have half an effect', async (c) => {
		await c.raw('POST /v1/ai/providers', { ...QWEN, name: 'second' });
		const before = [await c.data(`GET ${ONE}`), await c.data(`GET /v1/routes/${DERIVED}`)];
		await c.refused(409, `POST ${ALL}`, { ...DEFAULT_ROUTE, upstreams: [{ provider: 'second', weight: 100 }] });
		assert.deepEqual([await c.data(`GET ${ONE}`), await c.data(`GET /v1/routes/${DERIVED}`)], before);
	}],
	['K073', 'R', 'AI routes', 'names without the prefix of the files', 'every client compares bare names', async (c) => assert.deepEqual(await c.names(`GET ${ALL}`), ['default-ai-route'])],
	['K074', 'R', 'an AI route', 'what was written: consumers, path predicate, headers', 'it is stored as one document', async (c) => {
		const got = await c.data(`GET ${ONE}`);
		assert.deepEqual(got.authConfig.allowedConsumers, ['manager']);
		assert.equal(got.pathPredicate.caseSensitive, false);
		assert.equal(got.headerControl.request.add[0].key, 'user-agent');
	}],
	['K075', 'C', 'an AI route that is not there', '404 without a body', 'the controller creates it after exactly this answer', (c) => c.missing(`GET ${ONE}`)],
	['K076', 'R', 'an AI route with one consumer more', '200, not wrapped, another version', 'workers are authorised this way', async (c) => {
		const got = await c.data(`GET ${ONE}`);
		const put = await c.raw(`PUT ${ONE}`, withConsumer(got, 'worker-a'));
		assert.notEqual(put.version, got.version);
		assert.deepEqual(put.authConfig.allowedConsumers, ['manager', 'worker-a']);
	}],
	['K077', 'R', 'two clients that read the same version and write', 'the first 200, the second 409 and without effect', 'the second would take the first one\'s change back', async (c) => {
		const a = await c.data(`GET ${ONE}`);
		await c.raw(`PUT ${ONE}`, withConsumer(a, 'of-a'));
		await c.refused(409, `PUT ${ONE}`, withConsumer(a, 'of-b'));
		assert.deepEqual(await allowed(c), ['manager', 'of-a']);
	}],
	['K078', 'R', 'an AI route put back as it was read', '200', 'the controller does so to have credentials applied again', async (c) => c.raw(`PUT ${ONE}`, await c.data(`GET ${ONE}`))],
	['K079', 'R', 'a PUT without a version', '200, overwritten', 'who sends none does not care', async (c) => {
		const { version, ...rest } = withConsumer(await c.data(`GET ${ONE}`), 'w');
		assert.ok(version);
		await c.raw(`PUT ${ONE}`, rest);
		assert.deepEqual(await allowed(c), ['manager', 'w']);
	}],
	['K080', 'R', 'the envelope of a GET as an AI route', '400 that speaks of the envelope', 'it has no name; a guide makes this mistake', async (c) => {
		const envelope = (await c.call(`GET ${ONE}`)).json;
		const got = await c.refused(400, `PUT ${ONE}`, { ...envelope, authConfig: { enabled: false } });
		assert.match(got.json.message, /envelope/);
		assert.deepEqual(await allowed(c), ['manager']);
	}],
	['K081', 'R', 'a version that is not the stored one', '409, neither the AI route nor what is derived from it has changed', 'the version is checked before anything is written', async (c) => {
		const before = [await c.data(`GET ${ONE}`), await c.data(`GET /v1/routes/${DERIVED}`)];
		await c.refused(409, `PUT ${ONE}`, { ...before[0], domains: ['x.example.com'], version: '999999' });
		assert.deepEqual([await c.data(`GET ${ONE}`), await c.data(`GET /v1/routes/${DERIVED}`)], before);
	}],
	['K082', 'P', 'PUT of an AI route that is not there, without a version', '200, it is listed', 'a monitor server creates its routes this way', async (c) => {
		await c.raw(`PUT ${ALL}/p-ai-route`, route('p-ai-route'));
		assert.deepEqual(await c.names(`GET ${ALL}`), ['p-ai-route']);
	}],
	['K083', 'P', 'the same with a version', '404 in an envelope, nothing is created', 'who has read a version must not bring a removed route back', async (c) => {
		await c.refused(404, `PUT ${ALL}/p-ai-route`, route('p-ai-route', { version: '5' }));
		assert.deepEqual(await c.names(`GET ${ALL}`), []);
	}],
	['K084', 'C', 'the controller\'s first route, which names no consumer', '201, authentication is on and nobody is admitted', 'it is made before anybody is authorised', async (c) => {
		const made = await c.raw(`POST ${ALL}`, SKELETON);
		assert.equal(made.authConfig.enabled, true);
		assert.equal(made.authConfig.allowedConsumers?.length ?? 0, 0);
	}],
	refusal('K087', 'weights of 60 and 30', { upstreams: [{ provider: 'qwen', weight: 60 }, { provider: 'qwen', weight: 30 }] }, 'shares must add up to 100'),
	['K088', 'P', 'one upstream without a weight', '201, its weight is 100', 'one upstream has it all', async (c) => assert.equal((await c.raw(`POST ${ALL}`, route('x', { upstreams: [{ provider: 'qwen' }] }))).upstreams[0].weight, 100)],
	refusal('K089', 'two upstreams, one without a weight', { upstreams: [{ provider: 'qwen', weight: 100 }, { provider: 'qwen' }] }, 'nobody can guess its share'),
	['K090', 'P', 'no upstreams, or an empty list', '400 each', 'a route must lead somewhere', async (c) => {
		await c.refused(400, `POST ${ALL}`, { name: 'x' });
		await c.refused(400, `POST ${ALL}`, route('x', { upstreams: [] }));
	}],
	refusal('K091', 'a provider that is not there', { upstreams: [{ provider: 'ghost', weight: 100 }] }, 'a route must lead somewhere'),
	refusal('K092', 'a path predicate that is not a prefix', { pathPredicate: { matchType: 'EQUAL', matchValue: '/v1' } }, 'endings of APIs come behind it'),
	refusal('K093', 'a model predicate that is an expression', { modelPredicates: [{ matchType: 'REGULAR', matchValue: 'x' }] }, 'models are compared whole or by prefix'),
	['K094', 'P', 'a match type in small letters', '201, returned in capitals', 'the case of the word does not matter', async (c) => assert.equal((await c.raw(`POST ${ALL}`, route('x', { pathPredicate: { matchType: 'pre', matchValue: '/' } }))).pathPredicate.matchType, 'PRE')],
	refusal('K095', 'a header predicate on the header that the gateway sets itself', { headerPredicates: [{ key: 'X-Higress-Llm-Model', matchType: 'EQUAL', matchValue: 'x' }] }, 'it decides by model predicates'),
	refusal('K096', 'a fallback for one exact status', { fallbackConfig: { enabled: true, upstreams: [{ provider: 'qwen' }], responseCodes: ['404'] } }, 'only classes of statuses can be told apart'),
	['K097', 'P', 'a fallback with a status class twice and a member that means nothing', '201, the class once', 'the front end sends the strategy under another name', async (c) => {
		const made = await c.raw(`POST ${ALL}`, route('x', { fallbackConfig: { enabled: true, upstreams: [{ provider: 'qwen' }], responseCodes: ['5xx', '5xx'], strategy: 'SEQ' } }));
		assert.deepEqual(made.fallbackConfig.responseCodes, ['5xx']);
		assert.ok(!('strategy' in made.fallbackConfig));
	}],
	['K098', 'P', 'a fallback that is off and says nothing', '201', 'what is off is not checked', (c) => c.raw(`POST ${ALL}`, route('x', { fallbackConfig: { enabled: false } }))],
	refusal('K099', 'a credential type other than keys', { authConfig: { enabled: true, allowedCredentialTypes: ['jwt'] } }, 'nothing would check it'),
	['K100', 'P', 'a route of one model for one provider', '201, its predicate as it was sent', 'a script switches models this way', async (c) => {
		const made = await c.raw(`POST ${ALL}`, { ...DEFAULT_ROUTE, name: 'qwen-ai-route', modelPredicates: [{ matchType: 'PRE', matchValue: 'qwen' }] });
		assert.equal(made.modelPredicates[0].matchValue, 'qwen');
	}],
	['K101', 'R', 'the route that is derived from an AI route', '200', 'the plugin page of an AI route opens it', async (c) => assert.equal((await c.data(`GET /v1/routes/${DERIVED}`)).name, DERIVED)],
	['K103', 'R', 'a PUT of the derived route', '400, unchanged', 'the next change of the AI route would undo it', async (c) => {
		const before = await c.data(`GET /v1/routes/${DERIVED}`);
		await c.refused(400, `PUT /v1/routes/${DERIVED}`, { ...before, domains: ['x.example.com'] });
		assert.deepEqual(await c.data(`GET /v1/routes/${DERIVED}`), before);
	}],
	['K104', 'R', 'a PUT whose authConfig says only who may', '200, the route stays protected', 'a missing switch must never open a door', async (c) => {
		const put = await c.raw(`PUT ${ONE}`, { ...(await c.data(`GET ${ONE}`)), authConfig: { allowedConsumers: ['x'] } });
		assert.deepEqual([put.authConfig.enabled, put.authConfig.allowedConsumers], [true, ['x']]);
		assert.equal((await c.data(`GET /v1/routes/${DERIVED}`)).authConfig.enabled, true);
	}],
	['K105', 'R', 'a PUT with null for who may', '200', 'the controller sends it when the last one leaves', async (c) => {
		const got = await c.data(`GET ${ONE}`);
		const put = await c.raw(`PUT ${ONE}`, { ...got, authConfig: { ...got.authConfig, allowedConsumers: null } });
		assert.equal(put.authConfig.enabled, true);
	}],
	['K106', 'R', 'an AI route removed twice', '204 both times, the derived one is gone', 'what is derived goes with it', async (c) => {
		await c.gone(`DELETE ${ONE}`);
		await c.gone(`DELETE ${ONE}`);
		await c.missing(`GET /v1/routes/${DERIVED}`);
	}],
	['K107', 'R', 'its provider removed, then the AI route put back', '204, then 400, and the route is still listed', 'providers go without a question; a route that leads nowhere is not written', async (c) => {
		const got = await c.data(`GET ${ONE}`);
		await c.gone('DELETE /v1/ai/providers/qwen');
		await c.refused(400, `PUT ${ONE}`, got);
		assert.deepEqual(await c.names(`GET ${ALL}`), ['default-ai-route']);
	}],
	['K108', 'R', '20 clients that each add a consumer, again after a 409', 'all 20 are there', 'workers start at the same time', async (c) => {
		const names = Array.from({ length: 20 }, (_, i) => `worker-${i}`);
		await Promise.all(names.map(async (name) => {
			for (let turn = 0; turn < 200; turn++) {
				const got = await c.call(`PUT ${ONE}`, withConsumer(await c.data(`GET ${ONE}`), name));
				if (got.status === 200) return;
				assert.equal(got.status, 409);
			}
			assert.fail(`${name} was never let in`);
		}));
		assert.deepEqual((await allowed(c)).sort(), ['manager', ...names].sort());
	}],
];
