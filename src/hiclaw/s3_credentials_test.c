#include "hiclaw/s3_test_peer.h"

#include "hiclaw/s3_credentials.h"

#define N_ASKING 5u

struct asking {
	struct s3_credentials_wait wait;
	unsigned done;
	char shown[256]; /* id/secret/token/bucket, or the reason */
};

struct world {
	struct loop *loop;
	struct fetcher *fetcher;
	struct controller *controller;
	struct s3_credentials *credentials;
	struct peer peer;
	struct asking asking[N_ASKING];
};

static void begin(struct world *w, const struct s3_credentials_opts *from, bool short_lived)
{
	struct s3_credentials_opts o = *from;
	char url[64];

	*w = (struct world){.loop = loop_new()};
	w->fetcher = fetcher_new(w->loop, 1 << 22, false, NULL);
	peer_begin(&w->peer, w->loop);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u", sys_addr_port(&w->peer.addr));
	w->controller = controller_new(w->fetcher, bytes_str(url), BYTES("t"), NULL);
	o.loop = w->loop;
	o.controller = w->controller;
	o.short_lived = short_lived;
	w->credentials = s3_credentials_new(&o);
}

static void end(struct world *w)
{
	s3_credentials_free(w->credentials);
	controller_free(w->controller);
	fetcher_free(w->fetcher);
	peer_end(&w->peer);
	loop_free(w->loop);
}

static void on_keys(
	struct s3_credentials_wait *wait, const struct s3_keys *keys, const struct fault *why)
{
	struct asking *a = CONTAINER_OF(wait, struct asking, wait);

	a->done++;
	if (keys == NULL) {
		snprintf(a->shown, sizeof(a->shown), "%s", why->text);
	} else {
		snprintf(a->shown, sizeof(a->shown),
			BYTES_FMT "/" BYTES_FMT "/" BYTES_FMT "/" BYTES_FMT, BYTES_ARG(keys->id),
			BYTES_ARG(keys->secret), BYTES_ARG(keys->token), BYTES_ARG(keys->bucket));
	}
}

/* The first n ask at once, and wait. */
static void ask(struct world *w, unsigned n)
{
	unsigned done = 0;

	for (unsigned i = 0; i < n; i++) {
		w->asking[i] = (struct asking){.wait.on_done = on_keys};
		s3_credentials_get(w->credentials, &w->asking[i].wait);
		assert_int_equal(w->asking[i].done, 0);
	}
	for (unsigned turns = 0; done < n; turns++) {
		assert_true(turns < 100000);
		loop_turn(w->loop, 1000);
		done = 0;
		for (unsigned i = 0; i < n; i++) {
			assert_true(w->asking[i].done <= 1);
			done += w->asking[i].done;
		}
	}
}

static void test_order(void **state)
{
	static const struct {
		struct s3_credentials_opts o;
		const char *want, *reason;
	} rows[] = {
		{{.fs_access = {"fa", 2},
			 .fs_secret = {"fs", 2},
			 .minio_user = {"mu", 2},
			 .minio_password = {"mp", 2}},
			"fa/fs//", "scoped keys before root's"},
		{{.fs_access = {"fa", 2}, .minio_user = {"mu", 2}, .minio_password = {"mp", 2}},
			"mu/mp//", "half of a pair is none"},
		{{.minio_user = {"mu", 2},
			 .minio_password = {"mp", 2},
			 .admin_user = {"au", 2},
			 .admin_password = {"ap", 2}},
			"mu/mp//", "MinIO's own before the administrator's"},
		{{.admin_user = {"au", 2},
			 .admin_password = {"ap", 2},
			 .mc_host = {"http://k:s@h", 12}},
			"au/ap//", "the administrator's before mc's"},
		{{.mc_host = {"http://k:s+/%2F@h:9000", 22}}, "k/s+/%2F//",
			"mc's, taken literally"},
		{{.mc_host = {"https://k:s:t/+==@h", 19}}, "k/s/t/+==/", "mc's with a token"},
		{{.mc_host = {"http://k:s@t@h", 14}}, "k/s@t//", "the last '@' is the host's"},
		{{.mc_host = {"http://h:9000", 13}},
			"there are no keys for the object storage: set HICLAW_FS_ACCESS_KEY and "
			"HICLAW_FS_SECRET_KEY",
			"none at all"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;

		begin(&w, &rows[i].o, false);
		ask(&w, 1);
		if (strcmp(w.asking[0].shown, rows[i].want) != 0) {
			fail_msg("%s: %s", rows[i].reason, w.asking[0].shown);
		}
		assert_int_equal(w.peer.served, 0);
		end(&w);
	}
}

#define KEYS(id, seconds)                                                                      \
	{                                                                                      \
		200, NULL,                                                                     \
			"{\"access_key_id\":\"" id                                             \
			"\",\"access_key_secret\":\"s\","                                      \
			"\"security_token\":\"t\",\"expires_in_sec\":" seconds                 \
			",\"oss_endpoint\":\"https://oss.aliyuncs.com\",\"oss_bucket\":\"b\"}" \
	}

static const struct s3_credentials_opts scoped = {.fs_access = {"fa", 2}, .fs_secret = {"fs", 2}};
static const struct s3_credentials_opts nothing;

/* HI-28. "0": they are as good as expired when they come. */
static void test_one_refresh_for_all(void **state)
{
	static const struct peer_answer answers[] = {KEYS("first", "0"), KEYS("second", "3600")};
	struct world w;

	(void)state;
	begin(&w, &scoped, true);
	peer_says(&w.peer, answers, ARRAY_LEN(answers));
	ask(&w, 1);
	assert_string_equal(w.asking[0].shown, "first/s/t/b");
	ask(&w, N_ASKING);
	assert_int_equal(w.peer.served, 2);
	for (unsigned i = 0; i < N_ASKING; i++) {
		assert_string_equal(w.asking[i].shown, "second/s/t/b");
	}
	ask(&w, N_ASKING);
	assert_int_equal(w.peer.served, 2);
	assert_non_null(strstr(peer_log(&w.peer), "POST /api/v1/credentials/sts HTTP/1.1\r\n"));
	assert_non_null(strstr(w.peer.log, "Authorization: Bearer t\r\n"));
	end(&w);
}

static void test_what_the_controller_says(void **state)
{
	static const struct {
		const struct s3_credentials_opts *fixed;
		struct peer_answer answers[2];
		const char *want; /* the second time */
		unsigned served;
		const char *reason;
	} rows[] = {
		{&scoped, {KEYS("a", "3600"), KEYS("b", "3600")}, "a/s/t/b", 1, "an hour"},
		{&scoped, {{503, NULL, NULL}, KEYS("b", "3600")}, "fa/fs//", 1,
			"no sidecar: the fixed ones, and it is not asked for a while"},
		{&nothing, {{503, NULL, "{\"message\":\"none\"}"}, {503, NULL, NULL}},
			"there are no keys for the object storage: set HICLAW_FS_ACCESS_KEY and "
			"HICLAW_FS_SECRET_KEY",
			1, "no sidecar and no others"},
		{&scoped,
			{{403, NULL, "{\"message\":\"no\"}"}, {403, NULL, "{\"message\":\"no\"}"}},
			"the controller answered 403: no", 2, "a refusal is no other way"},
		{&scoped, {{200, NULL, "{\"access_key_id\":\"a\"}"}, {200, NULL, "{}"}},
			"the controller gave no keys for the object storage", 2, "no secret"},
		{&scoped,
			{{200, NULL,
				 "{\"access_key_id\":\"a\",\"access_key_secret\":\"s\",\"expiration\":"
				 "\"2999-01-01T00:00:00Z\"}"},
				KEYS("b", "1")},
			"a/s//", 1, "a time instead of seconds"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;

		begin(&w, rows[i].fixed, true);
		peer_says(&w.peer, rows[i].answers, 2);
		ask(&w, 1);
		ask(&w, 1);
		if (strcmp(w.asking[0].shown, rows[i].want) != 0 ||
			w.peer.served != rows[i].served) {
			fail_msg("%s: %s, asked %u times", rows[i].reason, w.asking[0].shown,
				w.peer.served);
		}
		end(&w);
	}
}

static void test_expired_by_the_store(void **state)
{
	static const struct peer_answer answers[] = {KEYS("a", "3600"), KEYS("b", "3600")};
	struct world w;

	(void)state;
	begin(&w, &nothing, true);
	peer_says(&w.peer, answers, ARRAY_LEN(answers));
	assert_false(s3_credentials_expired(w.credentials));
	ask(&w, 1);
	assert_true(s3_credentials_expired(w.credentials));
	ask(&w, 2);
	assert_string_equal(w.asking[1].shown, "b/s/t/b");
	assert_int_equal(w.peer.served, 2);
	end(&w);
}

static void test_who_cancels_hears_nothing(void **state)
{
	static const struct peer_answer answer = KEYS("a", "3600");
	struct world w;

	(void)state;
	begin(&w, &nothing, true);
	peer_says(&w.peer, &answer, 1);
	w.asking[N_ASKING - 1] = (struct asking){.wait.on_done = on_keys};
	s3_credentials_get(w.credentials, &w.asking[N_ASKING - 1].wait);
	s3_credentials_cancel(&w.asking[N_ASKING - 1].wait);
	ask(&w, 1);
	assert_int_equal(w.asking[N_ASKING - 1].done, 0);
	assert_true(s3_credentials_expired(w.credentials));
	s3_credentials_get(w.credentials, &w.asking[0].wait);
	w.asking[0].done = 0;
	end(&w); /* while it is asked */
	assert_int_equal(w.asking[0].done, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_one_refresh_for_all),
		cmocka_unit_test(test_what_the_controller_says),
		cmocka_unit_test(test_expired_by_the_store),
		cmocka_unit_test(test_who_cancels_hears_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
