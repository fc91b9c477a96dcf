#include "mock/mock_record.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "base/clock.h"

/* JSON of a head: every byte may become six. */
#define HEADERS_TEXT_MAX (256u * 1024u)

struct mock_record {
	struct mock_seen ring[MOCK_RECORD_MAX];
	uint64_t newest;      /* highest seq that was added */
	uint64_t oldest_body; /* no record before it has a body */
	size_t body_bytes;
};

struct mock_record *mock_record_new(void)
{
	return must_alloc(sizeof(struct mock_record));
}

static struct mock_seen *place(struct mock_record *r, uint64_t seq)
{
	return &r->ring[seq % MOCK_RECORD_MAX];
}

static void drop_body(struct mock_record *r, struct mock_seen *s)
{
	if (s->body != NULL) {
		r->body_bytes -= s->body_kept;
		free(s->body);
		s->body = NULL;
	}
}

static void drop(struct mock_record *r, struct mock_seen *s)
{
	drop_body(r, s);
	free(s->method);
	free(s->target);
	free(s->headers);
	*s = (struct mock_seen){.seq = 0};
}

void mock_record_clear(struct mock_record *r)
{
	for (size_t i = 0; i < MOCK_RECORD_MAX; i++) {
		drop(r, &r->ring[i]);
	}
	ASSERT(r->body_bytes == 0);
	r->oldest_body = r->newest + 1;
}

void mock_record_free(struct mock_record *r)
{
	if (r != NULL) {
		mock_record_clear(r);
		free(r);
	}
}

struct mock_seen *mock_record_get(struct mock_record *r, uint64_t seq)
{
	struct mock_seen *s = place(r, seq);

	return s->seq == seq && seq != 0 ? s : NULL;
}

/* --- adding ------------------------------------------------------------------------------------- */

static void hash_body(const struct chain *body, char out[MOCK_SHA256_HEX + 1])
{
	static const char digits[] = "0123456789abcdef";
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char hash[MOCK_SHA256_HEX / 2];
	int ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

	for (const struct seg *s = body->head; s != NULL && ok; s = s->next) {
		ok = EVP_DigestUpdate(ctx, s->data + s->beg, s->end - s->beg) == 1;
	}
	ok = ok && EVP_DigestFinal_ex(ctx, hash, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	ASSERT(ok); /* fails for want of memory only */
	for (size_t i = 0; i < sizeof(hash); i++) {
		out[2 * i] = digits[hash[i] >> 4];
		out[2 * i + 1] = digits[hash[i] & 15];
	}
	out[MOCK_SHA256_HEX] = '\0';
}

static char *headers_json(const struct head *head)
{
	struct text t;
	char *copy;

	text_init(&t, HEADERS_TEXT_MAX);
	text_add_char(&t, '[');
	for (unsigned i = 0; i < head->n_fields; i++) {
		text_add_str(&t, i != 0 ? ",[\"" : "[\"");
		text_add_json(&t, head_name(head, i));
		text_add_str(&t, "\",\"");
		text_add_json(&t, head_value(head, i));
		text_add_str(&t, "\"]");
	}
	text_add_char(&t, ']');
	copy = must_strdup(text_full(&t) ? "[]" : text_cstr(&t));
	text_done(&t);
	return copy;
}

static void keep_body(struct mock_record *r, struct mock_seen *s, const struct chain *body)
{
	s->body_kept = MIN(body->n, MOCK_RECORD_BODY_MAX);
	s->body = must_alloc(s->body_kept + 1);
	chain_copy(body, 0, s->body_kept, s->body);
	r->body_bytes += s->body_kept;
	while (r->body_bytes > MOCK_RECORD_BODIES_MAX && r->oldest_body < s->seq) {
		struct mock_seen *old = mock_record_get(r, r->oldest_body++);

		if (old != NULL) {
			drop_body(r, old);
		}
	}
}

void mock_record_add(
	struct mock_record *r, uint64_t seq, const struct head *head, const struct chain *body)
{
	struct mock_seen *s = place(r, seq);

	ASSERT(seq > r->newest);
	drop(r, s);
	r->newest = seq;
	s->seq = seq;
	s->method = bytes_dup(head->method);
	s->target = bytes_dup(head->target);
	s->headers = headers_json(head);
	s->body_n = body->n;
	s->start_ms = clock_wall_ms();
	hash_body(body, s->sha256);
	keep_body(r, s, body);
}

/* --- printing ----------------------------------------------------------------------------------- */

static void add_head(const struct mock_seen *s, struct text *out)
{
	text_add_str(out, "{\"method\":\"");
	text_add_json(out, bytes_str(s->method));
	text_add_str(out, "\",\"path\":\"");
	text_add_json(out, bytes_str(s->target));
	text_addf(out, "\",\"headers\":");
	text_add_str(out, s->headers);
	text_addf(out, ",\"body_length\":%llu,\"sha256\":\"%s\"", (unsigned long long)s->body_n,
		s->sha256);
}

void mock_record_echo(const struct mock_seen *s, struct text *out)
{
	add_head(s, out);
	text_add_char(out, '}');
}

static void add_seen(const struct mock_seen *s, bool bodies, struct text *out)
{
	static const char *const ends[] = {"open", "complete", "client-gone", "cut"};

	add_head(s, out);
	text_addf(out, ",\"seq\":%llu,\"start\":%llu,\"end\":", (unsigned long long)s->seq,
		(unsigned long long)s->start_ms);
	if (s->end == MOCK_END_OPEN) {
		text_add_str(out, "null");
	} else {
		text_add_u64(out, s->end_ms);
	}
	text_addf(out, ",\"ended\":\"%s\",\"events\":%llu", ends[s->end],
		(unsigned long long)s->events);
	if (bodies && s->body != NULL) {
		text_add_str(out, ",\"body\":\"");
		text_add_json(out, bytes_of(s->body, s->body_kept));
		text_add_char(out, '"');
	}
	text_add_char(out, '}');
}

void mock_record_print(const struct mock_record *r, uint64_t last, bool bodies, struct text *out)
{
	uint64_t n = MIN(MIN(last, MOCK_RECORD_MAX), r->newest);
	uint64_t found = 0;
	uint64_t from = r->newest + 1;
	bool first = true;

	/* Requests of the fast path have numbers but no record. */
	while (found < n && from > 1 && r->newest + 1 - from < MOCK_RECORD_MAX) {
		from--;
		found += r->ring[from % MOCK_RECORD_MAX].seq == from;
	}
	text_add_char(out, '[');
	for (uint64_t seq = from; seq <= r->newest; seq++) {
		const struct mock_seen *s = &r->ring[seq % MOCK_RECORD_MAX];

		if (s->seq == seq) {
			text_add_str(out, first ? "" : ",\n");
			add_seen(s, bodies, out);
			first = false;
		}
	}
	text_add_char(out, ']');
}
