#define _GNU_SOURCE
#include "manage/who.h"

#include <stdio.h>
#include <string.h>

#include "manage/manage_int.h"
#include "manage/password.h"

/* How long a password that was right is believed without being hashed again. */
#define BASIC_MS 60000u

/* --- log-ins ------------------------------------------------------------------------------------ */

bool who_take_check(struct manage *m, const char *peer, unsigned *wait_s)
{
	*wait_s = 1;
	if (m->checks >= WHO_CHECKS_MAX ||
		!throttle_take(&m->throttle, peer, loop_now_ms(m->loop), wait_s)) {
		return false;
	}
	m->checks++;
	return true;
}

void who_give_check(struct manage *m, const char *peer, bool right)
{
	m->checks--;
	if (right) {
		throttle_right(&m->throttle, peer, loop_now_ms(m->loop));
	}
}

/* --- Basic -------------------------------------------------------------------------------------- */

/* Also one that is to be hashed again: it has been right. */
static const struct basic_entry *find_basic(const struct manage *m, const unsigned char *key)
{
	for (size_t i = 0; i < MANAGE_BASIC_MAX; i++) {
		const struct basic_entry *e = &m->basic[i];

		if (e->until_ms != 0 && e->generation == m->account->generation &&
			memcmp(e->key, key, DIGEST_SHA256_SIZE) == 0) {
			return e;
		}
	}
	return NULL;
}

static void remember(struct manage *m, const unsigned char *key)
{
	struct basic_entry *oldest = &m->basic[0];

	for (size_t i = 0; i < MANAGE_BASIC_MAX; i++) {
		if (memcmp(m->basic[i].key, key, DIGEST_SHA256_SIZE) == 0) {
			oldest = &m->basic[i];
			break;
		}
		if (m->basic[i].until_ms < oldest->until_ms) {
			oldest = &m->basic[i];
		}
	}
	memcpy(oldest->key, key, DIGEST_SHA256_SIZE);
	oldest->until_ms = loop_now_ms(m->loop) + BASIC_MS;
	oldest->generation = m->account->generation;
}

static void end(struct who *w, enum who_rc rc)
{
	explicit_bzero(w->basic, sizeof(w->basic));
	account_unref(w->account);
	w->account = NULL;
	w->on_known(w, rc);
}

static void check_password(struct job *j)
{
	struct who *w = CONTAINER_OF(j, struct who, job);
	const struct account *a = w->account;
	bool known = bytes_eq_secret(w->name, a->name);

	w->right = password_is(w->password, a->initialized ? a->hash : BYTES("")) && known;
}

static void on_checked(struct job *j)
{
	struct who *w = CONTAINER_OF(j, struct who, job);

	if (w->manage == NULL) {
		end(w, WHO_GONE);
		return;
	}
	/* Of a password that has changed meanwhile nothing is known. */
	w->right = w->right && w->account->generation == w->manage->account->generation;
	if (w->taken) {
		who_give_check(w->manage, w->peer, w->right);
	}
	if (w->right) {
		remember(w->manage, w->key);
	}
	end(w, w->right ? WHO_ADMIN : WHO_NOBODY);
}

void who_orphan(struct who *w)
{
	w->manage = NULL;
}

bool who_has_session(const struct manage *m, const struct head *h)
{
	struct bytes cookie = session_cookie_of(h);

	return cookie.p != NULL && session_token_is_good(m->account, cookie);
}

bool who_ask(struct who *w, struct manage *m, const struct call *c,
	void (*on_known)(struct who *w, enum who_rc rc))
{
	struct bytes header = head_get(c->head, FIELD_AUTHORIZATION);
	const struct account *a = m->account;
	const struct basic_entry *known;

	w->manage = m;
	w->account = account_ref(m->account);
	w->on_known = on_known;
	snprintf(w->peer, sizeof(w->peer), "%s", call_peer(c));
	if (who_has_session(m, c->head)) {
		end(w, WHO_ADMIN);
		return false;
	}
	if (!a->initialized || !session_basic(header, w->basic, &w->name, &w->password)) {
		end(w, WHO_NOBODY);
		return false;
	}
	digest_hmac_sha256(w->key, bytes_of((const char *)a->key, sizeof(a->key)), header);
	known = find_basic(m, w->key);
	if (known != NULL && known->until_ms > loop_now_ms(m->loop)) {
		end(w, WHO_ADMIN);
		return false;
	}
	/* Others who fail keep nobody out whose password was right before. */
	if (known == NULL && !who_take_check(m, w->peer, &w->wait_s)) {
		end(w, WHO_LATER);
		return false;
	}
	w->taken = known == NULL;
	w->job = (struct job){.home = m->loop, .work = check_password, .on_done = on_checked};
	jobs_submit(m->jobs, &w->job);
	return true;
}
