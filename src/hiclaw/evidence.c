/*
 * Names come first: a Worker is what the gateway, the controller, the registry or a directory says; a task that
 * is assigned to somebody else makes no Worker. Each file has a reader that takes a tree of JSON and passes over
 * whatever is not as it should be.
 */
#include "hiclaw/evidence.h"

#include "base/below.h"
#include "hiclaw/names.h"
#include "hiclaw/record.h"
#include "wire/json.h"

#define CONFIG_FILE "openclaw.json"
#define RECORD_FILE "model.json"
/* "<name>/openclaw.json", "tasks/<name>/.processing" */
#define PATH_MAX_BELOW (BELOW_PATH_MAX - 1u)

/* --- the list ---------------------------------------------------------------------------------------- */

void evidence_init(struct evidence *ev, struct arena *a)
{
	*ev = (struct evidence){.arena = a};
	ev->v = arena_must(a, EVIDENCE_WORKERS_MAX * sizeof(*ev->v));
}

/* The index of the name, or where it would stand. */
static size_t place_of(const struct evidence *ev, struct bytes name)
{
	size_t lo = 0, hi = ev->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (bytes_cmp(ev->v[mid]->name, name) < 0) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo;
}

struct evidence_worker *evidence_find(const struct evidence *ev, struct bytes name)
{
	size_t at = place_of(ev, name);

	return at < ev->n && bytes_eq(ev->v[at]->name, name) ? ev->v[at] : NULL;
}

struct evidence_worker *evidence_add(struct evidence *ev, struct bytes name)
{
	struct evidence_worker *w = evidence_find(ev, name);
	size_t at = place_of(ev, name);

	if (w != NULL || !names_is_worker(name)) {
		return w;
	}
	/* A registry that names one Worker a thousand times may have taken the arena. */
	w = ev->n < EVIDENCE_WORKERS_MAX ? arena_alloc(ev->arena, sizeof(*w) + name.n) : NULL;
	if (w == NULL) {
		ev->cut = true;
		return NULL;
	}
	w->name = bytes_of((const char *)(w + 1), name.n);
	memcpy(w + 1, name.p, name.n);
	memmove(ev->v + at + 1, ev->v + at, (ev->n - at) * sizeof(*ev->v));
	ev->v[at] = w;
	ev->n++;
	return w;
}

struct evidence_worker *evidence_add_consumer(struct evidence *ev, struct bytes consumer)
{
	struct bytes name;

	return names_of_consumer(consumer, &name) ? evidence_add(ev, name) : NULL;
}

/* --- files -------------------------------------------------------------------------------------------- */

static void warn(struct evidence *ev, const struct fault *fault)
{
	if (ev->n_warnings < EVIDENCE_WARNINGS_MAX) {
		ev->warnings[ev->n_warnings++] = arena_copy(ev->arena, bytes_str(fault->text));
	}
}

struct place { /* a directory that is being listed */
	struct evidence *ev;
	const struct below *dir;
};

/* A file and its tree; zeroed: nothing. */
struct opened {
	struct text text;
	struct arena arena;
	const struct json_value *root;
};

static void close_file(struct opened *o)
{
	text_done(&o->text);
	arena_done(&o->arena);
}

/* False: it is not there, or no object of JSON, which is a warning. close_file in any case. */
static bool open_file(struct evidence *ev, const struct below *dir, const char *path, size_t max,
	struct opened *o)
{
	struct fault fault = {0};
	int rc;

	*o = (struct opened){.root = NULL};
	text_init(&o->text, max);
	arena_init(&o->arena, EVIDENCE_PARSE_MAX);
	rc = below_read(dir, path, max, &o->text, &fault);
	if (rc != 0) {
		if (rc != ERR_NOT_FOUND) {
			warn(ev, &fault);
		}
		return false;
	}
	o->root = json_parse(&o->arena, text_bytes(&o->text), &fault);
	if (o->root == NULL || o->root->type != JSON_OBJECT) {
		fault_set(&fault, ERR_SYNTAX, 0, 0, "%.100s is not a JSON object", path);
		warn(ev, &fault);
		return false;
	}
	return true;
}

/* Of a member that is a text of a usual length, in the arena; else empty. */
static struct bytes text_of(struct evidence *ev, const struct json_value *v, const char *member)
{
	struct bytes text = json_text(json_get(v, member), BYTES(""));

	return text.n <= EVIDENCE_TEXT_MAX ? arena_copy(ev->arena, text) : BYTES("");
}

/* Milliseconds; 0: null, absent or no time. */
static uint64_t time_of(const struct json_value *v, const char *member)
{
	uint64_t us = 0;

	return record_time_read(json_text(json_get(v, member), BYTES("")), &us) ? us / 1000 : 0;
}

static const struct json_value *first_of(const struct json_value *v, enum json_type type)
{
	return v != NULL && v->type == type ? v->items : NULL;
}

/* {"workers": {"alice": {…}}} */
static const struct json_value *workers_of(const struct json_value *root)
{
	return first_of(json_get(root, "workers"), JSON_OBJECT);
}

/* --- what the Manager's files say ---------------------------------------------------------------------- */

static void read_registry(struct evidence *ev, const struct json_value *root)
{
	for (const struct json_value *v = workers_of(root); v != NULL; v = v->next) {
		struct evidence_worker *w = evidence_add(ev, v->key);

		if (w == NULL) {
			continue;
		}
		w->e.known |= STATE_R;
		w->runtime = text_of(ev, v, "runtime");
		w->deployment = text_of(ev, v, "deployment");
		w->room = text_of(ev, v, "room_id");
		w->team = text_of(ev, v, "team_id");
	}
}

static void read_lifecycle(struct evidence *ev, const struct json_value *root)
{
	for (const struct json_value *v = workers_of(root); v != NULL; v = v->next) {
		struct evidence_worker *w = evidence_find(ev, v->key);

		if (w == NULL) {
			continue;
		}
		w->e.known |= STATE_L;
		w->e.l.container =
			state_container_of(json_text(json_get(v, "container_status"), BYTES("")));
		w->e.l.idle_since = time_of(v, "idle_since");
		w->e.l.stopped_at = time_of(v, "auto_stopped_at");
		w->e.l.started_at = time_of(v, "last_started_at");
	}
}

/* It says of all Workers what they have to do: those that it does not name have nothing. */
static void read_tasks_of_state(struct evidence *ev, const struct json_value *root)
{
	const struct json_value *tasks = json_get(root, "active_tasks");

	if (tasks == NULL || tasks->type != JSON_ARRAY) {
		return;
	}
	for (size_t i = 0; i < ev->n; i++) {
		ev->v[i]->e.known |= STATE_T;
		ev->v[i]->e.t.finite = ev->v[i]->e.t.infinite = 0;
	}
	for (const struct json_value *v = tasks->items; v != NULL; v = v->next) {
		struct evidence_worker *w =
			evidence_find(ev, json_text(json_get(v, "assigned_to"), BYTES("")));
		bool infinite =
			bytes_eq(json_text(json_get(v, "type"), BYTES("")), BYTES("infinite"));

		if (w != NULL) {
			w->e.t.infinite += infinite;
			w->e.t.finite += !infinite;
		}
	}
}

static const struct manager_file {
	const char *name;
	void (*read)(struct evidence *ev, const struct json_value *root);
} manager_files[] = {
	{"worker-lifecycle.json", read_lifecycle},
	{"state.json", read_tasks_of_state},
};

static void read_manager_file(struct evidence *ev, const struct below *dir, const char *name,
	void (*read)(struct evidence *ev, const struct json_value *root))
{
	struct opened o;

	if (open_file(ev, dir, name, EVIDENCE_FILE_MAX, &o)) {
		read(ev, o.root);
	}
	close_file(&o);
}

/* --- tasks ------------------------------------------------------------------------------------------------ */

struct bytes evidence_task_assigned(const struct json_value *root)
{
	bool assigned = bytes_eq(json_text(json_get(root, "status"), BYTES("")), BYTES("assigned"));

	return assigned ? json_text(json_get(root, "assigned_to"), BYTES("")) : BYTES("");
}

struct bytes evidence_task_lease(const struct json_value *root, uint64_t *until_ms_out)
{
	*until_ms_out = time_of(root, "expires_at");
	return *until_ms_out != 0 ? json_text(json_get(root, "processor"), BYTES("")) : BYTES("");
}

static void read_meta(struct evidence *ev, const struct json_value *root)
{
	struct evidence_worker *w = evidence_find(ev, evidence_task_assigned(root));

	if (w != NULL) {
		w->e.known |= STATE_M;
		w->e.m.assigned++;
	}
}

static void read_lease(struct evidence *ev, const struct json_value *root)
{
	uint64_t until;
	struct evidence_worker *w = evidence_find(ev, evidence_task_lease(root, &until));

	if (w != NULL) {
		w->e.known |= STATE_P;
		w->e.p.until = MAX(w->e.p.until, until);
	}
}

static void read_task_file(const struct place *t, const char *task, const char *file,
	void (*read)(struct evidence *ev, const struct json_value *root))
{
	char path[PATH_MAX_BELOW];
	struct opened o;
	struct text name;

	text_init_fixed(&name, path, sizeof(path) - 1);
	text_addf(&name, "tasks/%s/%s", task, file);
	path[name.n] = '\0';
	if (open_file(t->ev, t->dir, path, EVIDENCE_TASK_FILE_MAX, &o)) {
		read(t->ev, o.root);
	}
	close_file(&o);
}

static bool read_task(void *arg, const char *name)
{
	const struct place *t = arg;

	read_task_file(t, name, "meta.json", read_meta);
	read_task_file(t, name, ".processing", read_lease);
	return true;
}

/* --- directories -------------------------------------------------------------------------------------------- */

static bool has_file(const struct place *a, const char *agent, const char *file)
{
	char path[PATH_MAX_BELOW];
	struct text name;

	text_init_fixed(&name, path, sizeof(path) - 1);
	text_addf(&name, "%s/%s", agent, file);
	path[name.n] = '\0';
	return below_is_file(a->dir, path);
}

static bool read_agent(void *arg, const char *name)
{
	const struct place *a = arg;
	bool config, record;
	struct evidence_worker *w;

	if (!names_is_worker(bytes_str(name))) {
		return true;
	}
	config = has_file(a, name, CONFIG_FILE);
	record = has_file(a, name, RECORD_FILE);
	w = config || record ? evidence_add(a->ev, bytes_str(name)) : NULL;
	if (w != NULL) {
		w->has_config = config;
		w->has_record = record;
	}
	return true;
}

static void say_listing(struct evidence *ev, const char *what, int rc)
{
	struct fault fault = {0};

	if (rc != 0 && rc != ERR_NOT_FOUND) {
		fault_set(&fault, (enum err)rc, 0, 0, "cannot list all %s: %s", what,
			rc == ERR_LIMIT ? "there are too many" : err_name((enum err)rc));
		warn(ev, &fault);
	}
}

/* False: there is no such directory; otherwise below_close. */
static bool enter(struct evidence *ev, const char *path, struct below *out)
{
	struct fault fault = {0};
	int rc;

	if (path == NULL) {
		return false;
	}
	rc = below_open(out, path, &fault);
	if (rc != 0 && rc != ERR_NOT_FOUND) {
		warn(ev, &fault);
	}
	return rc == 0;
}

void evidence_read(struct evidence *ev, const struct evidence_dirs *dirs)
{
	struct below workspace = {-1}, agents = {-1}, shared = {-1};
	bool has_workspace = enter(ev, dirs->workspace, &workspace);

	if (has_workspace) {
		read_manager_file(ev, &workspace, "workers-registry.json", read_registry);
	}
	if (enter(ev, dirs->agents, &agents)) {
		struct place a = {ev, &agents};

		say_listing(
			ev, "agents", below_list(&agents, "", EVIDENCE_TASKS_MAX, read_agent, &a));
	}
	for (size_t i = 0; has_workspace && i < ARRAY_LEN(manager_files); i++) {
		read_manager_file(ev, &workspace, manager_files[i].name, manager_files[i].read);
	}
	if (enter(ev, dirs->shared, &shared)) {
		struct place t = {ev, &shared};

		say_listing(ev, "tasks",
			below_list(&shared, "tasks", EVIDENCE_TASKS_MAX, read_task, &t));
	}
	below_close(&shared);
	below_close(&agents);
	below_close(&workspace);
}

/* --- where they are --------------------------------------------------------------------------------------- */

/* Without the last component; "" when there is no other. */
static struct bytes parent_of(struct bytes path)
{
	while (path.n > 0 && path.p[path.n - 1] == '/') {
		path.n--;
	}
	while (path.n > 0 && path.p[path.n - 1] != '/') {
		path.n--;
	}
	return path;
}

static const char *joined(struct arena *a, struct bytes dir, const char *name)
{
	size_t max = dir.n + strlen(name) + 1;
	char *p = arena_must(a, max);
	struct text t;

	text_init_fixed(&t, p, max);
	text_add_bytes(&t, dir);
	text_add_str(&t, name);
	return p; /* zeroed before */
}

void evidence_dirs(struct arena *a, const struct env *e, struct evidence_dirs *out)
{
	struct bytes config = env_manager_config(e);

	out->agents = joined(a, e->agents_dir, "");
	out->shared = joined(a, parent_of(e->agents_dir), "shared");
	out->workspace = config.n != 0 ? joined(a, parent_of(config), ".")
				       : joined(a, e->agents_dir, "/manager");
}
