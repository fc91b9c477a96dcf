#include "manage/account.h"

#include <stdlib.h>

#include "base/digest.h"
#include "base/num.h"
#include "base/random.h"
#include "wire/json.h"

#define ARENA_MAX ((size_t)8 << 20)

static struct account *blank(void)
{
	struct account *a = must_alloc(sizeof(*a));

	atomic_init(&a->refs, 1);
	arena_init(&a->arena, ARENA_MAX);
	return a;
}

struct account *account_new(void)
{
	struct account *a = blank();

	random_secret(a->key, sizeof(a->key));
	return a;
}

static struct bytes keep(struct account *a, struct bytes b)
{
	struct bytes copy = arena_copy(&a->arena, b);

	return copy.p != NULL ? copy : BYTES("");
}

/* With room for one more public value. */
static struct account *copy_of(const struct account *before)
{
	struct account *a = blank();

	a->initialized = before->initialized;
	a->name = keep(a, before->name);
	a->display = keep(a, before->display);
	a->hash = keep(a, before->hash);
	a->generation = before->generation;
	memcpy(a->key, before->key, sizeof(a->key));
	a->configs.v = arena_must(&a->arena, (before->configs.n + 1) * sizeof(*a->configs.v));
	for (size_t i = 0; i < before->configs.n; i++) {
		a->configs.v[a->configs.n++] =
			(struct pair){.key = keep(a, before->configs.v[i].key),
				.value = keep(a, before->configs.v[i].value)};
	}
	return a;
}

struct account *account_with_admin(
	const struct account *before, struct bytes name, struct bytes display, struct bytes hash)
{
	struct account *a = copy_of(before);

	a->initialized = true;
	a->name = keep(a, name);
	a->display = keep(a, display);
	a->hash = keep(a, hash);
	a->generation++;
	return a;
}

struct account *account_with_config(
	const struct account *before, struct bytes key, struct bytes value)
{
	struct account *a = copy_of(before);

	value = bytes_trim(value);
	for (size_t i = 0; i < a->configs.n; i++) {
		if (bytes_eq(a->configs.v[i].key, key)) {
			a->configs.v[i].value = keep(a, value);
			return a;
		}
	}
	a->configs.v[a->configs.n++] = (struct pair){.key = keep(a, key), .value = keep(a, value)};
	return a;
}

struct account *account_ref(struct account *a)
{
	atomic_fetch_add(&a->refs, 1);
	return a;
}

void account_unref(struct account *a)
{
	unsigned before;

	if (a == NULL) {
		return;
	}
	before = atomic_fetch_sub(&a->refs, 1);
	ASSERT(before > 0);
	if (before == 1) {
		arena_done(&a->arena);
		free(a);
	}
}

/* --- on disk ------------------------------------------------------------------------------------ */

static int hex_digit(char c)
{
	return ascii_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_key(struct bytes hex, unsigned char key[ACCOUNT_KEY_SIZE])
{
	if (hex.n != 2 * (size_t)ACCOUNT_KEY_SIZE) {
		return false;
	}
	for (size_t i = 0; i < ACCOUNT_KEY_SIZE; i++) {
		int high = hex_digit(hex.p[2 * i]);
		int low = hex_digit(hex.p[2 * i + 1]);

		if (high < 0 || low < 0) {
			return false;
		}
		key[i] = (unsigned char)(high * 16 + low);
	}
	return true;
}

static bool fill(struct account *a, const struct json_value *v)
{
	const struct json_value *admin = json_get(v, "admin");
	const struct json_value *configs = json_get(v, "configs");
	const struct json_value *generation = json_get(v, "generation");

	if (!read_key(json_text(json_get(v, "key"), BYTES("")), a->key) || generation == NULL ||
		generation->type != JSON_NUMBER ||
		!json_number_u64(generation->text, &a->generation)) {
		return false;
	}
	a->name = json_text(json_get(admin, "name"), BYTES(""));
	a->display = json_text(json_get(admin, "displayName"), BYTES(""));
	a->hash = json_text(json_get(admin, "password"), BYTES(""));
	a->initialized = a->name.n != 0 && a->hash.n != 0;
	if (configs == NULL || configs->type != JSON_OBJECT) {
		return configs == NULL;
	}
	a->configs.v = arena_must(&a->arena, (configs->n + 1) * sizeof(*a->configs.v));
	for (const struct json_value *c = configs->items; c != NULL; c = c->next) {
		a->configs.v[a->configs.n++] =
			(struct pair){.key = c->key, .value = json_text(c, BYTES(""))};
	}
	return true;
}

int account_load(const char *path, struct account **out, struct fault *fault)
{
	struct account *a = blank();
	const struct json_value *v;
	struct bytes kept;
	struct text t;
	int rc;

	text_init(&t, ACCOUNT_FILE_MAX);
	rc = file_read(path, ACCOUNT_FILE_MAX, &t, NULL, fault);
	kept = keep(a, text_bytes(&t));
	text_done(&t);
	if (rc == 0) {
		v = json_parse(&a->arena, kept, NULL);
		if (v == NULL || !fill(a, v)) {
			rc = (int)fault_set(fault, ERR_SYNTAX, 0, 0,
				"%.100s is not what this program has written", path);
		}
	}
	if (rc != 0) {
		account_unref(a);
		return rc;
	}
	*out = a;
	return 0;
}

static void put(struct json_writer *w, const char *key, struct bytes value)
{
	json_key(w, key);
	json_put_string(w, value);
}

int account_save(const struct account *a, const char *path, struct fault *fault)
{
	char hex[DIGEST_HEX_SIZE];
	struct json_writer w;
	struct text t;
	int rc;

	static_assert(ACCOUNT_KEY_SIZE == DIGEST_SHA256_SIZE, "it is written like a digest");
	digest_hex(hex, a->key);
	text_init(&t, ACCOUNT_FILE_MAX);
	json_writer_init(&w, &t);
	json_open_object(&w);
	put(&w, "key", bytes_of(hex, sizeof(hex)));
	json_key(&w, "generation");
	json_put_u64(&w, a->generation);
	json_key(&w, "admin");
	json_open_object(&w);
	if (a->initialized) {
		put(&w, "name", a->name);
		put(&w, "displayName", a->display);
		put(&w, "password", a->hash);
	}
	json_close_object(&w);
	json_key(&w, "configs");
	json_open_object(&w);
	for (size_t i = 0; i < a->configs.n; i++) {
		json_key_bytes(&w, a->configs.v[i].key);
		json_put_string(&w, a->configs.v[i].value);
	}
	json_close_object(&w);
	json_close_object(&w);
	text_add_char(&t, '\n');
	rc = text_full(&t)
		? (int)fault_set(fault, ERR_LIMIT, 400, 0, "the public configuration is too large")
		: file_write_atomic(path, text_bytes(&t), 0600, fault);
	text_done(&t);
	return rc;
}
