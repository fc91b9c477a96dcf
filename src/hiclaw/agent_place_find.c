#include "hiclaw/agent_place.h"

#include <stdlib.h>

#include "base/file.h"

#define MANAGER BYTES("manager")

static const char *const manager_objects[] = {
	"manager/openclaw.json", "agents/manager/openclaw.json", "agents/default/openclaw.json"};

static const char *joined(struct arena *a, struct bytes dir, const char *rest)
{
	size_t n = dir.n + strlen(rest) + 2;
	char *p = arena_must(a, n);
	struct text t;

	text_init_fixed(&t, p, n);
	text_add_bytes(&t, dir);
	if (dir.n != 0 && dir.p[dir.n - 1] != '/') {
		text_add_char(&t, '/');
	}
	text_add_str(&t, rest);
	return text_cstr(&t);
}

/* "agents/<target>/<file>" below dir (empty: a key). */
static const char *of_agent(struct agent_place_finding *f, struct bytes dir, const char *file)
{
	size_t n = dir.n + f->target.n + strlen(file) + 12;
	char *p = arena_must(f->arena, n);
	struct text t;

	text_init_fixed(&t, p, n);
	text_add_bytes(&t, dir.n != 0 ? dir : BYTES("agents"));
	text_addf(&t, "/" BYTES_FMT "%s%s", BYTES_ARG(f->target), file[0] != '\0' ? "/" : "", file);
	return text_cstr(&t);
}

static struct agent_place *add(
	struct agent_place_finding *f, enum agent_place_kind kind, const char *name)
{
	struct agent_place *p = &f->v[f->n++];

	ASSERT(f->n <= AGENT_PLACES_MAX);
	*p = (struct agent_place){.kind = kind, .name = name};
	return p;
}

static void add_object(struct agent_place_finding *f, enum agent_place_kind kind, const char *key)
{
	if (f->storage) {
		add(f, kind, key)->object = true;
	}
}

static size_t max_of(enum agent_place_kind kind)
{
	return kind == AGENT_PLACE_RECORD ? RECORD_TEXT_MAX : JSON5_TEXT_MAX;
}

static void add_file(struct agent_place_finding *f, enum agent_place_kind kind, const char *path)
{
	struct agent_place *p = add(f, kind, path);
	size_t max = max_of(kind);
	int rc;

	text_init(&p->content, max + 1);
	rc = file_read(path, max, &p->content, NULL, &p->why);
	p->exists = rc == 0;
	p->looked = rc == 0 || rc == ERR_NOT_FOUND;
	if (!p->looked) {
		p->code = CONFIG_NOT_EDITABLE;
	}
}

static bool is_dir(const char *path)
{
	struct file_stat st;

	return file_stat(path, &st) == 0 && st.is_dir;
}

static bool exists(const char *path)
{
	struct file_stat st;

	return file_stat(path, &st) == 0 && st.exists;
}

static struct bytes parent_of(struct bytes path)
{
	while (path.n > 0 && path.p[path.n - 1] != '/') {
		path.n--;
	}
	while (path.n > 1 && path.p[path.n - 1] == '/') {
		path.n--;
	}
	return path;
}

/* --- the Manager -------------------------------------------------------------------------------------- */

/* CoPaw keeps its files in the home directory, which is the workspace or what it is in. */
static void add_copaw(struct agent_place_finding *f, struct bytes workspace)
{
	static const struct {
		enum agent_place_kind kind;
		const char *name;
	} files[] = {{AGENT_PLACE_COPAW_PROVIDERS, ".copaw.secret/providers.json"},
		{AGENT_PLACE_COPAW_PROVIDERS, ".copaw/providers.json"},
		{AGENT_PLACE_COPAW_CONFIG, ".copaw/config.json"}};
	struct bytes home = workspace;

	if (!exists(joined(f->arena, home, files[0].name))) {
		home = parent_of(home);
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const char *path = joined(f->arena, home, files[i].name);

		if (exists(path)) {
			add_file(f, files[i].kind, path);
		}
	}
}

static void find_manager(struct agent_place_finding *f)
{
	struct bytes config = env_manager_config(f->env);
	struct bytes workspace =
		config.n != 0 ? parent_of(config) : bytes_str(of_agent(f, f->env->agents_dir, ""));
	const char *own = of_agent(f, f->env->agents_dir, "");

	f->config_path = config;
	for (size_t i = 0; i < ARRAY_LEN(manager_objects); i++) {
		add_object(f, AGENT_PLACE_OPENCLAW, manager_objects[i]);
	}
	if (config.n != 0) {
		add_file(f, AGENT_PLACE_OPENCLAW, config.p);
	}
	if (bytes_eq(f->env->manager_runtime, BYTES("copaw"))) {
		add_copaw(f, workspace);
	}
	add_object(f, AGENT_PLACE_RECORD, of_agent(f, BYTES(""), "model.json"));
	if (is_dir(own)) {
		add_file(f, AGENT_PLACE_RECORD, of_agent(f, f->env->agents_dir, "model.json"));
	} else if (config.n != 0) {
		add_file(f, AGENT_PLACE_RECORD, joined(f->arena, workspace, "model.json"));
	}
}

/* --- a Worker --------------------------------------------------------------------------------------- */

/* A Worker's own processes write below its directory: a link there could lead anywhere. */
static bool is_safe(struct agent_place_finding *f, const char *path)
{
	if (file_is_link(path)) {
		f->unsafe = path;
	}
	return f->unsafe == NULL;
}

static void find_worker(struct agent_place_finding *f)
{
	struct bytes agents = f->env->agents_dir;
	const char *dir = of_agent(f, agents, "");
	const char *config = of_agent(f, agents, "openclaw.json");
	const char *record = of_agent(f, agents, "model.json");
	char *root = bytes_dup(agents);
	bool here = agents.n != 0 && is_dir(root);
	struct env_worker keys = {0};

	if (env_read_worker(f->arena, f->env->creds_dir, f->target, &keys, NULL) == 0) {
		f->worker_key = keys.gateway_key;
	}
	here = here && is_safe(f, dir) && is_safe(f, config) && is_safe(f, record);
	add_object(f, AGENT_PLACE_OPENCLAW, of_agent(f, BYTES(""), "openclaw.json"));
	if (here && (is_dir(dir) || f->storage)) {
		add_file(f, f->storage ? AGENT_PLACE_MIRROR : AGENT_PLACE_OPENCLAW, config);
	}
	add_object(f, AGENT_PLACE_RECORD, of_agent(f, BYTES(""), "model.json"));
	if (here) {
		add_file(f, AGENT_PLACE_RECORD, record);
	}
	free(root);
}

void agent_place_find(struct agent_place_finding *f)
{
	if (bytes_eq(f->target, MANAGER)) {
		find_manager(f);
	} else {
		find_worker(f);
	}
}
