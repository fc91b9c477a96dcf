#include "mock/mock_script.h"

#include "base/num.h"

enum number { NUMBER_NONE, NUMBER_MAY, NUMBER_MUST };

struct word {
	const char *name;
	enum number number;
	uint64_t without; /* the value when no number is given */
	uint64_t max;
	size_t offset;
	const char *help;
};

#define WORD(name, number, without, max, member, help)                                 \
	{                                                                              \
		name, number, without, max, offsetof(struct mock_script, member), help \
	}
#define FLAG(name, member, help) WORD(name, NUMBER_NONE, 1, 1, member, help)

#define MS_MAX 3600000u
/* Accident: a name that keeps the mock busy for days. A whole answer of so many words is 60 MB. */
#define EVENTS_MAX 10000000u
#define BYTES_MAX (128u * 1024u * 1024u)

static const struct word words[] = {
	WORD("status", NUMBER_MUST, 0, 599, status,
		"an error object with status N (400..599); 429 with Retry-After and x-ratelimit-*"),
	FLAG("quota", quota, "429: no money is left (insufficient_quota)"),
	FLAG("context", context, "400: the prompt is too long (context_length_exceeded)"),
	FLAG("filter", filter, "400: a filter has refused the prompt (content_filter)"),
	WORD("retry-after", NUMBER_MUST, 0, UINT64_MAX - 1, retry_after,
		"an error's Retry-After says N seconds"),
	FLAG("no-retry-after", no_retry_after, "a 429 without Retry-After"),
	WORD("refuse", NUMBER_MUST, 0, MS_MAX, refuse,
		"all connections are reset, and refused for N ms"),
	FLAG("reset", reset, "the connection is reset before the head"),
	FLAG("silent", silent, "no byte of an answer, and no end"),
	WORD("delay", NUMBER_MUST, 0, MS_MAX, delay, "N ms before the head of the answer"),
	WORD("slow", NUMBER_MUST, 0, MS_MAX, slow, "N ms between events"),
	WORD("stall", NUMBER_MAY, 0, EVENTS_MAX, stall,
		"head with status 200, N events (0), then nothing for ever"),
	WORD("open", NUMBER_NONE, 1, 1, stall, "head with status 200, one event, then nothing"),
	WORD("cut", NUMBER_MAY, 0, EVENTS_MAX, cut,
		"head with status 200, N events, the connection is cut inside the next one"),
	WORD("halt", NUMBER_MAY, 1, EVENTS_MAX, halt,
		"head with status 200, N events (1), half an event, then nothing for ever"),
	WORD("error-event", NUMBER_MAY, 0, EVENTS_MAX, error_event,
		"N events (0), then an error event and a clean end"),
	FLAG("json-as-sse", json_as_sse, "a JSON error as text/event-stream with status 200"),
	FLAG("json-error", json_error, "a JSON error with status 200, also of a stream"),
	FLAG("html", html, "an HTML page with status 200, or that of status-N"),
	FLAG("malformed", malformed, "a body that is no JSON; in a stream one such event"),
	FLAG("short", short_body, "a body that ends before its Content-Length"),
	FLAG("close", to_close, "no length: the body ends with the connection"),
	FLAG("nodone", nodone, "the stream ends cleanly without [DONE]"),
	FLAG("afterdone", afterdone, "an event after [DONE]"),
	FLAG("doubledone", doubledone, "[DONE] twice"),
	FLAG("crlf", crlf, "lines of the stream end with CR LF"),
	FLAG("comments", comments, "comments, an empty event and a ping before content"),
	FLAG("multiline", multiline, "every event in two data lines"),
	WORD("chunks", NUMBER_MUST, 0, EVENTS_MAX, chunks, "N content events of one word each"),
	WORD("tokens", NUMBER_MUST, 0, EVENTS_MAX, tokens,
		"N words of content, usage says N completion tokens"),
	WORD("size", NUMBER_MUST, 0, BYTES_MAX, size, "about N bytes of content"),
	WORD("bigevent", NUMBER_MUST, 0, BYTES_MAX, bigevent, "one content event of N bytes"),
	FLAG("usage-in-choices", usage_in_choices, "usage stands in choices[0], as moonshot's"),
	FLAG("nousage", nousage, "no usage anywhere, even when asked for"),
	FLAG("echo", echo, "content is JSON: method, path, headers, length and sha256 of the body"),
};

/* Of names that begin with "bench". */
static const struct word bench_words[] = {
	WORD("sse", NUMBER_MUST, 0, EVENTS_MAX, bench_sse, "N events of 300 bytes, not recorded"),
};

/* "cut-3" is the word cut with 3, "error-event" a word with a dash in it. */
static const struct word *find_word(
	const struct word *table, size_t n, struct bytes item, struct bytes *number)
{
	for (size_t i = 0; i < n; i++) {
		struct bytes name = bytes_str(table[i].name);

		if (!bytes_starts(item, name)) {
			continue;
		}
		*number = bytes_of(item.p + name.n, item.n - name.n);
		if (number->n == 0 ||
			(number->n > 1 && number->p[0] == '-' && ascii_digit(number->p[1]))) {
			return &table[i];
		}
	}
	return NULL;
}

/* Not the model's own text: it may be long and strange. */
static int refuse(struct fault *fault, const struct word *w, const char *what)
{
	return fault_set(fault, ERR_SYNTAX, 400, 0, "mock: the word %s %s", w->name, what);
}

static int apply(const struct word *table, size_t n, struct bytes item, struct mock_script *s,
	struct fault *fault)
{
	struct bytes number = {NULL, 0};
	const struct word *w = find_word(table, n, item, &number);
	uint64_t *member;

	if (w == NULL) {
		return fault_set(fault, ERR_SYNTAX, 400, 0,
			"mock: the model name has an unknown word (sluice mock --help lists all)");
	}
	member = (uint64_t *)(void *)((char *)s + w->offset);
	if (number.n == 0) {
		if (w->number == NUMBER_MUST) {
			return refuse(fault, w, "needs a number, as in chunks-5");
		}
		*member = w->without;
		return 0;
	}
	if (w->number == NUMBER_NONE) {
		return refuse(fault, w, "takes no number");
	}
	number = bytes_of(number.p + 1, number.n - 1);
	return num_parse_u64(number, w->max, member) ? 0
						     : refuse(fault, w, "has too large a number");
}

static int parse_items(struct bytes rest, struct mock_script *s, struct fault *fault)
{
	int rc = 0;

	while (rest.p != NULL && rc == 0) {
		rc = apply(words, ARRAY_LEN(words), bytes_cut(&rest, '+'), s, fault);
	}
	return rc;
}

/* "bench", "bench-sse-N", and "+slow-N" behind them. */
static int parse_bench(struct bytes rest, struct mock_script *s, struct fault *fault)
{
	struct bytes first = bytes_cut(&rest, '+');
	int rc = 0;

	s->bench = 1;
	if (first.n != 0) {
		rc = apply(bench_words, ARRAY_LEN(bench_words), bytes_of(first.p + 1, first.n - 1),
			s, fault);
	}
	return rc == 0 ? parse_items(rest, s, fault) : rc;
}

/* The name itself, or the name with '-' or '+' behind it. */
static bool is_family(struct bytes model, struct bytes family)
{
	return bytes_starts(model, family) &&
		(model.n == family.n || model.p[family.n] == '-' || model.p[family.n] == '+');
}

static int check(const struct mock_script *s, struct fault *fault)
{
	if (mock_script_has(s->status) && s->status < 400) {
		return fault_set(fault, ERR_SYNTAX, 400, 0, "mock: status needs a number from 400");
	}
	return 0;
}

int mock_script_parse_words(struct bytes list, struct mock_script *out, struct fault *fault)
{
	struct mock_script s;
	int rc;

	memset(&s, 0xff, sizeof(s)); /* every member MOCK_SCRIPT_UNSET */
	rc = parse_items(list, &s, fault);
	if (rc == 0) {
		rc = check(&s, fault);
	}
	if (rc == 0) {
		*out = s;
	}
	return rc;
}

int mock_script_parse(struct bytes model, struct mock_script *out, struct fault *fault)
{
	struct mock_script s;
	int rc = 0;

	memset(&s, 0xff, sizeof(s)); /* every member MOCK_SCRIPT_UNSET */
	if (is_family(model, BYTES("bench"))) {
		rc = parse_bench(bytes_of(model.p + 5, model.n - 5), &s, fault);
	} else if (is_family(model, BYTES("mock")) && model.n > 4) {
		rc = parse_items(bytes_of(model.p + 5, model.n - 5), &s, fault);
	}
	if (rc == 0) {
		rc = check(&s, fault);
	}
	if (rc == 0) {
		*out = s;
	}
	return rc;
}

void mock_script_help(FILE *out)
{
	static const char *const suffix[] = {"", "[-N]", "-N"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		char name[32];

		snprintf(name, sizeof(name), "%s%s", words[i].name, suffix[words[i].number]);
		fprintf(out, "  %-16s %s\n", name, words[i].help);
	}
}
