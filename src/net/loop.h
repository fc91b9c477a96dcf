/*
 * The loop of one thread: descriptors, timers, posts from other threads, work for the next turn.
 *
 * Watchers, timers and posts are embedded in their owners; a callback gets the embedded object and
 * finds the owner with CONTAINER_OF. A start function never calls back before it returns. What a
 * callback may not do is free memory that the loop may still report on in this turn: owners that
 * embed watchers end with loop_free_later.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdatomic.h>

#include "base/list.h"
#include "net/sys.h"

struct loop;

/* --- descriptors -------------------------------------------------------------------------------- */

/*
 * One registration per descriptor, edge-triggered. `readable`, `writable` and `hangup` say what has
 * been reported and not yet been used up: the owner clears readable when a read brought fewer bytes
 * than asked or ERR_AGAIN, writable when a write did; RDHUP, HUP and ERR set hangup and both others.
 */
struct watch {
	int fd; /* -1: not watched */
	bool readable, writable, hangup;
	/* Dealt with before the other events of a turn when it reports hangup: an idle connection
	 * that died must leave its pool before anybody takes it. */
	bool early;
	void (*on_ready)(struct watch *w);
};

MUST_CHECK int loop_watch(
	struct loop *l, struct watch *w, int fd, void (*on_ready)(struct watch *w));
/* For listening sockets (level-triggered, EPOLLEXCLUSIVE). */
MUST_CHECK int loop_watch_listener(
	struct loop *l, struct watch *w, int fd, void (*on_ready)(struct watch *w));
/* Forgets the descriptor (does not close it); w will not be called any more, in this turn neither. */
void loop_unwatch(struct loop *l, struct watch *w);

/* --- timers ------------------------------------------------------------------------------------- */

/*
 * A wheel of 1 ms slots with hierarchy; deadlines are lazy: moving one later only stores the new
 * value, and the wheel puts it back when its old slot comes up. Fires at most 2 ms late (time is
 * rounded up once when it is set and once when the loop sleeps) plus the length of a turn, never early.
 */
struct timer {
	struct list link;
	uint64_t slot_ms; /* where the wheel has it */
	uint64_t due_ms;  /* when it is due; 0: not set */
	void (*on_timer)(struct timer *t);
};

/* t must be zeroed or initialised before its first use. Sets or moves; 0 ms fires in the next turn. */
void timer_set(
	struct loop *l, struct timer *t, uint64_t after_ms, void (*on_timer)(struct timer *t));
void timer_clear(struct loop *l, struct timer *t);
/* The same for one that will soon be set again, and then later: that costs next to nothing, and touches no timer but
 * this one. The wheel still knows it: timer_clear before its memory goes. */
void timer_rest(struct loop *l, struct timer *t);
static inline bool timer_is_set(const struct timer *t)
{
	return t->due_ms != 0;
}

/* --- work for the next turn --------------------------------------------------------------------- */

/* Long work is done in slices: run is called once in the next turn, or in one of the next when many ask
 * (the loop does not sleep until then). */
struct task {
	struct list link;
	void (*run)(struct task *t);
};

void loop_again(struct loop *l, struct task *t, void (*run)(struct task *t));
void loop_again_cancel(struct task *t);

/* --- posts from other threads ------------------------------------------------------------------- */

/* Ownership of the post goes to the loop until run is called, on the loop's thread. Any thread; the
 * order of posts of one thread is kept. Wakes the loop when it sleeps. */
struct post {
	struct post *next;
	void (*run)(struct post *p);
};

void loop_post(struct loop *l, struct post *p, void (*run)(struct post *p));

/* --- life --------------------------------------------------------------------------------------- */

struct loop *loop_new(void);
void loop_free(struct loop *l);

/* One turn: waits at most max_wait_ms (-1: no limit of its own) for events, timers and posts, then
 * runs what is due. */
void loop_turn(struct loop *l, int max_wait_ms);
/* Turns until loop_stop. */
void loop_run(struct loop *l);
/* From a callback of this loop. */
void loop_stop(struct loop *l);
/* Polls that long (microseconds) before it sleeps; 0: not at all. */
void loop_set_busy_poll(struct loop *l, unsigned us);

/* Calls free_fn(p) when the current turn is over. */
void loop_free_later(struct loop *l, void *p, void (*free_fn)(void *p));

/*
 * How long turns took, from the end of the wait to the end of the last callback: what everything else
 * on the loop may have waited for. Any thread may ask while the loop runs; each figure is exact, but
 * they may be of neighbouring turns. A turn over 1 ms is a debug line too, at most one a second.
 */
struct loop_counts {
	uint64_t turns;
	uint64_t over_1ms, over_5ms; /* of them; the first includes the second */
	uint64_t longest_us;
};
struct loop_counts loop_counts(const struct loop *l);

/* Monotonic time at the start of the turn's callbacks; loop_now_us reads the clock anew. */
uint64_t loop_now_ms(const struct loop *l);
uint64_t loop_now_us(const struct loop *l);

#endif
