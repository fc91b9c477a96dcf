/*
 * Plays one case of a scenario under one seed: reads line after line, lets actors do what they say,
 * turns the loops of the subject until nothing more happens, compares.
 *
 *   player.c   runs and turns; the world's own lines (name, time, log, counter …)
 *   actor.c    what clients and upstreams do
 *   expect.c   what they expect
 */
#ifndef SIM_PLAYER_H
#define SIM_PLAYER_H

#include "sim/message.h"
#include "sim/script.h"
#include "sim/simnet.h"
#include "sim/subject.h"

struct probing;
struct reaching;

#define ACTORS_MAX 16u
#define PEERS_MAX 2048u

/* One connection of an actor, and the message that it is reading. */
struct peer {
	struct far *far;
	struct message message;
	bool begun;    /* message was begun: an expectation named it */
	bool careless; /* what is left unread in the end is no failure */
	bool chunked;  /* the last answer it began goes on in chunks */
};

struct actor {
	char name[32];
	bool is_client;
	bool careless; /* of connections to come */
	struct sys_addr address;
	struct far_habits habits;
	struct peer *peers[PEERS_MAX];
	unsigned n_peers;
};

struct player {
	const struct script *script;
	unsigned case_index;
	uint64_t seed;
	const struct subject_ops *ops;
	struct subject *subject; /* NULL: not started yet */
	struct settings settings;
	struct actor *actors[ACTORS_MAX];
	unsigned n_actors;
	const struct line *line;
	struct reaching *reaching; /* sim/reaching.c; NULL: none yet */
	struct probing *probing;   /* sim/probing.c; NULL: none yet */
	size_t heap_before;        /* bytes, at `heap counts from here` */
	struct text text;          /* of the line, with variables replaced */
	struct text value;         /* of its argument */
	struct text failure;
};

/* False: failed; what went wrong is in *failure, which the caller initialised. */
bool play(const struct script *s, unsigned case_index, uint64_t seed, struct text *failure);

/* Appends "file:line: " and the sentence; returns false. */
bool play_fail(struct player *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* "wanted …, got …", with unprintable bytes escaped and long texts cut. */
bool play_fail_bytes(struct player *p, const char *what, struct bytes wanted, struct bytes got);
/* Starts the subject when it is not yet running. */
bool play_start(struct player *p);
/* Turns until nothing more happens without time passing. */
bool play_settle(struct player *p);
/* All clients have hung up: a thousand seconds pass, everything is given back, and the subject stops. */
bool play_end(struct player *p);
/* The argument as a value, in p->value. */
bool play_value(struct player *p, struct bytes text, struct bytes *out);
bool play_number(struct player *p, struct bytes text, uint64_t *out);

/* Connections that the product made to an upstream since it was looked at last. */
void actor_look(struct player *p, struct actor *a);
/* Reads on in the peer's current message. */
void peer_read(struct peer *peer);

struct command {
	const char *words; /* after the actor's name */
	enum { BY_CLIENT = 1, BY_UPSTREAM = 2, BY_BOTH = 3 } who;
	bool needs_peer;
	bool (*run)(struct player *p, struct actor *a, struct peer *peer, struct bytes rest);
};
extern const struct command actor_commands[], expect_commands[];

#endif
