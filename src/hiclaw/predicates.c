/*
 * The table is data. A prefix is there in each spelling that is in use, because conditions on the model are
 * case-sensitive: "minimax" never takes MiniMax-M2.7.
 */
#include "hiclaw/predicates.h"

#define PREFIXES_MAX 4u

static const struct family {
	const char *type;
	const char *main[PREFIXES_MAX + 1], *further[PREFIXES_MAX + 1]; /* NULL behind the last */
} families[] = {
	{"qwen", {"qwen"}, {"qwq", "qvq", "text-embedding-v"}},
	{"deepseek", {"deepseek"}, {NULL}},
	{"moonshot", {"kimi", "moonshot"}, {NULL}},
	{"zhipuai", {"glm"}, {"cog", "zhipu"}},
	{"minimax", {"MiniMax", "minimax"}, {"abab"}},
	{"openai", {"gpt-", "o1", "o3", "o4"}, {"chatgpt-", "text-embedding-3", "dall-e"}},
	{"claude", {"claude"}, {NULL}},
	{"gemini", {"gemini"}, {"gemma"}},
	{"mistral", {"mistral"}, {"codestral", "ministral", "pixtral"}},
};

static const struct {
	const char *alias, *type;
} aliases[] = {
	{"zhipu", "zhipuai"},
	{"kimi", "moonshot"},
	{"custom", "openai"},
};

struct bytes predicates_type(struct bytes type)
{
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
		if (bytes_eq(type, bytes_str(aliases[i].alias))) {
			return bytes_str(aliases[i].type);
		}
	}
	return type;
}

static const struct family *family_of(struct bytes type)
{
	type = predicates_type(type);
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		if (bytes_eq(type, bytes_str(families[i].type))) {
			return &families[i];
		}
	}
	return NULL;
}

static struct bytes member(struct arena *a, const struct doc *predicate, const char *name)
{
	return doc_text(doc_get(a, predicate, name), BYTES(""));
}

static bool is_equal(struct arena *a, const struct doc *predicate)
{
	return bytes_eq_nocase(member(a, predicate, "matchType"), BYTES("EQUAL"));
}

static bool is_prefix(struct arena *a, const struct doc *predicate)
{
	return bytes_eq_nocase(member(a, predicate, "matchType"), BYTES("PRE"));
}

size_t predicates_rank(struct arena *a, const struct doc *list, struct bytes model)
{
	size_t rank = PREDICATES_NONE;

	for (const struct doc *p = doc_first(a, list); p != NULL; p = p->next) {
		struct bytes value = member(a, p, "matchValue");

		if (is_equal(a, p) && bytes_eq(value, model)) {
			return PREDICATES_EQUAL;
		}
		if (is_prefix(a, p) && bytes_starts(model, value) && value.n + 1 > rank) {
			rank = value.n + 1;
		}
	}
	return rank;
}

static void append(struct arena *a, struct doc *list, const char *type, struct bytes value)
{
	struct doc *p = doc_map(a);

	doc_set(a, p, "matchType", doc_str(a, type));
	doc_set(a, p, "matchValue", doc_string_copy(a, value));
	doc_append(a, list, p);
}

static bool is_covered(struct arena *a, const struct doc *list, struct bytes prefix)
{
	for (const struct doc *p = doc_first(a, list); p != NULL; p = p->next) {
		if (is_prefix(a, p) && bytes_starts(prefix, member(a, p, "matchValue"))) {
			return true;
		}
	}
	return false;
}

void predicates_add_prefix(struct arena *a, struct doc *list, struct bytes prefix)
{
	if (!is_covered(a, list, prefix)) {
		append(a, list, "PRE", prefix);
	}
}

static struct doc *find_model(struct arena *a, const struct doc *list, struct bytes model)
{
	for (struct doc *p = doc_first(a, list); p != NULL; p = p->next) {
		if (is_equal(a, p) && bytes_eq(member(a, p, "matchValue"), model)) {
			return p;
		}
	}
	return NULL;
}

void predicates_add_model(struct arena *a, struct doc *list, struct bytes model)
{
	if (find_model(a, list, model) == NULL) {
		append(a, list, "EQUAL", model);
	}
}

bool predicates_drop_model(struct arena *a, struct doc *list, struct bytes model)
{
	struct doc *p = find_model(a, list, model);

	if (p != NULL) {
		doc_remove(a, list, p);
	}
	return p != NULL;
}

bool predicates_claim(struct arena *a, const struct doc *list, struct bytes prefix)
{
	for (const struct doc *p = doc_first(a, list); p != NULL; p = p->next) {
		if (is_prefix(a, p) && bytes_eq(prefix, member(a, p, "matchValue"))) {
			return true;
		}
	}
	return false;
}

struct doc *predicates_new(struct arena *a, struct bytes provider, struct bytes type,
	const struct doc *const *others, size_t n_others)
{
	const struct family *f = family_of(type);
	struct doc *list = doc_list(a);

	/* Without this one the list might be empty, and the route would take every model. */
	predicates_add_prefix(a, list, provider);
	for (size_t i = 0; f != NULL && f->main[i] != NULL; i++) {
		struct bytes prefix = bytes_str(f->main[i]);
		bool claimed = false;

		for (size_t o = 0; o < n_others && !claimed; o++) {
			claimed = predicates_claim(a, others[o], prefix);
		}
		if (!claimed) {
			predicates_add_prefix(a, list, prefix);
		}
	}
	return list;
}

static struct bytes longest(const char *const *prefixes, struct bytes model, struct bytes best)
{
	for (; *prefixes != NULL; prefixes++) {
		struct bytes prefix = bytes_str(*prefixes);

		best = bytes_starts(model, prefix) && prefix.n > best.n ? prefix : best;
	}
	return best;
}

struct bytes predicates_prefix_of(struct bytes type, struct bytes model)
{
	const struct family *f = family_of(type);

	return f != NULL ? longest(f->further, model, longest(f->main, model, BYTES("")))
			 : BYTES("");
}
