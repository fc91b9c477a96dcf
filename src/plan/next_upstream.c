#include "plan/next_upstream.h"

#include "base/num.h"
#include "plan/annotations.h"
#include "plan/build.h"
#include "plan/failure_words.h"

#define TIMEOUT_MAX_S 86400u
/* Higress's own, when an annotation gives none. */
#define TRIES_DEFAULT 3u

struct reading {
	const struct object *ingress;
	struct findings *findings;
	struct next_policy *out;
	struct place at;
	bool off, understood;
};

#define note(r, code, ...)                                                          \
	do {                                                                        \
		struct finding where_ = build_warning((r)->ingress, (r)->at, code); \
		findings_add((r)->findings, &where_, __VA_ARGS__);                  \
	} while (0)

/* A whole number of an annotation; false: there is none that can be used. */
static bool read_number(struct reading *r, const char *key, uint64_t *out)
{
	struct bytes text = annotation_get(r->ingress, key, ANNOTATION_EITHER, &r->at);

	if (text.n == 0) {
		return false;
	}
	if (!num_parse_u64(text, UINT32_MAX, out)) {
		note(r, "bad-value", "%s must be a whole number; it counts as not said", key);
		return false;
	}
	return true;
}

static bool read_status(struct reading *r, struct bytes word)
{
	struct bytes prefix = BYTES("http_");
	uint64_t status;

	if (!bytes_starts(word, prefix) ||
		!num_parse_u64(bytes_of(word.p + prefix.n, word.n - prefix.n), FAILURE_STATUS_MAX,
			&status) ||
		status < FAILURE_STATUS_MIN) {
		return false;
	}
	failure_set_add(&r->out->on, (unsigned)status, (unsigned)status);
	return true;
}

static void read_condition(struct reading *r, struct bytes word)
{
	bool before = r->understood;

	r->understood = true;
	if (bytes_eq(word, BYTES("error"))) {
		r->out->on.events |=
			FAILURE_ON_CONNECT | FAILURE_ON_RESET | FAILURE_ON_CONNECT_TIMEOUT;
	} else if (bytes_eq(word, BYTES("timeout"))) {
		r->out->on.events |= FAILURE_ON_TIMEOUT;
	} else if (bytes_eq(word, BYTES("invalid_header"))) {
		r->out->on.events |= FAILURE_ON_INVALID;
	} else if (bytes_eq(word, BYTES("non_idempotent"))) {
		r->out->non_idempotent = true;
	} else if (bytes_eq(word, BYTES("off"))) {
		r->off = true;
	} else if (!read_status(r, word)) {
		r->understood = before;
		note(r, "next-upstream-condition",
			"proxy-next-upstream: " BYTES_FMT
			" means nothing; error, timeout, invalid_header, non_idempotent, off and "
			"http_ with a status do",
			BYTES_ARG(word));
	}
}

/* Separators are commas and blanks. */
static struct bytes cut_word(struct bytes *rest)
{
	size_t n = 0;
	struct bytes word;

	while (n < rest->n && memchr(", \t\r\n", rest->p[n], 5) == NULL) {
		n++;
	}
	word = bytes_of(rest->p, n);
	n += n < rest->n;
	*rest = bytes_of(rest->p + n, rest->n - n);
	return word;
}

/* Absent, beside one of the others: every 5xx, as Higress reads it. */
static void read_conditions(struct reading *r)
{
	struct bytes rest =
		annotation_get(r->ingress, "proxy-next-upstream", ANNOTATION_EITHER, &r->at);

	if (rest.n == 0) {
		r->understood = true;
		failure_set_add(&r->out->on, 500, 599);
		r->out->on.events |= FAILURE_ON_CONNECT | FAILURE_ON_RESET | FAILURE_ON_TIMEOUT;
		return;
	}
	while (rest.n != 0) {
		struct bytes word = cut_word(&rest);

		if (word.n != 0) {
			read_condition(r, word);
		}
	}
}

static bool says_anything(const struct object *o)
{
	static const char *const keys[] = {
		"proxy-next-upstream", "proxy-next-upstream-tries", "proxy-next-upstream-timeout"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (annotation_get(o, keys[i], ANNOTATION_EITHER, NULL).n != 0) {
			return true;
		}
	}
	return false;
}

static void read_tries(struct reading *r)
{
	uint64_t tries;

	r->out->attempts = TRIES_DEFAULT;
	if (!read_number(r, "proxy-next-upstream-tries", &tries) || tries == 0) {
		return;
	}
	if (tries > NEXT_UPSTREAM_TRIES_MAX) {
		note(r, "bad-value", "proxy-next-upstream-tries: at most %u tries are made",
			NEXT_UPSTREAM_TRIES_MAX);
		tries = NEXT_UPSTREAM_TRIES_MAX;
	}
	r->out->attempts = (unsigned)tries;
}

/* Seconds of an annotation in milliseconds; false: not said. */
static bool read_seconds(struct reading *r, const char *key, uint32_t *out_ms)
{
	uint64_t seconds;

	if (!read_number(r, key, &seconds)) {
		return false;
	}
	if (seconds > TIMEOUT_MAX_S) {
		note(r, "bad-value", "%s: at most %u seconds", key, TIMEOUT_MAX_S);
		seconds = TIMEOUT_MAX_S;
	}
	*out_ms = (uint32_t)seconds * 1000;
	return true;
}

uint32_t next_upstream_whole_ms(const struct object *ingress, struct findings *f)
{
	struct reading r = {.ingress = ingress, .findings = f};
	uint32_t ms = 0;

	return read_seconds(&r, "timeout", &ms) ? ms : 0;
}

struct next_policy next_upstream_read(const struct object *ingress, struct findings *f)
{
	struct next_policy out = next_default;
	struct reading r = {.ingress = ingress, .findings = f, .out = &out};

	if (!says_anything(ingress)) {
		return out;
	}
	read_conditions(&r);
	read_tries(&r);
	IGNORE(read_seconds(&r, "proxy-next-upstream-timeout", &out.timeout_ms));
	/* §5.5: with nothing that was understood there is no condition at all. */
	if (r.off || !r.understood) {
		out.attempts = 0;
	}
	return out;
}
