#include "hiclaw/config_edit.h"

#include <stdio.h>

const char *config_code_name(enum config_code code)
{
	switch (code) {
	case CONFIG_OK:
		return "";
	case CONFIG_INCOMPLETE:
		return "CONFIG_INCOMPLETE";
	case CONFIG_NOT_EDITABLE:
		return "CONFIG_NOT_EDITABLE";
	case CONFIG_BUSY:
		return "CONFIG_BUSY";
	case CONFIG_VERIFY_FAILED:
		return "CONFIG_VERIFY_FAILED";
	case CONFIG_INVALID:
		return "INVALID_REQUEST";
	}
	return "";
}

void config_edit_refuse(struct config_edit *c, enum config_code code, const char *fmt, ...)
{
	char what[sizeof(c->fault->text)];
	va_list ap;

	if (!config_edit_ok(c)) {
		return;
	}
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	c->code = code;
	fault_set(c->fault, ERR_REFUSED, code == CONFIG_INVALID ? 400 : 500, 0, "%s", what);
}

void config_edit_open(
	struct config_edit *c, struct arena *a, struct bytes text, struct fault *fault)
{
	struct fault f = {0};
	const struct json_value *root = json5_parse(a, text, &f);

	*c = (struct config_edit){.code = CONFIG_OK, .fault = fault};
	json5_edit_init(&c->json, a, text, root);
	if (root == NULL) {
		config_edit_refuse(
			c, CONFIG_NOT_EDITABLE, "the configuration cannot be read: %s", f.text);
	} else if (root->type != JSON_OBJECT) {
		config_edit_refuse(c, CONFIG_NOT_EDITABLE, "the configuration is no object");
	}
}

const struct json_value *config_edit_member(
	struct config_edit *c, const struct json_value *outer, const char *key, const char *path)
{
	const struct json_value *v = json_get(outer, key);

	if (config_edit_ok(c) && v == NULL && json_get(outer, "$include") != NULL) {
		config_edit_refuse(c, CONFIG_NOT_EDITABLE,
			"%s may come from a file that is included around it: only what stands in this file "
			"can be changed",
			path);
	}
	return config_edit_ok(c) ? v : NULL;
}

const struct json_value *config_edit_enter(
	struct config_edit *c, const struct json_value *outer, const char *key, const char *path)
{
	const struct json_value *v = config_edit_member(c, outer, key, path);

	if (v != NULL && v->type != JSON_OBJECT) {
		config_edit_refuse(c, CONFIG_NOT_EDITABLE, "%s is no object", path);
	} else if (v != NULL && json_get(v, "$include") != NULL) {
		config_edit_refuse(c, CONFIG_NOT_EDITABLE,
			"%s comes from $include: only what stands in this file can be changed",
			path);
	}
	return config_edit_ok(c) ? v : NULL;
}

bool config_text_is(const struct json_value *v, struct bytes text)
{
	return v != NULL && v->type == JSON_STRING && bytes_eq(v->text, text);
}

static bool is_same(const struct json_value *v, const struct doc *d)
{
	uint64_t n;

	switch (d->type) {
	case DOC_BOOL:
		return v->type == (d->boolean ? JSON_TRUE : JSON_FALSE);
	case DOC_INT:
		return v->type == JSON_NUMBER && json5_number_u64(v->text, &n) &&
			n == (uint64_t)d->integer;
	case DOC_STRING:
		return config_text_is(v, d->text);
	case DOC_NULL:
	case DOC_FLOAT:
	case DOC_LIST:
	case DOC_MAP:
		break;
	}
	return false;
}

void config_edit_put(
	struct config_edit *c, const struct json_value *outer, const char *key, struct doc *value)
{
	const struct json_value *v = json_get(outer, key);

	if (!config_edit_ok(c) || outer == NULL || value == NULL) {
		return;
	}
	if (v == NULL) {
		json5_edit_add_member(&c->json, outer, bytes_str(key), value);
	} else if (!is_same(v, value)) {
		json5_edit_set(&c->json, v, value);
	}
}

enum config_code config_edit_close(struct config_edit *c, struct config_text *out)
{
	struct json5_edit *e = &c->json;
	struct fault f = {0};
	struct splice_edit *edits = arena_alloc(e->arena, sizeof(e->edits));
	struct bytes kept;
	struct text t;
	int rc;

	if (!config_edit_ok(c)) {
		return c->code;
	}
	text_init(&t, JSON5_TEXT_MAX);
	rc = json5_edit_write(e, &t, &f);
	kept = rc == 0 ? arena_copy(e->arena, text_bytes(&t)) : bytes_of(NULL, 0);
	text_done(&t);
	if (rc != 0) {
		config_edit_refuse(c, CONFIG_VERIFY_FAILED, "%s; nothing was changed", f.text);
	} else if (kept.p == NULL || edits == NULL) {
		config_edit_refuse(c, CONFIG_VERIFY_FAILED, "the edit needs too much memory");
	} else {
		memcpy(edits, e->edits, e->n_edits * sizeof(*edits));
		*out = (struct config_text){kept, e->n_edits != 0, edits, e->n_edits};
	}
	return c->code;
}
