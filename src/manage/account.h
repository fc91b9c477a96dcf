/*
 * The administrator, and what else management itself keeps in state/console.json: the key that signs
 * sessions and the public configuration. An account is immutable; a change makes another one.
 */
#ifndef MANAGE_ACCOUNT_H
#define MANAGE_ACCOUNT_H

#include <stdatomic.h>

#include "base/file.h"
#include "resource/object.h"

#define ACCOUNT_KEY_SIZE 32u
/* Accident: state/console.json that is something else. */
#define ACCOUNT_FILE_MAX ((size_t)1 << 20)

struct account {
	bool initialized;
	struct bytes name, display;
	struct bytes hash;   /* of the password, as crypt(3) has it */
	uint64_t generation; /* of the password: sessions of an older one are over */
	unsigned char key[ACCOUNT_KEY_SIZE];
	struct pairs configs; /* public: anybody reads them */
	atomic_uint refs;
	struct arena arena;
};

/* Nobody, with a new key. */
struct account *account_new(void);
/* A copy with an administrator and the next generation. */
struct account *account_with_admin(
	const struct account *before, struct bytes name, struct bytes display, struct bytes hash);
/* A copy with one more public value; text is trimmed. */
struct account *account_with_config(
	const struct account *before, struct bytes key, struct bytes value);
struct account *account_ref(struct account *a);
void account_unref(struct account *a);

/* ERR_NOT_FOUND: there is no such file. */
MUST_CHECK int account_load(const char *path, struct account **out, struct fault *fault);
/* Atomically, 0600. */
MUST_CHECK int account_save(const struct account *a, const char *path, struct fault *fault);

#endif
