/*
 * Inside the room only.
 */
#ifndef MANAGE_MANAGE_INT_H
#define MANAGE_MANAGE_INT_H

#include "base/digest.h"
#include "manage/manage.h"
#include "manage/throttle.h"

/* Accident: a scraper that opens a connection for each scrape and closes none; attack: strangers that hold them
 * all. Above it who waits longest gives way. Few people and programs manage a gateway. */
#define MANAGE_CONNECTIONS_MAX 256u
/* What heads and bodies of requests may take at once. */
#define MANAGE_MEMORY ((size_t)16 << 20)

/* Passwords that were right a moment ago. */
#define MANAGE_BASIC_MAX 64u

struct basic_entry {
	unsigned char key[DIGEST_SHA256_SIZE]; /* HMAC of the header */
	uint64_t until_ms, generation;
};

struct door {
	struct manage *manage;
	enum manage_door kind;
	struct server *server; /* NULL: nobody listens here */
};

struct manage {
	struct loop *loop;
	struct jobs *jobs;
	struct segpool pool;
	struct door doors[MANAGE_DOORS];
	struct timer tick;
	struct list calls;
	struct manage_app *apps, **last_app;
	int *listening;
	size_t n_listening;
	struct account *account;
	struct bytes secret_header, secret; /* of MANAGE_INSIDE */
	size_t bodies;                      /* bytes, of all bodies that are kept */
	unsigned checks;                    /* passwords that are being hashed */
	struct throttle throttle;
	struct basic_entry basic[MANAGE_BASIC_MAX];
};

/* A request that has arrived. */
struct call *call_new(struct door *door, struct stream *s);
/* In any state; it is freed. */
void call_end(struct call *c);

#endif
