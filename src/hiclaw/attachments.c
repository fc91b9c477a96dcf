#include "hiclaw/attachments.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "hiclaw/hiclaw_int.h"
#include "hiclaw/workers.h"
#include "wire/url.h"

#define DETAIL_MAX 256u
#define PROBE_MS 5000u
#define PROBE_ANSWER_MAX ((size_t)64 << 10)

struct found {
	enum attachment_state state;
	char detail[DETAIL_MAX];
};

struct look { /* into files, on a jobs thread */
	struct job job;
	struct attachments *of; /* NULL: they are gone */
	const struct env *env;
	struct found manager, agents;
};

struct attachments {
	struct hiclaw *h;
	struct timer timer;
	struct look *looking;
	struct s3_call call;
	bool calling;
	struct fetch probe;
	bool probing;
	struct text host, authority;
	struct url url;
	struct found found[ATTACHMENTS];
};

const char *attachment_name(enum attachment a)
{
	static const char *const names[ATTACHMENTS] = {
		"controller", "managerFile", "agentsDir", "s3", "openclaw", "containerEngine"};

	return names[a];
}

const char *attachment_state_text(enum attachment_state s)
{
	static const char *const texts[] = {"absent", "ok", "degraded", "down"};

	return texts[s];
}

static void set(struct found *f, enum attachment_state state, struct bytes detail)
{
	f->state = state;
	snprintf(f->detail, sizeof(f->detail), BYTES_FMT, BYTES_ARG(detail));
}

/* --- files ----------------------------------------------------------------------------------------------------------- */

static void look_at_files(struct job *j)
{
	struct look *l = CONTAINER_OF(j, struct look, job);
	struct bytes config = env_manager_config(l->env);
	struct file_stat st = {.exists = false};

	set(&l->manager, config.n != 0 ? ATTACHMENT_OK : ATTACHMENT_ABSENT, config);
	if (file_stat(l->env->agents_dir.p, &st) != 0) {
		set(&l->agents, ATTACHMENT_DOWN, BYTES("the directory cannot be looked at"));
	} else if (st.exists && st.is_dir) {
		set(&l->agents, ATTACHMENT_OK, l->env->agents_dir);
	} else {
		set(&l->agents, ATTACHMENT_ABSENT, BYTES(""));
	}
}

static void on_files(struct job *j)
{
	struct look *l = CONTAINER_OF(j, struct look, job);

	if (l->of != NULL) {
		l->of->found[ATTACHMENT_MANAGER_FILE] = l->manager;
		l->of->found[ATTACHMENT_AGENTS_DIR] = l->agents;
		l->of->looking = NULL;
	}
	free(l);
}

static void begin_files(struct attachments *a)
{
	struct look *l = must_alloc(sizeof(*l));

	l->of = a;
	l->env = a->h->env;
	a->looking = l;
	l->job = (struct job){.home = a->h->loop, .work = look_at_files, .on_done = on_files};
	jobs_submit(a->h->jobs, &l->job);
}

/* --- the storage ----------------------------------------------------------------------------------------------------- */

static void on_bucket(struct s3_call *call)
{
	struct attachments *a = call->arg;
	struct found *f = &a->found[ATTACHMENT_S3];

	a->calling = false;
	if (call->rc == S3_OK) {
		set(f, ATTACHMENT_OK, a->h->env->bucket);
	} else {
		set(f, call->rc == S3_UNREACHABLE ? ATTACHMENT_DOWN : ATTACHMENT_DEGRADED,
			bytes_str(call->why.text));
	}
	s3_call_done(call);
}

static void begin_bucket(struct attachments *a)
{
	a->call = (struct s3_call){.verb = S3_BUCKET_HEAD, .on_done = on_bucket, .arg = a};
	a->calling = true;
	s3_start(a->h->s3, &a->call);
}

/* --- OpenClaw -------------------------------------------------------------------------------------------------------- */

static void on_probe(struct fetch *f)
{
	struct attachments *a = f->arg;
	struct found *out = &a->found[ATTACHMENT_OPENCLAW];
	bool expected = a->found[ATTACHMENT_MANAGER_FILE].state == ATTACHMENT_OK;

	a->probing = false;
	if (f->rc == FETCH_DONE) {
		set(out, f->status < 500 ? ATTACHMENT_OK : ATTACHMENT_DEGRADED,
			a->h->env->probe_url);
	} else {
		set(out, expected ? ATTACHMENT_DOWN : ATTACHMENT_ABSENT,
			expected ? bytes_str(f->why.text) : BYTES(""));
	}
	fetch_done(f);
}

static void begin_probe(struct attachments *a)
{
	bool tls = bytes_eq_nocase(a->url.scheme, BYTES("https"));

	a->probe = (struct fetch){.tls = tls,
		.host = text_cstr(&a->host),
		.port = a->url.port != 0 ? a->url.port
			: tls            ? 443
					 : 80,
		.method = BYTES("GET"),
		.target = a->url.path.n != 0 ? a->url.path : BYTES("/"),
		.timeout_ms = PROBE_MS,
		.answer_max = PROBE_ANSWER_MAX,
		.on_done = on_probe,
		.arg = a};
	fetch_add(&a->probe, BYTES("Host"), text_bytes(&a->authority));
	a->probing = true;
	fetch_start(a->h->fetcher, &a->probe);
}

static void take_probe_url(struct attachments *a)
{
	struct bytes host;
	struct fault f;

	if (a->h->env->probe_url.n == 0 || url_parse(&a->url, a->h->env->probe_url, &f) != 0) {
		a->url.host = BYTES("");
		return;
	}
	host = a->url.host;
	text_add_bytes(&a->authority, host);
	if (a->url.port != 0) {
		text_addf(&a->authority, ":%u", a->url.port);
	}
	if (host.n > 2 && host.p[0] == '[') {
		host = bytes_of(host.p + 1, host.n - 2);
	}
	text_add_bytes(&a->host, host);
}

/* --- all of them ----------------------------------------------------------------------------------------------------- */

static void on_timer(struct timer *t)
{
	struct attachments *a = CONTAINER_OF(t, struct attachments, timer);

	if (a->looking == NULL) {
		begin_files(a);
	}
	if (a->h->s3 != NULL && !a->calling) {
		begin_bucket(a);
	}
	if (a->url.host.n != 0 && !a->probing) {
		begin_probe(a);
	}
	timer_set(a->h->loop, &a->timer, ATTACHMENTS_MS, on_timer);
}

struct attachments *attachments_new(struct hiclaw *h)
{
	struct attachments *a = must_alloc(sizeof(*a));

	a->h = h;
	text_init(&a->host, 512);
	text_init(&a->authority, 512);
	if (h->opts.attached) {
		take_probe_url(a);
		timer_set(h->loop, &a->timer, 0, on_timer);
	}
	return a;
}

void attachments_free(struct attachments *a)
{
	if (a == NULL) {
		return;
	}
	timer_clear(a->h->loop, &a->timer);
	if (a->looking != NULL) {
		a->looking->of = NULL;
	}
	if (a->calling) {
		s3_cancel(&a->call);
		s3_call_done(&a->call);
	}
	if (a->probing) {
		fetch_cancel(&a->probe);
		fetch_done(&a->probe);
	}
	text_done(&a->host);
	text_done(&a->authority);
	free(a);
}

static enum attachment_state controller_state(const struct attachments *a, struct bytes *detail)
{
	switch (workers_controller(a->h->workers, detail)) {
	case WORKERS_CONTROLLER_OK:
		*detail = a->h->env->controller_url;
		return ATTACHMENT_OK;
	case WORKERS_CONTROLLER_DOWN:
		return ATTACHMENT_DOWN;
	case WORKERS_NO_CONTROLLER:
		break;
	}
	*detail = BYTES("");
	return ATTACHMENT_ABSENT;
}

static enum attachment_state engine_state_of(const struct attachments *a, struct bytes *detail)
{
	switch (workers_engine(a->h->workers, detail)) {
	case WORKERS_ENGINE_OK:
		*detail = a->h->env->container_socket;
		return ATTACHMENT_OK;
	case WORKERS_ENGINE_DOWN:
		return ATTACHMENT_DOWN;
	case WORKERS_NO_ENGINE:
		break;
	}
	*detail = BYTES("");
	return ATTACHMENT_ABSENT;
}

enum attachment_state attachments_get(
	const struct attachments *a, enum attachment which, struct bytes *detail_out)
{
	if (which == ATTACHMENT_CONTROLLER) {
		return controller_state(a, detail_out);
	}
	if (which == ATTACHMENT_ENGINE) {
		return engine_state_of(a, detail_out);
	}
	*detail_out = bytes_str(a->found[which].detail);
	return a->found[which].state;
}
