#include "manage/session.h"

#include "base/digest.h"
#include "base/num.h"
#include "wire/base64.h"

/* So that no other statement signed with the key is taken for a session. */
#define PURPOSE "session:"

static void sign(const struct account *a, struct bytes statement, char hex[DIGEST_HEX_SIZE])
{
	unsigned char mac[DIGEST_SHA256_SIZE];
	struct text t;

	text_init(&t, 2 * SESSION_TOKEN_MAX);
	text_add_str(&t, PURPOSE);
	text_add_bytes(&t, statement);
	digest_hmac_sha256(mac, bytes_of((const char *)a->key, sizeof(a->key)), text_bytes(&t));
	text_done(&t);
	digest_hex(hex, mac);
}

static void put_hex(struct text *out, struct bytes b)
{
	for (size_t i = 0; i < b.n; i++) {
		text_addf(out, "%02x", (unsigned char)b.p[i]);
	}
}

/* What is said of every session of this password. */
static void put_statement(const struct account *a, struct text *out)
{
	text_add_str(out, "1.");
	put_hex(out, a->name);
	text_addf(out, ".%llu.", (unsigned long long)a->generation);
}

void session_token(const struct account *a, int64_t now_s, struct text *out)
{
	char hex[DIGEST_HEX_SIZE];
	struct text t;

	text_init(&t, SESSION_TOKEN_MAX);
	put_statement(a, &t);
	text_addf(&t, "%lld", (long long)now_s);
	sign(a, text_bytes(&t), hex);
	text_add_bytes(out, text_bytes(&t));
	text_add_char(out, '.');
	text_add(out, hex, sizeof(hex));
	text_done(&t);
}

bool session_token_is_good(const struct account *a, struct bytes token)
{
	char hex[DIGEST_HEX_SIZE];
	struct text begin;
	struct bytes statement;
	bool good;

	if (!a->initialized || token.n > SESSION_TOKEN_MAX || token.n <= DIGEST_HEX_SIZE + 1 ||
		token.p[token.n - DIGEST_HEX_SIZE - 1] != '.') {
		return false;
	}
	statement = bytes_of(token.p, token.n - DIGEST_HEX_SIZE - 1);
	sign(a, statement, hex);
	text_init(&begin, SESSION_TOKEN_MAX);
	put_statement(a, &begin);
	good = bytes_eq_secret(bytes_of(token.p + statement.n + 1, DIGEST_HEX_SIZE),
		       bytes_of(hex, sizeof(hex))) &&
		!text_full(&begin) && bytes_starts(statement, text_bytes(&begin));
	text_done(&begin);
	return good;
}

/* RFC 6265 §5.4: "a=1; b=2". */
static struct bytes find_cookie(struct bytes header)
{
	struct bytes rest = header;

	while (rest.p != NULL) {
		struct bytes pair = bytes_trim(bytes_cut(&rest, ';'));
		struct bytes name = bytes_cut(&pair, '=');

		if (pair.p != NULL && bytes_eq(bytes_trim(name), BYTES(SESSION_COOKIE))) {
			struct bytes value = bytes_trim(pair);

			if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"') {
				value = bytes_of(value.p + 1, value.n - 2);
			}
			return value;
		}
	}
	return bytes_of(NULL, 0);
}

struct bytes session_cookie_of(const struct head *h)
{
	for (unsigned i = 0; i < h->n_fields; i++) {
		struct bytes found;

		if (h->fields[i].id != FIELD_OTHER ||
			!bytes_eq_nocase(head_name(h, i), BYTES("cookie"))) {
			continue;
		}
		found = find_cookie(head_value(h, i));
		if (found.p != NULL) {
			return found;
		}
	}
	return bytes_of(NULL, 0);
}

void session_set_cookie(struct bytes token, bool keep, struct text *out)
{
	text_addf(out, SESSION_COOKIE "=" BYTES_FMT "; Path=/; HttpOnly; SameSite=Strict",
		BYTES_ARG(token));
	if (token.n == 0) {
		text_add_str(out, "; Max-Age=0");
	} else if (keep) {
		text_addf(out, "; Max-Age=%u", SESSION_MAX_AGE_S);
	}
}

bool session_basic(struct bytes header, char room[SESSION_BASIC_MAX], struct bytes *name,
	struct bytes *password)
{
	struct bytes value, rest;
	ptrdiff_t n;

	if (header.n < 6 || !bytes_starts_nocase(header, BYTES("Basic "))) {
		return false;
	}
	value = bytes_trim(bytes_of(header.p + 6, header.n - 6));
	if (value.n / 4 * 3 > SESSION_BASIC_MAX) {
		return false;
	}
	n = base64_decode(room, value);
	if (n < 0 || memchr(room, ':', (size_t)n) == NULL) {
		return false;
	}
	rest = bytes_of(room, (size_t)n);
	*name = bytes_cut(&rest, ':');
	*password = rest;
	return true;
}
