/*
 * What vendors write into errors, and what it means: one table of all types of provider (providers.md §7).
 */
#ifndef AI_FAILURE_TABLE_H
#define AI_FAILURE_TABLE_H

#include "plan/failover.h"

/* Where a row holds: statuses, in groups that mean different things. */
enum failure_where {
	ON_4XX = 1 << 0,  /* but for the next ones */
	ON_AUTH = 1 << 1, /* 401, 403 */
	ON_429 = 1 << 2,
	ON_5XX = 1 << 3,
	ON_OK = 1 << 4 /* an error behind a 2xx: in its body, or an event */
};
#define ON_REFUSED (ON_4XX | ON_AUTH | ON_429)
#define ON_ANY (ON_REFUSED | ON_OK)

struct failure_row {
	const char *type; /* of provider; NULL: of any */
	unsigned on;      /* enum failure_where */
	/* A code: all of it, with '*' for any characters and '?' for one. A message: a part of it. Case does not
	 * matter: in lower case here. */
	const char *text;
	enum failure_class class;
};

/* Codes, types and statuses of error objects; the first row that fits decides. */
extern const struct failure_row failure_codes[];
extern const size_t failure_codes_n;
/* Texts for people, asked when no code has decided. */
extern const struct failure_row failure_messages[];
extern const size_t failure_messages_n;
/* Codes that say little, asked last and only behind a 2xx, where no status says more. */
extern const struct failure_row failure_kinds[];
extern const size_t failure_kinds_n;

#endif
