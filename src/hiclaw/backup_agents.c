#include "hiclaw/backup_agents.h"

#include "hiclaw/names.h"

struct doc *backup_agents_entry(struct arena *a, const struct agent *v)
{
	struct doc *d = doc_map(a);

	doc_set(a, d, "target", doc_string_copy(a, v->target));
	doc_set(a, d, "provider", doc_string_copy(a, v->provider));
	doc_set(a, d, "model", doc_string_copy(a, v->model));
	doc_set(a, d, "asked", doc_string_copy(a, v->asked));
	doc_set(a, d, "contextWindow", doc_int(a, (int64_t)v->traits.context_window));
	doc_set(a, d, "maxTokens", doc_int(a, (int64_t)v->traits.max_tokens));
	if (v->traits.reasoning != MODEL_UNKNOWN) {
		doc_set(a, d, "reasoning", doc_bool(a, v->traits.reasoning == MODEL_YES));
	}
	if (v->traits.input != 0) {
		doc_set(a, d, "input", model_traits_input(a, v->traits.input));
	}
	return d;
}

struct doc *backup_agents_section(struct arena *a, const struct agents *all)
{
	struct doc *list = doc_list(a);

	for (size_t i = 0; i < agents_count(all); i++) {
		const struct agent *g = agents_at(all, i);

		if (g->assigned) {
			doc_append(a, list, backup_agents_entry(a, g));
		}
	}
	return list;
}

/* --- taken back ---------------------------------------------------------------------------------------------------- */

static uint64_t number_of(struct arena *a, const struct doc *d, const char *key)
{
	const struct doc *v = doc_get(a, d, key);

	return v != NULL && v->type == DOC_INT && v->integer > 0 && v->integer <= MODEL_CONTEXT_MAX
		? (uint64_t)v->integer
		: 0;
}

static enum model_answer answer_of(struct arena *a, const struct doc *d, const char *key)
{
	const struct doc *v = doc_get(a, d, key);

	if (v == NULL || v->type != DOC_BOOL) {
		return MODEL_UNKNOWN;
	}
	return v->boolean ? MODEL_YES : MODEL_NO;
}

static unsigned input_of(struct arena *a, const struct doc *d)
{
	unsigned input = 0;

	for (const struct doc *i = doc_first(a, doc_get(a, d, "input")); i != NULL; i = i->next) {
		struct bytes word = doc_text(i, BYTES(""));

		input |= bytes_eq(word, BYTES("text"))   ? MODEL_INPUT_TEXT
			: bytes_eq(word, BYTES("image")) ? MODEL_INPUT_IMAGE
							 : 0;
	}
	return input;
}

/* "<provider>/<model>" is asked for where the name alone is another provider's. */
static bool is_qualified(struct bytes asked, struct bytes provider, struct bytes model)
{
	return asked.n == provider.n + 1 + model.n && bytes_starts(asked, provider) &&
		asked.p[provider.n] == '/' && bytes_ends(asked, model);
}

bool backup_agents_read(struct arena *a, const struct doc *entry, struct agent *v)
{
	struct bytes target = doc_peek(entry, "target", BYTES(""));
	struct bytes provider = doc_peek(entry, "provider", BYTES(""));
	struct bytes model = doc_peek(entry, "model", BYTES(""));
	struct bytes asked = doc_peek(entry, "asked", model);

	if ((!bytes_eq(target, BYTES("manager")) && !names_is_worker(target)) ||
		!names_is_provider(provider) || !model_id_is_valid(model)) {
		return false;
	}
	v->target = target;
	v->assigned = true;
	v->provider = provider;
	v->model = model;
	v->asked = is_qualified(asked, provider, model) ? asked : model;
	v->traits = (struct model_traits){.context_window = number_of(a, entry, "contextWindow"),
		.max_tokens = number_of(a, entry, "maxTokens"),
		.reasoning = answer_of(a, entry, "reasoning"),
		.input = input_of(a, entry)};
	return true;
}

static bool is_same(const struct agent *x, const struct agent *y)
{
	return x->assigned == y->assigned && bytes_eq(x->provider, y->provider) &&
		bytes_eq(x->model, y->model) && bytes_eq(x->asked, y->asked) &&
		x->traits.context_window == y->traits.context_window &&
		x->traits.max_tokens == y->traits.max_tokens &&
		x->traits.reasoning == y->traits.reasoning && x->traits.input == y->traits.input;
}

/* --- compared ------------------------------------------------------------------------------------------------------ */

bool backup_agents_check(struct arena *a, const struct doc *section)
{
	for (const struct doc *d = doc_first(a, section); d != NULL; d = d->next) {
		struct agent v;

		if (d->type != DOC_MAP || !backup_agents_read(a, d, &v)) {
			return false;
		}
	}
	return section->type == DOC_LIST;
}

static const struct doc *entry_of(struct arena *a, const struct doc *section, struct bytes target)
{
	const struct doc *d = doc_first(a, section);

	while (d != NULL && !bytes_eq(doc_peek(d, "target", BYTES("")), target)) {
		d = d->next;
	}
	return d;
}

struct doc *backup_agents_compare(struct arena *a, const struct doc *section,
	const struct agents *all, bool replaces, struct strings *leaving)
{
	struct doc *out = doc_map(a), *added = doc_need_list(a, out, "added");
	struct doc *changed = doc_need_list(a, out, "changed");
	struct doc *removed = doc_need_list(a, out, "removed");

	*leaving =
		(struct strings){.v = arena_must(a, (agents_count(all) + 1) * sizeof(*leaving->v))};
	for (const struct doc *d = doc_first(a, section); d != NULL; d = d->next) {
		const struct agent *old = agents_find(all, doc_peek(d, "target", BYTES("")));
		struct agent v = old != NULL ? *old : (struct agent){.assigned = false};

		if (backup_agents_read(a, d, &v) && (old == NULL || !is_same(&v, old))) {
			doc_append(a, old != NULL && old->assigned ? changed : added,
				doc_string_copy(a, v.target));
		}
	}
	for (size_t i = 0; replaces && i < agents_count(all); i++) {
		const struct agent *g = agents_at(all, i);

		if (g->assigned && entry_of(a, section, g->target) == NULL) {
			leaving->v[leaving->n] = arena_copy(a, g->target);
			doc_append(a, removed, doc_string(a, leaving->v[leaving->n++]));
		}
	}
	return out;
}

/* As if a switch had been interrupted: what is configured is the agent's former model, nobody's own choice. */
static void restore(struct arena *a, const struct doc *entry, struct agents *all, uint64_t now_ms)
{
	const struct agent *old = agents_find(all, doc_peek(entry, "target", BYTES("")));
	struct agent v = old != NULL ? *old : (struct agent){.assigned = false};

	if (!backup_agents_read(a, entry, &v) || (old != NULL && is_same(&v, old))) {
		return;
	}
	v.updated_us = now_ms * 1000;
	v.state = AGENT_PENDING;
	v.reason = BYTES("");
	v.former = v.configured;
	v.applying = true;
	v.synced = false;
	agents_put(all, &v, NULL);
}

void backup_agents_restore(
	struct arena *a, const struct doc *section, struct agents *all, uint64_t now_ms)
{
	for (const struct doc *d =
			section != NULL && section->type == DOC_LIST ? doc_first(a, section) : NULL;
		d != NULL; d = d->next) {
		restore(a, d, all, now_ms);
	}
}
