/*
 * Everybody who asks is put on one list, which is answered as a whole: at once in the next turn, or when the
 * one request to the controller that is under way has come back.
 */
#define _DEFAULT_SOURCE /* explicit_bzero */
#include "hiclaw/s3_credentials.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "hiclaw/s3_time.h"

struct s3_credentials {
	struct loop *loop;
	struct controller *controller;
	bool short_lived;
	struct s3_keys fixed; /* id empty: none; texts are ours */
	struct s3_keys brief; /* id empty: none now; texts are ours */
	uint64_t refresh_at, expires_at, no_sidecar_until;
	bool asking;
	struct controller_call call;
	struct list waiting;
	struct task task;
	struct fault why; /* of the last refusal */
};

/* --- keys --------------------------------------------------------------------------------------- */

static void wipe(struct bytes *b)
{
	char *p = (char *)(uintptr_t)b->p; /* ours: bytes_dup's */

	if (p != NULL) {
		explicit_bzero(p, b->n);
	}
	free(p);
	*b = bytes_of(NULL, 0);
}

static void drop(struct s3_keys *k)
{
	wipe(&k->id);
	wipe(&k->secret);
	wipe(&k->token);
	wipe(&k->endpoint);
	wipe(&k->bucket);
}

static struct bytes own(struct bytes b)
{
	return b.n == 0 ? bytes_of(NULL, 0) : bytes_of(bytes_dup(b), b.n);
}

static void keep(struct s3_keys *out, const struct s3_keys *k)
{
	drop(out);
	out->id = own(k->id);
	out->secret = own(k->secret);
	out->token = own(k->token);
	out->endpoint = own(k->endpoint);
	out->bucket = own(k->bucket);
	out->from = k->from;
}

/* A '/' or '+' in a secret is itself; the last '@' is the one in front of the host. */
static struct s3_keys from_mc_host(struct bytes text)
{
	struct s3_keys k = {.from = "MC_HOST_hiclaw"};
	size_t at = 0;

	for (size_t i = 0; i + 2 < text.n; i++) {
		if (memcmp(text.p + i, "://", 3) == 0) {
			text = bytes_of(text.p + i + 3, text.n - i - 3);
			break;
		}
	}
	for (size_t i = 0; i < text.n; i++) {
		at = text.p[i] == '@' ? i : at;
	}
	text.n = at;
	k.id = bytes_cut(&text, ':');
	if (text.p != NULL) {
		k.secret = bytes_cut(&text, ':');
		k.token = text;
	}
	return k;
}

static void choose_fixed(struct s3_credentials *c, const struct s3_credentials_opts *o)
{
	const struct s3_keys candidates[] = {
		{.id = o->fs_access, .secret = o->fs_secret, .from = "HICLAW_FS_ACCESS_KEY"},
		{.id = o->minio_user, .secret = o->minio_password, .from = "HICLAW_MINIO_USER"},
		{.id = o->admin_user, .secret = o->admin_password, .from = "HICLAW_ADMIN_USER"},
		from_mc_host(o->mc_host),
	};

	for (size_t i = 0; i < ARRAY_LEN(candidates); i++) {
		if (candidates[i].id.n != 0 && candidates[i].secret.n != 0) {
			keep(&c->fixed, &candidates[i]);
			return;
		}
	}
}

/* --- answers ------------------------------------------------------------------------------------ */

static const struct s3_keys *current(const struct s3_credentials *c)
{
	if (c->brief.id.n != 0 && loop_now_ms(c->loop) < c->expires_at) {
		return &c->brief;
	}
	return c->fixed.id.n != 0 ? &c->fixed : NULL;
}

static void answer(struct s3_credentials *c, const struct s3_keys *keys, const struct fault *why)
{
	struct list ready;

	list_init(&ready);
	list_splice(&ready, &c->waiting);
	while (!list_empty(&ready)) {
		struct s3_credentials_wait *w =
			CONTAINER_OF(ready.next, struct s3_credentials_wait, link);

		list_remove(&w->link);
		w->on_done(w, keys, why);
	}
}

static void on_task(struct task *t)
{
	struct s3_credentials *c = CONTAINER_OF(t, struct s3_credentials, task);
	const struct s3_keys *keys = current(c);
	struct fault why = {0};

	if (c->asking) {
		return; /* who came first waits with the others */
	}
	if (keys == NULL) {
		IGNORE(fault_set(&why, ERR_NOT_FOUND, 0, 0,
			"there are no keys for the object storage: set HICLAW_FS_ACCESS_KEY and "
			"HICLAW_FS_SECRET_KEY"));
	}
	answer(c, keys, &why);
}

static uint64_t life_ms(const struct controller_keys *k)
{
	uint64_t now = clock_wall_ms();
	uint64_t at;

	if (k->expires_s != 0) {
		return MIN(k->expires_s, 86400 * 7) * 1000;
	}
	return s3_time_iso(k->expiration, &at) && at > now ? at - now : 0;
}

static void take(struct s3_credentials *c, const struct controller_keys *k)
{
	uint64_t now = loop_now_ms(c->loop);
	uint64_t life = life_ms(k);

	keep(&c->brief,
		&(struct s3_keys){.id = k->id,
			.secret = k->secret,
			.token = k->token,
			.endpoint = k->endpoint,
			.bucket = k->bucket,
			.from = "the controller"});
	c->expires_at = now + life;
	c->refresh_at = now +
		(life > 2 * S3_CREDENTIALS_EARLY_MS ? life - S3_CREDENTIALS_EARLY_MS : life / 2);
}

/* Keys that have just come are handed out even when they say that they are expired: the store knows. */
static void on_called(struct controller_call *call)
{
	struct s3_credentials *c = call->arg;
	uint64_t now = loop_now_ms(c->loop);
	const struct s3_keys *keys = NULL;
	struct controller_keys k;

	c->asking = false;
	c->why = call->why;
	if (call->rc == CONTROLLER_OK && controller_keys_read(call->answer, &k)) {
		take(c, &k);
		keys = &c->brief;
	} else if (call->rc == CONTROLLER_OK) {
		IGNORE(fault_set(&c->why, ERR_SYNTAX, 0, 0,
			"the controller gave no keys for the object storage"));
	} else if (call->status == 503) {
		c->no_sidecar_until = now + S3_CREDENTIALS_NO_SIDECAR_MS;
		keys = current(c);
	}
	if (keys == NULL && c->brief.id.n != 0 && now < c->expires_at) {
		log_warn("hiclaw",
			"new keys for the object storage were not given (%s); the old ones are used until "
			"they expire",
			c->why.text);
		c->refresh_at = now + S3_CREDENTIALS_AGAIN_MS;
		keys = &c->brief;
	}
	controller_call_done(call);
	answer(c, keys, &c->why);
}

static bool is_due(const struct s3_credentials *c)
{
	uint64_t now = loop_now_ms(c->loop);

	return c->short_lived && c->controller != NULL && now >= c->no_sidecar_until &&
		(c->brief.id.n == 0 || now >= c->refresh_at);
}

void s3_credentials_get(struct s3_credentials *c, struct s3_credentials_wait *w)
{
	list_append(&c->waiting, &w->link);
	if (c->asking) {
		return;
	}
	if (is_due(c)) {
		c->asking = true;
		c->call = (struct controller_call){.on_done = on_called, .arg = c};
		controller_keys(c->controller, &c->call);
	} else {
		loop_again(c->loop, &c->task, on_task);
	}
}

void s3_credentials_cancel(struct s3_credentials_wait *w)
{
	list_remove(&w->link);
}

bool s3_credentials_expired(struct s3_credentials *c)
{
	if (c->brief.id.n == 0) {
		return false;
	}
	c->refresh_at = c->expires_at = 0;
	return true;
}

/* --- life --------------------------------------------------------------------------------------- */

struct s3_credentials *s3_credentials_new(const struct s3_credentials_opts *o)
{
	struct s3_credentials *c = must_alloc(sizeof(*c));

	c->loop = o->loop;
	c->controller = o->controller;
	c->short_lived = o->short_lived;
	list_init(&c->waiting);
	choose_fixed(c, o);
	return c;
}

void s3_credentials_free(struct s3_credentials *c)
{
	if (c == NULL) {
		return;
	}
	while (!list_empty(&c->waiting)) {
		list_remove(c->waiting.next);
	}
	loop_again_cancel(&c->task);
	if (c->asking) {
		controller_cancel(&c->call);
		controller_call_done(&c->call);
	}
	drop(&c->fixed);
	drop(&c->brief);
	free(c);
}
