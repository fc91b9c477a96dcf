/*
 * `sluice agm install`: makes the monitor reachable where HiClaw's people look for it, beside a real Higress or with
 * sluice in its place, and says which it found and everything it did. Steps can be repeated. No plugin is configured
 * on the routes: the monitor asks for credentials itself, and a gateway's key-auth would lock the page out.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/agm.h"
#include "cli/agm_monitor.h"
#include "cli/command.h"

#define PAGE_DOMAIN "manager-local.hiclaw.io"
#define PROGRAM_FILE "ai-gateway-management.conf"
#define GATEWAY_PORT 8080
#define SUPERVISORD_MAX ((size_t)1 << 20)

static const struct arg_row rows[] = {
	{"--image", NULL,
		"For the build of an image: only makes supervisord start the monitor in it.",
		false},
	{"--clean-legacy", NULL,
		"Removes the routes and service sources that an old installation made.", false},
	{"--uninstall", NULL,
		"Takes back what installing made: routes, service source and domain at a Higress, "
		"supervisord's file, the running monitor. Its data and agents' files stay.",
		false},
	{"--address", "HOST:PORT",
		"Where a Higress in another container reaches the monitor. Default: "
		"127.0.0.1 and the monitor's port, when the Console is on this machine.",
		false},
};
const struct arg_table agm_install_options = {rows, ARRAY_LEN(rows)};

enum found { FOUND_NOTHING, FOUND_SLUICE, FOUND_HIGRESS };

struct run {
	struct agm *x;
	struct remote console; /* authorization NULL: not open */
	enum found found;
};

/* --- supervisord ---------------------------------------------------------------------------------- */

static const char *supervisor_dir(void)
{
	static const char *const dirs[] = {
		"/etc/supervisor/conf.d", "/etc/supervisord.d", "/etc/supervisor.d"};
	const char *own = getenv("SLUICE_SUPERVISOR_DIR");

	if (own != NULL) {
		return own[0] != '\0' && access(own, W_OK | X_OK) == 0 ? own : NULL;
	}
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		if (access(dirs[i], W_OK | X_OK) == 0) {
			return dirs[i];
		}
	}
	return NULL;
}

/* Whether supervisord reads other files of dir: its own one, there or above, says so. */
static bool includes_others(const char *dir)
{
	static const char *const names[] = {"supervisord.conf", "../supervisord.conf"};
	bool found = false;

	for (size_t i = 0; i < ARRAY_LEN(names) && !found; i++) {
		char path[PATH_MAX];
		struct text t;

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		text_init(&t, SUPERVISORD_MAX);
		if (file_read(path, SUPERVISORD_MAX, &t, NULL, NULL) == 0) {
			found = strstr(text_cstr(&t), "\n[include]") != NULL;
		}
		text_done(&t);
	}
	return found;
}

/* False: there is no supervisord whose files we may write, or it failed; said. */
static bool add_program(void)
{
	const char *dir = supervisor_dir();
	char program[PATH_MAX], path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	struct text t;
	struct fault f;
	bool good;

	if (dir == NULL || n <= 0) {
		agm_log("  No supervisord here: start `monitor-server.sh start` at boot yourself");
		return false;
	}
	program[n] = '\0';
	snprintf(path, sizeof(path), "%s/" PROGRAM_FILE, dir);
	text_init(&t, PATH_MAX + 1024);
	text_addf(&t,
		"[program:ai-gateway-management]\ncommand=%s agm monitor run\nautostart=true\n"
		"autorestart=true\nstartsecs=2\nstopwaitsecs=15\nstdout_logfile=%s/"
		"monitor-server.log\nstdout_logfile_maxbytes=10MB\nredirect_stderr=true\n",
		program, agm_monitor_dir());
	good = file_write_atomic(path, text_bytes(&t), 0644, &f) == 0;
	text_done(&t);
	if (good && includes_others(dir)) {
		agm_log("  OK (%s starts it with the container)", path);
	} else if (good) {
		agm_log("  WARNING: %s is written, but supervisord.conf includes no other files: add "
			"\"[include]\" and \"files = %s/*.conf\" to it",
			path, dir);
	} else {
		agm_log("  WARNING: %s", f.text);
	}
	return good;
}

/* Whatever supervisord still has in memory goes with its next start. */
static void remove_program(void)
{
	const char *dir = supervisor_dir();
	char path[PATH_MAX];
	struct fault f;
	int rc;

	if (dir == NULL) {
		return;
	}
	snprintf(path, sizeof(path), "%s/" PROGRAM_FILE, dir);
	if (access(path, F_OK) != 0) {
		return;
	}
	agm_log("Removing %s...", path);
	rc = file_remove(path) == 0 ? 0 : fault_set(&f, ERR_IO, 0, 0, "it cannot be removed");
	agm_log(rc == 0 ? "  OK" : "  WARNING: %s", rc == 0 ? "" : f.text);
}

/* --- the Console ---------------------------------------------------------------------------------- */

static bool is_local(const struct remote *r)
{
	struct bytes host = r->url.host;

	return bytes_eq_nocase(host, BYTES("localhost")) || bytes_starts(host, BYTES("127.")) ||
		bytes_eq(host, BYTES("[::1]"));
}

static bool open_console(struct run *r)
{
	struct agm *x = r->x;
	struct remote_opts opts = {
		.username = x->env.admin_user.p, .password = x->env.secrets.admin_password.p};
	bool has_password =
		x->env.secrets.admin_password.n != 0 || getenv("SLUICE_PASSWORD") != NULL;

	if (!has_password) {
		agm_log("  WARNING: no password for the Console: set HICLAW_ADMIN_PASSWORD");
		return false;
	}
	return remote_open_as(&r->console, &x->given, &opts, stderr) == COMMAND_DONE &&
		remote_move(&r->console, x->env.admin_url.p) == COMMAND_DONE;
}

/* body: JSON, NULL: none. Whether it is as wished: also when it was there. */
static bool call(struct run *r, const char *method, const char *path, const char *body)
{
	struct agm *x = r->x;
	const struct json_value *v = NULL;
	struct remote_answer got = {.status = 0};
	struct fault f;
	bool good;

	if (body != NULL) {
		v = json_parse(&x->arena, bytes_str(body), &f);
		ASSERT(v != NULL);
	}
	if (remote_ask(&r->console, &x->arena,
		    &(struct remote_call){.method = method,
			    .path = bytes_str(path),
			    .body = v != NULL ? doc_of_json(&x->arena, v) : NULL},
		    &got) != COMMAND_DONE) {
		agm_log("  WARNING: HTTP %u", got.status);
		return false;
	}
	good = remote_is_good(&got) || got.status == 409 ||
		(got.status == 404 && strcmp(method, "DELETE") == 0);
	if (good) {
		agm_log("  OK (%u)", got.status);
	} else {
		agm_log("  WARNING: HTTP %u %s", got.status, agm_words(x, got.message));
	}
	return good;
}

/* Whether anybody is there: that nobody is has its own line. */
static bool answers(struct run *r)
{
	return agm_is_higress(r->x, r->x->env.admin_url.p);
}

static void look(struct run *r)
{
	struct agm *x = r->x;
	const char *console = x->env.admin_url.p;
	struct remote_answer got;

	agm_log("Looking for a gateway at %s...", console);
	if (agm_is_ours(x, console)) {
		r->found = FOUND_SLUICE;
		agm_log("  Found sluice in Higress's place");
		return;
	}
	if (answers(r) && open_console(r) &&
		remote_ask(&r->console, &x->arena,
			&(struct remote_call){.method = "GET", .path = BYTES("/v1/consumers")},
			&got) == COMMAND_DONE &&
		got.status == 200) {
		r->found = FOUND_HIGRESS;
		agm_log("  Found a Higress Console, logged in as %s",
			agm_words(x, bytes_str(r->console.settings.username)));
		return;
	}
	agm_log("  Found neither sluice nor a Higress Console that lets us in");
}

/* What an old installation left, or this one made; with sluice in place its own handlers are in front of these anyway. */
static void clean_legacy(struct run *r)
{
	static const struct {
		const char *path, *what;
	} old[] = {
		{"/v1/routes/ai-gateway-monitor", "route ai-gateway-monitor"},
		{"/v1/routes/higress-manager-agm", "route higress-manager-agm"},
		{"/v1/routes/higress-manager", "route higress-manager"},
		{"/v1/service-sources/monitor", "service source monitor"},
		{"/v1/service-sources/higress-manager", "service source higress-manager"},
	};

	if (r->console.authorization == NULL && !open_console(r)) {
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(old); i++) {
		agm_log("Removing %s...", old[i].what);
		IGNORE(call(r, "DELETE", old[i].path, NULL)); /* said */
	}
}

/* The service source of the monitor: HOST:PORT. False: nobody knows it, said. */
static bool source_body(struct run *r, struct text *out)
{
	const char *address = args_value(&r->x->given, "--address");
	struct bytes host;
	uint16_t port;

	if (address == NULL && !is_local(&r->console)) {
		agm_log("  WARNING: the Console is on another machine: say with --address "
			"HOST:PORT where its gateway reaches the monitor");
		return false;
	}
	if (address == NULL) {
		text_addf(out,
			"{\"name\":\"monitor\",\"type\":\"static\",\"domain\":\"127.0.0.1:%llu\","
			"\"port\":%llu,\"protocol\":\"http\"}",
			(unsigned long long)r->x->env.monitor_port,
			(unsigned long long)r->x->env.monitor_port);
		return true;
	}
	if (url_parse_authority(bytes_str(address), &host, &port) != 0 || port == 0) {
		agm_log("  WARNING: --address is written as HOST:PORT");
		return false;
	}
	text_addf(out,
		"{\"name\":\"monitor\",\"type\":\"%s\",\"domain\":\"" BYTES_FMT
		"%s\",\"port\":%u,\"protocol\":\"http\"}",
		ascii_digit(host.p[0]) ? "static" : "dns", BYTES_ARG(host),
		ascii_digit(host.p[0]) ? strchr(address, ':') : "", port);
	return true;
}

static const char *service_of(const struct run *r)
{
	const char *address = args_value(&r->x->given, "--address");

	return address == NULL || ascii_digit(address[0]) ? "monitor.static" : "monitor.dns";
}

static unsigned service_port(const struct run *r)
{
	const char *address = args_value(&r->x->given, "--address");
	struct bytes host;
	uint16_t port;

	if (address != NULL && url_parse_authority(bytes_str(address), &host, &port) == 0) {
		return port;
	}
	return (unsigned)r->x->env.monitor_port;
}

static void add_route(struct run *r, const char *name, const char *domain, const char *prefix)
{
	char room[1024];

	agm_log("Adding route %s (%s%s)...", name, domain, prefix);
	snprintf(room, sizeof(room),
		"{\"name\":\"%s\",\"domains\":[%s%s%s],\"path\":{\"matchType\":\"PRE\","
		"\"matchValue\":\"%s\"},\"services\":[{\"name\":\"%s\",\"port\":%u,\"weight\":100}]}",
		name, domain[0] != '\0' ? "\"" : "", domain, domain[0] != '\0' ? "\"" : "", prefix,
		service_of(r), service_port(r));
	IGNORE(call(r, "POST", "/v1/routes", room)); /* said */
}

static void register_routes(struct run *r)
{
	char room[512];
	struct text body;

	agm_log("Adding monitor service source...");
	text_init_fixed(&body, room, sizeof(room));
	if (!source_body(r, &body) || !call(r, "POST", "/v1/service-sources", text_cstr(&body))) {
		return;
	}
	add_route(r, "ai-gateway-monitor", "", "/ni_status");
	add_route(r, "higress-manager-agm", "", "/agm");
	agm_log("Adding domain " PAGE_DOMAIN "...");
	if (call(r, "POST", "/v1/domains",
		    "{\"name\":\"" PAGE_DOMAIN "\",\"enableHttps\":\"off\"}")) {
		add_route(r, "higress-manager", PAGE_DOMAIN, "/");
	}
}

/* --- the command ---------------------------------------------------------------------------------- */

/* Whether a server runs. */
static bool start(struct run *r)
{
	struct agm *x = r->x;

	agm_log("Starting monitor API server...");
	if (r->found == FOUND_SLUICE) {
		agm_log("  OK (it is part of the gateway)");
		return true;
	}
	fflush(stdout);
	if (agm_monitor_start(x, stdout) != COMMAND_DONE) {
		return false;
	}
	agm_log(agm_is_ours(x, agm_monitor_url(x))
			? "  Monitor server is healthy"
			: "  WARNING: Monitor server health check failed");
	agm_log("Starting it with the container...");
	IGNORE(add_program()); /* said */
	return true;
}

static void say_addresses(const struct agm *x)
{
	agm_log("Monitor API: http://" BYTES_FMT
		":%u/ni_status/ and http://127.0.0.1:%llu/ni_status/",
		BYTES_ARG(x->env.gateway_domain), GATEWAY_PORT,
		(unsigned long long)x->env.monitor_port);
	agm_log("Web UI:      http://" PAGE_DOMAIN ":%u/ and http://127.0.0.1:%llu/", GATEWAY_PORT,
		(unsigned long long)x->env.monitor_port);
}

/* The monitor is stopped last: as long as it runs its routes lead somewhere. */
static int uninstall(struct run *r)
{
	int rc;

	agm_log("Uninstalling ai-gateway-management...");
	look(r);
	if (r->found == FOUND_HIGRESS) {
		clean_legacy(r);
		agm_log("Removing domain " PAGE_DOMAIN "...");
		IGNORE(call(r, "DELETE", "/v1/domains/" PAGE_DOMAIN, NULL)); /* said */
	}
	remove_program();
	fflush(stdout);
	rc = agm_monitor_stop(r->x);
	agm_log("ai-gateway-management is uninstalled; its data, providers, routes of models and "
		"agents' files stay");
	return rc;
}

static void close_console(struct run *r)
{
	if (r->console.authorization != NULL) {
		remote_close(&r->console);
	}
}

int agm_install(struct agm *x)
{
	struct run r = {.x = x};
	bool runs;

	if (args_has(&x->given, "--uninstall")) {
		int rc = uninstall(&r);

		close_console(&r);
		return rc;
	}
	if (args_has(&x->given, "--image")) {
		agm_log("Starting the monitor with the containers of this image...");
		return add_program() ? COMMAND_DONE : COMMAND_NO;
	}
	agm_log("Installing ai-gateway-management...");
	look(&r);
	runs = start(&r);
	if (args_has(&x->given, "--clean-legacy")) {
		clean_legacy(&r);
	}
	if (r.found == FOUND_HIGRESS && runs) {
		register_routes(&r);
	} else if (r.found == FOUND_SLUICE) {
		agm_log("Nothing to register: its own paths come before all routes");
	}
	if (runs) {
		agm_log("ai-gateway-management is installed");
		say_addresses(x);
	} else {
		agm_log("ERROR: no server runs, and none could be started");
	}
	close_console(&r);
	return runs ? COMMAND_DONE : COMMAND_NO;
}
