#define _GNU_SOURCE
/*
 * Steps of a request: the endpoint, the page that sent it, who asks, what he may, the body, the work, the answer.
 * Whoever is refused is answered without a look at the body.
 */
#include "hiclaw/monitor.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/random.h"
#include "hiclaw/monitor_int.h"
#include "manage/access.h"

/* Bodies that are read on control at once; larger ones would hold others up. */
#define PARSE_HERE_MAX ((size_t)64 << 10)

/* --- finding ------------------------------------------------------------------------------------------------ */

static bool accepts(const struct monitor_endpoint *e, struct bytes method)
{
	return bytes_eq(method, bytes_str(e->method)) ||
		(bytes_eq(method, BYTES("HEAD")) && bytes_eq(bytes_str(e->method), BYTES("GET")));
}

/* By raw segments: a segment in braces takes any. */
static bool matches(
	struct bytes pattern, struct bytes path, struct bytes params[MONITOR_PARAMS_MAX])
{
	size_t n = 0;

	memset(params, 0, MONITOR_PARAMS_MAX * sizeof(*params));
	while (pattern.p != NULL && path.p != NULL) {
		struct bytes want = bytes_cut(&pattern, '/');
		struct bytes got = bytes_cut(&path, '/');

		if (want.n != 0 && want.p[0] == '{') {
			ASSERT(n < MONITOR_PARAMS_MAX);
			params[n++] = got;
		} else if (!bytes_eq(want, got)) {
			return false;
		}
	}
	return pattern.p == NULL && path.p == NULL;
}

static void allow_method(struct text *allow, const char *method)
{
	struct bytes said = text_bytes(allow);

	if (said.n != 0 && memmem(said.p, said.n, method, strlen(method)) != NULL) {
		return;
	}
	text_addf(allow, "%s%s", said.n != 0 ? ", " : "", method);
	if (strcmp(method, "GET") == 0) {
		text_add_str(allow, ", HEAD");
	}
}

const struct monitor_endpoint *monitor_find(const struct monitor_endpoints *t, struct bytes method,
	struct bytes path, struct bytes params[MONITOR_PARAMS_MAX], struct text *allow)
{
	struct bytes bare = path;

	if (path.n > 1 && path.p[path.n - 1] == '/') {
		bare.n--;
	}
	for (size_t i = 0; i < t->n; i++) {
		const struct monitor_endpoint *e = &t->v[i];
		struct bytes pattern = bytes_str(e->path);

		if (!matches(pattern, path, params) &&
			(bare.n == path.n || !matches(pattern, bare, params))) {
			continue;
		}
		if (accepts(e, method)) {
			return e;
		}
		allow_method(allow, e->method);
	}
	return NULL;
}

/* --- life --------------------------------------------------------------------------------------------------- */

struct bytes monitor_field(const struct head *h, const char *name)
{
	for (unsigned i = 0; i < h->n_fields; i++) {
		if (bytes_eq_nocase(head_name(h, i), bytes_str(name))) {
			return head_value(h, i);
		}
	}
	return bytes_of(NULL, 0);
}

static struct bytes keep(struct ask *k, struct bytes b)
{
	return b.p != NULL ? arena_copy(&k->arena, b) : b;
}

struct call *monitor_take_call(struct ask *k)
{
	struct call *c = k->call;

	k->call = NULL;
	if (c != NULL) {
		c->work = NULL;
	}
	return c;
}

void monitor_free_ask(struct ask *k)
{
	IGNORE(monitor_take_call(k));
	if (k->done != NULL) {
		k->done(k);
	}
	list_remove(&k->link);
	body_done(&k->body_in);
	ops_call_done(&k->ops);
	snapshot_unref(k->snapshot);
	arena_done(&k->arena);
	free(k);
}

static void on_end(struct call_work *w)
{
	struct ask *k = CONTAINER_OF(w, struct ask, calls);

	k->call = NULL;
	if (k->step == ASK_BODY && !k->away) {
		monitor_free_ask(k);
	}
}

static bool is_id(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);

		if (!ascii_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '_' &&
			c != '.') {
			return false;
		}
	}
	return s.n > 0 && s.n <= MONITOR_ID_MAX;
}

/* The request's own, where it can stand in a header and in JSON as it is. */
static void take_id(struct ask *k, const struct head *h)
{
	struct bytes given = head_get(h, FIELD_X_REQUEST_ID);
	unsigned char random[16];

	if (is_id(given)) {
		snprintf(k->id, sizeof(k->id), BYTES_FMT, BYTES_ARG(given));
		return;
	}
	random_secret(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++) {
		snprintf(k->id + 2 * i, 3, "%02x", random[i]);
	}
}

/*
 * Our page, or a browser that shows what comes, or a script in one, as the original page: browsers say so of themselves
 * (Fetch Metadata), and would stop the script to ask the user for a password.
 */
static bool is_from_page(const struct head *h)
{
	struct bytes accept = head_get(h, FIELD_ACCEPT);
	struct bytes with = monitor_field(h, "x-requested-with");

	return bytes_eq(with, BYTES("sluice")) || monitor_field(h, "sec-fetch-mode").n != 0 ||
		(accept.n != 0 && memmem(accept.p, accept.n, "text/html", 9) != NULL);
}

static void on_body(struct call_work *w);

static struct ask *new_ask(struct hiclaw *h, struct call *c)
{
	struct ask *k = must_alloc(sizeof(*k));
	const struct head *head = c->head;

	k->hiclaw = h;
	k->call = c;
	k->calls = (struct call_work){.on_body = on_body, .on_end = on_end};
	arena_init(&k->arena, MONITOR_ARENA_MAX);
	k->method = keep(k, head->method);
	k->path = keep(k, c->url.path);
	k->query = keep(k, c->url.query);
	k->peer = keep(k, bytes_str(call_peer(c)));
	k->origin = keep(k, monitor_field(head, "origin"));
	k->if_match = keep(k, monitor_field(head, "if-match"));
	k->passphrase = keep(k, monitor_field(head, "x-backup-passphrase"));
	k->last_event = keep(k, monitor_field(head, "last-event-id"));
	k->actor = BYTES("");
	k->from_page = is_from_page(head);
	take_id(k, head);
	list_append(&h->monitor.asks, &k->link);
	c->work = &k->calls;
	return k;
}

void monitor_free(struct hiclaw *h)
{
	while (!list_empty(&h->monitor.asks)) {
		struct ask *k = CONTAINER_OF(h->monitor.asks.next, struct ask, link);

		list_remove(&k->link);
		if (k->away && !write_cancel(&k->ops.write)) {
			body_orphan(&k->body_in);
			who_orphan(&k->asking);
			k->hiclaw = NULL; /* it comes back to nobody */
			continue;
		}
		if (k->held && k->cancel != NULL) {
			k->cancel(k);
		}
		monitor_free_ask(k);
	}
}

/* --- the body ----------------------------------------------------------------------------------------------- */

static void run(struct ask *k)
{
	k->endpoint->fn(k);
}

static bool is_blank(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r' && s.p[i] != '\n') {
			return false;
		}
	}
	return true;
}

static void parse(struct ask *k)
{
	struct bytes text = text_bytes(&k->body_in.text);
	const struct json_value *v;

	if (is_blank(text)) {
		k->body = doc_map(&k->arena);
		return;
	}
	v = json_parse(&k->arena, text, &k->fault);
	k->json = v;
	k->body = v != NULL && v->type == JSON_OBJECT ? doc_of_json(&k->arena, v) : NULL;
}

static void parsed(struct ask *k)
{
	if (k->body == NULL) {
		ask_more(k, "hint", doc_str(&k->arena, "the body has to be a JSON object"));
		ask_fail(k, HICLAW_INVALID_JSON, "Invalid JSON");
		return;
	}
	run(k);
}

static void take_body(struct ask *k)
{
	k->step = ASK_WORK;
	if (k->body_in.text.n > PARSE_HERE_MAX) {
		ask_job(k, parse, parsed);
		return;
	}
	parse(k);
	parsed(k);
}

static void go_on(struct ask *k, enum body_rc rc)
{
	size_t max = k->body_in.max;

	switch (rc) {
	case BODY_MORE:
		break;
	case BODY_WHOLE:
		take_body(k);
		break;
	case BODY_TOO_LARGE:
		ask_fail(k, HICLAW_TOO_LARGE,
			"The body is too large: at most %zu MiB are taken here", max >> 20);
		break;
	case BODY_BUSY:
		ask_fail(k, HICLAW_RATE_LIMITED, "Too much is being sent at once; try again");
		break;
	}
}

static void on_body(struct call_work *w)
{
	struct ask *k = CONTAINER_OF(w, struct ask, calls);

	if (k->step == ASK_BODY && !k->away) {
		go_on(k, body_take(&k->body_in, k->call->stream));
	}
}

/* --- who ---------------------------------------------------------------------------------------------------- */

bool monitor_may(enum monitor_right right, enum monitor_who who, struct bytes worker,
	struct bytes named, bool reads)
{
	switch (right) {
	case MONITOR_ANYBODY:
		return true;
	case MONITOR_AGENT:
		if (who == MONITOR_WORKER) {
			return bytes_eq(worker, named);
		}
		return who >= MONITOR_LOOPBACK;
	case MONITOR_READ:
		return who > MONITOR_LOOPBACK || (who == MONITOR_LOOPBACK && reads);
	case MONITOR_ASSIGN:
		return who >= MONITOR_MANAGER;
	case MONITOR_ADMIN:
		break;
	}
	return who == MONITOR_ADMINISTRATOR;
}

static void on_known(struct ask *k)
{
	const struct monitor_endpoint *e = k->endpoint;
	struct bytes named = k->params[0].p != NULL ? k->params[0] : BYTES("");

	if (!monitor_may(e->right, k->who, k->worker, named, e->method[0] == 'G')) {
		ask_fail(k, HICLAW_FORBIDDEN,
			"These credentials are not sufficient for %s " BYTES_FMT, e->method,
			BYTES_ARG(k->path));
		return;
	}
	k->step = ASK_BODY;
	go_on(k,
		body_begin(&k->body_in, k->hiclaw->opts.manage, k->call->stream,
			e->body_max != 0 ? e->body_max : MONITOR_BODY_MAX));
}

/* --- beginning ---------------------------------------------------------------------------------------------- */

static bool is_ours(struct bytes path)
{
	static const struct bytes prefixes[] = {{"/ni_status", 10}, {"/_admin/api", 11}};

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (bytes_starts(path, prefixes[i]) &&
			(path.n == prefixes[i].n || path.p[prefixes[i].n] == '/')) {
			return true;
		}
	}
	return false;
}

static bool decode_params(struct ask *k, const struct bytes raw[MONITOR_PARAMS_MAX])
{
	for (size_t i = 0; i < MONITOR_PARAMS_MAX && raw[i].p != NULL; i++) {
		struct names_room room;
		struct fault f;

		if (names_segment(raw[i], &room, &k->params[i], &f) != 0) {
			ask_fail(k, HICLAW_INVALID_NAME, "Invalid name: %s", f.text);
			return false;
		}
		k->params[i] = keep(k, k->params[i]);
	}
	return true;
}

/* The answer to a question about the path, which needs no right. */
static void answer_options(struct ask *k, struct text *allow)
{
	struct header extra[6] = {
		{BYTES("Allow"), {NULL, 0}}, {BYTES("X-Request-Id"), bytes_str(k->id)}};
	struct call *c;
	size_t n = 2;

	text_add_str(allow, ", OPTIONS");
	extra[0].value = text_bytes(allow);
	if (monitor_origin_allowed(k->hiclaw, k->origin)) {
		extra[n++] = (struct header){BYTES("Access-Control-Allow-Origin"), k->origin};
		extra[n++] = (struct header){BYTES("Access-Control-Allow-Methods"),
			BYTES("GET, POST, PUT, DELETE, OPTIONS")};
		extra[n++] = (struct header){BYTES("Access-Control-Allow-Headers"),
			BYTES("Content-Type, Authorization, X-Requested-With")};
		extra[n++] = (struct header){BYTES("Vary"), BYTES("Origin")};
	}
	c = monitor_take_call(k);
	if (c != NULL) {
		call_reply_with(c, 204, NULL, NULL, extra, n);
	}
	monitor_free_ask(k);
}

static void refuse_method(struct ask *k, struct text *allow)
{
	if (allow->n == 0) {
		ask_fail(k, HICLAW_NOT_FOUND, "Not found");
		return;
	}
	if (bytes_eq(k->method, BYTES("OPTIONS"))) {
		answer_options(k, allow);
		return;
	}
	k->allow = keep(k, text_bytes(allow));
	ask_fail(k, HICLAW_METHOD_NOT_ALLOWED, "This path takes " BYTES_FMT " only",
		BYTES_ARG(text_bytes(allow)));
}

bool monitor_begin(struct hiclaw *h, struct call *c)
{
	struct bytes raw[MONITOR_PARAMS_MAX] = {{NULL, 0}};
	struct text allow;
	struct ask *k;

	if (!is_ours(c->url.path)) {
		return false;
	}
	k = new_ask(h, c);
	text_init(&allow, 256);
	k->endpoint = monitor_find(&monitor_table, k->method, k->path, raw, &allow);
	if (k->endpoint == NULL) {
		refuse_method(k, &allow);
	} else if (decode_params(k, raw) && !monitor_refuse_site(k)) {
		monitor_identify(k, on_known);
	}
	text_done(&allow);
	return true;
}
