/* What the gateway may make of a behaviour stands beside its bytes: the table says both, in docs/failover.md's words. */
#include "sim/trial.h"

#define BYTES_MAX 8192u

#define NEVER TRIAL_ACTS

static const struct {
	const char *name;
	/* What it is, where a stream was asked for and where not; NULL: by its status; "": an answer. */
	const char *stream, *plain;
	bool no_head;                   /* there is no status of 200 to tell */
	unsigned stream_act, plain_act; /* by which that is decided */
} behaviours[BEHAVE_COUNT] = {
	[BEHAVE_GOOD] = {"good", "", "", false, 1, 1},
	[BEHAVE_SLOW] = {"slow", "", "", false, 1, 1},
	[BEHAVE_PINGS] = {"pings", "", "", false, 4, 1},
	[BEHAVE_NO_DONE] = {"no-done", "", "", false, 1, 1},
	[BEHAVE_MALFORMED] = {"malformed", "", "", false, 1, 1},
	[BEHAVE_STATUS] = {"status", NULL, NULL, true, 0, 0},
	[BEHAVE_STATUS_STALLS] = {"status-stalls", NULL, NULL, true, 0, 0},
	[BEHAVE_STATUS_CUT] = {"status-cut", NULL, NULL, true, 0, 0},
	[BEHAVE_STATUS_EARLY] = {"status-early", NULL, NULL, true, 0, 0},
	[BEHAVE_RESET] = {"reset", "reset", "reset", true, 0, 0},
	[BEHAVE_RESET_EARLY] = {"reset-early", "reset", "reset", true, 0, 0},
	[BEHAVE_CLOSE] = {"close", "reset", "reset", true, 0, 0},
	[BEHAVE_HALF_HEAD] = {"half-head", "reset", "reset", true, 1, 1},
	[BEHAVE_STALL] = {"stall", "timeout", "timeout", true, NEVER, NEVER},
	[BEHAVE_HEAD_STALLS] = {"head-stalls", "timeout", "timeout", false, NEVER, NEVER},
	[BEHAVE_HEAD_RESET] = {"head-reset", "reset", "reset", false, 1, 1},
	[BEHAVE_HEAD_CLOSES] = {"head-closes", "reset", "reset", false, 1, 1},
	[BEHAVE_PINGS_STALL] = {"pings-stall", "timeout", "timeout", false, NEVER, NEVER},
	[BEHAVE_NO_EVENT] = {"no-event", "invalid", "invalid", false, 1, 0},
	[BEHAVE_PAGE] = {"page", "invalid", "invalid", false, 0, 0},
	[BEHAVE_JUNK] = {"junk", "invalid", "invalid", true, 0, 0},
	[BEHAVE_ERROR_200] = {"error-200", "server", "server", false, 0, 0},
	[BEHAVE_EVENT_ERROR] = {"event-error", "overload", "server", false, 1, 0},
	[BEHAVE_CUT] = {"cut", "", "", false, 1, 1},
	[BEHAVE_CUT_CLEAN] = {"cut-clean", "", "", false, 1, 1},
	[BEHAVE_LATE_STALL] = {"late-stall", "", "", false, 1, 1},
	[BEHAVE_LATE_ERROR] = {"late-error", "", "", false, 1, 1},
};

const char *trial_behaviour_name(enum trial_behaviour b)
{
	return behaviours[b].name;
}

static const char *class_of_status(unsigned status)
{
	switch (status) {
	case 401:
	case 403:
		return "credential";
	case 402:
		return "billing";
	case 429:
		return "rate";
	case 503:
	case 529:
		return "overload";
	case 408: /* a time that ran out there */
		return "server";
	default:
		return status >= 500 ? "server" : "client";
	}
}

struct trial_fault trial_fault_of(const struct trial_step *s, bool stream)
{
	const char *class = stream ? behaviours[s->does].stream : behaviours[s->does].plain;
	struct trial_fault f = {.class = class};

	if (class == NULL) {
		f.class = class_of_status(s->status);
		f.status = s->status;
		return f;
	}
	f.status = behaviours[s->does].no_head ? 0 : 200;
	f.by_deadline = strcmp(class, "timeout") == 0;
	return f;
}

bool trial_is_decided(const struct trial_step *s, bool stream, unsigned done)
{
	return done > (stream ? behaviours[s->does].stream_act : behaviours[s->does].plain_act);
}

bool trial_is_cut(const struct trial_step *s)
{
	return s->does == BEHAVE_CUT || s->does == BEHAVE_CUT_CLEAN ||
		s->does == BEHAVE_LATE_STALL || s->does == BEHAVE_STATUS_CUT ||
		s->does == BEHAVE_STATUS_STALLS;
}

bool trial_is_early(enum trial_behaviour b)
{
	return b == BEHAVE_STATUS_EARLY || b == BEHAVE_RESET_EARLY;
}

/* --- bytes -------------------------------------------------------------------------------------- */

struct script {
	const struct trial_step *s;
	unsigned request, k;
	struct trial_act *acts;
	unsigned n;
};

static struct text *act(struct script *c, enum trial_act_kind kind, uint64_t after_ms)
{
	struct trial_act *a = &c->acts[c->n++];

	ASSERT(c->n <= TRIAL_ACTS);
	a->kind = kind;
	a->after_ms = after_ms;
	text_init(&a->bytes, BYTES_MAX);
	return &a->bytes;
}

static uint64_t pause(const struct script *c)
{
	return c->s->does == BEHAVE_SLOW ? c->s->pause_ms : 0;
}

static void chunk(struct text *out, struct bytes b)
{
	text_addf(out, "%zx\r\n", b.n);
	text_add_bytes(out, b);
	text_add_str(out, "\r\n");
}

static void event(struct script *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void event(struct script *c, const char *fmt, ...)
{
	struct text t;
	va_list ap;

	text_init(&t, BYTES_MAX);
	va_start(ap, fmt);
	text_addv(&t, fmt, ap);
	va_end(ap);
	chunk(act(c, ACT_SEND, pause(c)), text_bytes(&t));
	text_done(&t);
}

static void head(struct script *c, unsigned status, const char *type, size_t length)
{
	struct text *t = act(c, ACT_SEND, pause(c));

	text_addf(t, "HTTP/1.1 %u Scripted\r\nContent-Type: %s\r\n", status, type);
	if (c->s->retry_after_s != 0 && status >= 400) {
		text_addf(t, "Retry-After: %u\r\n", c->s->retry_after_s);
	}
	if (length == SIZE_MAX) {
		text_add_str(t, "Transfer-Encoding: chunked\r\n\r\n");
	} else {
		text_addf(t, "Content-Length: %zu\r\n\r\n", length);
	}
}

static void content(struct script *c, unsigned i)
{
	event(c,
		"data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":"
		"[{\"index\":0,\"delta\":{\"content\":\"r%ua%u piece %u\"}}]}\n\n",
		c->request, c->k, i);
}

static void end_stream(struct script *c, bool done)
{
	event(c,
		"data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[],"
		"\"usage\":{\"prompt_tokens\":2,\"completion_tokens\":3,\"total_tokens\":5}}\n\n");
	if (done) {
		event(c, "data: [DONE]\n\n");
	}
	text_add_str(act(c, ACT_SEND, 0), "0\r\n\r\n");
}

static void make_stream(struct script *c)
{
	head(c, 200, "text/event-stream", SIZE_MAX);
	if (c->s->does == BEHAVE_PINGS || c->s->does == BEHAVE_PINGS_STALL) {
		event(c, ": ping\n\n");
		event(c, "\n");
		event(c, ": pong\r\n\r\n");
	}
	switch ((unsigned)c->s->does) {
	case BEHAVE_HEAD_STALLS:
	case BEHAVE_PINGS_STALL:
		return;
	case BEHAVE_HEAD_RESET:
		act(c, ACT_RESET, 0);
		return;
	case BEHAVE_HEAD_CLOSES:
		act(c, ACT_CLOSE, 0);
		return;
	case BEHAVE_NO_EVENT:
		text_add_str(act(c, ACT_SEND, 0), "0\r\n\r\n");
		return;
	case BEHAVE_EVENT_ERROR:
		event(c,
			"data: {\"error\":{\"type\":\"overloaded_error\",\"message\":\"r%ua%u\"}}\n\n",
			c->request, c->k);
		text_add_str(act(c, ACT_SEND, 0), "0\r\n\r\n");
		return;
	default:
		break;
	}
	for (unsigned i = 0; i < c->s->pieces; i++) {
		content(c, i);
	}
	switch ((unsigned)c->s->does) {
	case BEHAVE_MALFORMED:
		event(c, "data: {\"id\":\"r%ua%u\", nonsense\n\n", c->request, c->k);
		break;
	case BEHAVE_CUT:
		text_add_str(act(c, ACT_SEND, 0), "ff\r\ndata: {\"id\":\"half");
		act(c, ACT_RESET, 0);
		return;
	case BEHAVE_CUT_CLEAN:
		act(c, ACT_CLOSE, 0);
		return;
	case BEHAVE_LATE_STALL:
		return;
	case BEHAVE_LATE_ERROR:
		event(c, "data: {\"error\":{\"message\":\"r%ua%u broke\"}}\n\n", c->request, c->k);
		text_add_str(act(c, ACT_SEND, 0), "0\r\n\r\n");
		return;
	default:
		break;
	}
	end_stream(c, c->s->does != BEHAVE_NO_DONE);
}

static void make_plain(struct script *c)
{
	struct text t;
	size_t n, part, sent = 0;

	text_init(&t, BYTES_MAX);
	text_addf(&t,
		"{\"id\":\"c\",\"object\":\"chat.completion\",\"model\":\"m\",\"choices\":[{\"index\":0,"
		"\"message\":{\"role\":\"assistant\",\"content\":\"r%ua%u said\"},"
		"\"finish_reason\":\"stop\"}]%s,\"usage\":"
		"{\"prompt_tokens\":2,\"completion_tokens\":3,\"total_tokens\":5}}",
		c->request, c->k, c->s->does == BEHAVE_MALFORMED ? " nonsense" : "");
	n = t.n;
	head(c, 200, "application/json", n);
	switch ((unsigned)c->s->does) {
	case BEHAVE_HEAD_STALLS:
	case BEHAVE_PINGS_STALL:
		n = 0;
		break;
	case BEHAVE_HEAD_RESET:
		act(c, ACT_RESET, 0);
		n = 0;
		break;
	case BEHAVE_HEAD_CLOSES:
		act(c, ACT_CLOSE, 0);
		n = 0;
		break;
	case BEHAVE_CUT:
	case BEHAVE_CUT_CLEAN:
	case BEHAVE_LATE_STALL:
		n = n / 2;
		break;
	default:
		break;
	}
	part = n / c->s->pieces + 1;
	while (sent < n) {
		text_add(act(c, ACT_SEND, pause(c)), t.p + sent, MIN(part, n - sent));
		sent += MIN(part, n - sent);
	}
	if (c->s->does == BEHAVE_CUT || c->s->does == BEHAVE_CUT_CLEAN) {
		act(c, c->s->does == BEHAVE_CUT ? ACT_RESET : ACT_CLOSE, 0);
	}
	text_done(&t);
}

static void make_status(struct script *c)
{
	struct text t;

	text_init(&t, BYTES_MAX);
	text_addf(&t, "{\"error\":{\"message\":\"r%ua%u says no\"}}", c->request, c->k);
	head(c, c->s->status, "application/json", t.n);
	if (c->s->does == BEHAVE_STATUS_STALLS || c->s->does == BEHAVE_STATUS_CUT) {
		t.n /= 2;
	}
	/* Together with the head, as vendors send it. */
	text_add_bytes(&c->acts[c->n - 1].bytes, text_bytes(&t));
	if (c->s->does == BEHAVE_STATUS_CUT) {
		act(c, ACT_RESET, 0);
	}
	text_done(&t);
}

/* Whole answers that look like none, and ends without any. */
static void make_other(struct script *c)
{
	struct text t;

	text_init(&t, BYTES_MAX);
	switch ((unsigned)c->s->does) {
	case BEHAVE_RESET:
	case BEHAVE_RESET_EARLY:
		act(c, ACT_RESET, 0);
		break;
	case BEHAVE_CLOSE:
		act(c, ACT_CLOSE, 0);
		break;
	case BEHAVE_HALF_HEAD:
		text_add_str(act(c, ACT_SEND, 0), "HTTP/1.1 200");
		act(c, ACT_CLOSE, 0);
		break;
	case BEHAVE_JUNK:
		text_add_str(act(c, ACT_SEND, 0), "HTTP/9.1 wat\r\n\r\n");
		break;
	case BEHAVE_ERROR_200:
	case BEHAVE_EVENT_ERROR:
		text_addf(&t, "{\"error\":{\"code\":\"internal_error\",\"message\":\"r%ua%u\"}}",
			c->request, c->k);
		head(c, 200, "application/json", t.n);
		text_add_bytes(&c->acts[c->n - 1].bytes, text_bytes(&t));
		break;
	case BEHAVE_PAGE:
	case BEHAVE_NO_EVENT:
		head(c, 200, "text/html", 4);
		text_add_str(&c->acts[c->n - 1].bytes, "<p/>");
		break;
	default: /* BEHAVE_STALL */
		break;
	}
	text_done(&t);
}

static bool is_other(enum trial_behaviour b, bool stream)
{
	return b == BEHAVE_RESET || b == BEHAVE_RESET_EARLY || b == BEHAVE_CLOSE ||
		b == BEHAVE_HALF_HEAD || b == BEHAVE_JUNK || b == BEHAVE_ERROR_200 ||
		b == BEHAVE_PAGE || b == BEHAVE_STALL ||
		(!stream && (b == BEHAVE_EVENT_ERROR || b == BEHAVE_NO_EVENT));
}

unsigned trial_acts(
	const struct trial_step *s, bool stream, unsigned i, unsigned k, struct trial_act *out)
{
	struct script c = {s, i, k, out, 0};

	if (is_other(s->does, stream)) {
		make_other(&c);
	} else if (s->does >= BEHAVE_STATUS && s->does <= BEHAVE_STATUS_EARLY) {
		make_status(&c);
	} else if (stream) {
		make_stream(&c);
	} else {
		make_plain(&c);
	}
	return c.n;
}

void trial_acts_done(struct trial_act *acts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		text_done(&acts[i].bytes);
	}
}
