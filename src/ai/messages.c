/*
 * One scan notes of each message where it and its content stand; commands are recognised on the way. What is
 * joined is put in from where it was received, so that nothing is copied however long it is: an edit for each
 * segment that it lies in.
 *
 * A message of which a member stands twice, or that has more than role and content to say (calls of tools, a
 * name), is neither a command nor joined: nothing of it would be lost without a word.
 */
#include "ai/messages.h"

#include "plan/conversation.h"
#include "proxy/fetched.h"
#include "proxy/worker.h"

/* Of the body, in one turn, and between two looks at the hits: each hit takes two bytes at least. */
#define SLICE 262144u
#define PIECE 512u
#define PIECE_HITS (PIECE + 8)
#define ROLE_MAX 16u
/* A byte of a command may be spelled with six. */
#define LITERAL_MAX (CONVERSATION_COMMAND_MAX * 6 + 2)

enum role { ROLE_OTHER, ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT };

struct message {
	uint64_t beg, end;
	uint64_t content, content_end;
	uint8_t role; /* enum role */
	uint8_t type; /* enum json_type: of the content */
	bool empty;   /* a list without parts */
	bool single;  /* it has a content and nothing that joining would lose */
};

struct messages {
	struct json_scan_room room;
	struct json_scan *scan;
	struct json_hits hits;
	struct json_hit hits_room[PIECE_HITS];
	const struct seg *seg; /* where the scan stands */
	uint32_t at;
	const struct seg *read; /* where a text was last read, and its offset in the body */
	uint64_t read_at;
	size_t n;
	size_t forget; /* messages up to this one, not counted, are forgotten but for system's; 0: none */
	unsigned lists;
	uint64_t list; /* where their list begins; 0: there is none */
	struct {       /* of the message in progress */
		unsigned roles, contents, parts;
		bool more, is_command;
		struct message m;
	} now;
	struct message v[MESSAGES_MAX];
};

static const struct conversation *conversation_of(const struct exchange *x)
{
	return &x->rq->at.to->provider->conversation;
}

/* The bytes of a hit. Texts are asked for in their order, so that a long body is not walked for each. */
static void read_hit(struct messages *m, const struct json_hit *h, char *out)
{
	const struct seg *s;
	uint64_t at = h->beg;
	uint64_t before;

	while (m->read_at + (m->read->end - m->read->beg) <= at) {
		m->read_at += m->read->end - m->read->beg;
		m->read = m->read->next;
	}
	before = m->read_at;
	for (s = m->read; at < h->end; s = s->next) {
		uint64_t to = MIN(h->end, before + (s->end - s->beg));

		memcpy(out + (at - h->beg), s->data + s->beg + (at - before), (size_t)(to - at));
		at = to;
		before += s->end - s->beg;
	}
}

static enum role role_of(struct messages *m, const struct json_hit *h)
{
	char room[ROLE_MAX];
	size_t n = (size_t)(h->end - h->beg);
	struct bytes name;

	if (h->type != JSON_STRING || h->escaped || n > sizeof(room)) {
		return ROLE_OTHER;
	}
	read_hit(m, h, room);
	name = bytes_of(room + 1, n - 2);
	return bytes_eq(name, BYTES("user"))         ? ROLE_USER
		: bytes_eq(name, BYTES("assistant")) ? ROLE_ASSISTANT
		: bytes_eq(name, BYTES("system")) || bytes_eq(name, BYTES("developer"))
		? ROLE_SYSTEM
		: ROLE_OTHER;
}

static bool is_command(const struct strings *commands, struct messages *m, const struct json_hit *h)
{
	char room[LITERAL_MAX];
	char plain_room[LITERAL_MAX];
	size_t n = (size_t)(h->end - h->beg);
	struct text plain;

	if (commands->n == 0 || h->type != JSON_STRING || n > sizeof(room)) {
		return false;
	}
	read_hit(m, h, room);
	text_init_fixed(&plain, plain_room, sizeof(plain_room));
	json_unescape(bytes_of(room + 1, n - 2), &plain);
	for (size_t i = 0; i < commands->n; i++) {
		if (bytes_eq(text_bytes(&plain), commands->v[i])) {
			return true;
		}
	}
	return false;
}

static void end_message(struct messages *m, const struct json_hit *h)
{
	struct message *to = &m->v[m->n++];

	*to = m->now.m;
	to->beg = h->beg;
	to->end = h->end;
	to->role = m->now.roles == 1 ? to->role : ROLE_OTHER;
	to->single = m->now.contents == 1 && !m->now.more &&
		(to->type == JSON_STRING || to->type == JSON_ARRAY);
	if (to->role == ROLE_USER && m->now.contents == 1 && m->now.is_command &&
		m->now.parts <= 1) {
		m->forget = m->n;
	}
	memset(&m->now, 0, sizeof(m->now));
}

/* Else only the first ones matter: where those of the system end. */
static bool looks_at_all(const struct exchange *x)
{
	const struct conversation *c = conversation_of(x);

	return c->commands.n != 0 || c->merges;
}

/* False: there are too many. */
static bool take_hit(struct exchange *x, struct messages *m, const struct json_hit *h)
{
	switch ((enum conversation_want)h->want) {
	case TALK_MESSAGES:
		m->lists++;
		m->list = h->type == JSON_ARRAY ? h->beg : 0;
		break;
	case TALK_MESSAGE:
		if (m->n < MESSAGES_MAX) {
			end_message(m, h);
		} else if (looks_at_all(x)) {
			return false;
		}
		break;
	case TALK_ROLE:
		m->now.roles++;
		m->now.m.role = (uint8_t)role_of(m, h);
		break;
	case TALK_CONTENT:
		m->now.contents++;
		m->now.m.content = h->beg;
		m->now.m.content_end = h->end;
		m->now.m.type = h->type;
		m->now.m.empty = h->empty;
		m->now.is_command |= is_command(&conversation_of(x)->commands, m, h);
		break;
	case TALK_PART:
		m->now.parts++;
		break;
	case TALK_PART_TEXT:
		m->now.is_command |= is_command(&conversation_of(x)->commands, m, h);
		break;
	case TALK_TOOL_CALLS:
	case TALK_FUNCTION_CALL:
	case TALK_NAME:
	case TALK_AUDIO:
		m->now.more |= h->type != JSON_NULL && !(h->type == JSON_ARRAY && h->empty);
		break;
	case TALK_COUNT:
		break;
	}
	return true;
}

static bool take_hits(struct exchange *x, struct messages *m)
{
	for (size_t i = 0; i < m->hits.n; i++) {
		if (!take_hit(x, m, &m->hits.v[i])) {
			return false;
		}
	}
	m->hits.n = 0;
	return true;
}

static enum verdict refuse(struct exchange *x, const char *text)
{
	return reply_set(x, 400, "body.invalid_json", "%s", text);
}

static enum verdict scan_slice(struct exchange *x, struct messages *m)
{
	size_t left = SLICE;

	while (m->seg != NULL && left != 0) {
		size_t n = MIN(m->seg->end - m->at, PIECE);

		/* The text is valid JSON, and there is room for all hits of a piece. */
		if (json_scan_feed(m->scan, m->seg->data + m->at, n, NULL) == READ_FAIL ||
			!take_hits(x, m)) {
			return refuse(x, "the request has too many messages to be cleaned up");
		}
		m->at += (uint32_t)n;
		left -= MIN(left, n);
		if (m->at == m->seg->end) {
			m->seg = m->seg->next;
			m->at = m->seg != NULL ? m->seg->beg : 0;
		}
	}
	if (m->seg != NULL) {
		return VERDICT_AGAIN;
	}
	return m->lists > 1
		? refuse(x, "the request body has the member \"messages\" twice; send it once")
		: VERDICT_NEXT;
}

enum verdict messages_survey(struct exchange *x, struct messages **out)
{
	struct request *rq = x->rq;
	struct messages *m = *out;

	if (m == NULL) {
		m = arena_alloc(&rq->arena, sizeof(*m));
		if (m == NULL) {
			return refuse(x, "the request is too complex");
		}
		memset(m, 0, offsetof(struct messages, v));
		json_hits_init(&m->hits, m->hits_room, PIECE_HITS, PIECE_HITS);
		m->scan = json_scan_init(&m->room, conversation_of(x)->query, &m->hits);
		m->seg = rq->body.head;
		m->at = m->seg != NULL ? m->seg->beg : 0;
		m->read = m->seg;
		*out = m;
	}
	return scan_slice(x, m);
}

/* --- edits -------------------------------------------------------------------------------------- */

/* Edits are counted first, then made. */
struct editor {
	struct exchange *x;
	const struct messages *m;
	bool counts;
	size_t n;
	const struct seg
		*seg; /* where bytes were last put from: they are asked for in their order */
	uint64_t seg_at;
};

static void put(struct editor *e, uint64_t at, uint64_t cut, struct bytes text)
{
	e->n++;
	if (!e->counts) {
		exchange_edit(e->x, at, cut, text);
	}
}

static bool joins(const struct message *a, const struct message *b)
{
	return a->role == b->role && (a->role == ROLE_USER || a->role == ROLE_ASSISTANT) &&
		a->single && b->single;
}

/* Bytes of the body once more, at another place. */
static void put_again(struct editor *e, uint64_t at, uint64_t beg, uint64_t end)
{
	while (e->seg != NULL && beg < end) {
		uint64_t n = e->seg->end - e->seg->beg;

		if (beg < e->seg_at + n) {
			uint64_t to = MIN(end, e->seg_at + n);

			put(e, at, 0,
				bytes_of(e->seg->data + e->seg->beg + (beg - e->seg_at),
					(size_t)(to - beg)));
			beg = to;
		}
		if (beg < end) {
			e->seg_at += n;
			e->seg = e->seg->next;
		}
	}
}

/* What a list of parts gets for one more message. */
static void put_parts(struct editor *e, uint64_t at, const struct message *m, bool comma)
{
	if (m->type == JSON_STRING) {
		put(e, at, 0,
			comma ? BYTES(",{\"type\":\"text\",\"text\":")
			      : BYTES("{\"type\":\"text\",\"text\":"));
		put_again(e, at, m->content, m->content_end);
		put(e, at, 0, BYTES("}"));
	} else if (!m->empty) {
		if (comma) {
			put(e, at, 0, BYTES(","));
		}
		put_again(e, at, m->content + 1, m->content_end - 1);
	}
}

static void join_texts(struct editor *e, const struct message *v, size_t n)
{
	uint64_t at = v[0].content_end - 1;

	for (size_t i = 1; i < n; i++) {
		put(e, at, 0, BYTES("\\n\\n"));
		put_again(e, at, v[i].content + 1, v[i].content_end - 1);
	}
}

static void join_parts(struct editor *e, const struct message *v, size_t n)
{
	bool text = v[0].type == JSON_STRING;
	uint64_t at = text ? v[0].content_end : v[0].content_end - 1;
	bool comma = text || !v[0].empty;

	if (text) {
		put(e, v[0].content, 0, BYTES("[{\"type\":\"text\",\"text\":"));
		put(e, at, 0, BYTES("}"));
	}
	for (size_t i = 1; i < n; i++) {
		put_parts(e, at, &v[i], comma);
		comma |= v[i].type == JSON_STRING || !v[i].empty;
	}
	if (text) {
		put(e, at, 0, BYTES("]"));
	}
}

/* The n messages become the first of them. */
static void join(struct editor *e, const struct message *v, size_t n)
{
	bool texts = true;

	for (size_t i = 0; i < n; i++) {
		texts &= v[i].type == JSON_STRING;
	}
	if (texts) {
		join_texts(e, v, n);
	} else {
		join_parts(e, v, n);
	}
	put(e, v[0].end, v[n - 1].end - v[0].end, BYTES(""));
}

/* The messages before `end` that are not system's go, each with the comma behind it, or before it at the end of
 * the list. */
static void forget(struct editor *e)
{
	const struct messages *m = e->m;
	size_t i = 0;

	while (i < m->forget) {
		size_t from = i;

		while (i < m->forget && m->v[i].role != ROLE_SYSTEM) {
			i++;
		}
		if (i == from) {
			i++;
		} else if (i < m->n) {
			put(e, m->v[from].beg, m->v[i].beg - m->v[from].beg, BYTES(""));
		} else {
			uint64_t beg = from != 0 ? m->v[from - 1].end : m->v[from].beg;

			put(e, beg, m->v[i - 1].end - beg, BYTES(""));
		}
	}
}

/* Behind the messages of the system that lead what is left, one more. */
static void add_context(struct editor *e, const struct fetched_text *c)
{
	const struct messages *m = e->m;
	bool kept = false;
	size_t i;

	if (m->list == 0) {
		return;
	}
	for (i = 0; i < m->n && (i < m->forget || m->v[i].role == ROLE_SYSTEM); i++) {
		kept |= m->v[i].role == ROLE_SYSTEM;
	}
	if (i < m->n) {
		put(e, m->v[i].beg, 0, bytes_of(c->text + 1, c->n - 1));
	} else if (kept) {
		put(e, m->v[i - 1].end, 0, bytes_of(c->text, c->n - 1));
	} else {
		put(e, m->n != 0 ? m->v[i - 1].end : m->list + 1, 0,
			bytes_of(c->text + 1, c->n - 2));
	}
}

static void edit(struct editor *e)
{
	const struct messages *m = e->m;
	size_t i = m->forget;

	e->seg = e->x->rq->body.head;
	forget(e);
	while (conversation_of(e->x)->merges && i < m->n) {
		size_t n = 1;

		while (i + n < m->n && joins(&m->v[i], &m->v[i + n])) {
			n++;
		}
		if (n > 1) {
			join(e, &m->v[i], n);
		}
		i += n;
	}
	if (e->x->rq->context != NULL) {
		add_context(e, e->x->rq->context);
	}
}

size_t messages_edits(struct exchange *x, const struct messages *m)
{
	struct editor e = {.x = x, .m = m, .counts = true};

	if (m != NULL) {
		edit(&e);
	}
	return e.n;
}

void messages_edit(struct exchange *x, const struct messages *m)
{
	struct editor e = {.x = x, .m = m};

	if (m != NULL) {
		edit(&e);
	}
}
