/*
 * json_differential [ROUNDS [SEED]] FILE...: the files and mutations of them, read by us and by simdjson. Both
 * accept the same texts with the same contents, but for what simdjson refuses because its types do not
 * hold it (numbers beyond 64 bits or a double) and half surrogate pairs in escapes, which we hand on.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/num.h"
#include "tests/differential/simdjson_shim.h"
#include "wire/json.h"

#define FILES_MAX 4096u
#define TEXT_MAX 65536u
/* Fewer digits than this always fit into 64 bits. */
#define DIGITS_SURE 19u

struct judge {
	uint64_t seed;
	struct text facts;
	unsigned both, neither, only_ours, wrong;
	bool huge,
		cut; /* the text in hand has a number that is too large for them; the facts had no room */
};

static size_t below(struct judge *j, size_t n)
{
	j->seed = j->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (size_t)(j->seed >> 33) % n;
}

/* --- our facts ---------------------------------------------------------------------------------- */

static void put_string(struct judge *j, struct bytes s)
{
	text_addf(&j->facts, "s%zu:", s.n);
	text_add_bytes(&j->facts, s);
}

static void put_number(struct judge *j, struct bytes literal)
{
	bool whole = true;
	bool minus = literal.p[0] == '-';
	struct bytes digits = bytes_of(literal.p + minus, literal.n - minus);
	char room[400];
	uint64_t v;

	for (size_t i = 0; i < digits.n; i++) {
		whole = whole && ascii_digit(digits.p[i]);
	}
	if (whole && num_parse_u64(digits, minus ? (uint64_t)INT64_MAX + 1 : UINT64_MAX, &v)) {
		text_addf(&j->facts, minus && v != 0 ? "i-%llu;" : "i%llu;", (unsigned long long)v);
		return;
	}
	if (whole || literal.n >= sizeof(room)) {
		j->huge = true;
		return;
	}
	memcpy(room, literal.p, literal.n);
	room[literal.n] = '\0';
	errno = 0;
	text_addf(&j->facts, "d%a;", strtod(room, NULL));
	j->huge = j->huge || (errno == ERANGE && strtod(room, NULL) > 1) ||
		(errno == ERANGE && strtod(room, NULL) < -1);
}

/* As deep as JSON_DEPTH_MAX at most. */
static void put(struct judge *j, const struct json_value *v)
{
	switch (v->type) {
	case JSON_ARRAY:
	case JSON_OBJECT:
		text_add_char(&j->facts, v->type == JSON_ARRAY ? '[' : '{');
		for (const struct json_value *i = v->items; i != NULL; i = i->next) {
			if (v->type == JSON_OBJECT) {
				put_string(j, i->key);
			}
			put(j, i);
		}
		text_add_char(&j->facts, v->type == JSON_ARRAY ? ']' : '}');
		break;
	case JSON_STRING:
		put_string(j, v->text);
		break;
	case JSON_NUMBER:
		put_number(j, v->text);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		text_add_char(&j->facts,
			v->type == JSON_TRUE            ? 't'
				: v->type == JSON_FALSE ? 'f'
							: 'n');
		break;
	}
}

/* --- both --------------------------------------------------------------------------------------- */

static bool has_half_pair(struct bytes text)
{
	for (size_t i = 0; i + 3 < text.n; i++) {
		if (memcmp(text.p + i, "\\u", 2) == 0 && (text.p[i + 2] | 0x20) == 'd') {
			return true;
		}
	}
	return false;
}

static void complain(struct judge *j, struct bytes text, const char *what)
{
	struct text shown;

	text_init(&shown, 6 * TEXT_MAX);
	text_add_json(&shown, text);
	printf("%s: \"%s\"\n", what, text_cstr(&shown));
	text_done(&shown);
	j->wrong++;
}

/* Ours may be deeper than we go: what is deep is not compared. */
static void judge(struct judge *j, struct bytes text)
{
	struct fault fault = {0};
	struct arena arena;
	struct json_value *ours;
	char *facts = NULL;
	size_t n = 0;
	enum theirs theirs = simdjson_read(text.p, text.n, &facts, &n);

	arena_init(&arena, 64u << 20);
	ours = json_parse(&arena, text, &fault);
	text_clear(&j->facts);
	j->huge = false;
	if (ours != NULL) {
		put(j, ours);
	}
	if (ours == NULL && theirs == THEIRS_READ) {
		if (fault.err != ERR_LIMIT) {
			complain(j, text, fault.text);
		}
	} else if (ours == NULL) {
		j->neither++;
	} else if (theirs == THEIRS_READ) {
		j->both++;
		if (n != j->facts.n || memcmp(facts, j->facts.p, n) != 0) {
			printf("%.*s\n%s\n", (int)n, facts, text_cstr(&j->facts));
			complain(j, text, "other contents");
		}
	} else if ((theirs == THEIRS_NUMBER && j->huge) ||
		(theirs == THEIRS_STRING && has_half_pair(text))) {
		j->only_ours++;
	} else {
		complain(j, text, "only simdjson refuses");
	}
	arena_done(&arena);
}

/* --- texts -------------------------------------------------------------------------------------- */

static void spoil(struct judge *j, struct text *t, const struct text *other)
{
	static const char bytes[] =
		"{}[]\",:\\u0eE.-+ \n\r\t\x01\x7f\x80\xbf\xc2\xc3\xe0\xed\xf0\xf4\xfftruefalsn19dDaA/";
	size_t at = below(j, t->n);
	size_t n = 1 + below(j, MIN(t->n - at, 16u));
	size_t from;

	switch (below(j, 6)) {
	case 0:
		t->p[at] = bytes[below(j, sizeof(bytes) - 1)];
		return;
	case 1: /* gone */
		memmove(t->p + at, t->p + at + n, t->n - at - n);
		t->n -= n;
		return;
	case 2: /* twice */
		text_add(t, "                ", n);
		memmove(t->p + at + n, t->p + at, t->n - n - at);
		return;
	case 3: /* a part of another text */
		if (other->n == 0) {
			return;
		}
		from = below(j, other->n);
		n = MIN(n, other->n - from);
		memcpy(t->p + at, other->p + from, MIN(n, t->n - at));
		return;
	case 4:
		t->p[at] = (char)(t->p[at] ^ (1 << below(j, 8)));
		return;
	default: /* the end is lost, rarely */
		if (below(j, 8) == 0) {
			t->n = at;
		}
		return;
	}
}

static void judge_mutations(struct judge *j, struct text *files, size_t n_files, uint64_t rounds)
{
	struct text t;

	text_init(&t, 2 * TEXT_MAX);
	for (uint64_t i = 0; i < rounds && j->wrong < 10; i++) {
		size_t k = below(j, 4);

		text_clear(&t);
		text_add_bytes(&t, text_bytes(&files[below(j, n_files)]));
		while (k-- != 0 && t.n != 0) {
			spoil(j, &t, &files[below(j, n_files)]);
		}
		judge(j, text_bytes(&t));
	}
	text_done(&t);
}

int main(int argc, char **argv)
{
	struct judge j = {.seed = 20260101};
	struct text *files = must_alloc(FILES_MAX * sizeof(*files));
	size_t n_files = 0;
	uint64_t rounds = 0;
	int i = 1;

	if (i < argc && num_parse_u64(bytes_str(argv[i]), UINT64_MAX, &rounds)) {
		i++;
	}
	if (i < argc && num_parse_u64(bytes_str(argv[i]), UINT64_MAX, &j.seed)) {
		i++;
	}
	text_init(&j.facts, 16 * TEXT_MAX);
	for (; i < argc && n_files < FILES_MAX; i++) {
		text_init(&files[n_files], TEXT_MAX);
		if (file_read(argv[i], TEXT_MAX, &files[n_files], NULL, NULL) == 0) {
			judge(&j, text_bytes(&files[n_files++]));
		} else {
			text_done(&files[n_files]);
		}
	}
	if (n_files == 0) {
		fprintf(stderr, "usage: json_differential [ROUNDS [SEED]] FILE...\n");
		return 2;
	}
	judge_mutations(&j, files, n_files, rounds);
	printf("%u read by both, %u by neither, %u only by us for a reason that is known\n", j.both,
		j.neither, j.only_ours);
	/* Both answers were given often, or this judges nothing. */
	if (rounds > 1000 && (j.both < rounds / 20 || j.neither < rounds / 20)) {
		j.wrong++;
	}
	printf("%d passed, %d failed\n", j.wrong == 0, j.wrong != 0);
	for (size_t k = 0; k < n_files; k++) {
		text_done(&files[k]);
	}
	free(files);
	text_done(&j.facts);
	return j.wrong != 0;
}
