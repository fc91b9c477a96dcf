/*
 * Inside the room only: what the server and its connections share.
 */
#ifndef HTTP_SERVER_INT_H
#define HTTP_SERVER_INT_H

#include "http/server.h"
#include "wire/h1.h"

struct server {
	struct server_opts opts;
	struct listener *listeners;
	struct list conns;
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
/* Closes the connection of that link when it is idle. */
void server_conn_drain(struct list *link);
/* Closes it at once; the user of its stream is told first. */
void server_conn_cut(struct list *link);

#endif
