#include "hiclaw/engine_list.h"

#include <stdlib.h>

#include "hiclaw/names.h"
#include "hiclaw/record.h"
#include "wire/json.h"

/* --- words -------------------------------------------------------------------------------------------- */

/* Of the engine; what is not there to be used does not exist for the gateway. */
static const struct word {
	const char *text;
	enum state_container state;
} words[] = {
	{"running", STATE_CONTAINER_RUNNING},
	{"created", STATE_CONTAINER_STARTING},
	{"configured", STATE_CONTAINER_STARTING}, /* Podman's: made and not started */
	{"initialized", STATE_CONTAINER_STARTING},
	{"restarting", STATE_CONTAINER_STARTING},
	{"paused", STATE_CONTAINER_STOPPED},
	{"exited", STATE_CONTAINER_STOPPED},
	{"stopped", STATE_CONTAINER_STOPPED},
	{"stopping", STATE_CONTAINER_STOPPED},
	{"removing", STATE_CONTAINER_NOT_FOUND},
	{"dead", STATE_CONTAINER_NOT_FOUND},
};

static enum state_container state_of(struct bytes text)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (bytes_eq(text, bytes_str(words[i].text))) {
			return words[i].state;
		}
	}
	return STATE_CONTAINER_UNKNOWN; /* an engine of later years */
}

static bool is_id(struct bytes id)
{
	for (size_t i = 0; i < id.n; i++) {
		if (memchr("0123456789abcdef", id.p[i], 16) == NULL) {
			return false;
		}
	}
	return id.n >= ENGINE_ID_MIN && id.n <= ENGINE_ID_MAX;
}

/* --- the list ----------------------------------------------------------------------------------------- */

static int refuse(struct fault *fault, size_t item, const char *what)
{
	return fault_set(
		fault, ERR_SYNTAX, 0, 0, "container %zu of the list has no %s", item, what);
}

/* "/hiclaw-worker-alice"; "/other/alias" is the name that another container has for it. */
static struct bytes worker_of(const struct json_value *names, struct bytes prefix)
{
	for (const struct json_value *v = names->items; v != NULL; v = v->next) {
		struct bytes name = json_text(v, BYTES(""));

		if (name.n != 0 && name.p[0] == '/') {
			name = bytes_of(name.p + 1, name.n - 1);
		}
		if (bytes_starts(name, prefix)) {
			name = bytes_of(name.p + prefix.n, name.n - prefix.n);
			if (names_is_worker(name)) {
				return name;
			}
		}
	}
	return BYTES("");
}

/* worker is empty when it is somebody else's container. */
static int read_container(const struct json_value *v, size_t item, struct bytes prefix,
	struct engine_container *out, struct fault *fault)
{
	const struct json_value *names = json_get(v, "Names");
	struct bytes state = json_text(json_get(v, "State"), BYTES(""));

	if (v->type != JSON_OBJECT || names == NULL || names->type != JSON_ARRAY) {
		return refuse(fault, item, "Names");
	}
	out->worker = worker_of(names, prefix);
	if (out->worker.n == 0) {
		return 0;
	}
	out->id = json_text(json_get(v, "Id"), BYTES(""));
	if (!is_id(out->id)) {
		return refuse(fault, item, "Id in hexadecimal");
	}
	if (state.n == 0) {
		return refuse(fault, item, "State");
	}
	out->state = state_of(state);
	return 0;
}

static int by_name(const void *x, const void *y)
{
	const struct engine_container *a = x, *b = y;

	return bytes_cmp(a->worker, b->worker);
}

/* The root of the tree; NULL: refused. */
static const struct json_value *parse(
	struct arena *a, struct bytes text, enum json_type type, struct fault *fault)
{
	const struct json_value *root = json_parse(a, text, fault);

	if (root != NULL && root->type != type) {
		fault_set(fault, ERR_SYNTAX, 0, 0, "the answer is no %s",
			type == JSON_ARRAY ? "list" : "object");
		return NULL;
	}
	return root;
}

int engine_list_read(struct arena *a, struct bytes text, struct bytes prefix,
	struct engine_list *out, struct fault *fault)
{
	struct engine_list l = {.n = 0};
	const struct json_value *root = parse(a, text, JSON_ARRAY, fault);
	size_t item = 0;

	if (root == NULL) {
		return ERR_SYNTAX;
	}
	l.v = arena_must(a, ENGINE_CONTAINERS_MAX * sizeof(*l.v));
	for (const struct json_value *v = root->items; v != NULL; v = v->next) {
		struct engine_container c;
		int rc = read_container(v, ++item, prefix, &c, fault);

		if (rc != 0) {
			return rc;
		}
		if (c.worker.n == 0) {
			continue;
		}
		if (l.n == ENGINE_CONTAINERS_MAX) {
			return fault_set(fault, ERR_LIMIT, 0, 0,
				"there are more than %u Workers' containers",
				ENGINE_CONTAINERS_MAX);
		}
		l.v[l.n++] = c;
	}
	qsort(l.v, l.n, sizeof(*l.v), by_name);
	*out = l;
	return 0;
}

/* --- one ---------------------------------------------------------------------------------------------- */

/* "0001-01-01T00:00:00Z", which means never, is 0 as well. */
static uint64_t time_of(const struct json_value *state, const char *member)
{
	uint64_t us = 0;

	return record_time_read(json_text(json_get(state, member), BYTES("")), &us) ? us / 1000 : 0;
}

int engine_since_read(struct arena *a, struct bytes text, struct bytes id, uint64_t *since_ms_out,
	struct fault *fault)
{
	const struct json_value *root = parse(a, text, JSON_OBJECT, fault);
	const struct json_value *state;

	if (root == NULL) {
		return ERR_SYNTAX;
	}
	if (!bytes_eq(json_text(json_get(root, "Id"), BYTES("")), id)) {
		return fault_set(fault, ERR_SYNTAX, 0, 0, "the answer is about another container");
	}
	state = json_get(root, "State");
	if (state == NULL || state->type != JSON_OBJECT) {
		return fault_set(fault, ERR_SYNTAX, 0, 0, "the container has no State");
	}
	*since_ms_out =
		state_of(json_text(json_get(state, "Status"), BYTES(""))) == STATE_CONTAINER_RUNNING
		? time_of(state, "StartedAt")
		: time_of(state, "FinishedAt");
	return 0;
}
