/*
 * What was found out about providers by asking them: the last test of each, and their lists of models, which hold for
 * ten minutes. In memory. Control's.
 */
#ifndef HICLAW_PROVIDER_TESTS_H
#define HICLAW_PROVIDER_TESTS_H

#include "base/arena.h"
#include "base/list.h"

/* Attack: names without end; the one that was looked at longest ago goes. */
#define PROVIDER_TESTS_MAX 256u
/* At once: each holds a connection to a vendor for up to 20 s. */
#define PROVIDER_TESTS_RUNNING 4u
#define PROVIDER_TESTS_LIST_MS 600000u

struct provider_test {
	struct list link;
	struct bytes name;
	bool running;
	/* the last test; at_ms 0: none */
	uint64_t at_ms;
	bool ok;
	uint32_t ms;
	struct bytes why; /* of a failure */
	/* the list; listed_ms 0: none */
	uint64_t listed_ms;
	struct bytes *ids;
	size_t n_ids;
	struct arena arena, ids_arena; /* name and why; ids */
};

struct provider_tests;

struct provider_tests *provider_tests_new(void);
/* NULL is allowed. */
void provider_tests_free(struct provider_tests *t);
/* NULL: never heard of. */
struct provider_test *provider_tests_find(struct provider_tests *t, struct bytes name);
struct provider_test *provider_tests_need(struct provider_tests *t, struct bytes name);
/* False: this provider is being tested, or too many are. */
bool provider_tests_begin(struct provider_tests *t, struct bytes name);
/* Texts are copied. */
void provider_tests_end(
	struct provider_tests *t, struct bytes name, bool ok, uint32_t ms, struct bytes why);
void provider_tests_keep_list(struct provider_tests *t, struct bytes name, const struct bytes *ids,
	size_t n, uint64_t now_ms);
/* It does not run any more, without an outcome. */
void provider_tests_drop(struct provider_tests *t, struct bytes name);

#endif
