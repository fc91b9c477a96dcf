#include "cli/explain_failure.h"

#include "base/random.h"
#include "plan/course.h"

/* One row: every upstream does the same. */
static const struct kind {
	const char *words;
	struct failure f;
} kinds[] = {
	{"connection refused", {.class = FAILURE_CONNECT, .connecting = true}},
	{"connection lost", {.class = FAILURE_RESET}},
	{"no answer in time", {.class = FAILURE_TIMEOUT}},
	{"no answer of an API", {.class = FAILURE_INVALID, .status = 200}},
	{"401 credential refused", {.class = FAILURE_CREDENTIAL, .status = 401}},
	{"402 no money left", {.class = FAILURE_BILLING, .status = 402}},
	{"429 too fast", {.class = FAILURE_RATE, .status = 429}},
	{"500 server error", {.class = FAILURE_SERVER, .status = 500}},
	{"503 overloaded", {.class = FAILURE_OVERLOAD, .status = 503}},
	{"400 prompt too long", {.class = FAILURE_CONTEXT, .status = 400}},
	{"404 client's mistake", {.class = FAILURE_CLIENT, .status = 404}},
};

struct walk {
	struct course c;
	struct course_env env;
	struct random random;
};

static bool serves(void *of, const struct destination *to)
{
	const struct explain *e = of;

	return decide_serves(to, e->api, e->model);
}

/* From the destination that most requests go to, or the only one. */
static bool begin(const struct explain_print *p, struct walk *w)
{
	const struct route *r = p->e->route;
	const struct destination *heaviest = NULL;
	enum method m = method_of(p->rq->method);

	for (size_t i = 0; p->e->status == 0 && r != NULL && i < r->n_destinations; i++) {
		const struct destination *d = &r->destinations[i];

		heaviest = heaviest == NULL || d->weight > heaviest->weight ? d : heaviest;
	}
	*w = (struct walk){.random = {{1, 2}}}; /* the same explanation each time */
	w->c.repeats =
		r != NULL && (r->next.non_idempotent || (m != METHOD_POST && m != METHOD_PATCH));
	w->env = (struct course_env){
		.now_ms = 1, .random = &w->random, .serves = serves, .of = (void *)(uintptr_t)p->e};
	return heaviest != NULL && course_begin(&w->c, r, heaviest, &w->env) == COURSE_FIRST;
}

static struct bytes name_of(const struct destination *d)
{
	return d->provider != NULL ? d->provider->id : d->service->name;
}

static void put_move(enum course_move m, const struct course *c, struct text *out)
{
	const struct provider *p = c->to->provider;
	const char *word = m == COURSE_FALLBACK ? "fallback " : "";

	if (m == COURSE_RETRY) {
		text_add_str(out, p->tokens.n > 1 ? "another credential" : "again, after a pause");
	} else if (m == COURSE_ENDPOINT) {
		text_add_str(out, "another endpoint");
	} else {
		text_addf(out, "%s" BYTES_FMT, word, BYTES_ARG(name_of(c->to)));
	}
}

static void put_row(const struct explain_print *p, const struct kind *k, struct text *out)
{
	struct walk w;
	enum course_move m;
	unsigned n = 0;

	IGNORE(begin(p, &w)); /* the caller has seen that it can */
	text_addf(out, "  %-24s", k->words);
	while ((m = course_next(&w.c, &k->f, &w.env)) != COURSE_END) {
		text_add_str(out, n++ != 0 ? ", then " : "");
		put_move(m, &w.c, out);
	}
	text_add_str(out, n != 0 ? "\n" : "the client gets it\n");
}

void explain_failure_text(const struct explain_print *p, struct text *out)
{
	bool any = false;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct walk w;

		any = any || (begin(p, &w) && course_next(&w.c, &kinds[i].f, &w.env) != COURSE_END);
	}
	if (!any) {
		return;
	}
	text_add_str(out, "\nwhen an attempt fails, before anything of its answer was sent on\n");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		put_row(p, &kinds[i], out);
	}
}

static void write_moves(const struct explain_print *p, const struct kind *k, struct json_writer *w)
{
	static const char *const names[] = {[COURSE_RETRY] = "retry",
		[COURSE_ENDPOINT] = "endpoint",
		[COURSE_NEXT] = "next",
		[COURSE_FALLBACK] = "fallback"};
	struct walk walk;
	enum course_move m;

	json_key(w, failure_class_name(k->f.class));
	json_open_array(w);
	IGNORE(begin(p, &walk)); /* the caller has seen that it can */
	while ((m = course_next(&walk.c, &k->f, &walk.env)) != COURSE_END) {
		json_open_object(w);
		json_key(w, "move");
		json_put_str(w, names[m]);
		json_key(w, "service");
		json_put_string(w, walk.c.to->service->name);
		json_key(w, "provider");
		json_put_string(
			w, walk.c.to->provider != NULL ? walk.c.to->provider->id : BYTES(""));
		json_close_object(w);
	}
	json_close_array(w);
}

void explain_failure_json(const struct explain_print *p, struct json_writer *w)
{
	struct walk walk;

	json_key(w, "on_failure");
	json_open_object(w);
	for (size_t i = 0; begin(p, &walk) && i < ARRAY_LEN(kinds); i++) {
		write_moves(p, &kinds[i], w);
	}
	json_close_object(w);
}
