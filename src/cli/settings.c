#include "cli/settings.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/machine.h"
#include "wire/url.h"

#define KB UINT64_C(1024)
#define MB (1024 * KB)
#define GB (1024 * MB)
#define SECOND UINT64_C(1000)
#define DAY (86400 * SECOND)

#define EXIT_USAGE 2

/* More workers than this mean colder upstream connections, not more speed. */
#define WORKERS_DEFAULT_MAX 4u
/* Half of what a guess would have to try at one a microsecond for longer than a machine lives. */
#define TOKEN_MIN 16u
/* Below it a worker could not hold a handful of bodies. */
#define MEMORY_MIN (16 * MB)

#define MEMBER(m) OPTION_MEMBER(struct settings, m)
#define LIMIT_MS(m, what, least)                                                              \
	.type = OPTION_DURATION, .is_limit = true, .arg = "TIME", .min = (least), .max = DAY, \
	.help = what, MEMBER(m)

static const struct option rows[] = {
	{.name = "data",
		.env = "SLUICE_DATA",
		.type = OPTION_PATH,
		.arg = "DIR",
		.fallback = "./data",
		.help = "Directory that holds resources/ and state/.",
		MEMBER(data)},
	{.name = "resources",
		.env = "SLUICE_RESOURCES",
		.type = OPTION_PATH,
		.arg = "DIR",
		.computed = "DATA/resources",
		.help = "Root of a Higress file store.",
		MEMBER(resources)},
	{.name = "state",
		.env = "SLUICE_STATE",
		.type = OPTION_PATH,
		.arg = "DIR",
		.computed = "DATA/state",
		.help = "What the program itself keeps: the administrator, the audit log, "
			"backups.",
		MEMBER(state)},
	{.name = "gateway",
		.env = "SLUICE_GATEWAY",
		.type = OPTION_ADDRESSES,
		.arg = "ADDR:PORT",
		.fallback = "0.0.0.0:8080",
		.help = "Where clients connect; port 0 takes a free one.",
		MEMBER(gateway)},
	{.name = "gateway-tls",
		.env = "SLUICE_GATEWAY_TLS",
		.type = OPTION_ADDRESSES,
		.arg = "ADDR:PORT",
		.computed = "none",
		.help = "Where clients connect with TLS; certificates come from the resources, by "
			"the name asked for.",
		MEMBER(gateway_tls)},
	{.name = "console",
		.env = "SLUICE_CONSOLE",
		.type = OPTION_ADDRESSES,
		.arg = "ADDR:PORT",
		.fallback = "127.0.0.1:8001",
		.help = "Where management connects (the Console's API, /metrics, /healthz); port 0 "
			"takes a free one.",
		MEMBER(console)},
	{.name = "monitor",
		.env = "SLUICE_MONITOR",
		.type = OPTION_ADDRESSES,
		.arg = "ADDR:PORT",
		.computed =
			"127.0.0.1:18080; with --hiclaw 0.0.0.0:18080; MONITOR_BIND and MONITOR_PORT of the "
			"environment are heeded",
		.help = "Where agents' management connects; the gateway runs without it when the address is "
			"taken.",
		MEMBER(monitor)},
	{.name = "hiclaw",
		.env = "SLUICE_HICLAW",
		.type = OPTION_BOOL,
		.help = "Be what HiClaw expects of Higress: monitor on all interfaces, manage-on-gateway, "
			"error-format plain, init-open; ai-gateway.hiclaw.io is another name of "
			"HICLAW_AI_GATEWAY_DOMAIN.",
		MEMBER(hiclaw)},
	{.name = "manage-on-gateway",
		.env = "SLUICE_MANAGE_ON_GATEWAY",
		.type = OPTION_BOOL,
		.help = "Serve /ni_status/, /agm/, /_admin/api/ and the host manager-local.hiclaw.io on the "
			"gateway's listeners too.",
		MEMBER(manage_on_gateway)},
	{.name = "higress-console",
		.env = "SLUICE_HIGRESS_CONSOLE",
		.type = OPTION_STRING,
		.arg = "URL",
		.computed = "none: what this gateway serves",
		.help = "The monitor manages the providers and routes of the Higress at this Console, as "
			"HICLAW_ADMIN_USER with HICLAW_ADMIN_PASSWORD, not those of this gateway.",
		MEMBER(higress_console)},
	{.name = "monitor-origins",
		.env = "SLUICE_MONITOR_ORIGINS",
		.type = OPTION_STRING,
		.arg = "ORIGIN,...",
		.computed = "none",
		.help = "Pages of other sites that may ask the monitor API, as \"https://name:port\".",
		MEMBER(monitor_origins)},
	{.name = "monitor-legacy-status",
		.env = "SLUICE_MONITOR_LEGACY_STATUS",
		.type = OPTION_BOOL,
		.help = "POST /ni_status/set-model answers 200 to failures, as HiClaw's skill did; else with "
			"?legacy=1 only.",
		MEMBER(monitor_legacy_status)},
	{.name = "metrics-token",
		.env = "SLUICE_METRICS_TOKEN",
		.type = OPTION_STRING,
		.secret = true,
		.arg = "TOKEN",
		.computed = "none: /metrics is open to this machine alone",
		.help = "Bearer token that opens /metrics to other machines, at least 16 visible "
			"characters. The environment or the file hides it from other users.",
		MEMBER(metrics_token)},
	{.name = "init-open",
		.env = "SLUICE_INIT_OPEN",
		.type = OPTION_BOOL,
		.help = "Whoever reaches the management listener first may initialise it, without the "
			"set-up code.",
		MEMBER(init_open)},
	{.name = "workers",
		.env = "SLUICE_WORKERS",
		.type = OPTION_NUMBER,
		.arg = "N",
		.min = 1,
		.max = 256,
		.computed = "as many as CPUs, at most 4",
		.help = "Worker threads. More of them mean colder upstream connections.",
		MEMBER(workers)},
	{.name = "busy-poll",
		.env = "SLUICE_BUSY_POLL",
		.type = OPTION_NUMBER,
		.arg = "US",
		.min = 0,
		.max = 1000,
		.help = "Microseconds a worker polls before it sleeps. 50 buys speed at few "
			"connections for a busy core.",
		MEMBER(busy_poll_us)},
	{.name = "memory-max",
		.env = "SLUICE_MEMORY_MAX",
		.type = OPTION_BYTES,
		.arg = "BYTES",
		.min = MEMORY_MIN,
		.max = 1024 * GB,
		.computed = "a quarter of the memory it may use",
		.help = "Bound of the memory for bodies and connection input, all workers "
			"together.",
		MEMBER(memory_max)},
	{.name = "log-level",
		.env = "SLUICE_LOG_LEVEL",
		.type = OPTION_ENUM,
		.arg = "LEVEL",
		.choices = "error|warn|info|debug",
		.fallback = "info",
		.help = "Least level of the lines on stderr.",
		MEMBER(log_level)},
	{.name = "log-format",
		.env = "SLUICE_LOG_FORMAT",
		.type = OPTION_ENUM,
		.arg = "FORMAT",
		.choices = "auto|text|json",
		.fallback = "auto",
		.help = "Format of log lines; auto is text on a terminal, else json.",
		MEMBER(log_format)},
	{.name = "access-log",
		.env = "SLUICE_LOG_ACCESS",
		.type = OPTION_PATH,
		.arg = "PATH|-|off",
		.fallback = "-",
		.help = "Where one line per exchange goes; - is standard output.",
		MEMBER(access_log)},
	{.name = "access-decisions",
		.env = "SLUICE_LOG_DECISIONS",
		.type = OPTION_ENUM,
		.arg = "WHICH",
		.choices = "off|refused|all",
		.fallback = "refused",
		.help = "Access lines that say why the request got its route and not another: "
			"`refused` are those with an error that the gateway answered itself.",
		MEMBER(access_decisions)},
	{.name = "explain-token",
		.env = "SLUICE_EXPLAIN_TOKEN",
		.type = OPTION_STRING,
		.secret = true,
		.arg = "TOKEN",
		.computed = "none: nobody is told",
		.help = "A request with `x-sluice-explain: TOKEN` learns from x-sluice-decision of its "
			"answer which route it got and why not another; at least 16 visible "
			"characters. The environment or the file hides it from other users.",
		MEMBER(explain_token)},
	{.name = "config",
		.env = "SLUICE_CONFIG",
		.type = OPTION_PATH,
		.flag_only = true,
		.arg = "FILE",
		.computed = "none",
		.help = "YAML file with the names of these options as keys, limits in a map "
			"`limits`.",
		MEMBER(config)},
	{.name = "ready-file",
		.env = "SLUICE_READY_FILE",
		.type = OPTION_PATH,
		.arg = "PATH",
		.computed = "none",
		.help = "Written as JSON (addresses, pid, version) when all listeners accept.",
		MEMBER(ready_file)},
	{.name = "drain-timeout",
		.env = "SLUICE_DRAIN_TIMEOUT",
		.type = OPTION_DURATION,
		.arg = "TIME",
		.min = 0,
		.max = DAY,
		.fallback = "30s",
		.help = "How long running exchanges may go on after SIGTERM.",
		MEMBER(drain_ms)},
	{.name = "error-format",
		.env = "SLUICE_ERROR_FORMAT",
		.type = OPTION_ENUM,
		.arg = "FORMAT",
		.choices = "json|plain",
		.fallback = "json",
		.help = "Error answers: objects of the client's protocol, or plain text as Higress "
			"gives.",
		MEMBER(error_format)},
	{.name = "upstream-ca",
		.env = "SLUICE_UPSTREAM_CA",
		.type = OPTION_PATH,
		.arg = "FILE",
		.computed = "the system's authorities",
		.help = "PEM file with certificate authorities that are trusted beside the "
			"system's.",
		MEMBER(upstream_ca)},
	{.name = "user",
		.env = "SLUICE_USER",
		.type = OPTION_STRING,
		.arg = "NAME[:GROUP]",
		.computed = "who started it; needed when that is root",
		.help = "User to change to when the listeners are open; root stays root, with next "
			"to none of its privileges.",
		MEMBER(user)},
	{.name = "sandbox",
		.env = "SLUICE_SANDBOX",
		.type = OPTION_ENUM,
		.arg = "on|off",
		.choices = "off|on",
		.fallback = "on",
		.help = "Keeps the program to the files it uses and from system calls it never "
			"makes; off is for debuggers.",
		MEMBER(sandbox)},
	{.name = "check",
		.type = OPTION_BOOL,
		.flag_only = true,
		.help = "Print the settings in force and the memory bound, read the resources and report "
			"what is wrong in them, then exit; 1 when there is an error.",
		MEMBER(check)},

	{.name = "head-timeout",
		LIMIT_MS(http.head_ms,
			"A request's head must arrive, a TLS handshake end within it.", 1)},
	{.name = "idle-timeout",
		LIMIT_MS(http.idle_ms, "A client connection may be silent between requests.", 1)},
	{.name = "body-timeout",
		LIMIT_MS(http.body_ms, "Longest silence inside a request's body.", 1)},
	{.name = "write-timeout",
		LIMIT_MS(http.write_ms, "Longest time a client may take nothing of an answer.", 1)},
	{.name = "connect-timeout",
		LIMIT_MS(http.connect_ms, "Connecting to an upstream, TLS handshake included.", 1)},
	{.name = "pool-idle-timeout",
		LIMIT_MS(http.pool_idle_ms, "An idle upstream connection is kept that long.", 1)},
	{.name = "pool-idle-max",
		.type = OPTION_NUMBER,
		.is_limit = true,
		.arg = "N",
		.min = 0,
		.max = 65536,
		.help = "Idle upstream connections per endpoint and worker.",
		MEMBER(http.pool_idle_max)},
	{.name = "connections-max",
		.type = OPTION_NUMBER,
		.is_limit = true,
		.arg = "N",
		.min = 1,
		.max = 10000000,
		.help = "Client connections of one worker; above it the listener rests.",
		MEMBER(http.connections_max)},
	{.name = "series-max",
		.type = OPTION_NUMBER,
		.is_limit = true,
		.arg = "N",
		.min = 16,
		.max = 100000,
		.fallback = "2000",
		.help = "Combinations of route, model and consumer that each worker counts apart for "
			"/metrics; above it they are counted as other.",
		MEMBER(series_max)},
	{.name = "body-max",
		.type = OPTION_BYTES,
		.is_limit = true,
		.arg = "BYTES",
		.min = KB,
		.max = 16 * GB,
		.fallback = "100M",
		.help = "Largest request body; a larger one gets 413 before it is read to the end.",
		MEMBER(body_max)},
	{.name = "first-byte-timeout",
		.fallback = "120s",
		LIMIT_MS(first_byte_ms,
			"From a streamed request's last byte to the answer's first; 0 is off.", 0)},
	{.name = "answer-timeout",
		.fallback = "600s",
		LIMIT_MS(answer_ms,
			"From another request's last byte to the answer's first: slow completions take "
			"minutes.",
			1)},
	{.name = "stream-idle-timeout",
		.fallback = "120s",
		LIMIT_MS(stream_idle_ms, "Between two bytes of an answer; 0 is off.", 0)},
};

static_assert(LOG_ERROR == 0 && LOG_WARN == 1 && LOG_INFO == 2 && LOG_DEBUG == 3,
	"the choices of log-level are in the order of enum log_level");
static_assert(SETTINGS_LOG_AUTO == 0 && SETTINGS_LOG_TEXT == 1 && SETTINGS_LOG_JSON == 2,
	"the choices of log-format are in the order of their enum");

static_assert(SETTINGS_OFF == 0 && SETTINGS_ON == 1, "the choices of sandbox are in this order");

static const struct option_table table = {"serve", rows, ARRAY_LEN(rows)};

/* Defaults that are stated elsewhere; the rows without one show these. */
static const struct settings initial = {.http = HTTP_LIMITS_DEFAULT};

static bool is_default(const struct options *o, const char *name)
{
	for (size_t i = 0; i < table.n; i++) {
		if (strcmp(table.rows[i].name, name) == 0) {
			return o->source[i] <= OPTION_FROM_DEFAULT;
		}
	}
	ASSERT(false);
	return false;
}

static const char *env_or(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : otherwise;
}

/* The variables that HiClaw's skill has always had. */
static int complete_monitor(struct settings *s, FILE *err)
{
	const char *bind = env_or("MONITOR_BIND", s->hiclaw ? "0.0.0.0" : "127.0.0.1");
	const char *port = env_or("MONITOR_PORT", "18080");
	struct sys_addr addr;
	uint64_t n;

	if (s->monitor.n != 0) {
		return 0;
	}
	if (!num_parse_u64(bytes_str(port), UINT16_MAX, &n) ||
		sys_addr_parse(&addr, bind, strlen(bind), (uint16_t)n) != 0) {
		if (err != NULL) {
			fprintf(err,
				"sluice serve: MONITOR_BIND and MONITOR_PORT make \"%s:%s\", which is no "
				"address; correct them, or give --monitor ADDR:PORT\n",
				bind, port);
		}
		return ERR_SYNTAX;
	}
	s->monitor.v = must_alloc(sizeof(*s->monitor.v));
	s->monitor.v[0] = addr;
	s->monitor.n = 1;
	return 0;
}

/* product.md: the profile that HiClaw's skill sets; what was said of one thing goes before it. */
static void apply_profile(struct settings *s, const struct options *o)
{
	if (!s->hiclaw) {
		return;
	}
	if (is_default(o, "error-format")) {
		s->error_format = SETTINGS_ERROR_PLAIN;
	}
	if (is_default(o, "manage-on-gateway")) {
		s->manage_on_gateway = true;
	}
	if (is_default(o, "init-open")) {
		s->init_open = true;
	}
}

/* What depends on other settings or on the machine. */
static void complete(struct settings *s)
{
	if (s->resources == NULL) {
		s->resources = must_path(s->data, "resources");
	}
	if (s->state == NULL) {
		s->state = must_path(s->data, "state");
	}
	if (s->workers == 0) {
		s->workers = MIN(machine_cpus(), WORKERS_DEFAULT_MAX);
	}
	if (s->memory_max == 0) {
		s->memory_max = MAX(machine_memory() / 4, MEMORY_MIN);
	}
	if (s->log_format == SETTINGS_LOG_AUTO) {
		s->log_format = isatty(STDERR_FILENO) ? SETTINGS_LOG_TEXT : SETTINGS_LOG_JSON;
	}
}

/* RFC 6750: what cannot stand in a header would never be accepted. */
static bool is_good_token(const char *token)
{
	size_t n = strlen(token);

	for (size_t i = 0; i < n; i++) {
		if (token[i] <= 0x20 || token[i] >= 0x7f) {
			return false;
		}
	}
	return n >= TOKEN_MIN;
}

static int check_token(const char *name, const char *token, FILE *err)
{
	if (token == NULL || is_good_token(token)) {
		return 0;
	}
	if (err != NULL) {
		fprintf(err,
			"sluice serve: %s must have at least %u visible ASCII characters "
			"without blanks; `openssl rand -hex 16` makes one\n",
			name, TOKEN_MIN);
	}
	return ERR_SYNTAX;
}

static int check_console(const char *url, FILE *err)
{
	struct url u;
	struct fault f;

	if (url == NULL || url_parse(&u, bytes_str(url), &f) == 0) {
		return 0;
	}
	if (err != NULL) {
		fprintf(err,
			"sluice serve: higress-console is no URL (%s): write it as "
			"http://127.0.0.1:8001\n",
			f.text);
	}
	return ERR_SYNTAX;
}

int settings_parse(int argc, char **argv, struct settings *out, FILE *err)
{
	struct settings s = initial;
	struct options o;
	int rc;

	options_init(&o, &table, &s, err);
	rc = options_read_flags(&o, argc, argv);
	rc = rc == 0 ? options_read_env(&o) : rc;
	rc = rc == 0 && s.config != NULL ? options_read_file(&o, s.config) : rc;
	rc = rc == 0 ? options_read_defaults(&o) : rc;
	rc = rc == 0 ? check_token("metrics-token", s.metrics_token, err) : rc;
	rc = rc == 0 ? check_token("explain-token", s.explain_token, err) : rc;
	rc = rc == 0 ? check_console(s.higress_console, err) : rc;
	rc = rc == 0 ? complete_monitor(&s, err) : rc;
	if (rc != 0) {
		settings_done(&s);
		return EXIT_USAGE;
	}
	apply_profile(&s, &o);
	complete(&s);
	memcpy(s.source, o.source, sizeof(s.source));
	*out = s;
	return 0;
}

void settings_done(struct settings *s)
{
	options_done(&table, s);
}

size_t settings_worker_budget(const struct settings *s)
{
	return (size_t)(s->memory_max / 6 * 5 / s->workers);
}

void settings_print(const struct settings *s, FILE *out)
{
	struct settings copy = *s; /* the printer only reads, but takes what the reader filled */
	struct options o;

	options_init(&o, &table, &copy, NULL);
	memcpy(o.source, s->source, sizeof(o.source));
	options_print(&o, out);
	fprintf(out,
		"# memory bound: %llu bytes for bodies and connection input, %u workers with a "
		"budget of %zu each\n",
		(unsigned long long)s->memory_max, s->workers, settings_worker_budget(s));
}

void settings_help(FILE *out)
{
	options_help(&table, &initial, out);
}
