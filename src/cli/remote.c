#define _GNU_SOURCE
#include "cli/remote.h"

#include <stdlib.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/ask.h"
#include "cli/option.h"
#include "wire/base64.h"
#include "wire/json.h"

/* A change waits for its turn and for the workers, 30 s at most; then the server answers. */
#define TIMEOUT_MS 60000u
#define PATH_MAX_BYTES 4096u
/* The most that the server takes in one request. */
#define BODY_MAX ((size_t)96 << 20)
/* Words of the server that go to a terminal. */
#define MESSAGE_MAX 1024

enum { ROW_SERVER, ROW_USERNAME, ROW_PASSWORD };
static const struct option rows[] = {
	[ROW_SERVER] = {.name = "server",
		.env = "SLUICE_SERVER",
		.type = OPTION_STRING,
		.arg = "URL",
		.fallback = "http://127.0.0.1:8001",
		.help = "The management listener of the gateway, http or https.",
		OPTION_MEMBER(struct remote_settings, server)},
	[ROW_USERNAME] = {.name = "username",
		.env = "SLUICE_USERNAME",
		.type = OPTION_STRING,
		.arg = "NAME",
		.fallback = "admin",
		.help = "The administrator.",
		OPTION_MEMBER(struct remote_settings, username)},
	[ROW_PASSWORD] = {.name = "password",
		.env = "SLUICE_PASSWORD",
		.type = OPTION_STRING,
		.secret = true,
		.arg = "TEXT",
		.help = "The administrator's password.",
		OPTION_MEMBER(struct remote_settings, password)},
};

static const struct arg_row arg_rows[] = {
	{"--server", "URL",
		"The management listener of the gateway, http or https. Default: "
		"http://127.0.0.1:8001. Environment: SLUICE_SERVER.",
		false},
	{"--username", "NAME", "The administrator. Default: admin. Environment: SLUICE_USERNAME.",
		false},
};
const struct arg_table remote_args = {arg_rows, ARRAY_LEN(arg_rows)};

void remote_help(FILE *out)
{
	args_help(&remote_args, out);
	fputs("\nThe password comes from the environment, SLUICE_PASSWORD, or from the file\n"
	      "~/.config/sluice/config.yaml (keys server, username, password), which must be\n"
	      "readable by its owner only: chmod 600. Over https the server's certificate must bear\n"
	      "its name and come from an authority that the system trusts, or from one of the file\n"
	      "that SSL_CERT_FILE names.\n",
		out);
}

/* --- settings ----------------------------------------------------------------------------------- */

static bool config_path(char *out, size_t size)
{
	const char *base = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	int n;

	if (base != NULL && base[0] == '/') {
		n = snprintf(out, size, "%s/sluice/config.yaml", base);
	} else if (home != NULL && home[0] == '/') {
		n = snprintf(out, size, "%s/.config/sluice/config.yaml", home);
	} else {
		return false;
	}
	return n > 0 && (size_t)n < size;
}

static int read_file(struct remote *r, struct options *o)
{
	char path[PATH_MAX_BYTES];
	struct file_stat st;

	if (!config_path(path, sizeof(path)) || file_stat(path, &st) != 0 || !st.exists) {
		return 0;
	}
	if ((st.mode & 077) != 0) {
		fprintf(r->err,
			"sluice %s: %s may hold a password and others can read it: chmod 600 %s\n",
			r->command, path, path);
		return ERR_REFUSED;
	}
	return options_read_file(o, path);
}

/* What the command line says, in the words of the option table. */
static int read_args(struct options *o, const struct args *a)
{
	static const char *const names[] = {"--server", "--username"};
	char *argv[1 + 2 * ARRAY_LEN(names)];
	int argc = 1;

	argv[0] = (char *)(uintptr_t)a->command;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = args_value(a, names[i]);

		if (value != NULL) {
			argv[argc++] = (char *)(uintptr_t)names[i];
			argv[argc++] = (char *)(uintptr_t)value;
		}
	}
	return options_read_flags(o, argc, argv);
}

static void take_instead(char **value, const char *other)
{
	if (other != NULL) {
		free(*value);
		*value = must_strdup(other);
	}
}

/* A name that was given goes with a password that was given, not with one that was found elsewhere. */
static void read_opts(struct remote *r, const struct options *o, const struct remote_opts *opts)
{
	bool named = o->source[ROW_USERNAME] > OPTION_FROM_DEFAULT;

	r->server_named = o->source[ROW_SERVER] > OPTION_FROM_DEFAULT;
	if (!r->server_named) {
		take_instead(&r->settings.server, opts->server);
	}
	if (r->settings.password == NULL && !named) {
		take_instead(&r->settings.username, opts->username);
		take_instead(&r->settings.password, opts->password);
	}
}

static int read_settings(struct remote *r, const struct args *a, const struct remote_opts *opts)
{
	const struct option_table table = {a->command, rows, ARRAY_LEN(rows)};
	struct options o;

	options_init(&o, &table, &r->settings, r->err);
	if (read_args(&o, a) != 0 || options_read_env(&o) != 0 || read_file(r, &o) != 0 ||
		options_read_defaults(&o) != 0) {
		return COMMAND_USAGE;
	}
	read_opts(r, &o, opts);
	return COMMAND_DONE;
}

static int read_url(struct remote *r)
{
	struct fault f;

	if (url_parse(&r->url, bytes_str(r->settings.server), &f) != 0) {
		fprintf(r->err,
			"sluice %s: the server \"%.200s\" is no URL (%s): write it as "
			"http://127.0.0.1:8001\n",
			r->command, r->settings.server, f.text);
		return COMMAND_USAGE;
	}
	return COMMAND_DONE;
}

static void make_host(struct remote *r)
{
	struct bytes host = r->url.host;

	if (host.n > 1 && host.p[0] == '[') {
		host = bytes_of(host.p + 1, host.n - 2);
	}
	free(r->host);
	r->host = bytes_dup(host);
}

static void make_authorization(struct remote *r, const char *bearer)
{
	struct text t;
	size_t n = strlen("Basic ");

	text_init(&t, SIZE_MAX);
	if (r->by_bearer) {
		text_addf(&t, "Bearer %s", bearer);
		r->authorization = must_strdup(text_cstr(&t));
		text_done(&t);
		return;
	}
	text_addf(&t, "%s:%s", r->settings.username, r->settings.password);
	r->authorization = must_alloc(n + base64_size(t.n) + 1);
	memcpy(r->authorization, "Basic ", n);
	n += base64_encode(r->authorization + n, text_bytes(&t));
	r->authorization[n] = '\0';
	text_done(&t);
}

int remote_open(struct remote *r, const struct args *a, FILE *err)
{
	return remote_open_as(r, a, &(struct remote_opts){0}, err);
}

int remote_move(struct remote *r, const char *server)
{
	int rc;

	take_instead(&r->settings.server, server);
	rc = read_url(r);
	if (rc == COMMAND_DONE) {
		make_host(r);
	}
	return rc;
}

int remote_open_as(
	struct remote *r, const struct args *a, const struct remote_opts *opts, FILE *err)
{
	bool has_password;
	int rc;

	*r = (struct remote){.command = a->command, .err = err};
	r->timeout_ms = opts->timeout_ms != 0 ? opts->timeout_ms : TIMEOUT_MS;
	rc = read_settings(r, a, opts);
	rc = rc == COMMAND_DONE ? read_url(r) : rc;
	has_password = r->settings.password != NULL && r->settings.password[0] != '\0';
	r->by_bearer = !has_password && opts->bearer != NULL;
	if (rc == COMMAND_DONE && !has_password && !r->by_bearer) {
		fprintf(err,
			"sluice %s: no password for %s: set %sSLUICE_PASSWORD, or write it to "
			"~/.config/sluice/config.yaml\n",
			r->command, r->settings.server,
			opts->username != NULL ? "HICLAW_ADMIN_PASSWORD or " : "");
		rc = COMMAND_USAGE;
	}
	if (rc != COMMAND_DONE) {
		remote_close(r);
		return rc;
	}
	make_host(r);
	make_authorization(r, opts->bearer);
	return COMMAND_DONE;
}

void remote_close(struct remote *r)
{
	const struct option_table table = {r->command, rows, ARRAY_LEN(rows)};

	options_done(&table, &r->settings);
	free(r->host);
	free(r->authorization);
	*r = (struct remote){0};
}

/* --- requests ----------------------------------------------------------------------------------- */

void remote_segment(struct text *path, struct bytes name)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';

		if (plain) {
			text_add_char(path, (char)c);
		} else {
			text_add_char(path, '%');
			text_add_char(path, hex[c >> 4]);
			text_add_char(path, hex[c & 15]);
		}
	}
}

static bool is_json_of_api(const struct remote_answer *a, const struct doc *d)
{
	return d != NULL || a->status == 204 || a->status == 404;
}

/* The envelope of GET answers, and of errors. */
static void unwrap(struct arena *arena, struct doc *d, struct remote_answer *out)
{
	const struct doc *success = doc_get(arena, d, "success");

	out->data = d;
	if (success != NULL && success->type == DOC_BOOL) {
		out->data = doc_get(arena, d, "data");
		out->message = doc_text(doc_get(arena, d, "message"), BYTES(""));
	}
	if (!doc_given(out->data)) {
		out->data = NULL;
	}
}

static int take_answer(
	struct remote *r, struct arena *arena, const struct fetch *got, struct remote_answer *out)
{
	struct bytes text = arena_copy(arena, text_bytes(&got->body_in));
	struct doc *d = NULL;
	struct fault f;

	*out = (struct remote_answer){.status = got->status};
	out->etag = arena_copy(arena, fetch_field(got, "etag"));
	if (text.n != 0) {
		const struct json_value *v = json_parse(arena, text, &f);

		d = v != NULL ? doc_of_json(arena, v) : NULL;
	}
	if (arena_full(arena)) {
		fprintf(r->err, "sluice %s: the answer of %s is too large\n", r->command,
			r->settings.server);
		return COMMAND_NO;
	}
	if (!is_json_of_api(out, d)) {
		fprintf(r->err,
			"sluice %s: %s answers (status %u), but not as the management API does: is "
			"it the address of the console listener?\n",
			r->command, r->settings.server, got->status);
		return COMMAND_UNREACHED;
	}
	out->whole = d;
	unwrap(arena, d, out);
	if (got->status == 401 && r->by_bearer) {
		fprintf(r->err,
			"sluice %s: %s does not know the Manager's key: correct "
			"HICLAW_MANAGER_GATEWAY_KEY, or set HICLAW_ADMIN_PASSWORD\n",
			r->command, r->settings.server);
		return COMMAND_NO;
	}
	if (got->status == 401) {
		fprintf(r->err,
			"sluice %s: %s does not know the password of \"%s\": set SLUICE_USERNAME "
			"and SLUICE_PASSWORD\n",
			r->command, r->settings.server, r->settings.username);
		return COMMAND_NO;
	}
	return COMMAND_DONE;
}

/* "127.0.0.1:8001", as the URL has it. */
static struct bytes authority(const struct remote *r)
{
	struct bytes host = r->url.host;
	const char *end = host.p + host.n;

	if (r->url.port != 0 && *end == ':') {
		end += 1 + strspn(end + 1, "0123456789");
	}
	return bytes_of(host.p, (size_t)(end - host.p));
}

int remote_ask(struct remote *r, struct arena *arena, const struct remote_call *call,
	struct remote_answer *out)
{
	struct fetch q = {.host = r->host, .timeout_ms = r->timeout_ms};
	struct json_writer w;
	struct text body;
	int rc;

	text_init(&body, BODY_MAX);
	q.tls = bytes_eq_nocase(r->url.scheme, BYTES("https"));
	q.port = r->url.port != 0 ? r->url.port : q.tls ? 443 : 80;
	q.method = bytes_str(call->method);
	q.target = call->path;
	fetch_add(&q, BYTES("Host"), authority(r));
	fetch_add(&q, BYTES("Authorization"), bytes_str(r->authorization));
	fetch_add(&q, BYTES("User-Agent"), BYTES("sluice"));
	if (call->if_match.n != 0) {
		fetch_add(&q, BYTES("If-Match"), call->if_match);
	}
	if (call->body != NULL) {
		json_writer_init(&w, &body);
		doc_put_json(arena, &w, call->body);
		if (text_full(&body) || arena_full(arena)) {
			fprintf(r->err,
				"sluice %s: the change is larger than the %zu MiB that a gateway takes at "
				"once: apply fewer files at a time\n",
				r->command, BODY_MAX >> 20);
			text_done(&body);
			return COMMAND_NO;
		}
		fetch_add(&q, BYTES("Content-Type"), BYTES("application/json"));
		q.body = text_bytes(&body);
	}
	rc = (int)ask(&q);
	text_done(&body);
	if (rc != FETCH_DONE) {
		fprintf(r->err, "sluice %s: %s could not be reached: %s; is the gateway running?\n",
			r->command, r->settings.server, q.why.text);
		return COMMAND_UNREACHED;
	}
	rc = take_answer(r, arena, &q, out);
	fetch_done(&q);
	return rc;
}

void remote_put_words(struct bytes b, FILE *out)
{
	for (size_t i = 0; i < b.n && i < MESSAGE_MAX; i++) {
		unsigned char c = (unsigned char)b.p[i];

		fputc(c < 0x20 || c == 0x7f ? ' ' : c, out);
	}
}

int remote_refused(const struct remote *r, const struct remote_answer *a, const char *what)
{
	fprintf(r->err, "sluice %s: ", r->command);
	remote_put_words(bytes_str(what), r->err);
	if (a->status == 404 && a->message.n == 0) {
		fputs(": there is none of that name", r->err);
	} else if (a->message.n == 0) {
		fprintf(r->err, ": the server answered %u", a->status);
	} else {
		fputs(": ", r->err);
		remote_put_words(a->message, r->err);
	}
	fputc('\n', r->err);
	return COMMAND_NO;
}
