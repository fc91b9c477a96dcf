/*
 * Telling the Manager (hiclaw-integration.md 10.1): its program watches the file, so that the edit is the reload. It
 * is called all the same, since some have the call, and asked whether it lives. Nobody gets a signal.
 */
#include "hiclaw/switch_int.h"

#include "wire/url.h"

#define CALL_MS 5000u
#define ALIVE_AGAIN_MS 500u
#define ANSWER_MAX ((size_t)64 << 10)

static const char *const methods[] = {
	[RELOAD_NONE] = "none",
	[RELOAD_ENDPOINT] = "endpoint",
	[RELOAD_WATCHER] = "watcher",
	[RELOAD_UNREACHABLE] = "unreachable",
};

/* Fills whom a fetch asks for what; false: no URL that can be called. */
static bool aim(struct switch_run *r, struct bytes text)
{
	struct bytes host, target;
	struct url u;

	if (text.n == 0 || url_parse(&u, text, NULL) != 0) {
		return false;
	}
	host = u.host;
	if (host.p[0] == '[') { /* an IPv6 address is connected to without brackets */
		host = bytes_of(host.p + 1, host.n - 2);
	}
	r->fetch.tls = bytes_eq_nocase(u.scheme, BYTES("https"));
	r->fetch.host = arena_copy(&r->arena, host).p;
	r->fetch.port = u.port != 0 ? u.port : r->fetch.tls ? 443 : 80;
	target = u.query.p != NULL ? bytes_of(u.path.p, (size_t)(u.query.p + u.query.n - u.path.p))
				   : u.path;
	r->fetch.target = target.n != 0 ? target : BYTES("/");
	fetch_add(&r->fetch, BYTES("Host"),
		u.port != 0 ? switch_textf(r, BYTES_FMT ":%u", BYTES_ARG(u.host), u.port) : u.host);
	return true;
}

static bool ask(struct switch_run *r, struct bytes url, struct bytes method, uint64_t ms,
	void (*on_done)(struct fetch *f))
{
	fetch_done(&r->fetch);
	r->fetch = (struct fetch){.method = method,
		.timeout_ms = ms,
		.answer_max = ANSWER_MAX,
		.on_done = on_done,
		.arg = r};
	return aim(r, url);
}

/* --- whether it lives --------------------------------------------------------------------------------- */

static enum step_rc conclude(struct switch_run *r)
{
	if (r->method == RELOAD_UNREACHABLE || !r->alive) {
		switch_outcome(r, OUTCOME_WARNED, "the Manager's program does not answer");
		switch_warn(r, "RELOAD_UNCONFIRMED",
			"The Manager's program does not answer at the moment: it uses the new model "
			"as soon as it runs");
	}
	return STEP_NEXT;
}

static enum step_rc probe(struct switch_run *r);

static void on_again(struct timer *t)
{
	IGNORE(probe(CONTAINER_OF(t, struct switch_run, timer))); /* it was asked before */
}

static void on_probed(struct fetch *f)
{
	struct switch_run *r = f->arg;

	r->alive = f->rc == FETCH_DONE && f->status < 500;
	if (!r->alive && loop_now_ms(r->h->loop) + ALIVE_AGAIN_MS < r->until_ms) {
		timer_set(r->h->loop, &r->timer, ALIVE_AGAIN_MS, on_again);
		return;
	}
	switch_resume(r, conclude(r));
}

/* STEP_WAIT, or what it comes to without a question. */
static enum step_rc probe(struct switch_run *r)
{
	uint64_t now = loop_now_ms(r->h->loop);
	uint64_t left = r->until_ms > now ? r->until_ms - now : 1;

	if (!ask(r, r->h->env->probe_url, BYTES("GET"), left, on_probed)) {
		r->alive = r->method != RELOAD_UNREACHABLE; /* nothing says otherwise */
		return conclude(r);
	}
	fetch_start(r->h->fetcher, &r->fetch);
	return STEP_WAIT;
}

static enum step_rc start_probe(struct switch_run *r)
{
	r->until_ms = loop_now_ms(r->h->loop) + r->s->alive_ms;
	return probe(r);
}

/* --- the call ----------------------------------------------------------------------------------------- */

static void on_called(struct fetch *f)
{
	struct switch_run *r = f->arg;

	r->method = f->rc != FETCH_DONE ? RELOAD_UNREACHABLE
		: f->status / 100 == 2  ? RELOAD_ENDPOINT
					: RELOAD_WATCHER;
	if (start_probe(r) != STEP_WAIT) {
		switch_resume(r, STEP_NEXT);
	}
}

static bool start_call(struct switch_run *r)
{
	struct bytes key = r->h->env->secrets.manager_key;

	if (!ask(r, r->h->env->reload_url, BYTES("POST"), CALL_MS, on_called)) {
		return false;
	}
	fetch_add(&r->fetch, BYTES("Content-Type"), BYTES("application/json"));
	if (key.n != 0) {
		fetch_add(&r->fetch, BYTES("Authorization"),
			switch_textf(r, "Bearer " BYTES_FMT, BYTES_ARG(key)));
	}
	r->fetch.body = BYTES("{}");
	fetch_start(r->h->fetcher, &r->fetch);
	return true;
}

static void find_config(struct job *j)
{
	struct switch_run *r = CONTAINER_OF(j, struct switch_run, job);

	r->config_there = env_manager_config(r->h->env).n != 0;
}

static void on_found(struct job *j)
{
	struct switch_run *r = CONTAINER_OF(j, struct switch_run, job);
	enum step_rc rc = STEP_WAIT;

	if (!r->config_there) {
		rc = switch_fail(r, HICLAW_CONFIG_INCOMPLETE,
			"There is nothing to reload: OpenClaw config not found");
	} else if (!start_call(r)) {
		r->method = RELOAD_WATCHER;
		rc = start_probe(r);
	}
	if (rc != STEP_WAIT) {
		switch_resume(r, rc);
	}
}

enum step_rc switch_reload_step(struct switch_run *r)
{
	if (!r->manager) {
		switch_outcome(r, OUTCOME_SKIPPED, "a Worker reads it when it starts");
		return STEP_NEXT;
	}
	if (r->only_reload && !r->h->opts.attached) {
		return switch_fail(r, HICLAW_CONFIG_INCOMPLETE,
			"There is nothing to reload: this gateway was not started with --hiclaw");
	}
	if (r->only_reload) {
		switch_job(r, find_config, on_found);
		return STEP_WAIT;
	}
	if (!r->h->opts.attached || (!r->reload_asked && !switch_config_changes(r))) {
		switch_outcome(r, OUTCOME_SKIPPED, "its configuration did not change");
		return STEP_NEXT;
	}
	if (start_call(r)) {
		return STEP_WAIT;
	}
	r->method = RELOAD_WATCHER; /* nothing is to be called */
	return start_probe(r);
}

struct doc *switch_reload_doc(const struct switch_run *r, struct arena *a)
{
	struct doc *d = doc_map(a);

	doc_set(a, d, "ok", doc_bool(a, r->method != RELOAD_UNREACHABLE && r->alive));
	doc_set(a, d, "method", doc_str(a, methods[r->method]));
	return d;
}
