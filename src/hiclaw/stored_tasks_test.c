#include "hiclaw/s3_test_peer.h"

#include "hiclaw/stored_tasks.h"

#define LIST "<ListBucketResult>"
#define LIST_END "</ListBucketResult>"
#define FILE_OF(key, etag)                                               \
	"<Contents><Key>pre/shared/tasks/" key "</Key><ETag>&quot;" etag \
	"&quot;</ETag><Size>9</Size></Contents>"
#define META(worker, status) "{\"assigned_to\":\"" worker "\",\"status\":\"" status "\"}"
#define LEASE(worker, until) "{\"processor\":\"" worker "\",\"expires_at\":\"" until "\"}"
#define EVERY_MS 2u
#define NEW_YEAR_MS 1767225600000u /* 2026-01-01T00:00:00Z */

struct world {
	struct loop *loop;
	struct jobs *jobs;
	struct fetcher *fetcher;
	struct s3_credentials *credentials;
	struct s3 *s3;
	struct stored_tasks *tasks;
	struct peer peer;
};

static void begin(struct world *w, const struct peer_answer *answers, size_t n)
{
	struct s3_opts o = {0};
	char url[64];

	*w = (struct world){.loop = loop_new(), .jobs = jobs_new(1)};
	w->fetcher = fetcher_new(w->loop, 1 << 22, false, NULL);
	w->credentials = s3_credentials_new(&(struct s3_credentials_opts){
		.loop = w->loop, .fs_access = BYTES("AKID"), .fs_secret = BYTES(PEER_SECRET)});
	peer_begin(&w->peer, w->loop);
	w->peer.signed_s3 = true;
	peer_says(&w->peer, answers, n);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u", sys_addr_port(&w->peer.addr));
	o = (struct s3_opts){.fetcher = w->fetcher, .jobs = w->jobs, .credentials = w->credentials};
	assert_int_equal(s3_place_endpoint(&o.place, bytes_str(url), NULL), 0);
	assert_int_equal(s3_place_prefix(&o.place, BYTES("hiclaw/bucket/pre"), NULL), 0);
	w->s3 = s3_new(&o);
	w->tasks = stored_tasks_new(&(struct stored_tasks_opts){
		.loop = w->loop, .s3 = w->s3, .key_prefix = BYTES("pre/"), .every_ms = EVERY_MS});
}

static void end(struct world *w)
{
	stored_tasks_free(w->tasks);
	s3_free(w->s3);
	s3_credentials_free(w->credentials);
	fetcher_free(w->fetcher);
	peer_end(&w->peer);
	jobs_free(w->jobs);
	loop_free(w->loop);
}

static void turn_until(struct world *w, unsigned served)
{
	for (unsigned i = 0; w->peer.served < served; i++) {
		assert_true(i < 100000);
		loop_turn(w->loop, 1000);
	}
}

static void is(struct world *w, const char *worker, unsigned assigned, uint64_t until)
{
	struct stored_tasks_of t;

	assert_true(stored_tasks_of(w->tasks, bytes_str(worker), &t));
	assert_int_equal(t.assigned, assigned);
	assert_int_equal(t.until, until);
}

/* The last task first; what has the same ETag is not read again; what went is forgotten. */
static void test_rounds(void **state)
{
	static const struct peer_answer answers[] = {
		{200, NULL,
			LIST FILE_OF("t-1/meta.json", "1") FILE_OF("t-1/result.md", "2") FILE_OF(
				"t-1/progress/meta.json", "3") FILE_OF("t/.processing", "4")
				FILE_OF("t/meta.json", "5") FILE_OF("u/meta.json", "6")
					FILE_OF("v/meta.json", "7") FILE_OF("stray", "8") LIST_END},
		{200, NULL, "no JSON"},                            /* v */
		{200, NULL, META("alice", "completed")},           /* u */
		{200, NULL, META("alice", "assigned")},            /* t-1 */
		{200, NULL, LEASE("bob", "2026-01-01T00:00:00Z")}, /* t */
		{200, NULL, META("alice", "assigned")},
		/* the second round: t is done, v was mended */
		{200, NULL,
			LIST FILE_OF("t-1/meta.json", "1") FILE_OF("t/meta.json", "9")
				FILE_OF("u/meta.json", "6") FILE_OF("v/meta.json", "10") LIST_END},
		{200, NULL, META("../x", "assigned")},   /* v */
		{200, NULL, META("alice", "completed")}, /* t */
		/* the third */
		{200, NULL, LIST LIST_END},
		{200, NULL, LIST LIST_END},
	};
	struct stored_tasks_of t;
	struct world w;

	(void)state;
	begin(&w, answers, ARRAY_LEN(answers));
	assert_false(stored_tasks_of(w.tasks, BYTES("alice"), &t));
	turn_until(&w, 7);
	is(&w, "alice", 2, 0);
	is(&w, "bob", 0, NEW_YEAR_MS);
	is(&w, "carol", 0, 0);
	turn_until(&w, 10);
	is(&w, "alice", 1, 0);
	is(&w, "bob", 0, 0);
	turn_until(&w, 11);
	assert_false(stored_tasks_of(w.tasks, BYTES("alice"), &t)); /* nothing there: others say */
	assert_non_null(strstr(peer_log(&w.peer), "prefix=pre%2Fshared%2Ftasks%2F HTTP"));
	assert_null(strstr(peer_log(&w.peer), "delimiter"));
	assert_null(strstr(peer_log(&w.peer), "result.md"));
	end(&w);
}

/* What fails in the middle leaves what was known; a file alone that is forbidden is asked for again. */
static void test_failures(void **state)
{
	static const struct peer_answer answers[] = {
		{200, NULL, LIST FILE_OF("t/meta.json", "1") FILE_OF("u/meta.json", "2") LIST_END},
		{403, NULL, "<Error><Code>AccessDenied</Code><Message>m</Message></Error>"},
		{200, NULL, META("alice", "assigned")},
		{200, NULL, LIST FILE_OF("t/meta.json", "1") FILE_OF("u/meta.json", "2") LIST_END},
		{200, NULL, META("alice", "assigned")},
		{403, NULL, "<Error><Code>AccessDenied</Code><Message>m</Message></Error>"},
	};
	struct world w;

	(void)state;
	begin(&w, answers, ARRAY_LEN(answers));
	turn_until(&w, 4);
	is(&w, "alice", 1, 0);
	assert_int_equal(stored_tasks_why(w.tasks).n, 0);
	turn_until(&w, 6);
	is(&w, "alice", 2, 0);
	for (unsigned i = 0; stored_tasks_why(w.tasks).n == 0; i++) {
		assert_true(i < 100000);
		loop_turn(w.loop, 1000);
	}
	assert_non_null(memmem(
		stored_tasks_why(w.tasks).p, stored_tasks_why(w.tasks).n, "AccessDenied", 12));
	is(&w, "alice", 2, 0);
	end(&w);
}

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

/* What no object has fills no memory: neither a tag of many bytes nor a name that cannot be asked for. */
static void test_hostile_list(void **state)
{
	static const struct peer_answer answers[] = {
		{200, NULL,
			LIST FILE_OF("t/meta.json", HUNDRED TEN TEN TEN)
				FILE_OF(HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
						HUNDRED HUNDRED HUNDRED HUNDRED "/meta.json",
					"1") FILE_OF("u/meta.json", "2") LIST_END},
		{200, NULL, META("alice", "assigned")},
		{200, NULL, LIST LIST_END},
	};
	struct world w;

	(void)state;
	begin(&w, answers, ARRAY_LEN(answers));
	turn_until(&w, 3);
	is(&w, "alice", 1, 0);
	assert_non_null(strstr(peer_log(&w.peer), "u/meta.json"));
	assert_null(strstr(peer_log(&w.peer), "t/meta.json"));
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rounds),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_hostile_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
