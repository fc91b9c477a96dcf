/*
 * `sluice agm set-model` and `sluice model set`. The scripts' lines are told from what the server answered and from
 * the routes before and after, never from what was meant to happen.
 */
#include "cli/agm.h"
#include "cli/command.h"
#include "hiclaw/known_models.h"
#include "hiclaw/openclaw.h"

/* A warning. */
#define CONFIG_MISSING BYTES("CONFIG_MISSING")
#define USAGE                                                                           \
	"Usage: set-model.sh --target <manager|worker:name> --provider <name> --model " \
	"<id> [--context-window N] [--max-tokens N] [--reasoning true|false]"

static const struct arg_row rows[] = {
	{"--target", "TARGET", "manager, or worker:NAME.", false},
	{"--provider", "NAME", "The provider that shall serve it.", false},
	{"--model", "ID", "The model, as the provider calls it.", false},
	{"--context-window", "N", "Tokens that it reads. Default: as known, else 200000.", false},
	{"--max-tokens", "N", "Tokens that it writes. Default: as known, else 64000.", false},
	{"--reasoning", "true|false", "Whether it reasons. Default: as known, else true.", false},
	{"--dry-run", NULL, "Tests and plans, changes nothing.", false},
	{"--skip-test", NULL, "Without the connectivity test; administrators only.", false},
	{"--strict", NULL, "A Worker's model must answer, too.", false},
	{"--apply", "MODE",
		"Workers: auto (when it is idle), force (at once), files-only (at its next start).",
		false},
	{"--on-conflict", "MODE",
		"Another provider has the model under the same name: error, or qualify (the agent "
		"asks for PROVIDER/MODEL).",
		false},
	{"--json", NULL, "The server's answer, in place of lines.", false},
};
const struct arg_table agm_switch_options = {rows, ARRAY_LEN(rows)};

struct run {
	struct agm *x;
	struct names_target target;
	const char *name; /* of the Manager: "manager" */
	const char *provider, *model;
	struct remote_answer got;
	const struct doc *before; /* AI routes; NULL: unknown */
};

/* --- the request ---------------------------------------------------------------------------------- */

static void put_flag(struct run *r, struct doc *body, const char *option, const char *key)
{
	if (args_has(&r->x->given, option)) {
		doc_set(&r->x->arena, body, key, doc_bool(&r->x->arena, true));
	}
}

static void put_value(struct run *r, struct doc *body, const char *option, const char *key)
{
	const char *value = args_value(&r->x->given, option);

	if (value != NULL) {
		doc_set(&r->x->arena, body, key, doc_str(&r->x->arena, value));
	}
}

/* Numbers go as the texts they were typed as: the server says which are none. */
static struct doc *make_body(struct run *r)
{
	struct doc *body = doc_map(&r->x->arena);

	put_value(r, body, "--provider", "provider");
	put_value(r, body, "--model", "model");
	put_value(r, body, "--context-window", "contextWindow");
	put_value(r, body, "--max-tokens", "maxTokens");
	put_value(r, body, "--reasoning", "reasoning");
	put_value(r, body, "--apply", "apply");
	put_value(r, body, "--on-conflict", "onConflict");
	put_flag(r, body, "--skip-test", "skipTest");
	put_flag(r, body, "--strict", "strict");
	put_flag(r, body, "--dry-run", "dryRun");
	return body;
}

static int put(struct run *r)
{
	struct agm_question q = {.method = "PUT", .body = make_body(r)};

	agm_target_path(&r->target, &q);
	return agm_ask(r->x, &q, &r->got);
}

/* NULL: the server does not say; then nothing is said of routes. */
static const struct doc *ask_routes(struct run *r)
{
	const struct agm_question q = {.method = "GET", .path = "/route", .behind = "?all=1"};
	struct remote_answer got;

	if (agm_ask(r->x, &q, &got) != COMMAND_DONE || !remote_is_good(&got)) {
		return NULL;
	}
	return doc_get(&r->x->arena, got.whole, "routes");
}

/* --- lines of the script -------------------------------------------------------------------------- */

static void say_traits(struct run *r, const struct doc *answer)
{
	struct agm *x = r->x;

	agm_log("  Context Window: %s", agm_member(x, answer, "contextWindow", "unknown"));
	agm_log("  Max Tokens: %s", agm_member(x, answer, "maxTokens", "unknown"));
	agm_log("  Reasoning: %s", agm_member(x, answer, "reasoning", "unknown"));
}

/* Of a switch that was refused: what would have been, as far as this machine knows. */
static void say_traits_wished(struct run *r)
{
	static const char *const options[] = {"--context-window", "--max-tokens", "--reasoning"};
	static const char *const keys[] = {"contextWindow", "maxTokens", "reasoning"};
	struct model_sources sources = {
		.default_model = r->x->env.default_model, .overrides = r->x->env.overrides};
	struct doc *said = doc_map(&r->x->arena);
	struct model_traits t;
	struct fault f;

	if (known_models_resolve(&sources, openclaw_bare_model(bytes_str(r->model)), &t, &f) == 0) {
		said = model_traits_entry(&r->x->arena, bytes_str(r->model), &t);
	}
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const char *given = args_value(&r->x->given, options[i]);

		if (given != NULL) {
			doc_set(&r->x->arena, said, keys[i], doc_str(&r->x->arena, given));
		}
	}
	say_traits(r, said);
}

/* Warnings are objects of code and message. One that has a line of its own is passed over. */
static void say_warnings(struct run *r)
{
	struct agm *x = r->x;
	const struct doc *list = doc_get(&x->arena, r->got.whole, "warnings");

	for (const struct doc *w = doc_first(&x->arena, list); w != NULL; w = w->next) {
		if (!bytes_eq(doc_peek(w, "code", BYTES("")), CONFIG_MISSING)) {
			agm_log("WARNING: %s", agm_member(x, w, "message", "of the server"));
		}
	}
}

/* What another gateway's answer does not say; "": ours was asked, or none. */
static const char *answered(struct run *r)
{
	return agm_member(r->x, r->got.whole, "verification.note", "");
}

/* Whether the agent has no configuration yet. */
static bool lacks_config(struct run *r)
{
	struct agm *x = r->x;
	const struct doc *w = doc_first(&x->arena, doc_get(&x->arena, r->got.whole, "warnings"));

	while (w != NULL && !bytes_eq(doc_peek(w, "code", BYTES("")), CONFIG_MISSING)) {
		w = w->next;
	}
	return w != NULL;
}

static const struct doc *find_route(struct agm *x, const struct doc *routes, const char *name)
{
	const struct doc *at = doc_first(&x->arena, routes);

	while (at != NULL && !bytes_eq(doc_peek(at, "name", BYTES("")), bytes_str(name))) {
		at = at->next;
	}
	return at;
}

static struct bytes first_provider(struct agm *x, const struct doc *route)
{
	const struct doc *upstream = doc_first(&x->arena, doc_get(&x->arena, route, "upstreams"));

	return doc_text(doc_get(&x->arena, upstream, "provider"), BYTES(""));
}

static const char *dedicated(struct run *r)
{
	char room[512];

	snprintf(room, sizeof(room), "%s-ai-route", r->provider);
	return agm_words(r->x, bytes_str(room));
}

/* The route that sends something to the provider: its own, else the first. */
static const char *serving_route(struct run *r, const struct doc *routes)
{
	struct agm *x = r->x;
	const char *own = dedicated(r);

	if (find_route(x, routes, own) != NULL) {
		return own;
	}
	for (const struct doc *at = doc_first(&x->arena, routes); at != NULL; at = at->next) {
		if (bytes_eq(first_provider(x, at), bytes_str(r->provider))) {
			return agm_member(x, at, "name", own);
		}
	}
	return NULL;
}

static void say_changed_routes(struct run *r, const struct doc *after)
{
	static const char *const usual = "default-ai-route";
	struct agm *x = r->x;
	const char *own = dedicated(r);
	const struct doc *default_before = find_route(x, r->before, usual);
	const struct doc *default_after = find_route(x, after, usual);

	if (default_after != NULL &&
		!bytes_eq(first_provider(x, default_before), first_provider(x, default_after))) {
		agm_log("Single route mode: updating %s", usual);
	}
	if (find_route(x, after, own) == NULL) {
		return;
	}
	if (find_route(x, r->before, own) == NULL) {
		agm_log("Multi-route mode: creating %s", own);
		agm_log("SUCCESS: Created %s with modelPredicate", own);
	} else {
		agm_log("SUCCESS: Extended %s", own);
	}
}

static void say_routes(struct run *r)
{
	struct agm *x = r->x;
	const struct doc *changed = doc_get(&x->arena, r->got.whole, "routeChanged");
	const struct doc *after;
	const char *name;

	agm_log("Managing AI routes...");
	if (changed != NULL && changed->type == DOC_BOOL && changed->boolean) {
		after = ask_routes(r);
		if (r->before != NULL && after != NULL) {
			say_changed_routes(r, after);
		}
		return;
	}
	name = serving_route(r, r->before);
	if (name != NULL) {
		agm_log("Provider '%s' already has route: %s", r->provider, name);
	}
	agm_log("Skipping route creation");
}

static bool is_false(struct run *r, const char *key)
{
	const struct doc *v = doc_at(&r->x->arena, r->got.whole, key);

	return v != NULL && v->type == DOC_BOOL && !v->boolean;
}

static void say_saved(struct run *r)
{
	struct agm *x = r->x;
	const char *backup = agm_member(x, r->got.whole, "backupId", NULL);

	if (backup != NULL) {
		agm_log("Backup saved: %s", backup);
	}
	agm_log("Model assignment saved to %s/%s/model.json", agm_words(x, x->env.agents_dir),
		r->name);
}

static void say_manager(struct run *r)
{
	if (lacks_config(r)) {
		say_warnings(r);
		agm_log("WARNING: OpenClaw config not found here: HiClaw's controller makes it");
		return;
	}
	agm_log("Updating OpenClaw config...");
	if (is_false(r, "changed")) {
		agm_log("Nothing to change: the model is set already");
	}
	agm_log("Setting primary model to " OPENCLAW_PROVIDER "/%s...",
		agm_member(r->x, r->got.whole, "model", r->model));
	agm_log("Triggering OpenClaw config reload...");
	say_warnings(r);
	if (is_false(r, "reload.ok")) {
		agm_log("Manager model updated; it is loaded when OpenClaw runs again");
	} else {
		agm_log("Manager model updated and reloaded successfully");
	}
}

static void say_worker(struct run *r)
{
	struct agm *x = r->x;
	const char *applied = agm_member(x, r->got.whole, "applied", "");

	if (lacks_config(r)) {
		agm_log("WARNING: Worker openclaw.json not found (Worker may not be created yet)");
		say_warnings(r);
		return;
	}
	agm_log("Updating Worker openclaw.json...");
	if (is_false(r, "changed")) {
		agm_log("Worker model already exists in config");
	}
	agm_log("Syncing to MinIO...");
	if (is_false(r, "synced")) {
		agm_log("WARNING: Failed to sync to MinIO");
	}
	say_warnings(r);
	agm_log("Worker model updated successfully");
	if (strcmp(applied, "on-restart") == 0) {
		agm_log("It takes effect when the Worker starts again");
	} else if (strcmp(applied, "when-idle") == 0) {
		agm_log("It takes effect when the Worker is idle");
	}
}

/* --- refusals ------------------------------------------------------------------------------------- */

static void say_unreachable(struct run *r)
{
	const char *why = agm_words(r->x, r->got.message);
	bool has_words = strstr(why, "Model not reachable") != NULL;

	agm_log("ERROR: Model test failed: %s%s", has_words ? "" : "Model not reachable: ", why);
	agm_log("%s", "");
	agm_log("To fix this, admin needs to:");
	agm_log("  1. Open Higress Console");
	agm_log("  2. Create AI Provider for '%s' (if not exists)", r->provider);
	agm_log("  3. Ensure the provider supports model '%s'", r->model);
	agm_log("  4. Try again");
}

static int say_refused(struct run *r)
{
	struct bytes code = agm_code(r->x, &r->got);
	bool is_manager = r->target.kind == NAMES_MANAGER;

	say_traits_wished(r);
	if (is_manager) {
		agm_log("Testing model connectivity...");
	}
	if (bytes_eq(code, BYTES("PROVIDER_NOT_FOUND")) || bytes_eq(code, BYTES("NO_API_KEY"))) {
		agm_log("ERROR: Provider '%s' not found or has no API key configured", r->provider);
		agm_log("Ask admin to create the provider in Higress Console first");
	} else if (bytes_eq(code, BYTES("MODEL_NOT_REACHABLE"))) {
		say_unreachable(r);
	} else {
		agm_log("ERROR: %s",
			r->got.message.n != 0 ? agm_words(r->x, r->got.message)
					      : "the server refused, and does not say why");
	}
	return COMMAND_NO;
}

static void say_done(struct run *r)
{
	say_traits(r, r->got.whole);
	if (r->target.kind == NAMES_MANAGER) {
		agm_log("Testing model connectivity...");
		if (doc_given(doc_at(&r->x->arena, r->got.whole, "test.skipped"))) {
			agm_log("Model connectivity test skipped");
		} else {
			agm_log("Model connectivity test passed");
		}
	}
	if (answered(r)[0] != '\0') {
		agm_log("Verified: %s", answered(r));
	}
	if (args_has(&r->x->given, "--dry-run")) {
		say_warnings(r);
		agm_log("Dry run: nothing was changed");
		return;
	}
	if (r->target.kind == NAMES_MANAGER) {
		say_routes(r);
		say_saved(r);
		say_manager(r);
	} else {
		say_saved(r);
		say_worker(r);
	}
	agm_log("Done!");
}

static int run_script(struct run *r)
{
	bool is_manager = r->target.kind == NAMES_MANAGER;
	int rc;

	agm_log("Setting model for %s: %s", is_manager ? "manager" : "worker", r->name);
	agm_log("  Provider: %s", r->provider);
	agm_log("  Model: %s", r->model);
	fflush(stdout); /* the test takes its time */
	r->before = is_manager ? ask_routes(r) : NULL;
	rc = put(r);
	if (rc != COMMAND_DONE) {
		return rc;
	}
	if (!remote_is_good(&r->got)) {
		return say_refused(r);
	}
	say_done(r);
	return COMMAND_DONE;
}

/* --- the commands --------------------------------------------------------------------------------- */

static int run_json(struct run *r)
{
	int rc = put(r);

	if (rc != COMMAND_DONE) {
		return rc;
	}
	if (r->got.whole != NULL) {
		agm_print_json(r->x, r->got.whole);
	}
	return remote_is_good(&r->got) ? COMMAND_DONE : COMMAND_NO;
}

/* One line, as other commands have it; what is not sure yet behind it. */
static int run_plain(struct run *r)
{
	struct agm *x = r->x;
	int rc = put(r);

	if (rc != COMMAND_DONE) {
		return rc;
	}
	if (!remote_is_good(&r->got)) {
		return remote_refused(&x->remote, &r->got, r->name);
	}
	printf("%s: %s of %s, %s\n", r->name, agm_member(x, r->got.whole, "model", r->model),
		r->provider,
		args_has(&x->given, "--dry-run") ? "nothing was changed (dry run)"
						 : agm_member(x, r->got.whole, "state", "stored"));
	if (answered(r)[0] != '\0') {
		printf("verified: %s\n", answered(r));
	}
	for (const struct doc *w =
			doc_first(&x->arena, doc_get(&x->arena, r->got.whole, "warnings"));
		w != NULL; w = w->next) {
		fprintf(stderr, "sluice %s: warning: %s\n", x->given.command,
			agm_member(x, w, "message", ""));
	}
	return COMMAND_DONE;
}

static int usage(const struct agm *x)
{
	if (x->is_script) {
		puts(USAGE);
		return COMMAND_NO;
	}
	fprintf(stderr, "sluice %s: --provider and --model are needed (sluice model --help)\n",
		x->given.command);
	return COMMAND_USAGE;
}

int agm_set_model(struct agm *x)
{
	const char *target = args_value(&x->given, "--target");
	struct run r = {.x = x,
		.provider = args_value(&x->given, "--provider"),
		.model = args_value(&x->given, "--model")};
	int rc;

	target = target == NULL && !x->is_script ? "manager" : target;
	if (target == NULL || r.provider == NULL || r.model == NULL || target[0] == '\0' ||
		r.provider[0] == '\0' || r.model[0] == '\0') {
		return usage(x);
	}
	if (!agm_target(x, target, &r.target)) {
		return x->is_script ? COMMAND_NO : COMMAND_USAGE;
	}
	r.provider = agm_words(x, bytes_str(r.provider));
	r.model = agm_words(x, bytes_str(r.model));
	r.name = r.target.kind == NAMES_MANAGER ? "manager" : agm_words(x, r.target.worker);
	rc = agm_open(x);
	if (rc != COMMAND_DONE) {
		return rc;
	}
	if (args_has(&x->given, "--json")) {
		return run_json(&r);
	}
	return x->is_script ? run_script(&r) : run_plain(&r);
}
