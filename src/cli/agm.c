/*
 * A script does not know where sluice is: in the same container (the monitor's port), in Higress's place (the
 * Console's port, the gateway's port of another container), or not running yet. It is looked for in that order with
 * a request that carries no credentials, so that a real Higress at one of the addresses learns nothing.
 */
#define _GNU_SOURCE
#include "cli/agm.h"

#include <stdlib.h>
#include <time.h>

#include "base/num.h"
#include "cli/agm_monitor.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "cli/hide.h"

#define ARENA_MAX ((size_t)256 << 20)
#define OUT_MAX ((size_t)64 << 20)
/* Whether somebody is there: what does not answer by then is no server of ours on this network. */
#define LOOK_MS 2000u
/* A switch may take 60 s (monitor-api.md 1). */
#define SWITCH_MS 90000u
#define PATH_MAX_BYTES 4096u
/* Of a text in a sentence or a line. */
#define WORDS_MAX 2048u

void agm_begin(struct agm *x)
{
	arena_init(&x->arena, ARENA_MAX);
	env_read(&x->arena, &env_of_process, &x->env);
}

void agm_end(struct agm *x)
{
	if (x->remote.authorization != NULL) {
		remote_close(&x->remote);
	}
	arena_done(&x->arena);
}

/* --- where the server is -------------------------------------------------------------------------- */

static const char *print_arena(struct agm *x, const char *fmt, ...) PRINTF_LIKE(2, 3);

static const char *print_arena(struct agm *x, const char *fmt, ...)
{
	char room[PATH_MAX_BYTES];
	struct text t;
	va_list ap;

	text_init_fixed(&t, room, sizeof(room));
	va_start(ap, fmt);
	text_addv(&t, fmt, ap);
	va_end(ap);
	return arena_copy(&x->arena, text_bytes(&t)).p;
}

const char *agm_monitor_url(struct agm *x)
{
	return print_arena(x, "http://127.0.0.1:%llu", (unsigned long long)x->env.monitor_port);
}

/* The document at a URL, asked for by nobody; NULL: there is none, or none of these statuses. */
static const struct doc *look_at(struct agm *x, const char *url, struct bytes path, unsigned other)
{
	struct fetch q = {.timeout_ms = LOOK_MS, .method = BYTES("GET"), .target = path};
	const struct json_value *v = NULL;
	struct fault f;
	struct url u;
	struct bytes host;

	if (url_parse(&u, bytes_str(url), &f) != 0) {
		return NULL;
	}
	host = u.host;
	if (host.n > 1 && host.p[0] == '[') {
		host = bytes_of(host.p + 1, host.n - 2);
	}
	q.tls = bytes_eq_nocase(u.scheme, BYTES("https"));
	q.port = u.port != 0 ? u.port : q.tls ? 443 : 80;
	q.host = arena_copy(&x->arena, host).p;
	fetch_add(&q, BYTES("Host"), u.host);
	if (ask(&q) != FETCH_DONE) {
		return NULL;
	}
	if (q.status == 200 || q.status == other) {
		v = json_parse(&x->arena, arena_copy(&x->arena, text_bytes(&q.body_in)), &f);
	}
	fetch_done(&q);
	return v != NULL ? doc_of_json(&x->arena, v) : NULL;
}

bool agm_is_ours(struct agm *x, const char *url)
{
	const struct doc *d = look_at(x, url, BYTES("/ni_status/health"), 503);

	return doc_text(doc_get(&x->arena, d, "status"), BYTES("")).n != 0;
}

bool agm_is_higress(struct agm *x, const char *url)
{
	const struct doc *d = look_at(x, url, BYTES("/system/info"), 200);

	return d != NULL && d->type == DOC_MAP && !agm_is_ours(x, url);
}

/* The gateway's name resolves publicly: it is asked only where somebody has said that it is the gateway's. */
static bool is_gateway_named(void)
{
	return getenv("HICLAW_AI_GATEWAY_URL") != NULL ||
		getenv("HICLAW_AI_GATEWAY_DOMAIN") != NULL;
}

/* NULL: nobody. */
static const char *find_server(struct agm *x)
{
	const char *const places[] = {agm_monitor_url(x), x->env.admin_url.p,
		is_gateway_named() ? x->env.gateway_url.p : NULL};

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (places[i] != NULL && places[i][0] != '\0' && agm_is_ours(x, places[i])) {
			return places[i];
		}
	}
	return NULL;
}

static bool may_start(const struct agm *x)
{
	const char *no = getenv("SLUICE_NO_AUTOSTART");

	return x->may_start && (no == NULL || strcmp(no, "1") != 0);
}

static int find_or_start(struct agm *x)
{
	const char *at = find_server(x);

	if (at == NULL && may_start(x)) {
		int rc = agm_monitor_start(x, stderr);

		if (rc != COMMAND_DONE) {
			return rc;
		}
		at = agm_monitor_url(x);
	}
	if (at == NULL) {
		fprintf(stderr,
			"sluice %s: no sluice answers at %s or %s: start it (monitor-server.sh "
			"start), or name its address in SLUICE_SERVER\n",
			x->given.command, agm_monitor_url(x), x->env.admin_url.p);
		return COMMAND_UNREACHED;
	}
	return remote_move(&x->remote, at);
}

static const char *set_or_null(struct bytes b)
{
	return b.n != 0 ? b.p : NULL;
}

int agm_open(struct agm *x)
{
	const struct env_secrets *s = &x->env.secrets;
	struct remote_opts opts = {
		.server = x->is_script ? agm_monitor_url(x) : NULL,
		.username = set_or_null(x->env.admin_user),
		.password = set_or_null(s->admin_password),
		.bearer = set_or_null(s->manager_key),
		.timeout_ms = SWITCH_MS,
	};
	int rc = remote_open_as(&x->remote, &x->given, &opts, stderr);

	if (rc == COMMAND_DONE && x->is_script && !x->remote.server_named) {
		rc = find_or_start(x);
	}
	return rc;
}

/* --- requests ------------------------------------------------------------------------------------- */

int agm_ask(struct agm *x, const struct agm_question *q, struct remote_answer *out)
{
	struct remote_call call = {.method = q->method, .body = q->body};
	char room[PATH_MAX_BYTES];
	struct text path;

	text_init_fixed(&path, room, sizeof(room));
	text_add_str(&path, "/ni_status");
	text_add_str(&path, q->path);
	if (q->name.n != 0) {
		text_add_char(&path, '/');
		remote_segment(&path, q->name);
	}
	if (q->behind != NULL) {
		text_add_str(&path, q->behind);
	}
	if (text_full(&path)) {
		fprintf(stderr, "sluice %s: the name is too long\n", x->given.command);
		return COMMAND_USAGE;
	}
	call.path = text_bytes(&path);
	return remote_ask(&x->remote, &x->arena, &call, out);
}

int agm_get(
	struct agm *x, const struct agm_question *q, const char *what, struct remote_answer *out)
{
	int rc = agm_ask(x, q, out);

	if (rc == COMMAND_DONE && (!remote_is_good(out) || out->whole == NULL)) {
		rc = remote_refused(&x->remote, out, what);
	}
	return rc;
}

struct bytes agm_code(struct agm *x, const struct remote_answer *got)
{
	return doc_text(doc_get(&x->arena, got->whole, "code"), BYTES(""));
}

/* --- words ---------------------------------------------------------------------------------------- */

void agm_log(const char *fmt, ...)
{
	time_t now = time(NULL);
	char when[32];
	struct tm tm;
	va_list ap;

	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", localtime_r(&now, &tm));
	printf("[hiclaw %s] ", when);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

const char *agm_words(struct agm *x, struct bytes b)
{
	char room[WORDS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < b.n && n < sizeof(room); i++) {
		unsigned char c = (unsigned char)b.p[i];
		bool c1 = c == 0xc2 && i + 1 < b.n && (unsigned char)b.p[i + 1] < 0xa0;

		room[n++] = c < 0x20 || c == 0x7f || c1 ? ' ' : (char)c;
		i += c1;
	}
	return arena_copy(&x->arena, bytes_of(room, n)).p;
}

const char *agm_member(struct agm *x, const struct doc *d, const char *path, const char *fallback)
{
	const struct doc *v = doc_at(&x->arena, d, path);

	if (!doc_given(v)) {
		return fallback;
	}
	if (v->type == DOC_BOOL) {
		return v->boolean ? "true" : "false";
	}
	if (v->type == DOC_INT) {
		return print_arena(x, "%lld", (long long)v->integer);
	}
	return v->type == DOC_STRING ? agm_words(x, v->text) : fallback;
}

void agm_print_json(struct agm *x, struct doc *d)
{
	struct json_writer w;
	struct text t;

	text_init(&t, OUT_MAX);
	hide_secrets(&x->arena, d, HIDE_MASK);
	json_writer_init(&w, &t);
	doc_put_json(&x->arena, &w, d);
	text_add_char(&t, '\n');
	fwrite(t.p, 1, t.n, stdout);
	text_done(&t);
}

void agm_print(struct agm *x, const struct noun *noun, struct doc *d)
{
	noun_command_print(&x->arena, noun, &x->given, d, stdout);
}

/* --- targets -------------------------------------------------------------------------------------- */

bool agm_target(struct agm *x, const char *text, struct names_target *out)
{
	struct bytes b = bytes_str(text);
	struct fault f;
	bool is_known = bytes_eq(b, BYTES("manager")) || bytes_starts(b, BYTES("worker:"));

	if ((is_known || !x->is_script) && names_target(b, out, &f) == 0) {
		return true;
	}
	if (x->is_script) {
		puts("ERROR: Invalid target format. Use 'manager' or 'worker:NAME'");
	} else {
		fprintf(stderr, "sluice %s: %s\n", x->given.command, f.text);
	}
	return false;
}

void agm_target_path(const struct names_target *t, struct agm_question *q)
{
	q->path = t->kind == NAMES_MANAGER ? "/assignment/manager" : "/assignment/workers";
	q->name = t->kind == NAMES_MANAGER ? BYTES("") : t->worker;
}
