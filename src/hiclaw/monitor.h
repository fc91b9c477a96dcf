/*
 * The monitor API (monitor-api.md) as a table of endpoints. A request is an `ask` from its arrival to its answer:
 * who asks, the body, the endpoint, which answers at once or waits for something and answers then. Control's; what
 * blocks or takes long is done on jobs threads (ask_job).
 */
#ifndef HICLAW_MONITOR_H
#define HICLAW_MONITOR_H

#include "base/digest.h"
#include "hiclaw/error.h"
#include "hiclaw/names.h"
#include "hiclaw/ops.h"
#include "manage/body.h"
#include "manage/who.h"

#define MONITOR_BODY_MAX ((size_t)1 << 20)
#define MONITOR_BODY_MAX_BACKUP ((size_t)16 << 20)
/* Documents of one request: thousands of objects with their texts. */
#define MONITOR_ARENA_MAX ((size_t)512 << 20)
#define MONITOR_PARAMS_MAX 2u
#define MONITOR_ID_MAX 64u
/* Of right credentials that are no Basic: their owners are let in while others of their network fail. */
#define MONITOR_KNOWN_MAX 64u

struct hiclaw;
struct ask;

/* What a request needs (monitor-api.md 2.2); each includes those behind it. */
enum monitor_right {
	MONITOR_ANYBODY,
	MONITOR_AGENT,  /* also the Worker that the path names */
	MONITOR_READ,   /* also who reads without credentials on this machine (2.4) */
	MONITOR_ASSIGN, /* the Manager */
	MONITOR_ADMIN
};

enum monitor_who {
	MONITOR_NOBODY,
	MONITOR_STRANGER, /* a consumer of the gateway that is no agent */
	MONITOR_WORKER,
	MONITOR_LOOPBACK,
	MONITOR_MANAGER,
	MONITOR_ADMINISTRATOR
};

struct monitor_endpoint {
	const char *method, *path; /* "/ni_status/workers/{name}/wake" */
	enum monitor_right right;
	size_t body_max; /* 0: MONITOR_BODY_MAX */
	void (*fn)(struct ask *k);
};

struct monitor_endpoints {
	const struct monitor_endpoint *v;
	size_t n;
};
extern const struct monitor_endpoints monitor_table;

struct monitor { /* of struct hiclaw */
	struct list asks;
	unsigned char known[MONITOR_KNOWN_MAX]
			   [DIGEST_SHA256_SIZE]; /* of credentials that were right */
	unsigned known_at;
	bool weak_said; /* that the password "admin" was tried from elsewhere */
};

enum ask_step { ASK_WHO, ASK_BODY, ASK_WORK };

struct ask {
	/* what was asked; texts are in the arena */
	struct hiclaw *hiclaw; /* NULL: the process ends, whatever comes is for nobody */
	const struct monitor_endpoint *endpoint;
	struct arena arena;
	struct bytes method, path, query, peer, origin, if_match, last_event;
	struct bytes params[MONITOR_PARAMS_MAX]; /* decoded */
	struct bytes passphrase;                 /* X-Backup-Passphrase; wiped by who uses it */
	struct bytes allow;                      /* of a wrong method */
	unsigned wait_s;                         /* of 429; 0: some */
	char id[MONITOR_ID_MAX + 1];
	bool from_page; /* its own login form is shown, not the browser's */
	enum monitor_who who;
	struct bytes worker;           /* MONITOR_WORKER: its name */
	struct bytes actor;            /* "admin", "manager", "worker:alice", "loopback" */
	const struct json_value *json; /* of the body; NULL: it was empty */
	struct doc *body;              /* a map; never NULL when the endpoint is called */
	/* for the endpoint */
	void *state;                 /* its own, in the arena */
	void (*next)(struct ask *k); /* of what is waited for */
	void (*cancel)(struct ask
			*k); /* what is under way and will not come back by itself; may be NULL */
	void (*done)(struct ask *k); /* gives back what is not in the arena; may be NULL */
	const char *
		failed; /* "Failed to list providers": what is said when objects cannot be read; NULL: the usual */
	struct doc *more; /* further members of an error; NULL: none */
	struct ops_call ops;
	void *before; /* of a change: the backup before it (mon_before.c) */
	/* its own */
	struct list link;
	struct call *call; /* NULL: the client has left, or was answered */
	struct call_work calls;
	enum ask_step step;
	bool away; /* on a jobs thread or in a queue: it comes back */
	bool held; /* an endpoint waits for something else */
	bool session;
	struct who asking;
	struct body body_in;
	struct job job;
	void (*work)(struct ask *k);
	struct snapshot *snapshot;
	struct fault fault;
	unsigned char key[DIGEST_SHA256_SIZE];
};

/* For struct manage_app: takes what is below /ni_status and /_admin/api. */
bool monitor_begin(struct hiclaw *h, struct call *c);
/* After the calls have ended; what is on a jobs thread comes back to nobody. */
void monitor_free(struct hiclaw *h);
/* The endpoint of a method and a path (HEAD is GET); NULL: none. Params are raw; methods are appended to allow when the
 * path is known. Pure. */
const struct monitor_endpoint *monitor_find(const struct monitor_endpoints *t, struct bytes method,
	struct bytes path, struct bytes params[MONITOR_PARAMS_MAX], struct text *allow);
/* Whether who (for a Worker: whose name is worker) may use an endpoint of that right with that name in its path. */
bool monitor_may(enum monitor_right right, enum monitor_who who, struct bytes worker,
	struct bytes named, bool reads);

/* --- for endpoints ---------------------------------------------------------------------------------------- */

/* A map that begins with "success": true. */
struct doc *ask_success(struct ask *k);
/* Answer; the ask is gone, or is freed when what is away has come back. */
void ask_reply(struct ask *k, unsigned status, struct doc *d);
/* The same of text that is JSON already, which is taken over. */
void ask_reply_text(struct ask *k, unsigned status, struct text *json);
/* A body of another type with fields of its own; body is taken over. */
void ask_reply_file(struct ask *k, const char *type, struct text *body, const struct header *extra,
	size_t n_extra);
/* monitor-api.md 1.1, with the code's status and k->more. */
void ask_fail(struct ask *k, enum hiclaw_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* INVALID_REQUEST that names the field. */
void ask_fail_field(struct ask *k, const char *field, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* With another status than the code's. */
void ask_fail_status(struct ask *k, enum hiclaw_code code, unsigned status, struct bytes why);
/* A member of an error beside the usual ones: "hint", "details". */
void ask_more(struct ask *k, const char *key, struct doc *value);
/* Decoded value of a query parameter; p NULL: it is not there. */
struct bytes ask_query(struct ask *k, const char *name);
/* Whether it is there and none of "0", "false", "no". */
bool ask_query_flag(struct ask *k, const char *name);
/* An unsigned number of the query, def when it is not there. False: refused. */
bool ask_query_number(struct ask *k, const char *name, uint64_t max, uint64_t def, uint64_t *out);
/* The text of a member of the body, empty when it is absent or null; false: refused, it is no text. */
bool ask_text(struct ask *k, const char *key, struct bytes *out);
/* A truth, also as "true" and "false"; def when it is absent. False: refused. */
bool ask_bool(struct ask *k, const char *key, bool def, bool *out);

/* work on a jobs thread, then next on control, unless the process ends. */
void ask_job(struct ask *k, void (*work)(struct ask *k), void (*next)(struct ask *k));
/* All objects of the nouns (bits), into k->ops.lists; a failure is answered, saying what for. */
void ask_read(struct ask *k, unsigned wanted, void (*next)(struct ask *k));
/* Items as one change; next looks at k->ops.status (ask_refuse_ops answers it). */
void ask_change(struct ask *k, const struct ops_item *items, size_t n, void (*next)(struct ask *k));
void ask_refuse_ops(struct ask *k);
/* The endpoint waits for something of its own; cancel is called when the process ends. ask_resume when it came. */
void ask_hold(struct ask *k, void (*cancel)(struct ask *k));
/* False: the client has left meanwhile and the process goes on; the work may still be worth finishing. */
bool ask_resume(struct ask *k);

#endif
