#include "hiclaw/s3_test_peer.h"

#include "hiclaw/stored.h"

#define LIST "<ListBucketResult>"
#define LIST_END "</ListBucketResult>"
#define AGENT(name) "<CommonPrefixes><Prefix>pre/agents/" name "/</Prefix></CommonPrefixes>"
#define FILE_OF(key, etag)                                         \
	"<Contents><Key>pre/agents/" key "</Key><ETag>&quot;" etag \
	"&quot;</ETag><Size>9</Size>"                              \
	"</Contents>"
#define RECORD_OF(model) \
	"{\"provider\":\"qwen\",\"model\":\"" model "\",\"updatedAt\":\"2026-01-01T00:00:00Z\"}"
#define EVERY_MS 2u

struct world {
	struct loop *loop;
	struct jobs *jobs;
	struct fetcher *fetcher;
	struct s3_credentials *credentials;
	struct s3 *s3;
	struct stored *stored;
	struct peer peer;
	char told[512]; /* "alice=qwen3 " each time */
	size_t n_told;
};

static void on_record(void *arg, struct bytes target, const struct record *r)
{
	struct world *w = arg;
	size_t room = sizeof(w->told) - w->n_told;

	if (room > 64) {
		w->n_told += (size_t)snprintf(w->told + w->n_told, room,
			BYTES_FMT "=" BYTES_FMT " ", BYTES_ARG(target), BYTES_ARG(r->model));
	}
}

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
	w->stored = stored_new(&(struct stored_opts){.loop = w->loop,
		.s3 = w->s3,
		.key_prefix = BYTES("pre/"),
		.on_record = on_record,
		.arg = w,
		.every_ms = EVERY_MS});
}

static void end(struct world *w)
{
	stored_free(w->stored);
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

/* A Worker is a prefix with a configuration; a record of anybody is told each round, and read once. */
static void test_rounds(void **state)
{
	static const struct peer_answer answers[] = {
		{200, NULL,
			LIST AGENT("shared") AGENT("bob") AGENT("alice") AGENT("manager")
				AGENT("..") AGENT("A") LIST_END},
		{200, NULL,
			LIST FILE_OF("alice/openclaw.json", "1") FILE_OF("alice/model.json", "2")
				LIST_END},
		{200, NULL, RECORD_OF("m1")},
		{200, NULL, LIST FILE_OF("bob/SOUL.md", "3") LIST_END},
		{200, NULL, LIST FILE_OF("manager/model.json", "4") LIST_END},
		{200, NULL, "no record"},
		/* the second round */
		{200, NULL, LIST AGENT("alice") AGENT("bob") LIST_END},
		{200, NULL,
			LIST FILE_OF("alice/openclaw.json", "1") FILE_OF("alice/model.json", "2")
				LIST_END},
		{200, NULL,
			LIST FILE_OF("bob/model.json", "5") FILE_OF("bob/openclaw.json", "6")
				LIST_END},
		{200, NULL, RECORD_OF("m2")},
		{500, NULL, NULL},
	};
	struct world w;

	(void)state;
	begin(&w, answers, ARRAY_LEN(answers));
	assert_int_equal(stored_count(w.stored), 0);
	turn_until(&w, 7);
	assert_string_equal(w.told, "alice=m1 ");
	assert_true(stored_has(w.stored, BYTES("alice")));
	assert_false(stored_has(w.stored, BYTES("bob")));
	assert_false(stored_has(w.stored, BYTES("shared")));
	turn_until(&w, 11);
	assert_string_equal(w.told, "alice=m1 alice=m1 bob=m2 ");
	assert_int_equal(stored_count(w.stored), 2);
	assert_true(bytes_eq(stored_at(w.stored, 1), BYTES("bob")));
	assert_non_null(strstr(peer_log(&w.peer), "prefix=pre%2Fagents%2F HTTP"));
	assert_non_null(strstr(peer_log(&w.peer), "prefix=pre%2Fagents%2Falice%2F HTTP"));
	assert_null(strstr(peer_log(&w.peer), "shared"));
	end(&w);
}

/* A storage that fails in the middle takes nobody away; one that forbids says so. */
static void test_failures(void **state)
{
	static const struct peer_answer outage[] = {
		{200, NULL, LIST AGENT("alice") LIST_END},
		{200, NULL, LIST FILE_OF("alice/openclaw.json", "1") LIST_END},
		{503, NULL, NULL},
	};
	static const struct peer_answer forbidden[] = {
		{403, NULL, "<Error><Code>AccessDenied</Code><Message>m</Message></Error>"},
	};
	static const struct peer_answer one[] = {
		{200, NULL, LIST AGENT("alice") AGENT("bob") LIST_END},
		{403, NULL, "<Error><Code>AccessDenied</Code><Message>m</Message></Error>"},
		{200, NULL, LIST FILE_OF("bob/openclaw.json", "1") LIST_END},
		{200, NULL, LIST LIST_END},
	};
	struct world w;

	(void)state;
	begin(&w, outage, ARRAY_LEN(outage));
	for (unsigned i = 0; stored_why(w.stored).n == 0; i++) {
		assert_true(i < 100000);
		loop_turn(w.loop, 1000);
	}
	assert_true(stored_has(w.stored, BYTES("alice")));
	end(&w);

	begin(&w, forbidden, 1);
	turn_until(&w, 2);
	assert_non_null(memmem(stored_why(w.stored).p, stored_why(w.stored).n, "AccessDenied", 12));
	assert_non_null(memmem(stored_why(w.stored).p, stored_why(w.stored).n, "AKID...", 7));
	end(&w);

	begin(&w, one, ARRAY_LEN(one));
	turn_until(&w, 4);
	assert_true(stored_has(w.stored, BYTES("bob")) || w.peer.served > 4);
	assert_false(stored_has(w.stored, BYTES("alice")));
	end(&w);
}

/* What is removed while it is read does not come back. */
static void test_forgotten(void **state)
{
	static const struct peer_answer answers[] = {
		{200, NULL, LIST AGENT("alice") LIST_END},
		{200, NULL, LIST FILE_OF("alice/model.json", "2") LIST_END},
		{200, NULL, RECORD_OF("m1")},
		{500, NULL, NULL},
	};
	struct world w;

	(void)state;
	begin(&w, answers, ARRAY_LEN(answers));
	turn_until(&w, 3);
	stored_forget(w.stored, BYTES("alice"));
	turn_until(&w, 4);
	assert_string_equal(w.told, "");
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rounds),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
