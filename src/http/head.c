#include "http/head.h"

#include "http/stream.h"

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

void stream_release_head(struct stream *s)
{
	seg_give(s->pool, s->head_seg);
	s->head_seg = NULL;
	s->head = NULL;
}
