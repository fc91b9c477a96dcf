#define _GNU_SOURCE
#include "manage/who.h"

#include <stdio.h>
#include <string.h>

#include "manage/manage_int.h"
#include "manage/password.h"

/* How long a password that was right is believed without being hashed again. */
#define BASIC_MS 60000u

/* --- log-ins ------------------------------------------------------------------------------------ */

bool who_may_try(const struct manage *m, const char *peer, unsigned *wait_s)
{
	*wait_s = 1;
	return throttle_may(&m->throttle, peer, loop_now_ms(m->loop), wait_s) &&
		m->checks < WHO_CHECKS_MAX;
}

void who_check_begins(struct manage *m)
{
	m->checks++;
}

void who_check_ends(struct manage *m)
{
	m->checks--;
}

void who_failed(struct manage *m, const char *peer)
{
	throttle_failed(&m->throttle, peer, loop_now_ms(m->loop));
}

/* --- Basic -------------------------------------------------------------------------------------- */

static bool is_known(const struct manage *m, const unsigned char *key)
{
	uint64_t now = loop_now_ms(m->loop);

	for (size_t i = 0; i < MANAGE_BASIC_MAX; i++) {
		const struct basic_entry *e = &m->basic[i];

		if (e->until_ms > now && e->generation == m->account->generation &&
			memcmp(e->key, key, DIGEST_SHA256_SIZE) == 0) {
			return true;
		}
	}
	return false;
}

static void remember(struct manage *m, const unsigned char *key)
{
	struct basic_entry *oldest = &m->basic[0];

	for (size_t i = 1; i < MANAGE_BASIC_MAX; i++) {
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
	who_check_ends(w->manage);
	if (w->right) {
		remember(w->manage, w->key);
	} else {
		who_failed(w->manage, w->peer);
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
	if (is_known(m, w->key)) {
		end(w, WHO_ADMIN);
		return false;
	}
	if (!who_may_try(m, w->peer, &w->wait_s)) {
		end(w, WHO_LATER);
		return false;
	}
	who_check_begins(m);
	w->job = (struct job){.home = m->loop, .work = check_password, .on_done = on_checked};
	jobs_submit(m->jobs, &w->job);
	return true;
}
