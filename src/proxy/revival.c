/*
 * Workers only raise a flag when something goes out of service; as long as nothing has, a tick costs one load. A probe is
 * the one request that a half open circuit lets through, so it and a worker's request never try at the same time.
 */
#include "proxy/revival.h"

#include <stdlib.h>

#include "base/log.h"
#include "plan/failover.h"
#include "proxy/gateway_int.h"
#include "proxy/probe.h"
#include "wire/json.h"

#define QUESTION "who are you?"
/* For APIs that insist on a number. */
#define ANSWER_TOKENS 16u

struct revival {
	struct gateway *g;
	struct list running;
	unsigned n;
};

struct reviving {
	struct list link;
	struct revival *r;
	struct probe probe;
	struct lane *lane;
	struct health_pass pass;
	unsigned successes;
	uint32_t every_ms;
	struct text texts; /* the provider's id, then the body */
};

struct revival *revival_new(struct gateway *g)
{
	struct revival *r = must_alloc(sizeof(*r));

	r->g = g;
	list_init(&r->running);
	return r;
}

static void end(struct reviving *v)
{
	list_remove(&v->link);
	v->r->n--;
	v->lane->probing = false;
	probe_done(&v->probe);
	text_done(&v->texts);
	free(v);
}

void revival_free(struct revival *r)
{
	if (r == NULL) {
		return;
	}
	while (!list_empty(&r->running)) {
		end(CONTAINER_OF(r->running.next, struct reviving, link));
	}
	free(r);
}

/* Whether the provider is asked in Anthropic's protocol. */
static bool speaks_messages(const struct provider *p)
{
	bool messages = false;

	for (size_t i = 0; i < p->n_caps; i++) {
		if (p->caps[i].path != NULL && p->caps[i].api == API_CHAT_COMPLETIONS) {
			return false;
		}
		messages |= p->caps[i].path != NULL && p->caps[i].api == API_ANTHROPIC_MESSAGES;
	}
	return messages;
}

static void put_question(struct text *t, const struct provider *p)
{
	struct json_writer w;

	json_writer_init(&w, t);
	json_open_object(&w);
	json_key(&w, "model");
	json_put_string(&w, p->failover.probe_model);
	json_key(&w, "messages");
	json_open_array(&w);
	json_open_object(&w);
	json_key(&w, "role");
	json_put_str(&w, "user");
	json_key(&w, "content");
	json_put_str(&w, QUESTION);
	json_close_object(&w);
	json_close_array(&w);
	if (speaks_messages(p)) {
		json_key(&w, "max_tokens");
		json_put_u64(&w, ANSWER_TOKENS);
	}
	json_close_object(&w);
}

static void on_done(struct probe *p)
{
	struct reviving *v = p->arg;
	uint64_t now = loop_now_ms(v->r->g->control);
	bool good = p->failure == PROBE_ANSWERED && p->status >= 200 && p->status < 300;

	if (p->failure == PROBE_NO_PROVIDER || p->failure == PROBE_GONE) {
		health_leave(&v->lane->health, &v->pass, now);
	} else if (good) {
		health_good(&v->lane->health, &v->pass, v->successes, now);
	} else {
		IGNORE(health_bad(&v->lane->health, &v->pass, 1, HEALTH_UNTIL_PROBED,
			atomic_load(&v->lane->health.why))); /* it was out before */
	}
	v->lane->probe_at_ms = now + v->every_ms;
	end(v);
}

static void begin(struct revival *r, const struct lane_slot *s)
{
	const struct failover_policy *policy = &s->provider->failover;
	struct reviving *v = must_alloc(sizeof(*v));
	size_t n = s->provider->id.n;

	if (!health_probe(&s->lane->health, &v->pass)) {
		free(v); /* a request has it in hand */
		return;
	}
	v->r = r;
	v->lane = s->lane;
	v->successes = policy->success_threshold;
	v->every_ms = policy->probe_every_ms;
	text_init(&v->texts, SIZE_MAX);
	text_add_bytes(&v->texts, s->provider->id);
	put_question(&v->texts, s->provider);
	v->probe = (struct probe){.provider = bytes_of(v->texts.p, n),
		.credential = s->lane,
		.method = BYTES("POST"),
		.path = speaks_messages(s->provider) ? BYTES("/v1/messages")
						     : BYTES("/v1/chat/completions"),
		.body = bytes_of(v->texts.p + n, v->texts.n - n),
		.connect_ms = policy->probe_timeout_ms,
		.total_ms = policy->probe_timeout_ms,
		.on_done = on_done,
		.arg = v};
	list_append(&r->running, &v->link);
	r->n++;
	s->lane->probing = true;
	probe_start(r->g, &v->probe);
}

/* To people, once for each change. */
static void say(const struct lane_slot *s, bool out)
{
	struct lane *l = s->lane;
	const char *why = failure_class_name((enum failure_class)atomic_load(&l->health.why));
	struct bytes end_of = lane_last_four(s->secret);

	if (out == l->said_out) {
		return;
	}
	l->said_out = out;
	if (out) {
		log_warn("proxy",
			"credential ..." BYTES_FMT " of provider " BYTES_FMT
			" is out of service (%s); see /healthz/upstreams",
			BYTES_ARG(end_of), BYTES_ARG(s->provider->id), why);
	} else {
		log_info("proxy",
			"credential ..." BYTES_FMT " of provider " BYTES_FMT " is in service again",
			BYTES_ARG(end_of), BYTES_ARG(s->provider->id));
	}
}

/* True: it is out. */
static bool look(struct revival *r, const struct lane_slot *s, uint64_t now)
{
	struct lane *l = s->lane;
	struct health_view v = health_look(&l->health);
	bool out = !health_is_up(&l->health, now) || v.state == HEALTH_HALF;

	say(s, out);
	if (v.state == HEALTH_CLOSED) {
		l->probe_at_ms = 0;
	} else if (s->provider->failover.probe_model.n == 0) {
		health_unprobed(&l->health, now + COURSE_CREDENTIAL_MS); /* another plan had one */
	} else if (v.state == HEALTH_OPEN) {
		l->probe_at_ms = l->probe_at_ms != 0 ? l->probe_at_ms
						     : now + s->provider->failover.probe_every_ms;
		if (now >= l->probe_at_ms && !l->probing && r->n < REVIVAL_MAX) {
			begin(r, s);
		}
	}
	return v.state != HEALTH_CLOSED || l->said_out;
}

void revival_tick(struct revival *r, const struct plan *p)
{
	uint64_t now = loop_now_ms(r->g->control);
	bool any = false;

	if (p == NULL || !atomic_exchange(&r->g->ailing, false)) {
		return;
	}
	for (const struct lane_slot *s = p->lanes; s != NULL; s = s->next) {
		if (s->kind == LANE_CREDENTIAL && s->provider->failover.enabled) {
			any |= look(r, s, now);
		}
	}
	if (any) {
		atomic_store(&r->g->ailing, true);
	}
}
