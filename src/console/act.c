/*
 * Finding an endpoint, running it, and turning what it leaves into an answer. The quirks of the Console's HTTP
 * are here and in the columns of the table of endpoints, nowhere in the operations.
 */
#include "console/act.h"

#include <stdlib.h>

#include "base/num.h"
#include "console/audit.h"
#include "console/veil.h"
#include "manage/op_status.h"
#include "wire/url.h"

#define WHY_MAX 4096u
/* §2.4 */
#define PAGE_SIZE_DEFAULT 10u

/* --- refusals ----------------------------------------------------------------------------------- */

void act_refuse(struct act *a, unsigned status, const char *fmt, ...)
{
	va_list ap;

	if (a->why.max == 0) {
		text_init(&a->why, WHY_MAX);
	}
	a->status = status;
	text_clear(&a->why);
	va_start(ap, fmt);
	text_addv(&a->why, fmt, ap);
	va_end(ap);
}

void act_missing(struct act *a)
{
	if (a->endpoint->absent == ACT_ABSENT_TOLD) {
		act_refuse(a, 404, "there is nothing of that name");
		return;
	}
	a->status = 404;
	a->empty = true;
}

bool act_op(struct act *a, enum op_rc rc)
{
	if (rc != OP_OK) {
		act_refuse(a, op_status(rc), BYTES_FMT, BYTES_ARG(text_bytes(&a->op->why)));
	}
	return rc == OP_OK;
}

/* --- what was asked ----------------------------------------------------------------------------- */

struct bytes act_query(struct act *a, const char *name)
{
	struct bytes value, whole;
	ptrdiff_t n;
	char *p;

	if (!url_query_get(a->query, bytes_str(name), &value, &whole)) {
		return bytes_of(NULL, 0);
	}
	p = arena_alloc(a->arena, value.n + 1);
	n = p != NULL ? url_decode(p, value, true, false) : -1;
	return n >= 0 ? bytes_of(p, (size_t)n) : BYTES("");
}

/* A number of the query as it counts: 0 for what is zero or below. */
static bool page_number(struct act *a, const char *name, bool *given, uint64_t *out)
{
	struct bytes text = act_query(a, name);
	bool negative = text.n > 1 && text.p[0] == '-';

	*given = text.n != 0;
	*out = 0;
	if (!*given) {
		return true;
	}
	if (negative) {
		text = bytes_of(text.p + 1, text.n - 1);
	}
	if (!num_parse_u64(text, INT32_MAX, out)) {
		act_refuse(a, 400, "%s must be a number", name);
		return false;
	}
	*out = negative ? 0 : *out;
	return true;
}

bool act_page(struct act *a, size_t total, size_t *from, size_t *count)
{
	uint64_t page, size;
	bool has_page, has_size;

	if (!page_number(a, "pageNum", &has_page, &page) ||
		!page_number(a, "pageSize", &has_size, &size)) {
		return false;
	}
	a->list = true;
	a->total = total;
	*from = 0;
	*count = total;
	if (!has_page && !has_size) {
		return true;
	}
	a->page = MAX(page, 1u);
	a->page_size = size != 0 ? size : PAGE_SIZE_DEFAULT;
	*from = (size_t)MIN((a->page - 1) * a->page_size, (uint64_t)total);
	*count = (size_t)MIN(a->page_size, (uint64_t)(total - *from));
	return true;
}

void act_give_list(struct act *a, struct doc *list)
{
	size_t from, count, i = 0;
	struct doc *page = doc_list(a->arena);
	struct doc *next;

	if (!act_page(a, list != NULL ? list->n : 0, &from, &count)) {
		return;
	}
	for (struct doc *at = doc_first(a->arena, list); at != NULL; at = next, i++) {
		next = at->next;
		if (i >= from && i < from + count) {
			doc_append(a->arena, page, at);
		}
	}
	a->data = page;
}

struct bytes act_member(struct act *a, const char *key)
{
	const struct doc *d = doc_get(a->arena, a->body, key);

	if (d == NULL || d->type == DOC_NULL || d->type == DOC_LIST || d->type == DOC_MAP) {
		return bytes_of(NULL, 0);
	}
	if (d->type == DOC_BOOL) {
		return d->boolean ? BYTES("true") : BYTES("false");
	}
	return d->text.p != NULL ? d->text : BYTES("");
}

/* --- finding ------------------------------------------------------------------------------------ */

static bool is_param(struct bytes segment)
{
	return segment.n > 2 && segment.p[0] == '{' && segment.p[segment.n - 1] == '}';
}

/* Whether the path is that of the row; raw gets what stands for its params. A single slash at the end is
 * passed over. */
static bool path_matches(const char *pattern, struct bytes path, struct bytes raw[ACT_PARAMS_MAX])
{
	struct bytes want = bytes_str(pattern + 1);
	struct bytes rest;
	size_t n = 0;

	if (path.n == 0 || path.p[0] != '/') {
		return false;
	}
	rest = bytes_of(path.p + 1, path.n - 1);
	if (rest.n > 1 && rest.p[rest.n - 1] == '/') {
		rest.n--;
	}
	while (want.p != NULL) {
		struct bytes w = bytes_cut(&want, '/');
		struct bytes got;

		if (rest.p == NULL) {
			return false;
		}
		got = bytes_cut(&rest, '/');
		if (is_param(w)) {
			ASSERT(n < ACT_PARAMS_MAX);
			if (got.n == 0) {
				return false;
			}
			raw[n++] = got;
		} else if (!bytes_eq(w, got)) {
			return false;
		}
	}
	return rest.p == NULL;
}

static bool method_matches(const struct act_endpoint *e, struct bytes method)
{
	return bytes_eq(method, bytes_str(e->method)) ||
		(bytes_eq(method, BYTES("HEAD")) && bytes_eq(bytes_str(e->method), BYTES("GET")));
}

static bool has_word(struct bytes list, struct bytes word)
{
	struct bytes rest = list;

	while (rest.p != NULL) {
		if (bytes_eq(bytes_trim(bytes_cut(&rest, ',')), word)) {
			return true;
		}
	}
	return false;
}

static void allow_method(struct text *allow, const char *method)
{
	if (has_word(text_bytes(allow), bytes_str(method))) {
		return;
	}
	text_addf(allow, "%s%s", allow->n != 0 ? ", " : "", method);
	if (strcmp(method, "GET") == 0) {
		text_add_str(allow, ", HEAD");
	}
}

static bool decode_params(
	struct arena *arena, struct act *a, const struct bytes raw[ACT_PARAMS_MAX])
{
	for (size_t i = 0; i < ACT_PARAMS_MAX; i++) {
		char *p;
		ptrdiff_t n;

		if (raw[i].p == NULL) {
			continue;
		}
		p = arena_alloc(arena, raw[i].n + 1);
		n = p != NULL ? url_decode(p, raw[i], false, false) : -1;
		if (n < 0) {
			return false;
		}
		a->params[i] = bytes_of(p, (size_t)n);
	}
	return true;
}

enum act_found act_find(const struct act_endpoints *t, struct arena *arena, struct act *a,
	struct bytes path, struct text *allow)
{
	bool known = false, fixed = false;

	for (size_t i = 0; i < t->n; i++) {
		struct bytes raw[ACT_PARAMS_MAX] = {{NULL, 0}};

		/* What has a path of its own is no name. */
		if (!path_matches(t->v[i].path, path, raw) || (fixed && raw[0].p != NULL)) {
			continue;
		}
		known = true;
		fixed = raw[0].p == NULL;
		if (!method_matches(&t->v[i], a->method)) {
			allow_method(allow, t->v[i].method);
		} else if (decode_params(arena, a, raw)) {
			a->endpoint = &t->v[i];
			return ACT_FOUND;
		}
	}
	return known && allow->n != 0 ? ACT_NO_METHOD : ACT_NO_PATH;
}

/* --- running ------------------------------------------------------------------------------------ */

/* Accident: an object of a million members, which are looked for one by one. What people and programs write has
 * a few; what is many is in lists. */
#define MEMBERS_MAX 10000u

/* As deep as the parser lets it be. */
static bool has_wide_object(const struct json_value *v)
{
	if (v->type == JSON_OBJECT && v->n > MEMBERS_MAX) {
		return true;
	}
	for (const struct json_value *m = v->type == JSON_OBJECT || v->type == JSON_ARRAY ? v->items
											  : NULL;
		m != NULL; m = m->next) {
		if (has_wide_object(m)) {
			return true;
		}
	}
	return false;
}

static const char no_json[] = "the body is no JSON: %s";

/* The body as a document; false: refused. W9: whatever its type is said to be. */
static bool read_body(struct act *a, struct arena *arena)
{
	const struct json_value *v;
	struct fault f;

	a->body = NULL;
	if (bytes_trim(a->text).n == 0) {
		return true;
	}
	v = json_parse(arena, a->text, &f);
	if (v == NULL) {
		act_refuse(a, 400, no_json, f.text);
		return false;
	}
	if (v->type != JSON_OBJECT) {
		act_refuse(a, 400, "the body must be a JSON object");
		return false;
	}
	if (has_wide_object(v)) {
		act_refuse(a, 400, "an object has more than %u members", MEMBERS_MAX);
		return false;
	}
	a->body = doc_of_json(arena, v);
	if (a->body == NULL) {
		act_refuse(a, 400, "the body is too large");
	}
	return a->body != NULL;
}

static void use_op(struct act *a, struct op *op)
{
	a->op = op;
	op->address_allowed = a->env->address_allowed;
	op->arg = a->env->address_arg;
}

void act_run(struct act *a, struct arena *arena, const struct snapshot *snapshot)
{
	struct op op;

	a->arena = arena;
	op_init(&op, snapshot, arena);
	use_op(a, &op);
	if (read_body(a, arena)) {
		a->endpoint->fn(a);
	}
	if (arena_full(arena) && !act_refused(a)) {
		act_refuse(a, 500, "the answer takes too much memory");
	}
	a->op = NULL;
	op_done(&op);
}

static enum op_rc operate(void *arg, struct op *op)
{
	struct act *a = arg;
	struct arena *arena = a->arena;
	enum op_rc rc = OP_OK;

	a->status = 0;
	a->empty = false;
	a->arena = op->arena;
	use_op(a, op);
	if (read_body(a, op->arena)) {
		a->endpoint->fn(a);
	}
	if (act_refused(a)) {
		rc = op_refuse(op, OP_INVALID, BYTES_FMT, BYTES_ARG(text_bytes(&a->why)));
	}
	a->op = NULL;
	a->body = NULL;
	a->data = NULL;
	a->arena = arena;
	return rc;
}

static void take_failure(struct act *a, const struct commit *c)
{
	struct bytes why = text_bytes(&c->why);

	switch (c->rc) {
	case COMMIT_DONE:
	case COMMIT_NOTHING:
		return;
	case COMMIT_REFUSED:
		if (!act_refused(a)) {
			act_refuse(a, op_status(c->op_rc), BYTES_FMT, BYTES_ARG(why));
		}
		return;
	case COMMIT_PLAN:
		act_refuse(a, 400, "this could not be served, so nothing was changed: " BYTES_FMT,
			BYTES_ARG(why));
		return;
	case COMMIT_BUSY:
		act_refuse(a, 503, BYTES_FMT, BYTES_ARG(why));
		return;
	case COMMIT_IO:
		act_refuse(a, 500, BYTES_FMT, BYTES_ARG(why));
		return;
	}
}

static void make_answer(struct act *a, struct arena *arena, const struct snapshot *s)
{
	struct op op;

	if (a->endpoint->answer == NULL) {
		return;
	}
	op_init(&op, s, arena);
	use_op(a, &op);
	if (read_body(a, arena)) {
		a->endpoint->answer(a);
	}
	a->op = NULL;
	op_done(&op);
}

void act_commit(struct act *a, struct arena *arena, struct commit *c)
{
	struct text what;

	a->arena = arena;
	text_init(&what, 8192);
	text_addf(&what, BYTES_FMT " " BYTES_FMT, BYTES_ARG(a->method), BYTES_ARG(a->path));
	c->who = (struct commit_who){a->user, a->peer, text_bytes(&what)};
	c->now_s = a->now_s;
	c->again = true;
	if (a->endpoint->effect == ACT_FILES) {
		act_run(a, arena, NULL);
		backup_restore(arena, &a->files, c);
	} else {
		c->operate = operate;
		c->arg = a;
	}
	if (!act_refused(a)) {
		commit_run(c);
		take_failure(a, c);
	}
	if (!act_refused(a)) {
		make_answer(a, arena, c->snapshot);
	}
	if (!act_refused(a) && c->rc == COMMIT_DONE) {
		audit_change(a, c);
	}
	text_done(&what);
}

void act_done(struct act *a)
{
	text_done(&a->why);
	account_unref(a->account);
	account_unref(a->account_next);
	a->account = a->account_next = NULL;
}

/* --- the answer --------------------------------------------------------------------------------- */

static void put_number(struct json_writer *w, const char *key, uint64_t v, bool given)
{
	json_key(w, key);
	if (given) {
		json_put_u64(w, v);
	} else {
		json_put_null(w);
	}
}

static void put_data(struct act *a, struct arena *arena, struct json_writer *w, bool good)
{
	if (good && a->data != NULL) {
		if (a->masked) {
			veil_secrets(arena, a->data);
		}
		doc_put_json(arena, w, a->data);
	} else {
		json_put_null(w);
	}
}

static void wrap(struct act *a, struct arena *arena, struct json_writer *w)
{
	bool good = !act_refused(a);

	json_open_object(w);
	json_key(w, "success");
	json_put_bool(w, good);
	json_key(w, "message");
	if (good) {
		json_put_null(w);
	} else {
		json_put_string(w, text_bytes(&a->why));
	}
	json_key(w, "data");
	put_data(a, arena, w, good);
	if (good && a->list) {
		put_number(w, "total", a->total, true);
		put_number(w, "pageNum", a->page, a->page != 0);
		put_number(w, "pageSize", a->page_size, a->page_size != 0);
	}
	json_close_object(w);
}

static enum act_shape shape_of(const struct act_endpoint *e)
{
	if (e->shape != ACT_BY_METHOD) {
		return e->shape;
	}
	switch (e->method[0] == 'P' ? e->method[1] : e->method[0]) {
	case 'O':
		return ACT_CREATED;
	case 'U':
		return ACT_RAW;
	case 'D':
		return ACT_NO_CONTENT;
	default:
		return ACT_WRAPPED;
	}
}

unsigned act_envelope(struct act *a, struct arena *arena, struct text *out)
{
	enum act_shape shape = shape_of(a->endpoint);
	struct json_writer w;

	json_writer_init(&w, out);
	if (act_refused(a)) {
		if (!a->empty) {
			wrap(a, arena, &w);
		}
		return a->status;
	}
	switch (shape) {
	case ACT_NO_CONTENT:
		return 204;
	case ACT_RAW:
	case ACT_CREATED:
		put_data(a, arena, &w, true);
		return shape == ACT_RAW ? 200 : 201;
	case ACT_BY_METHOD:
	case ACT_WRAPPED:
		break;
	}
	wrap(a, arena, &w);
	return 200;
}
