/*
 * Whether the administrator asks (console-api.md §1): his session's cookie is checked at once, a password on a
 * jobs thread; one that was right is believed for a minute without being hashed again.
 */
#ifndef MANAGE_WHO_H
#define MANAGE_WHO_H

#include "manage/manage.h"
#include "manage/session.h"

/* Attack: requests that wait for a password to be hashed. */
#define WHO_CHECKS_MAX 32u

enum who_rc {
	WHO_ADMIN,
	WHO_NOBODY, /* no credentials, or wrong ones: 401 */
	WHO_LATER,  /* too many were wrong: 429, wait_s */
	WHO_GONE    /* the listeners have ended meanwhile */
};

/* Embedded in whoever asks; zeroed before. */
struct who {
	struct manage *manage; /* NULL: gone */
	struct account *account;
	struct job job;
	char peer[SYS_ADDR_TEXT];
	char basic[SESSION_BASIC_MAX];
	unsigned char key[32]; /* HMAC-SHA256 of the header */
	struct bytes name, password;
	bool taken; /* of the throttle */
	bool right;
	unsigned wait_s;
	void (*on_known)(struct who *w, enum who_rc rc);
};

/* Whether the cookie is good; nothing is waited for. */
bool who_has_session(const struct manage *m, const struct head *h);
/* Calls on_known at once or, true, later: w must stay until then, though the call may end. */
bool who_ask(struct who *w, struct manage *m, const struct call *c,
	void (*on_known)(struct who *w, enum who_rc rc));
/* While it is waited for: on_known comes with WHO_GONE. */
void who_orphan(struct who *w);

/* --- for log-ins, whose passwords are in bodies --- */

/* Whether a password may be tried now by this peer, which counts as a failure until it is given back as right; if
 * not, after how many seconds. */
bool who_take_check(struct manage *m, const char *peer, unsigned *wait_s);
void who_give_check(struct manage *m, const char *peer, bool right);

#endif
