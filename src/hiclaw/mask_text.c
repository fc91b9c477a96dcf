#include "hiclaw/mask_text.h"

#define STARS "***"
/* Shorter words are names of things. */
#define KEY_MIN 16u
/* Words that long are no names, whatever they are made of: identifiers of 128 bits, and keys that are such. */
#define LONG_MIN 32u
/* What stays of a key, so that a person knows which it was. */
#define SHOWN 3u
#define SECRET_MIN 4u
#define CREDENTIAL_MIN 8u

static const char *const beginnings[] = {
	"sk-", "sk_", "ak-", "pk-", "AIza", "gsk_", "xai-", "hf_", "key-", "r8_", "nvapi-", "fw_"};
static const char *const schemes[] = {"Bearer ", "Basic "};

static bool is_letter(char c)
{
	return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

static bool is_of_word(char c)
{
	return is_letter(c) || ascii_digit(c) || c == '-' || c == '_' || c == '.' || c == '*';
}

/* Letters and digits mixed in one piece that long: dates and versions are in pieces of their own. */
static bool has_mixed_piece(struct bytes w)
{
	size_t n = 0;
	bool letters = false;
	bool digits = false;

	for (size_t i = 0; i < w.n; i++) {
		if (!is_letter(w.p[i]) && !ascii_digit(w.p[i])) {
			n = 0;
			letters = digits = false;
			continue;
		}
		n++;
		letters |= is_letter(w.p[i]);
		digits |= ascii_digit(w.p[i]);
		if (n >= KEY_MIN && letters && digits) {
			return true;
		}
	}
	return false;
}

static bool has_digit(struct bytes w)
{
	for (size_t i = 0; i < w.n; i++) {
		if (ascii_digit(w.p[i])) {
			return true;
		}
	}
	return false;
}

static bool looks_like_key(struct bytes w)
{
	for (size_t i = 0; i < ARRAY_LEN(beginnings); i++) {
		struct bytes b = bytes_str(beginnings[i]);

		if (bytes_starts(w, b) && w.n >= b.n + SECRET_MIN) {
			return true;
		}
	}
	return w.n >= KEY_MIN && (has_mixed_piece(w) || (w.n >= LONG_MIN && has_digit(w)));
}

/* The secret that the text begins with: its length, or 0. */
static size_t secret_at(struct bytes text, const struct strings *secrets)
{
	size_t longest = 0;

	for (size_t i = 0; secrets != NULL && i < secrets->n; i++) {
		if (secrets->v[i].n >= MAX(SECRET_MIN, longest) &&
			bytes_starts(text, secrets->v[i])) {
			longest = secrets->v[i].n;
		}
	}
	return longest;
}

/* "Bearer abc": where the credential begins and how long it is; 0: none is there. */
static size_t credential_at(struct bytes text, size_t *at_out)
{
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		size_t at = bytes_str(schemes[i]).n;
		size_t end = at;

		if (!bytes_starts_nocase(text, bytes_str(schemes[i]))) {
			continue;
		}
		while (end < text.n && text.p[end] > ' ' && text.p[end] != '"') {
			end++;
		}
		*at_out = at;
		return end - at >= CREDENTIAL_MIN ? end - at : 0;
	}
	return 0;
}

/* Up to a secret inside of it. */
static size_t word_length(struct bytes text, const struct strings *secrets)
{
	size_t n = 0;

	while (n < text.n && is_of_word(text.p[n]) &&
		(n == 0 || secret_at(bytes_of(text.p + n, text.n - n), secrets) == 0)) {
		n++;
	}
	while (n > 0 && text.p[n - 1] == '.') { /* the end of a sentence */
		n--;
	}
	return n;
}

static void put_word(struct bytes w, struct bytes keep, struct text *out)
{
	if (bytes_eq(w, keep) || !looks_like_key(w)) {
		text_add_bytes(out, w);
		return;
	}
	text_add(out, w.p, SHOWN);
	text_add_str(out, STARS);
}

/* Appends what the text begins with, masked; how much of it that was. */
static size_t put_piece(
	struct bytes text, const struct strings *secrets, struct bytes keep, struct text *out)
{
	size_t n = secret_at(text, secrets);
	size_t at = 0;

	if (n != 0) {
		text_add_str(out, STARS);
		return n;
	}
	n = credential_at(text, &at);
	if (n != 0) {
		text_add(out, text.p, at);
		text_add_str(out, STARS);
		return at + n;
	}
	n = word_length(text, secrets);
	if (n != 0) {
		put_word(bytes_of(text.p, n), keep, out);
		return n;
	}
	text_add_char(out, text.p[0]);
	return 1;
}

void mask_text(
	struct bytes text, const struct strings *secrets, struct bytes keep, struct text *out)
{
	while (text.n != 0) {
		size_t n = put_piece(text, secrets, keep, out);

		text = bytes_of(text.p + n, text.n - n);
	}
}
