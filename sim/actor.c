#define _GNU_SOURCE
#include <stdlib.h>

#include "base/num.h"
#include "sim/chance.h"
#include "sim/player.h"
#include "sim/world.h"

#define MESSAGE_TEXT_MAX (64u * 1024u * 1024u)

static struct peer *add_peer(struct actor *a, struct far *f)
{
	struct peer *peer = must_alloc(sizeof(*peer));

	ASSERT(a->n_peers < PEERS_MAX);
	peer->far = f;
	peer->careless = a->careless;
	a->peers[a->n_peers++] = peer;
	return peer;
}

void actor_look(struct player *p, struct actor *a)
{
	struct far *f;

	(void)p;
	while (!a->is_client &&
		(f = simnet_connection(world()->net, &a->address, a->n_peers)) != NULL) {
		add_peer(a, f);
	}
}

static bool do_connect(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	struct far *f;
	uint64_t times = 1;

	(void)peer;
	if (rest.n != 0 && !play_number(p, script_word(&rest), &times)) {
		return false;
	}
	if (!play_start(p)) {
		return false;
	}
	while (times-- > 0) {
		f = simnet_connect(world()->net, &a->address, &a->habits);
		if (f == NULL) {
			return play_fail(p, "nobody listens");
		}
		add_peer(a, f);
	}
	return true;
}

static bool can_send(struct player *p, const struct peer *peer)
{
	return (!peer->far->closed && !peer->far->finished) ||
		play_fail(p, "it has closed its end already");
}

static bool do_send(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	struct bytes v;

	(void)a;
	if (!can_send(p, peer) || !play_value(p, rest, &v)) {
		return false;
	}
	far_send(peer->far, v);
	return true;
}

/* --- messages ----------------------------------------------------------------------------------- */

static void add_chunk(struct text *out, struct bytes data)
{
	text_addf(out, "%zx\r\n", data.n);
	text_add_bytes(out, data);
	text_add_str(out, "\r\n");
}

static void add_event(struct text *out, struct bytes data)
{
	text_add_str(out, "data: ");
	text_add_bytes(out, data);
	text_add_str(out, "\n\n");
}

static void add_event_chunk(struct text *out, struct bytes data)
{
	struct text event;

	text_init(&event, MESSAGE_TEXT_MAX);
	add_event(&event, data);
	add_chunk(out, text_bytes(&event));
	text_done(&event);
}

/* A message in the making: the lines of a block. */
struct draft {
	struct text head, body;
	bool has_body, has_chunks, framed, unfinished;
};

static bool draft_is_header(struct bytes text)
{
	const char *colon = memchr(text.p, ':', text.n);
	const char *blank = memchr(text.p, ' ', text.n);

	return colon != NULL && (blank == NULL || colon < blank);
}

static bool draft_line(struct player *p, struct draft *d, struct bytes text)
{
	struct bytes rest = text;
	struct bytes word;
	struct bytes v;

	if (draft_is_header(text)) {
		d->framed = d->framed || bytes_starts_nocase(text, BYTES("content-length:")) ||
			bytes_starts_nocase(text, BYTES("transfer-encoding:"));
		text_add_bytes(&d->head, text);
		text_add_str(&d->head, "\r\n");
		return true;
	}
	word = script_word(&rest);
	if (bytes_eq(word, BYTES("unfinished"))) {
		d->unfinished = true;
		return true;
	}
	if (!play_value(p, rest, &v)) {
		return false;
	}
	d->has_body = d->has_body || bytes_eq(word, BYTES("body"));
	if (bytes_eq(word, BYTES("body"))) {
		text_add_bytes(&d->body, v);
	} else if (bytes_eq(word, BYTES("chunk"))) {
		d->has_chunks = true;
		add_chunk(&d->body, v);
	} else if (bytes_eq(word, BYTES("event"))) {
		d->has_chunks = true;
		add_event_chunk(&d->body, v);
	} else {
		return play_fail(p, "no such line in a message: " BYTES_FMT, BYTES_ARG(text));
	}
	return true;
}

static bool draft_lines(struct player *p, struct draft *d)
{
	bool good = true;

	for (unsigned i = 0; good && i < p->line->n_block; i++) {
		struct text text;

		text_init(&text, MESSAGE_TEXT_MAX);
		script_expand(p->script, p->case_index, p->line->block[i], &text);
		good = text.n == 0 || draft_line(p, d, text_bytes(&text));
		text_done(&text);
	}
	return good;
}

static void draft_finish(struct draft *d, bool is_answer)
{
	if (d->has_chunks && !d->framed) {
		text_add_str(&d->head, "Transfer-Encoding: chunked\r\n");
	} else if (!d->framed && (d->has_body || (is_answer && !d->unfinished))) {
		text_addf(&d->head, "Content-Length: %zu\r\n", d->body.n);
	}
	text_add_str(&d->head, "\r\n");
	if (d->has_chunks && !d->unfinished) {
		text_add_str(&d->body, "0\r\n\r\n");
	}
}

static bool send_message(struct player *p, struct peer *peer, bool is_answer, struct bytes first)
{
	struct draft d = {.unfinished = false};
	bool good;

	if (!can_send(p, peer)) {
		return false;
	}
	text_init(&d.head, MESSAGE_TEXT_MAX);
	text_init(&d.body, MESSAGE_TEXT_MAX);
	text_add_bytes(&d.head, first);
	text_add_str(&d.head, "\r\n");
	good = draft_lines(p, &d);
	draft_finish(&d, is_answer);
	if (good) {
		far_send(peer->far, text_bytes(&d.head));
		far_send(peer->far, text_bytes(&d.body));
	}
	peer->chunked = d.has_chunks;
	text_done(&d.head);
	text_done(&d.body);
	return good;
}

static bool do_ask(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	struct text first;
	bool good;

	(void)a;
	text_init(&first, MESSAGE_TEXT_MAX);
	text_add_bytes(&first, rest);
	if (memmem(rest.p, rest.n, " HTTP/", 6) == NULL) {
		text_add_str(&first, " HTTP/1.1");
	}
	good = send_message(p, peer, false, text_bytes(&first));
	text_done(&first);
	return good;
}

static bool do_answer(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	struct text first;
	bool good;

	(void)a;
	text_init(&first, MESSAGE_TEXT_MAX);
	text_add_str(&first, "HTTP/1.1 ");
	text_add_bytes(&first, rest);
	if (rest.n == 3) {
		text_add_str(&first, " Scripted");
	}
	good = send_message(p, peer, true, text_bytes(&first));
	text_done(&first);
	return good;
}

static bool send_made(struct player *p, struct peer *peer, struct bytes rest,
	void (*make)(struct text *out, struct bytes data))
{
	struct text out;
	struct bytes v;

	if (!can_send(p, peer) || !play_value(p, rest, &v)) {
		return false;
	}
	text_init(&out, MESSAGE_TEXT_MAX);
	make(&out, v);
	far_send(peer->far, text_bytes(&out));
	text_done(&out);
	return true;
}

static bool do_send_chunk(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	(void)a;
	return send_made(p, peer, rest, add_chunk);
}

/* Framed as the answer that was begun. */
static bool do_send_event(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	(void)a;
	return send_made(p, peer, rest, peer->chunked ? add_event_chunk : add_event);
}

static bool do_end_chunks(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	(void)a;
	(void)rest;
	if (!can_send(p, peer)) {
		return false;
	}
	far_send(peer->far, BYTES("0\r\n\r\n"));
	return true;
}

/* --- ends --------------------------------------------------------------------------------------- */

static bool do_close(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	(void)p;
	(void)a;
	(void)rest;
	far_close(peer->far);
	return true;
}

/* Each on a connection of its own, which it leaves when nothing more happens. */
static bool do_ask_by_chance(
	struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	uint64_t times = 1;
	struct text t;
	bool good = rest.n == 0 || play_number(p, script_word(&rest), &times);

	text_init(&t, SCRIPT_TEXT_MAX);
	while (good && times-- > 0) {
		text_clear(&t);
		chance_request(&world()->chance, &t);
		good = do_connect(p, a, peer, BYTES(""));
		if (good) {
			far_send(a->peers[a->n_peers - 1]->far, text_bytes(&t));
			good = play_settle(p);
			far_reset(a->peers[a->n_peers - 1]->far);
		}
		if (good && world()->wrong.n != 0) {
			good = play_fail_bytes(p, "the request where the product did wrong",
				text_bytes(&world()->wrong), text_bytes(&t));
		}
	}
	text_done(&t);
	return good && play_settle(p);
}

static bool do_finish(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	(void)p;
	(void)a;
	(void)rest;
	far_finish(peer->far);
	return true;
}

static bool do_reset(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	(void)p;
	(void)a;
	(void)rest;
	far_reset(peer->far);
	return true;
}

static bool do_reset_now(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	(void)p;
	(void)a;
	(void)rest;
	far_reset_now(peer->far);
	return true;
}

/* --- habits ------------------------------------------------------------------------------------- */

/* Habits hold for the actor's connections from now on, and for the one it has. */
static void set_habits(struct actor *a, struct peer *peer)
{
	simnet_address_habits(world()->net, &a->address, &a->habits);
	if (peer != NULL) {
		peer->far->piece = a->habits.piece;
		peer->far->read_max = a->habits.read_max;
		peer->far->reads = a->habits.reads;
		peer->far->window = a->habits.window;
	}
}

static bool piece(struct player *p, struct bytes rest, size_t *out)
{
	uint64_t n;

	if (bytes_eq(rest, BYTES("random"))) {
		*out = PIECE_RANDOM;
		return true;
	}
	if (bytes_eq(rest, BYTES("any size"))) {
		*out = PIECE_ALL;
		return true;
	}
	if (!play_number(p, rest, &n)) {
		return false;
	}
	*out = (size_t)n;
	return true;
}

static bool do_send_pieces(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	if (!piece(p, rest, &a->habits.piece)) {
		return false;
	}
	set_habits(a, peer);
	return true;
}

static bool do_read_pieces(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	if (!piece(p, rest, &a->habits.read_max)) {
		return false;
	}
	set_habits(a, peer);
	return true;
}

static bool do_window(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	uint64_t n;

	if (bytes_eq(rest, BYTES("random"))) {
		/* Tiny ones find what large ones hide. */
		n = 1 + world_chance(world_chance(2) == 0 ? 30 : 5000);
	} else if (!play_number(p, rest, &n)) {
		return false;
	}
	a->habits.window = (size_t)n;
	set_habits(a, peer);
	return true;
}

static bool do_stop_reading(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	(void)p;
	(void)rest;
	a->habits.reads = 0;
	set_habits(a, peer);
	return true;
}

static bool do_read_on(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	(void)p;
	(void)rest;
	a->habits.reads = SIZE_MAX;
	set_habits(a, peer);
	return true;
}

static bool do_read(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	uint64_t n;

	(void)a;
	if (!play_number(p, script_word(&rest), &n)) {
		return false;
	}
	peer->far->reads = (size_t)n;
	return true;
}

static bool do_not_care(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	(void)p;
	(void)rest;
	if (peer == NULL) {
		a->careless = true;
	} else {
		peer->careless = true;
	}
	return true;
}

/* --- how an upstream answers connects ----------------------------------------------------------- */

static bool do_refuse(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	(void)p;
	(void)peer;
	(void)rest;
	simnet_address(world()->net, &a->address, ADDR_REFUSES);
	return true;
}

static bool do_fall_silent(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	(void)p;
	(void)peer;
	(void)rest;
	simnet_address(world()->net, &a->address, ADDR_SILENT);
	return true;
}

static bool do_accept(struct player *p, struct actor *a, struct peer *peer, struct bytes rest)
{
	(void)p;
	(void)peer;
	(void)rest;
	simnet_answer_late(world()->net, &a->address);
	return true;
}

const struct command actor_commands[] = {
	{"connects", BY_CLIENT, false, do_connect},
	{"asks by chance", BY_CLIENT, false, do_ask_by_chance},
	{"asks", BY_CLIENT, true, do_ask},
	{"answers", BY_UPSTREAM, true, do_answer},
	{"sends in pieces of", BY_BOTH, false, do_send_pieces},
	{"sends chunk", BY_BOTH, true, do_send_chunk},
	{"sends event", BY_UPSTREAM, true, do_send_event},
	{"sends", BY_BOTH, true, do_send},
	{"ends its chunks", BY_BOTH, true, do_end_chunks},
	{"hangs up", BY_BOTH, true, do_close},
	{"closes", BY_BOTH, true, do_close},
	{"finishes sending", BY_BOTH, true, do_finish},
	{"resets at once", BY_BOTH, true, do_reset_now},
	{"resets", BY_BOTH, true, do_reset},
	{"reads in pieces of", BY_BOTH, false, do_read_pieces},
	{"takes a window of", BY_BOTH, false, do_window},
	{"stops reading", BY_BOTH, false, do_stop_reading},
	{"reads on", BY_BOTH, false, do_read_on},
	{"reads", BY_BOTH, true, do_read},
	{"does not care about the rest", BY_BOTH, false, do_not_care},
	{"refuses", BY_UPSTREAM, false, do_refuse},
	{"falls silent", BY_UPSTREAM, false, do_fall_silent},
	{"accepts", BY_UPSTREAM, false, do_accept},
	{NULL, BY_BOTH, false, NULL},
};
