/*
 * A name stands in a list when somebody wrote it down (a key of a mapping, a model that a route asks for) and a
 * request with it would be served: its route is chosen as a request's is, and must be one that the caller
 * may use and that a provider does not deny it at. So nobody is offered what would be refused.
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

static void add(struct strings *s, struct bytes name)
{
	if (name.n != 0 && s->n < MODELS_MAX) {
		s->v[s->n++] = name;
	}
}

static void add_mapping(struct strings *s, const struct mapping *m)
{
	for (size_t i = 0; m != NULL && i < m->n_exact; i++) {
		add(s, m->exact[i].from);
	}
}

static void add_conditions(struct strings *s, const struct route *r)
{
	for (size_t i = 0; i < r->n_conditions; i++) {
		const struct condition *c = r->conditions[i];

		for (size_t k = 0; c->on == ON_MODEL && k < c->n_any; k++) {
			if (!c->any[k].prefix) {
				add(s, c->any[k].text);
			}
		}
	}
}

static void add_route(struct strings *s, const struct route *r)
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

/* --- those that would be served ----------------------------------------------------------------- */

static bool is_served(const struct models_input *in, struct bytes name)
{
	struct route_model m;
	struct bytes model = decide_model(in->router, name, &m);
	const struct route *r = plan_choose(in->candidates, in->n, &m);

	if (r == NULL || !in->allows(in->of, r)) {
		return false;
	}
	for (size_t i = 0; i < r->n_destinations; i++) {
		const struct destination *d = &r->destinations[i];

		if (lists(d) && !mapping_matches(&d->provider->deny, model)) {
			return true;
		}
	}
	return false;
}

static int by_text(const void *a, const void *b)
{
	return bytes_cmp(*(const struct bytes *)a, *(const struct bytes *)b);
}

bool models_list(const struct models_input *in, struct arena *a, struct strings *out)
{
	struct strings s = {.v = arena_alloc(a, MODELS_MAX * sizeof(*s.v))};
	struct bytes last = {"", 0};
	const struct route *r;
	size_t kept = 0;

	if (s.v == NULL) {
		return false;
	}
	for (size_t i = 0; i < in->n; i++) {
		for (size_t k = 0; s.n < MODELS_MAX && (r = member(in->candidates[i], k)) != NULL;
			k++) {
			if (is_listed(r)) {
				add_route(&s, r);
			}
		}
	}
	qsort(s.v, s.n, sizeof(*s.v), by_text);
	for (size_t i = 0; i < s.n; i++) {
		bool is_new = !bytes_eq(s.v[i], last);

		last = s.v[i];
		if (is_new && is_served(in, s.v[i])) {
			s.v[kept++] = s.v[i];
		}
	}
	s.n = kept;
	*out = s;
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
