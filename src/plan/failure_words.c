#include "plan/failure_words.h"

#include <stdio.h>

#include "base/num.h"
#include "base/regex.h"

static const struct {
	const char *name;
	unsigned events;
} words[] = {
	{"connect-failure", FAILURE_ON_CONNECT | FAILURE_ON_CONNECT_TIMEOUT | FAILURE_ON_RESET},
	{"reset", FAILURE_ON_RESET},
	{"timeout", FAILURE_ON_TIMEOUT},
	{"first-byte-timeout", FAILURE_ON_FIRST_BYTE},
	{"content-filter", FAILURE_ON_FILTERED},
	{"invalid", FAILURE_ON_INVALID},
};

static bool add_event(struct failure_set *s, struct bytes word)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (bytes_eq_nocase(word, bytes_str(words[i].name))) {
			s->events |= words[i].events;
			return true;
		}
	}
	return false;
}

/* "503" and "5xx", which are nearly all that is written: an expression would do for the first only. */
static bool add_plain(struct failure_set *s, struct bytes word)
{
	uint64_t status;

	if (word.n == 3 && word.p[0] >= '1' && word.p[0] <= '5' &&
		bytes_eq_nocase(bytes_of(word.p + 1, 2), BYTES("xx"))) {
		unsigned from = (unsigned)(word.p[0] - '0') * 100;

		failure_set_add(s, from, from + 99);
		return true;
	}
	if (!num_parse_u64(word, FAILURE_STATUS_MAX, &status) || status < FAILURE_STATUS_MIN) {
		return false;
	}
	failure_set_add(s, (unsigned)status, (unsigned)status);
	return true;
}

static int add_pattern(struct failure_set *s, struct bytes word, struct fault *fault)
{
	struct regex *r;
	bool any = false;

	if (word.n > FAILURE_WORD_MAX) {
		return fault_set(fault, ERR_SYNTAX, 400, 0, "it is too long");
	}
	r = regex_new(word, fault);
	if (r == NULL) {
		return ERR_SYNTAX;
	}
	for (unsigned status = FAILURE_STATUS_MIN; status <= FAILURE_STATUS_MAX; status++) {
		char text[NUM_U64_MAX];

		if (regex_matches(r, bytes_of(text, num_format_u64(text, status)))) {
			failure_set_add(s, status, status);
			any = true;
		}
	}
	regex_free(r);
	return any ? 0
		   : fault_set(fault, ERR_NOT_FOUND, 400, 0,
			     "it fits no status from 100 to 599; a status, a class like 5xx, an "
			     "expression for a whole status like 5.., connect-failure or timeout "
			     "would mean something");
}

int failure_words_add(struct failure_set *s, struct bytes word, struct fault *fault)
{
	return add_event(s, word) || add_plain(s, word) ? 0 : add_pattern(s, word, fault);
}
