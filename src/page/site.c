#include "page/site.h"

#include <stdlib.h>
#include <string.h>

#include "http/head.h"
#include "manage/who.h"
#include "page/assets.h"

#define BELOW "/agm"
#define FILES "/a/"
#define FILES_MAX 64u

/* Scripts, styles, pictures and calls of the page's own origin and nothing else. */
static const char policy[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
	"font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
	"frame-ancestors 'none'";

struct asked { /* of the head, which is there until begin returns */
	bool gzip;
	bool has[2]; /* what has the etag of that number */
};

struct visit { /* a call for the document that waits for a password to be checked */
	struct list link;
	struct site *site;
	struct call *call; /* NULL: it has left */
	struct asked asked;
	struct call_work work;
	struct who who;
};

struct site {
	struct manage *manage;
	struct manage_app app;
	struct list visits;
	struct page *plain[FILES_MAX], *packed[FILES_MAX];
	size_t home, gate; /* the documents: of who is signed in, and of who is not */
	char etags[2][32]; /* of all but the gate, and of the gate */
};

/* --- what is asked for --------------------------------------------------------------------------- */

static bool accepts_gzip(const struct head *h)
{
	for (unsigned i = 0; i < h->n_fields; i++) {
		struct bytes list;

		if (!bytes_eq_nocase(head_name(h, i), BYTES("Accept-Encoding"))) {
			continue;
		}
		list = head_value(h, i);
		while (list.n != 0) {
			struct bytes item = bytes_cut(&list, ',');
			struct bytes name = bytes_trim(bytes_cut(&item, ';'));
			struct bytes weight = bytes_trim(item);

			if ((bytes_eq_nocase(name, BYTES("gzip")) || bytes_eq(name, BYTES("*"))) &&
				!bytes_eq(weight, BYTES("q=0")) &&
				!bytes_starts(weight, BYTES("q=0.0"))) {
				return true;
			}
		}
	}
	return false;
}

static bool has_etag(const char *etag, const struct head *h)
{
	for (unsigned i = 0; i < h->n_fields; i++) {
		struct bytes list;

		if (!bytes_eq_nocase(head_name(h, i), BYTES("If-None-Match"))) {
			continue;
		}
		list = head_value(h, i);
		while (list.n != 0) {
			struct bytes tag = bytes_trim(bytes_cut(&list, ','));

			if (bytes_eq(tag, bytes_str(etag)) || bytes_eq(tag, BYTES("*"))) {
				return true;
			}
		}
	}
	return false;
}

static struct asked asked_of(const struct site *s, const struct call *c)
{
	return (struct asked){accepts_gzip(c->head),
		{has_etag(s->etags[0], c->head), has_etag(s->etags[1], c->head)}};
}

static bool find(const struct asset *v, size_t n, struct bytes name, size_t *out)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes_eq(name, bytes_str(v[i].name))) {
			*out = i;
			return true;
		}
	}
	return false;
}

/* "/a/<hash>/<name>" */
static bool find_file(struct bytes path, size_t *out)
{
	struct bytes rest = path;

	if (!bytes_starts(path, BYTES(FILES))) {
		return false;
	}
	rest.p += sizeof(FILES) - 1;
	rest.n -= sizeof(FILES) - 1;
	return bytes_eq(bytes_cut(&rest, '/'), bytes_str(assets_hash)) &&
		find(assets, assets_n, rest, out);
}

/* --- answers ------------------------------------------------------------------------------------- */

static void answer(
	const struct site *s, struct call *c, size_t i, unsigned status, struct asked asked)
{
	bool gate = i == s->gate;
	bool document = gate || i == s->home;
	struct header h[9];
	size_t n = 0;

	h[n++] = (struct header){BYTES("Cache-Control"),
		document ? BYTES("no-cache") : BYTES("public, max-age=31536000, immutable")};
	h[n++] = (struct header){BYTES("ETag"), bytes_str(s->etags[gate])};
	h[n++] = (struct header){BYTES("Vary"), BYTES("Accept-Encoding, Cookie")};
	h[n++] = (struct header){BYTES("Content-Security-Policy"), bytes_str(policy)};
	h[n++] = (struct header){BYTES("Referrer-Policy"), BYTES("no-referrer")};
	h[n++] = (struct header){BYTES("Cross-Origin-Opener-Policy"), BYTES("same-origin")};
	if (status == 401) {
		h[n++] = (struct header){BYTES("WWW-Authenticate"), BYTES("Session")};
	} else if (asked.has[gate]) {
		call_reply_with(c, 304, NULL, NULL, h, n);
		return;
	}
	if (asked.gzip) {
		h[n++] = (struct header){BYTES("Content-Encoding"), BYTES("gzip")};
	}
	call_reply_with(c, status, assets[i].type, asked.gzip ? s->packed[i] : s->plain[i], h, n);
}

/* Who is not signed in gets the gate, where the password is asked for; programs see the 401. A boot test of HiClaw
 * wants 200 of the console's listener (console-api.md section 1.11). */
static void answer_document(const struct site *s, struct call *c, bool known, struct asked asked)
{
	bool open = known || manage_door(c) == MANAGE_CONSOLE;

	answer(s, c, known ? s->home : s->gate, open ? 200 : 401, asked);
}

static void on_visit_end(struct call_work *w)
{
	struct visit *v = CONTAINER_OF(w, struct visit, work);

	v->call = NULL;
	who_orphan(&v->who);
}

static void on_visit_body(struct call_work *w)
{
	(void)w; /* what comes with a GET is nobody's */
}

static void on_known(struct who *w, enum who_rc rc)
{
	struct visit *v = CONTAINER_OF(w, struct visit, who);
	struct call *c = v->call;

	list_remove(&v->link);
	if (c != NULL) {
		c->work = NULL;
		answer_document(v->site, c, rc == WHO_ADMIN, v->asked);
	}
	free(v);
}

static void ask_who(struct site *s, struct call *c)
{
	struct visit *v = must_alloc(sizeof(*v));

	v->site = s;
	v->call = c;
	v->asked = asked_of(s, c);
	v->work = (struct call_work){.on_body = on_visit_body, .on_end = on_visit_end};
	list_append(&s->visits, &v->link);
	if (who_ask(&v->who, s->manage, c, on_known)) {
		c->work = &v->work;
	}
}

static void begin_document(struct site *s, struct call *c)
{
	bool known = who_has_session(s->manage, c->head);

	if (known || head_get(c->head, FIELD_AUTHORIZATION).p == NULL) {
		answer_document(s, c, known, asked_of(s, c));
	} else {
		ask_who(s, c);
	}
}

static void redirect(struct call *c, const char *to)
{
	struct header h[] = {{BYTES("Location"), bytes_str(to)}};

	call_reply_with(c, 301, NULL, NULL, h, ARRAY_LEN(h));
}

static bool reads(const struct call *c)
{
	return bytes_eq(c->head->method, BYTES("GET")) || bytes_eq(c->head->method, BYTES("HEAD"));
}

static void refuse_method(struct call *c)
{
	struct header allow = {BYTES("Allow"), BYTES("GET, HEAD")};

	call_refuse(c, 405, &allow, "this path takes GET and HEAD only");
}

static bool begin(struct manage_app *app, struct call *c)
{
	struct site *s = CONTAINER_OF(app, struct site, app);
	struct bytes *path = &c->url.path;
	size_t i = s->home;
	bool document;

	if (bytes_eq(*path, BYTES(BELOW)) && reads(c)) {
		redirect(c, "agm/"); /* of a prefix that a proxy took off nothing is known here */
		return true;
	}
	if (bytes_starts(*path, BYTES(BELOW "/"))) {
		path->p += sizeof(BELOW) - 1;
		path->n -= sizeof(BELOW) - 1;
	}
	document = bytes_eq(*path, BYTES("/")) || bytes_eq(*path, BYTES("/index.html"));
	if (!document && !find_file(*path, &i)) {
		return false;
	}
	if (!reads(c)) {
		refuse_method(c);
	} else if (document) {
		begin_document(s, c);
	} else {
		answer(s, c, i, 200, asked_of(s, c));
	}
	return true;
}

/* --- life ---------------------------------------------------------------------------------------- */

struct site *site_new(struct manage *m)
{
	struct site *s = must_alloc(sizeof(*s));

	ASSERT(assets_n <= FILES_MAX);
	s->manage = m;
	s->app.begin = begin;
	list_init(&s->visits);
	snprintf(s->etags[0], sizeof(s->etags[0]), "W/\"%s\"", assets_hash);
	snprintf(s->etags[1], sizeof(s->etags[1]), "W/\"%s-gate\"", assets_hash);
	for (size_t i = 0; i < assets_n; i++) {
		s->plain[i] = page_new_constant(bytes_of(assets_bytes + assets[i].at, assets[i].n));
		s->packed[i] = page_new_constant(
			bytes_of(assets_bytes + assets[i].packed_at, assets[i].packed_n));
	}
	ASSERT(find(assets, assets_n, BYTES("home.html"), &s->home));
	ASSERT(find(assets, assets_n, BYTES("gate.html"), &s->gate));
	manage_add(m, &s->app);
	return s;
}

void site_free(struct site *s)
{
	if (s == NULL) {
		return;
	}
	while (!list_empty(&s->visits)) { /* their passwords were never looked at */
		struct visit *v = CONTAINER_OF(s->visits.next, struct visit, link);

		list_remove(&v->link);
		free(v);
	}
	for (size_t i = 0; i < assets_n; i++) {
		page_unref(s->plain[i]);
		page_unref(s->packed[i]);
	}
	free(s);
}
