/*
 * Secrets: what is in them, what makes them invalid, and that nothing of it is ever said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "resource/object.h"
#include "wire/certificate_make.h"

#define ARENA_MAX ((size_t)1 << 28)
#define SECRET "apiVersion: v1\nkind: Secret\n"
#define TLS SECRET "type: kubernetes.io/tls\n"
/* "one", "two" */
#define ONE "b25l"
#define TWO "dHdv"

struct fixture {
	struct arena arena;
	struct object *object;
	struct text said;
};

static void read_secret(struct fixture *f, const char *file, struct bytes text)
{
	const struct finding *first;
	struct findings why;

	arena_init(&f->arena, ARENA_MAX);
	findings_init(&why, &f->arena);
	text_init(&f->said, 1 << 20);
	f->object = object_read(RESOURCE_SECRET, bytes_str(file), text, &why);
	assert_true((f->object == NULL) == (why.errors != 0));
	first = f->object != NULL ? f->object->findings.first : why.first;
	for (; first != NULL; first = first->next) {
		finding_format(first, &f->said);
		text_add_char(&f->said, '\n');
	}
}

static void done(struct fixture *f)
{
	object_unref(f->object);
	text_done(&f->said);
	arena_done(&f->arena);
}

static void table(void **state)
{
	static const struct {
		const char *yaml;
		const char *data; /* NULL: invalid */
		const char *said; /* its beginning */
		const char *reason;
	} rows[] = {
		{SECRET "data:\n  a: " ONE "\n  b: " TWO "\n", "a=one,b=two,", "",
			"values are decoded"},
		{SECRET "type: Opaque\ndata:\n  adminUsername: " ONE "\n", "adminUsername=one,", "",
			"Console's own, which is no TLS Secret"},
		{SECRET, "", "", "nothing in it"},
		{SECRET "data: {a: , b: ''}\n", "a=,b=,", "", "a null PEM becomes an empty value"},
		{SECRET "data:\n  a: |\n    b2\n    5l\n", "a=one,", "",
			"a literal block keeps its line breaks"},
		{SECRET "stringData: {a: one two}\n", "a=one two,", "", "plain text"},
		{SECRET "data: {a: " ONE ", b: " TWO "}\nstringData: {a: x}\n", "a=x,a=one,b=two,",
			"", "stringData comes first, so it is what is found"},
		{SECRET "data:\n  a: " ONE "\n  b: one two\n", NULL,
			"secrets/s.yaml:5:6: error: `data.b` is no base64: encode the value",
			"plain text below data"},
		{SECRET "data: {a: Zg, b: Zg=}\n", NULL,
			"secrets/s.yaml:3:11: error: `data.a` is no base64",
			"padding is missing: all values of a file are looked at"},
		{SECRET "data: {a: [x]}\n", NULL, "secrets/s.yaml:3:11: error: `data.a` must be a",
			"no list"},
		{SECRET "data: {a: 1234}\n", "a=\xd7m\xf8,",
			"secrets/s.yaml:3:11: warning: `data.a` is a string but reads as a number",
			"base64 that looks like a number"},
		{"apiVersion: v1\nkind: ConfigMap\ndata: {}\n", NULL,
			"secrets/s.yaml:2:7: error: the files of secrets/ are of kind Secret",
			"another kind"},
		{TLS, NULL,
			"secrets/s.yaml:1:1: error: a Secret of type kubernetes.io/tls holds "
			"`tls.crt`",
			"a TLS Secret without certificate"},
		{TLS "data: {tls.crt: " ONE "}\n", NULL,
			"secrets/s.yaml:1:1: error: a Secret of type kubernetes.io/tls holds `tls.key`",
			"and without key"},
		{TLS "data: {tls.crt: , tls.key: }\n", NULL,
			"secrets/s.yaml:4:17: error: `tls.crt` cannot be used: there is no certificate",
			"an empty certificate"},
		{TLS "data:\n  tls.crt: LS0tLS1CRUdJTi4uLg==\n  tls.key: LS0tLS1CRUdJTi4uLg==\n",
			NULL,
			"secrets/s.yaml:5:12: error: `tls.crt` cannot be used: the certificate is "
			"broken: line 1 of its text is no whole BEGIN line",
			"PEM that was cut (§4.3)"},
		{SECRET "data: {tls.crt: " ONE ", tls.key: " TWO "}\n", "tls.crt=one,tls.key=two,",
			"secrets/s.yaml:3:17: warning: `tls.crt` cannot be used",
			"of another type it is only a word"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture f;
		struct text got;

		text_init(&got, 1 << 16);
		read_secret(&f, "secrets/s.yaml", bytes_str(rows[i].yaml));
		for (size_t k = 0; f.object != NULL && k < f.object->u.secret.data.n; k++) {
			const struct pair *p = &f.object->u.secret.data.v[k];

			text_addf(&got, BYTES_FMT "=" BYTES_FMT ",", BYTES_ARG(p->key),
				BYTES_ARG(p->value));
		}
		if ((f.object == NULL) != (rows[i].data == NULL) ||
			(rows[i].data != NULL && strcmp(text_cstr(&got), rows[i].data) != 0) ||
			!bytes_starts(text_bytes(&f.said), bytes_str(rows[i].said)) ||
			(rows[i].said[0] == '\0' && f.said.n != 0)) {
			fail_msg("%s: %s, %s", rows[i].reason, text_cstr(&got), text_cstr(&f.said));
		}
		text_done(&got);
		done(&f);
	}
}

/* --- TLS Secrets -------------------------------------------------------------------------------- */

static void add_base64(struct text *t, const char *key, struct bytes value)
{
	unsigned char *room = malloc(value.n / 3 * 4 + 5);

	assert_non_null(room);
	EVP_EncodeBlock(room, (const unsigned char *)value.p, (int)value.n);
	text_addf(t, "  %s: %s\n", key, (char *)room);
	free(room);
}

static void make_secret(struct text *t, const char *head, struct bytes chain, struct bytes key)
{
	text_clear(t);
	text_add_str(t, head);
	text_add_str(t, "data:\n");
	add_base64(t, "tls.crt", chain);
	add_base64(t, "tls.key", key);
}

static void certificates(void **state)
{
	struct make_options o = {.names = "DNS:a.com"};
	struct text chain, key, other, yaml;
	struct fixture f;

	(void)state;
	text_init(&chain, 1 << 16);
	text_init(&key, 1 << 16);
	text_init(&other, 1 << 16);
	text_init(&yaml, 1 << 16);
	make_pair(&chain, &key, &o);
	make_secret(&yaml, TLS, text_bytes(&chain), text_bytes(&key));
	read_secret(&f, "secrets/s.yaml", text_bytes(&yaml));
	assert_int_equal(f.said.n, 0);
	assert_true(certificate_covers(f.object->u.secret.certificate, BYTES("a.com")));
	done(&f);
	make_secret(&yaml, SECRET, text_bytes(&chain), text_bytes(&key));
	read_secret(&f, "secrets/s.yaml", text_bytes(&yaml));
	assert_int_equal(f.said.n, 0);
	assert_non_null(f.object->u.secret.certificate);
	done(&f);
	text_clear(&chain); /* another certificate, and the key of the first one */
	make_pair(&chain, &other, &o);
	make_secret(&yaml, TLS, text_bytes(&chain), text_bytes(&key));
	read_secret(&f, "secrets/s.yaml", text_bytes(&yaml));
	assert_null(f.object);
	assert_true(bytes_starts(text_bytes(&f.said),
		BYTES("secrets/s.yaml:6:12: error: `tls.key` cannot be used: the key does not belong "
		      "to the certificate")));
	done(&f);
	text_done(&chain);
	text_done(&key);
	text_done(&other);
	text_done(&yaml);
}

/* The word is in every place where a value can stand, and in none of the findings. */
static void nothing_is_said(void **state)
{
	static const char *const files[] = {
		SECRET "data: {a: sk-secret}\n",
		SECRET "data: sk-secret\n",
		SECRET "data: [sk-secret]\n",
		SECRET "data:\n- sk-secret\n- {x: sk-secret}\n",
		SECRET "data: {a: {b: sk-secret}}\n",
		SECRET "data: {a: \"sk-secret}\n",
		SECRET "data: {a: sk-secret: b}\n",
		SECRET "data:\n  a: *sk-secret\n",
		SECRET "data:\n  a: &sk-secret [*sk-secret]\n",
		SECRET "data:\n  a: !!int sk-secret\n",
		SECRET "stringData: [sk-secret]\n",
		SECRET "stringData: {a: {b: sk-secret}}\n",
		SECRET "type: [sk-secret]\n",
		TLS "stringData: {tls.crt: sk-secret, tls.key: sk-secret}\n",
		TLS
		"stringData:\n  tls.crt: |\n    -----BEGIN sk-secret-----\n"
		"    sk-secret\n  tls.key: sk-secret\n",
		TLS
		"stringData:\n  tls.crt: |\n    -----BEGIN CERTIFICATE-----\n    sk-secret\n"
		"    -----END CERTIFICATE-----\n  tls.key: sk-secret\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct fixture f;

		read_secret(&f, "secrets/p.yaml", bytes_str(files[i]));
		if (f.object != NULL || strstr(text_cstr(&f.said), "sk-secret") != NULL) {
			fail_msg("%s: %s", files[i], text_cstr(&f.said));
		}
		done(&f);
	}
}

static void wrong_throughout(void **state)
{
	struct fixture f;
	struct text in;
	size_t lines = 0;

	(void)state;
	text_init(&in, 1 << 20);
	text_add_str(&in, SECRET "data:\n");
	for (int i = 0; i < 5000; i++) {
		text_addf(&in, "  k%d: '-'\n", i);
	}
	read_secret(&f, "secrets/s.yaml", text_bytes(&in));
	assert_null(f.object);
	for (size_t i = 0; i < f.said.n; i++) {
		lines += f.said.p[i] == '\n';
	}
	assert_in_range(lines, 10, 100);
	done(&f);
	text_done(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(certificates),
		cmocka_unit_test(nothing_is_said),
		cmocka_unit_test(wrong_throughout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
