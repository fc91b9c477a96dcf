/*
 * What a Worker does, decided from evidence (hiclaw-integration.md 12): a pure function of what the gateway, the
 * controller, the container engine and HiClaw's files say, and of the time.
 */
#ifndef HICLAW_STATE_H
#define HICLAW_STATE_H

#include "base/bytes.h"

/* A turn of an agent is several requests: between two of them it is busy. */
#define STATE_BUSY_MS 20000u
/* Of a Worker of which only requests are known: that long it is taken to be awake. */
#define STATE_AWAKE_MS (15u * 60u * 1000u)

enum state_name { STATE_BUSY, STATE_IDLE, STATE_SLEEPING, STATE_OFFLINE };

enum state_phase { /* the controller's */
	STATE_PHASE_UNKNOWN,
	STATE_PHASE_PENDING,
	STATE_PHASE_RUNNING,
	STATE_PHASE_READY,
	STATE_PHASE_SLEEPING,
	STATE_PHASE_UPDATING,
	STATE_PHASE_STOPPED,
	STATE_PHASE_FAILED
};

enum state_container {
	STATE_CONTAINER_UNKNOWN,
	STATE_CONTAINER_RUNNING,
	STATE_CONTAINER_READY,
	STATE_CONTAINER_STARTING,
	STATE_CONTAINER_STOPPED,
	STATE_CONTAINER_NOT_FOUND,
	STATE_CONTAINER_REMOTE /* somebody else's: taken to run */
};

enum state_wish { STATE_WISH_UNKNOWN, STATE_WISH_RUNNING, STATE_WISH_SLEEPING, STATE_WISH_STOPPED };

/* Sources, as bits; their letters are the codes of the answer. */
enum state_source {
	STATE_G = 1,  /* requests that the gateway has seen */
	STATE_C = 2,  /* the controller */
	STATE_D = 4,  /* the container engine */
	STATE_L = 8,  /* worker-lifecycle.json */
	STATE_T = 16, /* state.json */
	STATE_M = 32, /* meta.json of tasks */
	STATE_P = 64, /* .processing of tasks */
	STATE_R = 128 /* workers-registry.json */
};
#define STATE_SOURCES 8u

/* Zeroed: nothing is known. Times are milliseconds since 1970, 0: unknown or never. */
struct state_evidence {
	unsigned known; /* of enum state_source: which said anything about this Worker */
	struct {
		uint32_t in_flight;
		uint64_t in_flight_since;
		uint64_t last; /* end of the last request */
	} g;
	struct {
		enum state_phase phase;
		enum state_container container;
		enum state_wish wish;
	} c;
	struct {
		enum state_container container;
		uint64_t since; /* the exit, or the start */
	} d;
	struct {
		enum state_container container;
		uint64_t idle_since, stopped_at, started_at;
	} l;
	struct {
		uint32_t finite, infinite;
	} t;
	struct {
		uint32_t assigned; /* tasks */
	} m;
	struct {
		uint64_t until; /* the lease that ends last */
	} p;
};

struct state {
	enum state_name name;
	const char *reason;             /* a word: "request_in_flight", …, "no_signal" */
	bool starting;                  /* transition */
	unsigned evidence;              /* of enum state_source: what the decision rests on */
	uint64_t since;                 /* 0: nothing says it */
	enum state_container container; /* as the best source has it */
	uint32_t finite, infinite;      /* tasks */
};

/*
 * The first rule that fits: requests; failed or gone; asleep; tasks; awake; requests long ago; nothing.
 * A phase Pending or Updating excuses a container that is not there or stopped, which is being made anew.
 * Where state.json is not there, meta.json says what tasks there are.
 */
struct state state_decide(
	const struct state_evidence *e, uint64_t idle_timeout_ms, uint64_t now_ms);
/* The same state goes on since when it began, a new one since what the evidence says, or now. before may be
 * NULL. Without any signal there is no since. */
void state_follow(struct state *s, const struct state *before, uint64_t now_ms);

/* "busy", "idle", "sleeping", "offline". */
const char *state_text(enum state_name name);
/* 'G', …, of one bit. */
char state_code(enum state_source source);
/* As the controller and HiClaw's files write them; unknown words are unknown. */
enum state_phase state_phase_of(struct bytes text);
enum state_container state_container_of(struct bytes text);
enum state_wish state_wish_of(struct bytes text);
/* NULL: unknown. */
const char *state_phase_text(enum state_phase phase);
const char *state_container_text(enum state_container container);

#endif
