/*
 * Editing the configuration of an agent's runtime: what OpenClaw and CoPaw have in common. The files belong
 * to others; a change is a few spans, or a refusal with a code and one sentence.
 *
 * Once refused, an edit stays refused: calls after that do nothing, and the code is asked for at the end.
 */
#ifndef HICLAW_CONFIG_EDIT_H
#define HICLAW_CONFIG_EDIT_H

#include "wire/json5_edit.h"

enum config_code {
	CONFIG_OK,
	CONFIG_INCOMPLETE,   /* something is to be made of which a part is not known */
	CONFIG_NOT_EDITABLE, /* the text is broken, or what must be changed stands in another file */
	CONFIG_BUSY,         /* others change the file all the time */
	CONFIG_VERIFY_FAILED, /* the result does not say what was wanted: nothing is written */
	CONFIG_INVALID,       /* what is asked for cannot be */
};

/* As in answers: "CONFIG_INCOMPLETE", …; "INVALID_REQUEST" of CONFIG_INVALID, "" of CONFIG_OK. */
const char *config_code_name(enum config_code code);

/* For the arena of one edit: two trees (the old one and what was written), their texts, the edits. */
#define CONFIG_ARENA_MAX (2 * JSON5_ARENA_MAX + 2 * JSON5_TEXT_MAX)

struct config_edit {
	struct json5_edit json;
	enum config_code code;
	struct fault *fault; /* may be NULL */
};

struct config_text { /* the result; in the arena */
	struct bytes text;
	bool changed; /* false: text is what was read, and nothing need be written */
	const struct splice_edit *edits; /* of the old text, in their order */
	size_t n_edits;
};

/* The top value must be an object. */
void config_edit_open(
	struct config_edit *c, struct arena *a, struct bytes text, struct fault *fault);
/* Notes the refusal; the first one stays. */
void config_edit_refuse(struct config_edit *c, enum config_code code, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* Without a refusal so far. */
static inline bool config_edit_ok(const struct config_edit *c)
{
	return c->code == CONFIG_OK;
}
/*
 * The object under the last key of path (names joined by '.', which people read; the last is key) in
 * `outer`. NULL: it is not there, or (config_edit_ok is false) it is no object, or may stand in a file that
 * is included. An object that includes another is refused as well: what it holds cannot be seen.
 */
const struct json_value *config_edit_enter(
	struct config_edit *c, const struct json_value *outer, const char *key, const char *path);
/* The member itself, of any type. NULL: not there, or refused because it may stand in an included file. */
const struct json_value *config_edit_member(
	struct config_edit *c, const struct json_value *outer, const char *key, const char *path);
/* Puts value under key when it is not there or, for scalars, is something else. outer NULL or a refused
 * edit: nothing. */
void config_edit_put(
	struct config_edit *c, const struct json_value *outer, const char *key, struct doc *value);
/* Ends the edit. *out is set when the code is CONFIG_OK. */
MUST_CHECK enum config_code config_edit_close(struct config_edit *c, struct config_text *out);

/* Whether v is exactly that string. text has no ${VAR} in it (model_id_is_valid): what has one is replaced
 * by OpenClaw, and so counts as different from everything. */
bool config_text_is(const struct json_value *v, struct bytes text);

#endif
