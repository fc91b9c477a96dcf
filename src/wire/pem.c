/*
 * Line by line. OpenSSL's own reader was not taken: it passes over a block that lost the end of its
 * BEGIN line, so that a chain would be shorter than its author believes, it can ask a terminal for a
 * passphrase, and it knows no lines.
 */
#include "wire/pem.h"

#include "wire/base64.h"

#define DASHES "-----"
#define BEGIN "-----BEGIN "
#define END "-----END "

/* Without blanks at its ends; false when there is none left. */
static bool next_line(struct pem *p, struct bytes *out)
{
	size_t n = 0;

	if (p->rest.n == 0) {
		return false;
	}
	while (n < p->rest.n && p->rest.p[n] != '\n' && p->rest.p[n] != '\r') {
		n++;
	}
	*out = bytes_trim(bytes_of(p->rest.p, n));
	if (n + 1 < p->rest.n && p->rest.p[n] == '\r' && p->rest.p[n + 1] == '\n') {
		n++;
	}
	n += n < p->rest.n;
	p->rest = bytes_of(p->rest.p + n, p->rest.n - n);
	p->line++;
	return true;
}

/* What stands between `head` and the dashes at the end. */
static bool label_of(struct bytes line, struct bytes head, struct bytes *out)
{
	size_t around = head.n + sizeof(DASHES) - 1;

	if (line.n <= around || !bytes_starts(line, head) || !bytes_ends(line, BYTES(DASHES))) {
		return false;
	}
	*out = bytes_of(line.p + head.n, line.n - around);
	for (size_t i = 0; i < out->n; i++) {
		if (out->p[i] == '-') { /* two lines that have become one */
			return false;
		}
	}
	return true;
}

static enum read_rc fail(struct fault *f, size_t line, const char *what)
{
	fault_set(f, ERR_SYNTAX, 0, line, "line %zu of its text %s", line, what);
	return READ_FAIL;
}

static enum read_rc find_begin(struct pem *p, struct pem_block *out, struct fault *f)
{
	struct bytes line;

	while (next_line(p, &line)) {
		if (label_of(line, BYTES(BEGIN), &out->label)) {
			out->line = p->line;
			return READ_DONE;
		}
		if (bytes_starts(line, BYTES("-----BEGIN"))) {
			return fail(f, p->line,
				"is no whole BEGIN line: it ends with ----- and has a line of its own");
		}
		if (bytes_starts(line, BYTES("-----END"))) {
			return fail(f, p->line, "ends a block that does not begin");
		}
	}
	return READ_MORE;
}

/* "Proc-Type: 4,ENCRYPTED" and what else RFC 1421 has between BEGIN and the base64. */
static bool take_header(struct bytes line, struct pem_block *out)
{
	if (memchr(line.p, ':', line.n) == NULL) {
		return false;
	}
	out->encrypted = out->encrypted ||
		(bytes_starts(line, BYTES("Proc-Type:")) && bytes_ends(line, BYTES("ENCRYPTED")));
	return true;
}

static enum read_rc decode(char *room, size_t n, struct pem_block *out, struct fault *f)
{
	ptrdiff_t length;

	if (out->encrypted) { /* legible to nobody */
		out->der = BYTES("");
		return READ_DONE;
	}
	length = base64_decode(room, bytes_of(room, n));
	if (length <= 0) {
		return fail(f, out->line, "begins a block that holds no base64");
	}
	out->der = bytes_of(room, (size_t)length);
	return READ_DONE;
}

enum read_rc pem_next(struct pem *p, char *room, struct pem_block *out, struct fault *f)
{
	enum read_rc rc;
	struct bytes line, label;
	size_t n = 0;

	*out = (struct pem_block){0};
	rc = find_begin(p, out, f);
	if (rc != READ_DONE) {
		return rc;
	}
	while (next_line(p, &line)) {
		if (label_of(line, BYTES(END), &label) && bytes_eq(label, out->label)) {
			return decode(room, n, out, f);
		}
		if (bytes_starts(line, BYTES(DASHES))) {
			return fail(f, p->line, "stands in a block that has not ended");
		}
		if (line.n == 0 || (n == 0 && take_header(line, out))) {
			continue;
		}
		memcpy(room + n, line.p, line.n);
		n += line.n;
	}
	return fail(f, out->line, "begins a block that does not end");
}
