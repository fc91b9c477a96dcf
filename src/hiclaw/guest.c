/*
 * A guest comes and goes by changes of our own resources, as providers of ours do; each is one commit, some milliseconds
 * of a jobs thread. What a process that ended left behind goes with the first guest of the next one.
 *
 * Rejected: a plan of its own for the test. Names are resolved and credentials are kept by the cells of the plan in force,
 * and a second one beside it would need all of control again.
 */
#include "hiclaw/guest.h"

#include <stdlib.h>

#include "base/log.h"

#define NAME_MAX_HERE 40u
/* A provider and its service source. */
#define ARENA_MAX ((size_t)4 << 20)
#define NAMES_MAX 1024u
/* A Console masks a secret by these (console-api.md 4.3). */
#define MASK "******"

struct guest {
	struct list link;
	struct guests *all;
	struct arena arena;
	struct ops_call call;
	char name[NAME_MAX_HERE];
	struct ops_item items[GUEST_ITEMS];
	size_t n_items;
	const char *why; /* it cannot come; NULL: it can */
	struct task refusal;
	bool there, leaving;
	void (*on_there)(void *arg, struct bytes name, struct bytes why); /* NULL: it left */
	void *arg;
};

struct guests {
	struct manage_ops *home;
	struct loop *loop;
	struct list list;
	uint64_t n;
	bool swept; /* what a process before has left is gone */
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

size_t guest_items(struct arena *a, const struct doc *provider, const struct doc *sources,
	struct bytes name, struct ops_item out[GUEST_ITEMS], const char **why_out)
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
		out[n++] = (struct ops_item){OPS_SOURCE, OPS_SAVE, name, renamed(a, source, name)};
		doc_set(a, raw, "openaiCustomServiceName",
			doc_string(a, joined(a, name, doc_peek(source, "type", BYTES("")))));
	}
	out[n++] = (struct ops_item){OPS_PROVIDER, OPS_SAVE, name, body};
	return n;
}

/* --- life ------------------------------------------------------------------------------------------------ */

static void guest_free(void *p)
{
	struct guest *g = p;

	list_remove(&g->link);
	ops_call_done(&g->call);
	arena_done(&g->arena);
	free(g);
}

static void end(struct guest *g)
{
	list_remove(&g->link);
	list_init(&g->link);
	loop_free_later(g->all->loop, g, guest_free);
}

static void ask(struct guest *g, const struct ops_item *items, size_t n,
	void (*on_done)(struct ops_call *c))
{
	ops_call_done(&g->call);
	g->call = (struct ops_call){.arena = &g->arena,
		.items = items,
		.n_items = n,
		.actor = BYTES("sluice"),
		.what = BYTES("test of a provider of another Console"),
		.on_done = on_done};
	g->all->home->change(g->all->home, &g->call);
}

static void on_left(struct ops_call *c)
{
	struct guest *g = CONTAINER_OF(c, struct guest, call);

	if (c->status != 0) {
		log_warn("hiclaw", "the provider %s of a test stays until the next one: " BYTES_FMT,
			g->name, BYTES_ARG(text_bytes(&c->why)));
		g->all->swept = false;
	}
	end(g);
}

/* The provider first: its service is used by it. */
static void leave(struct guest *g)
{
	struct ops_item *items = arena_must(&g->arena, GUEST_ITEMS * sizeof(*items));
	struct bytes name = bytes_str(g->name);

	g->leaving = true;
	items[0] = (struct ops_item){OPS_PROVIDER, OPS_REMOVE, name, NULL};
	items[1] = (struct ops_item){OPS_SOURCE, OPS_REMOVE, name, NULL};
	ask(g, items, g->n_items, on_left);
}

static void on_come(struct ops_call *c)
{
	struct guest *g = CONTAINER_OF(c, struct guest, call);

	g->there = c->status == 0;
	if (g->there && g->on_there == NULL) {
		leave(g);
	} else if (g->there) {
		g->on_there(g->arg, bytes_str(g->name), BYTES(""));
	} else {
		if (g->on_there != NULL) {
			g->on_there(g->arg, BYTES(""), text_bytes(&c->why));
		}
		end(g);
	}
}

/* --- what was left ------------------------------------------------------------------------------------- */

static bool is_left_over(const struct guests *all, struct bytes name)
{
	if (!bytes_starts(name, BYTES(GUEST_PREFIX))) {
		return false;
	}
	for (struct list *i = all->list.next; i != &all->list; i = i->next) {
		if (bytes_eq(bytes_str(CONTAINER_OF(i, struct guest, link)->name), name)) {
			return false;
		}
	}
	return true;
}

static size_t add_left_over(
	struct guest *g, enum ops_noun noun, struct doc *list, struct ops_item *out)
{
	size_t n = 0;

	for (const struct doc *d = doc_first(&g->arena, list); d != NULL; d = d->next) {
		struct bytes name = doc_peek(d, "name", BYTES(""));

		if (is_left_over(g->all, name)) {
			out[n++] = (struct ops_item){noun, OPS_REMOVE, name, NULL};
		}
	}
	return n;
}

static void on_read(struct ops_call *c)
{
	struct guest *g = CONTAINER_OF(c, struct guest, call);
	struct doc *providers = c->lists[OPS_PROVIDER], *sources = c->lists[OPS_SOURCE];
	struct ops_item *items;
	size_t n = 0;

	if (c->status != 0) {
		on_come(c);
		return;
	}
	items = arena_must(&g->arena, (providers->n + sources->n + GUEST_ITEMS) * sizeof(*items));
	n += add_left_over(g, OPS_PROVIDER, providers, items + n);
	n += add_left_over(g, OPS_SOURCE, sources, items + n);
	for (size_t i = 0; i < g->n_items; i++) {
		items[n++] = g->items[i];
	}
	ask(g, items, n, on_come);
}

static void sweep(struct guest *g)
{
	g->all->swept = true;
	g->call = (struct ops_call){.arena = &g->arena,
		.wanted = 1u << OPS_PROVIDER | 1u << OPS_SOURCE,
		.on_done = on_read};
	g->all->home->read(g->all->home, &g->call);
}

/* --- calls ------------------------------------------------------------------------------------------------- */

static void on_refused(struct task *t)
{
	struct guest *g = CONTAINER_OF(t, struct guest, refusal);

	if (g->on_there != NULL) {
		g->on_there(g->arg, BYTES(""), bytes_str(g->why));
	}
	end(g);
}

struct guest *guest_invite(struct guests *all, const struct doc *provider,
	const struct doc *sources, void (*on_there)(void *arg, struct bytes name, struct bytes why),
	void *arg)
{
	struct guest *g = must_alloc(sizeof(*g));
	struct text t;

	*g = (struct guest){.all = all, .on_there = on_there, .arg = arg};
	arena_init(&g->arena, ARENA_MAX);
	text_init_fixed(&t, g->name, sizeof(g->name) - 1);
	text_addf(&t, GUEST_PREFIX "%llu", (unsigned long long)++all->n);
	list_append(&all->list, &g->link);
	g->n_items = guest_items(&g->arena, doc_detached(&g->arena, provider),
		sources != NULL ? doc_detached(&g->arena, sources) : NULL, bytes_str(g->name),
		g->items, &g->why);
	if (arena_full(&g->arena)) {
		g->n_items = 0;
		g->why = "the Console's providers are too large";
	}
	if (g->n_items == 0) {
		loop_again(all->loop, &g->refusal, on_refused);
	} else if (!all->swept) {
		sweep(g);
	} else {
		ask(g, g->items, g->n_items, on_come);
	}
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

struct guests *guests_new(struct manage_ops *home, struct loop *loop)
{
	struct guests *all = must_alloc(sizeof(*all));

	*all = (struct guests){.home = home, .loop = loop};
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
		IGNORE(write_cancel(&g->call.write));
		guest_free(g);
	}
	free(all);
}
