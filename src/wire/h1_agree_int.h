/*
 * For the fuzz targets of HTTP/1 heads: the same bytes fed whole, byte by byte and in two parts
 * must give the same facts, and a head that is accepted has no line end but CR LF in it.
 */
#ifndef WIRE_H1_AGREE_INT_H
#define WIRE_H1_AGREE_INT_H

#include "wire/h1.h"

struct h1_result {
	enum read_rc rc;
	int status;
	size_t used;
	struct h1_head head;
	struct field fields[H1_FIELDS_MAX];
};

/* One call of the parser that is looked at. */
typedef enum read_rc h1_agree_parse(
	struct h1_head *out, struct bytes in, size_t *scanned, size_t *used, struct fault *fault);

static void h1_agree_call(
	h1_agree_parse *parse, struct bytes in, size_t *scanned, struct h1_result *out)
{
	struct fault fault = {.status = 0};
	out->head.fields = out->fields;
	out->rc = parse(&out->head, in, scanned, &out->used, &fault);
	out->status = fault.status;
	ASSERT((out->rc == READ_FAIL) == (fault.status != 0));
	ASSERT(out->rc != READ_FAIL || fault.where <= in.n);
	ASSERT(out->rc != READ_MORE || *scanned == in.n);
}

static void h1_agree_same(const struct h1_result *a, const struct h1_result *b)
{
	ASSERT(a->rc == b->rc && a->status == b->status);
	if (a->rc != READ_DONE) {
		return;
	}
	const struct h1_head *x = &a->head;
	const struct h1_head *y = &b->head;
	ASSERT(a->used == b->used && x->n_fields == y->n_fields);
	ASSERT(bytes_eq(x->method, y->method) && bytes_eq(x->target, y->target));
	ASSERT(x->status == y->status && bytes_eq(x->reason, y->reason) && x->minor == y->minor);
	ASSERT(x->framing == y->framing && x->length == y->length);
	ASSERT(x->keep_alive == y->keep_alive && x->upgrade == y->upgrade);
	ASSERT(x->expect_continue == y->expect_continue);
	ASSERT(memcmp(a->fields, b->fields, x->n_fields * sizeof(struct field)) == 0);
}

static void h1_agree_accepted(const struct h1_result *r, struct bytes in)
{
	unsigned lines = 0;
	ASSERT(r->used >= 4 && r->used <= H1_HEAD_MAX && r->used <= in.n);
	ASSERT(memcmp(in.p + r->used - 4, "\r\n\r\n", 4) == 0);
	for (size_t i = 0; i < r->used; i++) {
		ASSERT(in.p[i] != '\0');
		ASSERT(in.p[i] != '\n' || (i > 0 && in.p[i - 1] == '\r'));
		ASSERT(in.p[i] != '\r' || in.p[i + 1] == '\n');
		lines += in.p[i] == '\n';
	}
	/* A start line and an empty line, and perhaps an empty one before a request. */
	ASSERT(lines == r->head.n_fields + 2 || (in.p[0] == '\r' && lines == r->head.n_fields + 3));
	for (unsigned i = 0; i < r->head.n_fields; i++) {
		const struct field *f = &r->fields[i];
		ASSERT(h1_is_token(bytes_of(in.p + f->name, f->name_n)));
		ASSERT(h1_is_value(bytes_of(in.p + f->value, f->value_n)));
		ASSERT(f->name + f->name_n < f->value && f->value + f->value_n < r->used);
		ASSERT(f->id == field_id_of(bytes_of(in.p + f->name, f->name_n)));
	}
}

static void h1_agree(h1_agree_parse *parse, struct bytes in)
{
	static struct h1_result whole, parts;
	size_t scanned = 0;
	h1_agree_call(parse, in, &scanned, &whole);
	if (whole.rc == READ_DONE) {
		h1_agree_accepted(&whole, in);
	}
	scanned = 0;
	parts.rc = READ_MORE;
	for (size_t n = 0; n <= in.n && parts.rc == READ_MORE; n++) {
		h1_agree_call(parse, bytes_of(in.p, n), &scanned, &parts);
	}
	h1_agree_same(&whole, &parts);
	scanned = 0;
	h1_agree_call(parse, bytes_of(in.p, in.n / 2), &scanned, &parts);
	if (parts.rc == READ_MORE) {
		h1_agree_call(parse, in, &scanned, &parts);
	}
	h1_agree_same(&whole, &parts);
}

#endif
