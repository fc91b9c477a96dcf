#define _GNU_SOURCE
/*
 * Who asks (monitor-api.md 2): the administrator by his session or by Basic, agents by the keys with which they call
 * the gateway. Whose credential was right is remembered for as long as the process runs and let in without a look at the
 * throttle, so that others who fail behind the same address keep nobody out; it is looked up anew each time.
 */
#include <string.h>

#include "base/log.h"
#include "hiclaw/monitor_int.h"
#include "manage/access.h"
#include "plan/auth.h"

/* --- pages of other sites ------------------------------------------------------------------------------------ */

bool monitor_origin_allowed(const struct hiclaw *h, struct bytes origin)
{
	struct bytes rest = h->opts.origins;

	while (origin.n != 0 && rest.p != NULL) {
		if (bytes_eq(bytes_trim(bytes_cut(&rest, ',')), origin)) {
			return true;
		}
	}
	return false;
}

bool monitor_refuse_site(struct ask *k)
{
	if (access_site(k->call) != ACCESS_OTHER_PAGE ||
		monitor_origin_allowed(k->hiclaw, k->origin)) {
		return false;
	}
	ask_fail(k, HICLAW_FORBIDDEN,
		"A page of another site may ask for nothing here; --monitor-origins lists those that may");
	return true;
}

/* --- agents ---------------------------------------------------------------------------------------------------- */

/* The consumer whose credential it is; p NULL: nobody's. */
static struct bytes find_consumer(const struct ask *k, struct bytes header)
{
	const struct plan *p = gateway_plan(k->hiclaw->gateway);
	const struct auth_header field = {BYTES("Authorization"), header, FIELD_AUTHORIZATION};
	const struct auth_query q = {.headers = &field, .n_headers = 1};
	struct auth_hit hit;

	if (p == NULL || p->consumers->n == 0 || !auth_identify(p->consumers, &q, &hit)) {
		return bytes_of(NULL, 0);
	}
	return hit.consumer->name;
}

static bool take_agent(struct ask *k, struct bytes header, struct bytes token)
{
	struct bytes manager = k->hiclaw->env->secrets.manager_key;
	struct bytes consumer = find_consumer(k, header);
	struct bytes worker;

	if ((manager.n != 0 && bytes_eq_secret(token, manager)) ||
		bytes_eq(consumer, BYTES("manager"))) {
		k->who = MONITOR_MANAGER;
		k->actor = BYTES("manager");
	} else if (consumer.p != NULL && names_of_consumer(consumer, &worker)) {
		k->who = MONITOR_WORKER;
		k->worker = arena_copy(&k->arena, worker);
		k->actor = k->worker;
	} else if (consumer.p != NULL) {
		k->who = MONITOR_STRANGER;
	}
	return k->who != MONITOR_NOBODY;
}

static bool is_known(const struct monitor *m, const unsigned char *key)
{
	for (size_t i = 0; i < MONITOR_KNOWN_MAX; i++) {
		if (memcmp(m->known[i], key, DIGEST_SHA256_SIZE) == 0) {
			return true;
		}
	}
	return false;
}

static void refuse_later(struct ask *k, unsigned wait_s)
{
	k->wait_s = wait_s;
	ask_fail(k, HICLAW_RATE_LIMITED, "Too many log-ins have failed; wait a moment");
}

static void refuse_nobody(struct ask *k)
{
	ask_fail(k, HICLAW_AUTH_FAILED, "Login required");
}

static void identify_agent(
	struct ask *k, struct bytes header, struct bytes token, void (*on_known)(struct ask *k))
{
	struct manage *m = k->hiclaw->opts.manage;
	struct monitor *mine = &k->hiclaw->monitor;
	const struct account *a = manage_account(m);
	bool known, right;
	unsigned wait_s;

	digest_hmac_sha256(k->key, bytes_of((const char *)a->key, sizeof(a->key)), header);
	known = is_known(mine, k->key);
	if (!known && !who_take_check(m, k->peer.p, &wait_s)) {
		if (k->endpoint->right == MONITOR_ANYBODY) {
			on_known(k);
		} else {
			refuse_later(k, wait_s);
		}
		return;
	}
	right = take_agent(k, header, token);
	if (!known) {
		who_give_check(m, k->peer.p, right);
	}
	if (right && !known) {
		memcpy(mine->known[mine->known_at++ % MONITOR_KNOWN_MAX], k->key, sizeof(k->key));
	}
	if (right || k->endpoint->right == MONITOR_ANYBODY) {
		on_known(k);
	} else {
		refuse_nobody(k);
	}
}

/* --- the administrator --------------------------------------------------------------------------------------- */

/* A form of another site can send neither without asking (CORS). */
static bool is_meant(const struct ask *k)
{
	struct bytes type = head_get(k->call->head, FIELD_CONTENT_TYPE);

	return k->endpoint->method[0] == 'G' ||
		bytes_eq(monitor_field(k->call->head, "x-requested-with"), BYTES("sluice")) ||
		bytes_starts_nocase(type, BYTES("application/json"));
}

static void be_admin(struct ask *k)
{
	k->who = MONITOR_ADMINISTRATOR;
	k->actor = arena_copy(&k->arena, manage_account(k->hiclaw->opts.manage)->name);
	if (k->session && !is_meant(k)) {
		ask_fail(k, HICLAW_FORBIDDEN,
			"A session's request that changes something needs Content-Type: application/json "
			"or X-Requested-With: sluice");
		return;
	}
	k->next(k);
}

static void on_admin(struct who *w, enum who_rc rc)
{
	struct ask *k = CONTAINER_OF(w, struct ask, asking);

	k->away = false;
	if (rc == WHO_GONE || k->call == NULL) {
		monitor_free_ask(k);
	} else if (rc == WHO_ADMIN) {
		be_admin(k);
	} else if (k->endpoint->right == MONITOR_ANYBODY) {
		k->next(k); /* also for those who have to wait: they are nobody */
	} else if (rc == WHO_LATER) {
		refuse_later(k, w->wait_s);
	} else {
		refuse_nobody(k);
	}
}

/* The password that an old recipe gives to everybody is one on this machine only. */
static bool is_weak(struct ask *k, struct bytes header)
{
	char room[SESSION_BASIC_MAX];
	struct bytes name, password;
	bool weak = !access_is_loopback(k->call) && session_basic(header, room, &name, &password) &&
		bytes_eq(password, BYTES("admin"));

	explicit_bzero(room, sizeof(room));
	return weak;
}

static void refuse_password(struct ask *k, const char *why)
{
	ask_more(k, "hint",
		doc_str(&k->arena,
			"set HICLAW_ADMIN_PASSWORD to a password of at least 8 characters and "
			"start again"));
	ask_fail(k, HICLAW_FORBIDDEN, "%s", why);
}

static void identify_admin(struct ask *k, struct bytes header)
{
	struct monitor *m = &k->hiclaw->monitor;

	k->session = who_has_session(k->hiclaw->opts.manage, k->call->head);
	if (!k->session && k->endpoint->right == MONITOR_ANYBODY && is_weak(k, header)) {
		k->next(k);
		return;
	}
	if (!k->session && is_weak(k, header)) {
		if (!m->weak_said) {
			log_warn("hiclaw",
				"the password \"admin\" is accepted on this machine only; set "
				"HICLAW_ADMIN_PASSWORD");
		}
		m->weak_said = true;
		refuse_password(k, "The password \"admin\" is accepted on this machine only");
		return;
	}
	k->away = true; /* on_known may come before who_ask returns */
	IGNORE(who_ask(&k->asking, k->hiclaw->opts.manage, k->call, on_admin));
}

/* --- all of them --------------------------------------------------------------------------------------------- */

static bool may_read_unknown(const struct ask *k)
{
	return k->hiclaw->env->loopback_read && k->endpoint->method[0] == 'G' &&
		manage_door(k->call) == MANAGE_MONITOR && k->origin.p == NULL &&
		access_is_local(k->call);
}

static void identify_nobody(struct ask *k, void (*on_known)(struct ask *k))
{
	if (may_read_unknown(k)) {
		k->who = MONITOR_LOOPBACK;
		k->actor = BYTES("loopback");
	}
	if (k->who != MONITOR_NOBODY || k->endpoint->right == MONITOR_ANYBODY) {
		on_known(k);
	} else {
		refuse_nobody(k);
	}
}

void monitor_identify(struct ask *k, void (*on_known)(struct ask *k))
{
	struct manage *m = k->hiclaw->opts.manage;
	struct bytes header = head_get(k->call->head, FIELD_AUTHORIZATION);

	k->next = on_known;
	if (!manage_account(m)->initialized) {
		if (k->endpoint->right == MONITOR_ANYBODY) {
			on_known(k);
		} else {
			refuse_password(k, "Nobody administers this gateway yet");
		}
	} else if (who_has_session(m, k->call->head) ||
		bytes_starts_nocase(header, BYTES("Basic "))) {
		identify_admin(k, header);
	} else if (bytes_starts_nocase(header, BYTES("Bearer "))) {
		identify_agent(
			k, header, bytes_trim(bytes_of(header.p + 7, header.n - 7)), on_known);
	} else if (header.p != NULL && k->endpoint->right != MONITOR_ANYBODY) {
		refuse_nobody(k);
	} else {
		identify_nobody(k, on_known);
	}
}
