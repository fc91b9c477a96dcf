#include "wire/instances.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/text.h"

#define NACOS(list)                                                                       \
	"{\"name\":\"G@@s\",\"groupName\":\"G\",\"clusters\":\"\",\"cacheMillis\":10000," \
	"\"hosts\":" list ",\"lastRefTime\":1,\"checksum\":\"\",\"allIPs\":false,\"valid\":true}"
#define HOST(rest)                                                                             \
	"{\"instanceId\":\"i\",\"ip\":\"10.0.0.1\",\"port\":8080,\"clusterName\":\"DEFAULT\"," \
	"\"ephemeral\":true," rest "}"
#define GOOD "\"weight\":1.0,\"healthy\":true,\"enabled\":true,\"metadata\":{}"
#define NODE "\"Node\":{\"ID\":\"x\",\"Node\":\"n\",\"Address\":\"10.0.0.9\"},"
#define PASSING "\"Checks\":[{\"CheckID\":\"serfHealth\",\"Status\":\"passing\"}]"
#define EUREKA(instances) "{\"application\":{\"name\":\"S\",\"instance\":" instances "}}"
#define UP                                                                                      \
	"{\"ipAddr\":\"10.0.0.1\",\"status\":\"UP\",\"port\":{\"$\":80,\"@enabled\":\"true\"}," \
	"\"securePort\":{\"$\":443,\"@enabled\":\"false\"},\"metadata\":{\"protocol\":\"http\"}}"

/* Instances as address:port/tls_port/protocol, then how many there are in all. */
static const struct {
	enum instances_kind kind;
	const char *in, *want; /* want NULL: refused */
	const char *reason;
} rows[] = {
	{INSTANCES_NACOS, NACOS("[" HOST(GOOD) "]"), "10.0.0.1:8080/8080/ 1", "as nacos 2 answers"},
	{INSTANCES_NACOS, NACOS("[]"), " 0", "a service that is not known"},
	{INSTANCES_NACOS, NACOS("[" HOST("\"healthy\":false") "," HOST("\"enabled\":false") "]"),
		" 2", "not healthy; taken out by hand"},
	{INSTANCES_NACOS,
		NACOS("[" HOST("\"weight\":0.0") "," HOST("\"weight\":0.5") "," HOST(
			"\"weight\":0e9") "]"),
		"10.0.0.1:8080/8080/ 3", "a weight of 0 takes no traffic"},
	{INSTANCES_NACOS, NACOS("[" HOST("\"metadata\":{\"protocol\":\"grpc\"}") "]"),
		"10.0.0.1:8080/8080/grpc 1", "metadata say what is spoken"},
	{INSTANCES_NACOS, NACOS("[" HOST("\"healthy\":1") "]"), NULL, "no boolean"},
	{INSTANCES_NACOS, NACOS("[{\"ip\":\"a\",\"port\":65536}]"), NULL, "no port"},
	{INSTANCES_NACOS, NACOS("[{\"ip\":7,\"port\":1}]"), NULL, "no text"},
	{INSTANCES_NACOS, NACOS("[7]"), NULL, "no instance"},
	{INSTANCES_NACOS, NACOS("{}"), NULL, "no list"},
	{INSTANCES_NACOS, "{}", NULL, "nothing there"},
	{INSTANCES_NACOS, "caused: dom not found", NULL, "no JSON"},
	{INSTANCES_NACOS, "", NULL, "an empty answer"},
	{INSTANCES_NACOS3, "{\"code\":0,\"message\":\"success\",\"data\":[" HOST(GOOD) "]}",
		"10.0.0.1:8080/8080/ 1", "as nacos 3 answers"},
	{INSTANCES_NACOS3, "{\"code\":30000,\"message\":\"x\",\"data\":[]}", NULL,
		"an error with a list"},
	{INSTANCES_NACOS3, "{\"data\":[]}", NULL, "no code"},
	{INSTANCES_NACOS3, "{\"code\":0,\"data\":null}", NULL, "no list"},
	{INSTANCES_CONSUL,
		"[{" NODE "\"Service\":{\"ID\":\"s1\",\"Service\":\"s\",\"Address\":\"10.0.0.2\","
		"\"Port\":9000,\"Weights\":{\"Passing\":1,\"Warning\":1},\"Meta\":null}," PASSING
		"}]",
		"10.0.0.2:9000/9000/ 1", "as consul answers"},
	{INSTANCES_CONSUL, "[{" NODE "\"Service\":{\"Address\":\"\",\"Port\":9000}," PASSING "}]",
		"10.0.0.9:9000/9000/ 1", "without an address: the node's"},
	{INSTANCES_CONSUL,
		"[{" NODE "\"Service\":{\"Port\":1},\"Checks\":[{\"Status\":\"passing\"},"
		"{\"Status\":\"critical\"}]}]",
		" 1", "one check that fails is enough"},
	{INSTANCES_CONSUL, "[{" NODE "\"Service\":{\"Port\":1,\"Weights\":{\"Passing\":0}}}]", " 1",
		"a weight of 0"},
	{INSTANCES_CONSUL, "[]", " 0", "a service that is not known"},
	{INSTANCES_CONSUL, "{}", NULL, "no list"},
	{INSTANCES_CONSUL, "[{" NODE "\"Service\":null}]", NULL, "no service"},
	{INSTANCES_EUREKA, EUREKA("[" UP "]"), "10.0.0.1:80/80/http 1", "as eureka answers"},
	{INSTANCES_EUREKA, EUREKA(UP), "10.0.0.1:80/80/http 1", "one that is in no list"},
	{INSTANCES_EUREKA,
		EUREKA("[{\"ipAddr\":\"a\",\"status\":\"UP\",\"port\":{\"$\":80,\"@enabled\":false},"
		       "\"securePort\":{\"$\":\"443\",\"@enabled\":\"true\"}}]"),
		"a:0/443/ 1", "its TLS port only"},
	{INSTANCES_EUREKA, EUREKA("[{\"ipAddr\":\"a\",\"status\":\"OUT_OF_SERVICE\"}]"), " 1",
		"taken out"},
	{INSTANCES_EUREKA, EUREKA("[{\"ipAddr\":\"a\"}]"), " 1", "no status is not up"},
	{INSTANCES_EUREKA, EUREKA("[{\"status\":\"UP\",\"port\":80}]"), NULL,
		"no port of eureka's"},
	{INSTANCES_EUREKA, "{\"applications\":{}}", NULL, "another question's answer"},
	{INSTANCES_ZOOKEEPER,
		"{\"name\":\"llm\",\"id\":\"i\",\"address\":\"10.0.0.1\",\"port\":8080,"
		"\"sslPort\":null,\"payload\":{\"@class\":\"org.springframework.cloud.zookeeper."
		"discovery.ZookeeperInstance\",\"id\":\"llm-1\",\"name\":\"llm\",\"metadata\":"
		"{\"instance_status\":\"UP\"}},\"registrationTimeUTC\":1,\"serviceType\":\"DYNAMIC\"}",
		"10.0.0.1:8080/8080/ 1", "as Spring Cloud writes it"},
	{INSTANCES_ZOOKEEPER, "{\"address\":\"a\",\"port\":80,\"sslPort\":443,\"payload\":null}",
		"a:80/443/ 1", "a port for TLS, no metadata"},
	{INSTANCES_ZOOKEEPER,
		"{\"address\":\"a\",\"port\":80,\"payload\":{\"metadata\":{\"protocol\":\"grpc\"}}}",
		"a:80/80/grpc 1", "metadata say what is spoken"},
	{INSTANCES_ZOOKEEPER,
		"{\"address\":\"a\",\"port\":80,\"payload\":{\"metadata\":{\"instance_status\":"
		"\"OUT_OF_SERVICE\"}}}",
		" 1", "taken out"},
	{INSTANCES_ZOOKEEPER, "{\"address\":\"a\",\"port\":65536}", NULL, "no port"},
	{INSTANCES_ZOOKEEPER, "[]", NULL, "no instance"},
	{INSTANCES_ZOOKEEPER, "", NULL, "a node that holds nothing"},
};

static int read_answer(enum instances_kind kind, struct bytes in, struct text *out)
{
	struct instances found = {0};
	struct fault fault = {0};
	struct arena a;
	int rc;

	arena_init(&a, (size_t)64 << 20);
	rc = kind == INSTANCES_ZOOKEEPER ? instances_read_nodes(&in, 1, &a, &found, &fault)
					 : instances_read(kind, in, &a, &found, &fault);
	for (size_t i = 0; i < found.n; i++) {
		const struct instance *v = &found.v[i];

		text_addf(out, BYTES_FMT ":%u/%u/" BYTES_FMT, BYTES_ARG(v->address), v->port,
			v->tls_port, BYTES_ARG(v->protocol));
	}
	text_addf(out, " %zu", found.n_all);
	if (rc != 0) {
		assert_true(fault.text[0] != '\0');
	}
	arena_done(&a);
	return rc;
}

static void answers_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text t;
		int rc;

		text_init(&t, 4096);
		rc = read_answer(rows[i].kind, bytes_str(rows[i].in), &t);
		if ((rc == 0) != (rows[i].want != NULL) ||
			(rc == 0 && !bytes_eq(text_bytes(&t), bytes_str(rows[i].want)))) {
			fail_msg("%s (%s): %d %s", rows[i].in, rows[i].reason, rc, text_cstr(&t));
		}
		text_done(&t);
	}
}

static void lists_have_an_end(void **state)
{
	struct text in;
	struct text out;

	(void)state;
	for (unsigned n = INSTANCES_MAX; n <= INSTANCES_MAX + 1; n++) {
		text_init(&in, SIZE_MAX);
		text_init(&out, SIZE_MAX);
		for (unsigned i = 0; i < n; i++) {
			text_add_str(&in, i == 0 ? "[" : ",");
			text_add_str(&in, "{\"Service\":{\"Address\":\"10.0.0.1\",\"Port\":1}}");
		}
		text_add_str(&in, "]");
		assert_int_equal(read_answer(INSTANCES_CONSUL, text_bytes(&in), &out),
			n > INSTANCES_MAX ? ERR_LIMIT : 0);
		text_done(&in);
		text_done(&out);
	}
}

static const struct {
	const char *in, *token; /* NULL: refused */
	uint64_t ttl_s;
	const char *reason;
} logins[] = {
	{"{\"accessToken\":\"eyJ.a.b\",\"tokenTtl\":18000,\"globalAdmin\":true}", "eyJ.a.b", 18000,
		"as nacos answers"},
	{"{\"accessToken\":\"t\"}", "t", 0, "no time"},
	{"{\"accessToken\":\"\"}", NULL, 0, "an empty token"},
	{"{\"accessToken\":\"t\",\"tokenTtl\":\"x\"}", NULL, 0, "no number"},
	{"{\"code\":200}", NULL, 0, "no token"},
	{"unknown user!", NULL, 0, "no JSON"},
};

static void logins_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(logins); i++) {
		struct bytes token = BYTES("");
		struct fault fault;
		struct arena a;
		uint64_t ttl_s = 0;
		int rc;

		arena_init(&a, 1 << 20);
		rc = instances_read_token(bytes_str(logins[i].in), &a, &token, &ttl_s, &fault);
		if ((rc == 0) != (logins[i].token != NULL) || ttl_s != logins[i].ttl_s ||
			(rc == 0 && !bytes_eq(token, bytes_str(logins[i].token)))) {
			fail_msg("%s: %s", logins[i].in, logins[i].reason);
		}
		arena_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_read),
		cmocka_unit_test(lists_have_an_end),
		cmocka_unit_test(logins_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
