/*
 * Expat calls back for elements and texts; names of the second and third level say what a text is. Keys come
 * percent-encoded when the answer says so, which it may do behind them: they are decoded at its end.
 */
#include "hiclaw/s3_xml.h"

#include <expat.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/text.h"
#include "wire/url.h"

#define NAME_MAX 32u

struct reader {
	XML_Parser parser;
	struct arena *arena;
	unsigned depth;
	char names[4][NAME_MAX]; /* of the elements that are open, the root first */
	struct text text;        /* of the innermost element */
	const char *why;         /* it was stopped; NULL: it was not */
	enum err err;
	/* lists */
	struct s3_listing *out;
	struct s3_object object;
	struct s3_object *last_before, *last_prefix_before; /* of earlier pages */
	bool encoded;
	/* errors */
	struct s3_error *error;
};

static void stop(struct reader *r, enum err err, const char *why)
{
	if (r->why == NULL) {
		r->why = why;
		r->err = err;
		IGNORE(XML_StopParser(
			r->parser, XML_FALSE)); /* it fails when it has stopped already */
	}
}

static bool is_at(const struct reader *r, unsigned level, const char *name)
{
	return strcmp(r->names[level], name) == 0;
}

static void XMLCALL on_begin(void *data, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *r = data;
	size_t n = strlen(name);

	(void)attributes;
	if (r->depth == S3_XML_DEPTH_MAX) {
		stop(r, ERR_LIMIT, "its elements are nested too deeply");
		return;
	}
	if (r->depth < ARRAY_LEN(r->names)) {
		memcpy(r->names[r->depth], name, MIN(n, NAME_MAX - 1));
		r->names[r->depth][MIN(n, NAME_MAX - 1)] = '\0';
	}
	r->depth++;
	text_clear(&r->text);
}

static void XMLCALL on_text(void *data, const XML_Char *s, int n)
{
	struct reader *r = data;

	text_add(&r->text, s, (size_t)n);
	if (text_full(&r->text)) {
		stop(r, ERR_LIMIT, "a text in it is too long");
	}
}

static void XMLCALL on_doctype(void *data, const XML_Char *name, const XML_Char *system,
	const XML_Char *public_id, int internal)
{
	(void)name;
	(void)system;
	(void)public_id;
	(void)internal;
	stop(data, ERR_REFUSED, "it has a document type");
}

/* The kind of document, once its root is open, and what is read of it. */
static int run(struct reader *r, struct bytes text, XML_EndElementHandler on_end)
{
	enum XML_Status status;

	if (text.n > S3_XML_MAX) {
		r->why = "it is too large";
		return r->err = ERR_LIMIT;
	}
	r->parser = XML_ParserCreate(NULL);
	if (r->parser == NULL) {
		r->why = "there is no memory to read it";
		return r->err = ERR_MEMORY;
	}
	text_init(&r->text, S3_XML_TEXT_MAX);
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_begin, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
	status = XML_Parse(r->parser, text.n != 0 ? text.p : "", (int)text.n, 1);
	if (status != XML_STATUS_OK && r->why == NULL) {
		r->why = "it is no well-formed XML";
		r->err = ERR_SYNTAX;
	}
	XML_ParserFree(r->parser);
	text_done(&r->text);
	return r->err;
}

/* --- lists ---------------------------------------------------------------------------------------- */

static struct bytes keep(struct reader *r, struct bytes s)
{
	struct bytes copy = arena_copy(r->arena, s);

	if (copy.p == NULL) {
		stop(r, ERR_LIMIT, "it lists more than there is room for");
	}
	return copy;
}

static void append(struct reader *r, struct s3_object **first, struct s3_object **last)
{
	struct s3_object *o = arena_alloc(r->arena, sizeof(*o));

	if (o == NULL) {
		stop(r, ERR_LIMIT, "it lists more than there is room for");
		return;
	}
	*o = r->object;
	o->next = NULL;
	if (*last != NULL) {
		(*last)->next = o;
	} else {
		*first = o;
	}
	*last = o;
	r->out->n++;
}

static void end_object_member(struct reader *r, struct bytes text)
{
	struct s3_object *o = &r->object;

	if (is_at(r, 2, "Key") || is_at(r, 2, "Prefix")) {
		o->key = keep(r, text);
	} else if (is_at(r, 2, "ETag")) {
		o->etag = keep(r, text);
	} else if (is_at(r, 2, "LastModified")) {
		o->modified = keep(r, text);
	} else if (is_at(r, 2, "Size") && !num_parse_u64(text, UINT64_MAX, &o->size)) {
		stop(r, ERR_SYNTAX, "a size in it is no number");
	}
}

/* Keys are not decoded yet. */
static bool is_placeholder(struct bytes key)
{
	return bytes_eq(key, BYTES(".gitkeep")) || bytes_ends(key, BYTES("/.gitkeep")) ||
		bytes_ends(key, BYTES("%2F.gitkeep"));
}

static void end_list_member(struct reader *r, struct bytes text)
{
	if (is_at(r, 1, "Contents") || is_at(r, 1, "CommonPrefixes")) {
		if (r->object.key.n == 0) {
			stop(r, ERR_SYNTAX, "an entry of it has no key");
		} else if (is_at(r, 1, "CommonPrefixes")) {
			append(r, &r->out->first_prefix, &r->out->last_prefix);
		} else if (!is_placeholder(r->object.key)) {
			append(r, &r->out->first, &r->out->last);
		}
		r->object = (struct s3_object){0};
	} else if (is_at(r, 1, "IsTruncated")) {
		r->out->truncated = bytes_eq(bytes_trim(text), BYTES("true"));
	} else if (is_at(r, 1, "NextContinuationToken")) {
		r->out->next = keep(r, text);
	} else if (is_at(r, 1, "EncodingType")) {
		r->encoded = bytes_eq(text, BYTES("url"));
	}
}

static void XMLCALL on_list_end(void *data, const XML_Char *name)
{
	struct reader *r = data;
	struct bytes text = text_bytes(&r->text);

	(void)name;
	if (r->depth == 3 && (is_at(r, 1, "Contents") || is_at(r, 1, "CommonPrefixes"))) {
		end_object_member(r, text);
	} else if (r->depth == 2 && is_at(r, 0, "ListBucketResult")) {
		end_list_member(r, text);
	}
	text_clear(&r->text);
	r->depth--;
}

/* Decodes in place: it never grows. */
static int decode(struct s3_object *o)
{
	for (; o != NULL; o = o->next) {
		char *p = (char *)(uintptr_t)o->key.p; /* the arena's copy */
		ptrdiff_t n = url_decode(p, o->key, true, false);

		if (n <= 0) {
			return ERR_SYNTAX;
		}
		o->key.n = (size_t)n;
	}
	return 0;
}

static int decode_page(const struct reader *r)
{
	struct s3_object *first = r->last_before != NULL ? r->last_before->next : r->out->first;
	struct s3_object *first_prefix =
		r->last_prefix_before != NULL ? r->last_prefix_before->next : r->out->first_prefix;

	return decode(first) != 0 || decode(first_prefix) != 0 ? ERR_SYNTAX : 0;
}

int s3_xml_list(struct arena *a, struct bytes text, struct s3_listing *out, struct fault *fault)
{
	struct reader r = {.arena = a,
		.out = out,
		.last_before = out->last,
		.last_prefix_before = out->last_prefix};

	out->truncated = false;
	out->next = bytes_of(NULL, 0);
	if (run(&r, text, on_list_end) == 0 && !is_at(&r, 0, "ListBucketResult")) {
		r.err = ERR_SYNTAX;
		r.why = "it is another document";
	}
	if (r.err == 0 && r.encoded && decode_page(&r) != 0) {
		r.err = ERR_SYNTAX;
		r.why = "a key in it is not encoded as it says";
	}
	if (r.err == 0 && out->truncated && out->next.n == 0) {
		r.err = ERR_SYNTAX;
		r.why = "it goes on and does not say where";
	}
	return r.err == 0
		? 0
		: fault_set(fault, r.err, 0, 0, "the list of objects cannot be read: %s", r.why);
}

/* --- errors --------------------------------------------------------------------------------------- */

static void take(char *out, size_t size, struct bytes s)
{
	size_t n = 0;

	for (size_t i = 0, step; i < s.n; i += step) {
		step = text_utf8(s.p + i, s.n - i);
		if (step == 0 || n + step >= size) {
			break;
		}
		if (step > 1 || ((unsigned char)s.p[i] >= 0x20 && s.p[i] != 0x7f)) {
			memcpy(out + n, s.p + i, step);
			n += step;
		}
	}
	out[n] = '\0';
}

static void XMLCALL on_error_end(void *data, const XML_Char *name)
{
	struct reader *r = data;
	struct bytes text = text_bytes(&r->text);

	if (r->depth == 2 && is_at(r, 0, "Error")) {
		if (strcmp(name, "Code") == 0) {
			take(r->error->code, sizeof(r->error->code), text);
		} else if (strcmp(name, "Message") == 0) {
			take(r->error->message, sizeof(r->error->message), text);
		} else if (strcmp(name, "Region") == 0) {
			take(r->error->region, sizeof(r->error->region), text);
		}
	}
	text_clear(&r->text);
	r->depth--;
}

bool s3_xml_error(struct bytes text, struct s3_error *out)
{
	struct reader r = {.error = out};

	*out = (struct s3_error){0};
	if (run(&r, text, on_error_end) != 0 || !is_at(&r, 0, "Error") || out->code[0] == '\0') {
		*out = (struct s3_error){0};
		return false;
	}
	return true;
}
