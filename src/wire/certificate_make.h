/*
 * For tests only: keys and certificates, made when they are needed, so that none has to be kept.
 */
#ifndef WIRE_CERTIFICATE_MAKE_H
#define WIRE_CERTIFICATE_MAKE_H

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/num.h"
#include "base/text.h"

struct make_options {
	const char *cn; /* NULL: an empty subject */
	const char *
		names; /* subjectAltName, as in OpenSSL's configuration: "DNS:a.com,IP:127.0.0.1" */
	int64_t from_s, to_s; /* 0: 2026-01-01, 2036-01-01 */
	const char *digest;   /* NULL: SHA-256, none for Ed25519 */
	X509 *issuer;         /* NULL: self-signed */
	EVP_PKEY *issuer_key;
};

/* "ED25519", "P-256", "RSA 2048" … */
static inline EVP_PKEY *make_key(const char *type)
{
	struct bytes bits = bytes_str(type);
	EVP_PKEY *key;
	uint64_t n = 0;

	if (bytes_starts(bits, BYTES("RSA "))) {
		ASSERT(num_parse_u64(bytes_of(bits.p + 4, bits.n - 4), 8192, &n));
		key = EVP_RSA_gen((unsigned)n);
	} else if (strcmp(type, "ED25519") == 0) {
		key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	} else {
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", type);
	}
	ASSERT(key != NULL);
	return key;
}

static inline void make_names(X509 *x, const char *names)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);

	ASSERT(e != NULL && X509_add_ext(x, e, -1) == 1);
	X509_EXTENSION_free(e);
}

static inline X509 *make_x509(EVP_PKEY *key, const struct make_options *o)
{
	EVP_PKEY *signer = o->issuer_key != NULL ? o->issuer_key : key;
	const EVP_MD *md = EVP_PKEY_get_base_id(signer) == EVP_PKEY_ED25519
		? NULL
		: EVP_get_digestbyname(o->digest != NULL ? o->digest : "SHA256");
	X509 *x = X509_new();
	X509_NAME *name;

	ASSERT(x != NULL && X509_set_version(x, X509_VERSION_3) == 1);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 4711);
	ASN1_TIME_set(X509_getm_notBefore(x), o->from_s != 0 ? o->from_s : 1767225600);
	ASN1_TIME_set(X509_getm_notAfter(x), o->to_s != 0 ? o->to_s : 2082758400);
	X509_set_pubkey(x, key);
	name = X509_get_subject_name(x);
	if (o->cn != NULL) {
		X509_NAME_add_entry_by_txt(
			name, "CN", MBSTRING_UTF8, (const unsigned char *)o->cn, -1, -1, 0);
	}
	X509_set_issuer_name(x, o->issuer != NULL ? X509_get_subject_name(o->issuer) : name);
	if (o->names != NULL) {
		make_names(x, o->names);
	}
	ASSERT(X509_sign(x, signer, md) > 0);
	return x;
}

static inline void make_add_bio(struct text *out, BIO *bio)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);

	text_add(out, p, (size_t)n);
	BIO_free(bio);
}

static inline void make_add_x509(struct text *out, X509 *x)
{
	BIO *bio = BIO_new(BIO_s_mem());

	ASSERT(bio != NULL && PEM_write_bio_X509(bio, x) == 1);
	make_add_bio(out, bio);
}

enum make_form { MAKE_PKCS8, MAKE_TRADITIONAL, MAKE_ENCRYPTED, MAKE_TRADITIONAL_ENCRYPTED };

static inline void make_add_key(struct text *out, EVP_PKEY *key, enum make_form form)
{
	const EVP_CIPHER *cipher = form == MAKE_ENCRYPTED || form == MAKE_TRADITIONAL_ENCRYPTED
		? EVP_aes_128_cbc()
		: NULL;
	unsigned char pass[] = "test";
	int n = cipher != NULL ? 4 : 0;
	BIO *bio = BIO_new(BIO_s_mem());

	ASSERT(bio != NULL);
	if (form == MAKE_PKCS8 || form == MAKE_ENCRYPTED) {
		ASSERT(PEM_write_bio_PKCS8PrivateKey(
			       bio, key, cipher, n != 0 ? (char *)pass : NULL, n, NULL, NULL) == 1);
	} else {
		ASSERT(PEM_write_bio_PrivateKey_traditional(
			       bio, key, cipher, n != 0 ? pass : NULL, n, NULL, NULL) == 1);
	}
	make_add_bio(out, bio);
}

/* A self-signed certificate for these names, and its key, on P-256. */
static inline void make_pair(struct text *chain, struct text *key, const struct make_options *o)
{
	EVP_PKEY *pkey = make_key("P-256");
	X509 *x = make_x509(pkey, o);

	make_add_x509(chain, x);
	make_add_key(key, pkey, MAKE_PKCS8);
	X509_free(x);
	EVP_PKEY_free(pkey);
}

#endif
