#include "wire/certificate.h"

#include <openssl/x509.h>

/* Names are hosts, in lower case, inside of their limits; what is covered by name is covered. */
static void check_names(const struct certificate *c)
{
	ASSERT(c->n_names <= CERTIFICATE_NAMES_MAX);
	for (size_t i = 0; i < c->n_names; i++) {
		struct bytes name = c->names[i];

		ASSERT(name.n != 0 && name.n <= 255);
		for (size_t k = 0; k < name.n; k++) {
			ASSERT(name.p[k] > ' ' && ascii_lower(name.p[k]) == name.p[k]);
			ASSERT(name.p[k] != '*' || (k == 0 && name.n > 2 && name.p[1] == '.'));
		}
		ASSERT(certificate_covers(c, name));
	}
	ASSERT(!certificate_covers(c, BYTES("")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The certificates, NUL, the key. Read twice, they are the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes key = bytes_of((const char *)data, size);
	struct bytes chain = bytes_cut(&key, '\0');
	struct certificate *c = NULL, *again = NULL;
	struct fault f = {0};
	int rc = certificate_parse(chain, key, &c, &f);

	ASSERT((rc == 0) == (c != NULL));
	if (rc != 0) {
		ASSERT((rc == ERR_SYNTAX || rc == ERR_LIMIT) && f.text[0] != '\0');
		ASSERT(f.where == CERTIFICATE_IN_CHAIN || f.where == CERTIFICATE_IN_KEY);
		return 0;
	}
	ASSERT(X509_check_private_key(c->leaf, c->key) == 1);
	check_names(c);
	ASSERT(certificate_parse(chain, key, &again, &f) == 0);
	ASSERT(memcmp(c->id, again->id, sizeof(c->id)) == 0);
	certificate_unref(c);
	certificate_unref(again);
	return 0;
}
