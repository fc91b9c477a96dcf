#include "cli/option_value.h"

#include <stdlib.h>

#include "base/num.h"

static void *member(const struct option *row, void *target)
{
	return (char *)target + row->offset;
}

static const void *member_const(const struct option *row, const void *target)
{
	return (const char *)target + row->offset;
}

/* --- numbers ------------------------------------------------------------------------------------ */

struct unit {
	const char *suffix;
	uint64_t factor;
};

/* Largest first: formatting takes the first that divides. The plain number is last. */
static const struct unit byte_units[] = {
	{"G", 1024u * 1024u * 1024u}, {"M", 1024u * 1024u}, {"K", 1024u}, {"", 1}};
static const struct unit duration_units[] = {{"s", 1000}, {"ms", 1}};
static const struct unit plain_units[] = {{"", 1}};

static size_t units_of(const struct option *row, const struct unit **out)
{
	if (row->type == OPTION_BYTES) {
		*out = byte_units;
		return ARRAY_LEN(byte_units);
	}
	if (row->type == OPTION_DURATION) {
		*out = duration_units;
		return ARRAY_LEN(duration_units);
	}
	*out = plain_units;
	return ARRAY_LEN(plain_units);
}

static uint64_t number_get(const struct option *row, const void *target)
{
	uint32_t small;
	uint64_t big;

	if (row->size == sizeof(small)) {
		memcpy(&small, member_const(row, target), sizeof(small));
		return small;
	}
	ASSERT(row->size == sizeof(big));
	memcpy(&big, member_const(row, target), sizeof(big));
	return big;
}

static void number_put(const struct option *row, void *target, uint64_t v)
{
	uint32_t small = (uint32_t)v;

	if (row->size == sizeof(small)) {
		ASSERT(row->max <= UINT32_MAX);
		memcpy(member(row, target), &small, sizeof(small));
	} else {
		ASSERT(row->size == sizeof(v));
		memcpy(member(row, target), &v, sizeof(v));
	}
}

static void number_format(const struct option *row, uint64_t v, struct text *out)
{
	const struct unit *units;
	size_t n = units_of(row, &units);

	if (v == 0) {
		text_add_char(out, '0');
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (v % units[i].factor == 0) {
			text_add_u64(out, v / units[i].factor);
			text_add_str(out, units[i].suffix);
			return;
		}
	}
}

static bool number_parse(const struct option *row, struct bytes text, uint64_t *out)
{
	const struct unit *units;
	size_t n_units = units_of(row, &units);
	size_t digits = 0;
	struct bytes suffix;
	uint64_t v;

	while (digits < text.n && ascii_digit(text.p[digits])) {
		digits++;
	}
	suffix = bytes_of(text.p + digits, text.n - digits);
	if (!num_parse_u64(bytes_of(text.p, digits), row->max, &v)) {
		return false;
	}
	/* 0 is 0 in every unit. */
	if (v == 0 && suffix.n == 0) {
		*out = 0;
		return row->min == 0;
	}
	for (size_t i = 0; i < n_units; i++) {
		if (bytes_eq_nocase(suffix, bytes_str(units[i].suffix))) {
			size_t product;

			if (!num_mul(v, units[i].factor, &product)) {
				return false;
			}
			*out = product;
			return product >= row->min && product <= row->max;
		}
	}
	return false;
}

static bool number_set(
	const struct option *row, struct bytes text, void *target, bool store, struct text *want)
{
	static const char *const what[] = {
		[OPTION_NUMBER] = "whole number",
		[OPTION_BYTES] = "number of bytes (65536, 64K, 100M, 2G)",
		[OPTION_DURATION] = "duration (250ms, 30s)",
	};
	uint64_t v;

	if (!number_parse(row, text, &v)) {
		text_addf(want, "is no %s from ", what[row->type]);
		number_format(row, row->min, want);
		text_add_str(want, " to ");
		number_format(row, row->max, want);
		return false;
	}
	if (store) {
		number_put(row, target, v);
	}
	return true;
}

/* --- strings ------------------------------------------------------------------------------------ */

static bool string_set(
	const struct option *row, struct bytes text, void *target, bool store, struct text *want)
{
	char **at = member(row, target);

	if (row->type == OPTION_PATH && text.n == 0) {
		text_add_str(want, "is no path");
		return false;
	}
	if (text.n != 0 && memchr(text.p, '\0', text.n) != NULL) {
		text_add_str(want, "holds a NUL character");
		return false;
	}
	if (store) {
		free(*at);
		*at = bytes_dup(text);
	}
	return true;
}

/* --- choices ------------------------------------------------------------------------------------ */

static bool choice_set(
	const struct option *row, struct bytes text, void *target, bool store, struct text *want)
{
	struct bytes rest = bytes_str(row->choices);

	for (unsigned i = 0; rest.p != NULL; i++) {
		struct bytes choice = bytes_cut(&rest, '|');

		if (bytes_eq_nocase(choice, text)) {
			if (store) {
				memcpy(member(row, target), &i, sizeof(i));
			}
			return true;
		}
	}
	text_addf(want, "is none of %s", row->choices);
	return false;
}

static void choice_format(const struct option *row, const void *target, struct text *out)
{
	struct bytes rest = bytes_str(row->choices);
	struct bytes choice = rest;
	unsigned index;

	ASSERT(row->size == sizeof(index));
	memcpy(&index, member_const(row, target), sizeof(index));
	for (unsigned i = 0; i <= index; i++) {
		ASSERT(rest.p != NULL);
		choice = bytes_cut(&rest, '|');
	}
	text_add_bytes(out, choice);
}

/* The words that YAML 1.1 takes for booleans, and what shell scripts write. */
static bool bool_set(
	const struct option *row, struct bytes text, void *target, bool store, struct text *want)
{
	static const char *const words[] = {"false", "true", "off", "on", "no", "yes", "0", "1"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (bytes_eq_nocase(text, bytes_str(words[i]))) {
			bool v = i % 2 != 0;

			if (store) {
				memcpy(member(row, target), &v, sizeof(v));
			}
			return true;
		}
	}
	text_add_str(want, "is neither true nor false");
	return false;
}

/* --- addresses ---------------------------------------------------------------------------------- */

static bool address_parse(struct bytes text, struct sys_addr *out)
{
	size_t colon = text.n;
	uint64_t port;

	while (colon > 0 && text.p[colon - 1] != ':') {
		colon--;
	}
	if (colon < 2 || !num_parse_u64(bytes_of(text.p + colon, text.n - colon), 65535, &port)) {
		return false;
	}
	/* "::1:80" could be read in two ways: IPv6 addresses stand in brackets. */
	if (text.p[0] != '[' && memchr(text.p, ':', colon - 1) != NULL) {
		return false;
	}
	return sys_addr_parse(out, text.p, colon - 1, (uint16_t)port) == 0;
}

static bool addresses_set(
	const struct option *row, struct bytes text, void *target, bool store, struct text *want)
{
	struct option_addresses *list = member(row, target);
	struct bytes rest = text;
	size_t n = list->n;

	while (rest.p != NULL) {
		struct sys_addr addr;

		if (!address_parse(bytes_trim(bytes_cut(&rest, ',')), &addr)) {
			text_add_str(want, "is no ADDRESS:PORT (127.0.0.1:8080, [::1]:8080)");
			return false;
		}
		if (++n > OPTION_ADDRESSES_MAX) {
			text_addf(
				want, "is one address too many (at most %u)", OPTION_ADDRESSES_MAX);
			return false;
		}
		if (store) {
			list->v = must_realloc(list->v, n * sizeof(list->v[0]));
			list->v[n - 1] = addr;
			list->n = n;
		}
	}
	return true;
}

static bool addresses_format(const struct option *row, const void *target, struct text *out)
{
	const struct option_addresses *list = member_const(row, target);

	for (size_t i = 0; i < list->n; i++) {
		char one[SYS_ADDR_TEXT];

		text_add_str(out, i != 0 ? "," : "");
		text_add(out, one, sys_addr_format(&list->v[i], one));
	}
	return list->n != 0;
}

/* --- all ---------------------------------------------------------------------------------------- */

bool option_value_set(
	const struct option *row, struct bytes text, void *target, bool store, char *want)
{
	struct text said;
	bool ok = false;

	/* One byte is kept for the NUL. */
	text_init_fixed(&said, want, OPTION_WANT_MAX - 1);
	switch (row->type) {
	case OPTION_STRING:
	case OPTION_PATH:
		ok = string_set(row, text, target, store, &said);
		break;
	case OPTION_ADDRESSES:
		ok = addresses_set(row, text, target, store, &said);
		break;
	case OPTION_NUMBER:
	case OPTION_BYTES:
	case OPTION_DURATION:
		ok = number_set(row, text, target, store, &said);
		break;
	case OPTION_ENUM:
		ok = choice_set(row, text, target, store, &said);
		break;
	case OPTION_BOOL:
		ok = bool_set(row, text, target, store, &said);
		break;
	}
	want[said.n] = '\0';
	return ok;
}

void option_value_clear(const struct option *row, void *target)
{
	if (row->type == OPTION_STRING || row->type == OPTION_PATH) {
		char **at = member(row, target);

		free(*at);
		*at = NULL;
	} else if (row->type == OPTION_ADDRESSES) {
		struct option_addresses *list = member(row, target);

		free(list->v);
		*list = (struct option_addresses){NULL, 0};
	} else {
		memset(member(row, target), 0, row->size);
	}
}

bool option_value_format(const struct option *row, const void *target, struct text *out)
{
	char *const *string = member_const(row, target);
	const bool *flag = member_const(row, target);

	switch (row->type) {
	case OPTION_STRING:
	case OPTION_PATH:
		if (*string != NULL) {
			text_add_str(out, *string);
		}
		return *string != NULL;
	case OPTION_ADDRESSES:
		return addresses_format(row, target, out);
	case OPTION_NUMBER:
	case OPTION_BYTES:
	case OPTION_DURATION:
		number_format(row, number_get(row, target), out);
		return true;
	case OPTION_ENUM:
		choice_format(row, target, out);
		return true;
	case OPTION_BOOL:
		text_add_str(out, *flag ? "true" : "false");
		return true;
	}
	return false;
}
