#include "cli/explain_print.h"

#include "cli/explain_failure.h"
#include "plan/discovered.h"
#include "wire/json.h"

/* Addresses of one service that are shown. */
#define ENDPOINTS_SHOWN 8u
/* Columns: wider names push what follows. */
#define NAME_WIDTH 32u
#define HEAD_WIDTH 10u
/* Of a terminal, when nobody made it wider. */
#define LINE_WIDTH 80u

/* --- for a terminal ----------------------------------------------------------------------------- */

/* What comes from files and arguments may hold what moves a cursor. */
static void put(struct text *out, struct bytes b)
{
	for (size_t i = 0; i < b.n; i++) {
		unsigned char c = (unsigned char)b.p[i];

		text_add_char(out, c < 0x20 || c == 0x7f ? '?' : (char)c);
	}
}

static void pad(struct text *out, size_t from, size_t width)
{
	do {
		text_add_char(out, ' ');
	} while (out->n < from + width);
}

static void put_head(
	const struct explain_print *p, const char *word, const char *colour, struct text *out)
{
	size_t from;

	if (p->colour) {
		text_addf(out, "\033[%sm", colour);
	}
	from = out->n;
	text_add_str(out, word);
	if (p->colour) {
		text_add_str(out, "\033[0m");
		from += 4;
	}
	pad(out, from, HEAD_WIDTH);
}

static void put_request(const struct explain_print *p, struct text *out)
{
	const struct explain_request *rq = p->rq;

	put(out, rq->method);
	text_add_str(out, rq->tls ? " https://" : " http://");
	put(out, rq->authority);
	put(out, rq->url.path);
	if (rq->url.query.p != NULL) { /* it may hold a key */
		text_add_str(out, "?...");
	}
	if (rq->model.n != 0) {
		text_add_str(out, ", model ");
		put(out, rq->model);
	}
	text_add_char(out, '\n');
}

static void put_rule(const struct route *r, struct text *out)
{
	put(out, r->host);
	text_addf(out, " %s ", explain_path_type(r));
	put(out, r->path);
	if (r->methods != 0) {
		text_add_char(out, ' ');
		explain_put_methods(r, out);
	}
}

static void put_url(const struct explain_destination *d, struct text *out)
{
	text_add_str(out, d->to->service->tls ? "https://" : "http://");
	put(out, d->host);
	put(out, bytes_cut(&(struct bytes){d->target.p, d->target.n}, '?'));
}

static const struct explain_destination *only_one(const struct explain *e)
{
	const struct explain_destination *found = NULL;

	for (size_t i = 0; i < e->n_destinations; i++) {
		if (e->destinations[i].to->weight != 0) {
			if (found != NULL) {
				return NULL;
			}
			found = &e->destinations[i];
		}
	}
	return found;
}

static void put_destination_line(const struct explain_print *p, struct text *out)
{
	const struct explain_destination *d = only_one(p->e);

	put_head(p, "to", "1", out);
	if (d == NULL) {
		text_addf(out, "one of %zu destinations, by weight\n", p->e->n_destinations);
		return;
	}
	if (d->to->provider != NULL) {
		text_add_str(out, "provider ");
		put(out, d->to->provider->id);
		text_add_str(out, ", ");
	}
	if (d->model.n != 0) {
		text_add_str(out, "model ");
		put(out, d->model);
		text_add_str(out, ", ");
	}
	put_url(d, out);
	text_add_char(out, '\n');
}

static void put_decision(const struct explain_print *p, struct text *out)
{
	const struct explain *e = p->e;

	if (e->status == 0) {
		put_head(p, "served", "32", out);
	} else {
		char word[32];
		struct text t;

		text_init_fixed(&t, word, sizeof(word));
		text_addf(&t, "%s %u", e->status < 400 ? "answered" : "refused", e->status);
		put_head(p, text_cstr(&t), e->status < 400 ? "33" : "31", out);
	}
	put_request(p, out);
	if (e->status != 0) {
		put_head(p, "why", "1", out);
		put(out, e->text);
		text_addf(out, " (%s)\n", e->reason);
	}
	if (e->route != NULL) {
		put_head(p, "route", "1", out);
		put(out, e->route->name);
		text_add_str(out, " (");
		put_rule(e->route, out);
		text_add_char(out, ')');
	}
	if (e->known != NULL && e->known->name.n != 0) {
		if (e->route == NULL) {
			put_head(p, "consumer", "1", out);
		} else {
			text_add_str(out, ", consumer ");
		}
		put(out, e->known->name);
		text_add_str(out,
			e->route != NULL && e->status == 0 && e->consumer == NULL
				? ", who is not asked for"
				: "");
	}
	text_add_str(
		out, e->route != NULL || (e->known != NULL && e->known->name.n != 0) ? "\n" : "");
	if (e->status == 0) {
		put_destination_line(p, out);
	}
	if (e->status == 0 && e->screens_body) {
		put_head(p, "body", "1", out);
		text_add_str(out, "is compared with texts of request-block, which may refuse it\n");
	}
}

static void put_edits(
	const struct explain_print *p, const struct explain_destination *d, struct text *out)
{
	const char *names[EXPLAIN_EDITS_MAX];
	size_t n = explain_edits(p->e, p->rq, d, names);

	for (size_t i = 0; i < n; i++) {
		text_addf(out, "%s%s", i == 0 ? "            edits: " : ", ", names[i]);
	}
	text_add_str(out, n != 0 ? "\n" : "");
}

static void put_endpoints(const struct service *s, struct text *out)
{
	text_add_str(out, "            at ");
	if (s->n_endpoints != 0 && s->endpoints[0].ask != NULL) {
		text_add_str(out, "the instances that registry ");
		put(out, s->endpoints[0].ask->texts[DISCOVERED_REGISTRY]);
		text_add_str(out, " knows while the gateway runs");
		return;
	}
	for (size_t i = 0; i < MIN(s->n_endpoints, ENDPOINTS_SHOWN); i++) {
		text_add_str(out, i == 0 ? "" : ", ");
		put(out, s->endpoints[i].host);
		text_addf(out, ":%u", s->endpoints[i].port);
	}
	if (s->n_endpoints > ENDPOINTS_SHOWN) {
		text_addf(out, " and %zu more", s->n_endpoints - ENDPOINTS_SHOWN);
	}
}

static void put_destination(
	const struct explain_print *p, const struct explain_destination *d, struct text *out)
{
	const struct provider *provider = d->to->provider;
	unsigned total = p->e->route->total_weight;

	text_addf(out, "  %6.2f %%  ", total != 0 ? 100.0 * d->to->weight / total : 0.0);
	put(out, d->to->service->name);
	if (provider != NULL) {
		text_add_str(out, ", provider ");
		put(out, provider->id);
		text_addf(out, " (%s)", provider->type->name);
	}
	text_add_char(out, '\n');
	if (d->status != 0) {
		text_addf(out, "            answered %u (%s)\n", d->status, d->reason);
		return;
	}
	text_add_str(out, "            ");
	put(out, p->rq->method);
	text_add_char(out, ' ');
	put_url(d, out);
	if (d->model.n != 0) {
		text_add_str(out, ", model ");
		put(out, d->model);
	}
	text_add_char(out, '\n');
	put_endpoints(d->to->service, out);
	if (d->to->service->tls) {
		text_add_str(out, ", TLS for ");
		put(out, d->tls_name);
	}
	if (provider != NULL) {
		text_add_str(out,
			decide_credential(provider).p == NULL ? ", without a key"
							      : ", with the provider's key");
	}
	text_add_char(out, '\n');
	put_edits(p, d, out);
}

static void put_routes(const struct explain_print *p, struct text *out)
{
	const struct explain_routes *all = &p->e->routes;
	bool any = false;

	for (size_t i = 0; i < all->n; i++) {
		const struct explain_route *r = &all->v[i];
		size_t from;
		struct text why;

		if (r->why == EXPLAIN_CHOSEN) {
			continue;
		}
		if (!any) {
			text_addf(out, "\n%s of this host, in their order\n",
				p->e->route != NULL ? "other routes" : "routes");
		}
		any = true;
		text_add_str(out, "  ");
		from = out->n;
		put(out, r->route->name);
		pad(out, from, NAME_WIDTH);
		put_rule(r->route, out);
		text_add_str(out, "\n      ");
		text_init(&why, SIZE_MAX);
		explain_put_why(r, p->e->route, &why);
		put(out, text_bytes(&why));
		text_done(&why);
		text_add_char(out, '\n');
	}
	if (all->n_further != 0) {
		text_addf(out, "  and %zu more, whose paths are less like this one\n",
			all->n_further);
	}
	if (p->e->asked && all->n == 0) {
		text_addf(out, "\nno route is for this host; %zu are for others\n", all->n_other);
	}
}

static size_t blanks(struct bytes b)
{
	size_t n = 0;

	while (n < b.n && b.p[n] == ' ') {
		n++;
	}
	return n;
}

/* Bytes of the line that are put before it is broken: up to the last blank inside of LINE_WIDTH, or the
 * first behind it, where one word is wider. Colours take no room. */
static size_t fitting(struct bytes line)
{
	size_t width = 0;
	size_t at = 0;

	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == '\033') {
			const char *end = memchr(line.p + i, 'm', line.n - i);

			i = end != NULL ? (size_t)(end - line.p) : i;
			continue;
		}
		width += ((unsigned char)line.p[i] & 0xc0) != 0x80;
		if (width > LINE_WIDTH && at != 0) {
			return at;
		}
		if (line.p[i] == ' ' && i > blanks(line) && i + 1 < line.n) {
			at = i;
		}
	}
	return line.n;
}

/* What is behind the first line's break stands below its text. */
static void put_folded(struct bytes line, struct text *out)
{
	size_t indent = blanks(line) != 0 ? blanks(line) + 2 : HEAD_WIDTH;
	size_t n = fitting(line);
	struct text rest;

	text_add_bytes(out, bytes_of(line.p, n));
	text_add_char(out, '\n');
	while (n < line.n) {
		struct bytes left = bytes_trim(bytes_of(line.p + n, line.n - n));
		size_t taken;

		text_init(&rest, SIZE_MAX);
		text_addf(&rest, "%*s" BYTES_FMT, (int)indent, "", BYTES_ARG(left));
		taken = fitting(text_bytes(&rest));
		text_add_bytes(out, bytes_of(rest.p, taken));
		text_add_char(out, '\n');
		n = line.n - (rest.n - taken);
		text_done(&rest);
	}
}

void explain_print_text(const struct explain_print *p, struct text *out)
{
	struct text wide;
	struct bytes left;

	text_init(&wide, SIZE_MAX);
	put_decision(p, &wide);
	if (p->e->n_destinations != 0) {
		text_add_str(&wide, "\ndestinations\n");
	}
	for (size_t i = 0; i < p->e->n_destinations; i++) {
		put_destination(p, &p->e->destinations[i], &wide);
	}
	explain_failure_text(p, &wide);
	put_routes(p, &wide);
	for (left = text_bytes(&wide); left.n != 0;) {
		put_folded(bytes_cut(&left, '\n'), out);
	}
	text_done(&wide);
}

/* --- JSON --------------------------------------------------------------------------------------- */

static void member(struct json_writer *w, const char *key, struct bytes value)
{
	json_key(w, key);
	if (value.p == NULL || value.n == 0) {
		json_put_null(w);
	} else {
		json_put_string(w, value);
	}
}

static void status(struct json_writer *w, unsigned code, const char *reason)
{
	json_key(w, "status");
	if (code == 0) {
		json_put_null(w);
	} else {
		json_put_u64(w, code);
	}
	member(w, "reason", bytes_str(reason));
}

static void write_rule(struct json_writer *w, const struct route *r)
{
	member(w, "route", r->name);
	member(w, "host", r->host);
	member(w, "path_type", bytes_str(explain_path_type(r)));
	member(w, "path", r->path);
	json_key(w, "methods");
	json_open_array(w);
	for (unsigned m = METHOD_GET; m <= METHOD_PATCH; m++) {
		if (((unsigned)r->methods >> m & 1u) != 0) {
			json_put_str(w, method_name((enum method)m));
		}
	}
	json_close_array(w);
}

static void write_condition(struct json_writer *w, const struct condition *c)
{
	json_key(w, "condition");
	if (c == NULL) {
		json_put_null(w);
		return;
	}
	json_open_object(w);
	member(w, "on", bytes_str(explain_subject(c)));
	member(w, "name", c->name);
	member(w, "how", bytes_str(explain_how(c)));
	member(w, "value", c->raw);
	json_close_object(w);
}

static void write_route(
	struct json_writer *w, const struct explain_print *p, const struct explain_route *r)
{
	struct text why;

	json_open_object(w);
	write_rule(w, r->route);
	member(w, "outcome", bytes_str(explain_why_name(r->why)));
	json_key(w, "candidate");
	json_put_bool(w, r->candidate);
	write_condition(w, r->condition);
	text_init(&why, SIZE_MAX);
	explain_put_why(r, p->e->route, &why);
	member(w, "text", text_bytes(&why));
	text_done(&why);
	json_key(w, "auth");
	if (r->candidate) {
		json_put_u64(w, r->auth == AUTH_OK ? 200 : (unsigned)r->auth);
	} else {
		json_put_null(w);
	}
	json_close_object(w);
}

static void write_endpoints(struct json_writer *w, const struct service *s)
{
	json_key(w, "endpoints");
	json_open_array(w);
	for (size_t i = 0; i < s->n_endpoints && s->endpoints[i].ask == NULL; i++) {
		json_open_object(w);
		member(w, "host", s->endpoints[i].host);
		json_key(w, "port");
		json_put_u64(w, s->endpoints[i].port);
		json_close_object(w);
	}
	json_close_array(w);
}

static void write_destination(
	struct json_writer *w, const struct explain_print *p, const struct explain_destination *d)
{
	const struct provider *provider = d->to->provider;
	const char *edits[EXPLAIN_EDITS_MAX];
	size_t n = explain_edits(p->e, p->rq, d, edits);

	json_open_object(w);
	member(w, "service", d->to->service->name);
	json_key(w, "weight");
	json_put_u64(w, d->to->weight);
	json_key(w, "of");
	json_put_u64(w, p->e->route->total_weight);
	status(w, d->status, d->reason);
	member(w, "provider", provider != NULL ? provider->id : BYTES(""));
	member(w, "type", bytes_str(provider != NULL ? provider->type->name : NULL));
	member(w, "model", d->model);
	member(w, "target", d->target);
	member(w, "host", d->host);
	write_endpoints(w, d->to->service);
	json_key(w, "tls");
	json_put_bool(w, d->to->service->tls);
	member(w, "tls_name", d->tls_name);
	json_key(w, "credentials");
	json_put_u64(w, provider != NULL ? provider->tokens.n : 0);
	json_key(w, "edits");
	json_open_array(w);
	for (size_t i = 0; i < n; i++) {
		json_put_str(w, edits[i]);
	}
	json_close_array(w);
	json_close_object(w);
}

void explain_print_json(const struct explain_print *p, struct text *out)
{
	const struct explain *e = p->e;
	struct json_writer w;

	json_writer_init(&w, out);
	json_open_object(&w);
	json_key(&w, "served");
	json_put_bool(&w, e->status == 0);
	status(&w, e->status, e->reason);
	member(&w, "text", e->text);
	member(&w, "route", e->route != NULL ? e->route->name : BYTES(""));
	member(&w, "consumer", e->consumer != NULL ? e->consumer->name : BYTES(""));
	member(&w, "api", bytes_str(api_name(e->api)));
	member(&w, "model", e->model);
	json_key(&w, "reads_body");
	json_put_bool(&w, e->reads_body);
	json_key(&w, "screens_body");
	json_put_bool(&w, e->screens_body);
	json_key(&w, "destinations");
	json_open_array(&w);
	for (size_t i = 0; i < e->n_destinations; i++) {
		write_destination(&w, p, &e->destinations[i]);
	}
	json_close_array(&w);
	explain_failure_json(p, &w);
	json_key(&w, "routes");
	json_open_array(&w);
	for (size_t i = 0; i < e->routes.n; i++) {
		write_route(&w, p, &e->routes.v[i]);
	}
	json_close_array(&w);
	json_key(&w, "further_routes");
	json_put_u64(&w, e->routes.n_further);
	json_key(&w, "routes_of_other_hosts");
	json_put_u64(&w, e->routes.n_other);
	json_close_object(&w);
	text_add_char(out, '\n');
}
