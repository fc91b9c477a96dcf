#define _GNU_SOURCE
#include "base/num.h"
#include "sim/player.h"
#include "sim/world.h"

static struct bytes stream_of(const struct peer *peer)
{
	return pipe_bytes(&peer->far->got);
}

void peer_read(struct peer *peer)
{
	message_read(&peer->message, stream_of(peer), peer->far->end == FAR_FIN);
}

static struct bytes unexpected(const struct peer *peer)
{
	struct bytes all = stream_of(peer);

	return bytes_of(all.p + peer->message.at, all.n - peer->message.at);
}

static bool is_whole(struct player *p, const struct message *m)
{
	switch (m->state) {
	case MESSAGE_HEAD:
		return play_fail(p, "its head is not complete");
	case MESSAGE_BODY:
		return play_fail(p, "the message is not complete: %zu bytes of body so far",
			pipe_n(&m->body));
	case MESSAGE_BROKEN:
		return play_fail(p, "the message is broken: %s", m->why);
	case MESSAGE_DONE:
		break;
	}
	return true;
}

/* The next message on the connection, whose head must be there. */
static bool next_message(struct player *p, struct actor *a, struct peer *peer, bool no_body)
{
	struct message *m = &peer->message;
	size_t at = m->at;

	if (peer->begun) {
		peer_read(peer);
		if (!is_whole(p, m)) {
			return false;
		}
		at = m->at;
		message_done(m);
	}
	peer->begun = true;
	message_begin(m, !a->is_client, at);
	m->no_body = no_body;
	peer_read(peer);
	if (m->state == MESSAGE_BROKEN) {
		return play_fail(p, "the message is broken: %s", m->why);
	}
	if (m->state == MESSAGE_HEAD) {
		return play_fail_bytes(p, "a complete head", bytes_of(NULL, 0), unexpected(peer));
	}
	return true;
}

/* The message that expectations speak about. */
static struct message *the_message(struct player *p, struct peer *peer)
{
	if (!peer->begun) {
		play_fail(p, "no message was begun: say which status or request is expected first");
		return NULL;
	}
	peer_read(peer);
	return &peer->message;
}

/* --- heads -------------------------------------------------------------------------------------- */

static bool want_request(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	struct bytes method = script_word(&rest);
	const struct message *m = &peer->message;

	if (!next_message(p, a, peer, false)) {
		return false;
	}
	if (!bytes_eq(m->first[0], method)) {
		return play_fail_bytes(p, "method", method, m->first[0]);
	}
	return bytes_eq(m->first[1], rest) || play_fail_bytes(p, "target", rest, m->first[1]);
}

static bool want_status(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	struct bytes status = script_word(&rest);

	if (!next_message(p, a, peer, bytes_eq(rest, BYTES("without body")))) {
		return false;
	}
	if (!bytes_eq(peer->message.first[1], status)) {
		peer_read(peer);
		return play_fail(p, "got status %u: " BYTES_FMT, peer->message.status,
			BYTES_ARG(pipe_bytes(&peer->message.body)));
	}
	return true;
}

static bool want_header(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	struct message *m = the_message(p, peer);
	struct bytes name = bytes_trim(bytes_cut(&rest, ':'));
	struct bytes got;

	(void)a;
	if (m == NULL) {
		return false;
	}
	got = message_field(m, name, 0);
	if (got.p == NULL) {
		return play_fail(p, "there is no such header");
	}
	if (message_field(m, name, 1).p != NULL) {
		return play_fail(p, "it is there twice");
	}
	return rest.p == NULL || bytes_eq(got, bytes_trim(rest)) ||
		play_fail_bytes(p, "header", bytes_trim(rest), got);
}

static bool want_no_header(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	struct message *m = the_message(p, peer);
	struct bytes got;

	(void)a;
	if (m == NULL) {
		return false;
	}
	got = message_field(m, rest, 0);
	return got.p == NULL || play_fail_bytes(p, "no such header", bytes_of(NULL, 0), got);
}

/* On no connection and in no place. */
static bool want_never(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	struct bytes v;

	(void)peer;
	if (!play_value(p, rest, &v)) {
		return false;
	}
	for (unsigned i = 0; i < a->n_peers; i++) {
		struct bytes all = stream_of(a->peers[i]);

		if (all.n != 0 && memmem(all.p, all.n, v.p, v.n) != NULL) {
			return play_fail(p, "connection %u got it", i + 1);
		}
	}
	return true;
}

/* --- bodies ------------------------------------------------------------------------------------- */

static bool same_body(struct player *p, struct peer *peer, struct bytes rest)
{
	struct bytes got = pipe_bytes(&peer->message.body);
	struct bytes wanted;

	if (!play_value(p, rest, &wanted)) {
		return false;
	}
	peer->message.events_at = got.n;
	return bytes_eq(got, wanted) || play_fail_bytes(p, "body", wanted, got);
}

static bool want_body(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	struct message *m = the_message(p, peer);

	(void)a;
	return m != NULL && is_whole(p, m) && same_body(p, peer, rest);
}

static bool want_body_so_far(
	struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	(void)a;
	return the_message(p, peer) != NULL && same_body(p, peer, rest);
}

static bool has_body(struct player *p, struct peer *peer, struct bytes rest, bool wanted)
{
	struct message *m = the_message(p, peer);
	struct bytes got;
	struct bytes v;
	bool found;

	if (m == NULL || !play_value(p, rest, &v)) {
		return false;
	}
	got = pipe_bytes(&m->body);
	found = memmem(got.p, got.n, v.p, v.n) != NULL;
	return found == wanted || play_fail_bytes(p, wanted ? "body with" : "body without", v, got);
}

static bool want_body_with(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	(void)a;
	return has_body(p, peer, rest, true);
}

static bool want_body_without(
	struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	(void)a;
	return has_body(p, peer, rest, false);
}

static bool want_body_size(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	struct message *m = the_message(p, peer);
	uint64_t n;

	(void)a;
	if (m == NULL || !play_number(p, rest, &n)) {
		return false;
	}
	return pipe_n(&m->body) == n || play_fail(p, "got %zu bytes of body", pipe_n(&m->body));
}

static bool want_complete(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	struct message *m = the_message(p, peer);

	(void)a;
	(void)rest;
	return m != NULL && is_whole(p, m);
}

static bool want_incomplete(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	struct message *m = the_message(p, peer);

	(void)a;
	(void)rest;
	return m != NULL && (m->state == MESSAGE_BODY || play_fail(p, "the message is complete"));
}

/* --- events ------------------------------------------------------------------------------------- */

static struct bytes next_event(struct player *p, struct peer *peer)
{
	struct message *m = the_message(p, peer);

	return m == NULL ? bytes_of(NULL, 0) : message_next_event(m);
}

static bool want_event(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	struct bytes got = next_event(p, peer);
	struct bytes data = got;
	struct bytes v;

	(void)a;
	if (got.p == NULL) {
		return p->failure.n == 0 && play_fail(p, "no event came");
	}
	if (!play_value(p, rest, &v)) {
		return false;
	}
	IGNORE(bytes_cut(&data, ' ')); /* "data:" is compared with the rest of the line */
	return (bytes_starts(got, BYTES("data: ")) && bytes_eq(data, v)) ||
		play_fail_bytes(p, "event", v, got);
}

static bool want_event_with(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	struct bytes got = next_event(p, peer);
	struct bytes v;

	(void)a;
	if (got.p == NULL) {
		return p->failure.n == 0 && play_fail(p, "no event came");
	}
	if (!play_value(p, rest, &v)) {
		return false;
	}
	return memmem(got.p, got.n, v.p, v.n) != NULL || play_fail_bytes(p, "event with", v, got);
}

static bool want_raw_event(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	struct bytes got = next_event(p, peer);
	struct bytes v;

	(void)a;
	if (got.p == NULL) {
		return p->failure.n == 0 && play_fail(p, "no event came");
	}
	return play_value(p, rest, &v) && (bytes_eq(got, v) || play_fail_bytes(p, "event", v, got));
}

/* "usage shown yes" is the event with usage, "no" says nothing: for tables of cases. */
static bool want_usage(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	return !bytes_eq(rest, BYTES("yes")) || want_event_with(p, a, peer, BYTES("usage"));
}

static bool want_no_event(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	struct message *m = the_message(p, peer);
	struct bytes got;

	(void)a;
	(void)rest;
	if (m == NULL) {
		return false;
	}
	got = bytes_of(pipe_bytes(&m->body).p + m->events_at, pipe_n(&m->body) - m->events_at);
	return got.n == 0 || play_fail_bytes(p, "no event", bytes_of(NULL, 0), got);
}

/* --- bytes and ends ----------------------------------------------------------------------------- */

static bool want_bytes(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	struct bytes got = unexpected(peer);
	struct bytes v;

	(void)a;
	if (!play_value(p, rest, &v)) {
		return false;
	}
	if (!bytes_eq(got, v)) {
		return play_fail_bytes(p, "bytes", v, got);
	}
	peer->message.at += v.n;
	return true;
}

static bool want_nothing(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	(void)a;
	(void)rest;
	if (peer->begun) {
		peer_read(peer);
	}
	return unexpected(peer).n == 0 ||
		play_fail_bytes(p, "nothing", bytes_of(NULL, 0), unexpected(peer));
}

static bool want_end(struct player *p, const struct peer *peer, enum far_end end)
{
	static const char *const names[] = {"open", "closed", "reset"};

	return peer->far->end == end || play_fail(p, "it is %s", names[peer->far->end]);
}

static bool want_open(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	(void)a;
	(void)rest;
	return want_end(p, peer, FAR_OPEN);
}

static bool want_closed(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	(void)a;
	(void)rest;
	return want_end(p, peer, FAR_FIN);
}

static bool want_reset(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	(void)a;
	(void)rest;
	return want_end(p, peer, FAR_RESET);
}

static bool want_gone(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	(void)a;
	(void)rest;
	return peer->far->end != FAR_OPEN || play_fail(p, "it is open");
}

static bool want_connections(
	struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	struct bytes word = script_word(&rest);
	uint64_t n = 0;

	(void)peer;
	if (!bytes_eq(word, BYTES("no")) && !play_number(p, word, &n)) {
		return false;
	}
	return a->n_peers == n || play_fail(p, "it has %u", a->n_peers);
}

/* Bytes that it sent and that the product has not read: back-pressure is at work. */
static bool want_untaken(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	bool most = bytes_eq(script_word(&rest), BYTES("most"));
	uint64_t n;

	(void)a;
	if (!play_number(p, script_word(&rest), &n)) {
		return false;
	}
	return (most ? far_untaken(peer->far) <= n : far_untaken(peer->far) >= n) ||
		play_fail(p, "%zu bytes are not taken", far_untaken(peer->far));
}

const struct command expect_commands[] = {
	{"request", BY_UPSTREAM, true, want_request},
	{"status", BY_CLIENT, true, want_status},
	{"header", BY_BOTH, true, want_header},
	{"no header", BY_BOTH, true, want_no_header},
	{"never to see", BY_BOTH, false, want_never},
	{"body so far", BY_BOTH, true, want_body_so_far},
	{"body with", BY_BOTH, true, want_body_with},
	{"body without", BY_BOTH, true, want_body_without},
	{"body size", BY_BOTH, true, want_body_size},
	{"body", BY_BOTH, true, want_body},
	{"complete", BY_BOTH, true, want_complete},
	{"incomplete", BY_BOTH, true, want_incomplete},
	{"event with", BY_BOTH, true, want_event_with},
	{"event", BY_BOTH, true, want_event},
	{"raw event", BY_BOTH, true, want_raw_event},
	{"usage shown", BY_CLIENT, true, want_usage},
	{"no event", BY_BOTH, true, want_no_event},
	{"bytes", BY_BOTH, true, want_bytes},
	{"nothing", BY_BOTH, true, want_nothing},
	{"open", BY_BOTH, true, want_open},
	{"closed", BY_BOTH, true, want_closed},
	{"reset", BY_BOTH, true, want_reset},
	{"gone", BY_BOTH, true, want_gone},
	{"connections", BY_UPSTREAM, false, want_connections},
	{"untaken at", BY_BOTH, true, want_untaken},
	{NULL, BY_BOTH, false, NULL},
};
