/* The bytes of the answer must be those that one upstream sent, the last one that was asked; else it is an error that says what was
 * the matter. */
#include <stdio.h>

#include "sim/trial_court.h"

/* --- what the client got ---------------------------------------------------------------------------- */

static void add_data_lines(struct bytes body, struct text *out)
{
	while (body.n != 0) {
		struct bytes line = bytes_cut(&body, '\n');

		if (bytes_starts(line, BYTES("data:")) && body.p != NULL) {
			text_add_bytes(out, line);
			text_add_char(out, '\n');
		}
		if (body.p == NULL) {
			break;
		}
	}
}

/* Reads what the upstream sent, as far as it did. */
static void read_sent(const struct trial_attempt *a, struct message *out)
{
	struct text t;

	text_init(&t, SIZE_MAX / 2);
	for (unsigned i = 0; i < a->done; i++) {
		text_add_bytes(&t, text_bytes(&a->acts[i].bytes));
	}
	message_begin(out, false, 0);
	message_read(out, text_bytes(&t), true);
	text_done(&t);
}

static bool compare_stream(struct court *c, struct bytes sent, struct bytes got, bool cut)
{
	struct text a, b;
	struct bytes rest;
	bool good;

	text_init(&a, SIZE_MAX / 2);
	text_init(&b, SIZE_MAX / 2);
	add_data_lines(sent, &a);
	add_data_lines(got, &b);
	good = b.n >= a.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
	rest = good ? bytes_of(b.p + a.n, b.n - a.n) : BYTES("");
	if (!good) {
		court_wrong(c, "the client's events are not those that one upstream sent");
	} else if (!cut && rest.n != 0) {
		good = court_wrong(c, "there is something behind a whole stream");
	} else if (cut &&
		(!bytes_starts(rest, BYTES("data: {\"error\"")) ||
			memchr(rest.p, '\n', rest.n) != rest.p + rest.n - 1)) {
		good = court_wrong(c, "a stream that broke off does not end with one error event");
	}
	text_done(&a);
	text_done(&b);
	return good;
}

/* The last attempt's answer went to the client, and nothing else. */
static bool check_answer(struct court *c, const struct trial_attempt *a)
{
	const struct trial_caller *w = caller_of(c);
	struct bytes got = pipe_bytes(&w->message.body);
	bool broke = trial_is_cut(a->step) || (a->struck && a->done < a->n_acts) || a->struck ||
		c->told[c->request].cut;
	bool events = bytes_starts(
		message_field(&w->message, BYTES("content-type"), 0), BYTES("text/event-stream"));
	struct message m;
	struct bytes sent;
	bool good = true;

	read_sent(a, &m);
	sent = pipe_bytes(&m.body);
	if (w->message.status != m.status) {
		good = court_wrong(c, "the upstream's status was %u, the client's %u", m.status,
			w->message.status);
	} else if (events) {
		good = compare_stream(c, sent, got, c->told[c->request].cut);
		if (good && w->message.state != MESSAGE_DONE) {
			good = court_wrong(c, "its stream has no end");
		}
	} else if (got.n > sent.n || memcmp(got.p, sent.p, got.n) != 0) {
		good = court_wrong(c, "its answer is not what the upstream sent");
	} else if (!broke && (got.n != sent.n || w->message.state != MESSAGE_DONE)) {
		good = court_wrong(c, "its answer is not whole");
	}
	message_done(&m);
	return good;
}

/* Of the gateway itself. */
static bool check_error(struct court *c, const char *class)
{
	static const struct {
		const char *class, *reason;
		unsigned status;
	} honest[] = {{"connect", "upstream.connect", 502}, {"reset", "upstream.reset", 502},
		{"timeout", "upstream.timeout", 504}, {"invalid", "upstream.invalid", 502},
		{"full", "upstream.busy", 429}};
	const struct trial_caller *w = caller_of(c);

	for (size_t i = 0; i < ARRAY_LEN(honest); i++) {
		if (strcmp(class, honest[i].class) != 0) {
			continue;
		}
		if (w->message.status != honest[i].status ||
			strcmp(c->told[c->request].reason, honest[i].reason) != 0 ||
			!bytes_eq(message_field(&w->message, BYTES("x-sluice-reason"), 0),
				bytes_str(honest[i].reason))) {
			return court_wrong(c, "\"%s\" is answered with %u %s", class,
				w->message.status, c->told[c->request].reason);
		}
		return w->message.state == MESSAGE_DONE || court_wrong(c, "its error is not whole");
	}
	return court_wrong(c, "there is no answer for \"%s\"", class);
}

static bool check_fields(struct court *c)
{
	const struct trial_course *course = &c->courses[c->request];
	const struct trial_caller *w = caller_of(c);
	struct bytes told = message_field(&w->message, BYTES("x-sluice-attempts"), 0);
	bool fell = course->n != 0 && course->v[course->n - 1].provider >= TRIAL_UPSTREAMS;
	char number[12];

	snprintf(number, sizeof(number), "%u", course->n);
	if (course->n > 1 || fell ? !bytes_eq(told, bytes_str(number)) : told.p != NULL) {
		return court_wrong(c, "x-sluice-attempts is not %u", course->n);
	}
	if ((message_field(&w->message, BYTES("x-sluice-fallback"), 0).p != NULL) != fell ||
		(message_field(&w->message, BYTES("x-higress-fallback-from"), 0).p != NULL) !=
			fell) {
		return court_wrong(c, "its fields say another thing about a fallback");
	}
	return true;
}

static bool is_gateways_own(const struct trial_told *told)
{
	return strncmp(told->reason, "upstream.", 9) == 0 && !told->cut;
}

bool court_client(struct court *c)
{
	const struct trial_course *course = &c->courses[c->request];
	const struct trial_told *told = &c->told[c->request];
	const struct trial_caller *w = caller_of(c);
	const struct trial_tried *last = course->n != 0 ? &course->v[course->n - 1] : NULL;

	if (w->message.state == MESSAGE_HEAD) {
		return court_wrong(c, "it got no answer");
	}
	if (w->message.state == MESSAGE_BROKEN && !told->cut) {
		return court_wrong(c, "its answer is broken: %s", w->message.why);
	}
	if (pipe_n(&w->far->got) > w->message.at) {
		return court_wrong(c, "there are bytes behind its answer");
	}
	if (w->message.status != told->status) {
		return court_wrong(c, "it got %u, and %u is told", w->message.status, told->status);
	}
	if (!check_fields(c)) {
		return false;
	}
	if (last == NULL) {
		return check_error(
			c, has_deadline(policy_of(c)) && told->status == 504 ? "timeout" : "full");
	}
	if (is_gateways_own(told)) {
		return check_error(c, told->class);
	}
	return last->seen != NULL ? check_answer(c, last->seen)
				  : court_wrong(c, "it got an answer that no upstream sent");
}
