/*
 * A name stands in the list when somebody wrote it down (a key of a mapping, a model that a route asks for, a
 * provider in its own list) and a request with it would be served: its route is chosen as a request's is, and must
 * be one that the caller may use and that a provider does not deny it at. A name of a provider's list must come to
 * that provider, and as it is: a mapping makes another model of some. So nobody is offered what would be refused,
 * or be something else.
 */
#include "plan/models.h"

#include <stdlib.h>

#include "plan/condition.h"
#include "plan/decide.h"
#include "plan/groups.h"
#include "wire/json.h"
#include "wire/url.h"

static bool lists(const struct destination *d)
{
	return d->provider != NULL && d->provider->lists_models && d->weight != 0;
}

static bool is_listed(const struct route *r)
{
	for (size_t i = 0; i < r->n_destinations; i++) {
		if (lists(&r->destinations[i])) {
			return true;
		}
	}
	return false;
}

/* A candidate may stand for a group of routes that differ by the model. */
static const struct route *member(const struct route *candidate, size_t i)
{
	if (candidate->group == NULL) {
		return i == 0 ? candidate : NULL;
	}
	return i < candidate->group->n ? candidate->group->routes[i] : NULL;
}

const struct route *models_route(const struct models_input *in)
{
	const struct route *r;

	for (size_t i = 0; i < in->n; i++) {
		for (size_t k = 0; (r = member(in->candidates[i], k)) != NULL; k++) {
			if (is_listed(r) && in->allows(in->of, r)) {
				return r;
			}
		}
	}
	return NULL;
}

/* --- names that somebody wrote down ------------------------------------------------------------- */

struct name {
	struct bytes text;
	const struct fetched_source *from; /* NULL: the configuration */
};

struct names {
	struct name *v;
	size_t n;
};

static void add(struct names *s, struct bytes text, const struct fetched_source *from)
{
	if (text.n != 0 && s->n < MODELS_MAX) {
		s->v[s->n++] = (struct name){text, from};
	}
}

static void add_mapping(struct names *s, const struct mapping *m)
{
	for (size_t i = 0; m != NULL && i < m->n_exact; i++) {
		add(s, m->exact[i].from, NULL);
	}
}

static void add_conditions(struct names *s, const struct route *r)
{
	for (size_t i = 0; i < r->n_conditions; i++) {
		const struct condition *c = r->conditions[i];

		for (size_t k = 0; c->on == ON_MODEL && k < c->n_any; k++) {
			if (!c->any[k].prefix) {
				add(s, c->any[k].text, NULL);
			}
		}
	}
}

static void add_route(struct names *s, const struct route *r)
{
	for (size_t i = 0; i < r->n_destinations; i++) {
		const struct destination *d = &r->destinations[i];

		if (lists(d)) {
			add_mapping(s, d->mapping);
			add_mapping(s, &d->provider->mapping);
		}
	}
	add_conditions(s, r);
}

static void add_configured(const struct models_input *in, struct names *s)
{
	const struct route *r;

	for (size_t i = 0; i < in->n; i++) {
		for (size_t k = 0; s->n < MODELS_MAX && (r = member(in->candidates[i], k)) != NULL;
			k++) {
			if (is_listed(r)) {
				add_route(s, r);
			}
		}
	}
}

/* --- names of providers ------------------------------------------------------------------------- */

static size_t add_sources(
	const struct route *r, const struct fetched_source *out[MODELS_SOURCES_MAX], size_t n)
{
	for (size_t i = 0; i < r->n_destinations; i++) {
		const struct destination *d = &r->destinations[i];
		size_t at = 0;

		if (d->models == NULL || !lists(d)) {
			continue;
		}
		while (at < n && out[at] != d->models) {
			at++;
		}
		if (at == n && n < MODELS_SOURCES_MAX) {
			out[n++] = d->models;
		}
	}
	return n;
}

size_t models_sources(
	const struct models_input *in, const struct fetched_source *out[MODELS_SOURCES_MAX])
{
	const struct route *r;
	size_t n = 0;

	for (size_t i = 0; i < in->n; i++) {
		for (size_t k = 0;
			n < MODELS_SOURCES_MAX && (r = member(in->candidates[i], k)) != NULL; k++) {
			if (is_listed(r) && in->allows(in->of, r)) {
				n = add_sources(r, out, n);
			}
		}
	}
	return n;
}

static void add_listed(const struct models_input *in, struct names *s)
{
	const struct fetched_source *sources[MODELS_SOURCES_MAX];
	size_t n = in->listed != NULL ? models_sources(in, sources) : 0;

	for (size_t i = 0; i < n; i++) {
		struct bytes names = in->listed(in->of, sources[i]);

		while (names.n != 0 && s->n < MODELS_MAX) {
			add(s, bytes_cut(&names, '\0'), sources[i]);
		}
	}
}

/* --- those that would be served ----------------------------------------------------------------- */

/* Whether a request with that name, which is routed as `model`, brings the destination the same name. */
static bool keeps(
	const struct destination *d, struct bytes model, struct bytes name, struct arena *a)
{
	struct arena_mark mark = arena_mark(a);
	bool same = bytes_eq(decide_upstream_model(d, model, a), name);

	arena_rewind(a, &mark);
	return same;
}

static bool is_served(const struct models_input *in, const struct name *name, struct arena *a)
{
	struct route_model m;
	struct bytes model = decide_model(in->router, name->text, &m);
	const struct route *r = plan_choose(in->candidates, in->n, &m);

	if (r == NULL || !in->allows(in->of, r)) {
		return false;
	}
	for (size_t i = 0; i < r->n_destinations; i++) {
		const struct destination *d = &r->destinations[i];

		if (lists(d) && !mapping_matches(&d->provider->deny, model) &&
			(name->from == NULL ||
				(name->from == d->models && keeps(d, model, name->text, a)))) {
			return true;
		}
	}
	return false;
}

static int by_text(const void *a, const void *b)
{
	return bytes_cmp(*(const struct bytes *)a, *(const struct bytes *)b);
}

static int by_name(const void *a, const void *b)
{
	return by_text(&((const struct name *)a)->text, &((const struct name *)b)->text);
}

bool models_list(const struct models_input *in, struct arena *a, struct strings *out)
{
	struct names s = {.v = arena_alloc(a, MODELS_MAX * sizeof(*s.v))};
	struct strings kept = {.v = arena_alloc(a, MODELS_MAX * sizeof(*kept.v))};

	if (s.v == NULL || kept.v == NULL) {
		return false;
	}
	add_configured(in, &s);
	add_listed(in, &s);
	qsort(s.v, s.n, sizeof(*s.v), by_name);
	for (size_t i = 0; i < s.n; i++) {
		bool is_new = kept.n == 0 || !bytes_eq(s.v[i].text, kept.v[kept.n - 1]);

		if (is_new && is_served(in, &s.v[i], a)) {
			kept.v[kept.n++] = s.v[i].text;
		}
	}
	*out = kept;
	return true;
}

bool models_has(const struct strings *names, struct bytes name)
{
	return bsearch(&name, names->v, names->n, sizeof(*names->v), by_text) != NULL;
}

struct bytes models_asked(struct bytes path, struct arena *a)
{
	struct bytes suffix, raw;
	ptrdiff_t n;
	char *room;

	if (api_of_path(path, &suffix) != API_RETRIEVE_MODEL ||
		api_path_values(API_RETRIEVE_MODEL, suffix, &raw, 1) != 1) {
		return (struct bytes){"", 0};
	}
	room = arena_alloc(a, raw.n);
	n = room != NULL ? url_decode(room, raw, false, false) : -1;
	return n > 0 ? bytes_of(room, (size_t)n) : (struct bytes){"", 0};
}

/* --- as JSON ------------------------------------------------------------------------------------ */

static void put_model(struct json_writer *w, struct bytes name)
{
	json_open_object(w);
	json_key(w, "id");
	json_put_string(w, name);
	json_key(w, "object");
	json_put_str(w, "model");
	json_key(w, "created");
	json_put_u64(w, 0);
	json_key(w, "owned_by");
	json_put_str(w, "sluice");
	json_key(w, "type");
	json_put_str(w, "model");
	json_key(w, "display_name");
	json_put_string(w, name);
	json_key(w, "created_at");
	json_put_str(w, "1970-01-01T00:00:00Z");
	json_close_object(w);
}

static void put_edge(struct json_writer *w, const char *key, const struct strings *names, size_t i)
{
	json_key(w, key);
	if (i < names->n) {
		json_put_string(w, names->v[i]);
	} else {
		json_put_null(w);
	}
}

void models_put_list(const struct strings *names, struct text *out)
{
	struct json_writer w;

	json_writer_init(&w, out);
	json_open_object(&w);
	json_key(&w, "object");
	json_put_str(&w, "list");
	json_key(&w, "data");
	json_open_array(&w);
	for (size_t i = 0; i < names->n; i++) {
		put_model(&w, names->v[i]);
	}
	json_close_array(&w);
	json_key(&w, "has_more");
	json_put_bool(&w, false);
	put_edge(&w, "first_id", names, 0);
	put_edge(&w, "last_id", names, names->n - 1);
	json_close_object(&w);
}

void models_put_one(struct bytes name, struct text *out)
{
	struct json_writer w;

	json_writer_init(&w, out);
	put_model(&w, name);
}
