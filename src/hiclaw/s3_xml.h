/*
 * What an object store says in XML: lists of objects (ListObjectsV2) and errors. A document type, and with it
 * every entity that a document could define, is refused.
 */
#ifndef HICLAW_S3_XML_H
#define HICLAW_S3_XML_H

#include "base/arena.h"
#include "base/err.h"

/* Attack: an answer that costs memory. 1000 keys of 1024 bytes, all of them escaped, fit. */
#define S3_XML_MAX ((size_t)8 << 20)
/* Attack: nesting. A list has four levels. */
#define S3_XML_DEPTH_MAX 16u
/* Attack: a text without end; the longest one of a list is an escaped key. */
#define S3_XML_TEXT_MAX ((size_t)8 << 10)

struct s3_object {
	struct s3_object *next;
	struct bytes key;
	struct bytes etag;     /* with its quotes, as HTTP has it */
	struct bytes modified; /* as it stands: ISO 8601 */
	uint64_t size;
};

struct s3_listing {
	struct s3_object *first, *last; /* objects; .gitkeep files are left out */
	struct s3_object *first_prefix,
		*last_prefix; /* only the key is set: ends with the delimiter */
	size_t n;             /* of both */
	bool truncated;
	struct bytes next; /* token of the following page */
};

/* Appends a page to *out; truncated and next are this page's. Texts are in the arena. ERR_SYNTAX: no such
 * document; ERR_LIMIT. What was appended before a failure stays. */
MUST_CHECK int s3_xml_list(
	struct arena *a, struct bytes text, struct s3_listing *out, struct fault *fault);

struct s3_error { /* empty: not said; control characters are left out */
	char code[64], message[128], region[64];
};

/* False: it is no error document; *out is then empty. */
bool s3_xml_error(struct bytes text, struct s3_error *out);

#endif
