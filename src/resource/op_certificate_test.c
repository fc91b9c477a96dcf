/*
 * TLS certificates as Secrets (higress-resources.md §2.10, §3.7; console-api.md §3.9).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants these first */
#include <cmocka.h>

#include "resource/op_world.h"
#include "wire/base64.h"
#include "wire/certificate_make.h"

#define NAME BYTES("a-cert")
#define FROM "\"validityStart\":\"2026/01/01 00:00:00Z\",\"validityEnd\":\"2036/01/01 00:00:00Z\"}"

struct pems {
	struct text cert, key;
};

static void pems_init(struct pems *p, const struct make_options *o)
{
	text_init(&p->cert, 65536);
	text_init(&p->key, 65536);
	make_pair(&p->cert, &p->key, o);
}

static void pems_done(struct pems *p)
{
	text_done(&p->cert);
	text_done(&p->key);
}

/* NULL: the member is left out. */
static struct doc *body_of(struct op_world *w, const struct text *cert, const struct text *key)
{
	struct doc *out = doc_map(&w->arena);

	if (cert != NULL) {
		doc_set(&w->arena, out, "cert",
			doc_string(&w->arena, arena_copy(&w->arena, text_bytes(cert))));
	}
	if (key != NULL) {
		doc_set(&w->arena, out, "key",
			doc_string(&w->arena, arena_copy(&w->arena, text_bytes(key))));
	}
	return out;
}

static enum op_rc save(struct op_world *w, enum op_mode mode, struct doc *body)
{
	enum op_rc rc = op_certificate.save(&w->op, mode, NAME, body);

	if (rc == OP_OK) {
		op_world_commit(w);
	}
	return rc;
}

static bool holds(struct op_world *w, const char *line)
{
	return op_world_holds(w, "op_certificate", bytes_str(line));
}

static bool stored(struct op_world *w, const char *key, const struct text *pem)
{
	const struct doc *root = draft_look(&w->op.draft, RESOURCE_SECRET, NAME);
	struct bytes text =
		doc_text(doc_get(&w->arena, doc_get(&w->arena, root, "data"), key), BYTES(""));
	char *room = arena_must(&w->arena, text.n + 1);
	ptrdiff_t n = base64_decode(room, text);

	return n >= 0 && bytes_eq(bytes_of(room, (size_t)n), text_bytes(pem));
}

/* K200, K201: the pair as base64, labels by name, and neither text in an answer. */
static void test_created(void **state)
{
	struct make_options o = {.cn = "A.com", .names = "DNS:A.com,DNS:*.b.com,IP:10.0.0.1"};
	struct op_world w;
	struct pems p;

	(void)state;
	op_world_init(&w);
	pems_init(&p, &o);
	assert_int_equal(save(&w, OP_CREATE, body_of(&w, &p.cert, &p.key)), OP_OK);
	assert_true(stored(&w, "tls.crt", &p.cert));
	assert_true(stored(&w, "tls.key", &p.key));
	assert_true(holds(&w, "secrets/a-cert type \"kubernetes.io/tls\""));
	assert_true(holds(&w,
		"secrets/a-cert metadata|labels {\"higress.io/domain_A.com\":\"true\","
		"\"higress.io/domain_wildcard.b.com\":\"true\","
		"\"higress.io/resource-definer\":\"higress\"}"));
	assert_true(holds(&w,
		"read certificate a-cert . {\"name\":\"a-cert\",\"version\":\"1\",\"cert\":null,"
		"\"key\":null,\"domains\":[\"A.com\",\"*.b.com\"]," FROM));
	assert_true(holds(&w, "list certificate [\"a-cert\"]"));
	assert_int_equal(save(&w, OP_CREATE, body_of(&w, &p.cert, &p.key)), OP_EXISTS);
	pems_done(&p);
	op_world_done(&w);
}

/* A CN that can be no label is shown and not written as one. */
static void test_odd_name(void **state)
{
	struct make_options o = {.cn = "My Gateway", .names = "DNS:a.com"};
	struct op_world w;
	struct pems p;

	(void)state;
	op_world_init(&w);
	pems_init(&p, &o);
	assert_int_equal(save(&w, OP_CREATE, body_of(&w, &p.cert, &p.key)), OP_OK);
	assert_true(holds(&w,
		"secrets/a-cert metadata|labels {\"higress.io/domain_a.com\":\"true\","
		"\"higress.io/resource-definer\":\"higress\"}"));
	assert_true(holds(&w, "read certificate a-cert domains [\"My Gateway\",\"a.com\"]"));
	pems_done(&p);
	op_world_done(&w);
}

/* K202, and what else could not be served. */
static void test_refused(void **state)
{
	struct make_options o = {.cn = "a.com"};
	struct pems p, other;
	struct text garbage;
	struct op_world w;

	(void)state;
	op_world_init(&w);
	pems_init(&p, &o);
	pems_init(&other, &o);
	text_init(&garbage, 100);
	text_add_str(&garbage, "-----BEGIN CERTIFICATE-----\nx\n");
	assert_int_equal(save(&w, OP_CREATE, body_of(&w, &garbage, &p.key)), OP_INVALID);
	assert_non_null(strstr(text_cstr(&w.op.why), "cert:"));
	assert_int_equal(save(&w, OP_CREATE, body_of(&w, &p.cert, &garbage)), OP_INVALID);
	assert_non_null(strstr(text_cstr(&w.op.why), "key:"));
	assert_int_equal(save(&w, OP_CREATE, body_of(&w, &p.cert, &other.key)), OP_INVALID);
	assert_int_equal(save(&w, OP_CREATE, body_of(&w, &p.cert, NULL)), OP_INVALID);
	assert_int_equal(save(&w, OP_CREATE, body_of(&w, NULL, NULL)), OP_INVALID);
	assert_int_equal(save(&w, OP_UPDATE, body_of(&w, &p.cert, &p.key)), OP_MISSING);
	assert_int_equal(
		op_certificate.save(&w.op, OP_CREATE, BYTES("A"), body_of(&w, &p.cert, &p.key)),
		OP_INVALID);
	assert_true(holds(&w, "secrets/a-cert . -"));
	text_done(&garbage);
	pems_done(&p);
	pems_done(&other);
	op_world_done(&w);
}

/* K203: without texts the pair stays (D19); a new pair brings its own labels. */
static void test_updated(void **state)
{
	struct make_options o = {.cn = "a.com"}, o2 = {.cn = "b.com"};
	struct pems p, other;
	struct op_world w;
	struct doc *body;

	(void)state;
	op_world_init(&w);
	pems_init(&p, &o);
	pems_init(&other, &o2);
	assert_int_equal(save(&w, OP_CREATE, body_of(&w, &p.cert, &p.key)), OP_OK);
	assert_int_equal(save(&w, OP_UPDATE, body_of(&w, NULL, NULL)), OP_OK);
	assert_true(stored(&w, "tls.crt", &p.cert));
	assert_int_equal(save(&w, OP_UPDATE, body_of(&w, &other.cert, NULL)), OP_INVALID);
	body = body_of(&w, &other.cert, &other.key);
	doc_set(&w.arena, body, "version", doc_str(&w.arena, "9"));
	assert_int_equal(save(&w, OP_UPDATE, body), OP_STALE);
	doc_drop(&w.arena, body, "version");
	assert_int_equal(save(&w, OP_UPDATE, body), OP_OK);
	assert_true(stored(&w, "tls.key", &other.key));
	assert_true(holds(&w,
		"secrets/a-cert metadata|labels {\"higress.io/domain_b.com\":\"true\","
		"\"higress.io/resource-definer\":\"higress\"}"));
	assert_true(holds(&w, "read certificate a-cert version \"2\""));
	pems_done(&p);
	pems_done(&other);
	op_world_done(&w);
}

/* Another Secret is no certificate: it is not shown, not replaced and not deleted. */
static void test_others(void **state)
{
	struct make_options o = {.cn = "a.com"};
	struct op_world w;
	struct pems p;

	(void)state;
	op_world_init(&w);
	pems_init(&p, &o);
	assert_int_equal(op_world_do(&w,
				 BYTES("file secrets/a-cert {apiVersion: v1, kind: Secret, data: "
				       "{a: Yg==}}")),
		OP_OK);
	assert_true(holds(&w, "list certificate []"));
	assert_true(holds(&w, "read certificate a-cert . -"));
	assert_int_equal(save(&w, OP_CREATE, body_of(&w, &p.cert, &p.key)), OP_EXISTS);
	assert_int_equal(save(&w, OP_UPDATE, body_of(&w, &p.cert, &p.key)), OP_MISSING);
	assert_int_equal(op_world_do(&w, BYTES("remove certificate a-cert")), OP_OK);
	assert_true(holds(&w, "secrets/a-cert data {\"a\":\"Yg==\"}"));
	pems_done(&p);
	op_world_done(&w);
}

static void test_removed(void **state)
{
	struct make_options o = {.cn = "a.com"};
	struct op_world w;
	struct pems p;

	(void)state;
	op_world_init(&w);
	pems_init(&p, &o);
	assert_int_equal(save(&w, OP_CREATE, body_of(&w, &p.cert, &p.key)), OP_OK);
	assert_int_equal(op_world_do(&w, BYTES("remove certificate a-cert")), OP_OK);
	assert_true(holds(&w, "secrets/a-cert . -"));
	assert_int_equal(op_world_do(&w, BYTES("remove certificate a-cert")), OP_OK);
	pems_done(&p);
	op_world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_created),
		cmocka_unit_test(test_odd_name),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_updated),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_removed),
	};

	return cmocka_run_group_tests_name("op_certificate", tests, NULL, NULL);
}
