#include "hiclaw/s3_time.h"

#include "base/num.h"

struct civil {
	uint64_t year, month, day, hour, minute, second;
};

static bool number(struct bytes s, size_t at, size_t n, uint64_t *out)
{
	return num_parse_u64(bytes_of(s.p + at, n), 9999, out);
}

/* Days since 1970 by the era-based conversion, the inverse of clock_format_iso's. */
static bool to_ms(const struct civil *c, uint64_t *out)
{
	uint64_t y = c->month <= 2 ? c->year - 1 : c->year;
	uint64_t m = c->month > 2 ? c->month - 3 : c->month + 9;
	uint64_t era = y / 400;
	uint64_t yoe = y % 400;
	uint64_t days =
		era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + (153 * m + 2) / 5 + c->day - 1;

	if (c->year < 1970 || c->month < 1 || c->month > 12 || c->day < 1 || c->day > 31 ||
		c->hour > 23 || c->minute > 59 || c->second > 60) {
		return false;
	}
	*out = ((((days - 719468) * 24 + c->hour) * 60 + c->minute) * 60 + c->second) * 1000;
	return true;
}

static bool clock_at(struct bytes s, size_t at, struct civil *c)
{
	return number(s, at, 2, &c->hour) && s.p[at + 2] == ':' &&
		number(s, at + 3, 2, &c->minute) && s.p[at + 5] == ':' &&
		number(s, at + 6, 2, &c->second);
}

static uint64_t month_of(const char *p)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (unsigned i = 0; i < 12; i++) {
		if (memcmp(names + (size_t)3 * i, p, 3) == 0) {
			return i + 1;
		}
	}
	return 0;
}

bool s3_time_http(struct bytes s, uint64_t *wall_ms_out)
{
	struct civil c = {0};

	if (s.n != 29 || memcmp(s.p + 3, ", ", 2) != 0 || s.p[7] != ' ' || s.p[11] != ' ' ||
		memcmp(s.p + 25, " GMT", 4) != 0 || s.p[16] != ' ') {
		return false;
	}
	c.month = month_of(s.p + 8);
	return number(s, 5, 2, &c.day) && number(s, 12, 4, &c.year) && clock_at(s, 17, &c) &&
		to_ms(&c, wall_ms_out);
}

bool s3_time_iso(struct bytes s, uint64_t *wall_ms_out)
{
	struct civil c = {0};

	if (s.n < 20 || s.n > 40 || s.p[4] != '-' || s.p[7] != '-' || s.p[10] != 'T' ||
		s.p[s.n - 1] != 'Z' || (s.n > 20 && s.p[19] != '.')) {
		return false;
	}
	for (size_t i = 20; i + 1 < s.n; i++) {
		if (!ascii_digit(s.p[i])) {
			return false;
		}
	}
	return number(s, 0, 4, &c.year) && number(s, 5, 2, &c.month) && number(s, 8, 2, &c.day) &&
		clock_at(s, 11, &c) && to_ms(&c, wall_ms_out);
}
