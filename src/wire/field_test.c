#include "wire/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct row {
	const char *name;
	enum field_id id;
	const char *reason;
};

static const struct row rows[] = {
	{"accept", FIELD_ACCEPT, "known"},
	{"accept-encoding", FIELD_ACCEPT_ENCODING, "known"},
	{"api-key", FIELD_API_KEY, "known"},
	{"authorization", FIELD_AUTHORIZATION, "known"},
	{"connection", FIELD_CONNECTION, "known"},
	{"content-encoding", FIELD_CONTENT_ENCODING, "known"},
	{"content-length", FIELD_CONTENT_LENGTH, "known"},
	{"content-type", FIELD_CONTENT_TYPE, "known"},
	{"date", FIELD_DATE, "known"},
	{"expect", FIELD_EXPECT, "known"},
	{"forwarded", FIELD_FORWARDED, "known"},
	{"host", FIELD_HOST, "known"},
	{"keep-alive", FIELD_KEEP_ALIVE, "known"},
	{"traceparent", FIELD_TRACEPARENT, "known"},
	{"tracestate", FIELD_TRACESTATE, "known"},
	{"proxy-authenticate", FIELD_PROXY_AUTHENTICATE, "known"},
	{"proxy-authorization", FIELD_PROXY_AUTHORIZATION, "known"},
	{"proxy-connection", FIELD_PROXY_CONNECTION, "known"},
	{"request-id", FIELD_REQUEST_ID, "known"},
	{"retry-after", FIELD_RETRY_AFTER, "known"},
	{"server", FIELD_SERVER, "known"},
	{"server-timing", FIELD_SERVER_TIMING, "known"},
	{"te", FIELD_TE, "known"},
	{"trailer", FIELD_TRAILER, "known"},
	{"transfer-encoding", FIELD_TRANSFER_ENCODING, "known"},
	{"upgrade", FIELD_UPGRADE, "known"},
	{"user-agent", FIELD_USER_AGENT, "known"},
	{"via", FIELD_VIA, "known"},
	{"x-api-key", FIELD_X_API_KEY, "known"},
	{"x-authorization", FIELD_X_AUTHORIZATION, "known"},
	{"x-goog-api-key", FIELD_X_GOOG_API_KEY, "known"},
	{"x-hi-original-auth", FIELD_X_HI_ORIGINAL_AUTH, "known"},
	{"x-higress-skip-ai-cache", FIELD_X_HIGRESS_SKIP_CACHE, "a name inside a family wins"},
	{"x-mse-consumer", FIELD_X_MSE_CONSUMER, "known"},
	{"x-real-ip", FIELD_X_REAL_IP, "known"},
	{"x-request-id", FIELD_X_REQUEST_ID, "known"},
	{"anthropic-beta", FIELD_ANTHROPIC_BETA, "known"},
	{"anthropic-version", FIELD_ANTHROPIC_VERSION, "known"},
	{"proxy-support", FIELD_PROXY_OTHER, "family"},
	{"proxy-", FIELD_PROXY_OTHER, "a family's empty rest belongs to it"},
	{"proxy-authorization-info", FIELD_PROXY_OTHER, "longer than a known name of the family"},
	{"x-envoy-original-path", FIELD_X_ENVOY, "family"},
	{"x-forwarded-for", FIELD_X_FORWARDED, "family"},
	{"x-higress-llm-model", FIELD_X_HIGRESS, "family"},
	{"x-sluice-consumer", FIELD_X_SLUICE, "family"},
	{"", FIELD_OTHER, "no name"},
	{"x", FIELD_OTHER, "shorter than anything known"},
	{"p", FIELD_OTHER, "shorter than anything known"},
	{"hosts", FIELD_OTHER, "a known name and more"},
	{"hos", FIELD_OTHER, "a known name's beginning"},
	{"dost", FIELD_OTHER, "length and end of a known name"},
	{"via\xc9", FIELD_OTHER, "bytes above 0x7f"},
	{"proxy", FIELD_OTHER, "a family's name without its dash"},
	{"x-envoy", FIELD_OTHER, "a family's name without its dash"},
	{"x-forwarde", FIELD_OTHER, "a family's beginning"},
	{"idempotency-key", FIELD_OTHER, "nobody asks for it"},
	{"api\rkey", FIELD_OTHER, "a carriage return is no dash, though it differs in one bit"},
	{"anthropic-versioN-and-quite-some-more-text", FIELD_OTHER, "longer than the table"},
};

static void every_name_has_its_id(void **state)
{
	(void)state;
	bool seen[FIELD_ID_COUNT] = {false};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum field_id id = field_id_of(bytes_str(rows[i].name));
		if (id != rows[i].id) {
			fail_msg("%s (%s): id %d", rows[i].name, rows[i].reason, (int)id);
		}
		seen[id] = true;
	}
	for (size_t i = 0; i < FIELD_ID_COUNT; i++) {
		if (!seen[i]) {
			fail_msg("id %zu has no row", i);
		}
	}
}

/* Each single letter of each row in upper case, then all of them. */
static void case_does_not_matter(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char one[64];
		char all[64];
		size_t n = strlen(rows[i].name);
		memcpy(all, rows[i].name, n);
		for (size_t at = 0; at < n; at++) {
			char c = rows[i].name[at];
			bool lower = c >= 'a' && c <= 'z';
			memcpy(one, rows[i].name, n);
			one[at] = all[at] = lower ? (char)(c - 0x20) : c;
			assert_int_equal(field_id_of(bytes_of(one, n)), rows[i].id);
		}
		assert_int_equal(field_id_of(bytes_of(all, n)), rows[i].id);
	}
}

/* Each byte of each known name replaced by each other byte: never taken for it. */
static void a_changed_byte_is_another_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char name[64];
		size_t n = strlen(rows[i].name);
		if (strcmp(rows[i].reason, "known") != 0) {
			continue;
		}
		for (size_t at = 0; at < n; at++) {
			memcpy(name, rows[i].name, n);
			for (int c = 0; c < 256; c++) {
				name[at] = (char)c;
				if (ascii_lower((char)c) != rows[i].name[at]) {
					assert_int_not_equal(
						field_id_of(bytes_of(name, n)), rows[i].id);
				}
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_has_its_id),
		cmocka_unit_test(case_does_not_matter),
		cmocka_unit_test(a_changed_byte_is_another_name),
	};
	return cmocka_run_group_tests_name("field", tests, NULL, NULL);
}
