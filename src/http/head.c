#include "http/head.h"

#include "http/stream.h"

struct bytes head_get(const struct head *h, enum field_id id)
{
	for (unsigned i = 0; i < h->n_fields; i++) {
		if (h->fields[i].id == id) {
			return head_value(h, i);
		}
	}
	return (struct bytes){NULL, 0};
}

bool head_keep(struct head *h, struct arena *a)
{
	size_t size = h->n_fields * sizeof(struct field);
	struct field *copy;

	if (size == 0) {
		return true;
	}
	copy = arena_alloc(a, size);
	if (copy == NULL) {
		return false;
	}
	memcpy(copy, h->fields, size);
	h->fields = copy;
	return true;
}

void head_out_init(struct head_out *h)
{
	h->method = h->target = (struct bytes){NULL, 0};
	h->status = 0;
	h->length = HEAD_NO_LENGTH;
	h->no_body = false;
	h->to_close = false;
	h->n = 0;
	h->overflow = false;
}

void head_out_add(struct head_out *h, struct bytes name, struct bytes value)
{
	if (h->n == HEAD_OUT_MAX) {
		h->overflow = true;
		return;
	}
	h->v[h->n++] = (struct header){name, value};
}

void stream_release_head(struct stream *s)
{
	seg_give(s->pool, s->head_seg);
	s->head_seg = NULL;
}
