/*
 * A guest comes and goes by turns of the one queue of writes: each puts it into the overlay, or takes it out, and compiles
 * the files that are live with what the overlay has then.
 *
 * Rejected: a plan of its own for the test. Names are resolved and credentials are kept by the cells of the plan in force,
 * and a second one beside it would need all of control again. An object in a file, which is removed afterwards: a crash
 * leaves it, and backups keep its key.
 */
#include "hiclaw/guest.h"

#include <stdlib.h>

#include "manage/upstream_allowed.h"

#define NAME_MAX_HERE 40u
/* A provider and its service source. */
#define ARENA_MAX ((size_t)4 << 20)
/* Of the documents that it is tried on: the file of our own providers is opened whole. */
#define TRIED_MAX ((size_t)256 << 20)
#define WHY_MAX 4096u
#define NAMES_MAX 1024u
/* Until a full queue of writes is asked again. */
#define AGAIN_MS 1000u
/* A Console masks a secret by these (console-api.md 4.3). */
#define MASK "******"

struct guest {
	struct list link;
	struct guests *all;
	struct arena arena;
	struct write write;
	struct snapshot *base; /* what is live when its turn comes */
	char name[NAME_MAX_HERE];
	struct overlay_object objects[GUEST_OBJECTS];
	size_t n_objects;
	struct text why; /* it cannot come; empty: it can */
	struct task refusal;
	struct timer again;
	bool there, leaving;
	void (*on_there)(void *arg, struct bytes name, struct bytes why); /* NULL: it left */
	void *arg;
};

struct guests {
	struct writer home;
	struct loop *loop;
	struct list list;
	uint64_t n;
	bool stopped;
};

/* --- what it brings ------------------------------------------------------------------------------------ */

static bool holds_mask(struct arena *a, const struct doc *d)
{
	if (d != NULL && d->type == DOC_STRING) {
		for (size_t i = 0; i + sizeof(MASK) - 1 <= d->text.n; i++) {
			if (memcmp(d->text.p + i, MASK, sizeof(MASK) - 1) == 0) {
				return true;
			}
		}
		return false;
	}
	for (const struct doc *c = doc_first(a, d); c != NULL; c = c->next) {
		if (holds_mask(a, c)) {
			return true;
		}
	}
	return false;
}

static struct bytes joined(struct arena *a, struct bytes name, struct bytes type)
{
	struct text t;
	struct bytes out;

	text_init(&t, NAMES_MAX);
	text_addf(&t, BYTES_FMT "." BYTES_FMT, BYTES_ARG(name), BYTES_ARG(type));
	out = arena_copy(a, text_bytes(&t));
	text_done(&t);
	return out;
}

/* "name.dns" is the source "name" of type dns: NULL: none of those that can be copied. Of two the later one, which was
 * written just now. */
static const struct doc *source_of(struct arena *a, const struct doc *sources, struct bytes service)
{
	const struct doc *found = NULL;

	for (const struct doc *s = doc_first(a, sources); s != NULL; s = s->next) {
		struct bytes type = doc_peek(s, "type", BYTES(""));
		bool can = bytes_eq(type, BYTES("dns")) || bytes_eq(type, BYTES("static"));

		if (can && bytes_eq(joined(a, doc_peek(s, "name", BYTES("")), type), service)) {
			found = s;
		}
	}
	return found;
}

static struct doc *renamed(struct arena *a, const struct doc *d, struct bytes name)
{
	static const char *const own[] = {"version", "proxyName", "tokenFailoverConfig"};
	struct doc *copy = doc_copy(a, d);

	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		doc_drop(a, copy, own[i]);
	}
	doc_set(a, copy, "name", doc_string(a, name));
	return copy;
}

size_t guest_objects(struct arena *a, const struct doc *provider, const struct doc *sources,
	struct bytes name, struct overlay_object out[GUEST_OBJECTS], const char **why_out)
{
	struct doc *body = renamed(a, provider, name);
	struct doc *raw = doc_get(a, body, "rawConfigs");
	struct bytes service = doc_text(doc_get(a, raw, "openaiCustomServiceName"), BYTES(""));
	const struct doc *source;
	size_t n = 0;

	if (holds_mask(a, doc_get(a, body, "tokens")) || holds_mask(a, raw)) {
		*why_out = "its Console does not show the provider's key";
		return 0;
	}
	if (service.n != 0) {
		source = source_of(a, sources, service);
		if (source == NULL) {
			*why_out = "the provider's service is known to the other gateway alone";
			return 0;
		}
		out[n++] = (struct overlay_object){&op_source, renamed(a, source, name)};
		doc_set(a, raw, "openaiCustomServiceName",
			doc_string(a, joined(a, name, doc_peek(source, "type", BYTES("")))));
	}
	out[n++] = (struct overlay_object){&op_provider, body};
	return n;
}

/* --- life ------------------------------------------------------------------------------------------------ */

static void guest_free(void *p)
{
	struct guest *g = p;

	list_remove(&g->link);
	text_done(&g->why);
	arena_done(&g->arena);
	free(g);
}

static void end(struct guest *g)
{
	list_remove(&g->link);
	list_init(&g->link);
	loop_free_later(g->all->loop, g, guest_free);
}

static void on_turn(struct write *w)
{
	struct guest *g = CONTAINER_OF(w, struct guest, write);

	g->base = g->all->home.snapshot(g->all->home.arg);
}

static bool submit(struct guest *g, void (*work)(struct write *w, struct commit *c),
	void (*on_done)(struct write *w))
{
	g->write = (struct write){.begin = on_turn, .work = work, .on_done = on_done};
	return g->all->home.submit(g->all->home.arg, &g->write);
}

/* A jobs thread: what is live, with what the overlay has by now. */
static bool compile(struct guest *g, struct commit *c)
{
	text_init(&c->why, WHY_MAX);
	c->plan = c->trial(c->trial_arg, g->base, &c->why);
	if (c->plan != NULL) {
		c->snapshot = g->base;
		g->base = NULL;
		return true;
	}
	return false;
}

static void release(struct guest *g)
{
	snapshot_unref(g->base);
	g->base = NULL;
}

/* --- it goes --- */

static void leave(struct guest *g);

static void run_leave(struct write *w, struct commit *c)
{
	struct guest *g = CONTAINER_OF(w, struct guest, write);

	overlay_drop(g->all->home.overlay, bytes_str(g->name));
	IGNORE(compile(g, c)); /* else it goes with the next plan */
	release(g);
}

static void on_left(struct write *w)
{
	end(CONTAINER_OF(w, struct guest, write));
}

static void on_again(struct timer *t)
{
	leave(CONTAINER_OF(t, struct guest, again));
}

static void leave(struct guest *g)
{
	g->leaving = true;
	if (!submit(g, run_leave, on_left)) {
		timer_set(g->all->loop, &g->again, AGAIN_MS, on_again);
	}
}

/* --- it comes --- */

static void run_come(struct write *w, struct commit *c)
{
	struct guest *g = CONTAINER_OF(w, struct guest, write);
	struct overlay *overlay = g->all->home.overlay;
	struct bytes name = bytes_str(g->name);
	struct arena a;
	struct op op;

	arena_init(&a, TRIED_MAX);
	op_init(&op, g->base, &a);
	op.address_allowed = upstream_allowed;
	if (overlay_put(overlay, &op, name, g->objects, g->n_objects) != OP_OK) {
		text_add_bytes(&g->why, text_bytes(&op.why));
	} else if (!compile(g, c)) {
		overlay_drop(overlay, name);
		text_add_bytes(&g->why, text_bytes(&c->why));
	}
	op_done(&op);
	arena_done(&a);
	release(g);
}

static void refuse(struct guest *g)
{
	if (g->on_there != NULL) {
		g->on_there(g->arg, BYTES(""), text_bytes(&g->why));
	}
	end(g);
}

static void on_come(struct write *w)
{
	struct guest *g = CONTAINER_OF(w, struct guest, write);

	g->there = text_bytes(&g->why).n == 0;
	if (!g->there) {
		refuse(g);
	} else if (g->on_there != NULL) {
		g->on_there(g->arg, bytes_str(g->name), BYTES(""));
	} else if (g->all->stopped) {
		end(g);
	} else {
		leave(g);
	}
}

/* --- calls ------------------------------------------------------------------------------------------------- */

static void on_refused(struct task *t)
{
	refuse(CONTAINER_OF(t, struct guest, refusal));
}

static void refuse_later(struct guest *g, const char *why)
{
	text_add_str(&g->why, why);
	loop_again(g->all->loop, &g->refusal, on_refused);
}

static void come(struct guest *g, const struct doc *provider, const struct doc *sources)
{
	struct arena *a = &g->arena;
	const char *why = "";

	g->n_objects = guest_objects(a, doc_detached(a, provider),
		sources != NULL ? doc_detached(a, sources) : NULL, bytes_str(g->name), g->objects,
		&why);
	if (arena_full(a)) {
		refuse_later(g, "the Console's providers are too large");
	} else if (g->n_objects == 0) {
		refuse_later(g, why);
	} else if (!submit(g, run_come, on_come)) {
		refuse_later(g, "too many changes wait for their turn; try again");
	}
}

struct guest *guest_invite(struct guests *all, const struct doc *provider,
	const struct doc *sources, void (*on_there)(void *arg, struct bytes name, struct bytes why),
	void *arg)
{
	struct guest *g = must_alloc(sizeof(*g));
	struct text t;

	*g = (struct guest){.all = all, .on_there = on_there, .arg = arg};
	arena_init(&g->arena, ARENA_MAX);
	text_init(&g->why, WHY_MAX);
	text_init_fixed(&t, g->name, sizeof(g->name) - 1);
	text_addf(&t, GUEST_PREFIX "%llu", (unsigned long long)++all->n);
	list_append(&all->list, &g->link);
	come(g, provider, sources);
	return g;
}

void guest_leave(struct guest *g)
{
	if (g == NULL || g->leaving) {
		return;
	}
	g->on_there = NULL;
	if (g->there && !g->all->stopped) {
		leave(g);
	}
}

struct guests *guests_new(const struct writer *home, struct loop *loop)
{
	struct guests *all = must_alloc(sizeof(*all));

	*all = (struct guests){.home = *home, .loop = loop};
	list_init(&all->list);
	return all;
}

void guests_stop(struct guests *all)
{
	if (all != NULL) {
		all->stopped = true;
	}
}

void guests_free(struct guests *all)
{
	if (all == NULL) {
		return;
	}
	while (!list_empty(&all->list)) {
		struct guest *g = CONTAINER_OF(all->list.next, struct guest, link);

		loop_again_cancel(&g->refusal);
		timer_clear(all->loop, &g->again);
		IGNORE(write_cancel(&g->write));
		guest_free(g);
	}
	free(all);
}
