/*
 * Keys and chains are made here, of every kind that is served and of those that are not.
 */
#include "wire/certificate.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "wire/certificate_make.h"

#define ROOM (2u << 20)

struct pair {
	struct text chain, key;
};

static void pair_init(struct pair *p)
{
	text_init(&p->chain, ROOM);
	text_init(&p->key, ROOM);
}

static void pair_done(struct pair *p)
{
	text_done(&p->chain);
	text_done(&p->key);
}

/* Memory ends where the text ends. */
static int parse(struct bytes chain, struct bytes key, struct certificate **out, struct fault *f)
{
	char *a = malloc(chain.n != 0 ? chain.n : 1);
	char *b = malloc(key.n != 0 ? key.n : 1);
	int rc;

	assert_non_null(a);
	assert_non_null(b);
	memcpy(a, chain.n != 0 ? chain.p : "", chain.n);
	memcpy(b, key.n != 0 ? key.p : "", key.n);
	*f = (struct fault){.where = 77};
	*out = NULL;
	rc = certificate_parse(bytes_of(a, chain.n), bytes_of(b, key.n), out, f);
	free(a);
	free(b);
	assert_true((rc == 0) == (*out != NULL));
	return rc;
}

static struct certificate *accept(struct bytes chain, struct bytes key)
{
	struct certificate *c;
	struct fault f;

	if (parse(chain, key, &c, &f) != 0) {
		fail_msg("refused: %s", f.text);
	}
	return c;
}

static void refuse(struct bytes chain, struct bytes key, enum certificate_text in, const char *why)
{
	struct certificate *c;
	struct fault f;
	int rc = parse(chain, key, &c, &f);

	if (rc == 0) {
		fail_msg("accepted, not refused with '%s'", why);
	}
	if (strstr(f.text, why) == NULL || f.where != in) {
		fail_msg("refused with '%s' (%zu), not '%s'", f.text, f.where, why);
	}
}

static struct bytes chain_of(const struct pair *p)
{
	return text_bytes(&p->chain);
}

static struct bytes key_of(const struct pair *p)
{
	return text_bytes(&p->key);
}

/* --- keys --------------------------------------------------------------------------------------- */

/* What is accepted can be served: OpenSSL's server takes it. */
static void check_served(const struct certificate *c)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	assert_non_null(ctx);
	SSL_CTX_set_security_level(ctx, 2);
	assert_int_equal(SSL_CTX_use_cert_and_key(ctx, c->leaf, c->key, c->chain, 1), 1);
	SSL_CTX_free(ctx);
}

static void keys(void **state)
{
	static const struct {
		const char *type;
		enum make_form form;
		const char *why; /* NULL: accepted */
	} rows[] = {
		{"ED25519", MAKE_PKCS8, NULL},
		{"P-256", MAKE_PKCS8, NULL},
		{"P-256", MAKE_TRADITIONAL, NULL},
		{"P-384", MAKE_TRADITIONAL, NULL},
		{"P-521", MAKE_PKCS8, NULL},
		{"RSA 2048", MAKE_PKCS8, NULL},
		{"RSA 2048", MAKE_TRADITIONAL, NULL},
		{"P-256", MAKE_ENCRYPTED, "the key is encrypted"},
		{"P-256", MAKE_TRADITIONAL_ENCRYPTED, "the key is encrypted"},
		{"P-224", MAKE_PKCS8, "a curve that clients do not know"},
		{"secp256k1", MAKE_TRADITIONAL, "a curve that clients do not know"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		EVP_PKEY *key = make_key(rows[i].type);
		X509 *x = make_x509(key, &(struct make_options){.names = "DNS:a.com"});
		struct pair p;

		pair_init(&p);
		make_add_x509(&p.chain, x);
		make_add_key(&p.key, key, rows[i].form);
		if (rows[i].why != NULL) {
			refuse(chain_of(&p), key_of(&p), CERTIFICATE_IN_KEY, rows[i].why);
		} else {
			struct certificate *c = accept(chain_of(&p), key_of(&p));

			check_served(c);
			certificate_unref(c);
		}
		X509_free(x);
		EVP_PKEY_free(key);
		pair_done(&p);
	}
}

static void weak(void **state)
{
	struct make_options o = {.cn = "a.com", .digest = "SHA1"};
	EVP_PKEY *small = make_key("RSA 1024");
	EVP_PKEY *ca_key = make_key("P-256");
	EVP_PKEY *key = make_key("P-256");
	X509 *ca = make_x509(ca_key, &(struct make_options){.cn = "ca"});
	X509 *x = make_x509(small, &(struct make_options){.cn = "a.com"});
	struct certificate *c;
	struct pair p;

	(void)state;
	pair_init(&p);
	make_add_x509(&p.chain, x);
	make_add_key(&p.key, small, MAKE_PKCS8);
	refuse(chain_of(&p), key_of(&p), CERTIFICATE_IN_CHAIN,
		"the certificate in line 1 has a key that is too short");
	X509_free(x);
	text_clear(&p.chain);
	text_clear(&p.key);
	/* SHA-1 under somebody's name is worth nothing; under one's own it is not looked at. */
	x = make_x509(key, &o);
	make_add_x509(&p.chain, x);
	make_add_key(&p.key, key, MAKE_PKCS8);
	c = accept(chain_of(&p), key_of(&p));
	check_served(c);
	certificate_unref(c);
	X509_free(x);
	text_clear(&p.chain);
	o.issuer = ca;
	o.issuer_key = ca_key;
	x = make_x509(key, &o);
	make_add_x509(&p.chain, x);
	refuse(chain_of(&p), key_of(&p), CERTIFICATE_IN_CHAIN, "a digest that clients refuse");
	X509_free(x);
	X509_free(ca);
	EVP_PKEY_free(small);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
	pair_done(&p);
}

/* --- texts -------------------------------------------------------------------------------------- */

/* Every line with another end, or something between lines. */
static void respell(struct text *out, struct bytes in, const char *end, const char *before)
{
	text_clear(out);
	for (struct bytes rest = in; rest.p != NULL;) {
		struct bytes line = bytes_cut(&rest, '\n');

		if (line.n != 0 || rest.p != NULL) {
			text_add_str(out, before);
			text_add_bytes(out, line);
			text_add_str(out, end);
		}
	}
}

static void spellings(void **state)
{
	static const struct {
		const char *end, *before;
	} rows[] = {{"\n", ""}, {"\r\n", ""}, {"\r", ""}, {" \t\n", ""}, {"\n", "  \t"},
		{"\n\n", ""}, {"\r\n\r\n", " "}};
	struct make_options o = {.names = "DNS:a.com"};
	struct certificate *plain;
	struct pair p, q;

	(void)state;
	pair_init(&p);
	pair_init(&q);
	make_pair(&p.chain, &p.key, &o);
	plain = accept(chain_of(&p), key_of(&p));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct certificate *c;

		respell(&q.chain, chain_of(&p), rows[i].end, rows[i].before);
		respell(&q.key, key_of(&p), rows[i].end, rows[i].before);
		c = accept(chain_of(&q), key_of(&q));
		assert_memory_equal(c->id, plain->id, sizeof(c->id));
		certificate_unref(c);
	}
	/* No end of the last line. */
	certificate_unref(
		accept(bytes_of(p.chain.p, p.chain.n - 1), bytes_of(p.key.p, p.key.n - 1)));
	certificate_unref(plain);
	pair_done(&p);
	pair_done(&q);
}

/* Both in both texts, words around, parameters before the key: what tools leave there. */
static void around(void **state)
{
	static const char words[] =
		"Bag Attributes\n    friendlyName: x\nsubject=CN = a.com\n-- \n";
	static const char parameters[] =
		"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
	struct make_options o = {.names = "DNS:a.com"};
	struct certificate *c;
	struct text both;
	struct pair p;

	(void)state;
	pair_init(&p);
	text_init(&both, ROOM);
	make_pair(&p.chain, &p.key, &o);
	text_add_str(&both, words);
	text_add_str(&both, parameters);
	text_add_bytes(&both, key_of(&p));
	text_add_str(&both, words);
	text_add_bytes(&both, chain_of(&p));
	text_add_str(&both, words);
	c = accept(text_bytes(&both), text_bytes(&both));
	assert_int_equal(sk_X509_num(c->chain), 0);
	assert_int_equal(c->n_names, 1);
	certificate_unref(c);
	text_add_bytes(&both, key_of(&p));
	refuse(chain_of(&p), text_bytes(&both), CERTIFICATE_IN_KEY, "there are two keys");
	text_done(&both);
	pair_done(&p);
}

#define KEY_BEGIN "-----BEGIN PRIVATE KEY-----\n"
#define KEY_END "-----END PRIVATE KEY-----\n"
#define CERT_BEGIN "-----BEGIN CERTIFICATE-----\n"
#define CERT_END "-----END CERTIFICATE-----\n"

/* Each row in place of the one of the two that it names. */
static void damaged(void **state)
{
	static const struct {
		enum certificate_text in;
		const char *text, *why;
	} rows[] = {
		{CERTIFICATE_IN_CHAIN, "", "there is no certificate"},
		{CERTIFICATE_IN_CHAIN, "\n\n", "there is no certificate"},
		{CERTIFICATE_IN_CHAIN, "MIIB", "there is no certificate"},
		{CERTIFICATE_IN_CHAIN, "-----BEGIN...",
			"line 1 of its text is no whole BEGIN line"},
		{CERTIFICATE_IN_CHAIN, CERT_BEGIN,
			"line 1 of its text begins a block that does not"},
		{CERTIFICATE_IN_CHAIN, "x\n" CERT_BEGIN "MIIB\n",
			"line 2 of its text begins a block that does not end"},
		{CERTIFICATE_IN_CHAIN, CERT_BEGIN CERT_END, "holds no base64"},
		{CERTIFICATE_IN_CHAIN, CERT_BEGIN "M!IB\n" CERT_END, "holds no base64"},
		{CERTIFICATE_IN_CHAIN, CERT_BEGIN "MII\n" CERT_END, "holds no base64"},
		{CERTIFICATE_IN_CHAIN, CERT_BEGIN "MIIB\n" CERT_END,
			"the certificate in line 1 cannot be decoded"},
		{CERTIFICATE_IN_CHAIN, CERT_BEGIN "MIIB\n" KEY_END,
			"line 3 of its text stands in a block"},
		{CERTIFICATE_IN_CHAIN, CERT_BEGIN CERT_BEGIN "MIIB\n" CERT_END,
			"line 2 of its text stands in a block"},
		{CERTIFICATE_IN_CHAIN, CERT_END, "ends a block that does not begin"},
		{CERTIFICATE_IN_CHAIN, "-----BEGIN CERTIFICATE-----MIIB-----END CERTIFICATE-----",
			"no whole BEGIN line"},
		{CERTIFICATE_IN_CHAIN,
			"-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n",
			"no whole BEGIN line"},
		{CERTIFICATE_IN_CHAIN, "-----BEGIN -----\n", "no whole BEGIN line"},
		{CERTIFICATE_IN_KEY, "", "there is no key"},
		{CERTIFICATE_IN_KEY, CERT_BEGIN "MIIB\n" CERT_END, "there is no key"},
		{CERTIFICATE_IN_KEY, KEY_BEGIN "MIIB\n" KEY_END,
			"the key in line 1 cannot be decoded"},
		{CERTIFICATE_IN_KEY, KEY_BEGIN "MIIB\n", "the key is broken: line 1 of its text"},
		{CERTIFICATE_IN_KEY,
			"-----BEGIN OPENSSH PRIVATE KEY-----\nMIIB\n-----END OPENSSH PRIVATE "
			"KEY-----\n",
			"the form of OpenSSH"},
		{CERTIFICATE_IN_KEY,
			"-----BEGIN DSA PRIVATE KEY-----\nMIIB\n-----END DSA PRIVATE KEY-----\n",
			"cannot be decoded"},
		{CERTIFICATE_IN_KEY,
			"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: "
			"AES-128-CBC,00\n\nMIIB\n-----END RSA PRIVATE KEY-----\n",
			"the key is encrypted"},
	};
	struct make_options o = {.names = "DNS:a.com"};
	struct pair p;

	(void)state;
	pair_init(&p);
	make_pair(&p.chain, &p.key, &o);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes text = bytes_str(rows[i].text);

		if (rows[i].in == CERTIFICATE_IN_CHAIN) {
			refuse(text, key_of(&p), rows[i].in, rows[i].why);
		} else {
			refuse(chain_of(&p), text, rows[i].in, rows[i].why);
		}
	}
	pair_done(&p);
}

/* A text that lost its end is no other chain, wherever it was cut (but between two certificates, where
 * nothing shows it); nor is half a key one. */
static void cut_anywhere(void **state)
{
	struct make_options o = {.names = "DNS:a.com"};
	struct certificate *c;
	struct fault f;
	struct pair p, ca;
	size_t first;

	(void)state;
	pair_init(&p);
	pair_init(&ca);
	make_pair(&p.chain, &p.key, &o);
	make_pair(&ca.chain, &ca.key, &o);
	first = p.chain.n;
	text_add_bytes(&p.chain, chain_of(&ca));
	for (size_t n = 0; n + 1 < p.chain.n; n++) {
		int rc = parse(bytes_of(p.chain.p, n), key_of(&p), &c, &f);

		/* Between them, and in the dashes that say nothing yet. */
		if (rc == 0 && n + 1 >= first && n < first + strlen("-----BEGIN")) {
			assert_int_equal(sk_X509_num(c->chain), 0);
			certificate_unref(c);
			continue;
		}
		assert_int_equal(rc, ERR_SYNTAX);
		assert_int_equal(f.where, CERTIFICATE_IN_CHAIN);
	}
	for (size_t n = 0; n + 1 < p.key.n; n++) {
		assert_int_equal(parse(chain_of(&p), bytes_of(p.key.p, n), &c, &f), ERR_SYNTAX);
		assert_int_equal(f.where, CERTIFICATE_IN_KEY);
	}
	pair_done(&p);
	pair_done(&ca);
}

static void add_block(struct text *t, const char *label, const unsigned char *der, int n)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_true(PEM_write_bio(bio, label, "", der, n) > 0);
	text_clear(t);
	make_add_bio(t, bio);
}

/* What stands behind the structure inside of a block is a sign of damage. */
static void more_inside(void **state)
{
	EVP_PKEY *key = make_key("P-256");
	X509 *x = make_x509(key, &(struct make_options){.names = "DNS:a.com"});
	unsigned char der[2000];
	struct pair p, more;
	int n;

	(void)state;
	pair_init(&p);
	pair_init(&more);
	make_add_x509(&p.chain, x);
	make_add_key(&p.key, key, MAKE_PKCS8);
	n = i2d_X509(x, &(unsigned char *){der});
	for (int extra = 0; extra < 2; extra++) {
		add_block(&more.chain, "CERTIFICATE", der, n + extra);
		if (extra == 0) {
			certificate_unref(accept(chain_of(&more), key_of(&p)));
		} else {
			refuse(chain_of(&more), key_of(&p), CERTIFICATE_IN_CHAIN, "be decoded");
		}
	}
	n = i2d_PrivateKey(key, &(unsigned char *){der});
	for (int extra = 0; extra < 2; extra++) {
		add_block(&more.key, "EC PRIVATE KEY", der, n + extra);
		if (extra == 0) {
			certificate_unref(accept(chain_of(&p), key_of(&more)));
		} else {
			refuse(chain_of(&p), key_of(&more), CERTIFICATE_IN_KEY, "be decoded");
		}
	}
	X509_free(x);
	EVP_PKEY_free(key);
	pair_done(&p);
	pair_done(&more);
}

/* Nothing of a key is in what is said about it, whichever of its bytes is damaged. */
static void no_secret_is_said(void **state)
{
	struct make_options o = {.names = "DNS:a.com"};
	struct certificate *c;
	struct pair p;

	(void)state;
	pair_init(&p);
	make_pair(&p.chain, &p.key, &o);
	for (size_t i = 0; i < p.key.n; i++) {
		char was = p.key.p[i];
		struct fault f;

		p.key.p[i] = '-';
		if (parse(chain_of(&p), key_of(&p), &c, &f) == 0) {
			certificate_unref(c);
		} else {
			p.key.p[i] = was;
			for (size_t k = sizeof(KEY_BEGIN); k + 6 < p.key.n - sizeof(KEY_END); k++) {
				char six[7] = {0};

				memcpy(six, p.key.p + k, 6);
				assert_null(strstr(f.text, six));
			}
		}
		p.key.p[i] = was;
	}
	pair_done(&p);
}

/* --- chains ------------------------------------------------------------------------------------- */

static void chains(void **state)
{
	struct make_options of_ca = {.cn = "ca"};
	EVP_PKEY *ca_key = make_key("P-256"), *key = make_key("ED25519");
	X509 *ca = make_x509(ca_key, &of_ca);
	struct make_options o = {.names = "DNS:a.com", .issuer = ca, .issuer_key = ca_key};
	X509 *leaf = make_x509(key, &o);
	struct certificate *c, *alone;
	struct fault f;
	struct pair p;

	(void)state;
	pair_init(&p);
	make_add_key(&p.key, key, MAKE_PKCS8);
	make_add_x509(&p.chain, leaf);
	alone = accept(chain_of(&p), key_of(&p));
	make_add_x509(&p.chain, ca);
	c = accept(chain_of(&p), key_of(&p));
	assert_int_equal(sk_X509_num(c->chain), 1);
	assert_int_equal(X509_cmp(c->leaf, leaf), 0);
	assert_int_equal(X509_cmp(sk_X509_value(c->chain, 0), ca), 0);
	assert_memory_not_equal(c->id, alone->id, sizeof(c->id));
	check_served(c);
	certificate_unref(c);
	certificate_unref(alone);
	for (unsigned i = 1; i < CERTIFICATE_CHAIN_MAX; i++) {
		make_add_x509(&p.chain, ca);
	}
	c = accept(chain_of(&p), key_of(&p));
	assert_int_equal(sk_X509_num(c->chain), CERTIFICATE_CHAIN_MAX);
	certificate_unref(c);
	make_add_x509(&p.chain, ca);
	assert_int_equal(parse(chain_of(&p), key_of(&p), &c, &f), ERR_LIMIT);
	/* The other way round, and with somebody else's key. */
	text_clear(&p.chain);
	make_add_x509(&p.chain, ca);
	make_add_x509(&p.chain, leaf);
	refuse(chain_of(&p), key_of(&p), CERTIFICATE_IN_CHAIN,
		"the key belongs to certificate 2 of the chain: put that one first");
	text_clear(&p.chain);
	make_add_x509(&p.chain, ca);
	refuse(chain_of(&p), key_of(&p), CERTIFICATE_IN_KEY, "does not belong to the certificate");
	/* A broken one behind a good one is not passed over. */
	text_clear(&p.chain);
	make_add_x509(&p.chain, leaf);
	text_add_str(&p.chain, CERT_BEGIN "MIIB\n" CERT_END);
	refuse(chain_of(&p), key_of(&p), CERTIFICATE_IN_CHAIN, "cannot be decoded");
	X509_free(ca);
	X509_free(leaf);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
	pair_done(&p);
}

static void too_long(void **state)
{
	struct make_options o = {.names = "DNS:a.com"};
	struct certificate *c;
	struct fault f;
	struct pair p;

	(void)state;
	pair_init(&p);
	make_pair(&p.chain, &p.key, &o);
	while (p.chain.n <= CERTIFICATE_PEM_MAX) {
		text_add_char(&p.chain, '\n');
	}
	assert_int_equal(parse(chain_of(&p), key_of(&p), &c, &f), ERR_LIMIT);
	assert_string_equal(f.text, "the certificates are above 256 KiB");
	certificate_unref(accept(bytes_of(p.chain.p, CERTIFICATE_PEM_MAX), key_of(&p)));
	while (p.key.n <= CERTIFICATE_PEM_MAX) {
		text_add_char(&p.key, '\n');
	}
	assert_int_equal(parse(chain_of(&p), key_of(&p), &c, &f), ERR_LIMIT);
	pair_done(&p);
}

/* --- facts -------------------------------------------------------------------------------------- */

static void names(void **state)
{
	static const struct {
		const char *cn, *names, *want, *reason;
	} rows[] = {
		{"cn.com", "DNS:a.com", "a.com", "the CN counts only where there is no list"},
		{"CN.Com", NULL, "cn.com", "an old certificate"},
		{"Test CA", NULL, "", "a CN that is no host"},
		{"*.a.com", NULL, "*.a.com", "a wildcard in the CN"},
		{NULL, NULL, "", "no name at all"},
		{"a.com", "email:x@a.com", "", "a list without hosts is a list"},
		{NULL, "DNS:A.Com,DNS:*.B.com,IP:127.0.0.1,IP:::1", "a.com *.b.com 127.0.0.1 ::1",
			"in lower case, addresses as text"},
		{NULL, "DNS:a b.com,DNS:.a.com,DNS:*,DNS:x*.com,DNS:ok.com", "ok.com",
			"what no client asks for"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct make_options o = {.cn = rows[i].cn, .names = rows[i].names};
		struct certificate *c;
		struct text got;
		struct pair p;

		pair_init(&p);
		text_init(&got, ROOM);
		make_pair(&p.chain, &p.key, &o);
		c = accept(chain_of(&p), key_of(&p));
		for (size_t k = 0; k < c->n_names; k++) {
			text_addf(&got, "%s" BYTES_FMT, k != 0 ? " " : "", BYTES_ARG(c->names[k]));
		}
		if (strcmp(text_cstr(&got), rows[i].want) != 0) {
			fail_msg("'%s' (%s)", text_cstr(&got), rows[i].reason);
		}
		certificate_unref(c);
		text_done(&got);
		pair_done(&p);
	}
}

static void many_names(void **state)
{
	(void)state;
	for (unsigned n = CERTIFICATE_NAMES_MAX; n <= CERTIFICATE_NAMES_MAX + 1; n++) {
		struct certificate *c;
		struct fault f;
		struct text list;
		struct pair p;
		int rc;

		pair_init(&p);
		text_init(&list, ROOM);
		for (unsigned i = 0; i < n; i++) {
			text_addf(&list, "%sDNS:h%u.a.com", i != 0 ? "," : "", i);
		}
		make_pair(&p.chain, &p.key, &(struct make_options){.names = text_cstr(&list)});
		rc = parse(chain_of(&p), key_of(&p), &c, &f);
		assert_int_equal(rc, n > CERTIFICATE_NAMES_MAX ? ERR_LIMIT : 0);
		if (rc == 0) {
			assert_true(certificate_covers(c, BYTES("h999.a.com")));
		}
		certificate_unref(c);
		text_done(&list);
		pair_done(&p);
	}
}

static void covers(void **state)
{
	static const struct {
		const char *host;
		bool want;
		const char *reason;
	} rows[] = {
		{"a.com", true, "equal"},
		{"b.com", false, "a wildcard is not its parent"},
		{"x.b.com", true, "one label"},
		{"x.y.b.com", false, "two labels"},
		{"*.b.com", true, "the wildcard as the name of a domain"},
		{"x.a.com", false, "below a name without wildcard"},
		{"xa.com", false, "ends alike"},
		{".b.com", false, "an empty label"},
		{"127.0.0.1", true, "an address"},
		{"127.0.0.2", false, "another address"},
		{"10.0.0.1", false, "an address is not below a wildcard"},
		{"[::1]", true, "an address in brackets"},
		{"::1", true, "and without"},
		{"[]", false, "brackets alone"},
		{"", false, "nothing"},
		{".", false, "a dot"},
		{"com", false, "one label"},
	};
	struct make_options o = {.names = "DNS:a.com,DNS:*.b.com,IP:127.0.0.1,IP:::1,DNS:*.0.0.1"};
	struct certificate *c;
	struct pair p;

	(void)state;
	pair_init(&p);
	make_pair(&p.chain, &p.key, &o);
	c = accept(chain_of(&p), key_of(&p));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (certificate_covers(c, bytes_str(rows[i].host)) != rows[i].want) {
			fail_msg("%s (%s)", rows[i].host, rows[i].reason);
		}
	}
	certificate_unref(c);
	pair_done(&p);
}

static void times_and_references(void **state)
{
	struct make_options o = {
		.names = "DNS:a.com", .from_s = 1700000000, .to_s = INT64_C(7258118400)};
	const struct certificate *second;
	struct certificate *c, *again;
	struct pair p;

	(void)state;
	pair_init(&p);
	make_pair(&p.chain, &p.key, &o);
	c = accept(chain_of(&p), key_of(&p));
	again = accept(chain_of(&p), key_of(&p));
	assert_int_equal(c->not_before_s, 1700000000);
	assert_int_equal(c->not_after_s, INT64_C(7258118400)); /* 2200: GeneralizedTime */
	assert_memory_equal(c->id, again->id, sizeof(c->id));
	second = certificate_ref(c);
	assert_ptr_equal(second, c);
	certificate_unref(c);
	assert_true(certificate_covers(second, BYTES("a.com")));
	certificate_unref(second);
	certificate_unref(again);
	certificate_unref(NULL);
	pair_done(&p);
}

/* Plans and workers let go on different threads. */
static void *let_go(void *arg)
{
	for (int i = 0; i < 10000; i++) {
		certificate_unref(certificate_ref(arg));
	}
	certificate_unref(arg);
	return NULL;
}

static void threads(void **state)
{
	struct make_options o = {.names = "DNS:a.com"};
	struct certificate *c;
	pthread_t thread[2];
	struct pair p;

	(void)state;
	pair_init(&p);
	make_pair(&p.chain, &p.key, &o);
	c = accept(chain_of(&p), key_of(&p));
	certificate_ref(c);
	certificate_ref(c);
	for (size_t i = 0; i < ARRAY_LEN(thread); i++) {
		assert_int_equal(pthread_create(&thread[i], NULL, let_go, c), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(thread); i++) {
		pthread_join(thread[i], NULL);
	}
	assert_int_equal(atomic_load(&c->refs), 1);
	certificate_unref(c);
	pair_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(weak),
		cmocka_unit_test(spellings),
		cmocka_unit_test(around),
		cmocka_unit_test(damaged),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(more_inside),
		cmocka_unit_test(no_secret_is_said),
		cmocka_unit_test(chains),
		cmocka_unit_test(too_long),
		cmocka_unit_test(names),
		cmocka_unit_test(many_names),
		cmocka_unit_test(covers),
		cmocka_unit_test(times_and_references),
		cmocka_unit_test(threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
