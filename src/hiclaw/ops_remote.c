/*
 * One request at a time, each step saying which is the next. What a run needs is in the call's arena, so nothing
 * is left behind when the loop ends in the middle of it.
 */
#include "hiclaw/ops_remote.h"

#include "wire/json.h"

#define WHY_MAX 4096u
#define PAGE 100u
/* Attack: a Console that has always one page more. */
#define PAGES_MAX 1000u
#define CONNECT_MS 5000u
#define ANSWER_MS 30000u
#define ANSWER_MAX ((size_t)8 << 20)
#define BODY_MAX ((size_t)16 << 20)

static const struct {
	const char *path, *word;
} nouns[OPS_HERE] = {
	[OPS_PROVIDER] = {"/v1/ai/providers", "provider"},
	[OPS_SOURCE] = {"/v1/service-sources", "service source"},
	[OPS_AI_ROUTE] = {"/v1/ai/routes", "AI route"},
	[OPS_ROUTE] = {"/v1/routes", "route"},
	[OPS_CONSUMER] = {"/v1/consumers", "consumer"},
	[OPS_DOMAIN] = {"/v1/domains", "domain"},
	[OPS_CERTIFICATE] = {"/v1/tls-certificates", "certificate"},
};

struct answer {
	unsigned status;               /* 0: none came */
	const struct doc *root, *data; /* NULL: no JSON */
};

struct run {
	struct ops_call *call;
	struct ops_remote *remote;
	/* What an answer is for. */
	void (*on_answer)(struct run *r, const struct answer *a);
	/* What is done when there is a session. */
	void (*step)(struct run *r);
	bool again; /* the session was renewed */
	/* read */
	unsigned noun, page;
	/* change: item call->at */
	struct doc **before; /* NULL: not there */
	bool *touched;       /* a write was sent */
	unsigned tries;
	struct bytes version; /* to write with; empty: none */
	bool undoing;
	struct task task;
};

static void next_list(struct run *r);
static void next_item(struct run *r);
static void next_undo(struct run *r);

/* --- refusals ---------------------------------------------------------------------------------------- */

static void say(struct run *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void say(struct run *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_addv(&r->call->why, fmt, ap);
	va_end(ap);
}

static void end(struct run *r)
{
	if (arena_full(r->call->arena) && r->call->status == 0) {
		r->call->status = 500;
		say(r, "there are too many objects to look at");
	}
	r->call->on_done(r->call);
}

static const char *item_word(const struct run *r)
{
	return nouns[r->call->items[r->call->at].noun].word;
}

static struct bytes item_name(const struct run *r)
{
	return r->call->items[r->call->at].name;
}

/* Somebody has to put this one right. */
static void leave_item(struct run *r)
{
	say(r, "; the %s " BYTES_FMT " could not be put back", item_word(r),
		BYTES_ARG(item_name(r)));
}

/* After the sentence was said. */
static void give_up(struct run *r, unsigned status)
{
	r->call->status = status;
	if (r->before == NULL) {
		end(r);
		return;
	}
	r->undoing = true;
	r->call->at++; /* this one may have been written, too */
	next_undo(r);
}

/* Nothing more can be asked. */
static void give_up_all(struct run *r)
{
	if (!r->undoing) {
		r->call->status = 502;
	}
	if (r->before != NULL && r->call->at < r->call->n_items) {
		for (size_t i = r->call->at + 1; i-- > 0;) {
			r->call->at = i;
			if (r->touched[i]) {
				leave_item(r);
			}
		}
	}
	end(r);
}

/* A status that is no success: the Console's own sentence, where it has one. */
static void refused(struct run *r, const struct answer *a)
{
	struct bytes why = doc_text(doc_get(r->call->arena, a->root, "message"), BYTES(""));
	bool known = a->status == 400 || a->status == 403 || a->status == 404 || a->status == 409;

	say(r, "the Console answers %u", a->status);
	if (why.n > 0) {
		say(r, ": " BYTES_FMT, BYTES_ARG(why));
	}
	give_up(r, known ? a->status : 502);
}

/* --- requests ---------------------------------------------------------------------------------------- */

static void on_fetched(struct fetch *f);

static struct bytes keep(struct run *r, struct text *t)
{
	struct bytes out = arena_copy(r->call->arena, text_bytes(t));

	text_done(t);
	return out;
}

static void ask(struct run *r, struct bytes method, struct bytes target, const struct doc *body,
	void (*on_answer)(struct run *r, const struct answer *a))
{
	struct ops_remote *o = r->remote;
	struct fetch *f = &r->call->fetch;
	struct json_writer w;
	struct text t;

	text_init(&t, BODY_MAX);
	if (body != NULL) {
		json_writer_init(&w, &t);
		doc_put_json(r->call->arena, &w, body);
	}
	*f = (struct fetch){.tls = o->tls,
		.host = o->host,
		.port = o->port,
		.method = method,
		.target = target,
		.connect_ms = CONNECT_MS,
		.timeout_ms = ANSWER_MS,
		.answer_max = ANSWER_MAX,
		.on_done = on_fetched,
		.arg = r};
	f->body = keep(r, &t);
	fetch_add(f, BYTES("Host"), o->authority);
	fetch_add(f, BYTES("Accept"), BYTES("application/json"));
	if (o->n_cookie > 0) {
		fetch_add(f, BYTES("Cookie"), bytes_of(o->cookie, o->n_cookie));
	}
	if (body != NULL) {
		fetch_add(f, BYTES("Content-Type"), BYTES("application/json"));
	}
	r->on_answer = on_answer;
	if (arena_full(r->call->arena)) { /* parts of it are missing */
		fetch_done(f);
		end(r);
		return;
	}
	fetch_start(o->fetcher, f);
}

static bool is_success(const struct answer *a)
{
	return a->status >= 200 && a->status < 300;
}

/* Lists and single objects of GET are in an envelope, what POST and PUT answer may be. */
static struct answer read_answer(struct run *r, const struct fetch *f)
{
	struct arena *a = r->call->arena;
	struct bytes text = arena_copy(a, text_bytes(&f->body_in));
	const struct json_value *v = text.n > 0 ? json_parse(a, text, NULL) : NULL;
	struct answer out = {.status = f->status};

	if (v != NULL && v->type == JSON_OBJECT) {
		out.root = doc_of_json(a, v);
		out.data = json_get(v, "success") != NULL ? doc_get(a, out.root, "data") : out.root;
	}
	return out;
}

/* --- session ----------------------------------------------------------------------------------------- */

static void on_session(struct run *r, const struct answer *a)
{
	if (is_success(a) && r->remote->n_cookie > 0) {
		r->step(r);
		return;
	}
	say(r, "the Console at " BYTES_FMT " %s", BYTES_ARG(r->remote->authority),
		is_success(a) ? "gives no session"
			      : "refuses the user name or the password that it is asked with");
	give_up_all(r);
}

static void take_cookie(struct ops_remote *o, const struct fetch *f)
{
	struct bytes cookie = fetch_field(f, "set-cookie");

	cookie = cookie.p != NULL ? bytes_cut(&cookie, ';') : BYTES("");
	if (cookie.n > 0 && cookie.n <= sizeof(o->cookie)) {
		memcpy(o->cookie, cookie.p, cookie.n);
		o->n_cookie = cookie.n;
	}
}

static void log_in(struct run *r)
{
	struct arena *a = r->call->arena;
	struct doc *body = doc_map(a);

	r->remote->n_cookie = 0;
	doc_set(a, body, "username", doc_string(a, r->remote->user));
	doc_set(a, body, "password", doc_string(a, r->remote->password));
	ask(r, BYTES("POST"), BYTES("/session/login"), body, on_session);
}

static void on_fetched(struct fetch *f)
{
	struct run *r = f->arg;
	enum fetch_rc rc = f->rc;
	struct answer a = {0};

	if (rc == FETCH_DONE) {
		a = read_answer(r, f);
		if (r->on_answer == on_session && is_success(&a)) {
			take_cookie(r->remote, f);
		}
	} else if (!r->undoing) {
		say(r, "the Console at " BYTES_FMT " cannot be asked: %s",
			BYTES_ARG(r->remote->authority), f->why.text);
	}
	fetch_done(f);
	if (rc != FETCH_DONE) {
		give_up_all(r);
	} else if (a.status == 401 && r->on_answer != on_session && !r->again) {
		r->again = true;
		log_in(r);
	} else {
		r->on_answer(r, &a);
	}
}

/* --- reading ----------------------------------------------------------------------------------------- */

static void on_list(struct run *r, const struct answer *a)
{
	struct arena *arena = r->call->arena;
	struct doc *list = r->call->lists[r->noun];
	const struct doc *total = doc_get(arena, a->root, "total");

	if (!is_success(a)) {
		refused(r, a);
		return;
	}
	if (a->data == NULL || a->data->type != DOC_LIST) {
		say(r, "the Console at " BYTES_FMT " answers %s with something else than a list",
			BYTES_ARG(r->remote->authority), nouns[r->noun].path);
		give_up(r, 502);
		return;
	}
	for (const struct doc *d = doc_first(arena, a->data); d != NULL; d = d->next) {
		doc_append(arena, list, doc_copy(arena, d));
	}
	/* Some lists of a Higress come whole, whatever page is asked for. */
	if (a->data->n == PAGE && doc_given(total) && total->type == DOC_INT && list != NULL &&
		(int64_t)list->n < total->integer && r->page < PAGES_MAX) {
		r->page++;
	} else {
		r->noun++;
		r->page = 1;
	}
	next_list(r);
}

static void next_list(struct run *r)
{
	struct text t;

	while (r->noun < OPS_HERE && (r->call->wanted & 1u << r->noun) == 0) {
		r->noun++;
	}
	if (r->noun == OPS_HERE || arena_full(r->call->arena)) {
		end(r);
		return;
	}
	if (r->page == 1) {
		r->call->lists[r->noun] = doc_list(r->call->arena);
	}
	text_init(&t, WHY_MAX);
	text_addf(&t, "%s?pageNum=%u&pageSize=%u", nouns[r->noun].path, r->page, PAGE);
	ask(r, BYTES("GET"), keep(r, &t), NULL, on_list);
}

/* --- objects ----------------------------------------------------------------------------------------- */

static struct bytes path_of(struct run *r, bool whole)
{
	const struct ops_item *i = &r->call->items[r->call->at];
	struct text t;

	text_init(&t, WHY_MAX);
	text_add_str(&t, nouns[i->noun].path);
	if (whole) {
		text_add_char(&t, '/');
		for (size_t n = 0; n < i->name.n; n++) {
			unsigned char c = (unsigned char)i->name.p[n];
			bool plain = ascii_digit((char)c) ||
				(ascii_lower((char)c) >= 'a' && ascii_lower((char)c) <= 'z') ||
				c == '-' || c == '.' || c == '_';

			text_addf(&t, plain ? "%c" : "%%%02X", c);
		}
	}
	return keep(r, &t);
}

static struct bytes version_of(const struct doc *object)
{
	return doc_peek(object, "version", BYTES(""));
}

static struct doc *with_version(struct run *r, const struct doc *body, struct bytes version)
{
	struct arena *a = r->call->arena;
	struct doc *copy = doc_copy(a, body);

	doc_drop(a, copy, "version");
	if (version.n > 0) {
		doc_set(a, copy, "version", doc_string(a, version));
	}
	return copy;
}

static bool same(struct run *r, const struct doc *x, const struct doc *y)
{
	return x != NULL && y != NULL &&
		doc_equal(r->call->arena, with_version(r, x, BYTES("")),
			with_version(r, y, BYTES("")));
}

/* What GET of one object says. False: neither that it is there nor that it is not. */
static bool is_known(const struct answer *a)
{
	return a->status == 404 || (is_success(a) && a->data != NULL && a->data->type == DOC_MAP);
}

static void look(struct run *r, void (*on_answer)(struct run *r, const struct answer *a))
{
	ask(r, BYTES("GET"), path_of(r, true), NULL, on_answer);
}

/* --- changing ---------------------------------------------------------------------------------------- */

static void write_item(struct run *r);

static void on_written(struct run *r, const struct answer *a)
{
	const struct ops_item *i = &r->call->items[r->call->at];

	if (is_success(a) || (i->verb == OPS_REMOVE && a->status == 404)) {
		r->call->at++;
		r->tries = 0;
		next_item(r);
		return;
	}
	refused(r, a);
}

/* Somebody was faster: with the same object, as HiClaw does to have its list of consumers written again, or with
 * another one. */
static void on_fresh(struct run *r, const struct answer *a)
{
	if (is_success(a) && same(r, a->data, r->before[r->call->at])) {
		r->version = version_of(a->data);
		write_item(r);
		return;
	}
	say(r, "the %s " BYTES_FMT " was changed by somebody else; try again", item_word(r),
		BYTES_ARG(item_name(r)));
	give_up(r, 409);
}

static void on_put(struct run *r, const struct answer *a)
{
	if (a->status == 409 && ++r->tries < OPS_REMOTE_TRIES_MAX) {
		look(r, on_fresh);
		return;
	}
	on_written(r, a);
}

static void write_item(struct run *r)
{
	const struct ops_item *i = &r->call->items[r->call->at];

	r->touched[r->call->at] = true;
	if (i->verb == OPS_REMOVE) {
		ask(r, BYTES("DELETE"), path_of(r, true), NULL, on_written);
	} else if (r->before[r->call->at] == NULL) {
		ask(r, BYTES("POST"), path_of(r, false), with_version(r, i->body, BYTES("")),
			on_written);
	} else {
		ask(r, BYTES("PUT"), path_of(r, true), with_version(r, i->body, r->version),
			on_put);
	}
}

/* "sk-******abc": what our own Console shows of a key. */
static bool is_masked(struct run *r, const struct ops_item *i)
{
	const struct doc *t = doc_first(r->call->arena, doc_get(r->call->arena, i->body, "tokens"));

	for (; t != NULL; t = t->next) {
		for (size_t n = 0; n + 6 <= t->text.n; n++) {
			if (memcmp(t->text.p + n, "******", 6) == 0) {
				return i->noun == OPS_PROVIDER;
			}
		}
	}
	return false;
}

/* False: the item cannot be written, which was said. */
static bool check_item(struct run *r, const struct ops_item *i, const struct doc *there)
{
	struct bytes made_of = i->body != NULL ? version_of(i->body) : BYTES("");

	if (there != NULL && i->verb == OPS_CREATE) {
		say(r, "%s '" BYTES_FMT "' already exists", nouns[i->noun].word,
			BYTES_ARG(i->name));
		give_up(r, 409);
		return false;
	}
	if (there != NULL && made_of.n > 0 && !bytes_eq(made_of, version_of(there))) {
		say(r, "the %s " BYTES_FMT " was changed by somebody else; try again",
			nouns[i->noun].word, BYTES_ARG(i->name));
		give_up(r, 409);
		return false;
	}
	if (there == NULL && is_masked(r, i)) {
		say(r,
			"the Console does not show the keys of providers, so " BYTES_FMT
			" cannot be made of them; create it with its key",
			BYTES_ARG(i->name));
		give_up(r, 400);
		return false;
	}
	return true;
}

static void on_looked(struct run *r, const struct answer *a)
{
	const struct ops_item *i = &r->call->items[r->call->at];
	struct doc *there;

	if (!is_known(a)) {
		refused(r, a);
		return;
	}
	there = a->status == 404 ? NULL : doc_copy(r->call->arena, a->data);
	r->before[r->call->at] = there;
	if (!check_item(r, i, there)) {
		return;
	}
	if (there == NULL && i->verb == OPS_REMOVE) {
		r->call->at++;
		next_item(r);
		return;
	}
	r->version = version_of(there);
	write_item(r);
}

static bool all_are_there(const struct ops_call *c)
{
	for (size_t i = 0; i < c->n_items; i++) {
		if (c->items[i].noun >= OPS_HERE) {
			return false;
		}
	}
	return true;
}

static void next_item(struct run *r)
{
	if (r->call->at == 0 && !all_are_there(r->call)) {
		say(r, "settings, plugins and MCP servers of another Console are not changed from here");
		r->call->status = 400;
		end(r);
		return;
	}
	if (r->call->at == r->call->n_items) {
		end(r);
		return;
	}
	look(r, on_looked);
}

/* --- putting back ------------------------------------------------------------------------------------ */

static void on_undone(struct run *r, const struct answer *a)
{
	if (!is_success(a) && a->status != 404) {
		leave_item(r);
	}
	next_undo(r);
}

static void on_undo_looked(struct run *r, const struct answer *a)
{
	struct doc *before = r->before[r->call->at];

	if (!is_known(a)) {
		leave_item(r);
		next_undo(r);
	} else if (a->status == 404 ? before == NULL : same(r, a->data, before)) {
		next_undo(r); /* it was not written after all */
	} else if (before == NULL) {
		ask(r, BYTES("DELETE"), path_of(r, true), NULL, on_undone);
	} else if (a->status == 404) {
		ask(r, BYTES("POST"), path_of(r, false), with_version(r, before, BYTES("")),
			on_undone);
	} else {
		ask(r, BYTES("PUT"), path_of(r, true), with_version(r, before, version_of(a->data)),
			on_undone);
	}
}

static void look_undo(struct run *r)
{
	look(r, on_undo_looked);
}

static void next_undo(struct run *r)
{
	do {
		if (r->call->at == 0) {
			end(r);
			return;
		}
		r->call->at--;
	} while (!r->touched[r->call->at]);
	r->step = look_undo;
	look_undo(r);
}

/* --- life -------------------------------------------------------------------------------------------- */

static void on_begin(struct task *t)
{
	struct run *r = CONTAINER_OF(t, struct run, task);

	if (r->remote->n_cookie == 0) {
		log_in(r);
	} else {
		r->step(r);
	}
}

static void on_no_room(struct task *t)
{
	struct ops_call *c = CONTAINER_OF(t, struct ops_call, fetch.task);

	c->status = 500;
	c->on_done(c);
}

static void begin(struct manage_ops *o, struct ops_call *c, void (*step)(struct run *r))
{
	struct run *r = arena_alloc(c->arena, sizeof(*r));
	bool change = step == next_item;

	c->ops = o;
	c->at = 0;
	text_init(&c->why, WHY_MAX);
	if (r != NULL && change) {
		r->before = arena_alloc(c->arena, (c->n_items + 1) * sizeof(*r->before));
		r->touched = arena_alloc(c->arena, c->n_items + 1);
	}
	if (r == NULL || (change && (r->before == NULL || r->touched == NULL))) {
		text_add_str(&c->why, "there is no room for the call");
		loop_again(
			CONTAINER_OF(o, struct ops_remote, ops)->loop, &c->fetch.task, on_no_room);
		return;
	}
	r->call = c;
	r->remote = CONTAINER_OF(o, struct ops_remote, ops);
	r->step = step;
	r->page = 1;
	loop_again(r->remote->loop, &r->task, on_begin);
}

static void read_all(struct manage_ops *o, struct ops_call *c)
{
	begin(o, c, next_list);
}

static void change(struct manage_ops *o, struct ops_call *c)
{
	begin(o, c, next_item);
}

void ops_remote_init(struct ops_remote *o)
{
	o->ops = (struct manage_ops){.read = read_all, .change = change};
	o->n_cookie = 0;
}
