/*
 * A provider's context: what of a configuration is taken, and which service it is fetched from.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/context.h"
#include "plan/services.h"
#include "plan/world.h"

#define FILE_OF(url) "context: {fileUrl: '" url "', serviceName: f.dns, servicePort: 443}"
#define DNS                                                                                   \
	"{name: f, type: dns, domain: 'f1.example.com,f2.example.com', port: 443, protocol: " \
	"https}"

static const struct row {
	const char *entry;
	const char *registry;
	const char *key;  /* '|' for each NUL; NULL: none, or no context */
	const char *code; /* of a finding; NULL: nothing is said */
	bool refused;
	uint64_t timeout_ms;
	const char *reason;
} rows[] = {
	{"x: y", DNS, NULL, NULL, false, 0, "no context"},
	{"context: {}", DNS, NULL, NULL, false, 0, "an empty one, as tools write it"},
	{FILE_OF("https://h.example.com:8443/a/b?c=d"), DNS,
		"1|h.example.com|h.example.com:8443|/a/b?c=d|f1.example.com|443|f2.example.com|443|",
		NULL, false, 120000, "the service says where, the URL what"},
	{FILE_OF("http://h.example.com") ", timeout: 3000",
		"{name: f, type: dns, domain: f.example.com, port: 443}",
		"0|h.example.com|h.example.com|/|f.example.com|443|", NULL, false, 3000,
		"no path is /; the provider's timeout is that of the file"},
	{FILE_OF("http://[::1]/x") ", timeout: 99999999",
		"{name: f, type: dns, domain: f.example.com, port: 443}",
		"0|::1|[::1]|/x|f.example.com|443|", NULL, false, 600000,
		"an address in the URL; an endless timeout is bounded"},
	{FILE_OF("https://h/x"),
		"{name: f, type: dns, domain: f.example.com, port: 443, protocol: https, sni: "
		"s.example.com}",
		"1|s.example.com|h|/x|f.example.com|443|", NULL, false, 120000,
		"the registry's own name for TLS goes before the URL's"},
	{FILE_OF("https://h/x"),
		"{name: f, type: dns, domain: f.example.com, port: 443, protocol: https, sni: "
		"\"a\\0b\"}",
		"1|a|h|/x|f.example.com|443|", NULL, false, 120000,
		"a NUL in a name does not move what follows"},
	{FILE_OF("https://h/x"), "{name: g, type: dns, domain: f.example.com, port: 443}", NULL,
		"provider-service-unknown", false, 120000, "a service that nobody gives"},
	{FILE_OF("https://h/x"), "{name: f, type: dns, domain: f.example.com, port: 444}",
		"0|h|h|/x|f.example.com|444|", "provider-service-unknown", false, 120000,
		"a service with another port: Higress would not find it"},
	{"context: [a]", DNS, NULL, "map-expected", true, 0, "no map"},
	{"context: {fileUrl: 'http://h/', servicePort: 1}", DNS, NULL, "key-missing", true, 0,
		"no service"},
	{"context: {fileUrl: 'http://h/', serviceName: f.dns}", DNS, NULL, "key-missing", true, 0,
		"no port"},
	{"context: {serviceName: f.dns, servicePort: 1}", DNS, NULL, "key-missing", true, 0,
		"no URL"},
	{"context: {fileUrl: 'http://h/', serviceName: f.dns, servicePort: 70000}", DNS, NULL,
		"port-expected", true, 0, "no port that there is"},
	{FILE_OF("ftp://h/x"), DNS, NULL, "bad-value", true, 0, "a scheme that is not spoken"},
	{FILE_OF("/x"), DNS, NULL, "bad-value", true, 0, "no absolute URL"},
	{FILE_OF("http://h/x") ", timeout: soon", DNS, NULL, "bad-value", true, 0,
		"a timeout that is no number"},
};

static void check_key(const struct row *r, const struct context_source *c)
{
	struct text t;

	text_init(&t, 4096);
	for (size_t i = 0; c != NULL && i < c->source.key.n; i++) {
		text_add_char(&t, c->source.key.p[i] != '\0' ? c->source.key.p[i] : '|');
	}
	if (strcmp(text_cstr(&t), r->key != NULL ? r->key : "") != 0) {
		fail_msg("%s: got %s", r->reason, text_cstr(&t));
	}
	text_done(&t);
}

static void play(const struct row *r)
{
	const struct hash_seed seed = {1, 2};
	char plugin[1000], bridge[1000];
	struct context_source *c = NULL;
	struct services services;
	struct object *o;
	struct world w;

	world_init(&w);
	snprintf(plugin, sizeof(plugin), WORLD_PLUGIN("x", "  defaultConfig: {%s}\n"), r->entry);
	snprintf(bridge, sizeof(bridge), WORLD_REGISTRIES("  - %s\n"), r->registry);
	o = world_add(&w, "wasmplugins/x.yaml", plugin);
	world_add(&w, "mcpbridges/default.yaml", bridge);
	services_compile(&services, w.snapshot, &seed, &w.arena, &w.findings);
	if (context_compile(&c, o->u.wasmplugin.config, o, &w.arena, &w.findings) == r->refused) {
		fail_msg("%s: refused or not", r->reason);
	}
	context_find_services(c, &services.by_name, &w.arena, &w.findings);
	check_key(r, c);
	if ((c != NULL ? c->source.timeout_ms : 0) != r->timeout_ms ||
		(r->code != NULL ? world_finding(&w.findings, r->code) == NULL
				 : w.findings.n != 0)) {
		world_print(&w.findings);
		fail_msg("%s: another timeout or finding", r->reason);
	}
	services_done(&services);
	world_done(&w);
}

static void rows_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		play(&rows[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_read),
	};

	return cmocka_run_group_tests_name("plan/context", tests, NULL, NULL);
}
