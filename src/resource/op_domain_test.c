/*
 * Domains as ConfigMaps, and the Ingresses that follow them (higress-resources.md §3.1, §7.1).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants these first */
#include <cmocka.h>

#include "resource/op_world.h"

#define PROVIDER "create provider p {\"type\":\"deepseek\"}"
#define ROUTE(name, domains) \
	"create ai-route " name " {\"domains\":[" domains "],\"upstreams\":[{\"provider\":\"p\"}]}"
#define AND "\n--\n"

static const struct op_row rows[] = {
	{"G01", NULL, "create domain zimomo.com {\"enableHttps\":\"off\"}", OP_OK,
		"configmaps/domain-zimomo.com data {\"domain\":\"zimomo.com\",\"enableHttps\":\"off\"}\n"
		"configmaps/domain-zimomo.com metadata|labels {\"higress.io/config-map-type\":\"domain\","
		"\"higress.io/resource-definer\":\"higress\"}\n"
		"configmaps/domain-zimomo.com metadata|annotations -\n"
		"configmaps/domain-zimomo.com metadata|resourceVersion \"1\"\n"
		"read domain zimomo.com . {\"name\":\"zimomo.com\",\"version\":\"1\","
		"\"enableHttps\":\"off\",\"certIdentifier\":null}",
		"the record of a plain domain, as the Console writes it"},
	{"G02", NULL, "create domain *.zimomo.com {\"enableHttps\":\"off\"}", OP_OK,
		"configmaps/domain-wildcard.zimomo.com data|domain \"*.zimomo.com\"\n"
		"list domain [\"*.zimomo.com\"]",
		"no file is named with a star; the API shows the real name"},
	{"G03", NULL, "create domain a.com {\"enableHttps\":\"force\",\"certIdentifier\":\"c\"}",
		OP_OK,
		"configmaps/domain-a.com data {\"cert\":\"c\",\"domain\":\"a.com\","
		"\"enableHttps\":\"force\"}",
		"HTTPS that is forced"},
	{"G04", NULL, "create domain a.com {}", OP_OK,
		"configmaps/domain-a.com data {\"domain\":\"a.com\"}\n"
		"read domain a.com enableHttps null",
		"what was not given is not written"},
	{"G08", "create domain a.com {}",
		"create domain a.com {\"enableHttps\":\"on\",\"certIdentifier\":\"c\"}", OP_EXISTS,
		"configmaps/domain-a.com data {\"domain\":\"a.com\"}",
		"created twice: the first stays"},
	{"G09", "create domain a.com {}", "update domain a.com {\"version\":\"6\"}", OP_STALE, NULL,
		"somebody else has written meanwhile"},
	{"G09a", "create domain a.com {}",
		"update domain a.com {\"version\":\"1\",\"enableHttps\":\"off\"}", OP_OK,
		"configmaps/domain-a.com metadata|resourceVersion \"2\"",
		"the version that is stored"},
	{"G09b", "create domain a.com {}",
		"update domain a.com {\"version\":0,\"enableHttps\":\"off\"}", OP_OK,
		"configmaps/domain-a.com metadata|resourceVersion \"2\"",
		"0 stands for no version"},
	{"G10",
		"file configmaps/domain-a.com apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "
		"domain-a.com, namespace: higress-system, labels: {higress.io/config-map-type: "
		"domain, higress.io/resource-definer: higress}}\ndata: {domain: a.com}\n",
		"update domain a.com {\"enableHttps\":\"off\"}", OP_OK,
		"configmaps/domain-a.com metadata|resourceVersion \"1\"",
		"a file that nobody has given a version"},
	{"G11", NULL, "create domain a.com {\"version\":\"42\"}", OP_OK,
		"configmaps/domain-a.com metadata|resourceVersion \"1\"",
		"what is made begins with 1, whatever was sent"},
	{"K134", NULL, "update domain a.com {}", OP_MISSING, NULL, "nothing to update"},
	{"K132", NULL, "create domain a.com {\"enableHttps\":\"maybe\"}", OP_INVALID,
		"configmaps/domain-a.com . -", "a word that means nothing"},
	{"D31", NULL, "create domain a/b {}", OP_INVALID, NULL, "no host, and no name of a file"},
	{"D31a", NULL, "create domain higress-default-domain {}", OP_OK,
		"list domain [\"higress-default-domain\"]", "stands for any other host"},
	{"D31b", NULL, "create domain 10.0.0.1 {}", OP_OK, NULL, "an address is a host"},
	{"D31c", NULL, "create domain a..com {}", OP_INVALID, NULL, "an empty label"},
	{"D31d", NULL, "create domain *a.com {}", OP_INVALID, NULL, "a star is a whole label"},
	{"G14", PROVIDER AND "create domain a.com {}" AND ROUTE("r", "\"a.com\""),
		"remove domain a.com", OP_IN_USE, "configmaps/domain-a.com data|domain \"a.com\"",
		"a route is bound to it"},
	{"K137", "create domain a.com {}", "remove domain a.com", OP_OK,
		"configmaps/domain-a.com . -\nlist domain []", "nobody uses it"},
	{"K137a", NULL, "remove domain a.com", OP_OK, NULL, "deleting twice is no error"},
	{"DOM-1",
		"create domain a.com {}" AND
		"file wasmplugins/waf-1.0.0 {metadata: {labels: {higress.io/wasm-plugin-name: waf}}, "
		"spec: {matchRules: [{domain: [a.com], config: {a: 1}}, "
		"{domain: [a.com, b.com], config: {}}]}}",
		"remove domain a.com", OP_OK,
		"wasmplugins/waf-1.0.0 spec|matchRules [{\"config\":{},\"domain\":[\"b.com\"]}]",
		"what plugins have for the domain goes with it, what they have for others stays"},
	{"DOM-2", PROVIDER AND ROUTE("r", "\"a.com\""),
		"create domain a.com {\"enableHttps\":\"force\",\"certIdentifier\":\"c\"}", OP_OK,
		"ingresses/ai-route-r.internal spec|tls [{\"hosts\":[\"a.com\"],\"secretName\":\"c\"}]\n"
		"ingresses/ai-route-r.internal metadata|annotations|higress.io/ssl-redirect \"true\"\n"
		"ingresses/ai-route-r.internal metadata|annotations|higress.io/destination "
		"\"llm-p.internal.dns:443\"\n"
		"ingresses/ai-route-r.internal metadata|resourceVersion \"2\"\n"
		"configmaps/ai-route-r metadata|resourceVersion \"1\"",
		"routes of the domain follow it; the rest of the Ingress and the route's record stay"},
	{"DOM-3",
		PROVIDER AND
		"create domain a.com {\"enableHttps\":\"force\",\"certIdentifier\":\"c\"}" AND
			ROUTE("r", "\"a.com\""),
		"update domain a.com {\"enableHttps\":\"off\",\"certIdentifier\":\"c\"}", OP_OK,
		"ingresses/ai-route-r.internal spec|tls -\n"
		"ingresses/ai-route-r.internal metadata|annotations|higress.io/ssl-redirect -",
		"HTTPS that is switched off leaves nothing behind"},
	{"DOM-4", PROVIDER AND ROUTE("r", "\"a.com\",\"b.com\""),
		"create domain a.com {\"enableHttps\":\"on\",\"certIdentifier\":\"c\"}", OP_INVALID,
		"configmaps/domain-a.com . -\ningresses/ai-route-r.internal spec|tls -",
		"a route would be HTTPS for one domain and plain for the other"},
	{"DOM-5", PROVIDER AND ROUTE("r", ""),
		"create domain higress-default-domain {\"enableHttps\":\"on\",\"certIdentifier\":\"c\"}",
		OP_OK, "ingresses/ai-route-r.internal spec|tls [{\"secretName\":\"c\"}]",
		"routes without a domain follow the default one, and name no host"},
	{"DOM-6",
		"file ingresses/web {metadata: {labels: {higress.io/resource-definer: higress, "
		"higress.io/domain_a.com: 'true'}}, spec: {rules: [{host: a.com, http: {paths: [{path: /}]}}]}, "
		"apiVersion: networking.k8s.io/v1, kind: Ingress}",
		"create domain a.com {\"enableHttps\":\"on\",\"certIdentifier\":\"c\"}", OP_OK,
		"ingresses/web spec|tls|0|secretName \"c\"\n"
		"wasmplugins/key-auth.internal spec|matchRules [{\"config\":{},\"configDisable\":true,"
		"\"ingress\":[\"web\"]}]\n"
		"wasmplugins/key-auth.internal spec|defaultConfig -",
		"an Ingress that a person wrote follows, and gets the rule that every saved route has"},
	{"DOM-10",
		"file ingresses/web {labels: {higress.io/resource-definer: higress, higress.io/domain_a.com: "
		"'true'}, annotations: {higress.io/destination: a.static}, rules: [{host: a.com, http: "
		"{paths: [{path: /}]}}]}",
		"create domain a.com {\"enableHttps\":\"force\",\"certIdentifier\":\"c\"}", OP_OK,
		"ingresses/web kind \"Ingress\"\ningresses/web rules -\ningresses/web labels -\n"
		"ingresses/web spec|rules|0|host \"a.com\"\n"
		"ingresses/web spec|tls [{\"hosts\":[\"a.com\"],\"secretName\":\"c\"}]\n"
		"ingresses/web metadata|annotations {\"higress.io/destination\":\"a.static\","
		"\"higress.io/ssl-redirect\":\"true\"}",
		"a flat file is written in the normal form, and nothing of it is lost"},
	{"DOM-7",
		"file configmaps/domain-a.com {metadata: {labels: {higress.io/resource-definer: higress, x: z}, "
		"managedFields: [{manager: m}], resourceVersion: '7', creationTimestamp: '2020-01-01T00:00:00Z'}, "
		"data: {domain: a.com, enableHttps: off, note: hi}}",
		"update domain a.com {\"version\":\"7\",\"enableHttps\":\"on\",\"certIdentifier\":\"c\"}",
		OP_OK,
		"configmaps/domain-a.com data {\"cert\":\"c\",\"domain\":\"a.com\",\"enableHttps\":\"on\","
		"\"note\":\"hi\"}\n"
		"configmaps/domain-a.com metadata|labels|x \"z\"\n"
		"configmaps/domain-a.com metadata|managedFields [{\"manager\":\"m\"}]\n"
		"configmaps/domain-a.com metadata|creationTimestamp \"2020-01-01T00:00:00Z\"\n"
		"configmaps/domain-a.com metadata|resourceVersion \"8\"",
		"what the program does not know stays; so does the time of creation"},
	{"DOM-8",
		"file configmaps/domain-a.com {metadata: {labels: {higress.io/resource-definer: higress}}, "
		"data: {domain: a.com, enableHttps: off}}",
		"create domain b.com {}", OP_OK,
		"read domain a.com . {\"name\":\"a.com\",\"version\":\"0\",\"enableHttps\":\"off\","
		"\"certIdentifier\":null}\nlist domain [\"a.com\",\"b.com\"]",
		"YAML 1.1 reads off as false; a person means the word. Without a version: 0, which overwrites"},
	{"DOM-9",
		"file configmaps/domain-a.com {metadata: {labels: {a: b}}, data: {domain: a.com}}",
		"create domain b.com {}", OP_OK, "list domain [\"b.com\"]",
		"the Console lists what carries its label"},
	{"OPS-20", "create domain *.a.com {}", "create domain wildcard.a.com {}", OP_INVALID,
		"configmaps/domain-wildcard.a.com data|domain \"*.a.com\"\nlist domain [\"*.a.com\"]",
		"its file would be that of the wildcard; 409 would say that it is there"},
	{"OPS-21", "create domain *.a.com {}", "update domain wildcard.a.com {}", OP_INVALID,
		"configmaps/domain-wildcard.a.com data|domain \"*.a.com\"",
		"the same in place of it"},
	{"OPS-22", "create domain *.a.com {}", "remove domain wildcard.a.com", OP_OK,
		"list domain [\"*.a.com\"]\nread domain wildcard.a.com . -",
		"only what was meant goes"},
	{"OPS-23", NULL, "create domain a.com:8080 {}", OP_INVALID, "list domain []",
		"a host and a port is no host"},
	{"OPS-24", NULL, "create domain [::1] {}", OP_OK, NULL, "an address is one"},
};

static void test_rows(void **state)
{
	(void)state;
	assert_true(op_world_rows(rows, ARRAY_LEN(rows)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests_name("op_domain", tests, NULL, NULL);
}
