#define _GNU_SOURCE
#include "sim/probing.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/probe.h"
#include "sim/given.h"

struct probing {
	struct probe probe;
	char *texts[4]; /* provider, method, path, body */
	bool told;
};

static const char *const failures[] = {[PROBE_ANSWERED] = "answered",
	[PROBE_NO_PROVIDER] = "no provider",
	[PROBE_DNS] = "dns",
	[PROBE_CONNECT] = "connect",
	[PROBE_TLS] = "tls",
	[PROBE_TIMEOUT] = "timeout",
	[PROBE_PROTOCOL] = "protocol",
	[PROBE_GONE] = "gone"};

static bool is_under_way(const struct probing *at)
{
	return at->probe.run != NULL;
}

static void on_done(struct probe *p)
{
	struct probing *at = p->arg;

	ASSERT(!at->told);
	at->told = true;
}

void probing_done(struct player *p)
{
	if (p->probing == NULL) {
		return;
	}
	probe_done(&p->probing->probe);
	for (unsigned i = 0; i < ARRAY_LEN(p->probing->texts); i++) {
		free(p->probing->texts[i]);
	}
	free(p->probing);
	p->probing = NULL;
}

/* body VALUE, connect 5s, within 20s */
static bool read_block(struct player *p, struct probing *at)
{
	struct text line;
	bool good = true;

	text_init(&line, SCRIPT_TEXT_MAX);
	for (unsigned i = 0; good && i < p->line->n_block; i++) {
		struct bytes rest;
		struct bytes word;
		struct bytes value;
		uint64_t ns = 0;

		text_clear(&line);
		script_expand(p->script, p->case_index, p->line->block[i], &line);
		rest = text_bytes(&line);
		word = script_word(&rest);
		if (bytes_eq(word, BYTES("body"))) {
			good = play_value(p, rest, &value);
			at->texts[3] = good ? bytes_dup(value) : NULL;
			at->probe.body = good ? bytes_of(at->texts[3], value.n) : value;
		} else if (bytes_eq(word, BYTES("connect"))) {
			good = play_duration(p, rest, &ns);
			at->probe.connect_ms = (uint32_t)(ns / 1000000);
		} else {
			good = bytes_eq(word, BYTES("within"))
				? play_duration(p, rest, &ns)
				: play_fail(p, "a probe has body, connect and within");
			at->probe.total_ms = (uint32_t)(ns / 1000000);
		}
	}
	text_done(&line);
	return good;
}

/* probe PROVIDER METHOD TARGET */
bool probing_start(struct player *p, struct bytes rest)
{
	struct probing *at;
	struct bytes words[3];

	if (!play_start(p)) {
		return false;
	}
	if (p->ops->gateway == NULL || (p->probing != NULL && is_under_way(p->probing))) {
		return play_fail(p, "this subject has no probes, or one is under way");
	}
	probing_done(p);
	at = p->probing = must_alloc(sizeof(*at));
	for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
		words[i] = script_word(&rest);
		at->texts[i] = bytes_dup(words[i]);
		words[i].p = at->texts[i];
	}
	at->probe.provider = words[0];
	at->probe.method = words[1];
	at->probe.path = words[2];
	at->probe.body = BYTES("");
	at->probe.on_done = on_done;
	at->probe.arg = at;
	if (!read_block(p, at)) {
		return false;
	}
	probe_start(p->ops->gateway(p->subject), &at->probe);
	return !at->told || play_fail(p, "it called back before it had begun");
}

static bool contains(struct player *p, const char *what, struct bytes got, struct bytes rest)
{
	struct bytes v;

	return play_value(p, rest, &v) &&
		(memmem(got.p, got.n, v.p, v.n) != NULL || play_fail_bytes(p, what, v, got));
}

static bool is(struct player *p, struct probing *at, struct bytes rest)
{
	struct bytes word = script_word(&rest);
	uint64_t n;

	if (bytes_eq(word, BYTES("cancelled"))) {
		at->told |= is_under_way(at); /* from here on nobody is to be called */
		probe_cancel(&at->probe);
		return true;
	}
	if (bytes_eq(word, BYTES("under"))) {
		return is_under_way(at) ||
			play_fail(p, "it has ended: %s, %s", failures[at->probe.failure],
				at->probe.why);
	}
	if (!bytes_eq(word, BYTES("answered"))) {
		return play_fail(p, "a probe is answered STATUS, under way or cancelled");
	}
	return play_number(p, script_word(&rest), &n) &&
		((!is_under_way(at) && at->probe.failure == PROBE_ANSWERED &&
			 at->probe.status == n) ||
			play_fail(p, "it %s %u %s", failures[at->probe.failure], at->probe.status,
				at->probe.why));
}

/* the probe is answered 200 | is under way | is cancelled | fails: dns | says "text" | brings VALUE */
bool probing_expect(struct player *p, struct bytes rest)
{
	struct probing *at = p->probing;
	struct bytes verb = script_word(&rest);

	if (at == NULL) {
		return play_fail(p, "there is no probe");
	}
	if (bytes_eq(verb, BYTES("is"))) {
		return is(p, at, rest);
	}
	if (is_under_way(at)) {
		return play_fail(p, "it is under way");
	}
	if (bytes_eq(verb, BYTES("says"))) {
		return contains(p, "why", bytes_str(at->probe.why), rest);
	}
	if (bytes_eq(verb, BYTES("brings"))) {
		return contains(p, "body", text_bytes(&at->probe.body_got), rest);
	}
	return bytes_eq(verb, BYTES("fails:")) &&
			bytes_eq(rest, bytes_str(failures[at->probe.failure]))
		? true
		: play_fail(p, "it %s: %s", failures[at->probe.failure], at->probe.why);
}
