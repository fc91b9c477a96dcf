#include "manage/call.h"

#include <stdlib.h>

#include "manage/manage_int.h"
#include "wire/json.h"

#define MESSAGE_MAX 512u

void call_end(struct call *c)
{
	struct call_work *work = c->work;

	list_remove(&c->link);
	list_remove(&c->wait);
	if (c->stream->out == STREAM_OUT_END) {
		stream_close(c->stream);
	} else {
		stream_reset(c->stream);
	}
	page_unref(c->page);
	free(c);
	if (work != NULL) {
		work->on_end(work);
	}
}

const char *call_peer(const struct call *c)
{
	return c->peer[0] != '\0' ? c->peer : stream_peer(c->stream);
}

static void on_stream(struct stream_user *u, struct stream *s)
{
	struct call *c = CONTAINER_OF(u, struct call, user);

	if (s->gone || s->out == STREAM_OUT_FAILED || s->in == STREAM_IN_FAILED) {
		call_end(c);
		return;
	}
	if (s->out == STREAM_OUT_IDLE && c->work != NULL) {
		c->work->on_body(c->work);
		return;
	}
	if (s->out == STREAM_OUT_OPEN) {
		stream_pump(s);
	}
	if (s->out == STREAM_OUT_END) {
		call_end(c);
	}
}

struct call *call_new(struct door *door, struct stream *s)
{
	struct call *c = must_alloc(sizeof(*c));

	c->door = door;
	c->stream = s;
	c->user.on_stream = on_stream;
	c->head = s->head;
	list_init(&c->wait);
	list_append(&door->manage->calls, &c->link);
	s->user = &c->user;
	return c;
}

static int page_fill(struct stream_source *s, struct iovec *v, int max)
{
	const struct call *c = CONTAINER_OF(s, struct call, source);

	if (max == 0 || c->page == NULL || c->sent == c->page->text.n) {
		return 0;
	}
	v[0] = (struct iovec){c->page->text.p + c->sent, c->page->text.n - c->sent};
	return 1;
}

static void page_sent(struct stream_source *s, size_t n)
{
	CONTAINER_OF(s, struct call, source)->sent += n;
}

static bool names(const struct header *v, size_t n, struct bytes name)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes_eq_nocase(v[i].name, name)) {
			return true;
		}
	}
	return false;
}

static void start(struct call *c, struct head_out *out, const char *type,
	const struct header *extra, size_t n_extra, struct stream_source *source)
{
	if (type != NULL) {
		head_out_add(out, BYTES("Content-Type"), bytes_str(type));
	}
	if (!names(extra, n_extra, BYTES("Cache-Control"))) {
		head_out_add(out, BYTES("Cache-Control"), BYTES("no-store"));
	}
	head_out_add(out, BYTES("X-Content-Type-Options"), BYTES("nosniff"));
	for (size_t i = 0; i < n_extra; i++) {
		head_out_add(out, extra[i].name, extra[i].value);
	}
	list_remove(&c->wait);
	if (stream_send(c->stream, out, source) != 0) {
		call_end(c);
		return;
	}
	stream_pump(c->stream);
	if (c->stream->out == STREAM_OUT_END) {
		call_end(c);
	}
}

void call_reply_with(struct call *c, unsigned status, const char *type, struct page *page,
	const struct header *extra, size_t n_extra)
{
	struct head_out out;

	head_out_init(&out);
	out.status = status;
	out.length = type != NULL ? page->text.n : 0;
	c->page = type != NULL ? page_ref(page) : NULL;
	c->source = (struct stream_source){page_fill, page_sent, true};
	start(c, &out, type, extra, n_extra, type != NULL ? &c->source : NULL);
}

void call_reply_source(struct call *c, unsigned status, const char *type,
	struct stream_source *source, const struct header *extra, size_t n_extra)
{
	struct head_out out;

	head_out_init(&out);
	out.status = status;
	out.length = HEAD_NO_LENGTH;
	start(c, &out, type, extra, n_extra, source);
}

void call_pump(struct call *c)
{
	stream_pump(c->stream);
	if (c->stream->out == STREAM_OUT_END) {
		call_end(c);
	}
}

void call_reply(struct call *c, unsigned status, const char *type, struct page *page,
	const struct header *extra)
{
	call_reply_with(c, status, type, page, extra, extra != NULL ? 1 : 0);
}

void call_refuse(struct call *c, unsigned status, const struct header *extra, const char *fmt, ...)
{
	struct json_writer w;
	struct text message;
	struct text body;
	struct page *page;
	va_list ap;

	text_init(&message, MESSAGE_MAX);
	va_start(ap, fmt);
	text_addv(&message, fmt, ap);
	va_end(ap);
	text_init(&body, 8 * MESSAGE_MAX);
	json_writer_init(&w, &body);
	json_open_object(&w);
	json_key(&w, "success");
	json_put_bool(&w, false);
	json_key(&w, "message");
	json_put_string(&w, text_bytes(&message));
	json_key(&w, "data");
	json_put_null(&w);
	json_close_object(&w);
	text_done(&message);
	page = page_new(&body);
	call_reply(c, status, "application/json", page, extra);
	page_unref(page);
}
