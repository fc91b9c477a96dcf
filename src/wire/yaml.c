/*
 * libyaml's events, one after the other, into the tree. What tools write is read without libyaml where
 * it is plain enough (wire/yaml_block.h), which is several times faster.
 *
 * Marks of libyaml count characters: `cursor` follows them through the bytes.
 */
#include "wire/yaml.h"

#include <stdlib.h>
#include <yaml.h>

#include "wire/yaml_block.h"
#include "wire/yaml_tree.h"

/* Attack: libyaml compares each % directive with all before it. */
#define DIRECTIVES_MAX 16u

struct reader {
	yaml_parser_t parser;
	struct bytes text; /* without byte order mark */
	size_t skipped;    /* its length */
	bool ascii;
	size_t cursor_index, cursor_byte;
	uint64_t flow; /* bit per open collection: in brackets */
	struct yaml_tree tree;
	bool done;
};

static struct yaml_spot spot_at(yaml_mark_t at)
{
	return (struct yaml_spot){(uint32_t)at.line + 1, (uint32_t)at.column + 1, 0, 0};
}

static int fail(const struct reader *b, yaml_mark_t mark, const char *what)
{
	struct yaml_spot at = spot_at(mark);

	return yaml_tree_fail(&b->tree, ERR_SYNTAX, &at, "%s", what);
}

/* libyaml's mark as an offset in bytes. Neighbouring marks are near: the cursor walks both ways. */
static size_t byte_of(struct reader *b, yaml_mark_t mark)
{
	if (b->ascii) {
		return MIN(mark.index, b->text.n);
	}
	while (b->cursor_index < mark.index && b->cursor_byte < b->text.n) {
		do {
			b->cursor_byte++;
		} while (b->cursor_byte < b->text.n &&
			((unsigned char)b->text.p[b->cursor_byte] & 0xc0) == 0x80);
		b->cursor_index++;
	}
	while (b->cursor_index > mark.index) {
		do {
			b->cursor_byte--;
		} while (((unsigned char)b->text.p[b->cursor_byte] & 0xc0) == 0x80);
		b->cursor_index--;
	}
	return b->cursor_byte;
}

static uint32_t offset_of(struct reader *b, yaml_mark_t mark)
{
	return (uint32_t)(b->skipped + byte_of(b, mark));
}

static struct yaml_spot spot_of(struct reader *b, const yaml_event_t *ev)
{
	struct yaml_spot at = spot_at(ev->start_mark);

	at.beg = offset_of(b, ev->start_mark);
	at.end = offset_of(b, ev->end_mark);
	return at;
}

static int on_scalar(struct reader *b, const yaml_event_t *ev)
{
	struct yaml_spot at = spot_of(b, ev);
	const struct yaml_scalar s = {
		.text = {(const char *)ev->data.scalar.value, ev->data.scalar.length},
		.plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE,
		.tag = (const char *)ev->data.scalar.tag,
		.anchor = (const char *)ev->data.scalar.anchor,
	};

	return yaml_tree_scalar(&b->tree, &at, &s);
}

static int on_start(struct reader *b, const yaml_event_t *ev, enum yaml_type type,
	const yaml_char_t *anchor, bool flow)
{
	struct yaml_spot at = spot_of(b, ev);
	uint64_t bit = UINT64_C(1) << (b->tree.depth % YAML_DEPTH_MAX);

	static_assert(YAML_DEPTH_MAX <= 64, "a bit for each open collection");
	b->flow = flow ? b->flow | bit : b->flow & ~bit;
	return yaml_tree_start(&b->tree, &at, type, (const char *)anchor);
}

static int on_end(struct reader *b, const yaml_event_t *ev)
{
	bool flow = (b->flow >> (b->tree.depth - 1) & 1) != 0;

	return yaml_tree_end(&b->tree, flow ? offset_of(b, ev->end_mark) : 0);
}

static int on_alias(struct reader *b, const yaml_event_t *ev)
{
	struct yaml_spot at = spot_of(b, ev);

	return yaml_tree_alias(&b->tree, &at, (const char *)ev->data.alias.anchor);
}

/* What stands behind the first document: nothing, a further document (left unread, so that it need not
 * even be YAML), or text that was meant to belong to the first. */
static int on_document_end(struct reader *b, const yaml_event_t *ev)
{
	const char *p = b->text.p + byte_of(b, ev->end_mark);
	const char *end = b->text.p + b->text.n;
	yaml_mark_t at = ev->end_mark;
	bool closed = ev->data.document_end.implicit == 0;

	b->done = true;
	for (; p < end; p++) {
		bool first = p == b->text.p || p[-1] == '\n' || p[-1] == '\r';

		if (*p == '\n' || (*p == '\r' && (p + 1 == end || p[1] != '\n'))) {
			at.line++;
		} else if (*p == '#') {
			while (p + 1 < end && p[1] != '\n' && p[1] != '\r') {
				p++;
			}
		} else if (first && end - p >= 3 && memcmp(p, "...", 3) == 0) {
			closed = true;
			p += 2;
		} else if (*p != ' ' && *p != '\t' && *p != '\r') {
			b->tree.doc.more = closed || (first && (*p == '-' || *p == '%'));
			b->tree.doc.more_line = (uint32_t)at.line + 1;
			return b->tree.doc.more
				? 0
				: fail(b, at, "text follows the end of the document");
		}
	}
	return 0;
}

static int on_event(struct reader *b, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_ALIAS_EVENT:
		return on_alias(b, ev);
	case YAML_SCALAR_EVENT:
		return on_scalar(b, ev);
	case YAML_SEQUENCE_START_EVENT:
		return on_start(b, ev, YAML_SEQ, ev->data.sequence_start.anchor,
			ev->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE);
	case YAML_MAPPING_START_EVENT:
		return on_start(b, ev, YAML_MAP, ev->data.mapping_start.anchor,
			ev->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_end(b, ev);
	case YAML_DOCUMENT_END_EVENT:
		return on_document_end(b, ev);
	case YAML_STREAM_END_EVENT:
		b->done = true;
		return 0;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_START_EVENT:
		break;
	}
	return 0;
}

/* libyaml's reader knows the byte, its scanner and parser know line and column. */
static int parser_fault(struct reader *b)
{
	const yaml_parser_t *p = &b->parser;
	const char *what = p->problem != NULL ? p->problem : "not YAML";
	yaml_mark_t at = p->problem_mark;

	if (p->error == YAML_MEMORY_ERROR) {
		struct yaml_spot spot = spot_at(at);

		return yaml_tree_no_memory(&b->tree, &spot);
	}
	if (p->error == YAML_READER_ERROR) {
		size_t n = MIN(p->problem_offset, b->text.n);

		at = (yaml_mark_t){0};
		for (size_t i = 0; i < n; i++) {
			at.column += ((unsigned char)b->text.p[i] & 0xc0) != 0x80;
			if (b->text.p[i] == '\n') {
				at = (yaml_mark_t){.line = at.line + 1};
			}
		}
	}
	return fail(b, at, what);
}

static int run(struct reader *b)
{
	int rc = 0;

	while (rc == 0 && !b->done) {
		yaml_event_t ev;

		if (!yaml_parser_parse(&b->parser, &ev)) {
			return parser_fault(b);
		}
		rc = on_event(b, &ev);
		yaml_event_delete(&ev);
	}
	return rc;
}

static bool too_many_directives(struct bytes text)
{
	size_t n = 0;

	while (text.p != NULL && n <= DIRECTIVES_MAX) {
		struct bytes line = bytes_cut(&text, '\n');
		struct bytes inside = bytes_trim(line);

		if (line.n != 0 && line.p[0] == '%') {
			n++;
		} else if (inside.n != 0 && inside.p[0] != '#' && inside.p[0] != '\r') {
			break;
		}
	}
	return n > DIRECTIVES_MAX;
}

static bool is_ascii(struct bytes text)
{
	unsigned char any = 0;

	for (size_t i = 0; i < text.n; i++) {
		any |= (unsigned char)text.p[i];
	}
	return any < 0x80;
}

static int read_events(struct reader *b)
{
	int rc;

	if (!yaml_parser_initialize(&b->parser)) {
		return fault_set(b->tree.fault, ERR_LIMIT, 0, 1, "no memory, column 1");
	}
	yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b->parser, (const unsigned char *)b->text.p, b->text.n);
	rc = run(b);
	yaml_parser_delete(&b->parser);
	return rc;
}

int yaml_read_events(struct arena *a, struct bytes text, struct yaml_doc *out, struct fault *fault)
{
	struct reader *b = must_alloc(sizeof(*b));
	int rc;

	yaml_tree_init(&b->tree, a, fault);
	b->skipped = bytes_starts(text, BYTES("\xef\xbb\xbf")) ? 3 : 0;
	b->text = text.n != 0 ? bytes_of(text.p + b->skipped, text.n - b->skipped) : BYTES("");
	b->ascii = is_ascii(b->text);
	rc = read_events(b);
	if (rc == 0) {
		*out = b->tree.doc;
	}
	yaml_tree_done(&b->tree);
	free(b);
	return rc;
}

int yaml_parse(struct arena *a, struct bytes text, struct yaml_doc *out, struct fault *fault)
{
	struct arena_mark mark = arena_mark(a);

	if (text.n >= UINT32_MAX || too_many_directives(text)) {
		return fault_set(
			fault, ERR_LIMIT, 0, 1, "too large or too many %% directives, column 1");
	}
	if (yaml_block_read(a, text, out)) {
		return 0;
	}
	arena_rewind(a, &mark);
	return yaml_read_events(a, text, out, fault);
}
