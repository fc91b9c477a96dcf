#include "plan/certificates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/world.h"

static const struct provider_types no_types;

#define DOMAIN(data) "apiVersion: v1\nkind: ConfigMap\ndata: {" data "}\n"
#define INGRESS "apiVersion: networking.k8s.io/v1\nkind: Ingress\n"

static struct bytes secret_of(const struct world *w, const struct certificate *c)
{
	size_t from;
	size_t n = snapshot_kind(w->snapshot, RESOURCE_SECRET, &from);

	for (size_t i = from; i < from + n && c != NULL; i++) {
		if (w->snapshot->objects[i]->u.secret.certificate == c) {
			return w->snapshot->objects[i]->meta.name;
		}
	}
	return BYTES("-");
}

struct ask {
	const char *name; /* that the client asks for */
	const char *want; /* name of the Secret, "-" for none */
	const char *reason;
};

static void check(const struct world *w, const struct plan *p, const struct ask *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct bytes got = secret_of(w, plan_certificate(p, bytes_str(rows[i].name)));

		if (!bytes_eq(got, bytes_str(rows[i].want))) {
			fail_msg("%s (%s): " BYTES_FMT, rows[i].name, rows[i].reason,
				BYTES_ARG(got));
		}
	}
}

static void add_secret(struct world *w, const char *name, const char *names)
{
	world_add_secret(w, name, NULL, &(struct make_options){.names = names});
}

/* --- which one ---------------------------------------------------------------------------------- */

static void order(void **state)
{
	static const struct ask rows[] = {
		{"a.com", "named", "a domain comes before what covers it"},
		{"A.Com", "named", "in any case"},
		{"b.com", "wide", "nobody names it, a Secret covers it"},
		{"x.wild.com", "star", "a domain of a wildcard"},
		{"x.y.wild.com", "star", "the scopes of §5.2 have several labels"},
		{"exact.wild.com", "exact", "the host itself before a wildcard"},
		{"wild.com", "all", "a wildcard is not its parent"},
		{"x.sub.com", "wide", "a wildcard in a certificate"},
		{"x.y.sub.com", "all", "of one label"},
		{"sub.com", "all", "and not for its parent"},
		{"i.com", "ingress", "by an Ingress"},
		{"unknown.com", "all", "the default domain"},
		{"", "all", "a client that names none"},
		{".a.com", "all", "no name of a host"},
		{".wild.com", "all", "nor does a wildcard stand for nothing"},
		{".", "all", "a dot"},
		{"a.com.", "all", "a dot at the end is another name"},
	};
	struct world w;
	struct plan *p;

	(void)state;
	world_init(&w);
	add_secret(&w, "named", "DNS:a.com");
	world_add_secret(&w, "wide", NULL,
		&(struct make_options){
			.names = "DNS:a.com,DNS:b.com,DNS:*.sub.com,DNS:exact.wild.com",
			.to_s = 2100000000}); /* what covers them is valid for longest */
	add_secret(&w, "star", "DNS:*.wild.com");
	add_secret(&w, "exact", "DNS:exact.wild.com");
	add_secret(&w, "ingress", "DNS:i.com");
	add_secret(&w, "all", "DNS:all.com");
	world_add(&w, "configmaps/domain-a.com.yaml",
		DOMAIN("domain: a.com, enableHttps: 'on', cert: named"));
	world_add(&w, "configmaps/domain-wildcard.wild.com.yaml",
		DOMAIN("domain: '*.wild.com', enableHttps: force, cert: star"));
	world_add(&w, "configmaps/domain-exact.wild.com.yaml",
		DOMAIN("domain: Exact.Wild.com, cert: exact"));
	world_add(&w, "configmaps/domain-higress-default-domain.yaml",
		DOMAIN("domain: higress-default-domain, enableHttps: 'on', cert: all"));
	world_add(&w, "ingresses/i.yaml",
		INGRESS "spec: {tls: [{hosts: [i.com], secretName: ingress}]}\n");
	p = world_plan(&w, &no_types);
	world_print(&p->findings);
	assert_int_equal(p->findings.n, 0);
	assert_int_equal(p->n_certificates, 6);
	check(&w, p, rows, ARRAY_LEN(rows));
	plan_free(p);
	world_done(&w);
}

static void without_default(void **state)
{
	static const struct ask rows[] = {
		{"a.com", "a", "covered"},
		{"", "-", "a single certificate is not the one for everybody"},
		{"b.com", "-", "nothing covers it: the handshake is refused"},
	};
	char longest[300];
	struct world w;
	struct plan *p;

	(void)state;
	world_init(&w);
	p = world_plan(&w, &no_types);
	assert_null(plan_certificate(p, BYTES("a.com")));
	assert_null(plan_certificate(p, BYTES("")));
	plan_free(p);
	add_secret(&w, "a", "DNS:a.com");
	p = world_plan(&w, &no_types);
	check(&w, p, rows, ARRAY_LEN(rows));
	memset(longest, 'a', sizeof(longest));
	assert_null(plan_certificate(p, bytes_of(longest, sizeof(longest))));
	plan_free(p);
	world_done(&w);
}

static void second_names(void **state)
{
	static const struct {
		const char *alias, *of;
		struct ask ask;
	} rows[] = {
		{"x.org", "named.com", {"x.org", "a", "named for the other name"}},
		{"x.org", "b.com", {"x.org", "b", "covers the other name"}},
		{"X.org", "named.com", {"x.ORG", "a", "in any case"}},
		{"b.com", "named.com", {"b.com", "b", "what covers the name itself comes first"}},
		{"x.org", "named.com", {"y.org", "-", "no other name has it"}},
		{"x.org", "none.com", {"x.org", "-", "the other name has none"}},
		{"", "named.com", {"x.org", "-", "no second name"}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct plan_alias alias = {bytes_str(rows[i].alias), bytes_str(rows[i].of)};
		const struct plan_env env = {.types = &no_types, .seed = {1, 2}, .alias = &alias};
		struct world w;
		struct plan *p;

		world_init(&w);
		add_secret(&w, "a", "DNS:named.com");
		add_secret(&w, "b", "DNS:b.com");
		world_add(&w, "configmaps/domain-named.com.yaml",
			DOMAIN("domain: named.com, enableHttps: 'on', cert: a"));
		p = plan_compile(w.snapshot, &env);
		check(&w, p, &rows[i].ask, 1);
		plan_free(p);
		world_done(&w);
	}
}

/* Console's first start, and Ingresses as Console writes them for the default domain. */
static void defaults(void **state)
{
	struct world w;
	struct plan *p;

	(void)state;
	world_init(&w);
	world_add_secret(&w, "default", NULL, &(struct make_options){.cn = "higress-gateway"});
	world_add(&w, "ingresses/x.yaml", INGRESS "spec: {tls: [{secretName: default}]}\n");
	p = world_plan(&w, &no_types);
	assert_int_equal(p->findings.n, 0);
	check(&w, p, &(struct ask){"", "default", "one of them"}, 1);
	check(&w, p, &(struct ask){"x.com", "default", "one of them"}, 1);
	plan_free(p);
	world_done(&w);
}

/* Of two that cover a name the one that is valid for longest; a domain before Ingresses, of these the
 * older one. */
static void precedence(void **state)
{
	static const struct ask rows[] = {
		{"twice.com", "b-longer", "valid for longest"},
		{"a.com", "c", "a domain before an Ingress"},
		{"b.com", "c", "of two Ingresses the older one, whatever its name"},
	};
	struct make_options o = {.names = "DNS:twice.com"};
	struct world w;
	struct plan *p;

	(void)state;
	world_init(&w);
	o.to_s = 1800000000;
	world_add_secret(&w, "a-shorter", NULL, &o);
	o.to_s = 1900000000;
	world_add_secret(&w, "b-longer", NULL, &o);
	o.to_s = 1850000000;
	world_add_secret(&w, "z-between", NULL, &o);
	add_secret(&w, "c", "DNS:a.com,DNS:b.com");
	add_secret(&w, "d", "DNS:a.com,DNS:b.com");
	world_add(&w, "configmaps/domain-a.com.yaml", DOMAIN("domain: a.com, cert: c"));
	world_add(&w, "ingresses/a.yaml",
		INGRESS
		"metadata: {creationTimestamp: '2026-02-01T00:00:00Z'}\n"
		"spec: {tls: [{hosts: [a.com, b.com], secretName: d}]}\n");
	world_add(&w, "ingresses/b.yaml",
		INGRESS
		"metadata: {creationTimestamp: '2026-01-01T00:00:00Z'}\n"
		"spec: {tls: [{hosts: [b.com], secretName: c}]}\n");
	p = world_plan(&w, &no_types);
	check(&w, p, rows, ARRAY_LEN(rows));
	assert_int_equal(p->findings.n, 2);
	assert_non_null(world_finding(&p->findings, "certificate-conflict"));
	plan_free(p);
	world_done(&w);
}

/* --- what is wrong ------------------------------------------------------------------------------ */

static void findings(void **state)
{
	static const struct {
		const char *file, *yaml;
		const char *said; /* "" for nothing */
		const char *host, *want, *reason;
	} rows[] = {
		{"configmaps/domain-a.com.yaml", DOMAIN("domain: a.com, cert: gone"),
			"configmaps/domain-a.com.yaml:3:29: error: there is no Secret gone in secrets/, "
			"or it could not be read; a.com is served with another certificate",
			"a.com", "good", "a Secret that is not there"},
		{"configmaps/domain-a.com.yaml",
			DOMAIN("domain: a.com, enableHttps: 'off', cert: gone"), "", "a.com",
			"good", "a domain that is off names nothing"},
		{"configmaps/domain-a.com.yaml", DOMAIN("domain: a.com, cert: plain"),
			"configmaps/domain-a.com.yaml:3:29: error: the Secret plain holds no certificate: "
			"make its type kubernetes.io/tls",
			"a.com", "good", "a Secret of another kind"},
		{"configmaps/domain-z.com.yaml", DOMAIN("domain: z.com, cert: opaque"),
			"configmaps/domain-z.com.yaml:3:29: warning: the Secret opaque is used for its "
			"tls.crt and tls.key, but its type is not kubernetes.io/tls",
			"z.com", "opaque", "Higress serves it all the same"},
		{"configmaps/domain-b.com.yaml", DOMAIN("domain: b.com, cert: good"),
			"configmaps/domain-b.com.yaml:3:16: warning: the certificate in the Secret good "
			"does not cover b.com, so clients will refuse it",
			"b.com", "good", "the wrong certificate, but a named one"},
		{"configmaps/domain-x.yaml", DOMAIN("cert: good"),
			"configmaps/domain-x.yaml:1:1: warning: a ConfigMap whose name begins with "
			"domain- is a domain",
			"x", "-", "a domain without its host"},
		{"configmaps/domain-x.yaml", DOMAIN("domain: a b, cert: good"),
			"configmaps/domain-x.yaml:3:16: error: the domain a b is none that a request",
			"x", "-", "no host"},
		{"configmaps/domain-a.com.yaml", DOMAIN("domain: a.com, enableHttps: force"),
			"configmaps/domain-a.com.yaml:3:16: warning: a domain without cert is served "
			"over plain HTTP",
			"a.com", "good", "force without certificate"},
		{"configmaps/domain-a.com.yaml", DOMAIN("domain: a.com"), "", "a.com", "good",
			"a plain domain"},
		{"configmaps/domain-a.com.yaml",
			DOMAIN("domain: a.com, enableHttps: always, cert: good"),
			"configmaps/domain-a.com.yaml:3:36: warning: enableHttps is off, on or force",
			"a.com", "good", "only compared with off"},
		{"configmaps/other.yaml", DOMAIN("domain: b.com, cert: good"), "", "b.com", "-",
			"not a domain's name"},
		{"ingresses/i.yaml", INGRESS "spec:\n  tls:\n  - hosts: [b.com]\n", "", "b.com",
			"-", "tls without a Secret names none"},
		{"ingresses/i.yaml",
			INGRESS "spec:\n  tls:\n  - hosts: [a.com, b.com]\n    secretName: good\n",
			"ingresses/i.yaml:5:20: warning: the certificate in the Secret good does not "
			"cover b.com",
			"b.com", "good", "the host that is not covered"},
		{"ingresses/i.yaml",
			INGRESS "spec:\n  tls:\n  - {hosts: [a/b], secretName: good}\n",
			"ingresses/i.yaml:5:14: error: the host a/b is none", "a.com", "good",
			"no host"},
		{"ingresses/i.yaml",
			INGRESS "spec:\n  tls:\n  - {hosts: [a.com], secretName: no}\n",
			"ingresses/i.yaml:5:5: error: there is no Secret no", "a.com", "good",
			"a Secret that is not there"},
		{"ingresses/i.yaml",
			INGRESS "spec:\n  tls:\n  - {hosts: ['*'], secretName: good}\n", "",
			"b.com", "good", "every host, spelt out"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct ask ask = {rows[i].host, rows[i].want, rows[i].reason};
		struct text said;
		struct world w;
		struct plan *p;

		world_init(&w);
		text_init(&said, 4096);
		add_secret(&w, "good", "DNS:a.com");
		world_add_secret(
			&w, "opaque", "Opaque", &(struct make_options){.names = "DNS:z.com"});
		world_add(&w, "secrets/plain.yaml",
			"apiVersion: v1\nkind: Secret\ndata: {a: Zm9v}\n");
		world_add(&w, rows[i].file, rows[i].yaml);
		p = world_plan(&w, &no_types);
		if (p->findings.first != NULL) {
			finding_format(p->findings.first, &said);
		}
		if (p->findings.n != (rows[i].said[0] != '\0') ||
			!bytes_starts(text_bytes(&said), bytes_str(rows[i].said))) {
			fail_msg("%s: %zu, %s", rows[i].reason, p->findings.n, text_cstr(&said));
		}
		check(&w, p, &ask, 1);
		plan_free(p);
		text_done(&said);
		world_done(&w);
	}
}

/* The same Secret by a domain and its Ingresses, as Console writes them; also a copy of it. */
static void the_same_twice(void **state)
{
	struct text copy;
	struct world w;
	struct plan *p;

	(void)state;
	world_init(&w);
	text_init(&copy, 1 << 18);
	world_secret(&copy, NULL, &(struct make_options){.names = "DNS:b.com"});
	world_add(&w, "secrets/a.yaml", text_cstr(&copy));
	world_add(&w, "secrets/b.yaml", text_cstr(&copy));
	world_add(&w, "configmaps/domain-a.com.yaml", DOMAIN("domain: a.com, cert: a"));
	world_add(
		&w, "ingresses/a.yaml", INGRESS "spec: {tls: [{hosts: [a.com], secretName: a}]}\n");
	world_add(
		&w, "ingresses/b.yaml", INGRESS "spec: {tls: [{hosts: [a.com], secretName: b}]}\n");
	p = world_plan(&w, &no_types);
	assert_int_equal(p->findings.n, 1); /* that it does not cover a.com, said once */
	assert_string_equal(p->findings.first->code, "certificate-name");
	plan_free(p);
	text_done(&copy);
	world_done(&w);
}

static void duplicates(void **state)
{
	struct world w;
	struct plan *p;

	(void)state;
	world_init(&w);
	add_secret(&w, "a", "DNS:a.com");
	add_secret(&w, "b", "DNS:a.com");
	world_add(&w, "configmaps/domain-1.yaml", DOMAIN("domain: a.com, cert: b"));
	world_add(&w, "configmaps/domain-2.yaml", DOMAIN("domain: A.com, cert: a"));
	p = world_plan(&w, &no_types);
	assert_int_equal(p->findings.n, 1);
	assert_non_null(world_finding(&p->findings, "domain-duplicate"));
	check(&w, p, &(struct ask){"a.com", "b", "one of them"}, 1);
	plan_free(p);
	world_done(&w);
}

/* --- redirects ---------------------------------------------------------------------------------- */

static void redirects(void **state)
{
	static const struct {
		const char *host, *annotation, *domain;
		bool want;
		const char *found, *reason;
	} rows[] = {
		{"a.com", "", "", false, NULL, "nobody asks for it"},
		{"a.com", "    higress.io/ssl-redirect: 'true'\n", "", true, NULL, "G76, force"},
		{"a.com", "    higress.io/ssl-redirect: 'false'\n", "", false, NULL,
			"not asked for"},
		{"a.com", "    nginx.ingress.kubernetes.io/ssl-redirect: '1'\n", "", true, NULL,
			"nginx's key, and a boolean of Go"},
		{"a.com",
			"    nginx.ingress.kubernetes.io/ssl-redirect: 'false'\n"
			"    higress.io/ssl-redirect: 'true'\n",
			"", false, NULL, "nginx's key is preferred"},
		{"a.com", "    higress.io/ssl-redirect: yes please\n", "", false,
			"boolean-expected", "no boolean"},
		{"a.com", "    disabled.higress.io/ssl-redirect: 'true'\n", "", false, NULL,
			"disabled"},
		{"a.com", "", DOMAIN("domain: A.com, enableHttps: force, cert: c"), true, NULL,
			"the domain forces"},
		{"a.com", "", DOMAIN("domain: a.com, enableHttps: 'on', cert: c"), false, NULL,
			"the domain offers"},
		{"a.com", "", DOMAIN("domain: a.com, enableHttps: force"), false,
			"certificate-unnamed", "without certificate there is no HTTPS"},
		{"a.com", "", DOMAIN("domain: a.com, enableHttps: force, cert: gone"), true,
			"certificate-missing", "credentials do not fall back to plain HTTP"},
		{"a.com", "    higress.io/ssl-redirect: 'false'\n",
			DOMAIN("domain: a.com, enableHttps: force, cert: c"), false, NULL,
			"the route itself says no"},
		{"b.a.com", "", DOMAIN("domain: a.com, enableHttps: force, cert: c"), false, NULL,
			"another host"},
		{"*.a.com", "", DOMAIN("domain: '*.a.com', enableHttps: force, cert: c"), true,
			NULL, "a wildcard"},
		{"x.a.com", "", DOMAIN("domain: '*.a.com', enableHttps: force, cert: c"), false,
			NULL, "Console asks the domain of the route's own host"},
		{NULL, "", DOMAIN("domain: higress-default-domain, enableHttps: force, cert: c"),
			true, NULL, "every host"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct world_ingress in = {.name = "r",
			.host = rows[i].host,
			.path = "/",
			.annotations = rows[i].annotation};
		const struct route *r;
		struct world w;
		struct plan *p;

		world_init(&w);
		world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
		add_secret(&w, "c", "DNS:a.com,DNS:*.a.com");
		world_add_ingress(&w, &in);
		if (rows[i].domain[0] != '\0') {
			world_add(&w, "configmaps/domain-x.yaml", rows[i].domain);
		}
		p = world_plan(&w, &no_types);
		r = world_route(p,
			rows[i].host == NULL             ? "x.com"
				: rows[i].host[0] == '*' ? "x.a.com"
							 : rows[i].host,
			"/", METHOD_GET);
		assert_non_null(r);
		if (r->ssl_redirect != rows[i].want || p->findings.n != (rows[i].found != NULL) ||
			(rows[i].found != NULL &&
				world_finding(&p->findings, rows[i].found) == NULL)) {
			world_print(&p->findings);
			fail_msg("%s: %d", rows[i].reason, r->ssl_redirect);
		}
		plan_free(p);
		world_done(&w);
	}
}

/* --- lifetimes ---------------------------------------------------------------------------------- */

/* Plans of the same Secret share its certificate; it outlives Secret, snapshot and plan with whoever
 * holds it. */
static void shared(void **state)
{
	const struct certificate *first, *held;
	struct plan *p, *q;
	struct world w;

	(void)state;
	world_init(&w);
	add_secret(&w, "a", "DNS:a.com");
	p = world_plan(&w, &no_types);
	world_add(&w, "configmaps/domain-a.com.yaml", DOMAIN("domain: a.com, cert: a"));
	q = world_plan(&w, &no_types);
	world_done(&w);
	first = plan_certificate(p, BYTES("a.com"));
	assert_non_null(first);
	assert_ptr_equal(plan_certificate(q, BYTES("a.com")), first);
	assert_int_equal(atomic_load(&first->refs), 2);
	plan_free(p);
	held = certificate_ref(plan_certificate(q, BYTES("a.com")));
	plan_free(q);
	assert_int_equal(atomic_load(&held->refs), 1);
	assert_true(certificate_covers(held, BYTES("a.com")));
	certificate_unref(held);
}

/* Another certificate is another plan. */
static void changes_the_hash(void **state)
{
	uint64_t before[2], after[2];
	struct world w;

	(void)state;
	world_init(&w);
	add_secret(&w, "a", "DNS:a.com");
	plan_hash(w.snapshot, before);
	add_secret(&w, "a", "DNS:a.com");
	plan_hash(w.snapshot, after);
	assert_memory_not_equal(before, after, sizeof(before));
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order),
		cmocka_unit_test(without_default),
		cmocka_unit_test(second_names),
		cmocka_unit_test(defaults),
		cmocka_unit_test(precedence),
		cmocka_unit_test(findings),
		cmocka_unit_test(the_same_twice),
		cmocka_unit_test(duplicates),
		cmocka_unit_test(redirects),
		cmocka_unit_test(shared),
		cmocka_unit_test(changes_the_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
