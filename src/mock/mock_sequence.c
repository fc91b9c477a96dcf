#include "mock/mock_sequence.h"

#include <stdlib.h>

#include "base/num.h"

static int read_times(struct bytes text, uint32_t *out, struct fault *fault)
{
	uint64_t n = 1;

	if (text.p != NULL && (!num_parse_u64(text, MOCK_SEQUENCE_TIMES_MAX, &n) || n == 0)) {
		return fault_set(fault, ERR_SYNTAX, 400, 0,
			"mock: '*' in a sequence wants a number from 1 to %u, as in status-503*3",
			MOCK_SEQUENCE_TIMES_MAX);
	}
	*out = (uint32_t)n;
	return 0;
}

static int add_item(struct mock_sequence *s, struct bytes item, struct fault *fault)
{
	struct bytes words = bytes_trim(bytes_cut(&item, '*'));
	int rc;

	if (s->n == MOCK_SEQUENCE_ITEMS_MAX) {
		return fault_set(fault, ERR_LIMIT, 400, 0, "mock: a sequence has at most %u items",
			MOCK_SEQUENCE_ITEMS_MAX);
	}
	rc = read_times(item.p != NULL ? bytes_trim(item) : item, &s->v[s->n].times, fault);
	if (rc != 0) {
		return rc;
	}
	s->v[s->n].own = bytes_eq(words, BYTES("ok"));
	if (!s->v[s->n].own) {
		rc = mock_script_parse_words(words, &s->v[s->n].script, fault);
	}
	s->n += rc == 0;
	return rc;
}

static int parse(struct bytes rest, struct mock_sequence *s, struct fault *fault)
{
	rest = bytes_trim(rest);
	while (rest.n != 0) {
		struct bytes item = bytes_cut(&rest, ',');
		int rc;

		if (rest.p == NULL && s->n != 0 && bytes_eq(bytes_trim(item), BYTES("again"))) {
			s->again = true;
			return 0;
		}
		rc = add_item(s, item, fault);
		if (rc != 0) {
			return rc;
		}
	}
	return 0;
}

int mock_sequence_parse(struct bytes text, struct mock_sequence *out, struct fault *fault)
{
	struct mock_sequence *s = must_alloc(sizeof(*s));
	int rc = parse(text, s, fault);

	if (rc == 0) {
		*out = *s;
	}
	free(s);
	return rc;
}

bool mock_sequence_next(struct mock_sequence *s, struct mock_script *out)
{
	bool own;

	if (s->at == s->n && s->again) {
		s->at = 0;
	}
	if (s->at == s->n) {
		return false;
	}
	own = s->v[s->at].own;
	if (!own) {
		*out = s->v[s->at].script;
	}
	s->used++;
	if (s->used == s->v[s->at].times) {
		s->used = 0;
		s->at++;
	}
	return !own;
}

uint64_t mock_sequence_left(const struct mock_sequence *s)
{
	uint64_t left = 0;

	for (unsigned i = s->at; i < s->n; i++) {
		left += s->v[i].times;
	}
	return left - s->used;
}
