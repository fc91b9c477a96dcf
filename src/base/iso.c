/* The calendar part of clock.h: pure, so it is not replaced in the simulated world. */
#include "base/clock.h"

static void two(char *p, unsigned v)
{
	p[0] = (char)('0' + v / 10);
	p[1] = (char)('0' + v % 10);
}

/* Days since 1970 to a civil date: the era-based conversion in integers, valid for all dates here. */
void clock_format_iso(char *out, uint64_t wall_ms)
{
	uint64_t secs = wall_ms / 1000;
	unsigned in_day = (unsigned)(secs % 86400);
	uint64_t days = secs / 86400 + 719468; /* from 0000-03-01 */
	uint64_t era = days / 146097;
	unsigned doe = (unsigned)(days % 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;
	unsigned month = mp < 10 ? mp + 3 : mp - 9;
	unsigned year = (unsigned)(era * 400) + yoe + (month <= 2);
	unsigned ms = (unsigned)(wall_ms % 1000);

	two(out, year / 100 % 100);
	two(out + 2, year % 100);
	out[4] = '-';
	two(out + 5, month);
	out[7] = '-';
	two(out + 8, doy - (153 * mp + 2) / 5 + 1);
	out[10] = 'T';
	two(out + 11, in_day / 3600);
	out[13] = ':';
	two(out + 14, in_day / 60 % 60);
	out[16] = ':';
	two(out + 17, in_day % 60);
	out[19] = '.';
	out[20] = (char)('0' + ms / 100);
	two(out + 21, ms % 100);
	out[23] = 'Z';
}
