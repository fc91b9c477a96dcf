#define _GNU_SOURCE /* memmem */
#include "plan/provider.h"

/* Whether path begins with the segments of prefix: "/ai" of "/ai" and "/ai/x", not of "/ainet". */
static bool starts_at_border(struct bytes path, struct bytes prefix)
{
	return prefix.n != 0 && bytes_starts(path, prefix) &&
		(path.n == prefix.n || path.p[prefix.n] == '/');
}

static const struct capability *capability_of(const struct provider *p, enum api api)
{
	for (size_t i = 0; i < p->n_caps; i++) {
		if (p->caps[i].api == api) {
			return &p->caps[i];
		}
	}
	return NULL;
}

/* The template up to its '?', with the client's values in the place of {names}. */
static void expand(struct bytes template, enum api api, struct bytes path, struct text *out)
{
	struct bytes values[API_VALUES_MAX];
	struct bytes suffix;
	size_t n = 0;
	size_t next = 0;

	if (memchr(template.p, '{', template.n) == NULL) {
		text_add_bytes(out, template);
		return;
	}
	if (api_of_path(path, &suffix) == api) {
		n = api_path_values(api, suffix, values, API_VALUES_MAX);
	}
	for (size_t i = 0; i < template.n; i++) {
		bool model = bytes_starts(
			bytes_of(template.p + i, template.n - i), BYTES(CAPABILITY_MODEL));
		const char *end = template.p[i] == '{' && next < n && !model
			? memchr(template.p + i, '}', template.n - i)
			: NULL;

		if (end == NULL) {
			text_add_char(out, template.p[i]);
			continue;
		}
		text_add_bytes(out, values[next++]);
		i = (size_t)(end - template.p);
	}
}

/* Puts prefix in front of what was added behind mark, unless it stands there. */
static void put_in_front(struct text *out, size_t mark, struct bytes prefix)
{
	size_t n = out->n - mark;

	if (prefix.n == 0 || text_full(out) ||
		starts_at_border(bytes_of(out->p + mark, n), prefix)) {
		return;
	}
	text_add_bytes(out, prefix);
	if (!text_full(out)) {
		memmove(out->p + mark + prefix.n, out->p + mark, n);
		memcpy(out->p + mark, prefix.p, prefix.n);
	}
}

static void add_query(struct text *out, struct bytes query, struct bytes own)
{
	if (query.p != NULL) {
		text_add_char(out, '?');
		text_add_bytes(out, query);
	}
	if (own.n != 0) {
		text_add_char(out, query.p == NULL ? '?' : '&');
		text_add_bytes(out, own);
	}
}

/* What of a client's path goes on. */
static void add_client_path(enum api api, struct bytes path, bool suffix_only, struct text *out)
{
	struct bytes suffix;

	if (suffix_only && api_of_path(path, &suffix) == api) {
		path = suffix;
	}
	text_add_bytes(out, path.n != 0 ? path : BYTES("/"));
}

/* Azure's list has all models that there are, not those that are deployed. */
bool provider_has_list(const struct provider *p)
{
	const struct capability *cap = capability_of(p, API_MODELS);

	return cap != NULL && cap->path != NULL && !p->type->azure;
}

/* NULL: nothing is said of it. */
static const struct capability *said_of(const struct provider *p, enum api api)
{
	return p->original || api == API_NONE ? NULL : capability_of(p, api);
}

bool provider_serves(const struct provider *p, enum api api)
{
	const struct capability *cap = said_of(p, api);
	bool keeps = p->original || api == API_NONE || p->type->unsupported_passes;

	return cap == NULL ? keeps : cap->path != NULL;
}

int provider_path(const struct provider *p, enum api api, struct bytes path, struct bytes query,
	struct text *out)
{
	const struct capability *cap = said_of(p, api);
	struct bytes template;
	struct bytes own;
	size_t mark = out->n;

	if (!provider_serves(p, api)) {
		return ERR_UNSUPPORTED;
	}
	if (p->whole.n != 0 && !p->original) {
		text_add_bytes(out, p->whole);
		put_in_front(out, mark, p->provider_base_path);
		return 0;
	}
	if (p->base_path_handling == BASE_PATH_REMOVE && starts_at_border(path, p->base_path)) {
		path.p += p->base_path.n;
		path.n -= p->base_path.n;
	}
	own = p->original ? BYTES("") : p->query;
	if (cap != NULL && cap->path[0] == '/') {
		struct bytes rest = bytes_str(cap->path);

		template = bytes_cut(&rest, '?');
		own = rest.n != 0 ? rest : own;
		expand(template, api, path, out);
	} else {
		add_client_path(api, path, cap != NULL && cap->path[0] != '\0', out);
	}
	if (p->base_path_handling == BASE_PATH_PREPEND) {
		put_in_front(out, mark, p->base_path);
	}
	put_in_front(out, mark, p->provider_base_path);
	add_query(out, query, own);
	return 0;
}

static void add_segment(struct text *out, struct bytes b)
{
	for (size_t i = 0; i < b.n; i++) {
		char c = ascii_lower(b.p[i]);

		if (ascii_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_' ||
			c == '~') {
			text_add_char(out, b.p[i]);
		} else {
			text_addf(out, "%%%02X", (unsigned)(unsigned char)b.p[i]);
		}
	}
}

/* Where CAPABILITY_MODEL stands; NULL: nowhere. */
static const char *model_place(const struct provider *p, struct bytes target)
{
	struct bytes path = bytes_cut(&target, '?');

	return p->model_in_path && path.n != 0
		? memmem(path.p, path.n, CAPABILITY_MODEL, strlen(CAPABILITY_MODEL))
		: NULL;
}

bool provider_has_model_path(const struct provider *p, struct bytes target)
{
	return model_place(p, target) != NULL;
}

void provider_put_model(const struct provider *p, struct bytes model, struct text *target)
{
	const char *at = model_place(p, text_bytes(target));
	struct text made;

	if (at == NULL || text_full(target)) {
		return;
	}
	text_init(&made, SIZE_MAX);
	text_add(&made, target->p, (size_t)(at - target->p));
	add_segment(&made, model);
	at += strlen(CAPABILITY_MODEL);
	text_add(&made, at, target->n - (size_t)(at - target->p));
	text_clear(target);
	text_add_bytes(target, text_bytes(&made));
	text_done(&made);
}
