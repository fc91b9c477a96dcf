/*
 * IMF-fixdate  = day-name "," SP 2DIGIT SP month SP 4DIGIT SP time SP "GMT"
 * rfc850-date  = day-name-l "," SP 2DIGIT "-" month "-" 2DIGIT SP time SP "GMT"
 * asctime-date = day-name SP month SP ( 2DIGIT / SP DIGIT ) SP time SP 4DIGIT
 * time         = 2DIGIT ":" 2DIGIT ":" 2DIGIT
 *
 * Each form is a pattern: 'd' a digit of the day, 'm' a letter of the month, 'y' a digit of the year, 'h',
 * 'n', 's' of the time (minutes are 'n'), 'D' a digit or the blank before a day of one digit; the rest
 * stands for itself.
 */
#include "wire/http_date.h"

#define YEAR_MIN 1601u
#define SECONDS_PER_DAY 86400
/* A year of two digits that would lie farther ahead is one of the century before (RFC 9110 §5.6.7). */
#define AHEAD_YEARS_MAX 50u

struct parts {
	unsigned day, month, year, hour, minute, second;
	unsigned n_year; /* digits */
	char name[3];    /* of the month */
	unsigned n_name;
};

static bool take_digit(unsigned *to, char c)
{
	if (!ascii_digit(c)) {
		return false;
	}
	*to = *to * 10 + (unsigned)(c - '0');
	return true;
}

static bool take(struct parts *p, char what, char c)
{
	switch (what) {
	case 'D':
		return c == ' ' || take_digit(&p->day, c);
	case 'd':
		return take_digit(&p->day, c);
	case 'm':
		p->name[p->n_name++] = c;
		return true;
	case 'y':
		p->n_year++;
		return take_digit(&p->year, c);
	case 'h':
		return take_digit(&p->hour, c);
	case 'n':
		return take_digit(&p->minute, c);
	case 's':
		return take_digit(&p->second, c);
	default:
		return c == what;
	}
}

static bool read_form(struct bytes text, const char *form, struct parts *out)
{
	struct parts p = {.day = 0};

	if (text.n != strlen(form)) {
		return false;
	}
	for (size_t i = 0; i < text.n; i++) {
		if (!take(&p, form[i], text.p[i])) {
			return false;
		}
	}
	*out = p;
	return true;
}

/* Cuts the name of a day off, a long one or its first three letters. */
static bool cut_day(struct bytes *text, bool *is_long)
{
	static const char *const names[] = {
		"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct bytes name = bytes_str(names[i]);

		*is_long = bytes_starts(*text, name);
		name.n = *is_long ? name.n : 3;
		if (bytes_starts(*text, name)) {
			*text = bytes_of(text->p + name.n, text->n - name.n);
			return true;
		}
	}
	return false;
}

static bool name_month(struct parts *p)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (unsigned m = 0; m < 12; m++) {
		if (memcmp(names + (size_t)m * 3, p->name, 3) == 0) {
			p->month = m + 1;
			return true;
		}
	}
	return false;
}

static bool is_leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static bool in_range(const struct parts *p)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	unsigned last = days[p->month - 1] + (p->month == 2 && is_leap(p->year) ? 1u : 0u);

	return p->year >= YEAR_MIN && p->day >= 1 && p->day <= last && p->hour <= 23 &&
		p->minute <= 59 && p->second <= 60;
}

/* Whole days from 1970-01-01: the year is counted from March, so that a leap day is its last. */
static int64_t days_since_1970(const struct parts *p)
{
	int64_t year = (int64_t)p->year - (p->month <= 2 ? 1 : 0);
	int64_t month = p->month > 2 ? p->month - 3 : p->month + 9;
	int64_t day_of_year = (153 * month + 2) / 5 + p->day - 1;

	return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

static unsigned year_of(uint64_t now_s)
{
	uint64_t year = 1970 + now_s / 31556952;

	return year < 9999 ? (unsigned)year : 9999;
}

static void add_century(struct parts *p, uint64_t now_s)
{
	unsigned now = year_of(now_s);

	p->year += now / 100 * 100 + 100;
	while (p->year > now + AHEAD_YEARS_MAX) {
		p->year -= 100;
	}
}

bool http_date_parse(struct bytes text, uint64_t now_s, int64_t *out)
{
	struct parts p;
	bool is_long;

	if (!cut_day(&text, &is_long)) {
		return false;
	}
	if (!(is_long ? read_form(text, ", dd-mmm-yy hh:nn:ss GMT", &p)
		      : read_form(text, ", dd mmm yyyy hh:nn:ss GMT", &p) ||
				    read_form(text, " mmm Dd hh:nn:ss yyyy", &p))) {
		return false;
	}
	if (p.n_year == 2) {
		add_century(&p, now_s);
	}
	if (!name_month(&p) || !in_range(&p)) {
		return false;
	}
	*out = days_since_1970(&p) * SECONDS_PER_DAY + (int64_t)p.hour * 3600 +
		(int64_t)p.minute * 60 + (p.second < 60 ? p.second : 59);
	return true;
}
