/*
 * Header control of a route, on a head that is complete but for what the dialect adds. Works on the list of
 * fields that is about to be sent: nothing is copied, and routes without header control do not come here.
 */
#include "plan/header_control.h"
#include "proxy/exchange.h"

static void take_away(struct head_out *out, struct bytes name)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < out->n; i++) {
		if (!bytes_eq_nocase(out->v[i].name, name)) {
			out->v[kept++] = out->v[i];
		}
	}
	out->n = kept;
}

static struct bytes piece_text(const struct exchange *x, const struct header_piece *p)
{
	switch (p->part) {
	case HEADER_TEXT:
		break;
	case HEADER_CONSUMER:
		return x->rq->texts.consumer;
	case HEADER_MODEL:
		return x->rq->texts.model;
	case HEADER_REQUEST_ID:
		return bytes_of(x->rec.id, x->rec.id_n);
	}
	return p->text;
}

/* What a client wrote into its body must not end the field: control characters become '_'. */
static void make_safe(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f) {
			p[i] = '_';
		}
	}
}

static struct bytes value_of(struct exchange *x, const struct header_edit *e, struct head_out *out)
{
	struct text t;
	size_t n = 0;
	char *room;

	if (e->n == 0) {
		return BYTES("");
	}
	if (e->n == 1 && e->v[0].part == HEADER_TEXT) {
		return e->v[0].text;
	}
	for (size_t i = 0; i < e->n; i++) {
		n += piece_text(x, &e->v[i]).n;
	}
	room = arena_alloc(&x->rq->arena, n + 1);
	if (room == NULL) {
		out->overflow = true;
		return BYTES("");
	}
	text_init_fixed(&t, room, n + 1);
	for (size_t i = 0; i < e->n; i++) {
		text_add_bytes(&t, piece_text(x, &e->v[i]));
	}
	make_safe(room, t.n);
	return text_bytes(&t);
}

void headers_control(struct exchange *x, const struct header_edits *e, struct head_out *out)
{
	for (size_t i = 0; i < e->n_remove; i++) {
		take_away(out, e->remove[i]);
	}
	for (size_t i = 0; i < e->n_set; i++) {
		take_away(out, e->set[i].name);
		head_out_add(out, e->set[i].name, value_of(x, &e->set[i], out));
	}
	for (size_t i = 0; i < e->n_add; i++) {
		head_out_add(out, e->add[i].name, value_of(x, &e->add[i], out));
	}
}

void headers_settle(struct head_out *out, unsigned from)
{
	for (; from < out->n; from++) {
		unsigned kept = 0;

		for (unsigned i = 0; i < out->n; i++) {
			if (i >= from || !bytes_eq_nocase(out->v[i].name, out->v[from].name)) {
				out->v[kept++] = out->v[i];
			}
		}
		from -= out->n - kept;
		out->n = kept;
	}
}
