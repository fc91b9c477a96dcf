/* What is assigned, what runs, and where requests go: the reading commands, and those of one word. */
#include "base/file.h"
#include "cli/agm.h"
#include "cli/command.h"
#include "hiclaw/openclaw.h"

static const struct arg_row target_rows[] = {
	{"--target", "TARGET", "manager, worker:NAME or NAME. Default: manager.", false},
};
const struct arg_table agm_target_options = {target_rows, ARRAY_LEN(target_rows)};

static const struct arg_row route_rows[] = {
	{"--explain", "MODEL", "Where a request for this model goes.", false},
	{"--consumer", "NAME", "Whose request. Default: manager.", false},
};
const struct arg_table agm_route_options = {route_rows, ARRAY_LEN(route_rows)};

/* --- cells ---------------------------------------------------------------------------------------- */

static void put_at(struct arena *a, const struct doc *o, const char *path, struct text *out)
{
	const struct doc *v = doc_at(a, o, path);

	if (v != NULL && v->type == DOC_INT) {
		text_addf(out, "%lld", (long long)v->integer);
	} else {
		text_add_bytes(out, doc_text(v, BYTES("")));
	}
}

#define CELL(name_, path_)                                                              \
	static void put_##name_(struct arena *a, const struct doc *o, struct text *out) \
	{                                                                               \
		put_at(a, o, path_, out);                                               \
	}
CELL(name, "name")
CELL(target, "target")
CELL(provider, "provider")
CELL(model, "model")
CELL(state, "state")
CELL(configured, "configured.model")
CELL(observed, "observed.model")
CELL(updated, "updatedAt")
CELL(reason, "reason")
CELL(last, "lastRequestAt")
CELL(requests, "requests1h")
CELL(assigned, "assignment.model")

static const struct noun_column assignment_columns[] = {{"TARGET", put_target},
	{"PROVIDER", put_provider}, {"MODEL", put_model}, {"STATE", put_state},
	{"CONFIGURED", put_configured}, {"OBSERVED", put_observed}, {"UPDATED", put_updated}};
static const struct noun assignments = {.plural = "model",
	.label = "assignment",
	.columns = assignment_columns,
	.n_columns = ARRAY_LEN(assignment_columns)};

static const struct noun_column worker_columns[] = {{"NAME", put_name}, {"STATE", put_state},
	{"WHY", put_reason}, {"MODEL", put_assigned}, {"LAST REQUEST", put_last},
	{"REQUESTS 1H", put_requests}};
static const struct noun workers = {.plural = "agm",
	.label = "Worker",
	.columns = worker_columns,
	.n_columns = ARRAY_LEN(worker_columns)};

static const struct noun routes = {.plural = "agm",
	.label = "AI route",
	.columns = noun_columns_route,
	.n_columns = ARRAY_LEN(noun_columns_route)};

static bool wants_document(const struct agm *x)
{
	return args_has(&x->given, "--json") || args_has(&x->given, "--yaml");
}

/* --- get-assignment ------------------------------------------------------------------------------- */

struct shown { /* of the Manager */
	const char *provider, *model;
	struct doc *context; /* a number, or null */
};

/* The file itself is the truth, where it is on this machine. */
static bool read_config(struct agm *x, struct openclaw_view *out)
{
	struct bytes path = env_manager_config(&x->env);
	struct text t;
	struct fault f;
	bool good = false;

	text_init(&t, JSON5_TEXT_MAX);
	if (path.n != 0 && file_read(path.p, JSON5_TEXT_MAX, &t, NULL, NULL) == 0) {
		struct bytes text = arena_copy(&x->arena, text_bytes(&t));

		good = text.p != NULL && openclaw_read(&x->arena, text, out, &f) == 0 &&
			out->primary.p != NULL;
	}
	text_done(&t);
	return good;
}

/* The provider that a request of the Manager for this model reaches; fallback when nobody says. */
static const char *resolve(struct agm *x, const char *model, const char *fallback)
{
	struct agm_question q = {.method = "GET", .path = "/route"};
	struct remote_answer got;
	const char *provider;
	struct text query;
	int rc;

	text_init(&query, 4096);
	text_add_str(&query, "?explain=");
	remote_segment(&query, openclaw_bare_model(bytes_str(model)));
	text_add_str(&query, "&consumer=manager");
	q.behind = text_cstr(&query);
	rc = agm_ask(x, &q, &got);
	text_done(&query);
	if (rc != COMMAND_DONE || !remote_is_good(&got)) {
		return fallback;
	}
	provider = agm_member(x, got.whole, "explain.provider", fallback);
	return provider[0] != '\0' ? provider : "unknown"; /* no provider is reached */
}

static const char *with_prefix(struct agm *x, const char *model)
{
	struct text t;
	const char *out;

	if (bytes_starts(bytes_str(model), BYTES(OPENCLAW_PROVIDER "/"))) {
		return model;
	}
	text_init(&t, 4096);
	text_addf(&t, OPENCLAW_PROVIDER "/%s", model);
	out = agm_words(x, text_bytes(&t));
	text_done(&t);
	return out;
}

/* record: what the server says of the Manager. */
static void look_at_manager(struct agm *x, const struct doc *record, struct shown *out)
{
	const char *configured = agm_member(x, record, "configured.model", NULL);
	const char *assigned = agm_member(x, record, "model", "");
	struct openclaw_view view = {.primary = {NULL, 0}};
	struct doc *context = doc_get(&x->arena, record, "contextWindow");

	*out = (struct shown){"unknown", "unknown", doc_null(&x->arena)};
	if (read_config(x, &view)) {
		out->model = agm_words(x, view.primary);
		if (view.has_entry && view.traits.context_window != 0) {
			out->context = doc_int(&x->arena, (int64_t)view.traits.context_window);
		}
	} else if (configured != NULL) {
		out->model = with_prefix(x, configured);
		/* What was assigned tells of the model only while it is the one in use. */
		if (strcmp(out->model, with_prefix(x, assigned)) == 0 && doc_given(context)) {
			out->context = doc_copy(&x->arena, context);
		}
	}
	if (strcmp(out->model, "unknown") != 0) {
		out->provider =
			resolve(x, out->model, agm_member(x, record, "provider", "unknown"));
	}
}

static void print_manager(struct agm *x, const struct doc *record)
{
	struct doc *d = doc_map(&x->arena);
	struct shown s;

	look_at_manager(x, record, &s);
	doc_set(&x->arena, d, "target", doc_str(&x->arena, "manager"));
	doc_set(&x->arena, d, "provider", doc_str(&x->arena, s.provider));
	doc_set(&x->arena, d, "model", doc_str(&x->arena, s.model));
	doc_set(&x->arena, d, "contextWindow", s.context);
	if (args_has(&x->given, "--json")) {
		agm_print_json(x, d);
		return;
	}
	puts("Manager Model Assignment:");
	printf("  Provider: %s\n  Model: %s\n  Context Window: %s\n", s.provider, s.model,
		agm_member(x, d, "contextWindow", "unknown"));
}

static void print_worker(struct agm *x, const char *name, struct doc *record, bool is_assigned)
{
	struct doc *d;

	if (!is_assigned && args_has(&x->given, "--json")) {
		d = doc_map(&x->arena);
		doc_set(&x->arena, d, "error",
			doc_str(&x->arena, "Worker model assignment not found"));
		doc_set(&x->arena, d, "worker", doc_str(&x->arena, name));
		agm_print_json(x, d);
	} else if (!is_assigned) {
		printf("Worker '%s' has no model assignment stored\n", name);
	} else if (args_has(&x->given, "--json")) {
		agm_print_json(x, record);
	} else {
		printf("Worker '%s' Model Assignment:\n", name);
		printf("  Provider: %s\n  Model: %s\n  Context Window: %s\n  Updated: %s\n",
			agm_member(x, record, "provider", "unknown"),
			agm_member(x, record, "model", "unknown"),
			agm_member(x, record, "contextWindow", "unknown"),
			agm_member(x, record, "updatedAt", "unknown"));
	}
}

int agm_get_assignment(struct agm *x)
{
	struct agm_question q = {.method = "GET"};
	struct remote_answer got;
	struct names_target t;
	bool is_assigned;
	int rc;

	if (x->given.n_words == 0) {
		puts("Usage: get-assignment.sh <manager|worker:NAME> [--json]");
		return COMMAND_NO;
	}
	if (!agm_target(x, x->given.words[x->given.n_words - 1], &t)) {
		return COMMAND_NO;
	}
	agm_target_path(&t, &q);
	rc = agm_open(x);
	rc = rc == COMMAND_DONE ? agm_get(x, &q, "assignment", &got) : rc;
	if (rc != COMMAND_DONE) {
		return rc;
	}
	/* A record of others, which nobody manages, has a time, too. */
	is_assigned = doc_given(doc_get(&x->arena, got.whole, "updatedAt"));
	if (t.kind == NAMES_MANAGER) {
		print_manager(x, got.whole);
	} else {
		print_worker(x, agm_words(x, t.worker), got.whole, is_assigned);
	}
	return COMMAND_DONE;
}

/* --- sluice model --------------------------------------------------------------------------------- */

/* The target of a word, or of --target. */
static bool find_target(struct agm *x, struct names_target *out)
{
	const char *text = args_value(&x->given, "--target");

	if (x->given.n_words > (text == NULL ? 1u : 0u)) {
		fprintf(stderr, "sluice %s: one TARGET at a time\n", x->given.command);
		return false;
	}
	text = x->given.n_words == 1 ? x->given.words[0] : text;
	return agm_target(x, text != NULL ? text : "manager", out);
}

int agm_assignment(struct agm *x)
{
	struct agm_question q = {.method = "GET"};
	struct remote_answer got;
	struct names_target t;
	int rc;

	if (!find_target(x, &t)) {
		return COMMAND_USAGE;
	}
	agm_target_path(&t, &q);
	rc = agm_get(x, &q, "assignment", &got);
	if (rc == COMMAND_DONE) {
		agm_print(x, &assignments, got.whole);
	}
	return rc;
}

int agm_unset(struct agm *x)
{
	struct agm_question q = {.method = "DELETE"};
	struct remote_answer got;
	struct names_target t;
	int rc;

	if (!find_target(x, &t)) {
		return COMMAND_USAGE;
	}
	agm_target_path(&t, &q);
	rc = agm_get(x, &q, "assignment", &got);
	if (rc == COMMAND_DONE) {
		printf("%s: no model is assigned any more; configuration and routes stay\n",
			t.kind == NAMES_MANAGER ? "manager" : agm_words(x, t.worker));
	}
	return rc;
}

/* The Manager first, then the Workers, each with its name in it. */
static struct doc *as_list(struct agm *x, const struct doc *all)
{
	struct doc *list = doc_list(&x->arena);
	struct doc *manager = doc_get(&x->arena, all, "manager");
	const struct doc *at = doc_first(&x->arena, doc_get(&x->arena, all, "workers"));

	if (doc_given(manager)) {
		manager = doc_copy(&x->arena, manager);
		doc_set(&x->arena, manager, "target", doc_str(&x->arena, "manager"));
		doc_append(&x->arena, list, manager);
	}
	for (; at != NULL; at = at->next) {
		struct doc *worker = doc_copy(&x->arena, at);

		doc_set(&x->arena, worker, "target", doc_string(&x->arena, at->key));
		doc_append(&x->arena, list, worker);
	}
	return list;
}

int agm_assignments(struct agm *x)
{
	const struct agm_question q = {.method = "GET", .path = "/assignment"};
	struct remote_answer got;
	int rc = agm_get(x, &q, "assignments", &got);

	if (rc != COMMAND_DONE) {
		return rc;
	}
	agm_print(x, &assignments, wants_document(x) ? got.whole : as_list(x, got.whole));
	return COMMAND_DONE;
}

/* --- routes --------------------------------------------------------------------------------------- */

static int print_explained(struct agm *x, struct doc *explained)
{
	bool allowed;

	if (!doc_given(explained)) {
		fprintf(stderr, "sluice %s: the server explains nothing\n", x->given.command);
		return COMMAND_NO;
	}
	if (args_has(&x->given, "--json")) {
		agm_print_json(x, explained);
	} else {
		for (const struct doc *at = doc_first(&x->arena, explained); at != NULL;
			at = at->next) {
			printf("%s: %s\n", agm_words(x, at->key),
				agm_member(x, explained, agm_words(x, at->key), "-"));
		}
	}
	allowed = doc_given(doc_get(&x->arena, explained, "provider"));
	return allowed ? COMMAND_DONE : COMMAND_NO;
}

int agm_routes(struct agm *x)
{
	const char *model = args_value(&x->given, "--explain");
	const char *consumer = args_value(&x->given, "--consumer");
	struct agm_question q = {.method = "GET", .path = "/route", .behind = "?all=1"};
	struct remote_answer got;
	struct doc *list;
	struct text query;
	int rc;

	text_init(&query, 8192);
	if (model != NULL) {
		text_add_str(&query, "?explain=");
		remote_segment(&query, bytes_str(model));
		text_add_str(&query, "&consumer=");
		remote_segment(&query, bytes_str(consumer != NULL ? consumer : "manager"));
		q.behind = text_cstr(&query);
	}
	rc = agm_get(x, &q, "routes", &got);
	text_done(&query);
	if (rc != COMMAND_DONE) {
		return rc;
	}
	if (model != NULL) {
		return print_explained(x, doc_get(&x->arena, got.whole, "explain"));
	}
	list = doc_get(&x->arena, got.whole, "routes");
	agm_print(x, &routes, list != NULL ? list : doc_list(&x->arena));
	return COMMAND_DONE;
}

/* --- reload, status, workers ---------------------------------------------------------------------- */

int agm_reload(struct agm *x)
{
	struct doc *body = doc_map(&x->arena);
	const struct agm_question q = {.method = "POST", .path = "/reload", .body = body};
	struct remote_answer got;
	struct names_target t;
	const char *name;
	int rc;

	if (!find_target(x, &t)) {
		return COMMAND_USAGE;
	}
	name = t.kind == NAMES_MANAGER ? "manager" : agm_words(x, t.worker);
	doc_set(&x->arena, body, "target", doc_str(&x->arena, name));
	rc = agm_get(x, &q, name, &got);
	if (rc != COMMAND_DONE) {
		return rc;
	}
	if (args_has(&x->given, "--json")) {
		agm_print_json(x, got.whole);
	} else {
		printf("%s: %s (%s)\n", name, agm_member(x, got.whole, "status", "reloaded"),
			agm_member(x, got.whole, "reload.method", "as it is"));
	}
	return COMMAND_DONE;
}

static void print_attachments(struct agm *x, const struct doc *d)
{
	const struct doc *at = doc_first(&x->arena, doc_get(&x->arena, d, "attachments"));

	for (; at != NULL; at = at->next) {
		const char *detail = agm_member(x, at, "detail", "");

		printf("%-12s %s%s%s\n", agm_words(x, at->key), agm_member(x, at, "state", "?"),
			detail[0] != '\0' ? "  " : "", detail);
	}
}

int agm_status(struct agm *x)
{
	const struct agm_question q = {.method = "GET", .path = "/status"};
	struct remote_answer got;
	const struct doc *d;
	int rc = agm_get(x, &q, "status", &got);

	if (rc != COMMAND_DONE) {
		return rc;
	}
	if (wants_document(x)) {
		agm_print(x, &assignments, got.whole);
		return COMMAND_DONE;
	}
	d = got.whole;
	printf("gateway      %s  sluice %s at %s\n", agm_member(x, d, "gateway.state", "?"),
		agm_member(x, d, "gateway.version", "?"), x->remote.settings.server);
	printf("manager      %s  %s of %s\n", agm_member(x, d, "manager.assignmentState", "?"),
		agm_member(x, d, "manager.model", "no model"),
		agm_member(x, d, "manager.provider", "no provider"));
	printf("routing      %s  %s dedicated\n", agm_member(x, d, "routing.mode", "?"),
		agm_member(x, d, "routing.dedicated", "?"));
	printf("there are    %s providers, %s routes, %s consumers, %s Workers\n",
		agm_member(x, d, "counts.providers", "?"), agm_member(x, d, "counts.routes", "?"),
		agm_member(x, d, "counts.consumers", "?"), agm_member(x, d, "counts.workers", "?"));
	print_attachments(x, d);
	for (const struct doc *w = doc_first(&x->arena, doc_get(&x->arena, d, "warnings"));
		w != NULL; w = w->next) {
		printf("warning: %s\n",
			w->type == DOC_STRING ? agm_words(x, w->text)
					      : agm_member(x, w, "message", ""));
	}
	return COMMAND_DONE;
}

int agm_workers(struct agm *x)
{
	const struct agm_question q = {.method = "GET", .path = "/workers"};
	struct remote_answer got;
	struct doc *list;
	int rc = agm_get(x, &q, "workers", &got);

	if (rc != COMMAND_DONE) {
		return rc;
	}
	list = doc_get(&x->arena, got.whole, "workers");
	agm_print(x, &workers, list != NULL ? list : doc_list(&x->arena));
	return COMMAND_DONE;
}

static int tell_worker(struct agm *x, const char *what, const char *done)
{
	struct agm_question q = {.method = "POST", .path = "/workers", .behind = what};
	struct remote_answer got;
	struct bytes name = x->given.n_words == 1 ? bytes_str(x->given.words[0]) : BYTES("");
	int rc;

	if (!names_is_worker(name)) {
		fprintf(stderr, "sluice %s: the name of one Worker is needed\n", x->given.command);
		return COMMAND_USAGE;
	}
	q.name = name;
	rc = agm_get(x, &q, x->given.words[0], &got);
	if (rc == COMMAND_DONE) {
		printf("%s %s\n", x->given.words[0], done);
	}
	return rc;
}

int agm_wake(struct agm *x)
{
	return tell_worker(x, "/wake", "wakes up");
}

int agm_sleep(struct agm *x)
{
	return tell_worker(x, "/sleep", "goes to sleep");
}
