/*
 * An explanation in words: for people, and as the one line of a header.
 */
#include "plan/explain.h"

/* Of a value from the request that a sentence repeats. */
#define SHOWN_MAX 80u

const char *explain_path_type(const struct route *r)
{
	return r->path_type == PATH_EXACT    ? "exact"
		: r->path_type == PATH_REGEX ? "expression"
					     : "prefix";
}

const char *explain_subject(const struct condition *c)
{
	static const char *const names[] = {[ON_HEADER] = "header",
		[ON_QUERY] = "query",
		[ON_MODEL] = "model",
		[ON_VENDOR] = "vendor",
		[ON_AUTOMATIC] = "automatic model"};

	return names[c->on];
}

const char *explain_how(const struct condition *c)
{
	return c->how == 'e' ? "exact" : c->how == 'p' ? "prefix" : "regex";
}

void explain_put_methods(const struct route *r, struct text *out)
{
	bool first = true;

	for (unsigned m = METHOD_GET; m <= METHOD_PATCH; m++) {
		if (((unsigned)r->methods >> m & 1u) != 0) {
			text_add_str(out, first ? "" : ", ");
			text_add_str(out, method_name((enum method)m));
			first = false;
		}
	}
}

static void put_quoted(struct bytes b, struct text *out)
{
	text_add_char(out, '"');
	text_add_bytes(out, bytes_of(b.p, MIN(b.n, SHOWN_MAX)));
	text_add_str(out, b.n > SHOWN_MAX ? "...\"" : "\"");
}

static void put_path(const struct route *r, struct text *out)
{
	text_add_str(out,
		r->path_type == PATH_EXACT           ? "the path is not "
			: r->path_type == PATH_REGEX ? "the path does not match "
						     : "the path is not below ");
	text_add_bytes(out, r->path);
}

/* Its value may be a credential. */
static bool is_secret(const struct condition *c)
{
	enum field_id id = c->on == ON_HEADER ? field_id_of(c->name) : FIELD_OTHER;

	return id == FIELD_AUTHORIZATION || id == FIELD_X_API_KEY || id == FIELD_API_KEY ||
		id == FIELD_X_GOOG_API_KEY || id == FIELD_X_AUTHORIZATION ||
		bytes_eq_nocase(c->name, BYTES("cookie"));
}

static void put_condition(const struct condition *c, struct bytes value, struct text *out)
{
	const char *verb = c->how == 'e' ? "not "
		: c->how == 'p'          ? "which does not begin with "
					 : "which does not match ";
	bool named = !condition_asks_model(c);

	text_addf(out, value.p == NULL ? "the request has no %s" : "the %s", explain_subject(c));
	if (named) {
		text_add_char(out, ' ');
		text_add_bytes(out, c->name);
	}
	if (value.p != NULL && !is_secret(c)) {
		text_add_str(out, " is ");
		put_quoted(value, out);
		text_add_str(out, ", ");
		text_add_str(out, verb);
		put_quoted(c->raw, out);
	} else if (value.p != NULL) {
		text_add_str(out, " has another value");
	}
}

static void put_unread(const struct explain_route *e, struct text *out)
{
	if (e->auth == AUTH_UNUSABLE) {
		text_addf(out, "its %s configuration is invalid", auth_plugin_name(e->auth_by));
		return;
	}
	text_add_str(out,
		e->auth == AUTH_REFUSED ? "the consumer is not in its allow list"
			: e->auth == AUTH_OK
			? "it could be chosen, but the request is answered before"
			: e->auth_by == AUTH_BASIC
			? "it wants a user's name and password, and none that are known came"
			: "it wants the key of a consumer, and none that is known came");
}

void explain_put_why(const struct explain_route *e, const struct route *chosen, struct text *out)
{
	switch (e->why) {
	case EXPLAIN_CHOSEN:
		text_add_str(out, "chosen");
		break;
	case EXPLAIN_PATH:
		put_path(e->route, out);
		break;
	case EXPLAIN_METHOD:
		text_add_str(out, "it serves ");
		explain_put_methods(e->route, out);
		text_add_str(out, " only");
		break;
	case EXPLAIN_HEADER:
	case EXPLAIN_QUERY:
	case EXPLAIN_MODEL:
		put_condition(e->condition, e->value, out);
		break;
	case EXPLAIN_CLOSER:
		text_add_str(out, "it would take the model, but ");
		text_add_bytes(out, chosen->name);
		text_add_str(out, " names it more closely");
		break;
	case EXPLAIN_LATER:
		text_add_str(out, "it would take the request, but an earlier one does");
		break;
	case EXPLAIN_UNREAD:
		put_unread(e, out);
		break;
	}
}

/* --- edits -------------------------------------------------------------------------------------- */

static size_t add_tweaks(unsigned tweaks, const char **out)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{TWEAK_STREAM_USAGE, "stream-usage"},
		{TWEAK_DEVELOPER_TO_SYSTEM, "developer-role"},
		{TWEAK_ZHIPU_THINKING, "thinking"},
		{TWEAK_OPENROUTER_REASONING, "reasoning"},
		{TWEAK_NO_WATERMARK, "watermark"},
		{TWEAK_NO_TOOL_SWITCHES, "tool-switches"},
	};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if ((tweaks & names[i].bit) != 0) {
			out[n++] = names[i].name;
		}
	}
	return n;
}

static bool is_target(const struct url *u, struct bytes target)
{
	struct bytes path = bytes_cut(&target, '?');

	return bytes_eq(path, u->path) && bytes_eq(target, u->query);
}

size_t explain_edits(const struct explain *e, const struct explain_request *rq,
	const struct explain_destination *to, const char *out[EXPLAIN_EDITS_MAX])
{
	const struct provider *p = to->to->provider;
	size_t n = 0;

	if (to->status != 0) {
		return 0;
	}
	if (!is_target(&rq->url, to->target)) {
		out[n++] = "path";
	}
	if (!bytes_eq(to->host, rq->authority)) {
		out[n++] = "host";
	}
	if (e->reads_body && !bytes_eq(to->model, rq->model)) {
		out[n++] = "model";
	}
	if (p != NULL) {
		out[n++] = "credential";
		n += e->reads_body && !p->original ? add_tweaks(p->tweaks, out + n) : 0;
	}
	return n;
}

/* --- one line ----------------------------------------------------------------------------------- */

static void put_token(struct bytes b, struct text *out)
{
	for (size_t i = 0; i < b.n; i++) {
		unsigned char c = (unsigned char)b.p[i];

		if (c <= 0x20 || c >= 0x7f || memchr("%\"\\;,()=", c, 8) != NULL) {
			text_addf(out, "%%%02X", c);
		} else {
			text_add_char(out, (char)c);
		}
	}
}

static void put_member(const char *name, struct bytes value, struct text *out)
{
	if (value.n != 0) {
		text_addf(out, "; %s=", name);
		put_token(value, out);
	}
}

static void put_refused(const struct explain_route *e, struct text *out)
{
	put_token(e->route->name, out);
	text_addf(out, ":%s", explain_why_name(e->why));
	if (e->condition != NULL && !condition_asks_model(e->condition)) {
		text_add_char(out, '(');
		put_token(e->condition->name, out);
		text_add_char(out, ')');
	}
}

/* As many as there is room for, each whole; returns how many. */
static size_t put_all_refused(const struct explain_routes *r, size_t max, struct text *out)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		size_t before = out->n;

		if (r->v[i].why == EXPLAIN_CHOSEN) {
			continue;
		}
		text_add_str(out, n == 0 ? "; refused=" : ",");
		put_refused(&r->v[i], out);
		if (out->n > max || text_full(out)) {
			out->n = before;
			out->full = false;
			break;
		}
		n++;
	}
	return n;
}

void explain_put_line(const struct explain_line *l, struct text *out)
{
	const size_t rest = sizeof("; more=18446744073709551615");
	size_t shown, all;

	if (l->status == 0) {
		text_add_str(out, "served");
	} else {
		text_addf(out, "answered; status=%u; reason=%s", l->status, l->reason);
	}
	put_member("route", l->route, out);
	put_member("consumer", l->consumer, out);
	put_member("provider", l->provider, out);
	put_member("model", l->model, out);
	put_member("bridged-to", l->bridged_to, out);
	put_member("upstream-model", l->upstream_model, out);
	put_member("service", l->service, out);
	shown = put_all_refused(l->routes, l->max - rest, out);
	all = l->routes->n + l->routes->n_further;
	for (size_t i = 0; i < l->routes->n; i++) {
		all -= l->routes->v[i].why == EXPLAIN_CHOSEN;
	}
	if (all > shown) {
		text_addf(out, "; more=%zu", all - shown);
	}
}
