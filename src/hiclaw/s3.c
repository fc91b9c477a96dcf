/*
 * A call is a row of tries: keys, a signed request, and what its answer means: an end, another page of a list,
 * or a further try at once (another region, another clock, other keys: once each) or after a pause.
 */
#include "hiclaw/s3.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/num.h"
#include "hiclaw/s3_int.h"
#include "hiclaw/s3_time.h"
#include "wire/sigv4.h"

#define PAUSE_MS \
	100u /* before the second try, twice as long before the third; give or take half of it */
#define HEAD_MAX ((size_t)256 << 10)
#define PAGE "1000"
#define FIELDS_MAX 9u

const char *s3_code(enum s3_rc rc)
{
	static const char *const codes[] = {
		[S3_OK] = "",
		[S3_NOT_FOUND] = "STORAGE_NOT_FOUND",
		[S3_FORBIDDEN] = "STORAGE_FORBIDDEN",
		[S3_CONFLICT] = "STORAGE_CONFLICT",
		[S3_UNSUPPORTED] = "STORAGE_UNSUPPORTED",
		[S3_NO_KEYS] = "STORAGE_NO_CREDENTIALS",
		[S3_UNREACHABLE] = "STORAGE_UNREACHABLE",
		[S3_REFUSED] = "STORAGE_REFUSED",
		[S3_BROKEN] = "STORAGE_BROKEN",
		[S3_EDIT_FAILED] = "STORAGE_EDIT_FAILED",
	};

	return codes[rc];
}

/* --- the end ------------------------------------------------------------------------------------ */

static void leave(struct s3_call *call)
{
	s3_credentials_cancel(&call->keys);
	timer_clear(call->s3->loop, &call->again);
	fetch_cancel(&call->fetch);
	fetch_done(&call->fetch);
	arena_done(&call->head);
	list_remove(&call->link);
	call->s3 = NULL;
}

static void end(struct s3_call *call, enum s3_rc rc)
{
	leave(call);
	call->rc = rc;
	call->on_done(call);
}

/* For people: what was asked of which key. Control characters of keys are not shown. */
static void name_key(const struct s3_call *call, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < call->key.n && n + 1 < MIN(size, 80); i++) {
		unsigned char c = (unsigned char)call->key.p[i];

		out[n++] = c < 0x20 || c >= 0x7f ? '?' : (char)c;
	}
	out[n] = '\0';
}

static void fail(struct s3_call *call, enum s3_rc rc, const char *what)
{
	static const char *const verbs[] = {[S3_GET] = "read",
		[S3_PUT] = "write",
		[S3_HEAD] = "look at",
		[S3_DELETE] = "remove",
		[S3_LIST] = "list",
		[S3_BUCKET_HEAD] = "look at the bucket",
		[S3_BUCKET_MAKE] = "make the bucket"};
	char key[80];

	name_key(call, key, sizeof(key));
	IGNORE(fault_set(&call->why, ERR_REFUSED, (int)call->status, 0,
		"storage did not %s%s%s: %s", verbs[call->verb], key[0] != '\0' ? " " : "", key,
		what));
	end(call, rc);
}

/* --- a request ---------------------------------------------------------------------------------- */

static struct bytes keep(struct s3_call *call, struct text *t)
{
	struct bytes copy = arena_copy(&call->head, text_bytes(t));

	call->head.full = call->head.full || text_full(t);
	text_done(t);
	return copy;
}

static struct bytes method_of(enum s3_verb verb)
{
	switch (verb) {
	case S3_PUT:
	case S3_BUCKET_MAKE:
		return BYTES("PUT");
	case S3_HEAD:
	case S3_BUCKET_HEAD:
		return BYTES("HEAD");
	case S3_DELETE:
		return BYTES("DELETE");
	case S3_GET:
	case S3_LIST:
	default:
		return BYTES("GET");
	}
}

static bool is_of_object(enum s3_verb verb)
{
	return verb == S3_GET || verb == S3_PUT || verb == S3_HEAD || verb == S3_DELETE;
}

static struct bytes list_prefix(struct s3_call *call, const struct s3_place *place)
{
	struct text t;

	text_init(&t, 2 * S3_KEY_MAX);
	text_add_str(&t, place->prefix);
	text_add_bytes(&t, call->key);
	return keep(call, &t);
}

#define QUERY_MAX 6u

static size_t make_query(
	struct s3_call *call, const struct s3_place *place, struct sigv4_pair pairs[QUERY_MAX])
{
	size_t n = 0;

	if (call->verb != S3_LIST) {
		return 0;
	}
	pairs[n++] = (struct sigv4_pair){BYTES("list-type"), BYTES("2")};
	pairs[n++] = (struct sigv4_pair){BYTES("max-keys"), BYTES(PAGE)};
	pairs[n++] = (struct sigv4_pair){BYTES("encoding-type"), BYTES("url")};
	pairs[n++] = (struct sigv4_pair){BYTES("prefix"), list_prefix(call, place)};
	if (!call->deep) {
		pairs[n++] = (struct sigv4_pair){BYTES("delimiter"), BYTES("/")};
	}
	if (call->listing.next.n != 0) {
		pairs[n++] = (struct sigv4_pair){BYTES("continuation-token"), call->listing.next};
	}
	return n;
}

static struct bytes payload_hash(struct s3_call *call)
{
	unsigned char digest[DIGEST_SHA256_SIZE];
	char hex[DIGEST_HEX_SIZE];

	digest_sha256(digest, call->body);
	digest_hex(hex, digest);
	return arena_copy(&call->head, bytes_of(hex, sizeof(hex)));
}

static size_t make_fields(struct s3_call *call, const struct s3_place *place,
	const struct s3_keys *keys, struct sigv4_pair fields[FIELDS_MAX])
{
	char date[SIGV4_DATE_N];
	struct text host;
	size_t n = 0;

	text_init(&host, S3_HOST_MAX + S3_BUCKET_MAX + 16);
	s3_place_put_host(place, true, &host);
	sigv4_date(date, clock_wall_ms() + (uint64_t)call->s3->skew_ms);
	fields[n++] = (struct sigv4_pair){BYTES("Host"), keep(call, &host)};
	fields[n++] = (struct sigv4_pair){BYTES("x-amz-content-sha256"), payload_hash(call)};
	fields[n++] = (struct sigv4_pair){
		BYTES("x-amz-date"), arena_copy(&call->head, bytes_of(date, sizeof(date)))};
	if (keys->token.n != 0) {
		fields[n++] = (struct sigv4_pair){
			BYTES("x-amz-security-token"), arena_copy(&call->head, keys->token)};
	}
	if (call->verb == S3_PUT) {
		fields[n++] = (struct sigv4_pair){BYTES("Content-Type"),
			call->content_type.n != 0 ? call->content_type : BYTES("application/json")};
	}
	if (call->verb == S3_PUT && call->only_new) {
		fields[n++] = (struct sigv4_pair){BYTES("If-None-Match"), BYTES("*")};
	} else if (call->verb == S3_PUT && call->if_match.n != 0) {
		fields[n++] = (struct sigv4_pair){BYTES("If-Match"), call->if_match};
	}
	return n;
}

static void add_authorization(struct s3_call *call, const struct sigv4 *r)
{
	struct text t;

	text_init(&t, 4096);
	if (sigv4_authorization(r, &t) != 0) {
		call->head.full = true;
	}
	for (size_t i = 0; i < r->n_fields; i++) {
		fetch_add(&call->fetch, r->fields[i].name, r->fields[i].value);
	}
	fetch_add(&call->fetch, BYTES("Authorization"), keep(call, &t));
}

static struct bytes make_target(
	struct s3_call *call, struct bytes path, const struct sigv4_pair *query, size_t n)
{
	struct text t;

	text_init(&t, SIGV4_TEXT_MAX);
	sigv4_path(&t, path);
	if (n != 0) {
		text_add_char(&t, '?');
		sigv4_query(&t, query, n);
	}
	return keep(call, &t);
}

static void on_fetched(struct fetch *f);

/* Everything that fetch and signature point to is in the arena or the caller's. */
static void make_request(
	struct s3_call *call, const struct s3_place *place, const struct s3_keys *keys)
{
	struct sigv4_pair query[QUERY_MAX], fields[FIELDS_MAX];
	struct text path, host;
	struct sigv4 r = {.method = method_of(call->verb),
		.query = query,
		.fields = fields,
		.region = bytes_str(call->s3->o.place.region),
		.service = BYTES("s3"),
		.key_id = keys->id,
		.secret = keys->secret};

	text_init(&path, 2 * S3_KEY_MAX + S3_BUCKET_MAX + 8);
	s3_place_put_path(place, is_of_object(call->verb) ? call->key : bytes_of(NULL, 0), &path);
	text_init(&host, S3_HOST_MAX + S3_BUCKET_MAX + 16);
	s3_place_put_host(place, false, &host);
	r.path = keep(call, &path);
	r.n_query = make_query(call, place, query);
	r.n_fields = make_fields(call, place, keys, fields);
	r.payload = fields[1].value;
	r.date = fields[2].value;
	call->fetch = (struct fetch){.tls = place->tls,
		.host = keep(call, &host).p,
		.port = place->port,
		.method = r.method,
		.target = make_target(call, r.path, query, r.n_query),
		.body = call->verb == S3_PUT ? call->body : bytes_of(NULL, 0),
		.connect_ms = S3_CONNECT_MS,
		.answer_max = call->verb == S3_LIST ? S3_XML_MAX : S3_OBJECT_MAX,
		.on_done = on_fetched,
		.arg = call};
	if (call->verb == S3_BUCKET_MAKE || (call->verb == S3_PUT && call->body.n == 0)) {
		call->fetch.body = BYTES("");
	}
	add_authorization(call, &r);
}

static void on_keys(
	struct s3_credentials_wait *w, const struct s3_keys *keys, const struct fault *why)
{
	struct s3_call *call = CONTAINER_OF(w, struct s3_call, keys);
	struct s3_place place = call->s3->o.place;
	uint64_t now = loop_now_ms(call->s3->loop);

	if (keys == NULL) {
		fail(call, S3_NO_KEYS, why->text);
		return;
	}
	memcpy(call->who, keys->id.p, MIN(keys->id.n, sizeof(call->who) - 1));
	call->from = keys->from;
	if ((keys->endpoint.n != 0 && s3_place_endpoint(&place, keys->endpoint, NULL) != 0) ||
		(keys->bucket.n != 0 && s3_place_bucket(&place, keys->bucket, NULL) != 0)) {
		fail(call, S3_NO_KEYS, "the controller named an endpoint or a bucket that is none");
		return;
	}
	if (place.host[0] == '\0' || place.bucket[0] == '\0') {
		fail(call, S3_REFUSED, "no endpoint or no bucket is configured");
		return;
	}
	arena_done(&call->head);
	arena_init(&call->head, HEAD_MAX);
	make_request(call, &place, keys);
	if (arena_full(&call->head)) {
		fail(call, S3_REFUSED, "the key or a token is too long");
		return;
	}
	call->fetch.timeout_ms = call->until_ms > now ? call->until_ms - now : 1;
	fetch_start(call->s3->o.fetcher, &call->fetch);
}

static void try_now(struct s3_call *call)
{
	fetch_done(&call->fetch);
	call->fetch = (struct fetch){0};
	call->keys.on_done = on_keys;
	s3_credentials_get(call->s3->o.credentials, &call->keys);
}

static void on_again(struct timer *t)
{
	try_now(CONTAINER_OF(t, struct s3_call, again));
}

/* False: it was the last try. The pause is partly chance, so that those who failed together do not come back
 * together. */
static bool try_later(struct s3_call *call)
{
	struct s3 *s = call->s3;
	uint64_t pause = (uint64_t)PAUSE_MS << call->tries;

	if (++call->tries >= S3_TRIES_MAX) {
		return false;
	}
	pause = pause / 2 + random_below(&s->random, pause);
	if (loop_now_ms(s->loop) + pause >= call->until_ms) {
		return false;
	}
	timer_set(s->loop, &call->again, pause, on_again);
	return true;
}

/* --- answers ------------------------------------------------------------------------------------ */

static void take_field(const struct s3_call *call, const char *name, char out[S3_ETAG_MAX + 1])
{
	struct bytes v = fetch_field(&call->fetch, name);

	out[0] = '\0';
	if (v.n != 0 && v.n <= S3_ETAG_MAX) {
		memcpy(out, v.p, v.n);
		out[v.n] = '\0';
	}
}

/* An ETag of 32 hexadecimal digits is the MD5 of what was stored (7.3, 7). */
static bool is_damaged(const struct s3_call *call)
{
	static const char digits[] = "0123456789abcdef";
	struct bytes etag = bytes_str(call->etag);
	unsigned char md5[DIGEST_MD5_SIZE];
	char hex[2 * DIGEST_MD5_SIZE];

	if (etag.n >= 2 && etag.p[0] == '"') {
		etag = bytes_of(etag.p + 1, etag.n - 2);
	}
	if (etag.n != sizeof(hex)) {
		return false;
	}
	for (size_t i = 0; i < etag.n; i++) {
		if (memchr(digits, ascii_lower(etag.p[i]), 16) == NULL) {
			return false;
		}
	}
	digest_md5(md5, call->body);
	for (size_t i = 0; i < sizeof(md5); i++) {
		hex[2 * i] = digits[md5[i] >> 4];
		hex[2 * i + 1] = digits[md5[i] & 15];
	}
	return !bytes_eq_nocase(etag, bytes_of(hex, sizeof(hex)));
}

static void begin_page(struct s3_call *call)
{
	call->until_ms = loop_now_ms(call->s3->loop) + S3_TOTAL_MS;
	call->tries = 0;
	try_now(call);
}

static void take_page(struct s3_call *call)
{
	struct bytes before = call->listing.next;
	struct fault why = {0};

	if (s3_xml_list(call->arena, text_bytes(&call->fetch.body_in), &call->listing, &why) != 0) {
		fail(call, S3_BROKEN, why.text);
	} else if (call->listing.n > S3_LIST_MAX) {
		fail(call, S3_REFUSED, "more than 100000 objects");
	} else if (call->listing.truncated && bytes_eq(call->listing.next, before)) {
		fail(call, S3_BROKEN, "the list of objects goes on where it was");
	} else if (call->listing.truncated) {
		begin_page(call);
	} else {
		end(call, S3_OK);
	}
}

static void take_success(struct s3_call *call)
{
	take_field(call, "etag", call->etag);
	take_field(call, "x-amz-version-id", call->version);
	if (call->verb == S3_LIST) {
		take_page(call);
		return;
	}
	if (call->verb == S3_PUT && is_damaged(call)) {
		fail(call, S3_BROKEN, "its ETag is that of other bytes than were sent");
		return;
	}
	if (call->verb == S3_GET) {
		call->content = call->fetch.body_in;
		call->fetch.body_in = (struct text){0};
	}
	end(call, S3_OK);
}

/* True: it was the wrong one, and the right one is known now. */
static bool learn_region(struct s3_call *call, const struct s3_error *e)
{
	struct bytes region = bytes_str(e->region);
	char *mine = call->s3->o.place.region;

	if (region.n == 0) {
		region = fetch_field(&call->fetch, "x-amz-bucket-region");
	}
	if (call->region_tried || region.n == 0 || region.n > S3_REGION_MAX ||
		bytes_eq(region, bytes_str(mine))) {
		return false;
	}
	memcpy(mine, region.p, region.n);
	mine[region.n] = '\0';
	return call->region_tried = true;
}

static bool learn_clock(struct s3_call *call)
{
	uint64_t theirs;

	if (call->clock_tried || !s3_time_http(fetch_field(&call->fetch, "date"), &theirs)) {
		return false;
	}
	call->s3->skew_ms = (int64_t)theirs - (int64_t)clock_wall_ms();
	return call->clock_tried = true;
}

static bool learn_keys(struct s3_call *call)
{
	if (call->keys_tried || !s3_credentials_expired(call->s3->o.credentials)) {
		return false;
	}
	return call->keys_tried = true;
}

static bool is_code(const struct s3_error *e, const char *code)
{
	return strcmp(e->code, code) == 0;
}

/* Whether the same request can be right when it is signed otherwise. HEAD has no body that says why. */
static bool learn(struct s3_call *call, const struct s3_error *e)
{
	switch (call->status) {
	case 301:
	case 307:
		return learn_region(call, e);
	case 400:
		if (is_code(e, "AuthorizationHeaderMalformed") || e->code[0] == '\0') {
			return learn_region(call, e);
		}
		return (is_code(e, "ExpiredToken") || is_code(e, "InvalidToken")) &&
			learn_keys(call);
	case 403:
		if (is_code(e, "RequestTimeTooSkewed")) {
			return learn_clock(call);
		}
		return (is_code(e, "ExpiredToken") || is_code(e, "InvalidAccessKeyId") ||
			       is_code(e, "SecurityTokenExpired")) &&
			learn_keys(call);
	default:
		return false;
	}
}

static enum s3_rc rc_of(unsigned status, const struct s3_error *e)
{
	switch (status) {
	case 401:
	case 403:
		return S3_FORBIDDEN;
	case 404:
		return S3_NOT_FOUND;
	case 409:
	case 412:
		return S3_CONFLICT;
	case 501:
		return S3_UNSUPPORTED;
	case 500:
	case 502:
	case 503:
	case 504:
		return S3_UNREACHABLE;
	default:
		return is_code(e, "NotImplemented") ? S3_UNSUPPORTED : S3_REFUSED;
	}
}

static void take_failure(struct s3_call *call)
{
	struct s3_error e;
	enum s3_rc rc;
	char said[120];
	struct text t;

	IGNORE(s3_xml_error(text_bytes(&call->fetch.body_in), &e)); /* empty then */
	if (learn(call, &e)) {
		try_now(call);
		return;
	}
	rc = rc_of(call->status, &e);
	if (rc == S3_UNREACHABLE && try_later(call)) {
		return;
	}
	text_init_fixed(&t, said, sizeof(said) - 1);
	text_addf(&t, "status %u%s%s", call->status, e.code[0] != '\0' ? " " : "", e.code);
	if (rc == S3_FORBIDDEN) {
		text_addf(&t, " to access key %s... of %s", call->who, call->from);
	}
	said[t.n] = '\0';
	fail(call, rc, said);
}

static bool can_be_repeated(enum fetch_rc rc)
{
	return rc == FETCH_NO_CONNECTION || rc == FETCH_PROTOCOL || rc == FETCH_TIMEOUT ||
		rc == FETCH_NO_NAME;
}

static void on_fetched(struct fetch *f)
{
	struct s3_call *call = f->arg;

	call->status = f->rc == FETCH_DONE ? f->status : 0;
	if (f->rc == FETCH_DONE && f->status >= 200 && f->status < 300) {
		take_success(call);
	} else if (f->rc == FETCH_DONE) {
		take_failure(call);
	} else if (!can_be_repeated(f->rc) || !try_later(call)) {
		struct fault why = f->why;

		fail(call, S3_UNREACHABLE, why.text);
	}
}

/* --- life --------------------------------------------------------------------------------------- */

void s3_start(struct s3 *s, struct s3_call *call)
{
	ASSERT(call->s3 == NULL && (call->verb != S3_LIST || call->arena != NULL));
	ASSERT(!is_of_object(call->verb) || call->key.n != 0);
	call->s3 = s;
	call->status = 0;
	call->region_tried = call->clock_tried = call->keys_tried = false;
	list_append(&s->calls, &call->link);
	begin_page(call);
}

void s3_cancel(struct s3_call *call)
{
	if (call->s3 != NULL) {
		leave(call);
	}
}

void s3_call_done(struct s3_call *call)
{
	ASSERT(call->s3 == NULL);
	text_done(&call->content);
}

struct s3 *s3_new(const struct s3_opts *o)
{
	struct s3 *s = must_alloc(sizeof(*s));

	s->o = *o;
	if (s->o.place.region[0] == '\0') {
		memcpy(s->o.place.region, S3_REGION_DEFAULT, sizeof(S3_REGION_DEFAULT));
	}
	s->loop = fetcher_loop(o->fetcher);
	random_init(&s->random);
	list_init(&s->calls);
	list_init(&s->edits);
	return s;
}

void s3_free(struct s3 *s)
{
	if (s == NULL) {
		return;
	}
	s3_edit_leave_all(s);
	while (!list_empty(&s->calls)) {
		leave(CONTAINER_OF(s->calls.next, struct s3_call, link));
	}
	free(s);
}
