/*
 * An endpoint of the Console API as a function of (snapshot, account, request) → answer and change. It runs on
 * a jobs thread; control gathers the body before (console/errand.c) and sends the answer after the change is
 * live. Nothing here knows connections.
 */
#ifndef CONSOLE_ACT_H
#define CONSOLE_ACT_H

#include "manage/account.h"
#include "resource/op.h"
#include "store/backup.h"
#include "store/writer.h"

#define ACT_PARAMS_MAX 4u

enum act_access { ACT_ANONYMOUS, ACT_ADMIN };

/* How an answer is wrapped: console-api.md §2.1. */
enum act_shape {
	ACT_BY_METHOD, /* GET: envelope 200; POST: raw 201; PUT: raw 200; DELETE: 204 */
	ACT_WRAPPED,   /* envelope, 200, whatever the method */
	ACT_RAW,       /* 200, never wrapped */
	ACT_CREATED,   /* 201, never wrapped */
	ACT_NO_CONTENT /* 204 */
};

/* Name in the path against the body's, PUT (§2.7). */
enum act_name {
	ACT_NAME_FILLED_OR_400,        /* missing: the path's; another one: 400 */
	ACT_NAME_NEEDED_ELSE_REPLACED, /* missing: 400; another one: the path's */
	ACT_NAME_REPLACED              /* always the path's */
};

enum act_effect {
	ACT_READS,
	ACT_CHANGES, /* resources: fn works on a draft, and answer on what became of it */
	ACT_FILES, /* files as they were: fn leaves them in place of a draft, and is called once */
	ACT_KEEPS, /* what the console keeps itself: in the queue of writes, without a commit */
};

/* What a GET answers where nothing is; of a noun's the empty one. */
enum act_absent {
	ACT_ABSENT_BY_NOUN,
	ACT_ABSENT_EMPTY, /* 404 without a body */
	ACT_ABSENT_TOLD   /* 404 with an envelope */
};

struct act;

struct act_endpoint {
	const char *method, *path; /* "/v1/ai/providers/{name}" */
	enum act_access access;
	enum act_shape shape;
	enum act_effect effect;
	enum act_name name;
	const struct act_noun *noun; /* for the functions that all nouns share; NULL: none */
	bool list;                   /* answers a list, without being a noun's */
	size_t body_max;             /* bytes; 0: the usual limit (console/errand.h) */
	enum act_absent absent;
	/* Refuses with act_refuse or act_op, else leaves the answer. Of ACT_CHANGES: may be called again on
	 * another draft; data need not be left. */
	void (*fn)(struct act *a);
	/* Of ACT_CHANGES: the answer, on the resources as they are then; may be NULL. */
	void (*answer)(struct act *a);
	const char *summary; /* one line, for /v1/openapi.json */
};

struct act_endpoints {
	const struct act_endpoint *v;
	size_t n;
};

enum act_cookie { ACT_COOKIE_NONE, ACT_COOKIE_SESSION, ACT_COOKIE_KEPT, ACT_COOKIE_DELETED };

/* What an endpoint may know beside resources; as long as the process. */
struct act_env {
	const char *version; /* of the program */
	const struct act_endpoints *endpoints;
	const char *account_path; /* state/console.json */
	const char *audit_path;   /* state/audit.log */
	const char *root;         /* resources/ */
	const char *backups;      /* state/backups/ */
	const char *setup_code;   /* NULL: none is needed */
	/* See struct op. */
	bool (*address_allowed)(void *arg, struct bytes host, const char **why);
	void *address_arg;
};

struct act {
	/* in; texts are in the errand's arena */
	const struct act_env *env;
	const struct act_endpoint *endpoint;
	struct bytes method, path;           /* as sent, without query */
	struct bytes params[ACT_PARAMS_MAX]; /* {name}… of the path, percent-decoded */
	struct bytes query;                  /* raw; act_query */
	struct bytes if_match;               /* p NULL: none */
	struct bytes text;                   /* of the body */
	struct bytes user, peer;             /* who; user empty: anonymous */
	bool local;                          /* from this machine, and meant for it */
	bool masked;             /* asks for an answer without secrets (console/veil.h) */
	struct account *account; /* as it is; one reference */
	int64_t now_s;
	/* while fn and answer run */
	struct arena *arena; /* of documents */
	struct op *op;       /* NULL: of ACT_KEEPS */
	struct doc *body;    /* NULL: none was sent */
	/* answer */
	unsigned status;  /* 0: not refused */
	struct text why;  /* of a refusal: one sentence */
	bool empty;       /* of a refusal: no body at all (404 of a GET) */
	struct doc *data; /* of a success; NULL: null */
	bool list;        /* data is (a page of) a list */
	size_t total;
	uint64_t page, page_size; /* 0: nobody asked for pages */
	struct bytes etag;        /* with its quotes; empty: none */
	enum act_cookie cookie;
	struct backup_files files;    /* ACT_FILES: what is to be put back */
	struct account *account_next; /* ACT_KEEPS: what takes its place */
};

/* --- for endpoints -------------------------------------------------------------------------------- */

void act_refuse(struct act *a, unsigned status, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* 404 without a body (§2.1), unless the endpoint tells. */
void act_missing(struct act *a);
/* False, and refused by its kind, unless rc is OP_OK. The sentence is the operation's. */
bool act_op(struct act *a, enum op_rc rc);
static inline bool act_refused(const struct act *a)
{
	return a->status != 0;
}
/* Decoded value of a query parameter; p NULL: it is not there. */
struct bytes act_query(struct act *a, const char *name);
/* pageNum and pageSize over total items: which of them the answer holds (§2.4). False: refused. */
bool act_page(struct act *a, size_t total, size_t *from, size_t *count);
/* The page of a whole list that is at hand; sets data. */
void act_give_list(struct act *a, struct doc *list);
/* The text of a member of the body; numbers and booleans as they were written; p NULL: absent, null or
 * no scalar. */
struct bytes act_member(struct act *a, const char *key);

/* --- for who runs them ---------------------------------------------------------------------------- */

enum act_found { ACT_FOUND, ACT_NO_PATH, ACT_NO_METHOD };
/* The endpoint for a method and a path without query (HEAD is GET), and its params, decoded into the
 * arena. ACT_NO_METHOD: methods are appended to allow, "GET, HEAD, PUT". */
enum act_found act_find(const struct act_endpoints *t, struct arena *arena, struct act *a,
	struct bytes path, struct text *allow);

/* arena: of the errand. Reads and, of ACT_KEEPS, all; on a jobs thread. snapshot NULL: there is none. */
void act_run(struct act *a, struct arena *arena, const struct snapshot *snapshot);
/* A change: fills c, runs it, makes the answer. */
void act_commit(struct act *a, struct arena *arena, struct commit *c);
void act_done(struct act *a);

/* Status and body of the answer (§2.1, §2.2). */
unsigned act_envelope(struct act *a, struct arena *arena, struct text *out);

#endif
