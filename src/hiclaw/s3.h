/*
 * A client of one bucket of an S3 server (MinIO, OSS, AWS: hiclaw-integration.md 7.3): objects are read,
 * written, listed and edited under the condition that nobody else has written them meanwhile. Control's;
 * everything is asynchronous.
 *
 * A call takes 15 s at most, a page of a list each; connections that fail, 500, 502, 503 and 504 are tried
 * three times. Keys never stand in a fault: only the first four characters of the access key's name.
 */
#ifndef HICLAW_S3_H
#define HICLAW_S3_H

#include "base/random.h"
#include "hiclaw/s3_credentials.h"
#include "hiclaw/s3_place.h"
#include "hiclaw/s3_xml.h"

#define S3_CONNECT_MS 5000u
#define S3_TOTAL_MS 15000u
#define S3_TRIES_MAX 3u
/* How often an edit begins again because somebody else has written the object. */
#define S3_EDIT_AGAIN_MAX 3u
/* Accident: an object that is no configuration. */
#define S3_OBJECT_MAX ((size_t)8 << 20)
/* Accident: a bucket that is listed as a whole. */
#define S3_LIST_MAX ((size_t)100000)
#define S3_ETAG_MAX 127u

struct s3;

struct s3_opts {
	struct fetcher *fetcher; /* with TLS when the place has it */
	struct jobs *jobs;       /* edits run there */
	struct s3_credentials *credentials;
	struct s3_place place; /* region empty: S3_REGION_DEFAULT */
};

/* All that is pointed to stays until s3_free. */
struct s3 *s3_new(const struct s3_opts *o);
/* Calls under way end without a word. An edit that runs on a jobs thread ends when that has: its memory stays
 * until the jobs are freed. NULL is allowed. */
void s3_free(struct s3 *s);

enum s3_verb { S3_GET, S3_PUT, S3_HEAD, S3_DELETE, S3_LIST, S3_BUCKET_HEAD, S3_BUCKET_MAKE };

enum s3_rc {
	S3_OK,
	S3_NOT_FOUND, /* no such object, or no such bucket */
	S3_FORBIDDEN, /* the keys are not good, or not good for that */
	S3_CONFLICT,  /* the condition does not hold: somebody else has written it, or it exists */
	S3_UNSUPPORTED, /* the server does not know conditions */
	S3_NO_KEYS,
	S3_UNREACHABLE, /* no answer in time, or 5xx to the last try */
	S3_REFUSED,     /* another status; too large; a key that is none */
	S3_BROKEN,      /* an answer that cannot be right */
	S3_EDIT_FAILED  /* s3_edit: the edit's own refusal */
};
/* "STORAGE_FORBIDDEN", ...: what stands in answers and logs; "" for S3_OK. */
const char *s3_code(enum s3_rc rc);

/* Embedded in whoever asks, and zeroed before; not to be moved while it is under way. What is pointed to stays
 * until on_done. */
struct s3_call {
	enum s3_verb verb;
	struct bytes key;          /* below the place's prefix; LIST: what keys begin with */
	struct bytes body;         /* PUT */
	struct bytes content_type; /* PUT; empty: application/json */
	struct bytes if_match;     /* PUT: an ETag with its quotes; empty: no condition */
	bool only_new;             /* PUT: not when it exists */
	bool deep;                 /* LIST: also what stands below a further '/' */
	struct arena *arena;       /* LIST: of listing */
	void (*on_done)(struct s3_call *call);
	void *arg;

	/* the answer */
	enum s3_rc rc;
	unsigned status;            /* of the last try; 0: none came */
	struct fault why;           /* unless S3_OK: one sentence without a full stop */
	struct text content;        /* GET */
	char etag[S3_ETAG_MAX + 1]; /* with its quotes; "": none, as for version */
	char version[S3_ETAG_MAX + 1];
	struct s3_listing
		listing; /* LIST: keys as they are in the bucket, with the place's prefix */

	/* the client's */
	struct s3 *s3;
	struct list link;
	struct fetch fetch;
	struct s3_credentials_wait keys;
	struct timer again;
	struct arena head; /* of the request under way */
	uint64_t until_ms;
	unsigned tries;
	bool region_tried, clock_tried, keys_tried;
	char who[5];      /* the access key's first characters */
	const char *from; /* where the keys were set */
};

/* Never calls on_done before it returns. */
void s3_start(struct s3 *s, struct s3_call *call);
/* While it is under way: on_done will not be called. */
void s3_cancel(struct s3_call *call);
/* Gives the answer back. Safe on a zeroed one; not while it is under way. */
void s3_call_done(struct s3_call *call);

/* --- edits ------------------------------------------------------------------------------------------ */

enum s3_edit_verdict {
	S3_EDIT_WRITE, /* what is in after is to be written */
	S3_EDIT_SAME,  /* the object is as it should be */
	S3_EDIT_REFUSE /* why is filled */
};

/*
 * GET, the edit, and PUT under the condition that the object is the one that was read; from the beginning when
 * it is not, and S3_CONFLICT when that happens too often. A server that does not know conditions is asked for
 * the ETag right before the PUT instead; so is one that has not shown yet that it knows them.
 */
struct s3_edit {
	struct bytes key, content_type; /* as in s3_call */
	/* On a jobs thread, once for each round. before: p NULL when there is no object. */
	enum s3_edit_verdict (*edit)(
		struct s3_edit *e, struct bytes before, struct text *after, struct fault *why);
	void (*on_done)(struct s3_edit *e);
	void *arg;

	/* the outcome */
	enum s3_rc rc;
	struct fault why;
	bool changed;              /* it was written */
	unsigned rounds;           /* 1 without others */
	struct text before, after; /* of the last round; existed: before is an object's content */
	bool existed;

	/* the client's */
	struct s3 *s3;
	struct list link;
	struct s3_call call;
	struct job job;
	enum s3_edit_verdict verdict;
	char etag[S3_ETAG_MAX + 1];
	bool guarded; /* the ETag was asked for in this round */
};

/* Zeroed before, but for what is asked. Cannot be cancelled. Never calls on_done before it returns. */
void s3_edit_start(struct s3 *s, struct s3_edit *e);
/* The ETag of the object, after S3_OK: as written, or as read. */
const char *s3_edit_etag(const struct s3_edit *e);
/* Gives texts back. Safe on a zeroed one; not while it is under way. */
void s3_edit_done(struct s3_edit *e);

#endif
