#include "wire/model_names.h"

#include "wire/json.h"

enum { WANT_DATA, WANT_ID };

static const struct json_want wants[] = {
	[WANT_DATA] = {"data", NULL}, [WANT_ID] = {"data[].id", NULL}};

static bool is_name(struct bytes s)
{
	if (s.n == 0 || s.n > MODEL_NAME_MAX) {
		return false;
	}
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) {
			return false;
		}
	}
	return true;
}

/* The inside of a string. */
static void add_name(struct bytes json, const struct json_hit *h, struct text *out)
{
	struct bytes raw = bytes_of(json.p + h->beg + 1, (size_t)(h->end - h->beg) - 2);
	char room[MODEL_NAME_MAX + 1];
	struct text name;

	/* No escape is more than twelve times as long as what it stands for. */
	if (raw.n > 12u * MODEL_NAME_MAX) {
		return;
	}
	text_init_fixed(&name, room, sizeof(room));
	json_unescape(raw, &name);
	if (!text_full(&name) && is_name(text_bytes(&name))) {
		text_add_bytes(out, text_bytes(&name));
		text_add_char(out, '\0');
	}
}

static int read_hits(
	struct bytes json, const struct json_hits *hits, struct text *out, struct fault *f)
{
	const struct json_hit *list = json_hits_get(hits, WANT_DATA, NULL);

	if (list == NULL || list->type != JSON_ARRAY) {
		return fault_set(
			f, ERR_SYNTAX, 502, 0, "it is no JSON object with a list \"data\"");
	}
	for (size_t i = 0; i < hits->n; i++) {
		if (hits->v[i].want == WANT_ID && hits->v[i].type == JSON_STRING) {
			add_name(json, &hits->v[i], out);
		}
	}
	return 0;
}

int model_names_read(struct bytes json, struct text *out, struct fault *f)
{
	struct json_query *q;
	struct json_hits hits;
	int rc;

	if (json.n > MODEL_NAMES_ANSWER_MAX) {
		return fault_set(
			f, ERR_LIMIT, 502, 0, "it has more than %zu bytes", MODEL_NAMES_ANSWER_MAX);
	}
	q = json_query_new(wants, ARRAY_LEN(wants));
	json_hits_init(&hits, NULL, 0, MODEL_NAMES_MAX + 1);
	rc = json_scan_all(q, json, &hits, f);
	rc = rc == 0 ? read_hits(json, &hits, out, f) : rc;
	json_hits_done(&hits);
	json_query_free(q);
	return rc;
}
