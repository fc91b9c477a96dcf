/*
 * Numbers as text: the shortest digits that read back as the same double (found by trying, which is
 * quick enough for configuration), laid out as Go lays them out in JSON and in YAML.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "wire/doc_int.h"

#define DIGITS_MAX 17

struct digits {
	char v[DIGITS_MAX + 1]; /* the first is not 0, but of zero */
	int n;
	int point; /* digits in front of the decimal point; may be negative or beyond n */
	bool negative;
};

static void shortest(double v, struct digits *out)
{
	char buf[40] = "";

	for (int n = 1; n <= DIGITS_MAX; n++) {
		snprintf(buf, sizeof(buf), "%.*e", n - 1, fabs(v));
		if (!(strtod(buf, NULL) < fabs(v)) && !(strtod(buf, NULL) > fabs(v))) {
			break;
		}
	}
	*out = (struct digits){.negative = signbit(v) != 0};
	for (const char *p = buf; *p != 'e'; p++) {
		if (ascii_digit(*p)) {
			out->v[out->n++] = *p;
		}
	}
	for (const char *p = strchr(buf, 'e') + 2; ascii_digit(*p); p++) {
		out->point = out->point * 10 + (*p - '0');
	}
	out->point = (strchr(buf, 'e')[1] == '-' ? -out->point : out->point) + 1;
}

static void put_plain(struct text *out, const struct digits *d)
{
	text_add_str(out, d->negative ? "-" : "");
	if (d->point <= 0) {
		text_add_str(out, "0.");
		for (int i = d->point; i < 0; i++) {
			text_add_char(out, '0');
		}
		text_add(out, d->v, (size_t)d->n);
		return;
	}
	for (int i = 0; i < MAX(d->point, d->n); i++) {
		if (i == d->point) {
			text_add_char(out, '.');
		}
		text_add_char(out, i < d->n ? d->v[i] : '0');
	}
}

/* The exponent has at least that many digits. */
static void put_scientific(struct text *out, const struct digits *d, int exponent_min)
{
	int e = d->point - 1;

	text_addf(out, "%s%c%s%.*s", d->negative ? "-" : "", d->v[0], d->n > 1 ? "." : "", d->n - 1,
		d->v + 1);
	text_addf(out, "e%c%0*d", e < 0 ? '-' : '+', exponent_min, abs(e));
}

static bool is_whole(double v)
{
	return fabs(v) < 0x1p64 && !(trunc(v) < v) && !(trunc(v) > v);
}

static bool all_digits(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_digit(s.p[i])) {
			return false;
		}
	}
	return s.n != 0;
}

/* RFC 8259 section 6. */
static bool is_json_number(struct bytes s)
{
	size_t i = s.n != 0 && s.p[0] == '-';
	size_t from = i;

	while (i < s.n && ascii_digit(s.p[i])) {
		i++;
	}
	if (i == from || (s.p[from] == '0' && i - from > 1)) {
		return false;
	}
	if (i < s.n && s.p[i] == '.') {
		for (from = ++i; i < s.n && ascii_digit(s.p[i]); i++) {}
		if (i == from) {
			return false;
		}
	}
	if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
		i += i + 1 < s.n && (s.p[i + 1] == '+' || s.p[i + 1] == '-') ? 2 : 1;
		for (from = i; i < s.n && ascii_digit(s.p[i]); i++) {}
		if (i == from) {
			return false;
		}
	}
	return i == s.n;
}

bool doc_literal_stays(const struct doc *d)
{
	if (!is_json_number(d->text)) {
		return false;
	}
	return d->type == DOC_INT || !is_whole(d->number) || all_digits(d->text);
}

static void put_integer(struct text *out, int64_t v)
{
	if (v < 0) {
		text_add_char(out, '-');
	}
	text_add_u64(out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

bool doc_put_number_json(struct text *out, const struct doc *d)
{
	struct digits digits;

	if (is_json_number(d->text)) {
		text_add_bytes(out, d->text);
		return true;
	}
	if (d->type == DOC_INT) {
		put_integer(out, d->integer);
		return true;
	}
	if (isfinite(d->number) == 0) {
		return false;
	}
	shortest(d->number, &digits);
	if (digits.point > 21 || digits.point < -5) {
		put_scientific(out, &digits, 1);
	} else {
		put_plain(out, &digits);
	}
	return true;
}

void doc_put_number_yaml(struct text *out, const struct doc *d)
{
	struct digits digits;
	uint64_t whole;

	if (d->type == DOC_INT) {
		put_integer(out, d->integer);
		return;
	}
	if (isnan(d->number) != 0) {
		text_add_str(out, ".nan");
		return;
	}
	if (isinf(d->number) != 0) {
		text_add_str(out, d->number < 0 ? "-.inf" : ".inf");
		return;
	}
	if (num_parse_u64(d->text, UINT64_MAX, &whole)) {
		text_add_u64(out, whole); /* beyond int64_t */
		return;
	}
	if (fpclassify(d->number) == FP_ZERO) {
		text_add_char(out, '0'); /* also below zero: Go reads JSON's "-0" as an integer */
		return;
	}
	shortest(d->number, &digits);
	/* Below int64_t Go has no integer, above it uint64_t. */
	if ((is_whole(d->number) && d->number > -0x1p63) ||
		(digits.point > -4 && digits.point <= 6)) {
		put_plain(out, &digits);
	} else {
		put_scientific(out, &digits, 2);
	}
}
