#define _GNU_SOURCE /* strptime, timegm */
#include "hiclaw/record.h"

#include <time.h>

#include "base/clock.h"
#include "base/num.h"

#define SECONDS_N 19u /* of "2026-01-01T00:00:00" */

/* In their order. */
static const char *const members[] = {
	"provider", "model", "contextWindow", "maxTokens", "reasoning", "updatedAt"};

/* --- time ----------------------------------------------------------------------------------------- */

/* Microseconds of ".5", ".123456", ".123456789"; digits beyond are cut. */
static bool read_fraction(struct bytes *rest, uint64_t *us)
{
	uint64_t unit = 100000;
	size_t i = 1;

	if (rest->n == 0 || rest->p[0] != '.') {
		return true;
	}
	for (; i < rest->n && ascii_digit(rest->p[i]); i++) {
		*us += (uint64_t)(rest->p[i] - '0') * unit;
		unit /= 10;
	}
	*rest = bytes_of(rest->p + i, rest->n - i);
	return i > 1;
}

bool record_time_read(struct bytes s, uint64_t *us_out)
{
	char when[SECONDS_N + 1] = "";
	struct tm tm = {0};
	struct bytes rest;
	uint64_t us = 0;
	const char *end;
	time_t at;

	if (s.n < SECONDS_N) {
		return false;
	}
	memcpy(when, s.p, SECONDS_N);
	rest = bytes_of(s.p + SECONDS_N, s.n - SECONDS_N);
	end = strptime(when, "%Y-%m-%dT%H:%M:%S", &tm);
	if (end != when + SECONDS_N || !read_fraction(&rest, &us) ||
		(!bytes_eq(rest, BYTES("Z")) && !bytes_eq(rest, BYTES("+00:00")))) {
		return false;
	}
	at = timegm(&tm);
	if (at < 0) {
		return false;
	}
	*us_out = (uint64_t)at * 1000000 + us;
	return true;
}

/* --- read ------------------------------------------------------------------------------------------ */

static int read_text(
	const struct json_value *root, const char *name, struct bytes *out, struct fault *fault)
{
	*out = json_text(json_get(root, name), BYTES(""));
	if (out->n == 0) {
		return fault_set(fault, ERR_SYNTAX, 0, 0, "the record has no %s", name);
	}
	return 0;
}

int record_read(struct arena *a, struct bytes text, struct record *out, struct fault *fault)
{
	struct record r = {.text = text};
	struct fault f = {0};
	const char *field;
	int rc;

	if (text.n > RECORD_TEXT_MAX) {
		return fault_set(fault, ERR_LIMIT, 0, 0, "the record is longer than 64 KB");
	}
	r.root = json_parse(a, text, &f);
	if (r.root == NULL || r.root->type != JSON_OBJECT) {
		return fault_set(fault, ERR_SYNTAX, 0, f.where, "the record is not a JSON object");
	}
	rc = read_text(r.root, "provider", &r.provider, fault);
	rc = rc != 0 ? rc : read_text(r.root, "model", &r.model, fault);
	if (rc == 0 && model_traits_read(r.root, &r.traits, &field, &f) != 0) {
		rc = fault_set(fault, ERR_SYNTAX, 0, 0, "the record's %s", f.text);
	}
	if (rc != 0) {
		return rc;
	}
	r.traits.input = 0;
	if (!record_time_read(json_text(json_get(r.root, "updatedAt"), BYTES("")), &r.updated_us)) {
		r.updated_us = 0;
	}
	*out = r;
	return 0;
}

/* --- written ----------------------------------------------------------------------------------------- */

static void put_name(struct text *out, const char *name)
{
	text_addf(out, "%s\n  \"%s\": ", name == members[0] ? "{" : ",", name);
}

static void put_text(struct text *out, const char *name, struct bytes value)
{
	put_name(out, name);
	text_add_char(out, '"');
	text_add_json(out, value);
	text_add_char(out, '"');
}

static void put_tokens(struct text *out, const char *name, uint64_t value)
{
	if (value != 0) {
		put_name(out, name);
		text_add_u64(out, value);
	}
}

static void put_time(struct text *out, uint64_t us)
{
	char iso[CLOCK_ISO_LEN];

	if (us != 0) {
		clock_format_iso(iso, us / 1000);
		iso[SECONDS_N] = 'Z';
		put_text(out, members[5], bytes_of(iso, SECONDS_N + 1));
	}
}

static bool is_ours(struct bytes key)
{
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		if (bytes_eq(key, bytes_str(members[i]))) {
			return true;
		}
	}
	return false;
}

void record_write(const struct record *r, struct text *out)
{
	const struct json_value *more = r->root != NULL ? r->root->items : NULL;

	put_text(out, members[0], r->provider);
	put_text(out, members[1], r->model);
	put_tokens(out, members[2], r->traits.context_window);
	put_tokens(out, members[3], r->traits.max_tokens);
	if (r->traits.reasoning != MODEL_UNKNOWN) {
		put_name(out, members[4]);
		text_add_str(out, r->traits.reasoning == MODEL_YES ? "true" : "false");
	}
	put_time(out, r->updated_us);
	for (; more != NULL; more = more->next) {
		if (!is_ours(more->key)) {
			text_add_str(out, ",\n  ");
			text_add(out, r->text.p + more->key_beg, more->key_end - more->key_beg);
			text_add_str(out, ": ");
			text_add(out, r->text.p + more->beg, more->end - more->beg);
		}
	}
	text_add_str(out, "\n}\n");
}

bool record_same(const struct record *x, const struct record *y)
{
	return bytes_eq(x->provider, y->provider) && bytes_eq(x->model, y->model) &&
		x->traits.context_window == y->traits.context_window &&
		x->traits.max_tokens == y->traits.max_tokens &&
		x->traits.reasoning == y->traits.reasoning;
}
