/*
 * The scanner from outside: pieces, faults, what was found. A token that a piece cuts has a state of its own and
 * is resumed at the next piece; what stands between is json_walk.c's.
 */
#include "wire/json_int.h"

struct json_scan *json_scan_init(
	struct json_scan_room *room, const struct json_query *query, struct json_hits *hits)
{
	struct json_scan *s = (struct json_scan *)(void *)room->bytes;
	size_t n;

	ASSERT(query == NULL || hits != NULL);
	memset(s, 0, offsetof(struct json_scan, str));
	s->level_node[0] = NULL;
	s->query = query;
	s->hits = hits;
	s->run = query != NULL ? query->run : json_runs(&n)->run;
	s->state = JSON_AT_VALUE;
	s->node = query != NULL ? query->top : NULL;
	return s;
}

const char *json_scan_refuse(struct json_scan *s, enum err err, uint64_t at, const char *text)
{
	s->fault_err = err;
	s->fault_at = at;
	s->fault_text = text;
	s->state = JSON_FAILED;
	return NULL;
}

/* --- what was found ------------------------------------------------------------------------------- */

bool json_scan_report(struct json_scan *s, const struct json_node *node, const struct json_hit *hit,
	struct bytes text)
{
	for (uint32_t wants = node->wants; wants != 0; wants &= wants - 1) {
		unsigned i = (unsigned)__builtin_ctz(wants);
		struct json_hit *room;

		if ((node->literals >> i & 1) != 0 &&
			(hit->type != JSON_STRING || !bytes_eq(text, s->query->equals[i]))) {
			continue;
		}
		room = json_hits_room(s->hits);
		if (room == NULL) {
			json_scan_refuse(s, ERR_LIMIT, hit->beg, "too many values that matter");
			return false;
		}
		*room = *hit;
		room->want = (uint8_t)i;
	}
	return true;
}

/* --- pieces --------------------------------------------------------------------------------------- */

/* The rest of a token that began in an earlier piece. */
static const char *resume_token(struct json_scan *s, const char *p, const char *end)
{
	if (s->state == JSON_IN_KEY || s->state == JSON_IN_STRING) {
		return json_resume_string(s, p, end, s->state == JSON_IN_KEY);
	}
	return s->state == JSON_IN_NUMBER ? json_take_number(s, p, end) : json_take_word(s, p, end);
}

static enum read_rc tell_fault(const struct json_scan *s, struct fault *fault)
{
	fault_set(fault, s->fault_err, 400, (size_t)s->fault_at, "JSON refused at byte %llu: %s",
		(unsigned long long)s->fault_at, s->fault_text);
	return READ_FAIL;
}

enum read_rc json_scan_feed(struct json_scan *s, const char *p, size_t n, struct fault *fault)
{
	uint64_t at = s->at;
	const char *end;

	if (s->state == JSON_FAILED) {
		return tell_fault(s, fault);
	}
	if (n == 0) {
		return READ_MORE;
	}
	s->piece = p;
	end = p + n;
	if (s->state >= JSON_IN_KEY) {
		p = resume_token(s, p, end);
	}
	if (p == NULL || !json_walk(s, p, end)) {
		return tell_fault(s, fault);
	}
	s->at = at + n;
	s->piece = NULL;
	return READ_MORE;
}

enum read_rc json_scan_end(struct json_scan *s, struct fault *fault)
{
	static const char blank = ' ';

	/* A number ends only where something else begins. */
	if (s->state == JSON_IN_NUMBER && s->depth == 0) {
		s->piece = &blank;
		IGNORE(json_take_number(s, &blank, &blank + 1)); /* s->state says it */
	}
	if (s->state == JSON_AT_END) {
		return READ_DONE;
	}
	if (s->state != JSON_FAILED) {
		bool nothing = s->state == JSON_AT_VALUE && s->depth == 0;

		json_scan_refuse(s, ERR_SYNTAX, s->at,
			nothing ? "there is no value" : "the text ends too early");
	}
	return tell_fault(s, fault);
}

enum json_type json_scan_top(const struct json_scan *s)
{
	return (enum json_type)s->top;
}

uint64_t json_scan_top_at(const struct json_scan *s)
{
	return s->top_at;
}

bool json_scan_top_empty(const struct json_scan *s)
{
	return s->top_empty;
}

int json_scan_all(
	const struct json_query *q, struct bytes text, struct json_hits *hits, struct fault *fault)
{
	struct json_scan_room room;
	struct json_scan *s = json_scan_init(&room, q, hits);
	struct fault mine;

	if (json_scan_feed(s, text.p, text.n, &mine) == READ_FAIL ||
		json_scan_end(s, &mine) == READ_FAIL) {
		if (fault != NULL) {
			*fault = mine;
		}
		return mine.err;
	}
	return 0;
}
