#include "plan/rewrite.h"

#include "plan/build.h"

struct piece {
	struct bytes text;
	int group; /* -1: the text */
};

struct rewrite_target {
	struct piece *v;
	size_t n;
};

static bool has_any_of(struct bytes text, const char *set)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '\0' && strchr(set, text.p[i]) != NULL) {
			return true;
		}
	}
	return false;
}

bool rewrite_has_groups(struct bytes target)
{
	return has_any_of(target, "$\\");
}

bool rewrite_is_pattern(struct bytes path)
{
	return has_any_of(path, "\\.+*?()|[]{}^$");
}

/* Text up to the next group, or a group. Returns how many bytes it took; 0: neither. */
static size_t read_piece(struct bytes rest, struct piece *out)
{
	size_t n = 0;

	if (rest.p[0] == '$' || rest.p[0] == '\\') {
		if (rest.n >= 2 && ascii_digit(rest.p[1])) {
			*out = (struct piece){.group = rest.p[1] - '0'};
			return 2;
		}
		if (rest.n >= 2 && rest.p[0] == '\\' && rest.p[1] == '\\') {
			*out = (struct piece){bytes_of(rest.p, 1), -1};
			return 2;
		}
		return 0;
	}
	while (n < rest.n && rest.p[n] != '$' && rest.p[n] != '\\') {
		n++;
	}
	*out = (struct piece){bytes_of(rest.p, n), -1};
	return n;
}

static int refuse(struct fault *fault, size_t where, const char *why)
{
	return fault_set(fault, ERR_SYNTAX, 0, where, "%s", why);
}

/* Visible ASCII without '?' and '#', and a slash or a group first. */
static int check_text(struct bytes text, struct fault *fault)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < 0x21 || text.p[i] > 0x7e || text.p[i] == '?' || text.p[i] == '#') {
			return refuse(fault, i, "a path holds no blank, ? or #");
		}
	}
	if (text.n == 0 || memchr("/$\\", text.p[0], 3) == NULL) {
		return refuse(fault, 0, "a path begins with /");
	}
	return 0;
}

const struct rewrite_target *rewrite_parse(
	struct bytes text, unsigned n_groups, struct arena *a, struct fault *fault)
{
	struct piece room[REWRITE_PIECES_MAX];
	struct rewrite_target *t;
	struct bytes rest = build_text(a, text);
	size_t n_pieces = 0;

	if (check_text(text, fault) != 0) {
		return NULL;
	}
	while (rest.n != 0) {
		struct piece *p = &room[n_pieces];
		size_t n;

		if (n_pieces == REWRITE_PIECES_MAX) {
			IGNORE(refuse(fault, text.n - rest.n, "too many groups"));
			return NULL;
		}
		n = read_piece(rest, p);
		if (n == 0) {
			IGNORE(refuse(fault, text.n - rest.n, "$ and \\ stand before a digit"));
			return NULL;
		}
		if (p->group > 0 && (unsigned)p->group > n_groups) {
			IGNORE(refuse(fault, text.n - rest.n, "the path has no such group"));
			return NULL;
		}
		n_pieces++;
		rest = bytes_of(rest.p + n, rest.n - n);
	}
	t = arena_must(a, sizeof(*t));
	*t = (struct rewrite_target){arena_must(a, n_pieces * sizeof(room[0])), n_pieces};
	memcpy(t->v, room, n_pieces * sizeof(room[0]));
	return t;
}

void rewrite_put(const struct rewrite_target *t, const struct regex *pattern, struct bytes path,
	struct text *out)
{
	struct bytes groups[REGEX_GROUPS_MAX];
	bool begun = false;

	if (!regex_find(pattern, path, groups)) {
		text_add_bytes(out, path);
		return;
	}
	for (size_t i = 0; i < t->n; i++) {
		struct bytes b = t->v[i].group < 0 ? t->v[i].text : groups[t->v[i].group];

		if (!begun && b.n != 0 && b.p[0] != '/') {
			text_add_char(out, '/');
		}
		begun = begun || b.n != 0;
		text_add_bytes(out, b);
	}
	if (!begun) {
		text_add_char(out, '/');
	}
}
