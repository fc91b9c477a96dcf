/*
 * Shapes of API objects as tables: what a request may hold, in which order it is stored, and what an
 * answer always has. Scalars are coerced as the Console's JSON library does it (console-api.md §0.4 W4-W6).
 */
#include "base/num.h"
#include "resource/op_int.h"

/* Attack: a body of some megabytes whose lists and maps are compared item by item would hold up all changes. */
#define OBJECTS_MAX 1000u
#define TEXTS_MAX 100000u
#define TEXT_MEMBERS_MAX 1000u
#define ANY_MEMBERS_MAX 10000u

/* Where in the body something stands, for sentences. */
struct place_in {
	const struct place_in *up;
	const char *name;
	size_t index; /* of a list's item; SIZE_MAX: of no list */
};

static void put_place(struct text *out, const struct place_in *at)
{
	if (at == NULL) {
		return;
	}
	put_place(out, at->up);
	if (at->index != SIZE_MAX) {
		text_addf(out, "[%zu]", at->index);
		return;
	}
	text_addf(out, "%s%s", out->n > 0 ? "." : "", at->name);
}

static enum op_rc wrong(struct op *o, const struct place_in *at, const char *what)
{
	char room[256];
	struct text where;

	text_init_fixed(&where, room, sizeof(room));
	put_place(&where, at);
	return op_refuse(
		o, OP_INVALID, BYTES_FMT " must be %s", BYTES_ARG(text_bytes(&where)), what);
}

static enum op_rc too_many(struct op *o, const struct place_in *at, unsigned max)
{
	char room[256];
	struct text where;

	text_init_fixed(&where, room, sizeof(room));
	put_place(&where, at);
	return op_refuse(o, OP_LIMIT, BYTES_FMT " has more than %u entries",
		BYTES_ARG(text_bytes(&where)), max);
}

/* --- scalars; NULL: it is of another type ------------------------------------------------------- */

static struct doc *take_text(struct op *o, const struct doc *v)
{
	switch (v->type) {
	case DOC_STRING:
		return doc_string(o->arena, v->text);
	case DOC_BOOL:
		return doc_str(o->arena, v->boolean ? "true" : "false");
	case DOC_INT:
		return doc_string(o->arena,
			v->text.n > 0 ? v->text : op_textf(o, "%lld", (long long)v->integer));
	case DOC_FLOAT:
		return doc_string(
			o->arena, v->text.n > 0 ? v->text : op_textf(o, "%.17g", v->number));
	case DOC_NULL:
	case DOC_LIST:
	case DOC_MAP:
		break;
	}
	return NULL;
}

static struct doc *take_int(struct op *o, const struct doc *v)
{
	struct bytes t = v->type == DOC_STRING ? bytes_trim(v->text) : BYTES("");
	bool minus = t.n > 1 && t.p[0] == '-';
	uint64_t n = 0;

	if (v->type == DOC_INT && v->integer >= INT32_MIN && v->integer <= INT32_MAX) {
		return doc_int(o->arena, v->integer);
	}
	if (v->type == DOC_STRING && t.n == 0) {
		return doc_null(o->arena);
	}
	if (t.n > 0 && num_parse_u64(bytes_of(t.p + minus, t.n - minus), INT32_MAX, &n)) {
		return doc_int(o->arena, minus ? -(int64_t)n : (int64_t)n);
	}
	return NULL;
}

static struct doc *take_bool(struct op *o, const struct doc *v)
{
	struct bytes t = bytes_trim(doc_text(v, BYTES("-")));

	if (v->type == DOC_BOOL || v->type == DOC_INT) {
		return doc_bool(o->arena, v->type == DOC_BOOL ? v->boolean : v->integer != 0);
	}
	if (t.n == 0) {
		return doc_null(o->arena);
	}
	if (bytes_eq_nocase(t, BYTES("true")) || bytes_eq_nocase(t, BYTES("false"))) {
		return doc_bool(o->arena, t.n == 4);
	}
	return NULL;
}

/* --- lists and maps ----------------------------------------------------------------------------- */

static enum op_rc take_map(struct op *o, const struct op_shape *s, const struct doc *body,
	const struct place_in *at, struct doc **out);

static enum op_rc take_texts(
	struct op *o, const struct doc *v, const struct place_in *at, struct doc **out)
{
	struct place_in here = {.up = at};

	if (v->type != DOC_LIST) {
		return wrong(o, at, "a list of texts");
	}
	if (v->n > TEXTS_MAX) {
		return too_many(o, at, TEXTS_MAX);
	}
	*out = doc_list(o->arena);
	for (const struct doc *i = doc_first(o->arena, v); i != NULL; i = i->next, here.index++) {
		struct doc *text = doc_given(i) ? take_text(o, i) : NULL;

		if (doc_given(i) && text == NULL) {
			return wrong(o, &here, "a text");
		}
		doc_append(o->arena, *out, text);
	}
	return OP_OK;
}

static enum op_rc take_objects(struct op *o, const struct op_shape *s, const struct doc *v,
	const struct place_in *at, struct doc **out)
{
	struct place_in here = {.up = at};
	struct doc *item;
	enum op_rc rc;

	if (v->type != DOC_LIST) {
		return wrong(o, at, "a list of objects");
	}
	if (v->n > OBJECTS_MAX) {
		return too_many(o, at, OBJECTS_MAX);
	}
	*out = doc_list(o->arena);
	for (const struct doc *i = doc_first(o->arena, v); i != NULL; i = i->next, here.index++) {
		rc = take_map(o, s, i, &here, &item);
		if (rc != OP_OK) {
			return rc;
		}
		doc_append(o->arena, *out, item);
	}
	return OP_OK;
}

static enum op_rc take_text_map(
	struct op *o, const struct doc *v, const struct place_in *at, struct doc **out)
{
	if (v->type != DOC_MAP) {
		return wrong(o, at, "an object");
	}
	if (v->n > TEXT_MEMBERS_MAX) {
		return too_many(o, at, TEXT_MEMBERS_MAX);
	}
	*out = doc_map(o->arena);
	for (const struct doc *i = doc_first(o->arena, v); i != NULL; i = i->next) {
		struct doc *text = doc_given(i) ? take_text(o, i) : NULL;

		if (doc_given(i) && text == NULL) {
			return wrong(o, at, "an object whose members are texts");
		}
		doc_set_bytes(o->arena, *out, i->key, text);
	}
	return OP_OK;
}

bool op_shape_fits(struct op *o, const struct doc *d)
{
	if (d->type == DOC_MAP && d->n > ANY_MEMBERS_MAX) {
		return false;
	}
	for (const struct doc *i = doc_first(o->arena, d); i != NULL; i = i->next) {
		if (!op_shape_fits(o, i)) {
			return false;
		}
	}
	return true;
}

static enum op_rc take_member(struct op *o, const struct op_shape_row *row, const struct doc *v,
	const struct place_in *at, struct doc **out)
{
	switch (row->type) {
	case OP_SHAPE_TEXT:
		*out = take_text(o, v);
		return *out != NULL || arena_full(o->arena) ? OP_OK : wrong(o, at, "a text");
	case OP_SHAPE_INT:
		*out = take_int(o, v);
		return *out != NULL || arena_full(o->arena) ? OP_OK : wrong(o, at, "an integer");
	case OP_SHAPE_BOOL:
		*out = take_bool(o, v);
		return *out != NULL || arena_full(o->arena) ? OP_OK : wrong(o, at, "true or false");
	case OP_SHAPE_TEXTS:
		return take_texts(o, v, at, out);
	case OP_SHAPE_TEXT_MAP:
		return take_text_map(o, v, at, out);
	case OP_SHAPE_OBJECT:
		return take_map(o, row->items, v, at, out);
	case OP_SHAPE_OBJECTS:
		return take_objects(o, row->items, v, at, out);
	case OP_SHAPE_ANY_MAP:
		*out = doc_copy(o->arena, v);
		if (v->type != DOC_MAP) {
			return wrong(o, at, "an object");
		}
		return op_shape_fits(o, v) ? OP_OK : too_many(o, at, ANY_MEMBERS_MAX);
	}
	return OP_OK;
}

static enum op_rc take_map(struct op *o, const struct op_shape *s, const struct doc *body,
	const struct place_in *at, struct doc **out)
{
	struct doc *map = doc_map(o->arena);

	if (body == NULL || body->type != DOC_MAP) {
		return at != NULL ? wrong(o, at, "an object")
				  : op_refuse(o, OP_INVALID, "the body must be a JSON object");
	}
	for (size_t i = 0; i < s->n; i++) {
		struct place_in here = {.up = at, .name = s->rows[i].name, .index = SIZE_MAX};
		const struct doc *v = doc_get(o->arena, body, s->rows[i].name);
		struct doc *got = NULL;
		enum op_rc rc = doc_given(v) ? take_member(o, &s->rows[i], v, &here, &got) : OP_OK;

		if (rc != OP_OK) {
			return rc;
		}
		if (doc_given(got)) {
			doc_set(o->arena, map, s->rows[i].name, got);
		}
	}
	*out = map;
	return OP_OK;
}

enum op_rc op_shape_take(
	struct op *o, const struct op_shape *s, const struct doc *body, struct doc **out)
{
	return take_map(o, s, body, NULL, out);
}

/* --- answers ------------------------------------------------------------------------------------ */

static struct doc *show_objects(struct op *o, const struct op_shape *s, const struct doc *v)
{
	struct doc *out = doc_list(o->arena);

	for (const struct doc *i = doc_first(o->arena, v); i != NULL; i = i->next) {
		doc_append(o->arena, out, op_shape_show(o, s, i));
	}
	return out;
}

static struct doc *show_member(struct op *o, const struct op_shape_row *row, const struct doc *v)
{
	struct place_in nowhere = {.name = row->name, .index = SIZE_MAX};
	struct doc *out = NULL;

	if (!doc_given(v)) {
		return doc_null(o->arena);
	}
	if (row->type == OP_SHAPE_OBJECT) {
		return op_shape_show(o, row->items, v);
	}
	if (row->type == OP_SHAPE_OBJECTS && v->type == DOC_LIST) {
		return show_objects(o, row->items, v);
	}
	if (take_member(o, row, v, &nowhere, &out) != OP_OK) {
		text_clear(&o->why);
		return doc_null(o->arena);
	}
	return out;
}

struct doc *op_shape_show(struct op *o, const struct op_shape *s, const struct doc *stored)
{
	struct doc *out;

	if (stored == NULL || stored->type != DOC_MAP) {
		return doc_null(o->arena);
	}
	out = doc_map(o->arena);
	for (size_t i = 0; i < s->n; i++) {
		const struct doc *v = doc_get(o->arena, stored, s->rows[i].name);

		doc_set(o->arena, out, s->rows[i].name, show_member(o, &s->rows[i], v));
	}
	return out;
}

/* --- tables ------------------------------------------------------------------------------------- */

/* Order: higress-resources.md §2.4. */
static const struct op_shape_row predicate_rows[] = {
	{"matchType", OP_SHAPE_TEXT, NULL},
	{"matchValue", OP_SHAPE_TEXT, NULL},
	{"caseSensitive", OP_SHAPE_BOOL, NULL},
};
const struct op_shape op_shape_predicate = {predicate_rows, ARRAY_LEN(predicate_rows)};

static const struct op_shape_row keyed_rows[] = {
	{"key", OP_SHAPE_TEXT, NULL},
	{"matchType", OP_SHAPE_TEXT, NULL},
	{"matchValue", OP_SHAPE_TEXT, NULL},
	{"caseSensitive", OP_SHAPE_BOOL, NULL},
};
static const struct op_shape keyed = {keyed_rows, ARRAY_LEN(keyed_rows)};

static const struct op_shape_row auth_rows[] = {
	{"enabled", OP_SHAPE_BOOL, NULL},
	{"allowedCredentialTypes", OP_SHAPE_TEXTS, NULL},
	{"allowedConsumers", OP_SHAPE_TEXTS, NULL},
};
const struct op_shape op_shape_auth = {auth_rows, ARRAY_LEN(auth_rows)};

static const struct op_shape_row cors_rows[] = {
	{"enabled", OP_SHAPE_BOOL, NULL},
	{"allowOrigins", OP_SHAPE_TEXTS, NULL},
	{"allowMethods", OP_SHAPE_TEXTS, NULL},
	{"allowHeaders", OP_SHAPE_TEXTS, NULL},
	{"exposeHeaders", OP_SHAPE_TEXTS, NULL},
	{"maxAge", OP_SHAPE_INT, NULL},
	{"allowCredentials", OP_SHAPE_BOOL, NULL},
};
static const struct op_shape cors = {cors_rows, ARRAY_LEN(cors_rows)};

static const struct op_shape_row header_rows[] = {
	{"key", OP_SHAPE_TEXT, NULL},
	{"value", OP_SHAPE_TEXT, NULL},
};
static const struct op_shape header = {header_rows, ARRAY_LEN(header_rows)};

static const struct op_shape_row stage_rows[] = {
	{"add", OP_SHAPE_OBJECTS, &header},
	{"set", OP_SHAPE_OBJECTS, &header},
	{"remove", OP_SHAPE_TEXTS, NULL},
};
static const struct op_shape stage = {stage_rows, ARRAY_LEN(stage_rows)};

static const struct op_shape_row header_control_rows[] = {
	{"enabled", OP_SHAPE_BOOL, NULL},
	{"request", OP_SHAPE_OBJECT, &stage},
	{"response", OP_SHAPE_OBJECT, &stage},
};
static const struct op_shape header_control = {header_control_rows, ARRAY_LEN(header_control_rows)};

static const struct op_shape_row retry_rows[] = {
	{"enabled", OP_SHAPE_BOOL, NULL},
	{"attempts", OP_SHAPE_INT, NULL},
	{"timeout", OP_SHAPE_INT, NULL},
	{"conditions", OP_SHAPE_TEXTS, NULL},
};
static const struct op_shape retry = {retry_rows, ARRAY_LEN(retry_rows)};

static const struct op_shape_row rewrite_rows[] = {
	{"enabled", OP_SHAPE_BOOL, NULL},
	{"path", OP_SHAPE_TEXT, NULL},
	{"host", OP_SHAPE_TEXT, NULL},
};
static const struct op_shape rewrite = {rewrite_rows, ARRAY_LEN(rewrite_rows)};

static const struct op_shape_row service_rows[] = {
	{"name", OP_SHAPE_TEXT, NULL},
	{"port", OP_SHAPE_INT, NULL},
	{"version", OP_SHAPE_TEXT, NULL},
	{"weight", OP_SHAPE_INT, NULL},
};
static const struct op_shape service = {service_rows, ARRAY_LEN(service_rows)};

static const struct op_shape_row route_rows[] = {
	{"name", OP_SHAPE_TEXT, NULL},
	{"version", OP_SHAPE_TEXT, NULL},
	{"domains", OP_SHAPE_TEXTS, NULL},
	{"path", OP_SHAPE_OBJECT, &op_shape_predicate},
	{"methods", OP_SHAPE_TEXTS, NULL},
	{"headers", OP_SHAPE_OBJECTS, &keyed},
	{"urlParams", OP_SHAPE_OBJECTS, &keyed},
	{"services", OP_SHAPE_OBJECTS, &service},
	{"rewrite", OP_SHAPE_OBJECT, &rewrite},
	{"proxyNextUpstream", OP_SHAPE_OBJECT, &retry},
	{"cors", OP_SHAPE_OBJECT, &cors},
	{"headerControl", OP_SHAPE_OBJECT, &header_control},
	{"authConfig", OP_SHAPE_OBJECT, &op_shape_auth},
	{"customConfigs", OP_SHAPE_TEXT_MAP, NULL},
	{"customLabels", OP_SHAPE_TEXT_MAP, NULL},
};
const struct op_shape op_shape_route = {route_rows, ARRAY_LEN(route_rows)};

static const struct op_shape_row upstream_rows[] = {
	{"provider", OP_SHAPE_TEXT, NULL},
	{"weight", OP_SHAPE_INT, NULL},
	{"modelMapping", OP_SHAPE_TEXT_MAP, NULL},
};
static const struct op_shape upstream = {upstream_rows, ARRAY_LEN(upstream_rows)};

static const struct op_shape_row fallback_rows[] = {
	{"enabled", OP_SHAPE_BOOL, NULL},
	{"upstreams", OP_SHAPE_OBJECTS, &upstream},
	{"fallbackStrategy", OP_SHAPE_TEXT, NULL},
	{"responseCodes", OP_SHAPE_TEXTS, NULL},
};
static const struct op_shape fallback = {fallback_rows, ARRAY_LEN(fallback_rows)};

static const struct op_shape_row ai_route_rows[] = {
	{"name", OP_SHAPE_TEXT, NULL},
	{"version", OP_SHAPE_TEXT, NULL},
	{"domains", OP_SHAPE_TEXTS, NULL},
	{"pathPredicate", OP_SHAPE_OBJECT, &op_shape_predicate},
	{"headerPredicates", OP_SHAPE_OBJECTS, &keyed},
	{"urlParamPredicates", OP_SHAPE_OBJECTS, &keyed},
	{"upstreams", OP_SHAPE_OBJECTS, &upstream},
	{"modelPredicates", OP_SHAPE_OBJECTS, &op_shape_predicate},
	{"authConfig", OP_SHAPE_OBJECT, &op_shape_auth},
	{"fallbackConfig", OP_SHAPE_OBJECT, &fallback},
	{"cors", OP_SHAPE_OBJECT, &cors},
	{"headerControl", OP_SHAPE_OBJECT, &header_control},
	{"proxyNextUpstream", OP_SHAPE_OBJECT, &retry},
	{"customConfigs", OP_SHAPE_TEXT_MAP, NULL},
	{"customLabels", OP_SHAPE_TEXT_MAP, NULL},
};
const struct op_shape op_shape_ai_route = {ai_route_rows, ARRAY_LEN(ai_route_rows)};
