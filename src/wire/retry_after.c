/*
 * Every sum stays below 2^53: digits are taken until a value passes TOO_LONG and are only looked at from
 * there on.
 */
#include "wire/retry_after.h"

#include "wire/http_date.h"

#define TOO_LONG (UINT64_C(1) << 40)
#define HOUR_MS 3600000u
#define MINUTE_MS 60000u

static uint64_t within(uint64_t ms)
{
	if (ms < RETRY_AFTER_FLOOR_MS) {
		return RETRY_AFTER_FLOOR_MS;
	}
	return ms < RETRY_AFTER_CEILING_MS ? ms : RETRY_AFTER_CEILING_MS;
}

/* Takes digits off the front of text; false when there is none. */
static bool cut_digits(struct bytes *text, uint64_t *out)
{
	size_t i = 0;
	uint64_t v = 0;

	for (; i < text->n && ascii_digit(text->p[i]); i++) {
		v = v < TOO_LONG ? v * 10 + (unsigned)(text->p[i] - '0') : v;
	}
	*text = bytes_of(text->p + i, text->n - i);
	*out = v;
	return i > 0;
}

/* number = digits [ "." digits ], as thousandths of a unit of unit_ms, rounded up to whole ms. */
static bool cut_number(struct bytes *text, uint64_t *thousandths)
{
	uint64_t whole, scale = 100;
	bool rest = false;

	if (!cut_digits(text, &whole)) {
		return false;
	}
	whole = whole < TOO_LONG ? whole * 1000 : TOO_LONG * 1000;
	if (text->n >= 2 && text->p[0] == '.' && ascii_digit(text->p[1])) {
		size_t i = 1;

		for (; i < text->n && ascii_digit(text->p[i]); i++, scale /= 10) {
			whole += (unsigned)(text->p[i] - '0') * scale;
			rest = rest || (scale == 0 && text->p[i] != '0');
		}
		*text = bytes_of(text->p + i, text->n - i);
	}
	*thousandths = whole + rest;
	return true;
}

/* The whole text is a number, perhaps a negative one. */
static bool read_number(struct bytes text, uint64_t *thousandths)
{
	bool negative = text.n != 0 && text.p[0] == '-';

	if (negative) {
		text = bytes_of(text.p + 1, text.n - 1);
	}
	if (!cut_number(&text, thousandths) || text.n != 0) {
		return false;
	}
	*thousandths = negative ? 0 : *thousandths;
	return true;
}

bool retry_after_read(struct bytes value, struct bytes date, uint64_t now_ms, uint64_t *out_ms)
{
	uint64_t ms;
	int64_t then;
	int64_t from = (int64_t)(now_ms / 1000);

	value = bytes_trim(value);
	if (read_number(value, &ms)) {
		*out_ms = within(ms);
		return true;
	}
	if (!http_date_parse(value, now_ms / 1000, &then)) {
		return false;
	}
	if (date.p != NULL && !http_date_parse(bytes_trim(date), now_ms / 1000, &from)) {
		from = (int64_t)(now_ms / 1000);
	}
	*out_ms = within(then > from ? (uint64_t)(then - from) * 1000 : 0);
	return true;
}

bool retry_after_read_ms(struct bytes value, uint64_t *out_ms)
{
	uint64_t thousandths;

	if (!read_number(bytes_trim(value), &thousandths)) {
		return false;
	}
	*out_ms = within((thousandths + 999) / 1000);
	return true;
}

/* "ms" before "m": the longer unit is meant. */
static uint64_t cut_unit(struct bytes *text)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", MINUTE_MS}, {"h", HOUR_MS}};

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		struct bytes name = bytes_str(units[i].name);

		if (bytes_starts(*text, name)) {
			*text = bytes_of(text->p + name.n, text->n - name.n);
			return units[i].ms;
		}
	}
	return 0;
}

bool retry_after_read_span(struct bytes value, uint64_t *out_ms)
{
	uint64_t sum = 0;

	value = bytes_trim(value);
	if (value.n == 0) {
		return false;
	}
	while (value.n != 0) {
		uint64_t thousandths, unit;

		if (!cut_number(&value, &thousandths)) {
			return false;
		}
		unit = cut_unit(&value);
		if (unit == 0) {
			return false;
		}
		/* Above the ceiling nothing more is asked than that it is above. */
		thousandths = thousandths < HOUR_MS * 1000u ? thousandths : HOUR_MS * 1000u;
		sum += (thousandths * unit + 999) / 1000;
		sum = sum < RETRY_AFTER_CEILING_MS ? sum : RETRY_AFTER_CEILING_MS;
	}
	*out_ms = within(sum);
	return true;
}
