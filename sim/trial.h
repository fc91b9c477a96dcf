/*
 * Trials: worlds that a seed makes up, in which upstreams fail in every way that docs/failover.md names, and a judge that
 * knows that page and nothing of the program. What a seed makes is a value (struct trial), so that it can be played again
 * with fewer requests until nothing can be left out: what is printed then is the shortest story.
 *
 *   trial_make.c   dice ─▶ trial               trial_tree.c   trial ─▶ resources
 *   trial_acts.c   behaviour ─▶ bytes and ends  trial_play.c   trial ─▶ what was seen (struct trial_seen)
 *   trial_told.c   access lines ─▶ what was told  trial_judge.c, trial_policy.c  (trial, seen, told) ─▶ verdict
 *   trial.c        runs, shortens and tells them
 */
#ifndef SIM_TRIAL_H
#define SIM_TRIAL_H

#include "base/text.h"
#include "plan/failover.h"
#include "sim/message.h"
#include "sim/simnet.h"

#define TRIAL_UPSTREAMS 3u
#define TRIAL_FALLBACKS 2u
#define TRIAL_PROVIDERS (TRIAL_UPSTREAMS + TRIAL_FALLBACKS)
#define TRIAL_ENDPOINTS 2u
#define TRIAL_KEYS 3u
#define TRIAL_REQUESTS 40u
#define TRIAL_SCRIPT 14u
#define TRIAL_OUTAGES 6u
#define TRIAL_EPOCHS 2u

/* Deadlines that the trials set, and those that the product has by itself (docs/failover.md). */
#define TRIAL_CONNECT_MS 10000u
#define TRIAL_FIRST_BYTE_MS 3000u
#define TRIAL_ANSWER_MS 7000u
#define TRIAL_IDLE_MS 2500u
#define TRIAL_ERROR_BODY_MS 2000u
#define TRIAL_CROSSED_MS 1000u

/* What an upstream does with one request. */
enum trial_behaviour {
	BEHAVE_GOOD,
	BEHAVE_SLOW,          /* each piece late, none too late */
	BEHAVE_PINGS,         /* comments and an empty event before content */
	BEHAVE_NO_DONE,       /* a stream that ends cleanly without [DONE] */
	BEHAVE_MALFORMED,     /* JSON that is none, with status 200 */
	BEHAVE_STATUS,        /* an error as vendors send it */
	BEHAVE_STATUS_STALLS, /* its head, and no body */
	BEHAVE_STATUS_CUT,    /* its body breaks off */
	BEHAVE_STATUS_EARLY,  /* when the request's head is there, perhaps before its body */
	BEHAVE_RESET,
	BEHAVE_RESET_EARLY,
	BEHAVE_CLOSE,
	BEHAVE_HALF_HEAD,
	BEHAVE_STALL,
	BEHAVE_HEAD_STALLS,
	BEHAVE_HEAD_RESET,
	BEHAVE_HEAD_CLOSES,
	BEHAVE_PINGS_STALL, /* comments, and no content ever */
	BEHAVE_NO_EVENT,    /* an empty stream; a web page where no stream was asked for */
	BEHAVE_PAGE,
	BEHAVE_JUNK,
	BEHAVE_ERROR_200,   /* an error object with status 200 */
	BEHAVE_EVENT_ERROR, /* an error where the first event should be */
	BEHAVE_CUT, /* from here on: something of the answer has come before it goes wrong */
	BEHAVE_CUT_CLEAN,
	BEHAVE_LATE_STALL,
	BEHAVE_LATE_ERROR,
	BEHAVE_COUNT
};

struct trial_step {
	enum trial_behaviour does;
	unsigned status;        /* of BEHAVE_STATUS* */
	unsigned retry_after_s; /* 0: not said */
	unsigned pieces;        /* events, or parts of a body */
	unsigned pause_ms;      /* before each of them */
};

enum trial_next { NEXT_OFF, NEXT_ERRORS, NEXT_SAFE, NEXT_STATUSES, NEXT_KINDS };
enum trial_fall { FALL_OFF, FALL_DEFAULT, FALL_CLASSES, FALL_TIMEOUT, FALL_KINDS };

struct trial_provider {
	unsigned n_endpoints, n_keys, weight;
	bool failover, checked; /* checked: by questions of the gateway's own */
	unsigned threshold;
	unsigned retries; /* retryOnFailure.maxRetries; 0: off */
	uint32_t retry_ms, first_byte_ms, idle_ms;
	unsigned cap, key_cap, queue; /* 0: none */
	uint32_t queue_ms;
};

/* What a configuration says; a reload may bring another one. */
struct trial_policy {
	struct trial_provider
		providers[TRIAL_PROVIDERS]; /* those of fallbacks from TRIAL_UPSTREAMS on */
	unsigned n_upstreams, n_fallbacks;
	enum trial_next next;
	unsigned tries;
	uint32_t next_s, timeout_s, whole_s; /* 0: none; whole_s: routeTimeout */
	enum trial_fall fall;
	bool in_order, own_rate;
	bool turned; /* credentials and destinations stand in the other order */
};

struct trial_request {
	bool left_out; /* when a failed trial is made shorter */
	uint64_t at_ms;
	bool stream;
	size_t prompt;      /* bytes */
	uint64_t leaves_ms; /* behind at_ms; 0: it stays */
	bool leaves_by_reset;
	size_t piece, read_max, window;
	struct trial_step script[TRIAL_SCRIPT]; /* of its attempts, as upstreams see them */
};

/* An address that does not answer for a while. */
struct trial_outage {
	unsigned provider, endpoint;
	uint64_t from_ms, to_ms;
	bool silent; /* connects are swallowed; else refused */
	bool resets; /* what was connected goes too */
};

struct trial {
	uint64_t seed;
	unsigned workers;
	struct trial_policy epochs[TRIAL_EPOCHS];
	unsigned n_epochs;
	uint64_t reload_ms; /* to the second */
	struct trial_request requests[TRIAL_REQUESTS];
	unsigned n_requests;
	struct trial_outage outages[TRIAL_OUTAGES];
	unsigned n_outages;
	size_t upstream_window, upstream_piece;
};

void trial_make(uint64_t seed, struct trial *out);
/* Writes the resources of that epoch onto the simulated disk. */
void trial_tree(const struct trial *t, unsigned epoch);
struct sys_addr trial_address(unsigned provider, unsigned endpoint);
/* Of a provider and a number: the last four characters tell which. */
#define TRIAL_KEY_FMT "sk-trial-key-%u%uxy"

/* --- what upstreams do ---------------------------------------------------------------------------- */

enum trial_act_kind { ACT_SEND, ACT_CLOSE, ACT_RESET };
struct trial_act {
	uint64_t after_ms; /* behind the act before it */
	enum trial_act_kind kind;
	struct text bytes;
};
#define TRIAL_ACTS 16u

/* The answer of attempt k to request i. `out` has room for TRIAL_ACTS; returns how many. Their bytes are given back by
 * trial_acts_done. */
unsigned trial_acts(
	const struct trial_step *s, bool stream, unsigned i, unsigned k, struct trial_act *out);
void trial_acts_done(struct trial_act *acts, unsigned n);
bool trial_is_early(enum trial_behaviour b);
const char *trial_behaviour_name(enum trial_behaviour b);

/* What the page says of it: its class ("" when the client gets that answer), and the status that it has. */
struct trial_fault {
	const char *class;
	unsigned status;
	bool connecting;
	bool by_deadline; /* of the first byte */
};
struct trial_fault trial_fault_of(const struct trial_step *s, bool stream);
/* Whether that was settled when so many of its acts were done. */
bool trial_is_decided(const struct trial_step *s, bool stream, unsigned done);
/* It is an answer, and it breaks off behind what has come of it. */
bool trial_is_cut(const struct trial_step *s);

/* --- what was seen ---------------------------------------------------------------------------------- */

/* A request as an upstream saw it. */
struct trial_attempt {
	struct far *far;
	unsigned request, k; /* the k-th that was seen of it, from 0 on */
	unsigned provider, endpoint, key;
	unsigned moment; /* when: settled moments are counted */
	uint64_t at_ms;
	bool first;        /* of its connection */
	bool direct;       /* which was up at once */
	bool whole, right; /* its body came, and was the client's with the provider's model */
	bool struck;       /* its connection was reset by an outage */
	uint64_t struck_ms;
	const struct trial_step *step;
	struct trial_act acts[TRIAL_ACTS];
	unsigned n_acts, done;
	uint64_t due_ms;      /* of the next act */
	uint64_t sent_ms;     /* when the last bytes of an answer were sent */
	unsigned left_moment; /* when the gateway was seen to have left it; 0: it has not */
	uint64_t left_ms;
};

struct trial_caller {
	struct far *far; /* NULL: it has not come */
	struct message message;
	bool left;
	unsigned left_moment, first_moment;
	uint64_t asked_ms, first_ms,
		ended_ms; /* ended: the answer is complete, or the connection is gone */
	unsigned epoch;
};

#define TRIAL_ATTEMPTS (TRIAL_REQUESTS * 13u)

/* What the program counts, at the end. */
struct trial_counts {
	uint64_t exchanges, retries, fallbacks, client_aborts, replies;
	uint64_t in_use, waiting;         /* places, of all lanes */
	uint64_t failed[FAILURE_CLASSES]; /* attempts, by enum failure_class */
};

struct trial_seen {
	struct trial_caller callers[TRIAL_REQUESTS];
	struct trial_attempt *attempts;
	unsigned n_attempts;
	/* Connects that came to nothing, by address. */
	unsigned refused[TRIAL_PROVIDERS][TRIAL_ENDPOINTS],
		swallowed[TRIAL_PROVIDERS][TRIAL_ENDPOINTS];
	unsigned most_at_once[TRIAL_PROVIDERS]; /* requests at its addresses, in settled moments */
	struct trial_counts counts;
	struct bytes log; /* the program's; gone with it */
	uint64_t ended_ms;
};

/* Plays it and leaves the judging to `judge`, which looks at what was seen while the program is still there. False: what
 * went wrong is in *failure. */
typedef bool trial_judge_fn(
	const struct trial *t, const struct trial_seen *s, struct text *failure);
MUST_CHECK bool trial_play(const struct trial *t, trial_judge_fn *judge, struct text *failure);

/* --- what was told ---------------------------------------------------------------------------------- */

struct trial_try {
	char class[24];
	unsigned status, provider, endpoint, key; /* key: TRIAL_KEYS when there was none */
	bool no_connection; /* the upstream is told by its service's name only */
	uint64_t ms;
};

struct trial_told {
	unsigned there; /* lines */
	bool aborted, cut;
	unsigned status, attempts, provider, endpoint;
	bool no_connection;
	char reason[32], class[24];
	unsigned n_tries;
	struct trial_try tries[TRIAL_SCRIPT];
};

/* The access line of request i. */
void trial_told(struct bytes log, unsigned i, struct trial_told *out);

/* --- the judge -------------------------------------------------------------------------------------- */

bool trial_judge(const struct trial *t, const struct trial_seen *s, struct text *failure);
/* An attempt as the judge of policies sees it. */
enum trial_way { WAY_FIRST, WAY_RETRY, WAY_MOVE };
struct trial_tried {
	unsigned provider, endpoint, key;
	const char *class; /* "": it was an answer */
	unsigned status;
	bool connecting;
	uint64_t retry_after_ms;
	uint64_t ms;                      /* that it took */
	bool anew;                        /* its first connection had died idle */
	const struct trial_attempt *seen; /* NULL: no upstream did */
	enum trial_way way;               /* by which it was come to: set by the judge */
};
struct trial_course {
	const struct trial_policy *policy;
	struct trial_tried v[TRIAL_SCRIPT];
	unsigned n;
	bool ended;  /* by its last attempt: not by a client or a deadline */
	bool plenty; /* of retries: no budget was spent */
	/* Of all requests: bits of what anybody has seen fail. */
	unsigned failed_providers, failed_keys[TRIAL_PROVIDERS], failed_endpoints[TRIAL_PROVIDERS];
};
/* Whether each attempt but the first is one that a policy names, and whether the last failure had to be the last. NULL: all is
 * well. */
const char *trial_policy_breach(struct trial_course *c);

/* --- running them ------------------------------------------------------------------------------------ */

/* Plays n of them from `seed` on; says what failed and shortens it. Returns how many failed. */
unsigned trial_run(uint64_t seed, unsigned n, bool verbose);

#endif
