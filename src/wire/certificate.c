/*
 * The blocks are found by wire/pem.c; what is in them is OpenSSL's to decode. What OpenSSL would refuse
 * to serve at its security level 2 is refused here, where a person can be told, and not at the first
 * handshake.
 */
#include "wire/certificate.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/text.h"
#include "wire/pem.h"

/* Below it OpenSSL's security level 2 serves neither key nor signature. */
#define SECURITY_BITS_MIN 112
#define NAME_MAX 255u
/* All names of a certificate, which its text bounds already. */
#define NAMES_TEXT_MAX (2u * CERTIFICATE_PEM_MAX)

#define BAD(f, in, ...) fault_set(f, ERR_SYNTAX, 0, in, __VA_ARGS__)

/* --- chain -------------------------------------------------------------------------------------- */

static int pem_failed(struct fault *f, enum certificate_text in, const struct fault *why)
{
	return BAD(f, in, "%s is broken: %s",
		in == CERTIFICATE_IN_CHAIN ? "the certificate" : "the key", why->text);
}

/* Reads the whole block or nothing. Extensions are decoded once here, so that workers which share the
 * certificate need not. */
static X509 *decode_x509(struct bytes der)
{
	const unsigned char *p = (const unsigned char *)der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);

	if (x != NULL && p == (const unsigned char *)der.p + der.n && X509_get0_pubkey(x) != NULL) {
		IGNORE(X509_check_purpose(x, -1, 0)); /* for its effect; purposes are no matter */
		return x;
	}
	X509_free(x);
	return NULL;
}

static int check_strength(X509 *x, size_t line, struct fault *f)
{
	int bits = -1;

	if (EVP_PKEY_get_security_bits(X509_get0_pubkey(x)) < SECURITY_BITS_MIN) {
		return BAD(f, CERTIFICATE_IN_CHAIN,
			"the certificate in line %zu has a key that is too short: clients refuse "
			"RSA below 2048 bits",
			line);
	}
	if ((X509_get_extension_flags(x) & EXFLAG_SS) == 0 &&
		(X509_get_signature_info(x, NULL, NULL, &bits, NULL) != 1 ||
			bits < SECURITY_BITS_MIN)) {
		return BAD(f, CERTIFICATE_IN_CHAIN,
			"the certificate in line %zu is signed with a digest that clients refuse "
			"(SHA-1 or older)",
			line);
	}
	return 0;
}

static int add_x509(struct certificate *c, const struct pem_block *block, struct fault *f)
{
	X509 *x;
	int rc;

	if (sk_X509_num(c->chain) >= (int)CERTIFICATE_CHAIN_MAX) {
		return fault_set(f, ERR_LIMIT, 0, CERTIFICATE_IN_CHAIN,
			"the chain has more than %u certificates", CERTIFICATE_CHAIN_MAX);
	}
	x = decode_x509(block->der);
	if (x == NULL) {
		return BAD(f, CERTIFICATE_IN_CHAIN, "the certificate in line %zu cannot be decoded",
			block->line);
	}
	rc = check_strength(x, block->line, f);
	if (rc == 0 && c->leaf == NULL) {
		c->leaf = x;
	} else if (rc != 0 || sk_X509_push(c->chain, x) == 0) {
		X509_free(x);
	}
	return rc;
}

static bool is_certificate(struct bytes label)
{
	return bytes_eq(label, BYTES("CERTIFICATE")) || bytes_eq(label, BYTES("X509 CERTIFICATE"));
}

static int read_chain(struct certificate *c, struct bytes text, char *room, struct fault *f)
{
	struct pem pem = {.rest = text};
	struct pem_block block;
	struct fault why = {0};
	enum read_rc rc;

	while ((rc = pem_next(&pem, room, &block, &why)) == READ_DONE) {
		int added = is_certificate(block.label) ? add_x509(c, &block, f) : 0;

		if (added != 0) {
			return added;
		}
	}
	if (rc == READ_FAIL) {
		return pem_failed(f, CERTIFICATE_IN_CHAIN, &why);
	}
	if (c->leaf == NULL) {
		return BAD(f, CERTIFICATE_IN_CHAIN,
			"there is no certificate: it begins with -----BEGIN CERTIFICATE-----");
	}
	return 0;
}

/* --- key ---------------------------------------------------------------------------------------- */

/* RFC 5208; what is encrypted has another structure and is not decoded. */
static EVP_PKEY *decode_pkcs8(const unsigned char **p, long n)
{
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, p, n);
	EVP_PKEY *key = info != NULL ? EVP_PKCS82PKEY(info) : NULL;

	PKCS8_PRIV_KEY_INFO_free(info);
	return key;
}

static EVP_PKEY *decode_key(const struct pem_block *block)
{
	const unsigned char *p = (const unsigned char *)block->der.p;
	const unsigned char *end = p + block->der.n;
	long n = (long)block->der.n;
	EVP_PKEY *key = NULL;

	if (bytes_eq(block->label, BYTES("PRIVATE KEY"))) {
		key = decode_pkcs8(&p, n);
	} else if (bytes_eq(block->label, BYTES("RSA PRIVATE KEY"))) {
		key = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &p, n);
	} else if (bytes_eq(block->label, BYTES("EC PRIVATE KEY"))) {
		key = d2i_PrivateKey(EVP_PKEY_EC, NULL, &p, n);
	}
	if (p != end) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

static bool is_served_curve(const EVP_PKEY *key)
{
	static const char *const curves[] = {"prime256v1", "secp384r1", "secp521r1"};
	char name[40];
	size_t n;

	if (EVP_PKEY_get_group_name(key, name, sizeof(name), &n) != 1) {
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
		if (strcmp(name, curves[i]) == 0) {
			return true;
		}
	}
	return false;
}

static int check_key(const EVP_PKEY *key, struct fault *f)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
		return EVP_PKEY_get_security_bits(key) >= SECURITY_BITS_MIN
			? 0
			: BAD(f, CERTIFICATE_IN_KEY,
				  "the key is too short: clients refuse RSA below 2048 bits");
	case EVP_PKEY_EC:
		return is_served_curve(key)
			? 0
			: BAD(f, CERTIFICATE_IN_KEY,
				  "the key is on a curve that clients do not know: "
				  "make it one of P-256, P-384 or P-521");
	case EVP_PKEY_ED25519:
		return 0;
	default:
		return BAD(f, CERTIFICATE_IN_KEY,
			"the key is of a type that TLS has no use for: make it RSA, EC or Ed25519");
	}
}

static int add_key(struct certificate *c, const struct pem_block *block, struct fault *f)
{
	if (c->key != NULL) {
		return BAD(f, CERTIFICATE_IN_KEY,
			"there are two keys, the second one in line %zu: leave the one of the "
			"certificate",
			block->line);
	}
	if (block->encrypted || bytes_eq(block->label, BYTES("ENCRYPTED PRIVATE KEY"))) {
		return BAD(f, CERTIFICATE_IN_KEY,
			"the key is encrypted, and nobody is there to type its passphrase: store it "
			"decrypted (openssl pkey)");
	}
	if (bytes_eq(block->label, BYTES("OPENSSH PRIVATE KEY"))) {
		return BAD(f, CERTIFICATE_IN_KEY,
			"the key has the form of OpenSSH: convert it (ssh-keygen -p -m PKCS8)");
	}
	c->key = decode_key(block);
	if (c->key == NULL) {
		return BAD(f, CERTIFICATE_IN_KEY, "the key in line %zu cannot be decoded",
			block->line);
	}
	return check_key(c->key, f);
}

static int read_key(struct certificate *c, struct bytes text, char *room, struct fault *f)
{
	struct pem pem = {.rest = text};
	struct pem_block block;
	struct fault why = {0};
	enum read_rc rc;

	while ((rc = pem_next(&pem, room, &block, &why)) == READ_DONE) {
		int added =
			bytes_ends(block.label, BYTES("PRIVATE KEY")) ? add_key(c, &block, f) : 0;

		if (added != 0) {
			return added;
		}
	}
	if (rc == READ_FAIL) {
		return pem_failed(f, CERTIFICATE_IN_KEY, &why);
	}
	if (c->key == NULL) {
		return BAD(f, CERTIFICATE_IN_KEY,
			"there is no key: it begins with -----BEGIN PRIVATE KEY-----");
	}
	return 0;
}

static int check_pair(const struct certificate *c, struct fault *f)
{
	if (X509_check_private_key(c->leaf, c->key) == 1) {
		return 0;
	}
	for (int i = 0; i < sk_X509_num(c->chain); i++) {
		if (X509_check_private_key(sk_X509_value(c->chain, i), c->key) == 1) {
			return BAD(f, CERTIFICATE_IN_CHAIN,
				"the key belongs to certificate %d of the chain: put that one first",
				i + 2);
		}
	}
	return BAD(f, CERTIFICATE_IN_KEY,
		"the key does not belong to the certificate: one of the two is of another pair");
}

/* --- facts -------------------------------------------------------------------------------------- */

/* What a host could be equal to, or one with "*." in front. */
static bool is_name(struct bytes s)
{
	struct bytes rest = bytes_starts(s, BYTES("*.")) ? bytes_of(s.p + 2, s.n - 2) : s;

	for (size_t i = 0; i < rest.n; i++) {
		char c = ascii_lower(rest.p[i]);

		if (!ascii_digit(c) && (c < 'a' || c > 'z') && c != '-' && c != '.' && c != '_') {
			return false;
		}
	}
	return rest.n != 0 && rest.p[0] != '.' && s.n <= NAME_MAX;
}

/* Names one after the other, a line break behind each. */
static void put_name(struct text *names, struct bytes name)
{
	if (!is_name(name)) {
		return; /* nobody can ask for it */
	}
	for (size_t i = 0; i < name.n; i++) {
		text_add_char(names, ascii_lower(name.p[i]));
	}
	text_add_char(names, '\n');
}

static struct bytes string_bytes(const ASN1_STRING *s)
{
	return bytes_of((const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

static void put_address(struct text *names, struct bytes ip)
{
	char text[INET6_ADDRSTRLEN];

	if ((ip.n == 4 || ip.n == 16) &&
		inet_ntop(ip.n == 4 ? AF_INET : AF_INET6, ip.p, text, sizeof(text)) != NULL) {
		text_add_str(names, text);
		text_add_char(names, '\n');
	}
}

static int put_alternatives(const GENERAL_NAMES *all, struct text *names, struct fault *f)
{
	if (sk_GENERAL_NAME_num(all) > (int)CERTIFICATE_NAMES_MAX) {
		return fault_set(f, ERR_LIMIT, 0, CERTIFICATE_IN_CHAIN,
			"the certificate has more than %u names", CERTIFICATE_NAMES_MAX);
	}
	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);

		if (name->type == GEN_DNS) {
			put_name(names, string_bytes(name->d.dNSName));
		} else if (name->type == GEN_IPADD) {
			put_address(names, string_bytes(name->d.iPAddress));
		}
	}
	return 0;
}

/* The last CN of the subject is the most specific one. */
static void put_common_name(X509 *leaf, struct text *names)
{
	const X509_NAME *subject = X509_get_subject_name(leaf);
	int at = -1, last = -1;
	unsigned char *utf8;
	int n;

	while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0) {
		last = at;
	}
	if (last < 0) {
		return;
	}
	n = ASN1_STRING_to_UTF8(
		&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
	if (n >= 0) {
		put_name(names, bytes_of((const char *)utf8, (size_t)n));
		OPENSSL_free(utf8);
	}
}

/* One block: the list, then the texts. */
static void keep_names(struct certificate *c, const struct text *names)
{
	size_t n = 0;
	struct bytes rest;
	char *p;

	for (size_t i = 0; i < names->n; i++) {
		n += names->p[i] == '\n';
	}
	c->names = must_alloc(n * sizeof(*c->names) + names->n + 1);
	p = (char *)(c->names + n);
	memcpy(p, names->p != NULL ? names->p : "", names->n);
	rest = bytes_of(p, names->n);
	while (c->n_names < n) {
		c->names[c->n_names++] = bytes_cut(&rest, '\n');
	}
}

static int read_names(struct certificate *c, struct fault *f)
{
	int critical = 0;
	GENERAL_NAMES *all = X509_get_ext_d2i(c->leaf, NID_subject_alt_name, &critical, NULL);
	struct text names;
	int rc = 0;

	text_init(&names, NAMES_TEXT_MAX);
	if (all != NULL) {
		rc = put_alternatives(all, &names, f);
	} else if (critical == -1) { /* there is no such extension */
		put_common_name(c->leaf, &names);
	} else {
		rc = BAD(f, CERTIFICATE_IN_CHAIN, "the names of the certificate cannot be decoded");
	}
	GENERAL_NAMES_free(all);
	if (rc == 0) {
		keep_names(c, &names);
	}
	text_done(&names);
	return rc;
}

/* --- as its owner wrote them ---------------------------------------------------------------------- */

struct domains {
	struct arena *arena;
	struct bytes *v;
	size_t n, max;
};

static void add_domain(struct domains *d, struct bytes name)
{
	for (size_t i = 0; i < name.n; i++) {
		if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f) {
			return;
		}
	}
	for (size_t i = 0; i < d->n; i++) {
		if (bytes_eq(d->v[i], name)) {
			return;
		}
	}
	if (name.n != 0 && d->n < d->max) {
		d->v[d->n++] = arena_copy(d->arena, name);
	}
}

static void add_common_name(struct domains *d, X509 *leaf)
{
	const X509_NAME *subject = X509_get_subject_name(leaf);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	unsigned char *utf8;
	int n;

	if (at < 0) {
		return;
	}
	n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	if (n >= 0) {
		add_domain(d, bytes_of((const char *)utf8, (size_t)n));
		OPENSSL_free(utf8);
	}
}

size_t certificate_domains(const struct certificate *c, struct arena *a, struct bytes **out)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(c->leaf, NID_subject_alt_name, NULL, NULL);
	int n = all != NULL ? sk_GENERAL_NAME_num(all) : 0;
	struct domains d = {.arena = a, .max = (size_t)n + 1};

	d.v = arena_alloc(a, d.max * sizeof(*d.v));
	if (d.v == NULL) {
		d.max = 0;
	}
	add_common_name(&d, c->leaf);
	for (int i = 0; i < n; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);

		if (name->type == GEN_DNS) {
			add_domain(&d, string_bytes(name->d.dNSName));
		}
	}
	GENERAL_NAMES_free(all);
	*out = d.v;
	return d.n;
}

static bool read_time(const ASN1_TIME *t, const ASN1_TIME *epoch, int64_t *out)
{
	int days, seconds;

	if (ASN1_TIME_diff(&days, &seconds, epoch, t) != 1) {
		return false;
	}
	*out = (int64_t)days * 86400 + seconds;
	return true;
}

static int read_times(struct certificate *c, struct fault *f)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	bool read = epoch != NULL &&
		read_time(X509_get0_notBefore(c->leaf), epoch, &c->not_before_s) &&
		read_time(X509_get0_notAfter(c->leaf), epoch, &c->not_after_s);

	ASN1_TIME_free(epoch);
	return read ? 0
		    : BAD(f, CERTIFICATE_IN_CHAIN, "the validity of the certificate has no time");
}

/* Each certificate by its own digest, so that where one ends is part of it. */
static void set_id(struct certificate *c)
{
	unsigned char digests[(CERTIFICATE_CHAIN_MAX + 1) * sizeof(c->id)];
	int n = sk_X509_num(c->chain);

	for (int i = -1; i < n; i++) {
		const X509 *x = i < 0 ? c->leaf : sk_X509_value(c->chain, i);

		ASSERT(X509_digest(x, EVP_sha256(), digests + (size_t)(i + 1) * sizeof(c->id),
			       NULL) == 1);
	}
	ASSERT(EVP_Digest(digests, (size_t)(n + 1) * sizeof(c->id), c->id, NULL, EVP_sha256(),
		       NULL) == 1);
}

/* --- the whole ---------------------------------------------------------------------------------- */

static int fill(
	struct certificate *c, struct bytes chain_pem, struct bytes key_pem, struct fault *f)
{
	size_t size = MAX(chain_pem.n, key_pem.n) + 1;
	char *room = must_alloc(size);
	int rc = read_chain(c, chain_pem, room, f);

	rc = rc != 0 ? rc : read_key(c, key_pem, room, f);
	OPENSSL_cleanse(room, size);
	free(room);
	rc = rc != 0 ? rc : check_pair(c, f);
	rc = rc != 0 ? rc : read_names(c, f);
	return rc != 0 ? rc : read_times(c, f);
}

int certificate_parse(
	struct bytes chain_pem, struct bytes key_pem, struct certificate **out, struct fault *f)
{
	struct certificate *c;
	int rc;

	if (chain_pem.n > CERTIFICATE_PEM_MAX || key_pem.n > CERTIFICATE_PEM_MAX) {
		bool chain = chain_pem.n > CERTIFICATE_PEM_MAX;

		return fault_set(f, ERR_LIMIT, 0, chain ? CERTIFICATE_IN_CHAIN : CERTIFICATE_IN_KEY,
			"the %s above %u KiB", chain ? "certificates are" : "key is",
			CERTIFICATE_PEM_MAX / 1024);
	}
	c = must_alloc(sizeof(*c));
	atomic_init(&c->refs, 1);
	c->chain = sk_X509_new_null();
	ASSERT(c->chain != NULL);
	rc = fill(c, chain_pem, key_pem, f);
	ERR_clear_error();
	if (rc != 0) {
		certificate_unref(c);
		return rc;
	}
	set_id(c);
	*out = c;
	return 0;
}

/* The count is the one thing that changes. */
static atomic_uint *refs_of(const struct certificate *c)
{
	return &((struct certificate *)(uintptr_t)c)->refs;
}

const struct certificate *certificate_ref(const struct certificate *c)
{
	atomic_fetch_add(refs_of(c), 1);
	return c;
}

void certificate_unref(const struct certificate *c)
{
	unsigned before;

	if (c == NULL) {
		return;
	}
	before = atomic_fetch_sub(refs_of(c), 1);
	ASSERT(before != 0);
	if (before != 1) {
		return;
	}
	X509_free(c->leaf);
	sk_X509_pop_free(c->chain, X509_free);
	EVP_PKEY_free(c->key);
	free(c->names);
	free((struct certificate *)(uintptr_t)c);
}

/* --- names -------------------------------------------------------------------------------------- */

static bool is_address(struct bytes host)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char room[sizeof(struct in6_addr)];

	if (host.n >= sizeof(text)) {
		return false;
	}
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	return inet_pton(AF_INET, text, room) == 1 || inet_pton(AF_INET6, text, room) == 1;
}

static bool matches(struct bytes name, struct bytes host, struct bytes parent)
{
	return bytes_eq(name, host) ||
		(parent.n != 0 && name.p[0] == '*' &&
			bytes_eq(bytes_of(name.p + 1, name.n - 1), parent));
}

bool certificate_covers(const struct certificate *c, struct bytes host)
{
	struct bytes parent = {NULL, 0}; /* ".a.com" */
	const char *dot;

	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
		host = bytes_of(host.p + 1, host.n - 2);
	}
	dot = host.n != 0 ? memchr(host.p, '.', host.n) : NULL;
	if (dot != NULL && dot != host.p && !is_address(host)) {
		parent = bytes_of(dot, host.n - (size_t)(dot - host.p));
	}
	for (size_t i = 0; i < c->n_names; i++) {
		if (matches(c->names[i], host, parent)) {
			return true;
		}
	}
	return false;
}
