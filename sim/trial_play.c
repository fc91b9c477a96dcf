/*
 * One clock for everybody: what is due is done, the world comes to rest (a moment), everybody looks, and time goes on to what is
 * due next, be it the program's deadline or a deed of the trial's. So everything that a moment brings is seen in the next one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "plan/lane.h"
#include "plan/plan.h"
#include "proxy/gateway.h"
#include "sim/given.h"
#include "sim/player.h"
#include "sim/trial.h"
#include "sim/world.h"

#define MS 1000000u
/* Far more than all deadlines of a request together: an answer that has not come then never will. */
#define HORIZON_MS 600000u
#define REQUEST_MAX 262144u
#define WIRES_MAX 4096u

/* A connection that the program made. */
struct wire {
	struct far *far;
	struct message message;
	bool begun, used; /* used: a request came on it */
	int attempt;      /* under way on it; -1: none */
	unsigned provider, endpoint;
	bool direct; /* it was up at once */
};

struct stage {
	const struct trial *t;
	struct player p;
	struct trial_seen seen;
	struct wire *wires;
	unsigned n_wires;
	uint64_t began_ns;
	unsigned moment, questions;
	bool reloaded, down[TRIAL_OUTAGES], up[TRIAL_OUTAGES];
	struct far *looked_at; /* the last connection that is in wires, of the network's */
};

static uint64_t now_ms(const struct stage *g)
{
	return (world()->now_ns - g->began_ns) / MS;
}

static void soonest(uint64_t *next, uint64_t at)
{
	*next = MIN(*next, at);
}

/* --- clients ------------------------------------------------------------------------------------ */

static void put_body(const struct trial_request *r, const char *model, struct text *out)
{
	text_addf(out, "{\"model\":\"%s\",%s\"messages\":[{\"role\":\"user\",\"content\":\"", model,
		r->stream ? "\"stream\":true,\"stream_options\":{\"include_usage\":true}," : "");
	for (size_t i = 0; i < r->prompt; i++) {
		text_add_char(out, (char)('a' + i % 26));
	}
	text_add_str(out, "\"}]}");
}

static void ask(struct stage *g, unsigned i)
{
	const struct trial_request *r = &g->t->requests[i];
	struct trial_caller *c = &g->seen.callers[i];
	struct far_habits habits = {r->piece, r->read_max, SIZE_MAX, r->window};
	struct sys_addr at;
	struct text head, body;

	ASSERT(sys_addr_parse(&at, SUBJECT_ADDRESS, strlen(SUBJECT_ADDRESS), SUBJECT_PORT) == 0);
	c->far = simnet_connect(world()->net, &at, &habits);
	ASSERT(c->far != NULL);
	message_begin(&c->message, false, 0);
	text_init(&head, REQUEST_MAX);
	text_init(&body, REQUEST_MAX);
	put_body(r, "any", &body);
	text_addf(&head,
		"POST /v1/chat/completions HTTP/1.1\r\nHost: a.test\r\nx-request-id: trial-%u\r\n"
		"Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
		i, body.n);
	far_send(c->far, text_bytes(&head));
	far_send(c->far, text_bytes(&body));
	text_done(&head);
	text_done(&body);
	c->asked_ms = now_ms(g);
	c->epoch = g->reloaded;
}

static bool is_over(const struct trial_caller *c)
{
	return c->left || c->ended_ms != 0;
}

static bool callers_act(struct stage *g, uint64_t *next)
{
	bool acted = false;

	for (unsigned i = 0; i < g->t->n_requests; i++) {
		const struct trial_request *r = &g->t->requests[i];
		struct trial_caller *c = &g->seen.callers[i];

		if (r->left_out || is_over(c)) {
			continue;
		}
		if (c->far == NULL && now_ms(g) >= r->at_ms) {
			ask(g, i);
			acted = true;
		} else if (c->far != NULL && r->leaves_ms != 0 &&
			now_ms(g) >= r->at_ms + r->leaves_ms) {
			(r->leaves_by_reset ? far_reset : far_close)(c->far);
			c->left = acted = true;
			c->left_moment = g->moment;
		} else if (c->far == NULL || r->leaves_ms != 0) {
			soonest(next, r->at_ms + (c->far != NULL ? r->leaves_ms : 0));
		}
	}
	return acted;
}

static void callers_look(struct stage *g)
{
	for (unsigned i = 0; i < g->t->n_requests; i++) {
		struct trial_caller *c = &g->seen.callers[i];

		if (c->far == NULL || is_over(c)) {
			continue;
		}
		if (c->first_moment == 0 && pipe_n(&c->far->got) != 0) {
			c->first_moment = g->moment;
			c->first_ms = now_ms(g);
		}
		message_read(&c->message, pipe_bytes(&c->far->got), c->far->end != FAR_OPEN);
		if (c->message.state == MESSAGE_DONE || c->message.state == MESSAGE_BROKEN ||
			c->far->end != FAR_OPEN) {
			c->ended_ms = now_ms(g);
		}
	}
}

/* --- upstreams ---------------------------------------------------------------------------------- */

/* What comes on no address of the trial's is a mistake of its own. */
static void find_place(const struct sys_addr *a, unsigned *provider, unsigned *endpoint)
{
	for (*provider = 0; *provider < TRIAL_PROVIDERS; (*provider)++) {
		for (*endpoint = 0; *endpoint < TRIAL_ENDPOINTS; (*endpoint)++) {
			struct sys_addr mine = trial_address(*provider, *endpoint);

			if (mine.len == a->len && memcmp(&mine.u, &a->u, a->len) == 0) {
				return;
			}
		}
	}
	ASSERT(false);
}

static void find_wires(struct stage *g)
{
	struct far *f = g->looked_at != NULL ? g->looked_at->next : simnet_first(world()->net);

	for (; f != NULL; f = f->next) {
		struct wire *w = &g->wires[g->n_wires];

		g->looked_at = f;
		if (!f->by_product) {
			continue;
		}
		ASSERT(g->n_wires < WIRES_MAX);
		*w = (struct wire){.far = f, .attempt = -1, .direct = f->answered};
		find_place(&f->address, &w->provider, &w->endpoint);
		g->seen.refused[w->provider][w->endpoint] += f->refused;
		g->seen.swallowed[w->provider][w->endpoint] += !f->refused && !f->answered;
		g->n_wires++;
	}
}

/* A question of the gateway's own, for a credential's health: every second one is answered. */
static void answer_question(struct stage *g, struct wire *w)
{
	bool good = g->questions++ % 2 != 0;

	far_send(w->far,
		good ? BYTES("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n"
			     "{\"choices\":[]}")
		     : BYTES("HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n{}"));
}

static unsigned key_of(struct bytes authorization, unsigned provider)
{
	for (unsigned k = 0; k < TRIAL_KEYS; k++) {
		char text[64];

		snprintf(text, sizeof(text), "Bearer " TRIAL_KEY_FMT, provider, k);
		if (bytes_eq(authorization, bytes_str(text))) {
			return k;
		}
	}
	return TRIAL_KEYS;
}

static unsigned seen_before(const struct stage *g, unsigned request)
{
	unsigned n = 0;

	for (unsigned i = 0; i < g->seen.n_attempts; i++) {
		n += g->seen.attempts[i].request == request;
	}
	return n;
}

static void begin_acts(struct stage *g, struct trial_attempt *a)
{
	a->n_acts =
		trial_acts(a->step, g->t->requests[a->request].stream, a->request, a->k, a->acts);
	a->due_ms = now_ms(g) + (a->n_acts != 0 ? a->acts[0].after_ms : 0);
}

/* The head of a request is there. */
static void begin_attempt(struct stage *g, struct wire *w)
{
	struct bytes id = message_field(&w->message, BYTES("x-request-id"), 0);
	struct trial_attempt *a = &g->seen.attempts[g->seen.n_attempts];
	uint64_t request;

	if (!bytes_starts(id, BYTES("trial-")) ||
		!num_parse_u64(bytes_of(id.p + 6, id.n - 6), TRIAL_REQUESTS - 1, &request)) {
		return;
	}
	ASSERT(g->seen.n_attempts < TRIAL_ATTEMPTS);
	*a = (struct trial_attempt){.far = w->far,
		.request = (unsigned)request,
		.k = seen_before(g, (unsigned)request),
		.provider = w->provider,
		.endpoint = w->endpoint,
		.key = key_of(message_field(&w->message, BYTES("authorization"), 0), w->provider),
		.moment = g->moment,
		.at_ms = now_ms(g)};
	a->step = &g->t->requests[request].script[MIN(a->k, TRIAL_SCRIPT - 1)];
	a->first = !w->used;
	a->direct = w->direct;
	w->attempt = (int)g->seen.n_attempts++;
	if (trial_is_early(a->step->does)) {
		begin_acts(g, a);
	}
}

/* All of it is there. */
static void end_request(struct stage *g, struct wire *w)
{
	struct trial_attempt *a;
	char model[8];
	struct text t;

	w->begun = false;
	if (w->attempt < 0) {
		if (w->far->end == FAR_OPEN && !w->far->closed) {
			answer_question(g, w);
		}
		return;
	}
	a = &g->seen.attempts[w->attempt];
	a->whole = true;
	text_init(&t, REQUEST_MAX);
	snprintf(model, sizeof(model), "m%u", w->provider);
	put_body(&g->t->requests[a->request], model, &t);
	a->right = bytes_eq(pipe_bytes(&w->message.body), text_bytes(&t));
	text_done(&t);
	if (!trial_is_early(a->step->does)) {
		begin_acts(g, a);
	}
}

static void read_wire(struct stage *g, struct wire *w)
{
	struct bytes all = pipe_bytes(&w->far->got);
	bool ended = w->far->end != FAR_OPEN;

	for (;;) {
		size_t at = w->message.at;
		bool had_head = w->begun && w->message.state != MESSAGE_HEAD;

		if (!w->begun) {
			if (at >= all.n) {
				return;
			}
			message_done(&w->message);
			message_begin(&w->message, true, at);
			w->begun = true;
			w->attempt = -1;
		}
		message_read(&w->message, all, ended);
		if (!had_head && w->message.state != MESSAGE_HEAD) {
			begin_attempt(g, w);
			w->used = true;
		}
		if (w->message.state != MESSAGE_DONE) {
			return;
		}
		end_request(g, w);
	}
}

/* The gateway waits for something of it. */
static bool is_under_way(const struct trial_attempt *a)
{
	bool waits = a->done < a->n_acts || a->n_acts == 0 || trial_is_cut(a->step) ||
		a->step->does == BEHAVE_HEAD_STALLS || a->step->does == BEHAVE_PINGS_STALL;

	return waits && !a->far->closed && a->left_moment == 0;
}

static void upstreams_look(struct stage *g)
{
	unsigned at_once[TRIAL_PROVIDERS] = {0};

	find_wires(g);
	for (unsigned i = 0; i < g->n_wires; i++) {
		if (!g->wires[i].far->refused) {
			read_wire(g, &g->wires[i]);
		}
	}
	for (unsigned i = 0; i < g->seen.n_attempts; i++) {
		struct trial_attempt *a = &g->seen.attempts[i];

		if (!is_under_way(a)) {
			continue;
		}
		if (a->far->end != FAR_OPEN) {
			a->left_moment = g->moment;
			a->left_ms = now_ms(g);
		} else {
			at_once[a->provider]++;
		}
	}
	for (unsigned i = 0; i < TRIAL_PROVIDERS; i++) {
		g->seen.most_at_once[i] = MAX(g->seen.most_at_once[i], at_once[i]);
	}
}

static void do_act(struct trial_attempt *a)
{
	const struct trial_act *act = &a->acts[a->done++];

	switch (act->kind) {
	case ACT_SEND:
		far_send(a->far, text_bytes(&act->bytes));
		break;
	case ACT_CLOSE:
		far_close(a->far);
		break;
	case ACT_RESET:
		far_reset(a->far);
		break;
	}
}

static bool upstreams_act(struct stage *g, uint64_t *next)
{
	bool acted = false;

	for (unsigned i = 0; i < g->seen.n_attempts; i++) {
		struct trial_attempt *a = &g->seen.attempts[i];

		while (a->done < a->n_acts && !a->far->closed && a->far->end == FAR_OPEN &&
			a->due_ms <= now_ms(g)) {
			do_act(a);
			a->sent_ms = now_ms(g);
			acted = true;
			a->due_ms += a->done < a->n_acts ? a->acts[a->done].after_ms : 0;
		}
		if (a->done < a->n_acts && !a->far->closed && a->far->end == FAR_OPEN) {
			soonest(next, a->due_ms);
		}
	}
	return acted;
}

/* --- addresses and configuration ---------------------------------------------------------------- */

static void reset_all(struct stage *g, const struct trial_outage *o)
{
	for (unsigned i = 0; i < g->n_wires; i++) {
		struct wire *w = &g->wires[i];

		if (w->provider != o->provider || w->endpoint != o->endpoint || w->far->closed ||
			!w->far->answered) {
			continue;
		}
		far_reset(w->far);
		for (unsigned k = 0; k < g->seen.n_attempts; k++) {
			struct trial_attempt *a = &g->seen.attempts[k];

			if (a->far == w->far && a->left_moment == 0 && w->attempt == (int)k) {
				a->struck = true;
				a->struck_ms = now_ms(g);
			}
		}
	}
}

static bool outages_act(struct stage *g, uint64_t *next)
{
	bool acted = false;

	for (unsigned i = 0; i < g->t->n_outages; i++) {
		const struct trial_outage *o = &g->t->outages[i];
		struct sys_addr at = trial_address(o->provider, o->endpoint);

		if (!g->down[i] && now_ms(g) >= o->from_ms) {
			g->down[i] = acted = true;
			simnet_address(world()->net, &at, o->silent ? ADDR_SILENT : ADDR_REFUSES);
			if (o->resets) {
				reset_all(g, o);
			}
		} else if (g->down[i] && !g->up[i] && now_ms(g) >= o->to_ms) {
			g->up[i] = acted = true;
			simnet_answer_late(world()->net, &at);
		} else if (!g->up[i]) {
			soonest(next, g->down[i] ? o->to_ms : o->from_ms);
		}
	}
	return acted;
}

static bool reload_acts(struct stage *g, uint64_t *next)
{
	if (g->t->n_epochs < 2 || g->reloaded) {
		return false;
	}
	if (now_ms(g) < g->t->reload_ms) {
		soonest(next, g->t->reload_ms);
		return false;
	}
	g->reloaded = true;
	trial_tree(g->t, 1);
	g->p.ops->reload(g->p.subject);
	return true;
}

/* --- the clock ---------------------------------------------------------------------------------- */

static bool settle(struct stage *g)
{
	if (!play_settle(&g->p)) {
		return false;
	}
	if (world()->wrong.n != 0) {
		return play_fail(&g->p, "the product did wrong: " BYTES_FMT,
			BYTES_ARG(text_bytes(&world()->wrong)));
	}
	g->moment++;
	upstreams_look(g);
	callers_look(g);
	return true;
}

static bool all_is_over(const struct stage *g)
{
	for (unsigned i = 0; i < g->t->n_requests; i++) {
		if (!g->t->requests[i].left_out && !is_over(&g->seen.callers[i])) {
			return false;
		}
	}
	return true;
}

static bool run(struct stage *g)
{
	while (!all_is_over(g)) {
		uint64_t next = UINT64_MAX;
		uint64_t until;
		bool acted = reload_acts(g, &next);

		acted = outages_act(g, &next) || acted;
		acted = callers_act(g, &next) || acted;
		acted = upstreams_act(g, &next) || acted;
		if (!acted) {
			IGNORE(simnet_asleep(
				world()->net, &until)); /* it does: the world is settled */
			until = MAX(until, world()->now_ns + MS);
			next = next == UINT64_MAX ? next : g->began_ns + next * MS;
			world()->now_ns = MAX(MIN(until, next), world()->now_ns);
		}
		if (now_ms(g) > HORIZON_MS) {
			return play_fail(
				&g->p, "a request has no answer after %u s", HORIZON_MS / 1000);
		}
		if (!settle(g)) {
			return false;
		}
	}
	return settle(g);
}

/* --- the whole ---------------------------------------------------------------------------------- */

static void set(struct settings *s, const char *name, uint64_t value)
{
	snprintf(s->v[s->n].name, sizeof(s->v[s->n].name), "%s", name);
	s->v[s->n++].value = value;
}

static void open_addresses(const struct trial *t)
{
	const struct far_habits habits = {
		t->upstream_piece, PIECE_ALL, SIZE_MAX, t->upstream_window};

	for (unsigned i = 0; i < TRIAL_PROVIDERS; i++) {
		for (unsigned e = 0; e < TRIAL_ENDPOINTS; e++) {
			struct sys_addr at = trial_address(i, e);

			simnet_address(world()->net, &at, ADDR_ACCEPTS);
			simnet_address_habits(world()->net, &at, &habits);
		}
	}
}

static bool begin(struct stage *g)
{
	struct settings *s = &g->p.settings;

	g->p.ops = &subject_gateway;
	set(s, "workers", g->t->workers);
	set(s, "first_byte_ms", TRIAL_FIRST_BYTE_MS);
	set(s, "answer_ms", TRIAL_ANSWER_MS);
	set(s, "stream_idle_ms", TRIAL_IDLE_MS);
	open_addresses(g->t);
	trial_tree(g->t, 0);
	if (!play_start(&g->p)) {
		return false;
	}
	g->began_ns = world()->now_ns;
	return true;
}

static void count(struct stage *g)
{
	struct gateway *gw = g->p.ops->gateway(g->p.subject);
	struct trial_counts *out = &g->seen.counts;
	struct worker_counts c;

	gateway_counts(gw, &c);
	out->exchanges = c.exchanges;
	out->retries = c.retries;
	out->fallbacks = c.fallbacks;
	out->client_aborts = c.client_aborts;
	out->replies = c.replies;
	for (unsigned i = 0; i < FAILURE_CLASSES; i++) {
		out->failed[i] = c.failed[i];
	}
	for (const struct lane_slot *s = gateway_plan(gw)->lanes; s != NULL; s = s->next) {
		out->in_use += atomic_load(&s->lane->used);
		out->waiting += atomic_load(&s->lane->waiting) + atomic_load(&s->lane->waiting_own);
	}
	g->seen.log = g->p.ops->log(g->p.subject);
	g->seen.ended_ms = now_ms(g);
}

/* Upstreams are gone as well: a question for a credential's health would be under way for ever. */
static void hang_up(struct stage *g)
{
	for (unsigned i = 0; i < TRIAL_PROVIDERS * TRIAL_ENDPOINTS; i++) {
		struct sys_addr at = trial_address(i / TRIAL_ENDPOINTS, i % TRIAL_ENDPOINTS);

		simnet_address(world()->net, &at, ADDR_REFUSES);
	}
	for (unsigned i = 0; i < g->n_wires; i++) {
		if (!g->wires[i].far->closed && !g->wires[i].far->refused) {
			far_close(g->wires[i].far);
		}
	}
	for (unsigned i = 0; i < g->t->n_requests; i++) {
		struct trial_caller *c = &g->seen.callers[i];

		if (c->far != NULL && !c->far->closed) {
			far_close(c->far);
		}
	}
}

static void end(struct stage *g)
{
	for (unsigned i = 0; i < g->seen.n_attempts; i++) {
		trial_acts_done(g->seen.attempts[i].acts, g->seen.attempts[i].n_acts);
	}
	for (unsigned i = 0; i < g->n_wires; i++) {
		message_done(&g->wires[i].message);
	}
	for (unsigned i = 0; i < g->t->n_requests; i++) {
		message_done(&g->seen.callers[i].message);
	}
	free(g->seen.attempts);
	free(g->wires);
	text_done(&g->p.failure);
	free(g);
}

bool trial_play(const struct trial *t, trial_judge_fn *judge, struct text *failure)
{
	struct stage *g = must_alloc(sizeof(*g));
	bool good;

	g->t = t;
	g->wires = must_alloc(WIRES_MAX * sizeof(*g->wires));
	g->seen.attempts = must_alloc(TRIAL_ATTEMPTS * sizeof(*g->seen.attempts));
	text_init(&g->p.failure, 4096);
	world_begin(t->seed);
	good = begin(g) && run(g);
	if (good) {
		count(g);
		good = judge(t, &g->seen, failure);
		hang_up(g);
		/* What is still to be given back is looked for after a failure too, but not believed. */
		good = good && play_end(&g->p);
	}
	text_add_bytes(failure, text_bytes(&g->p.failure));
	world_end();
	end(g);
	return good;
}
