#define _GNU_SOURCE
#include "sim/player.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "sim/given.h"
#include "sim/probing.h"
#include "sim/reaching.h"
#include "sim/world.h"

/* A world that has not come to rest after so many rounds never will. */
#define ROUNDS_MAX 20000000u
#define FAILURE_MAX 4096u
#define SHOWN_MAX 400u
#define MS 1000000u

/* --- failures ----------------------------------------------------------------------------------- */

bool play_fail(struct player *p, const char *fmt, ...)
{
	va_list ap;

	if (p->failure.n != 0) {
		return false; /* the first one counts */
	}
	if (p->line != NULL) {
		text_addf(&p->failure, "%s:%u: ", p->line->file, p->line->number);
		text_add(&p->failure, p->text.p, MIN(p->text.n, (size_t)SHOWN_MAX));
		text_add_str(&p->failure, ": ");
	}
	va_start(ap, fmt);
	text_addv(&p->failure, fmt, ap);
	va_end(ap);
	return false;
}

static void show(struct text *out, struct bytes b)
{
	for (size_t i = 0; i < b.n; i++) {
		unsigned char c = (unsigned char)b.p[i];

		if (i == SHOWN_MAX / 2 && b.n > SHOWN_MAX) {
			i = b.n - SHOWN_MAX / 2;
			text_add_str(out, " ... ");
		}
		if (c == '\r' || c == '\n') {
			text_add_str(out, c == '\r' ? "\\r" : "\\n");
		} else if (c < 0x20 || c >= 0x7f) {
			text_addf(out, "\\x%02x", c);
		} else {
			text_add_char(out, (char)c);
		}
	}
}

bool play_fail_bytes(struct player *p, const char *what, struct bytes wanted, struct bytes got)
{
	struct text t;
	size_t same = 0;

	if (p->failure.n != 0) {
		return false;
	}
	while (same < MIN(wanted.n, got.n) && wanted.p[same] == got.p[same]) {
		same++;
	}
	text_init(&t, FAILURE_MAX);
	text_addf(&t, "wanted %s", what);
	if (wanted.p != NULL) {
		text_addf(&t, " (%zu bytes): ", wanted.n);
		show(&t, wanted);
	}
	text_addf(&t, "\n    got (%zu bytes): ", got.n);
	show(&t, got);
	if (wanted.p != NULL) {
		text_addf(&t, "\n    they differ from byte %zu on", same);
	}
	play_fail(p, BYTES_FMT, BYTES_ARG(text_bytes(&t)));
	text_done(&t);
	return false;
}

bool play_value(struct player *p, struct bytes text, struct bytes *out)
{
	text_clear(&p->value);
	if (!script_value(text, &p->value)) {
		return play_fail(p, "the value is malformed");
	}
	*out = p->value.p == NULL ? bytes_of("", 0) : text_bytes(&p->value);
	return true;
}

bool play_number(struct player *p, struct bytes text, uint64_t *out)
{
	return num_parse_u64(text, UINT64_MAX, out) || play_fail(p, "a number is missing");
}

/* --- turns -------------------------------------------------------------------------------------- */

/* Some things on the network, then most of the loops in an order by chance. True: all is quiet. */
static bool round_is_quiet(struct player *p)
{
	struct subject *s = p->subject;
	unsigned steps = 1 + (unsigned)world_chance(6);
	uint64_t before = simnet_events(world()->net);
	uint64_t until_ns;
	bool all = true;
	unsigned first;

	while (steps != 0 && simnet_step(world()->net)) {
		steps--;
	}
	if (s == NULL) {
		return steps != 0 && before == simnet_events(world()->net);
	}
	first = (unsigned)world_chance(s->n_loops);
	for (unsigned i = 0; i < s->n_loops; i++) {
		if (world_chance(8) == 0) {
			all = false; /* that thread has not been given the processor */
			continue;
		}
		loop_turn(s->loops[(first + i) % s->n_loops], -1);
	}
	if (s->ops->work(s)) {
		return false;
	}
	return all && before == simnet_events(world()->net) &&
		simnet_asleep(world()->net, &until_ns);
}

bool play_settle(struct player *p)
{
	unsigned quiet = 0;

	/* Twice: what fires in a first quiet turn may have posted to a loop that was already turned. */
	for (unsigned rounds = 0; quiet < 2; rounds++) {
		if (rounds == ROUNDS_MAX) {
			return play_fail(p, "the world does not come to rest");
		}
		quiet = round_is_quiet(p) ? quiet + 1 : 0;
	}
	for (unsigned i = 0; i < p->n_actors; i++) {
		actor_look(p, p->actors[i]);
	}
	return true;
}

bool play_start(struct player *p)
{
	struct fault fault = {.err = ERR_NONE};

	if (p->subject != NULL) {
		return true;
	}
	p->subject = p->ops->start(&p->settings, &fault);
	if (p->subject == NULL) {
		return play_fail(p, "it does not start: %s", fault.text);
	}
	return play_settle(p);
}

bool play_pass(struct player *p, uint64_t ns)
{
	uint64_t target = world()->now_ns + ns;

	while (world()->now_ns < target) {
		uint64_t until;

		if (!play_settle(p)) {
			return false;
		}
		IGNORE(simnet_asleep(world()->net, &until)); /* it does: the world is settled */
		until = MAX(until, world()->now_ns + MS);
		world()->now_ns = MIN(until, target);
	}
	return play_settle(p);
}

/* --- lines -------------------------------------------------------------------------------------- */

static bool starts_with_words(struct bytes text, const char *words, struct bytes *rest)
{
	struct bytes w = bytes_str(words);

	if (!bytes_starts(text, w) || (text.n > w.n && text.p[w.n] != ' ')) {
		return false;
	}
	*rest = bytes_trim(bytes_of(text.p + w.n, text.n - w.n));
	return true;
}

static const struct command *find_command(
	const struct command *table, const struct actor *a, struct bytes text, struct bytes *rest)
{
	unsigned who = a->is_client ? BY_CLIENT : BY_UPSTREAM;

	for (; table->words != NULL; table++) {
		if (((unsigned)table->who & who) != 0 &&
			starts_with_words(text, table->words, rest)) {
			return table;
		}
	}
	return NULL;
}

/* "U#2" is U's second connection; without a number it is the newest. */
static struct actor *find_actor(
	struct player *p, struct bytes word, struct peer **peer, bool *found)
{
	struct bytes name = bytes_cut(&word, '#');
	uint64_t k = 0;

	for (unsigned i = 0; i < p->n_actors; i++) {
		struct actor *a = p->actors[i];

		if (!bytes_eq(bytes_str(a->name), name)) {
			continue;
		}
		*found = word.p == NULL ? a->n_peers != 0
					: num_parse_u64(word, a->n_peers, &k) && k != 0;
		*peer = *found ? a->peers[word.p == NULL ? a->n_peers - 1 : k - 1] : NULL;
		return a;
	}
	return NULL;
}

static bool run_actor(struct player *p, struct actor *a, struct peer *peer, struct bytes text)
{
	const struct command *c;
	struct bytes rest;

	if (starts_with_words(text, "expects", &rest)) {
		text = rest;
		/* "2 connections" reads better than "connections 2". */
		if (bytes_ends(text, BYTES(" connections")) ||
			bytes_ends(text, BYTES(" connection"))) {
			c = find_command(expect_commands, a, BYTES("connections"), &rest);
			rest = text;
		} else {
			c = find_command(expect_commands, a, text, &rest);
		}
	} else {
		c = find_command(actor_commands, a, text, &rest);
	}
	if (c == NULL) {
		return play_fail(p, "an actor of that kind cannot do that");
	}
	if (c->needs_peer && peer == NULL) {
		return play_fail(p, "there is no such connection");
	}
	return c->run(p, a, peer, rest);
}

/* every A VERB ...: for each connection that A has now, the oldest first. */
static bool run_every(struct player *p, struct bytes text)
{
	struct peer *peer = NULL;
	bool found = false;
	struct actor *a = find_actor(p, script_word(&text), &peer, &found);
	unsigned n = a == NULL ? 0 : a->n_peers;

	if (n == 0) {
		return play_fail(p, "nobody is there");
	}
	for (unsigned i = 0; i < n; i++) {
		if (!run_actor(p, a, a->peers[i], text)) {
			text_addf(&p->failure, " (%s#%u)", a->name, i + 1);
			return false;
		}
	}
	return true;
}

static bool run_line(struct player *p)
{
	struct bytes text = text_bytes(&p->text);
	struct bytes rest = text;
	struct peer *peer = NULL;
	struct actor *a;
	bool found = false;
	bool quickly = starts_with_words(text, "quickly", &rest);
	bool good;

	if (quickly) {
		text = rest;
	}
	if (starts_with_words(text, "every", &rest)) {
		good = run_every(p, rest);
	} else {
		rest = text;
		a = find_actor(p, script_word(&rest), &peer, &found);
		good = a != NULL ? run_actor(p, a, peer, rest) : given_run(p, text);
	}
	if (!good || quickly || p->subject == NULL) {
		return good;
	}
	return play_settle(p);
}

/* --- the end ------------------------------------------------------------------------------------ */

/* Bytes that the product sent and no expectation spoke about. */
static bool check_leftovers(struct player *p, const struct actor *a)
{
	for (unsigned i = 0; i < a->n_peers; i++) {
		struct peer *peer = a->peers[i];
		struct bytes all;

		if (peer->careless) {
			continue;
		}
		if (peer->begun) {
			peer_read(peer);
		}
		all = pipe_bytes(&peer->far->got);
		if (peer->message.at < all.n) {
			play_fail(p, "%s#%u got more than the story tells", a->name, i + 1);
			text_add_str(&p->failure, ": ");
			show(&p->failure,
				bytes_of(all.p + peer->message.at, all.n - peer->message.at));
			return false;
		}
	}
	return true;
}

static void hang_up_all(struct player *p)
{
	for (unsigned i = 0; i < p->n_actors; i++) {
		for (unsigned k = 0; p->actors[i]->is_client && k < p->actors[i]->n_peers; k++) {
			if (!p->actors[i]->peers[k]->far->closed) {
				far_close(p->actors[i]->peers[k]->far);
			}
		}
	}
}

bool play_end(struct player *p)
{
	unsigned open;

	/* Longer than every deadline: a timer that outlived its owner fires now. */
	if (!play_settle(p) || !play_pass(p, (uint64_t)1000 * 1000 * MS)) {
		return false;
	}
	if (p->ops->lent(p->subject) != 0) {
		return play_fail(p, "%zu segments are lent in the end", p->ops->lent(p->subject));
	}
	if (!given_check_end(p)) {
		return false;
	}
	p->ops->stop(p->subject);
	p->subject = NULL;
	probing_done(p);
	reaching_done(p);
	open = simnet_open_descriptors(world()->net);
	if (open != 0) {
		return play_fail(p, "%u descriptors are open in the end", open);
	}
	return true;
}

/* What holds at the end of every story: everything was told, and everything is given back. */
static bool check_end(struct player *p)
{
	for (unsigned i = 0; i < p->n_actors; i++) {
		actor_look(p, p->actors[i]);
		if (!check_leftovers(p, p->actors[i])) {
			return false;
		}
	}
	hang_up_all(p);
	return play_end(p);
}

static bool run_lines(struct player *p)
{
	for (unsigned i = 0; i < p->script->n_lines; i++) {
		p->line = &p->script->lines[i];
		text_clear(&p->text);
		script_expand(p->script, p->case_index, p->line->text, &p->text);
		if (!run_line(p)) {
			return false;
		}
		if (world()->wrong.n != 0) {
			return play_fail(p, "the product did wrong: " BYTES_FMT,
				BYTES_ARG(text_bytes(&world()->wrong)));
		}
	}
	p->line = NULL;
	return play_start(p) && check_end(p) &&
		(world()->wrong.n == 0 ||
			play_fail(p, "the product did wrong: " BYTES_FMT,
				BYTES_ARG(text_bytes(&world()->wrong))));
}

static void free_actors(struct player *p)
{
	for (unsigned i = 0; i < p->n_actors; i++) {
		for (unsigned k = 0; k < p->actors[i]->n_peers; k++) {
			message_done(&p->actors[i]->peers[k]->message);
			free(p->actors[i]->peers[k]);
		}
		free(p->actors[i]);
	}
}

bool play(const struct script *s, unsigned case_index, uint64_t seed, struct text *failure)
{
	struct player *p = must_alloc(sizeof(*p));
	bool good;

	p->script = s;
	p->case_index = case_index;
	p->seed = seed;
	p->ops = &subject_gateway;
	text_init(&p->text, SCRIPT_TEXT_MAX);
	text_init(&p->value, SCRIPT_TEXT_MAX);
	text_init(&p->failure, FAILURE_MAX);
	world_begin(seed);
	good = run_lines(p);
	if (!good) {
		text_add_bytes(failure, text_bytes(&p->failure));
	}
	/* A failed run is not taken apart: the product may be in any state. Its memory goes with the
	 * process, which reports the failure. */
	free_actors(p);
	world_end();
	text_done(&p->text);
	text_done(&p->value);
	text_done(&p->failure);
	free(p);
	return good;
}
