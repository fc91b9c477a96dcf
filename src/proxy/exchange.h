/*
 * One client request and its answer. Cast list:
 *
 *   worker ── owns ──▶ exchange ── talks to ──▶ client stream, upstream stream
 *                         │
 *                         ├─ request  what is only needed until commit: head, body scan, candidates,
 *                         │           the attempt; recycled then
 *                         ├─ view     the worker's handle of the plan, let go at commit
 *                         └─ record   what finish needs: the line in the access log, and usage; its
 *                                     texts are the request's and are copied when that goes
 *
 * exchange.c tells the story of one exchange step by step; begin.c and gather.c read the request, attempts.c and attempt.c
 * choose and ask an upstream, opening.c and answer.c bring back what comes, reply.c makes the gateway's own answers.
 */
#ifndef PROXY_EXCHANGE_H
#define PROXY_EXCHANGE_H

#include "http/client.h"
#include "http/server.h"
#include "plan/condition.h"
#include "plan/course.h"
#include "plan/plan.h"
#include "proxy/dialect.h"
#include "proxy/limits.h"
#include "proxy/token_usage.h"
#include "wire/json.h"
#include "wire/splice.h"
#include "wire/trace.h"
#include "wire/url.h"

struct automatic;
struct fetched_text;
struct cors;
struct inflate;
struct screening;
struct upload;
struct worker;
struct plan_view;
struct probe_run;

enum body_coding { BODY_PLAIN, BODY_GZIP, BODY_DEFLATE, BODY_UNKNOWN };

/* Something that was taken for this exchange and that finish gives back, whatever happens: a slot of a
 * limit, a probe of a circuit. */
struct hold {
	struct hold *next;
	void (*release)(struct hold *h, struct exchange *x);
};

/* What it holds of places that are counted (concurrency.h); NULL: nothing. */
struct places {
	struct lane *upstream, *credential;
	_Atomic uint64_t *consumer;
};

/* The texts of the access line, at most LOG_TEXT_MAX bytes each. While there is a request they are views
 * of what lives as long: its head and arena, the plan. */
struct texts {
	struct bytes method, path, host, route, provider, consumer, model, upstream_model, upstream;
	struct bytes session; /* session_id of ai-statistics */
};
#define TEXTS (sizeof(struct texts) / sizeof(struct bytes))

/* What is seldom asked for. */
struct record_more {
	struct text attributes;      /* of ai-statistics: members of a JSON object */
	size_t request_attributes_n; /* bytes of these that are of the request */
	struct text decision;
	struct text tries; /* attempts that another one followed: objects of a JSON list */
	unsigned n_tries;
};

#define RECORD_ID_NEW 32u

/* What finish needs, beside the texts. */
struct record {
	uint64_t began_us, first_us, ended_us; /* monotonic; first_us: first byte of the answer */
	uint64_t added_us;                     /* our own part of the time to the first byte */
	uint64_t bytes_in, bytes_out;
	struct usage usage;
	struct trace trace; /* the client's, or a new one; span: of the attempt */
	const char *reason; /* of an answer or an end that the gateway made; static; or NULL */
	struct record_more *more; /* NULL: nothing of it; freed by finish */
	uint16_t status;          /* sent to the client; 499: it left before */
	uint8_t attempts;
	uint8_t failure;                /* enum failure_class of the last attempt */
	bool no_usage;                  /* tokens are not to be counted */
	bool no_context;                /* the provider's file could not be had */
	bool stream, client_abort, cut; /* cut: the upstream broke off */
	uint8_t id_n;
	char id[36]; /* request id: 32 hexadecimal digits, or the client's own when it is sane */
};

#define HITS_INLINE 24u

/* One try at one upstream, reset for each. */
struct attempt {
	const struct destination *to;
	const struct route
		*route; /* whose rewrites and headers hold: the request's, or a fallback's */
	struct endpoint_cell *cell;
	struct bytes credential; /* of the provider; part of the plan */
	struct survey *survey;   /* the dialect's second look at the body, in the request's arena */
	struct text target;      /* path and query towards the upstream */
	struct splice_edit *edits; /* in the request's arena */
	size_t n_edits, edits_cap;
	struct splice splice;
	struct bytes upstream_model;
	bool hide_usage;  /* usage was injected: the event that only carries it is not shown */
	bool fresh;       /* no idle connection: the last one died under us */
	unsigned answers; /* of the cell, when it was asked about */
	bool awaited;     /* it was sent as a whole: the deadline of its answer runs */
	bool judging;     /* its answer is an error, of which the beginning is waited for */
	bool asked;       /* the address was asked for and waited for */
	bool waits_for_context; /* of the provider */
	uint64_t began_us, sent_us;
};

/* The body on its way to the upstream: spliced when it was gathered, else straight from the client. */
struct body_source {
	struct stream_source source;
	struct exchange *x;
};

/* Needed until commit. */
struct request {
	struct seg *seg; /* that it lives in */
	struct exchange *x;
	struct list
		wait_link; /* of those that wait for an address, for buffer memory or for a place */
	struct texts texts;
	struct head head; /* the client's, fields kept in arena */
	struct url url;
	struct bytes host; /* whom it is for, without port; empty when it does not say */
	enum api api;
	const struct route **candidates; /* candidate_room, or in arena when there are many */
	size_t n_candidates;
	const struct route *route;
	const struct consumer *consumer; /* who calls; NULL: nobody known, or nobody asked */
	struct { /* by plugin: the set that was searched last, and who was found in it */
		const struct consumers *in;
		const struct consumer *found;
	} asked[AUTH_PLUGINS];
	uint64_t strip_fields[2];       /* bit per field: never sent on */
	uint64_t strip_chosen[2];       /* those of it before the first destination was chosen */
	uint64_t struck_early[2];       /* those of it when the candidates were looked for */
	struct joined *joined;          /* values of several fields of one name (routing.c) */
	uint64_t joined_without[2];     /* strip_fields then */
	struct route_model route_model; /* what the choice by the model saw */
	bool has_route_model;
	struct bytes query;         /* to send on: without a credential parameter; p NULL: none */
	bool new_id;                /* the client sent no request id, or none that goes on */
	bool routes_by_model;       /* the model of the body chooses between candidates */
	bool gathers;               /* the body is read whole */
	bool decoded;               /* all of it, when it came compressed */
	enum body_coding coding;    /* of a gathered body, as it came */
	struct inflate *inflate;    /* while it is decoded */
	uint64_t coded_n;           /* its size as it came */
	struct chain body;          /* when gathered; decoded */
	uint64_t body_n;            /* bytes scanned or passed so far */
	const struct seg *scan_seg; /* where the scan stands: segment and offset in its data */
	uint32_t scan_at;
	struct json_scan *scan; /* NULL: not begun */
	struct json_hits hits;
	struct key_scan
		*key_scan; /* looks for modelKey when that is not "model"; NULL: not asked */
	const struct statistics *statistics; /* of the route; NULL: nothing more is logged */
	struct automatic *automatic; /* the model is chosen by a text; NULL: by the client */
	struct bytes chosen_model;   /* then; empty: no rule held and there is no default */
	struct upload *upload; /* a multipart body whose model is looked for; NULL: it is not */
	struct screening *screening; /* of the filter that looks at bodies; NULL: not begun */
	bool model_pending;          /* the upload goes on, its model has not come yet */
	struct bytes body_model;     /* as the client wrote it */
	struct bytes model;          /* what is to be mapped and sent */
	bool stream;                 /* "stream": true */
	bool bridged;                /* model is another than the client's (bridges.h) */
	struct {
		struct bytes origin; /* of a web page; empty: none, or CORS is not asked about */
		const struct cors *policy; /* while the route is not known; NULL: none */
		bool preflight;            /* the answer is one to a preflight */
	} cors;
	struct lane *waits_for; /* a place there; NULL: it does not */
	/* Where its consumer is counted, when that is why; NULL: it is not. The first: when it looked last. */
	_Atomic uint64_t *own_full, *waits_own;
	uint64_t queue_ends_ms; /* how long, on the loop's clock */
	bool called;            /* it was told to look */
	bool chosen;            /* course is valid */
	bool judged;   /* the attempt was a failure, and what comes of it goes on all the same */
	bool doubtful; /* the first event of the answer looks like an error: */
	struct bytes first_data, first_name; /* as far as that is looked at */
	struct attempt at;
	struct fetched_text *context; /* of the provider; a count of it; NULL: none */
	bool waits_for_models;        /* for the lists of providers */
	struct body_source source;
	uint64_t complete_us;
	/* the gateway's own answer */
	struct {
		uint16_t status;
		const char *reason; /* static, x-sluice-reason */
		char text[200];
		char authenticate[96]; /* WWW-Authenticate, empty: none */
		uint32_t retry_after_s;
		bool model_not_found;
		struct bytes location; /* Location; empty: none */
		struct bytes message;  /* text, instead of an error; the plan's. Empty: none */
		bool is_error;         /* whatever the status */
		struct bytes body;     /* JSON, in arena, instead of an error; empty: none */
		const struct fixed_answer *fixed; /* of the route, instead of both; NULL: none */
	} reply;
	struct arena arena;
	/* Not cleared between exchanges. */
	struct course course;
	struct json_scan_room scan_room;
	struct json_hit hits_room[HITS_INLINE];
	char target_room[192];
	const struct route *candidate_room[PLAN_LEADERS_MAX];
	_Alignas(16) char arena_room[2048];
};

/* What goes to the client. */
struct answer {
	struct stream_source source;
	struct segpool *pool;
	struct chain chain;
	size_t ready; /* bytes at its front that may be sent; behind them an event in progress */
	struct reshape *reshape; /* NULL: ANSWER_SENT_ON */
};

/* Of an answer that does not go on as it comes. */
struct reshape {
	enum answer_way way;
	bool full;         /* what was put did not fit into memory */
	bool torn;         /* an event was too long to be shown to the dialect */
	struct chain held; /* what came and was neither put nor dropped */
	const char *type; /* of what was gathered, when it is another than the upstream's; static */
};

struct exchange {
	uint32_t magic;
	uint8_t step;
	uint8_t protocol; /* enum protocol: of the client */
	bool running;
	bool committed;    /* the client has seen bytes of an upstream's answer */
	bool is_sse;       /* the answer comes as events */
	bool reads_answer; /* the dialect looks at the answer */
	bool saw_done;     /* [DONE], or what ends streams of this API, went by */
	bool has_event;    /* an event with data went by: the answer is begun */
	bool ending;       /* the last byte is on its way to the client */
	bool timed_out;    /* the step's deadline passed */
	bool timing;       /* the client asked for Server-Timing */
	bool explains;     /* an administrator asked for the decision (decision.h) */
	struct worker *w;
	struct exchange *next_free;
	struct list link; /* of the worker's exchanges */
	struct stream *client, *up;
	struct stream_user client_user, up_user;
	struct task again;
	struct timer timer;
	struct plan_view *view;
	struct request *rq;
	struct probe_run *probe; /* NULL: a client asks */
	struct hold *holds;
	struct places places;
	uint64_t woke_us;   /* when this run of the steps began */
	void *answer_state; /* the dialect's: NULL, or its room */
	_Alignas(8) char answer_room[DIALECT_ROOM];
	void *observed;           /* the observer's */
	uint16_t observed_too[4]; /* its own as well */
	uint64_t idle_ms;         /* between two bytes of the answer; 0: no matter how long */
	uint64_t ends_ms;         /* when it must have ended, by the loop's clock; 0: whenever */
	uint64_t opens_ms;        /* when its answer must have begun, likewise */
	struct sse sse;
	uint32_t sent_ahead;  /* raw bytes of the event in progress that were settled already */
	uint8_t last_verdict; /* enum event_verdict: of the event before it */
	bool ended_with_cr;   /* that event did, and nothing has come since */
	struct answer answer;
	struct {
		struct inflate *z; /* NULL: it comes plain */
		bool ended, more;  /* more: the decoder holds bytes back */
	} unpack;
	struct record rec;
	char *kept; /* the texts, when the request has been given back (texts.c) */
};

#define EXCHANGE_MAGIC 0x45786368u

/* Begins an exchange on a request that has arrived. */
void exchange_start(struct worker *w, struct stream *client);
/* The same for a request of the gateway's own (probe.h). */
void exchange_start_probe(struct worker *w, struct stream *client, struct probe_run *probe);
/* Goes on with it: something that it waits for may have happened. */
void exchange_wake(struct exchange *x);
/* The process ends: cut, recorded, freed. */
void exchange_abort(struct exchange *x);

/* The route is chosen (rq->route): records it and asks the filters. VERDICT_REPLY: one refuses. */
enum verdict exchange_decide(struct exchange *x);
/* Adds an edit of the request body; the dialect has provided the room (at.edits, at.edits_cap). */
void exchange_edit(struct exchange *x, uint64_t at, uint64_t cut, struct bytes put);
/* The field i of the client's head is not sent on. */
static inline void exchange_strip(struct exchange *x, unsigned i)
{
	x->rq->strip_fields[i / 64] |= (uint64_t)1 << (i % 64);
}
static inline bool exchange_stripped(const struct exchange *x, unsigned i)
{
	return (x->rq->strip_fields[i / 64] >> (i % 64) & 1) != 0;
}

/* --- steps of a request that has just arrived (begin.c, gather.c) -------------------------------- */

enum verdict step_begin(
	struct exchange *x); /* its head: id, trace, target; what may not be sent on */
enum verdict step_gather(struct exchange *x); /* its body, as far as it must be known to go on */

/* --- the record's texts (texts.c) ---------------------------------------------------------------- */

/* As much of b as is logged. */
static inline struct bytes texts_cut(struct bytes b)
{
	return bytes_of(b.p, MIN(b.n, LOG_TEXT_MAX));
}
/* The request goes and the exchange stays: its texts are copied. */
void texts_keep(struct exchange *x);
/* Before and after that; room is used after it. */
const struct texts *texts_of(const struct exchange *x, struct texts *room);
/* What is seldom asked for, made when it is not there. */
struct record_more *texts_more(struct exchange *x);
/* Gives back what the two above made. */
void texts_done(struct exchange *x);

/* --- compressed bodies (decode.c) --------------------------------------------------------------- */

/* zlib's window and tables are about 40 KB, from its first byte to its last. */
#define INFLATE_SEGS 2u
/* What a Content-Encoding says; empty: plain. */
enum body_coding decode_coding(struct bytes name);
/* Finds out how the body, which is gathered, is coded; the field goes no further then. False: in a way
 * that is not understood. */
bool decode_choose(struct exchange *x);
/* Moves a part of the client's body, which is complete, into rq->body, decoded. VERDICT_NEXT: there is
 * more to scan, and all of it when rq->decoded; VERDICT_REPLY: it is refused. */
enum verdict decode_slice(struct exchange *x);
/* Gives back what decoding keeps; also when it was never begun. */
void decode_end(struct worker *w, struct request *rq);

/* --- compressed answers (unpack.c) --------------------------------------------------------------- */

/* How the body behind a head is coded. */
enum body_coding unpack_coding(const struct head *h);
/* The answer is gzip or deflate, and is to be decoded. False: no memory. */
MUST_CHECK bool unpack_begin(struct exchange *x, enum body_coding coding);
/* Also when it was never begun. */
void unpack_end(struct exchange *x);
/* Whether something that came is still to be decoded. */
bool unpack_waits(const struct exchange *x);
/* Decodes a slice of it to the end of the answer, up to what may wait for the client: what take is told of
 * are the last n bytes, in one segment. 0, what take returned, ERR_SYNTAX or ERR_MEMORY. */
MUST_CHECK int unpack_slice(struct exchange *x, int (*take)(struct exchange *x, size_t n));

/* --- multipart bodies (upload.c) ---------------------------------------------------------------- */

/* Sets rq->upload when the body is one. Does nothing the second time. VERDICT_REPLY: it cannot be read. */
enum verdict upload_begin(struct exchange *x);
/* Of the client's stream, before the request goes on. */
size_t upload_credit(const struct upload *u);
/* VERDICT_NEXT: the model is known, or rq->model_pending, or there is none. */
enum verdict upload_gather(struct exchange *x);
/* The destination is chosen. */
enum verdict upload_prepare(struct exchange *x);
/* Of the request's body, when it is known. */
uint64_t upload_length(const struct exchange *x);
/* More may have come from the client, to be sent. */
enum verdict upload_push(struct exchange *x);
/* Of the source of the request's body. */
int upload_fill(struct exchange *x, struct iovec *v, int max);
void upload_sent(struct exchange *x, size_t n);
/* Whether it could be sent to somebody else still. */
bool upload_is_whole(const struct exchange *x);

/* --- the route (routing.c) ---------------------------------------------------------------------- */

enum verdict step_candidates(struct exchange *x);
/* Answers when one of the candidates may not be used over plain HTTP. */
enum verdict step_redirect(struct exchange *x);
/* What the plan is asked; valid as long as the request's head. */
struct route_query routing_query(struct exchange *x);
/* The body is about to be scanned. False when there is no room to do so. */
MUST_CHECK bool routing_begin_body(struct exchange *x);
/* The next bytes of the body, which the exchange's own scan has accepted. */
void routing_scan(struct exchange *x, struct bytes more);
/* Sets x->rq->route, by the model too; false: replied (400, 404). */
bool routing_choose(struct exchange *x);
/* The value of a header of the request (name in lower case), those of several fields joined by ','; p NULL
 * when there is none that the client may send. */
struct bytes routing_header(struct exchange *x, struct bytes name);

/* --- requests of the gateway's own (probe.c) ---------------------------------------------------- */

/* Where it is to go, and no client of the plan can ask for; NULL: the provider cannot be used. */
const struct route *probe_route(const struct probe_run *r, const struct plan *p);
struct bytes probe_provider(const struct probe_run *r);
const struct lane *probe_credential(const struct probe_run *r);
/* Before an answer because of it is set. f may be NULL. */
void probe_upstream_failed(
	struct probe_run *r, bool connected, enum err err, const struct fault *f);

/* --- header control (headers.c) ----------------------------------------------------------------- */

struct header_edits;
/* Changes the fields of a head that is about to be sent as the route says. */
void headers_control(struct exchange *x, const struct header_edits *e, struct head_out *out);
/* Of names that stand from `from` on, those before go: what the gateway must say wins. */
void headers_settle(struct head_out *out, unsigned from);

/* --- CORS (browser.c) ---------------------------------------------------------------------------- */

/* Answers a preflight that one of the routes it is about allows (200). */
enum verdict browser_preflight(struct exchange *x, const struct route_query *q);
/* The route is known: whether its policy lets the page ask; VERDICT_REPLY: it does not (403). */
enum verdict browser_judge(struct exchange *x);
/* The candidates are known. */
void browser_candidates(struct exchange *x);
/* Fields of an answer, the upstream's or our own; before header control. */
void browser_add(struct exchange *x, struct head_out *out);

/* --- what is logged beside (attributes.c) ------------------------------------------------------- */

/* The route is known. */
void attributes_of_request(struct exchange *x);
/* The upstream's head is there. */
void attributes_of_answer(struct exchange *x);

/* --- automatic routing (automatic.c) ------------------------------------------------------------ */

enum verdict step_automatic(struct exchange *x);
/* NULL is allowed. */
void automatic_free(struct automatic *a);

/* --- lists of models (model_list.c)------------------------------------------------------------- */

/* Answers a request for the models of routes whose mapping lists them; all others go on. */
enum verdict step_models(struct exchange *x);

/* --- steps of an attempt (attempt.c) ------------------------------------------------------------ */

enum verdict step_survey(struct exchange *x);
enum verdict step_prepare(struct exchange *x);
enum verdict step_address(struct exchange *x);
enum verdict step_send(struct exchange *x);

/* --- steps of the answer (opening.c, answer.c) -------------------------------------------------- */

enum verdict step_head(struct exchange *x);   /* waits for the upstream's head */
enum verdict step_first(struct exchange *x);  /* for the first event with data, or the first byte */
enum verdict step_commit(struct exchange *x); /* from here on there is no other attempt */
enum verdict step_relay(struct exchange *x);  /* until both ends are done */
void answer_init(struct exchange *x);
/* What answer_head may put into its room: "sluice;dur=0.123", and numbers of attempts. */
#define ANSWER_TIMING_MAX 48u
#define ANSWER_HEAD_ROOM (ANSWER_TIMING_MAX + 16u)
/* The head for the client; texts of it are the upstream's head's, the exchange's, and room's. */
void answer_head(struct exchange *x, struct head_out *out, char room[ANSWER_HEAD_ROOM]);
/* The upstream's answer is of a kind that may bring a body. */
bool answer_may_have_body(const struct exchange *x);
/* Where the answer's bytes are put as they come. */
struct chain *answer_input(struct exchange *x);
/* The memory of the request, when it is not needed any more. */
void exchange_release_request(struct exchange *x);
/* The deadline of the current step; replaces the one before. 0: none of its own. It is never behind that of
 * the whole answer. */
void exchange_deadline(struct exchange *x, uint64_t ms);
/* The step has none any more. */
void exchange_no_deadline(struct exchange *x);
/* The request was sent as a whole: from here counts what an answer may take in all (routeTimeout of
 * higress-config), whatever is tried. For the second time it does nothing. */
void exchange_begin_whole(struct exchange *x);
/* Whether that time is over. */
bool exchange_is_over(const struct exchange *x);
/* The same; and before commit whether the time that all attempts may take (the annotation timeout) is over. */
bool exchange_is_late(const struct exchange *x);

/* --- answers that are rewritten (reshape.c); for the dialect --------------------------------------- */

/* Behind what was put before. Without memory nothing of it counts, and the answer ends in an error. */
void answer_put(struct exchange *x, struct bytes b);
/* The bytes from offset `beg` to `end` of what is held (ANSWER_GATHERED, no events), as they came; in any order,
 * also twice. */
void answer_put_held(struct exchange *x, uint64_t beg, uint64_t end);
/* Reads bytes of what is held. */
void answer_read_held(const struct exchange *x, uint64_t beg, size_t n, char *out);

/* For answer.c. Begins, when it is to be done; false: no memory. */
MUST_CHECK bool reshape_begin(struct exchange *x, enum answer_way way);
/* Also when it was never begun: what is held goes. */
void reshape_end(struct exchange *x);
/* Whether nothing is sent before its end. */
bool reshape_gathers(const struct exchange *x);
/* It is too large to be looked at as a whole: from here on it goes on as it comes. */
void reshape_send_on(struct exchange *x);
/* The first n bytes of what is held go on. */
void reshape_pass(struct exchange *x, size_t n);
/* What was put since the last time may be sent; ERR_MEMORY: nothing of it. */
MUST_CHECK int reshape_settle(struct exchange *x);

/* --- the gateway's own answers (reply.c) -------------------------------------------------------- */

/* Says what is answered; returns VERDICT_REPLY. reason: data-plane.md §11. */
COLD enum verdict reply_set(struct exchange *x, unsigned status, const char *reason,
	const char *fmt, ...) PRINTF_LIKE(4, 5);
/* The answer that the route itself gives (plan/fixed_answer.h). */
enum verdict reply_fixed(struct exchange *x, const struct fixed_answer *a);
/* 503 with Retry-After: the byte budget is spent. */
COLD enum verdict reply_no_memory(struct exchange *x);
/* The client's body will not be completed: 408, 400 or 503, by why. */
COLD enum verdict reply_bad_body(struct exchange *x);
/* The answer for an upstream that failed before commit, when no other attempt follows. */
COLD enum verdict reply_upstream(struct exchange *x, enum err err, const struct fault *f);
/* Sends it. */
enum verdict step_reply(struct exchange *x);
/* The event that ends a stream that cannot be completed, in the client's protocol, into out. */
void reply_error_event(struct exchange *x, unsigned status, const char *message, struct text *out);
/* The refusal of bytes that were no request at all (server_opts.refusal). */
void reply_no_request(
	struct server *srv, const struct fault *f, struct text *fields, struct text *body);
/* A new request id: RECORD_ID_NEW hexadecimal digits. */
void reply_make_id(struct worker *w, char *out);

#endif
