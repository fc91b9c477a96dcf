/*
 * Lists of a configuration are short and cases of a route few, so they are walked; what is walked byte by byte is the
 * request, once for each list.
 */
#include "plan/blocking.h"

#include "plan/plugin_rules.h"

const struct blocking *blocking_next(const struct blocking_list *l, struct bytes host, size_t *at)
{
	while (*at < l->n) {
		const struct blocking_case *c = &l->v[*at];

		if (c->domains != NULL && !plugin_domain_is_any(c->domains, host)) {
			(*at)++;
			continue;
		}
		while (l->v[*at].domains != NULL) {
			(*at)++;
		}
		(*at)++; /* behind the last case of that destination */
		if (c->blocking != NULL) {
			return c->blocking;
		}
	}
	return NULL;
}

const char *blocking_reason(enum blocking_by by)
{
	static const char *const reasons[] = {[BLOCKING_NOT] = "",
		[BLOCKING_BROKEN] = "config.invalid",
		[BLOCKING_EXACT] = "request-block.url_blocked.exact",
		[BLOCKING_KEYWORD] = "request-block.url_blocked.keyword",
		[BLOCKING_REGEXP] = "request-block.url_blocked.regexp",
		[BLOCKING_HEADER] = "request-block.header_blocked",
		[BLOCKING_BODY] = "request-block.body_blocked"};

	return reasons[by];
}

#define BROKEN                                                           \
	"the request-block configuration of this route is invalid; its " \
	"administrator must mend it"

const char *blocking_text(enum blocking_by by)
{
	static const char *const texts[] = {[BLOCKING_NOT] = "",
		[BLOCKING_BROKEN] = BROKEN,
		[BLOCKING_EXACT] = "the address is blocked on this route",
		[BLOCKING_KEYWORD] = "the address holds a text that is blocked on this route",
		[BLOCKING_REGEXP] = "the address has a form that is blocked on this route",
		[BLOCKING_HEADER] = "a header holds a text that is blocked on this route",
		[BLOCKING_BODY] = "the body holds a text that is blocked on this route"};

	return texts[by];
}

unsigned blocking_status(const struct blocking *b, enum blocking_by by)
{
	return by == BLOCKING_BROKEN ? 503 : b->code;
}

static bool holds(const struct keywords *k, struct bytes text)
{
	struct keywords_state s = {0};

	return keywords_find(k, &s, text) != KEYWORDS_NONE;
}

static bool is_exact(const struct blocking *b, struct bytes target)
{
	for (size_t i = 0; i < b->n_exact; i++) {
		if (b->nocase ? bytes_eq_nocase(b->exact[i], target)
			      : bytes_eq(b->exact[i], target)) {
			return true;
		}
	}
	return false;
}

/* A search that is given up has not shown that the address may pass. */
static bool is_regexp(const struct blocking *b, struct bytes target)
{
	for (size_t i = 0; i < b->n_regexes; i++) {
		if (regex_look(b->regexes[i], target) != REGEX_ABSENT) {
			return true;
		}
	}
	return false;
}

/* In lower case, as HTTP/2 has names and Higress sees them. */
static bool name_holds(const struct keywords *k, struct bytes name)
{
	struct keywords_state s = {0};
	char room[64];

	while (name.n != 0) {
		size_t n = MIN(name.n, sizeof(room));

		for (size_t i = 0; i < n; i++) {
			room[i] = ascii_lower(name.p[i]);
		}
		if (keywords_find(k, &s, bytes_of(room, n)) != KEYWORDS_NONE) {
			return true;
		}
		name = bytes_of(name.p + n, name.n - n);
	}
	return false;
}

static bool is_host(struct bytes name)
{
	return bytes_eq_nocase(name, BYTES("host"));
}

/* Every request has a Host; with HTTP/2 its name is another one. Where the target is absolute, its host counts, and what
 * the field says is nobody's. */
static bool any_header(const struct blocking *b, const struct blocking_head *h)
{
	if (holds(b->headers, h->host)) {
		return true;
	}
	for (size_t i = 0; i < h->n_fields; i++) {
		struct bytes name, value;

		h->field(h->of, i, &name, &value);
		if ((!is_host(name) && name_holds(b->headers, name)) || holds(b->headers, value)) {
			return true;
		}
	}
	return false;
}

static enum blocking_by judge(const struct blocking *b, const struct blocking_head *h)
{
	if (b->broken) {
		return BLOCKING_BROKEN;
	}
	if (is_exact(b, h->target)) {
		return BLOCKING_EXACT;
	}
	if (b->urls != NULL && holds(b->urls, h->target)) {
		return BLOCKING_KEYWORD;
	}
	if (is_regexp(b, h->target)) {
		return BLOCKING_REGEXP;
	}
	return b->headers != NULL && any_header(b, h) ? BLOCKING_HEADER : BLOCKING_NOT;
}

enum blocking_by blocking_judge(
	const struct blocking_list *l, const struct blocking_head *h, const struct blocking **whose)
{
	size_t at = 0;
	const struct blocking *b;

	while ((b = blocking_next(l, h->host, &at)) != NULL) {
		enum blocking_by by = judge(b, h);

		if (by != BLOCKING_NOT) {
			*whose = b;
			return by;
		}
	}
	return BLOCKING_NOT;
}

struct bytes blocking_target(const struct url *url)
{
	return url->query.p == NULL
		? url->path
		: bytes_of(url->path.p, (size_t)(url->query.p + url->query.n - url->path.p));
}

bool blocking_is_certain(const struct route *const *candidates, size_t n)
{
	return n == 1 && candidates[0]->group == NULL;
}
