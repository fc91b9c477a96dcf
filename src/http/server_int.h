/*
 * Inside the room only: what the server and its connections share.
 */
#ifndef HTTP_SERVER_INT_H
#define HTTP_SERVER_INT_H

#include "http/server.h"
#include "net/sock.h"
#include "wire/h1.h"

struct server {
	struct server_opts opts;
	struct listener *listeners;
	struct list conns;
	struct tls_server *tls;       /* NULL: no listener speaks TLS */
	struct list handshakes;       /* whose first record is not here yet */
	struct list handshakes_begun; /* which the library knows, oldest first */
	struct list handshake_turns;  /* those of both that can go on */
	unsigned begun;
	struct task turn;
	struct server_counts counts;
	struct field fields[H1_FIELDS_MAX]; /* of the head being parsed */
	uint64_t date_s;
	char date[32];
	bool draining, resting;
	bool yielding; /* unwatched for the others' sake */
	struct timer rest, yield;
	void (*on_drained)(struct server *srv);
	struct task drained;
};

/* --- server.c, for connections ------------------------------------------------------------------- */

/* A connection has ended and left the list. */
void server_conn_ended(struct server *srv);
/* The value of Date (RFC 9110 §6.6.1), made once a second. */
struct bytes server_date(struct server *srv);

/* --- server_conn.c, for the server --------------------------------------------------------------- */

/* Takes over an accepted descriptor. */
void server_conn_new(struct server *srv, int fd, const struct sys_addr *peer);
/* Takes over a socket that has shaken hands; or, with refusal, a plain one that gets it as its answer.
 * False when the system did not let it: the socket is closed, and there is no connection. */
MUST_CHECK bool server_conn_take(struct server *srv, struct sock *from, const struct sys_addr *peer,
	const struct fault *refusal);
/* Closes the connection of that link when it is idle. */
void server_conn_drain(struct list *link);
/* Whether there is no stream on it: it waits for a head, or lingers. *fresh: it never had one. */
bool server_conn_waits(const struct list *link, bool *fresh);
/* Closes it at once; the user of its stream is told first. */
void server_conn_cut(struct list *link);

/* --- server_handshake.c -------------------------------------------------------------------------- */

/* Takes over an accepted descriptor of a listener that speaks TLS. */
void server_handshake_new(struct server *srv, int fd, const struct sys_addr *peer);
void server_handshake_end_all(struct server *srv);

#endif
