/*
 * A certificate with its chain and private key, out of PEM text (RFC 7468, RFC 5280). Bytes in, facts
 * out: no I/O, no clock. What comes out is immutable and counted with an atomic, since plans, which
 * share it, and workers, which serve it, let go of it on different threads.
 */
#ifndef WIRE_CERTIFICATE_H
#define WIRE_CERTIFICATE_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/err.h"

/* PEM texts above it are refused. */
#define CERTIFICATE_PEM_MAX (256u * 1024u)
#define CERTIFICATE_CHAIN_MAX 16u
#define CERTIFICATE_NAMES_MAX 1000u

struct x509_st;
struct stack_st_X509;
struct evp_pkey_st;

struct certificate {
	atomic_uint refs;
	struct x509_st *leaf;
	struct stack_st_X509 *chain; /* behind the leaf, in the order of the text; may be empty */
	struct evp_pkey_st *key;
	/* Lower case: the DNS names and addresses of subjectAltName; the subject's CN only where there is
	 * no such extension (RFC 6125 §6.4.4). "*.a.com" stays as it is. */
	struct bytes *names;
	size_t n_names;
	int64_t not_before_s, not_after_s; /* Unix time */
	uint8_t id[32]; /* SHA-256 of leaf and chain: equal ones can stand for each other */
};

/* fault.where: which of the two texts is to blame. */
enum certificate_text { CERTIFICATE_IN_CHAIN, CERTIFICATE_IN_KEY };

/* chain_pem: the leaf first. The key has to belong to the leaf, to be unencrypted and one that a TLS
 * server can use: RSA of 2048 bits or more, EC on P-256, P-384 or P-521, Ed25519. Blocks of other kinds
 * in the two texts are passed over. ERR_SYNTAX with a fault that says what is wrong with which of the two
 * (never a byte of either); ERR_LIMIT. Nothing is asked for on a terminal. */
MUST_CHECK int certificate_parse(
	struct bytes chain_pem, struct bytes key_pem, struct certificate **out, struct fault *f);
const struct certificate *certificate_ref(const struct certificate *c);
void certificate_unref(const struct certificate *c); /* NULL is allowed */

/* What it is for as its owner wrote it: the subject's first CN, then the DNS names of subjectAltName, each
 * once, in the arena. Texts with control characters are left out. */
size_t certificate_domains(const struct certificate *c, struct arena *a, struct bytes **out);

/* Whether a client that asks for host (lower case, no port) accepts it: an equal name, or "*." for
 * exactly one label (RFC 6125 §6.4.3). Validity in time is not looked at. */
bool certificate_covers(const struct certificate *c, struct bytes host);

#endif
