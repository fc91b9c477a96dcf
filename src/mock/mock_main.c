/* `sluice mock`: one mock on one loop, until a signal ends it. */
#define _POSIX_C_SOURCE 200809L
#include "mock/mock.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/num.h"
#include "mock/mock_script.h"

#define EXIT_USAGE 2
#define LISTEN_DEFAULT "127.0.0.1:9000"
#define LISTEN_MAX 16u
/* Memory for bodies of requests. */
#define POOL_BYTES (1024u * 1024u * 1024u)

struct arguments {
	struct sys_addr listen[LISTEN_MAX];
	unsigned n_listen;
	const char *ready_file;
	const char *script; /* NULL: none */
};

struct run {
	struct loop *loop;
	struct post stop;
	sigset_t signals;
};

void mock_help(FILE *out)
{
	fputs("Options:\n"
	      "  --listen ADDR:PORT (repeatable)\n"
	      "      Where it serves; port 0 takes a free one. Default: " LISTEN_DEFAULT
	      ".\n"
	      "  --ready-file PATH\n"
	      "      Written as JSON (addresses, pid, version) when it accepts.\n"
	      "  --script SEQUENCE\n"
	      "      What the next requests get, whatever their models ask for: words, \"ok\" for\n"
	      "      what the model asks for, \"*N\" behind them for N requests, commas between\n"
	      "      them, and \"again\" at the end for ever: status-503*3,ok or reset,ok,again.\n\n"
	      "Paths, behind any prefix: /chat/completions /chatcompletion_v2 /completions\n"
	      "  /embeddings /messages /responses /models /models/NAME\n"
	      "What it saw: GET /mock/requests[?last=N][&body=0], DELETE /mock/requests,\n"
	      "  GET /mock/state\n"
	      "Another sequence: POST /mock/script with it as the body; GET says how many are left\n\n"
	      "A model name asks for a fault: mock-WORD, several as mock-WORD+WORD; so does the\n"
	      "header field \"x-mock: WORD+WORD\", whatever the model and the sequence say. Words:\n",
		out);
	mock_script_help(out);
	fputs("\nFor measurements, not recorded: bench (1 KB at once), bench-sse-N (N events of\n"
	      "300 bytes), bench-sse-N+slow-MS.\n",
		out);
}

/* --- arguments ---------------------------------------------------------------------------------- */

static bool parse_address(const char *text, struct sys_addr *out)
{
	const char *colon = strrchr(text, ':');
	uint64_t port;

	return colon != NULL && num_parse_u64(bytes_str(colon + 1), 65535, &port) &&
		sys_addr_parse(out, text, (size_t)(colon - text), (uint16_t)port) == 0;
}

static bool add_listen(struct arguments *a, const char *text)
{
	if (a->n_listen == LISTEN_MAX || !parse_address(text, &a->listen[a->n_listen])) {
		fprintf(stderr, "sluice mock: --listen: \"%.80s\" is no ADDRESS:PORT\n", text);
		return false;
	}
	a->n_listen++;
	return true;
}

/* The value of the flag at argv[*i]: behind '=', or the next word. NULL: it is another flag. */
static const char *flag_value(int argc, char **argv, int *i, const char *flag)
{
	size_t n = strlen(flag);

	if (strncmp(argv[*i], flag, n) != 0) {
		return NULL;
	}
	if (argv[*i][n] == '=') {
		return argv[*i] + n + 1;
	}
	return argv[*i][n] == '\0' && *i + 1 < argc ? argv[++*i] : NULL;
}

static bool read_arguments(int argc, char **argv, struct arguments *a)
{
	for (int i = 1; i < argc; i++) {
		const char *given = argv[i];
		const char *value = flag_value(argc, argv, &i, "--listen");

		if (value != NULL) {
			if (!add_listen(a, value)) {
				return false;
			}
			continue;
		}
		value = flag_value(argc, argv, &i, "--script");
		if (value != NULL) {
			a->script = value;
			continue;
		}
		value = flag_value(argc, argv, &i, "--ready-file");
		if (value == NULL) {
			fprintf(stderr,
				"sluice mock: \"%.80s\" is no option or lacks its value; there are "
				"--listen ADDR:PORT, --script SEQUENCE and --ready-file PATH\n",
				given);
			return false;
		}
		a->ready_file = value;
	}
	return a->n_listen != 0 || add_listen(a, LISTEN_DEFAULT);
}

/* --- running ------------------------------------------------------------------------------------ */

static void on_stop(struct post *p)
{
	loop_stop(CONTAINER_OF(p, struct run, stop)->loop);
}

static void *wait_for_signal(void *arg)
{
	struct run *run = arg;
	int number;

	if (sigwait(&run->signals, &number) == 0) {
		loop_post(run->loop, &run->stop, on_stop);
	}
	return NULL;
}

/* {"address":"127.0.0.1:9000","addresses":["127.0.0.1:9000"],"pid":1,"version":"0.1.0"} */
static int write_ready(const char *path, const struct arguments *a, const char *version)
{
	struct fault fault = {0};
	char one[SYS_ADDR_TEXT];
	struct text t;
	int rc;

	text_init(&t, 65536);
	sys_addr_format(&a->listen[0], one);
	text_addf(&t, "{\"address\":\"%s\",\"addresses\":[", one);
	for (unsigned i = 0; i < a->n_listen; i++) {
		sys_addr_format(&a->listen[i], one);
		text_addf(&t, "%s\"%s\"", i != 0 ? "," : "", one);
	}
	text_addf(&t, "],\"pid\":%ld,\"version\":\"%s\"}\n", (long)getpid(), version);
	rc = file_write_atomic(path, text_bytes(&t), 0600, &fault);
	if (rc != 0) {
		fprintf(stderr, "sluice mock: %s\n", fault.text);
	}
	text_done(&t);
	return rc;
}

static int plan_requests(struct mock *m, const struct arguments *a)
{
	struct fault fault = {0};
	int rc = a->script != NULL ? mock_plan(m, bytes_str(a->script), &fault) : 0;

	if (rc != 0) {
		fprintf(stderr, "sluice mock: --script: %s\n", fault.text);
	}
	return rc;
}

static int listen_all(struct mock *m, struct arguments *a)
{
	for (unsigned i = 0; i < a->n_listen; i++) {
		struct sys_addr bound;
		char text[SYS_ADDR_TEXT];

		sys_addr_format(&a->listen[i], text);
		if (mock_listen(m, &a->listen[i], &bound) != 0) {
			fprintf(stderr,
				"sluice mock: cannot listen on %s (%s); choose another "
				"with --listen\n",
				text, sys_error_text());
			return ERR_IO;
		}
		a->listen[i] = bound;
		sys_addr_format(&bound, text);
		fprintf(stderr, "sluice mock: serving on http://%s/v1\n", text);
	}
	return 0;
}

int mock_main(int argc, char **argv, const char *version)
{
	struct arguments arguments = {.n_listen = 0};
	struct run run = {.loop = NULL};
	struct segpool pool;
	struct mock *m;
	pthread_t waiter;
	int rc;

	if (!read_arguments(argc, argv, &arguments)) {
		return EXIT_USAGE;
	}
	/* Before any thread: all of them inherit the mask, one waits for these signals. */
	sigemptyset(&run.signals);
	sigaddset(&run.signals, SIGTERM);
	sigaddset(&run.signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &run.signals, NULL);
	segpool_init(&pool, POOL_BYTES);
	run.loop = loop_new();
	m = mock_new(run.loop, &pool, NULL);
	rc = plan_requests(m, &arguments);
	rc = rc == 0 ? listen_all(m, &arguments) : rc;
	if (rc == 0 && arguments.ready_file != NULL) {
		rc = write_ready(arguments.ready_file, &arguments, version);
	}
	if (rc == 0 && pthread_create(&waiter, NULL, wait_for_signal, &run) == 0) {
		loop_run(run.loop);
		pthread_join(waiter, NULL);
	}
	mock_free(m);
	loop_free(run.loop);
	segpool_done(&pool);
	return rc == 0 ? 0 : 1;
}
