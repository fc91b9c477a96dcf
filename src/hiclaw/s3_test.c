#include "hiclaw/s3_test_peer.h"

#include "hiclaw/s3.h"

#define KEY_ID "AKIDEXAMPLE"
#define MD5_HI "\"49f68a5c8493ec2c0bf489821c21fc3b\"" /* of "hi" */
#define ERROR_XML(code) "<?xml version=\"1.0\"?><Error><Code>" code "</Code><Message>m</Message>"
#define ERROR_END "</Error>"
#define LIST "<ListBucketResult><EncodingType>url</EncodingType>"
#define LIST_END "</ListBucketResult>"
#define N_ANSWERS 12u

struct world {
	struct loop *loop;
	struct jobs *jobs;
	struct fetcher *fetcher;
	struct s3_credentials *credentials;
	struct s3 *s3;
	struct peer peer;
	struct arena arena;
	unsigned done;
};

static void begin(struct world *w)
{
	struct s3_opts o = {0};
	char url[64];

	*w = (struct world){.loop = loop_new(), .jobs = jobs_new(1)};
	w->fetcher = fetcher_new(w->loop, 1 << 22, false, NULL);
	w->credentials = s3_credentials_new(&(struct s3_credentials_opts){
		.loop = w->loop, .fs_access = BYTES(KEY_ID), .fs_secret = BYTES(PEER_SECRET)});
	peer_begin(&w->peer, w->loop);
	w->peer.signed_s3 = true;
	snprintf(url, sizeof(url), "http://127.0.0.1:%u", sys_addr_port(&w->peer.addr));
	o = (struct s3_opts){.fetcher = w->fetcher, .jobs = w->jobs, .credentials = w->credentials};
	assert_int_equal(s3_place_endpoint(&o.place, bytes_str(url), NULL), 0);
	assert_int_equal(s3_place_prefix(&o.place, BYTES("hiclaw/bucket/pre"), NULL), 0);
	w->s3 = s3_new(&o);
	arena_init(&w->arena, 1 << 20);
}

static void end(struct world *w)
{
	s3_free(w->s3);
	s3_credentials_free(w->credentials);
	fetcher_free(w->fetcher);
	peer_end(&w->peer);
	jobs_free(w->jobs);
	arena_done(&w->arena);
	loop_free(w->loop);
}

static size_t count(const struct peer_answer *answers)
{
	size_t n = N_ANSWERS;

	while (n > 1 && answers[n - 1].status == 0 && answers[n - 1].fields == NULL) {
		n--;
	}
	return n;
}

static void on_call(struct s3_call *call)
{
	((struct world *)call->arg)->done++;
}

static void wait_for(struct world *w)
{
	w->done = 0;
	for (unsigned turns = 0; w->done == 0; turns++) {
		assert_true(turns < 100000);
		loop_turn(w->loop, 1000);
	}
	assert_int_equal(w->done, 1);
}

/* --- calls -------------------------------------------------------------------------------------- */

#define CLOSED              \
	{                   \
		0, "", NULL \
	}

static const struct call_row {
	enum s3_verb verb;
	const char *key, *if_match;
	bool only_new;
	struct peer_answer answers[N_ANSWERS];
	enum s3_rc want;
	unsigned requests;
	const char *says;  /* a part of what was asked, in the end */
	const char *shows; /* GET: the content; LIST: the last key; a failure: a part of why */
	const char *reason;
} call_rows[] = {
	{S3_GET, "a", NULL, false, {{200, "ETag: \"e\"\r\n", "hi"}}, S3_OK, 1,
		"GET /bucket/pre/a HTTP/1.1\r\n", "hi", "an object"},
	{S3_GET, "a b+c/\xe4\xb8\xad", NULL, false, {{200, NULL, "hi"}}, S3_OK, 1,
		"GET /bucket/pre/a%20b%2Bc/%E4%B8%AD HTTP", "hi", "HI-27: blanks, '+', non-ASCII"},
	{S3_GET, "a", NULL, false, {{404, NULL, ERROR_XML("NoSuchKey") ERROR_END}}, S3_NOT_FOUND, 1,
		"GET", "status 404 NoSuchKey", "no such object"},
	{S3_GET, "agents/w/model.json", NULL, false,
		{{403, NULL, ERROR_XML("AccessDenied") ERROR_END}}, S3_FORBIDDEN, 1, "GET",
		"agents/w/model.json: status 403 AccessDenied to access key AKID...",
		"HI-26: the key, and who was forbidden"},
	{S3_GET, "a", NULL, false, {{503, NULL, NULL}, {500, NULL, NULL}, {200, NULL, "hi"}}, S3_OK,
		3, "GET", "hi", "a server that recovers"},
	{S3_GET, "a", NULL, false, {{500, NULL, NULL}, {502, NULL, NULL}, {504, NULL, NULL}},
		S3_UNREACHABLE, 3, "GET", "status 504", "three tries, not four"},
	{S3_GET, "a", NULL, false, {CLOSED, CLOSED, {200, NULL, "hi"}}, S3_OK, 3, "GET", "hi",
		"connections that end"},
	{S3_GET, "a", NULL, false, {CLOSED}, S3_UNREACHABLE, 3, "GET", "connection",
		"connections that all end"},
	{S3_GET, "a", NULL, false, {{400, NULL, ERROR_XML("InvalidArgument") ERROR_END}},
		S3_REFUSED, 1, "GET", "InvalidArgument", "a 4xx is not repeated"},
	{S3_GET, "a", NULL, false,
		{{400, NULL,
			 ERROR_XML(
				 "AuthorizationHeaderMalformed") "<Region>eu-west-1</Region>" ERROR_END},
			{200, NULL, "hi"}},
		S3_OK, 2, "/eu-west-1/s3/aws4_request", "hi", "another region, in the error"},
	{S3_HEAD, "a", NULL, false,
		{{400, "x-amz-bucket-region: eu-west-2\r\n", NULL}, {200, "ETag: \"e\"\r\n", NULL}},
		S3_OK, 2, "/eu-west-2/s3/aws4_request", NULL, "another region, in a field"},
	{S3_GET, "a", NULL, false,
		{{400, NULL,
			 ERROR_XML(
				 "AuthorizationHeaderMalformed") "<Region>eu-west-1</Region>" ERROR_END},
			{400, NULL,
				ERROR_XML(
					"AuthorizationHeaderMalformed") "<Region>eu-west-3</Region>" ERROR_END}},
		S3_REFUSED, 2, "GET", "AuthorizationHeaderMalformed", "another region, once"},
	{S3_GET, "a", NULL, false,
		{{403, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
			 ERROR_XML("RequestTimeTooSkewed") ERROR_END},
			{200, NULL, "hi"}},
		S3_OK, 2, "x-amz-date: 19941106T08", "hi", "the server's clock"},
	{S3_GET, "a", NULL, false,
		{{403, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
			ERROR_XML("RequestTimeTooSkewed") ERROR_END}},
		S3_FORBIDDEN, 2, "GET", "RequestTimeTooSkewed", "the server's clock, once"},
	{S3_GET, "a", NULL, false, {{403, NULL, ERROR_XML("ExpiredToken") ERROR_END}}, S3_FORBIDDEN,
		1, "GET", "ExpiredToken", "fixed keys are not fetched anew"},
	{S3_PUT, "a", NULL, false, {{200, "ETag: " MD5_HI "\r\n", NULL}}, S3_OK, 1,
		"Content-Type: application/json\r\n", NULL, "what was stored is what was sent"},
	{S3_PUT, "a", NULL, false, {{200, "ETag: \"49F68A5C8493EC2C0BF489821C21FC3B\"\r\n", NULL}},
		S3_OK, 1, "\r\n\r\nhi", NULL, "OSS writes capitals"},
	{S3_PUT, "a", NULL, false, {{200, "ETag: \"00000000000000000000000000000000\"\r\n", NULL}},
		S3_BROKEN, 1, "PUT", "other bytes", "what was stored is not what was sent"},
	{S3_PUT, "a", NULL, false,
		{{200, "ETag: \"00000000000000000000000000000000-2\"\r\n", NULL}}, S3_OK, 1, "PUT",
		NULL, "an ETag that is no MD5"},
	{S3_PUT, "a", "\"e\"", false, {{412, NULL, ERROR_XML("PreconditionFailed") ERROR_END}},
		S3_CONFLICT, 1, "If-Match: \"e\"\r\n", "412", "somebody else was first"},
	{S3_PUT, "a", NULL, true, {{200, NULL, NULL}}, S3_OK, 1, "If-None-Match: *\r\n", NULL,
		"only when there is none"},
	{S3_PUT, "a", "\"e\"", false, {{501, NULL, NULL}}, S3_UNSUPPORTED, 1, "PUT", "501",
		"a server without conditions"},
	{S3_PUT, "a", "\"e\"", false, {{400, NULL, ERROR_XML("NotImplemented") ERROR_END}},
		S3_UNSUPPORTED, 1, "PUT", "NotImplemented", "another one"},
	{S3_DELETE, "a", NULL, false, {{204, NULL, NULL}}, S3_OK, 1, "DELETE /bucket/pre/a HTTP",
		NULL, "an object goes"},
	{S3_BUCKET_HEAD, "", NULL, false, {{404, NULL, NULL}}, S3_NOT_FOUND, 1, "HEAD /bucket HTTP",
		"status 404", "no bucket"},
	{S3_BUCKET_MAKE, "", NULL, false, {{200, NULL, NULL}}, S3_OK, 1, "PUT /bucket HTTP", NULL,
		"a bucket comes"},
	{S3_LIST, "agents/", NULL, false,
		{{200, NULL,
			 LIST
			 "<IsTruncated>true</IsTruncated><NextContinuationToken>t+/=</"
			 "NextContinuationToken><Contents><Key>pre/agents/a</Key></Contents>" LIST_END},
			{200, NULL,
				LIST
				"<IsTruncated>false</IsTruncated><Contents><Key>pre/agents/b%20c</Key>"
				"</Contents>" LIST_END}},
		S3_OK, 2,
		"GET /bucket?continuation-token=t%2B%2F%3D&delimiter=%2F&encoding-type=url&list-type=2"
		"&max-keys=1000&prefix=pre%2Fagents%2F HTTP",
		"pre/agents/b c", "two pages"},
	{S3_LIST, "", NULL, false,
		{{200, NULL,
			LIST
			"<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>" LIST_END}},
		S3_BROKEN, 2, "continuation-token=t", "goes on where it was",
		"a list without end: the same page again and again"},
	{S3_LIST, "", NULL, false, {{200, NULL, "<html>"}}, S3_BROKEN, 1, "prefix=pre%2F HTTP",
		"cannot be read", "no list"},
};

static void look_at_answer(const struct call_row *row, const struct s3_call *call)
{
	const char *shows = row->shows;

	if (call->rc != S3_OK) {
		assert_null(strstr(call->why.text, PEER_SECRET));
		assert_null(strstr(call->why.text, KEY_ID));
		if (shows != NULL && strstr(call->why.text, shows) == NULL) {
			fail_msg("%s: %s", row->reason, call->why.text);
		}
	} else if (row->verb == S3_GET) {
		assert_true(bytes_eq(text_bytes(&call->content), bytes_str(shows)));
	} else if (row->verb == S3_LIST) {
		assert_true(bytes_eq(call->listing.last->key, bytes_str(shows)));
	}
}

static void test_calls(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(call_rows); i++) {
		const struct call_row *row = &call_rows[i];
		struct s3_call call = {.verb = row->verb,
			.key = bytes_str(row->key),
			.body = row->verb == S3_PUT ? BYTES("hi") : bytes_of(NULL, 0),
			.if_match = bytes_str(row->if_match),
			.only_new = row->only_new,
			.on_done = on_call};
		struct world w;

		begin(&w);
		call.arena = &w.arena;
		call.arg = &w;
		peer_says(&w.peer, row->answers, count(row->answers));
		s3_start(w.s3, &call);
		assert_int_equal(w.done, 0);
		wait_for(&w);
		if (call.rc != row->want || w.peer.served != row->requests) {
			fail_msg("%s: %s after %u requests: %s", row->reason, s3_code(call.rc),
				w.peer.served, call.why.text);
		}
		if (strstr(peer_log(&w.peer), row->says) == NULL) {
			fail_msg("%s: asked was %s", row->reason, peer_log(&w.peer));
		}
		look_at_answer(row, &call);
		s3_call_done(&call);
		end(&w);
	}
}

static void test_cancelled_and_freed(void **state)
{
	static const struct peer_answer ok = {200, NULL, "hi"};
	struct s3_call calls[4] = {0};
	struct world w;

	(void)state;
	begin(&w);
	peer_says(&w.peer, &ok, 1);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		calls[i] = (struct s3_call){
			.verb = S3_GET, .key = BYTES("a"), .on_done = on_call, .arg = &w};
		if (i < 3) {
			s3_start(w.s3, &calls[i]);
		}
	}
	s3_cancel(&calls[0]);
	while (w.done == 0) {
		loop_turn(w.loop, 1000);
	}
	s3_start(w.s3, &calls[3]);
	end(&w); /* the last one is under way, the third one may be */
	assert_true(w.done <= 2);
	assert_int_equal(calls[0].content.n, 0);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		s3_call_done(&calls[i]);
	}
}

/* --- edits -------------------------------------------------------------------------------------- */

#define GOT(etag, text)                             \
	{                                           \
		200, "ETag: \"" etag "\"\r\n", text \
	}
#define HAS(etag)                                   \
	{                                           \
		200, "ETag: \"" etag "\"\r\n", NULL \
	}

static const struct edit_row {
	struct peer_answer answers[N_ANSWERS];
	enum s3_rc want;
	unsigned requests, rounds;
	bool changed;
	const char *after; /* what was written last; NULL: nothing */
	const char *says, *not_said;
	const char *reason;
} edit_rows[] = {
	{{GOT("1", "a"), HAS("1"), HAS("2")}, S3_OK, 3, 1, true, "aX", "If-Match: \"1\"\r\n", NULL,
		"an object that nobody else writes"},
	{{{404, NULL, NULL}, {404, NULL, NULL}, HAS("2")}, S3_OK, 3, 1, true, "X",
		"If-None-Match: *\r\n", "If-Match", "a new object"},
	{{GOT("1", "aX")}, S3_OK, 1, 1, false, NULL, "GET", "PUT", "it is as it should be"},
	{{GOT("1", "bad")}, S3_EDIT_FAILED, 1, 1, false, NULL, "GET", "PUT", "the edit refuses"},
	{{GOT("1", "a"), HAS("1"), {412, NULL, NULL}, GOT("2", "ab"), HAS("3")}, S3_OK, 5, 2, true,
		"abX", "If-Match: \"2\"\r\n", NULL,
		"HI-25: both changes; the 412 proves If-Match, no HEAD"},
	{{GOT("1", "a"), HAS("2"), GOT("2", "ab"), HAS("2"), HAS("3")}, S3_OK, 5, 2, true, "abX",
		"If-Match: \"2\"\r\n", "If-Match: \"1\"",
		"another ETag right before it is written"},
	{{GOT("1", "a"), HAS("1"), {501, NULL, NULL}, HAS("2")}, S3_OK, 4, 1, true, "aX", "PUT",
		NULL, "a server that refuses conditions"},
	{{GOT("1", "a"), HAS("1"), {412, NULL, NULL}, GOT("2", "b"), {412, NULL, NULL},
		 GOT("3", "c"), {412, NULL, NULL}, GOT("4", "d"), {412, NULL, NULL}},
		S3_CONFLICT, 9, 4, false, "dX", "If-Match: \"4\"\r\n", NULL, "lost four times"},
	{{GOT("1", "a"), HAS("1"), {403, NULL, NULL}}, S3_FORBIDDEN, 3, 1, false, "aX", "PUT", NULL,
		"HI-26: reading is allowed, writing is not"},
	{{GOT("1", "a"), HAS("1"), {404, NULL, NULL}, {404, NULL, NULL}, {404, NULL, NULL},
		 HAS("2")},
		S3_OK, 6, 2, true, "X", "If-None-Match: *\r\n", NULL, "removed meanwhile"},
	{{{200, NULL, "a"}}, S3_BROKEN, 1, 1, false, NULL, "GET", "PUT", "no ETag"},
	{{{403, NULL, NULL}}, S3_FORBIDDEN, 1, 1, false, NULL, "GET", "PUT",
		"reading is not allowed"},
	{{GOT("1", ""), HAS("1"), HAS("2")}, S3_OK, 3, 1, true, "X", "If-Match: \"1\"\r\n", NULL,
		"an empty object is one"},
};

static enum s3_edit_verdict add_x(
	struct s3_edit *e, struct bytes before, struct text *after, struct fault *why)
{
	assert_true((before.p != NULL) == e->existed);
	if (bytes_eq(before, BYTES("bad"))) {
		IGNORE(fault_set(why, ERR_SYNTAX, 0, 0, "not that"));
		return S3_EDIT_REFUSE;
	}
	if (bytes_ends(before, BYTES("X"))) {
		return S3_EDIT_SAME;
	}
	text_add_bytes(after, before);
	text_add_char(after, 'X');
	return S3_EDIT_WRITE;
}

static void on_edit(struct s3_edit *e)
{
	((struct world *)e->arg)->done++;
}

static void look_at_edit(const struct edit_row *row, struct world *w, struct s3_edit *e)
{
	if (e->rc != row->want || w->peer.served != row->requests || e->rounds != row->rounds ||
		e->changed != row->changed) {
		fail_msg("%s: %s after %u requests, %u rounds: %s", row->reason, s3_code(e->rc),
			w->peer.served, e->rounds, e->why.text);
	}
	if (row->after != NULL) {
		struct bytes log = bytes_str(peer_log(&w->peer));
		char body[32];

		snprintf(body, sizeof(body), "\r\n\r\n%s", row->after);
		if (!bytes_ends(log, bytes_str(body))) {
			fail_msg("%s: %s", row->reason, peer_log(&w->peer));
		}
	}
	if (strstr(peer_log(&w->peer), row->says) == NULL ||
		(row->not_said != NULL && strstr(peer_log(&w->peer), row->not_said) != NULL)) {
		fail_msg("%s: %s", row->reason, peer_log(&w->peer));
	}
	assert_true((e->rc == S3_OK) == (e->why.text[0] == '\0'));
	if (e->changed) {
		assert_string_not_equal(s3_edit_etag(e), "\"1\"");
	}
}

static void test_edits(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(edit_rows); i++) {
		const struct edit_row *row = &edit_rows[i];
		struct world w;
		struct s3_edit e = {
			.key = BYTES("agents/w/model.json"), .edit = add_x, .on_done = on_edit};

		begin(&w);
		e.arg = &w;
		peer_says(&w.peer, row->answers, count(row->answers));
		s3_edit_start(w.s3, &e);
		assert_int_equal(w.done, 0);
		wait_for(&w);
		look_at_edit(row, &w, &e);
		s3_edit_done(&e);
		end(&w);
	}
}

/* What is known of a server is known to the next edit. */
static void test_conditions_are_found_out_once(void **state)
{
	static const struct peer_answer refused[] = {GOT("1", "a"), HAS("1"), {501, NULL, NULL},
		HAS("2"), GOT("2", "b"), HAS("2"), HAS("3")};
	struct world w;

	(void)state;
	begin(&w);
	peer_says(&w.peer, refused, ARRAY_LEN(refused));
	for (unsigned i = 0; i < 2; i++) {
		struct s3_edit e = {
			.key = BYTES("k"), .edit = add_x, .on_done = on_edit, .arg = &w};

		s3_edit_start(w.s3, &e);
		wait_for(&w);
		assert_int_equal(e.rc, S3_OK);
		assert_true(e.changed);
		s3_edit_done(&e);
	}
	assert_int_equal(w.peer.served, 7);
	assert_null(strstr(peer_log(&w.peer), "If-Match: \"2\""));
	end(&w);
}

/* Where conditions are refused the ETag right before the PUT is all that keeps another's change: it is looked at in each
 * round, and the PUT goes without a condition. */
static void test_head_alone_guards(void **state)
{
	static const struct peer_answer answers[] = {GOT("1", "a"), HAS("1"), {501, NULL, NULL},
		HAS("2"), GOT("2", "b"), HAS("9"), GOT("9", "c"), {404, NULL, NULL},
		{404, NULL, NULL}, {404, NULL, NULL}, HAS("10")};
	struct world w;

	(void)state;
	begin(&w);
	peer_says(&w.peer, answers, ARRAY_LEN(answers));
	for (unsigned i = 0; i < 2; i++) {
		struct s3_edit e = {
			.key = BYTES("k"), .edit = add_x, .on_done = on_edit, .arg = &w};

		s3_edit_start(w.s3, &e);
		wait_for(&w);
		assert_int_equal(e.rc, S3_OK);
		assert_true(e.changed);
		assert_int_equal(e.rounds, i == 0 ? 1 : 3);
		s3_edit_done(&e);
	}
	assert_int_equal(w.peer.served, ARRAY_LEN(answers));
	assert_true(bytes_ends(bytes_str(peer_log(&w.peer)), BYTES("\r\n\r\nX")));
	assert_null(strstr(peer_log(&w.peer), "If-Match: \"9\""));
	assert_null(strstr(peer_log(&w.peer), "If-None-Match"));
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_cancelled_and_freed),
		cmocka_unit_test(test_edits),
		cmocka_unit_test(test_conditions_are_found_out_once),
		cmocka_unit_test(test_head_alone_guards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
