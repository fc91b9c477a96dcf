/*
 * The last lines of the program's own log and of the access log, newest first, and the history of assignments. Pages go
 * back by number: `before` is what the answer before gave as `next`.
 */
#include "base/log.h"
#include "base/recent.h"
#include "hiclaw/endpoints.h"
#include "hiclaw/hiclaw_int.h"

#define LIMIT_MAX 500u
#define LIMIT_USUAL 100u
/* Of an answer. */
#define LINES_TEXT_MAX ((size_t)4 << 20)
#define HISTORY_TEXT_MAX ((size_t)16 << 20)

struct looking {
	const struct recent *log;
	struct tail *access; /* NULL: log is looked at, whose lines have a level */
	struct bytes level, q;
	uint64_t before, limit;
	struct text out, line;
	struct arena room; /* of one line's tree */
};

/* "error" includes itself only, "info" also what is worse. */
static int rank(struct bytes level)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};

	for (int i = 0; i < (int)ARRAY_LEN(names); i++) {
		if (bytes_eq(level, bytes_str(names[i]))) {
			return i;
		}
	}
	return -1;
}

static bool has_text(struct bytes line, struct bytes q)
{
	for (size_t i = 0; q.n != 0 && i + q.n <= line.n; i++) {
		if (bytes_same_nocase(line.p + i, q.p, q.n)) {
			return true;
		}
	}
	return q.n == 0;
}

static bool is_wanted(struct looking *l, struct bytes line)
{
	const struct json_value *v;
	bool wanted;

	if (!has_text(line, l->q)) {
		return false;
	}
	arena_init(&l->room, (size_t)1 << 20);
	v = json_parse(&l->room, line, NULL);
	/* A line that was cut to be kept is no JSON any more. */
	wanted = v != NULL && v->type == JSON_OBJECT &&
		(l->access != NULL || l->level.n == 0 ||
			rank(json_text(json_get(v, "level"), BYTES(""))) <= rank(l->level));
	arena_done(&l->room);
	return wanted;
}

/* The line in front of *n, which becomes its own number. False: there is none any more, and none before it. */
static bool line_before(struct looking *l, uint64_t *n)
{
	text_clear(&l->line);
	if (l->access != NULL) {
		return tail_get(l->access, *n, &l->line, n);
	}
	return *n > 0 && recent_get(l->log, --*n, &l->line);
}

/* A jobs thread: reads what may be thousands of lines. */
static void look(struct ask *k)
{
	struct looking *l = k->state;
	uint64_t n = MIN(l->before, l->access != NULL ? tail_end(l->access) : recent_end(l->log));
	uint64_t found = 0;

	text_init(&l->out, LINES_TEXT_MAX + 64);
	text_init(&l->line, TAIL_LINE_MAX);
	text_add_str(&l->out, "{\"success\":true,\"logs\":[");
	while (n > 0 && found < l->limit) {
		uint64_t at = n;

		if (!line_before(l, &at)) {
			n = 0;
			break;
		}
		if (is_wanted(l, text_bytes(&l->line))) {
			if (l->out.n + l->line.n >= LINES_TEXT_MAX) {
				break; /* it begins the next page */
			}
			text_add_str(&l->out, found++ != 0 ? "," : "");
			text_add_bytes(&l->out, text_bytes(&l->line));
		}
		n = at;
	}
	text_addf(&l->out, "],\"next\":%s", n == 0 ? "null}" : "");
	if (n != 0) {
		text_addf(&l->out, "%llu}", (unsigned long long)n);
	}
	text_done(&l->line);
}

static void give_up(struct ask *k)
{
	struct looking *l = k->state;

	text_done(&l->out);
}

static void looked(struct ask *k)
{
	struct looking *l = k->state;
	struct text out = l->out;

	l->out = (struct text){.max = 0};
	ask_reply_text(k, 200, &out);
}

void mon_logs(struct ask *k)
{
	struct looking *l = arena_must(&k->arena, sizeof(*l));
	struct bytes source = ask_query(k, "source");
	bool own = !bytes_eq(source, BYTES("access"));

	if (source.n != 0 && own && !bytes_eq(source, BYTES("sluice"))) {
		ask_fail_field(k, "source", "source is sluice or access");
		return;
	}
	l->level = ask_query(k, "level");
	if (l->level.n != 0 && rank(l->level) < 0) {
		ask_fail_field(k, "level", "level is error, warn, info or debug");
		return;
	}
	l->q = ask_query(k, "q");
	if (!ask_query_number(k, "limit", LIMIT_MAX, LIMIT_USUAL, &l->limit) ||
		!ask_query_number(k, "before", UINT64_MAX, UINT64_MAX, &l->before)) {
		return;
	}
	l->log = k->hiclaw->opts.log;
	l->access = own ? NULL : k->hiclaw->opts.access;
	if (own ? l->log == NULL : l->access == NULL) {
		ask_fail(k, HICLAW_NOT_FOUND, "The access log is off (--access-log)");
		return;
	}
	k->state = l;
	k->done = give_up;
	ask_job(k, look, looked);
}

void mon_history(struct ask *k)
{
	struct bytes target = ask_query(k, "target");
	struct text out, list;
	uint64_t limit;

	if (bytes_starts(target, BYTES("worker:"))) {
		target = bytes_of(target.p + 7, target.n - 7);
	}
	if (!ask_query_number(k, "limit", LIMIT_MAX, LIMIT_USUAL, &limit)) {
		return;
	}
	text_init(&list, HISTORY_TEXT_MAX);
	text_init(&out, HISTORY_TEXT_MAX + 64);
	agents_history(k->hiclaw->agents, target, (size_t)limit, &list);
	text_addf(&out, "{\"success\":true,\"history\":");
	text_add_bytes(&out, text_bytes(&list));
	text_add_char(&out, '}');
	text_done(&list);
	ask_reply_text(k, 200, &out);
}
