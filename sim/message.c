#define _GNU_SOURCE
#include "sim/message.h"

#include <stdlib.h>

#include "base/num.h"

enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_END, CHUNK_TRAILER };

#define CHUNK_LINE_MAX 1024u

void message_begin(struct message *m, bool is_request, size_t at)
{
	*m = (struct message){.is_request = is_request, .at = at};
}

void message_done(struct message *m)
{
	free(m->text);
	pipe_done(&m->body);
	*m = (struct message){0};
}

static void broken(struct message *m, const char *why)
{
	m->state = MESSAGE_BROKEN;
	m->why = why;
}

struct bytes message_field(const struct message *m, struct bytes name, unsigned i)
{
	for (unsigned k = 0; k < m->n_fields; k++) {
		if (bytes_eq_nocase(m->fields[k].name, name) && i-- == 0) {
			return m->fields[k].value;
		}
	}
	return bytes_of(NULL, 0);
}

/* --- head --------------------------------------------------------------------------------------- */

/* Cuts a line at CRLF; p == NULL when a bare CR or LF is in it. */
static struct bytes cut_line(struct bytes *rest)
{
	const char *cr = memchr(rest->p, '\r', rest->n);
	struct bytes line;

	if (cr == NULL || cr + 1 >= rest->p + rest->n || cr[1] != '\n' ||
		memchr(rest->p, '\n', (size_t)(cr - rest->p)) != NULL) {
		return bytes_of(NULL, 0);
	}
	line = bytes_of(rest->p, (size_t)(cr - rest->p));
	*rest = bytes_of(cr + 2, rest->n - line.n - 2);
	return line;
}

static bool read_first_line(struct message *m, struct bytes line)
{
	uint64_t status;

	m->first[0] = bytes_cut(&line, ' ');
	m->first[1] = bytes_cut(&line, ' ');
	m->first[2] = line.p == NULL ? bytes_of("", 0) : line;
	if (m->is_request) {
		return m->first[1].n != 0 && bytes_eq(m->first[2], BYTES("HTTP/1.1"));
	}
	if (!bytes_starts(m->first[0], BYTES("HTTP/1.")) || m->first[1].n != 3 ||
		!num_parse_u64(m->first[1], 999, &status)) {
		return false;
	}
	m->status = (unsigned)status;
	return true;
}

static bool read_fields(struct message *m, struct bytes rest)
{
	while (rest.n != 0) {
		struct bytes line = cut_line(&rest);
		struct bytes name;

		if (line.p == NULL || m->n_fields == MESSAGE_FIELDS_MAX) {
			return false;
		}
		name = bytes_cut(&line, ':');
		if (line.p == NULL || name.n == 0 || name.p[name.n - 1] == ' ') {
			return false;
		}
		m->fields[m->n_fields].name = name;
		m->fields[m->n_fields++].value = bytes_trim(line);
	}
	return true;
}

static void choose_framing(struct message *m)
{
	struct bytes length = message_field(m, BYTES("content-length"), 0);
	struct bytes coding = message_field(m, BYTES("transfer-encoding"), 0);

	m->state = MESSAGE_BODY;
	if (message_field(m, BYTES("content-length"), 1).p != NULL ||
		(length.p != NULL && coding.p != NULL)) {
		broken(m, "two lengths");
	} else if (coding.p != NULL && !bytes_eq_nocase(coding, BYTES("chunked"))) {
		broken(m, "an unknown transfer coding");
	} else if (length.p != NULL && !num_parse_u64(length, UINT64_MAX, &m->left)) {
		broken(m, "a length that is no number");
	} else if (!m->is_request &&
		(m->no_body || m->status < 200 || m->status == 204 || m->status == 304)) {
		m->state = MESSAGE_DONE;
	} else if (coding.p != NULL) {
		m->chunked = true;
	} else if (length.p == NULL && !m->is_request) {
		m->until_close = true;
	} else if (m->left == 0) {
		m->state = MESSAGE_DONE;
	}
}

static void read_head(struct message *m, struct bytes stream)
{
	struct bytes rest = bytes_of(stream.p + m->at, stream.n - m->at);
	const char *end = rest.n == 0 ? NULL : memmem(rest.p, rest.n, "\r\n\r\n", 4);
	struct bytes head;

	if (end == NULL) {
		return;
	}
	head = bytes_of(rest.p, (size_t)(end - rest.p) + 2);
	m->at += head.n + 2;
	m->text = bytes_dup(head);
	rest = bytes_of(m->text, head.n);
	head = cut_line(&rest);
	if (head.p == NULL || !read_first_line(m, head)) {
		broken(m, "a first line that is none");
	} else if (!read_fields(m, rest)) {
		broken(m, "a header line that is none");
	} else {
		choose_framing(m);
	}
}

/* --- body --------------------------------------------------------------------------------------- */

static void take(struct message *m, struct bytes stream)
{
	size_t n = (size_t)MIN(m->left, (uint64_t)(stream.n - m->at));

	pipe_add(&m->body, bytes_of(stream.p + m->at, n));
	m->at += n;
	m->left -= n;
}

/* The next line of chunked framing; p == NULL: more is needed, or it is broken. */
static struct bytes chunk_line(struct message *m, struct bytes stream)
{
	struct bytes rest = bytes_of(stream.p + m->at, stream.n - m->at);
	const char *lf = rest.n == 0 ? NULL : memchr(rest.p, '\n', rest.n);
	struct bytes line;

	if (lf == NULL) {
		if (rest.n > CHUNK_LINE_MAX) {
			broken(m, "a chunk line without end");
		}
		return bytes_of(NULL, 0);
	}
	line = cut_line(&rest);
	if (line.p == NULL) {
		broken(m, "a chunk line that does not end with CRLF");
		return line;
	}
	m->at += line.n + 2;
	return line;
}

/* One part of the framing; false: more bytes are needed, or it is over. */
static bool read_chunk_part(struct message *m, struct bytes stream)
{
	struct bytes line;

	if (m->chunk_part == CHUNK_DATA) {
		take(m, stream);
		m->chunk_part = m->left == 0 ? CHUNK_END : CHUNK_DATA;
		return m->left == 0;
	}
	line = chunk_line(m, stream);
	if (line.p == NULL) {
		return false;
	}
	if (m->chunk_part == CHUNK_SIZE) {
		if (!num_parse_hex(line, UINT32_MAX, &m->left)) {
			broken(m, "a chunk size that is none");
			return false;
		}
		m->chunks++;
		m->chunk_part = m->left == 0 ? CHUNK_TRAILER : CHUNK_DATA;
	} else if (m->chunk_part == CHUNK_END) {
		if (line.n != 0) {
			broken(m, "a chunk longer than its size");
		}
		m->chunk_part = CHUNK_SIZE;
	} else if (line.n == 0) {
		m->state = MESSAGE_DONE;
	}
	return m->state == MESSAGE_BODY;
}

void message_read(struct message *m, struct bytes stream, bool ended)
{
	if (m->state == MESSAGE_HEAD) {
		read_head(m, stream);
	}
	if (m->state != MESSAGE_BODY) {
		return;
	}
	if (m->chunked) {
		while (read_chunk_part(m, stream)) {}
	} else if (m->until_close) {
		m->left = UINT64_MAX;
		take(m, stream);
		m->state = ended ? MESSAGE_DONE : MESSAGE_BODY;
	} else {
		take(m, stream);
		m->state = m->left == 0 ? MESSAGE_DONE : MESSAGE_BODY;
	}
}

struct bytes message_next_event(struct message *m)
{
	struct bytes all = pipe_bytes(&m->body);
	size_t line = m->events_at; /* where the current line begins */

	for (size_t i = m->events_at; i < all.n; i++) {
		size_t end = i > line && all.p[i - 1] == '\r' ? i - 1 : i;

		if (all.p[i] != '\n') {
			continue;
		}
		if (end == line && line != m->events_at) {
			struct bytes event =
				bytes_of(all.p + m->events_at, line - m->events_at - 1);

			m->events_at = i + 1;
			return event.n != 0 && event.p[event.n - 1] == '\r'
				? bytes_of(event.p, event.n - 1)
				: event;
		}
		line = i + 1;
	}
	return bytes_of(NULL, 0);
}
