/*
 * What a route answers by itself, without asking a destination, by annotations of its Ingress:
 *
 *   higress.io/temporal-redirect: https://new.example.com/a     302 to there
 *   higress.io/permanent-redirect: https://new.example.com/a    301, or what the next one says
 *   higress.io/permanent-redirect-code: "308"                   301, 302, 303, 307 or 308
 *   sluice.io/mock-status: "200"                                a mock answer, for who develops against it
 *   sluice.io/mock-type: application/json                       of its body; text/plain without it
 *   sluice.io/mock-body: '{"ok":true}'
 *
 * Who may call the route is asked first, as for a route with destinations. Redirections may have the prefix of
 * nginx, and come before a mock; a temporal one before a permanent one.
 */
#ifndef PLAN_FIXED_ANSWER_H
#define PLAN_FIXED_ANSWER_H

#include "resource/object.h"

/* A longer one is left out. Accident: a file pasted into an annotation that every plan copies. */
#define FIXED_ANSWER_BODY_MAX (64u * 1024u)
/* Of an address or a media type. Accident: a head that clients refuse. */
#define FIXED_ANSWER_TEXT_MAX 2048u

struct fixed_answer {
	uint16_t status;
	struct bytes location; /* empty: a mock */
	struct bytes type;     /* of a body; never empty */
	struct bytes body;     /* of a mock; may be empty */
};

/* NULL: the Ingress asks for none, or for none that can be given (a finding says so). In the arena. */
const struct fixed_answer *fixed_answer_read(
	const struct object *ingress, struct arena *a, struct findings *f);

/* Of an access line and of x-sluice-reason. */
const char *fixed_answer_reason(const struct fixed_answer *a);
/* Whether sluice.io/<key> is one of these. */
bool fixed_answer_is_key(struct bytes key);

#endif
