/*
 * Reading resources: the rows of higress-resources.md §7.1 and §7.6 as far as reading goes, each kind's
 * schema, findings with their places, snapshots. The example tree is read as it stands.
 */
#include "resource/object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define ARENA_MAX ((size_t)1 << 30)

struct fixture {
	struct arena arena;
	struct findings why;
	struct object *object;
	struct text said; /* all findings, one per line */
};

/* The directory says the kind, as in a store. */
static void read_file(struct fixture *f, const char *file, struct bytes text)
{
	struct bytes rest = bytes_str(file);
	int kind = resource_kind_of_dir(bytes_cut(&rest, '/'));
	const struct finding *first;

	assert_true(kind >= 0);
	arena_init(&f->arena, ARENA_MAX);
	findings_init(&f->why, &f->arena);
	text_init(&f->said, 1 << 20);
	f->object = object_read((enum resource_kind)kind, bytes_str(file), text, &f->why);
	assert_true((f->object == NULL) == (f->why.errors != 0));
	first = f->why.first;
	if (f->object != NULL) {
		assert_int_equal(f->why.n, 0);
		assert_int_equal(f->object->kind, kind);
		assert_int_equal(f->object->findings.errors, 0);
		first = f->object->findings.first;
	}
	for (const struct finding *x = first; x != NULL; x = x->next) {
		assert_true(x->line >= 1 && x->column >= 1 && x->text.n != 0);
		finding_format(x, &f->said);
		text_add_char(&f->said, '\n');
	}
}

static void done(struct fixture *f)
{
	object_unref(f->object);
	text_done(&f->said);
	arena_done(&f->arena);
}

/* ---- the table ---- */

/* What the object says, in a few words that a row can demand. */
static void describe_pairs(struct text *out, const char *name, const struct pairs *p)
{
	text_addf(out, "%s{", name);
	for (size_t i = 0; i < p->n; i++) {
		text_addf(out, "%s" BYTES_FMT "=" BYTES_FMT, i != 0 ? "," : "",
			BYTES_ARG(p->v[i].key), BYTES_ARG(p->v[i].value));
	}
	text_add_char(out, '}');
}

static void describe_strings(struct text *out, const char *name, const struct strings *s)
{
	if (s->n != 0) {
		text_addf(out, " %s", name);
	}
	for (size_t i = 0; i < s->n; i++) {
		text_addf(out, "%c" BYTES_FMT, i != 0 ? ',' : ':', BYTES_ARG(s->v[i]));
	}
}

static void describe_ingress(struct text *out, const struct object *o)
{
	const struct ingress *in = &o->u.ingress;

	text_addf(out, "class=" BYTES_FMT, BYTES_ARG(in->class_name));
	for (size_t i = 0; i < in->n_rules; i++) {
		const struct ingress_rule *r = &in->rules[i];

		text_addf(out, " [" BYTES_FMT, BYTES_ARG(r->host));
		for (size_t k = 0; k < r->n_paths; k++) {
			const struct ingress_path *p = &r->paths[k];

			text_addf(out,
				" " BYTES_FMT "(" BYTES_FMT ")->" BYTES_FMT "/" BYTES_FMT "%s",
				BYTES_ARG(p->path), BYTES_ARG(p->type), BYTES_ARG(p->backend_kind),
				BYTES_ARG(p->backend_name), p->backend_service ? "service" : "");
		}
		text_add_char(out, ']');
	}
	for (size_t i = 0; i < in->n_tls; i++) {
		text_addf(out, " tls=" BYTES_FMT, BYTES_ARG(in->tls[i].secret));
		describe_strings(out, "hosts", &in->tls[i].hosts);
	}
	describe_pairs(out, " annotations", &o->meta.annotations);
}

static void describe_plugin(struct text *out, const struct wasmplugin *w)
{
	text_addf(out, BYTES_FMT " phase=" BYTES_FMT " priority=%lld config=%d%s",
		BYTES_ARG(w->plugin), BYTES_ARG(w->phase), (long long)w->priority,
		w->config != NULL, w->config_disabled ? " off" : "");
	for (size_t i = 0; i < w->n_rules; i++) {
		const struct plugin_rule *r = &w->rules[i];

		text_addf(out, " [config=%d%s", r->config != NULL, r->disabled ? " off" : "");
		describe_strings(out, "ingress", &r->ingress);
		describe_strings(out, "service", &r->service);
		describe_strings(out, "domain", &r->domain);
		text_add_char(out, ']');
	}
}

static void describe_bridge(struct text *out, const struct mcpbridge *m)
{
	for (size_t i = 0; i < m->n_registries; i++) {
		const struct registry *r = &m->registries[i];

		text_addf(out,
			"[" BYTES_FMT "." BYTES_FMT " " BYTES_FMT " %llu " BYTES_FMT " " BYTES_FMT
			" " BYTES_FMT "]",
			BYTES_ARG(r->name), BYTES_ARG(r->type), BYTES_ARG(r->domain),
			(unsigned long long)r->port, BYTES_ARG(r->protocol), BYTES_ARG(r->sni),
			BYTES_ARG(r->proxy_name));
		describe_strings(out, "groups", &r->nacos_groups);
		describe_strings(out, "paths", &r->zk_paths);
		if (r->auth_secret.n + r->nacos_namespace.n + r->consul_datacenter.n != 0) {
			text_addf(out, "{" BYTES_FMT " " BYTES_FMT " " BYTES_FMT " " BYTES_FMT "}",
				BYTES_ARG(r->auth_secret), BYTES_ARG(r->nacos_namespace),
				BYTES_ARG(r->consul_datacenter), BYTES_ARG(r->consul_tag));
		}
	}
	for (size_t i = 0; i < m->n_proxies; i++) {
		const struct proxy *p = &m->proxies[i];

		text_addf(out, "(" BYTES_FMT " " BYTES_FMT " " BYTES_FMT " %llu %lld)",
			BYTES_ARG(p->name), BYTES_ARG(p->type), BYTES_ARG(p->address),
			(unsigned long long)p->port, (long long)p->connect_ms);
	}
}

static void describe(struct text *out, const struct object *o)
{
	if (o->kind != RESOURCE_WASMPLUGIN) { /* whose rows name the plugin */
		text_addf(out, BYTES_FMT " ", BYTES_ARG(o->meta.name));
	}
	switch (o->kind) {
	case RESOURCE_CONFIGMAP:
		describe_pairs(out, "data", &o->u.configmap.data);
		break;
	case RESOURCE_INGRESS:
		describe_ingress(out, o);
		break;
	case RESOURCE_MCPBRIDGE:
		describe_bridge(out, &o->u.mcpbridge);
		break;
	case RESOURCE_WASMPLUGIN:
		describe_plugin(out, &o->u.wasmplugin);
		break;
	case RESOURCE_ENVOYFILTER:
		for (size_t i = 0; i < o->u.envoyfilter.n_patches; i++) {
			const struct envoy_patch *p = &o->u.envoyfilter.patches[i];

			text_addf(out, "[" BYTES_FMT " " BYTES_FMT " " BYTES_FMT " value=%d]",
				BYTES_ARG(p->apply_to), BYTES_ARG(p->route),
				BYTES_ARG(p->operation), p->value != NULL);
		}
		break;
	case RESOURCE_SECRET: /* kind_secret_test.c */
	case RESOURCE_KIND_COUNT:
		break;
	}
}

struct row {
	const char *id;
	const char *file;
	const char *in;
	const char *object; /* NULL: invalid */
	const char *said;   /* beginning of each finding that is expected, one per line */
	const char *reason;
};

#define CONFIGMAP "apiVersion: v1\nkind: ConfigMap\n"
#define INGRESS "apiVersion: networking.k8s.io/v1\nkind: Ingress\n"
#define PLUGIN "apiVersion: extensions.higress.io/v1alpha1\nkind: WasmPlugin\n"
#define BRIDGE "apiVersion: networking.higress.io/v1\nkind: McpBridge\n"

static const struct row names[] = {
	{"G01", "configmaps/domain-zimomo.com.yaml",
		CONFIGMAP "data:\n  domain: zimomo.com\n  enableHttps: \"off\"\n",
		"domain-zimomo.com data{domain=zimomo.com,enableHttps=off}", "",
		"a domain as Console writes it"},
	{"G02", "configmaps/domain-wildcard.zimomo.com.yaml",
		CONFIGMAP "data:\n  domain: '*.zimomo.com'\n  enableHttps: \"off\"\n",
		"domain-wildcard.zimomo.com data{domain=*.zimomo.com,enableHttps=off}", "",
		"the star is in the data only"},
	{"G03", "configmaps/domain-a.com.yaml",
		CONFIGMAP "data:\n  cert: c\n  domain: a.com\n  enableHttps: force\n",
		"domain-a.com data{cert=c,domain=a.com,enableHttps=force}", "",
		"a plain word is a string"},
	{"G04", "configmaps/domain-a.com.yaml", CONFIGMAP "data:\n  domain: a.com\n",
		"domain-a.com data{domain=a.com}", "", "the other keys may be absent"},
	{"G05", "ingresses/ai-route-r1.fallback.internal.yaml", INGRESS "spec: {}\n",
		"ai-route-r1.fallback.internal class= annotations{}", "",
		"only the last extension is cut from a name with dots"},
	{"G06", "configmaps/a.b.yaml",
		CONFIGMAP "metadata:\n  name: zzz\n  namespace: other\ndata: {x: z}\n",
		"a.b data{x=z}", "", "the file's name is the identity"},
	{"G07", "configmaps/x.yml", CONFIGMAP "data: {}\n", NULL,
		"configmaps/x.yml:1:1: error: only files named <name>.yaml", "another extension"},
	{"G07", "configmaps/x.yaml.tmp", CONFIGMAP "data: {}\n", NULL,
		"configmaps/x.yaml.tmp:1:1: error: only files named", "a write under way"},
	{"G07", "configmaps/X.YAML", CONFIGMAP "data: {}\n", NULL,
		"configmaps/X.YAML:1:1: error: only files named", "case matters"},
	{"G07", "configmaps/.yaml", CONFIGMAP "data: {}\n", NULL,
		"configmaps/.yaml:1:1: error: the file's name leaves no name", "no name"},
	{"G07", "configmaps/...yaml", CONFIGMAP "data: {}\n", NULL,
		"configmaps/...yaml:1:1: error: the file's name leaves no name",
		"a name that is a directory"},
	{"G13", "ingresses/flat.yaml",
		"annotations: {a: b}\nlabels: {l: m}\nrules:\n- host: a.com\n  http:\n    paths:\n"
		"    - path: /x\n      pathType: Exact\n      backend: {resource: {kind: McpBridge, "
		"name: default}}\n",
		"flat class= [a.com /x(Exact)->McpBridge/default] annotations{a=b}", "",
		"a flat Ingress has rules at the top"},
	{"G13", "ingresses/flat.yaml", INGRESS "rules:\n- host: a.com\n",
		"flat class= annotations{}", "ingresses/flat.yaml:1:1: warning: `spec` is missing",
		"with apiVersion and kind it is not flat"},
};

static const struct row filter_rows[] = {
	{"2.7", "envoyfilters/ai-route-x.internal.yaml",
		"apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nspec:\n"
		"  configPatches:\n  - applyTo: HTTP_ROUTE\n    match:\n      context: GATEWAY\n"
		"      routeConfiguration: {vhost: {route: {name: r}}}\n"
		"    patch: {operation: MERGE, value: {a: b}}\n  - applyTo: CLUSTER\n",
		"ai-route-x.internal [HTTP_ROUTE r MERGE value=1][CLUSTER   value=0]", "",
		"the frame of patches"},
	{"2.7", "envoyfilters/x.yaml", "kind: Ingress\n", NULL,
		"envoyfilters/x.yaml:1:7: error: the files of envoyfilters/ are of kind EnvoyFilter",
		"another kind in its directory"},
	{"2.7", "envoyfilters/x.yaml",
		"apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\n"
		"spec: {configPatches: {applyTo: X}}\n",
		NULL, "envoyfilters/x.yaml:3:23: error: `configPatches` must be a list",
		"a mapping where a list is demanded"},
};

static const struct row yaml_rows[] = {
	{"G132", "configmaps/domain-a.yaml", CONFIGMAP "data:\n  enableHttps: off\n",
		"domain-a data{enableHttps=off}",
		"configmaps/domain-a.yaml:4:16: warning: `data.enableHttps` is a string but reads as a "
		"boolean: put the value in quotes (string-expected)",
		"a person who writes off means the text"},
	{"G132", "configmaps/domain-a.yaml", CONFIGMAP "data:\n  a: 0x1F\n  b: 1.50\n",
		"domain-a data{a=0x1F,b=1.50}",
		"configmaps/domain-a.yaml:4:6: warning: `data.a`\n"
		"configmaps/domain-a.yaml:5:6: warning: `data.b`",
		"the source text, not the number written anew"},
	{"G133", "configmaps/c.yaml", CONFIGMAP "data: {a: ~, b: , c: null}\n", "c data{a=,b=,c=}",
		"", "null in a string map is the empty string"},
	{"G134", "wasmplugins/p.yaml", PLUGIN "spec: {priority: \"100\"}\n",
		"p phase= priority=100 config=0", "", "a quoted number where a number is demanded"},
	{"G134", "wasmplugins/p.yaml", PLUGIN "spec: {priority: -5}\n",
		"p phase= priority=-5 config=0", "", "priorities may be negative"},
	{"G134", "wasmplugins/p.yaml", PLUGIN "spec: {priority: high}\n", NULL,
		"wasmplugins/p.yaml:3:18: error: `priority` must be a whole number, not a string",
		"a word is no number"},
	{"G134", "wasmplugins/p.yaml", PLUGIN "spec: {priority: [1]}\n", NULL,
		"wasmplugins/p.yaml:3:18: error: `priority` must be a whole number, not a list",
		"nor is a list"},
	{"G134", "wasmplugins/p.yaml", PLUGIN "spec: {priority: \"-7\"}\n",
		"p phase= priority=-7 config=0", "", "a quoted negative number"},
	{"G134", "wasmplugins/p.yaml", PLUGIN "spec: {priority: 1e2}\n",
		"p phase= priority=100 config=0", "", "a double that is whole"},
	{"G134", "wasmplugins/p.yaml", PLUGIN "spec: {priority: 9223372036854775808}\n", NULL,
		"wasmplugins/p.yaml:3:18: error: `priority` must be a whole number",
		"beyond 64 bits"},
	{"6.1", "ingresses/x.yaml",
		INGRESS "metadata:\n  annotations:\n    higress.io/ignore-path-case: false\n"
			"    higress.io/proxy-next-upstream-tries: 010\n    note:\nspec: {}\n",
		"x class= annotations{higress.io/ignore-path-case=false,"
		"higress.io/proxy-next-upstream-tries=010,note=}",
		"ingresses/x.yaml:5:34: warning: `annotations.higress.io/ignore-path-case` "
		"is a string\n"
		"ingresses/x.yaml:6:43: warning: "
		"`annotations.higress.io/proxy-next-upstream-tries` is a string",
		"annotations that are no strings are their text"},
	{"6.3", "ingresses/x.yaml",
		"---\r\n# a comment\r\nannotations: &all {a: 'b'}\t# flow\r\nlabels: *all\r\n"
		"rules:\r\n- host: a.com\r\n  http: {paths: [{path: /x}]}\r\n...\r\n",
		"x class= [a.com /x()->/] annotations{a=b}", "",
		"a flat Ingress with marks, comments, aliases, flow forms and CRLF"},
	{"G136", "ingresses/x.yaml", "rules: []\n---\nrules: [{host: b.com}]\n",
		"x class= annotations{}",
		"ingresses/x.yaml:2:1: warning: only the first document of a file is read",
		"two documents in a flat file"},
	{"G136", "configmaps/x.yaml", CONFIGMAP "data: {a: b}\n---\n" CONFIGMAP "data: {a: c}\n",
		"x data{a=b}",
		"configmaps/x.yaml:4:1: warning: only the first document of a file is read",
		"the first of two documents"},
	{"G137", "configmaps/x.yaml", CONFIGMAP "data:\n  data: '{\"a\":\"it''s\n    long\"}'\n",
		"x data{data={\"a\":\"it's long\"}}", "", "folded quoted text"},
	{"G140", "wasmplugins/p.yaml", PLUGIN "spec: {phase: UNSPECIFIED_PHASE}\n",
		"p phase= priority=0 config=0", "", "a cluster keeps the zero of an enum"},
	{"G140", "wasmplugins/p.yaml", PLUGIN "spec: {phase: AUTHN}\n",
		"p phase=AUTHN priority=0 config=0", "", "another phase stays"},
	{"G141", "wasmplugins/ai-proxy.internal.yaml",
		PLUGIN "metadata:\n  name: ai-proxy.internal\nspec:\n  failStrategy: FAIL_OPEN\n"
		       "  imagePullPolicy: UNSPECIFIED_POLICY\n  phase: UNSPECIFIED_PHASE\n"
		       "  priority: 100\n  defaultConfigDisable: false\n",
		"ai-proxy phase= priority=100 config=0", "",
		"a document from a cluster: no version, no status, zero-valued enums"},
	{"Y01", "configmaps/x.yaml",
		"\xef\xbb\xbf"
		"apiVersion: v1\r\nkind: ConfigMap\r\ndata:\r\n  a: b\r\n",
		"x data{a=b}", "", "byte order mark and CRLF"},
	{"Y02", "configmaps/x.yaml",
		"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"data\":{\"a\":\"b\"}}",
		"x data{a=b}", "", "JSON is YAML"},
	{"Y03", "configmaps/x.yaml", CONFIGMAP "data: {a: b, a: c}\n", "x data{a=c}",
		"configmaps/x.yaml:3:14: warning: the key stands twice",
		"of equal keys the last wins"},
	{"Y04", "configmaps/x.yaml", CONFIGMAP "x: &x {a: b}\ndata:\n  <<: *x\n  c: d\n",
		"x data{c=d,a=b}", "", "merge keys"},
	{"Y05", "configmaps/x.yaml", CONFIGMAP "data: [\n", NULL,
		"configmaps/x.yaml:4:1: error: not valid YAML, ", "a syntax error"},
	{"Y06", "configmaps/x.yaml", "a: b: c\n", NULL,
		"configmaps/x.yaml:1:5: error: not valid YAML, mapping values are not allowed in this "
		"context: quote a value that holds a colon, and check the indentation (yaml-syntax)",
		"the advice fits the mistake"},
	{"Y07", "configmaps/x.yaml", "", NULL,
		"configmaps/x.yaml:1:1: error: the file holds no resource", "an empty file"},
	{"Y08", "ingresses/x.yaml", "", "x class= annotations{}", "",
		"an empty file is a flat Ingress without rules"},
	{"Y09", "ingresses/x.yaml", "- a\n", NULL,
		"ingresses/x.yaml:1:1: error: a resource is a mapping", "a list is no resource"},
	{"Y10", "configmaps/x.yaml", "text\n", NULL,
		"configmaps/x.yaml:1:1: error: a resource is a mapping", "a word is no resource"},
	{"Y11", "configmaps/x.yaml", CONFIGMAP "data: {a: [1]}\n", NULL,
		"configmaps/x.yaml:3:11: error: `data.a` must be a string, not a list",
		"a list where a string is demanded"},
	{"Y12", "configmaps/x.yaml", CONFIGMAP "data: {a: [1], b: {}}\n", NULL,
		"configmaps/x.yaml:3:11: error: `data.a`\nconfigmaps/x.yaml:3:19: error: `data.b`",
		"all errors of a file at once"},
	{"Y13", "configmaps/x.yaml", CONFIGMAP "metadata: {resourceVersion: 1}\ndata: {}\n",
		"x data{}",
		"configmaps/x.yaml:3:29: warning: `resourceVersion` is a string but reads as a number",
		"an unquoted version"},
};

static const struct row kinds[] = {
	{"K01", "configmaps/x.yaml", INGRESS "spec: {}\n", NULL,
		"configmaps/x.yaml:2:7: error: the files of configmaps/ are of kind ConfigMap",
		"a kind in the wrong directory"},
	{"K02", "ingresses/x.yaml", CONFIGMAP "data: {}\n", NULL,
		"ingresses/x.yaml:2:7: error: the files of ingresses/ are of kind Ingress: move this one "
		"to the directory of its kind (wrong-kind)",
		"the same for Ingresses"},
	{"K03", "configmaps/x.yaml", "data: {a: b}\n", "x data{a=b}",
		"configmaps/x.yaml:1:1: info: apiVersion or kind is missing",
		"kind and version come from the directory"},
	{"K04", "ingresses/x.yaml", "kind: Ingress\nspec:\n  rules:\n  - host: a.com\n",
		"x class= [a.com] annotations{}",
		"ingresses/x.yaml:1:1: warning: apiVersion or kind is missing, Higress would read",
		"a forgotten apiVersion does not lose the rules"},
	{"K05", "wasmplugins/x.yaml",
		"apiVersion: extensions.higress.io/v1\nkind: WasmPlugin\nspec: {}\n",
		"x phase= priority=0 config=0",
		"wasmplugins/x.yaml:1:13: warning: objects of kind WasmPlugin have the "
		"apiVersion extensions.higress.io/v1alpha1",
		"another version is read all the same"},
	{"K06", "configmaps/x.yaml", "apiVersion: v1\nkind: 1\ndata: {}\n", NULL,
		"configmaps/x.yaml:2:7: error: the files of configmaps/", "a number is no kind"},
	{"K10", "mcpbridges/default.yaml",
		BRIDGE
		"spec:\n  registries:\n  - {name: a, type: dns, domain: a.com, port: 443, protocol: "
		"https, sni: s, proxyName: p}\n  - {name: b, type: static, domain: '1.2.3.4:80', "
		"port: \"80\"}\n",
		"default [a.dns a.com 443 https s p][b.static 1.2.3.4:80 80   ]", "",
		"registries with all members, a quoted port"},
	{"2.6", "mcpbridges/default.yaml",
		BRIDGE
		"spec:\n  registries:\n  - {name: nac, type: nacos3, domain: n.com, port: 8848, "
		"nacosNamespaceId: ns, nacosGroups: [g, h], authSecretName: n-auth-abcde, "
		"enableMCPServer: true, mcpServerBaseUrl: /mcp, mcpServerExportDomains: [a.com]}\n"
		"  - {name: z, type: zookeeper, domain: z, port: 2181, zkServicesPath: [dubbo]}\n"
		"  - {name: c, type: consul, domain: c, port: 8500, consulDatacenter: d, "
		"consulServiceTag: t}\n  proxies:\n  - {name: p, type: http, serverAddress: "
		"10.0.0.1, serverPort: \"3128\", listenerPort: 50001, connectTimeout: 1200}\n",
		"default [nac.nacos3 n.com 8848   ] groups:g,h{n-auth-abcde ns  }[z.zookeeper z 2181   ]"
		" paths:dubbo[c.consul c 8500   ]{  d t}(p http 10.0.0.1 3128 1200)",
		"", "service sources of all types, and proxies"},
	{"K11", "mcpbridges/default.yaml",
		BRIDGE
		"spec:\n  registries:\n  - {name: c, type: consul, domain: c, "
		"consulRefreshInterval: \"30\", nacosRefreshInterval: 30, enableMCPServer: false}\n",
		"default [c.consul c 0   ]", "", "int64 as string, as the store prints it"},
	{"K12", "mcpbridges/default.yaml",
		BRIDGE "spec:\n  registries:\n  - {name: c, type: consul, domain: c, "
		       "consulRefreshInterval: soon}\n",
		NULL,
		"mcpbridges/default.yaml:5:63: error: `consulRefreshInterval` must be a whole number",
		"members that nothing is read from are checked"},
	{"K13", "mcpbridges/default.yaml",
		BRIDGE "spec:\n  registries:\n  - {name: a, domain: d}\n", "default [a. d 0   ]",
		"mcpbridges/default.yaml:5:5: warning: `type` is missing: add it",
		"what needs a missing member is left out later, the others stay"},
	{"K14", "mcpbridges/default.yaml",
		BRIDGE "spec:\n  registries:\n  - {name: a, type: dns, domain: d, port: 70000}\n",
		"default [a.dns d 0   ]",
		"mcpbridges/default.yaml:5:43: warning: `port` must be between 1 and 65535",
		"a port beyond the range"},
	{"K15", "mcpbridges/default.yaml", BRIDGE "spec:\n  registries: {name: a}\n", NULL,
		"mcpbridges/default.yaml:4:15: error: `registries` must be a list, not a mapping",
		"a forgotten dash"},
	{"K16", "mcpbridges/default.yaml", BRIDGE "spec:\n  registries:\n  - \n  - a\n", NULL,
		"mcpbridges/default.yaml:5:4: warning: an entry of `registries` is empty\n"
		"mcpbridges/default.yaml:6:5: error: `registries` must be a list of mappings",
		"empty and scalar entries"},
	{"K17", "mcpbridges/default.yaml",
		BRIDGE "spec:\n  registries:\n  - {name: 1, type: dns, domain: d}\n",
		"default [1.dns d 0   ]",
		"mcpbridges/default.yaml:5:12: warning: `name` is a string but reads as a number",
		"a name of digits"},
	{"K20", "ingresses/x.yaml",
		INGRESS
		"metadata:\n  annotations:\n    higress.io/destination: |-\n      70% a.dns:443\n"
		"      30% b.dns:80\nspec:\n  ingressClassName: higress\n  rules:\n  - host: a.com\n"
		"    http:\n      paths:\n      - path: /v1\n        pathType: Prefix\n        "
		"backend: {service: {name: s}}\n      - backend: {serviceName: s, servicePort: 1}\n"
		"  - http: {}\n  tls:\n  - hosts: [a.com, b.com]\n    secretName: c\n  - secretName: d\n",
		"x class=higress [a.com /v1(Prefix)->/service ()->/service] [] tls=c hosts:a.com,b.com tls=d "
		"annotations{higress.io/destination=70% a.dns:443\n30% b.dns:80}",
		"", "all members of an Ingress"},
	{"K21", "ingresses/x.yaml", INGRESS "spec:\n  rules:\n  - host: a.com\n    htp: {}\n",
		"x class= [a.com] annotations{}",
		"ingresses/x.yaml:6:5: warning: `htp` is no member that is known here: did you mean "
		"`http`? (unknown-field)",
		"a letter missing"},
	{"K22", "ingresses/x.yaml", INGRESS "sepc: {}\nspec: {}\n", "x class= annotations{}",
		"ingresses/x.yaml:3:1: warning: `sepc` is no member that is known here: did you mean `spec`",
		"two letters exchanged"},
	{"K23", "ingresses/x.yaml", INGRESS "spec: {foo: 1, rul: 2}\nfinalizers: [x]\n",
		"x class= annotations{}", "", "other members are kept without a word"},
	{"K24", "ingresses/x.yaml", INGRESS "spec:\n  rules:\n  - host: a.com\n    http: x\n", NULL,
		"ingresses/x.yaml:6:11: error: `http` must be a mapping, not a string",
		"text where a mapping is demanded"},
	{"K25", "ingresses/x.yaml", INGRESS "metadata:\n  annotations:\n    a: true\nspec: {}\n",
		"x class= annotations{a=true}",
		"ingresses/x.yaml:5:8: warning: `annotations.a` is a string but reads as a boolean",
		"an annotation is a string"},
	{"K30", "wasmplugins/ai-statistics-2.0.1.yaml", PLUGIN "spec: {}\n",
		"ai-statistics phase= priority=0 config=0", "",
		"the plugin's name without its version"},
	{"K31", "wasmplugins/key-auth.internal.yaml", PLUGIN "spec: {}\n",
		"key-auth phase= priority=0 config=0", "", "the plugin's name without .internal"},
	{"K32", "wasmplugins/mine.yaml",
		PLUGIN "metadata: {labels: {higress.io/wasm-plugin-name: ai-proxy}}\nspec: {}\n",
		"ai-proxy phase= priority=0 config=0", "", "the label names the plugin"},
	{"K33", "wasmplugins/gpt-4o.yaml", PLUGIN "spec: {}\n", "gpt-4o phase= priority=0 config=0",
		"", "a digit alone is no version"},
	{"K34", "wasmplugins/p.yaml",
		PLUGIN
		"spec:\n  defaultConfig: {a: 1}\n  defaultConfigDisable: true\n  matchRules:\n"
		"  - config: {}\n    configDisable: true\n    ingress: [i, k]\n    service:\n    - s\n"
		"  - domain: ['*.a.com']\n",
		"p phase= priority=0 config=1 off [config=1 off ingress:i,k service:s] [config=0 "
		"domain:*.a.com]",
		"", "rules with all targets"},
	{"K35", "wasmplugins/p.yaml", PLUGIN "spec: {defaultConfigDisable: \"true\"}\n",
		"p phase= priority=0 config=0 off",
		"wasmplugins/p.yaml:3:30: warning: `defaultConfigDisable` is a boolean but reads as a "
		"string: remove the quotes",
		"a quoted boolean means the boolean"},
	{"K36", "wasmplugins/p.yaml", PLUGIN "spec: {defaultConfigDisable: maybe}\n", NULL,
		"wasmplugins/p.yaml:3:30: error: `defaultConfigDisable` must be true or false, not a string",
		"a word is no boolean"},
	{"K37", "wasmplugins/p.yaml", PLUGIN "spec: {matchRules: [{ingress: a}]}\n", NULL,
		"wasmplugins/p.yaml:3:31: error: `ingress` must be a list, not a string: write one `- value`",
		"one target without a list"},
	{"K38", "wasmplugins/p.yaml", PLUGIN "spec: {matchRules: [{ingress: [a, ~, 1]}]}\n",
		"p phase= priority=0 config=0 [config=0 ingress:a,1]",
		"wasmplugins/p.yaml:3:35: warning: an entry of `ingress` is empty\n"
		"wasmplugins/p.yaml:3:38: warning: `ingress` is a string but reads as a number",
		"empty entries are left out, numbers are text"},
	{"K39", "wasmplugins/p.yaml", PLUGIN "spec: {defaultConfig: [1]}\n", NULL,
		"wasmplugins/p.yaml:3:23: error: `defaultConfig` must be a mapping, not a list",
		"a configuration is a mapping"},
	{"K40", "wasmplugins/p.yaml", PLUGIN "spec: {matchRule: [], failStrategy: X, url: u}\n",
		"p phase= priority=0 config=0",
		"wasmplugins/p.yaml:3:8: warning: `matchRule` is no member that is known here: did you mean "
		"`matchRules`?",
		"a letter missing; known members are silent"},
};

/* Each expected line begins the finding of the same number, and there are no others. */
static bool says(const char *got, const char *want)
{
	struct bytes g = bytes_str(got), w = bytes_str(want);

	while (w.p != NULL && w.n != 0) {
		struct bytes wanted = bytes_cut(&w, '\n'), line = {NULL, 0};

		if (g.p != NULL) {
			line = bytes_cut(&g, '\n');
		}
		if (!bytes_starts(line, wanted)) {
			return false;
		}
	}
	return g.p == NULL || g.n == 0;
}

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		struct fixture f;
		struct text got;

		read_file(&f, r->file, bytes_str(r->in));
		text_init(&got, 1 << 16);
		if (f.object != NULL) {
			describe(&got, f.object);
		}
		if ((r->object == NULL) != (f.object == NULL) ||
			(r->object != NULL && strcmp(text_cstr(&got), r->object) != 0)) {
			fail_msg("%s (%s): %s\n%s", r->id, r->reason,
				f.object != NULL ? text_cstr(&got) : "invalid", text_cstr(&f.said));
		}
		if (!says(text_cstr(&f.said), r->said)) {
			fail_msg("%s (%s) says: %s", r->id, r->reason, text_cstr(&f.said));
		}
		text_done(&got);
		done(&f);
	}
}

static void golden_names(void **state)
{
	(void)state;
	check_rows(names, ARRAY_LEN(names));
}

static void golden_yaml(void **state)
{
	(void)state;
	check_rows(yaml_rows, ARRAY_LEN(yaml_rows));
}

static void kind_rows(void **state)
{
	(void)state;
	check_rows(kinds, ARRAY_LEN(kinds));
	check_rows(filter_rows, ARRAY_LEN(filter_rows));
}

/* ---- what a row cannot say ---- */

static void free_form(void **state)
{
	struct fixture f;
	const struct yaml_node *consumers, *credential;

	(void)state;
	/* G135: in a free-form part nothing is judged here; the source text is at hand. */
	read_file(&f, "wasmplugins/key-auth.internal.yaml",
		BYTES(PLUGIN
			"spec:\n  defaultConfig:\n    consumers:\n    - credentials: [123456]\n"));
	assert_int_equal(f.said.n, 0);
	consumers = yaml_get(f.object->u.wasmplugin.config, "consumers");
	credential = yaml_get(consumers->items, "credentials")->items;
	assert_int_equal(credential->type, YAML_INT);
	assert_true(bytes_eq(credential->text, BYTES("123456")));
	done(&f);
	/* G138, reading: what no table names stays in the tree. */
	read_file(&f, "ingresses/x.yaml",
		BYTES(INGRESS "metadata:\n  finalizers: [x]\n  annotations: {my.org/a: b}\nspec:\n"
			      "  foo: 1\n"));
	assert_int_equal(f.said.n, 0);
	assert_int_equal(yaml_get(yaml_get(f.object->root, "spec"), "foo")->integer, 1);
	assert_int_equal(yaml_get(yaml_get(f.object->root, "metadata"), "finalizers")->n, 1);
	assert_true(bytes_eq(pairs_get(&f.object->meta.annotations, "my.org/a"), BYTES("b")));
	assert_int_equal(pairs_get(&f.object->meta.annotations, "other").n, 0);
	assert_null(pairs_find(&f.object->meta.annotations, BYTES("other")));
	done(&f);
}

static void places(void **state)
{
	struct fixture f;
	const struct registry *r;

	(void)state;
	read_file(&f, "mcpbridges/default.yaml",
		BYTES(BRIDGE "spec:\n  registries:\n  - name: a\n    type: dns\n    domain: a.com\n"
			     "  - {name: b, type: dns, domain: b.com}\n"));
	r = f.object->u.mcpbridge.registries;
	assert_int_equal(r[0].at.line, 5);
	assert_int_equal(r[0].at.column, 5);
	assert_int_equal(r[0].domain_at.line, 7);
	assert_int_equal(r[0].domain_at.column, 13);
	assert_int_equal(r[1].at.line, 8);
	assert_int_equal(r[1].domain_at.column, 34);
	done(&f);
	read_file(&f, "wasmplugins/p.yaml",
		BYTES(PLUGIN "metadata:\n  labels:\n    a: b\nspec:\n  matchRules:\n  - ingress:\n"
			     "    - i\n    - k\n"));
	assert_int_equal(f.object->meta.labels.v[0].at.line, 5);
	assert_int_equal(f.object->meta.labels.v[0].at.column, 8);
	assert_int_equal(f.object->u.wasmplugin.rules[0].at.line, 8);
	assert_int_equal(f.object->u.wasmplugin.rules[0].ingress.at[1].line, 10);
	assert_int_equal(f.object->u.wasmplugin.rules[0].ingress.at[1].column, 7);
	done(&f);
}

#define WITH_META                                                    \
	CONFIGMAP                                                    \
	"metadata:\n  creationTimestamp: \"2026-01-01T00:00:00Z\"\n" \
	"  resourceVersion: \"7\"\ndata: {}\n"

static void meta_and_hash(void **state)
{
	struct fixture f, g;

	(void)state;
	read_file(&f, "configmaps/a.yaml", BYTES(WITH_META));
	assert_true(bytes_eq(f.object->meta.creation, BYTES("2026-01-01T00:00:00Z")));
	assert_true(bytes_eq(f.object->meta.version, BYTES("7")));
	assert_true(bytes_eq(f.object->file, BYTES("configmaps/a.yaml")));
	read_file(&g, "configmaps/b.yaml", BYTES(WITH_META));
	assert_memory_equal(f.object->hash, g.object->hash, sizeof(f.object->hash));
	done(&g);
	read_file(&g, "configmaps/a.yaml", BYTES(WITH_META "#"));
	assert_memory_not_equal(f.object->hash, g.object->hash, sizeof(f.object->hash));
	done(&g);
	done(&f);
	read_file(&f, "configmaps/a.yaml",
		BYTES(CONFIGMAP "metadata: {creationTimestamp: null}\ndata: {}\n"));
	assert_int_equal(f.object->meta.creation.n, 0);
	assert_int_equal(f.said.n, 0);
	done(&f);
	/* SHA-256 of the empty text begins e3b0c44298fc1c14. */
	read_file(&f, "ingresses/a.yaml", BYTES(""));
	assert_memory_equal(f.object->hash, "\xe3\xb0\xc4\x42\x98\xfc\x1c\x14", 8);
	done(&f);
}

/* Findings go to logs, pages and tickets: no value of a file may be in one. */
static void no_secrets(void **state)
{
	static const char *const files[] = {
		PLUGIN
		"spec:\n  defaultConfig: [sk-secret]\n  priority: sk-secret\n  phase: [sk-secret]\n"
		"  matchRules: sk-secret\n",
		PLUGIN
		"spec:\n  defaultConfigDisable: sk-secret\n  matchRules: [sk-secret, {ingress: "
		"sk-secret, config: sk-secret}]\n",
		PLUGIN "spec:\n  defaultConfig:\n    apiTokens: [\"sk-secret\n  priority: 1\n",
		PLUGIN "spec:\n  defaultConfig:\n    apiTokens: *sk-secret\n",
		PLUGIN "spec:\n  defaultConfig:\n    apiTokens: &sk-secret [*sk-secret]\n",
		PLUGIN "spec:\n  defaultConfig:\n    apiTokens: sk-secret: x\n",
		"apiVersion: sk-secret\nkind: sk-secret\n",
		"sk-secret\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct fixture f;

		read_file(&f, "wasmplugins/p.yaml", bytes_str(files[i]));
		assert_null(f.object);
		assert_null(strstr(text_cstr(&f.said), "sk-secret"));
		done(&f);
	}
}

static void bounds(void **state)
{
	struct text in;
	struct fixture f;
	char *large;

	(void)state;
	/* A file that is wrong in every line: the findings are counted, the first hundred are kept. */
	text_init(&in, 1 << 20);
	text_add_str(&in, CONFIGMAP "data:\n");
	for (int i = 0; i < 5000; i++) {
		text_addf(&in, "  k%d: off\n", i);
	}
	read_file(&f, "configmaps/x.yaml", text_bytes(&in));
	assert_int_equal(f.object->u.configmap.data.n, 5000);
	assert_non_null(strstr(text_cstr(&f.said), ":103:"));
	assert_null(strstr(text_cstr(&f.said), ":104:"));
	assert_non_null(strstr(text_cstr(&f.said), "info: there are more findings"));
	assert_true(f.object->findings.n >= 5000);
	done(&f);
	/* An error behind the hundredth finding is still an error. */
	text_add_str(&in, "  last: []\n");
	read_file(&f, "configmaps/x.yaml", text_bytes(&in));
	assert_null(f.object);
	done(&f);
	text_done(&in);
	/* Above the limit a file is not even parsed. */
	large = calloc(1, RESOURCE_FILE_MAX + 1);
	assert_non_null(large);
	read_file(&f, "configmaps/x.yaml", bytes_of(large, RESOURCE_FILE_MAX + 1));
	assert_null(f.object);
	assert_non_null(strstr(text_cstr(&f.said), "above 64 MiB"));
	free(large);
	done(&f);
	/* A name may hold what a terminal should not see. */
	read_file(&f, "configmaps/x.yaml", BYTES(CONFIGMAP "\"dat\\e\": {}\ndata: {}\n"));
	assert_non_null(strstr(text_cstr(&f.said), "`dat?`"));
	done(&f);
}

static void many_consumers(void **state)
{
	struct text in;
	struct fixture f;
	const struct yaml_node *consumers;

	(void)state;
	text_init(&in, RESOURCE_FILE_MAX);
	text_add_str(&in, PLUGIN "spec:\n  defaultConfig:\n    consumers:\n");
	for (int i = 0; i < 20000; i++) {
		text_addf(&in,
			"    - credentials:\n      - Bearer sk-%08d\n      in_header: true\n"
			"      in_query: false\n      keys:\n      - Authorization\n      name: c%d\n",
			i, i);
	}
	read_file(&f, "wasmplugins/key-auth.internal.yaml", text_bytes(&in));
	assert_non_null(f.object);
	consumers = yaml_get(f.object->u.wasmplugin.config, "consumers");
	assert_int_equal(consumers->n, 20000);
	/* Memory follows the file: below ten times its size. */
	assert_true(f.object->arena.total < 10 * in.n);
	done(&f);
	text_done(&in);
}

/* A file that is being written ends anywhere. */
static void cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct bytes in = bytes_str(kinds[i].in);

		for (size_t n = 0; n < in.n; n++) {
			char *copy = malloc(n + 1); /* ends where the input ends */
			struct fixture f;

			assert_non_null(copy);
			copy = realloc(copy, n > 0 ? n : 1);
			memcpy(copy, in.p, n);
			read_file(&f, kinds[i].file, bytes_of(copy, n));
			free(copy);
			done(&f);
		}
	}
}

/* ---- examples ---- */

static void read_example(struct fixture *f, const char *tree, const char *file)
{
	static char content[65536];
	char path[256];
	size_t n;
	FILE *in;

	snprintf(path, sizeof(path), "examples/%s/resources/%s", tree, file);
	in = fopen(path, "rb");
	if (in == NULL) {
		fail_msg("%s: run the tests in the root of the repository", path);
		return;
	}
	n = fread(content, 1, sizeof(content), in);
	fclose(in);
	read_file(f, file, bytes_of(content, n));
	if (f->object == NULL || f->said.n != 0) {
		fail_msg("%s: %s", path, text_cstr(&f->said));
	}
}

static void examples(void **state)
{
	static const char *const trees[] = {"zimomo", "zimomo-credential"};
	static const struct {
		const char *file, *want;
	} rows[] = {
		{"configmaps/domain-zimomo.com.yaml",
			"domain-zimomo.com data{domain=zimomo.com,enableHttps=off}"},
		{"mcpbridges/default.yaml",
			"default [higress-console.static 127.0.0.1:8001 80   ][llm-lololo.internal.dns "
			"lololo.com 443 https  ]"},
		{"wasmplugins/ai-proxy.internal.yaml",
			"ai-proxy phase= priority=100 config=1 [config=1 service:llm-lololo.internal.dns]"},
		{"wasmplugins/key-auth.internal.yaml",
			"key-auth phase=AUTHN priority=310 config=1 [config=1 "
			"ingress:ai-route-zimomo2lololo.internal]"},
		{"wasmplugins/ai-statistics-2.0.1.yaml",
			"ai-statistics phase= priority=900 config=0 off [config=1 "
			"ingress:ai-route-zimomo2lololo.internal]"},
		{"ingresses/ai-route-zimomo2lololo.internal.yaml",
			"ai-route-zimomo2lololo.internal class=higress [zimomo.com /v1(Prefix)->McpBridge/"
			"default] annotations{higress.io/comment=PLEASE DO NOT EDIT DIRECTLY. This resource "
			"is managed by Higress.,higress.io/destination=llm-lololo.internal.dns:443,"
			"higress.io/enable-proxy-next-upstream=true,higress.io/proxy-next-upstream=error,"
			"timeout,non_idempotent,higress.io/proxy-next-upstream-timeout=120,"
			"higress.io/proxy-next-upstream-tries=3}"},
	};

	(void)state;
	for (size_t t = 0; t < ARRAY_LEN(trees); t++) {
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct fixture f;
			struct text got;

			read_example(&f, trees[t], rows[i].file);
			text_init(&got, 1 << 16);
			describe(&got, f.object);
			assert_string_equal(text_cstr(&got), rows[i].want);
			text_done(&got);
			done(&f);
		}
	}
}

static void example_route_json(void **state)
{
	struct fixture f;
	struct bytes json;

	(void)state;
	read_example(&f, "zimomo", "configmaps/ai-route-zimomo2lololo.yaml");
	json = pairs_get(&f.object->u.configmap.data, "data");
	assert_true(bytes_starts(
		json, BYTES("{\"name\":\"zimomo2lololo\",\"domains\":[\"zimomo.com\"]")));
	assert_true(bytes_ends(
		json, BYTES("\"conditions\":[\"error\",\"timeout\",\"non_idempotent\"]}}")));
	done(&f);
}

/* ---- snapshots ---- */

static struct object *make(enum resource_kind kind, const char *file, const char *text)
{
	struct arena a;
	struct findings why;
	struct object *o;

	arena_init(&a, ARENA_MAX);
	findings_init(&why, &a);
	o = object_read(kind, bytes_str(file), bytes_str(text), &why);
	assert_non_null(o);
	arena_done(&a);
	return o;
}

static void snapshots(void **state)
{
	static const char *const order[] = {"m", "c", "z", "a", "b", "cc"};
	struct snapshot *s = snapshot_new(), *second = snapshot_new();
	struct object *o, *replaced;
	size_t from = 77;

	(void)state;
	assert_int_equal(snapshot_kind(s, RESOURCE_INGRESS, &from), 0);
	assert_null(snapshot_get(s, RESOURCE_INGRESS, BYTES("a")));
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		char file[32];

		snprintf(file, sizeof(file), "ingresses/%s.yaml", order[i]);
		snapshot_put(s, make(RESOURCE_INGRESS, file, ""));
	}
	snapshot_put(s, make(RESOURCE_WASMPLUGIN, "wasmplugins/a.yaml", PLUGIN));
	snapshot_put(s, make(RESOURCE_CONFIGMAP, "configmaps/z.yaml", CONFIGMAP));
	assert_int_equal(s->n, 8);
	assert_int_equal(snapshot_kind(s, RESOURCE_INGRESS, &from), 6);
	assert_int_equal(from, 1);
	for (size_t i = from + 1; i < from + 6; i++) {
		assert_true(bytes_cmp(s->objects[i - 1]->meta.name, s->objects[i]->meta.name) < 0);
	}
	assert_int_equal(snapshot_kind(s, RESOURCE_MCPBRIDGE, &from), 0);
	assert_int_equal(snapshot_kind(s, RESOURCE_WASMPLUGIN, &from), 1);
	assert_int_equal(from, 7);
	assert_null(snapshot_get(s, RESOURCE_WASMPLUGIN, BYTES("z")));
	o = snapshot_get(s, RESOURCE_INGRESS, BYTES("c"));
	assert_true(bytes_eq(o->meta.name, BYTES("c")));
	/* An object outlives the snapshot that it was replaced in. */
	snapshot_put(second, object_ref(o));
	replaced = make(RESOURCE_INGRESS, "ingresses/c.yaml", "rules: []\n");
	snapshot_put(s, replaced);
	assert_int_equal(s->n, 8);
	assert_ptr_equal(snapshot_get(s, RESOURCE_INGRESS, BYTES("c")), replaced);
	assert_ptr_equal(snapshot_ref(s), s);
	snapshot_unref(s);
	snapshot_unref(s);
	assert_ptr_equal(snapshot_get(second, RESOURCE_INGRESS, BYTES("c")), o);
	assert_int_equal(o->refs, 1);
	snapshot_unref(second);
	snapshot_unref(NULL);
	object_unref(NULL);
}

static void directories(void **state)
{
	(void)state;
	for (int i = 0; i < RESOURCE_KIND_COUNT; i++) {
		const char *dir = resource_dir((enum resource_kind)i);

		assert_int_equal(resource_kind_of_dir(bytes_str(dir)), i);
	}
	assert_int_equal(resource_kind_of_dir(BYTES("services")), -1);
	assert_int_equal(resource_kind_of_dir(BYTES("ingress")), -1);
	assert_int_equal(resource_kind_of_dir(BYTES("")), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_names),
		cmocka_unit_test(golden_yaml),
		cmocka_unit_test(kind_rows),
		cmocka_unit_test(free_form),
		cmocka_unit_test(places),
		cmocka_unit_test(meta_and_hash),
		cmocka_unit_test(no_secrets),
		cmocka_unit_test(bounds),
		cmocka_unit_test(many_consumers),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(examples),
		cmocka_unit_test(example_route_json),
		cmocka_unit_test(snapshots),
		cmocka_unit_test(directories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
