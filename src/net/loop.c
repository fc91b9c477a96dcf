/*
 * One turn: wait, then posts, timers, tasks of the turn before, and events: first the hangups of
 * watches that asked to be early, then all others in the order of epoll.
 *
 * What a callback takes away while the turn runs must not be reported on any more: unwatched watches
 * are struck from the batch, cleared timers and cancelled tasks leave whatever list they stand on.
 *
 * The clock is read twice a turn: when the wait ends and when the last callback does. What ran in
 * between is counted by kind, not timed: a slow turn says how many of each there were.
 */
#include "net/loop.h"

#include <limits.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/wheel.h"

/*
 * Per turn. More only means another turn, and that turns begin soon keeps posts and timers in time: 64
 * small requests are well below a millisecond, and so are 8 slices of long work. A hangup that comes too
 * late to be early meets a send that fails, and its owner tries again.
 */
#define BATCH 64
#define TASKS_PER_TURN 8

#define TURN_SLOW_US 1000u
#define TURN_BAD_US 5000u
#define SAY_SLOW_EVERY_NS 1000000000u

#define HANGUP (EPOLLRDHUP | EPOLLHUP | EPOLLERR)

struct later {
	void *p;
	void (*free_fn)(void *p);
};

/* Callbacks of one turn. */
struct ran {
	unsigned watches, timers, posts, tasks;
};

struct loop {
	int epoll;
	struct watch wake; /* an eventfd, signalled by posts that find the loop asleep */
	bool stopped, in_turn;
	unsigned busy_poll_us;
	uint64_t now_ns;
	struct wheel wheel;
	struct list tasks;

	struct epoll_event batch[BATCH];
	int batch_n;
	int batch_done;   /* entries before it are history */
	bool batch_early; /* a hangup of an early watch is among them */

	struct later *later;
	size_t later_n, later_cap;

	struct ran ran;
	uint64_t said_slow_ns; /* when a slow turn was last told; 0: never */

	/* Written by the loop's thread alone, read by any. */
	_Alignas(64) atomic_uint_fast64_t turns;
	atomic_uint_fast64_t over_1ms, over_5ms, longest_us;

	/* Shared with other threads, in a cache line of their own. */
	_Alignas(64) _Atomic(struct post *) posts; /* newest first */
	atomic_bool sleeping;
};

static void on_wake(struct watch *w)
{
	sys_eventfd_drain(w->fd);
}

struct loop *loop_new(void)
{
	struct loop *l = aligned_alloc(_Alignof(struct loop), sizeof(*l));
	int wake_fd;
	int rc;

	ASSERT(l != NULL);
	*l = (struct loop){.now_ns = clock_mono_ns()};
	wheel_init(&l->wheel, l->now_ns / 1000000u);
	list_init(&l->tasks);
	l->epoll = sys_epoll_create();
	wake_fd = sys_eventfd();
	/* A start without descriptors for its loops cannot go on. Watched as a listener is:
	 * level-triggered and for IN alone, so that draining it is no event. */
	ASSERT(l->epoll >= 0 && wake_fd >= 0);
	rc = loop_watch_listener(l, &l->wake, wake_fd, on_wake);
	ASSERT(rc == 0);
	return l;
}

static void free_what_ended(struct loop *l)
{
	for (size_t i = 0; i < l->later_n; i++) {
		struct later it = l->later[i]; /* the array may move when free_fn adds to it */

		it.free_fn(it.p);
	}
	l->later_n = 0;
}

void loop_free(struct loop *l)
{
	if (l == NULL) {
		return;
	}
	free_what_ended(l);
	free(l->later);
	sys_close(l->wake.fd, false);
	sys_close(l->epoll, false);
	free(l);
}

/* --- descriptors -------------------------------------------------------------------------------- */

static int watch(struct loop *l, struct watch *w, int fd, bool listening)
{
	int rc = sys_epoll_add(l->epoll, fd, w, listening);

	w->readable = w->writable = w->hangup = false;
	w->fd = rc == 0 ? fd : -1;
	return rc;
}

int loop_watch(struct loop *l, struct watch *w, int fd, void (*on_ready)(struct watch *w))
{
	w->on_ready = on_ready;
	return watch(l, w, fd, false);
}

int loop_watch_listener(struct loop *l, struct watch *w, int fd, void (*on_ready)(struct watch *w))
{
	w->on_ready = on_ready;
	return watch(l, w, fd, true);
}

void loop_unwatch(struct loop *l, struct watch *w)
{
	if (w->fd < 0 || w->on_ready == NULL) {
		return;
	}
	sys_epoll_del(l->epoll, w->fd);
	w->fd = -1;
	for (int i = l->batch_done; i < l->batch_n; i++) {
		if (l->batch[i].data.ptr == w) {
			l->batch[i].data.ptr = NULL;
		}
	}
}

/* --- timers and tasks --------------------------------------------------------------------------- */

/* The first millisecond that is not before `now`: a timer counted from it is never early. */
static uint64_t next_full_ms(const struct loop *l)
{
	return (l->now_ns + 999999u) / 1000000u;
}

void timer_set(
	struct loop *l, struct timer *t, uint64_t after_ms, void (*on_timer)(struct timer *t))
{
	uint64_t due_ms = l->wheel.now_ms;

	if (!l->in_turn) {
		/* The time of a turn that ended long ago would make it early. */
		l->now_ns = clock_mono_ns();
	}
	if (after_ms != 0 && __builtin_add_overflow(next_full_ms(l), after_ms, &due_ms)) {
		due_ms = UINT64_MAX;
	}
	t->on_timer = on_timer;
	wheel_set(&l->wheel, t, due_ms);
}

void timer_clear(struct loop *l, struct timer *t)
{
	if (timer_is_set(t) || t->slot_ms != 0) {
		wheel_clear(&l->wheel, t);
	}
}

void timer_rest(struct loop *l, struct timer *t)
{
	if (timer_is_set(t)) {
		wheel_rest(&l->wheel, t);
	}
}

void loop_again(struct loop *l, struct task *t, void (*run)(struct task *t))
{
	t->run = run;
	if (!list_linked(&t->link)) {
		list_append(&l->tasks, &t->link);
	}
}

void loop_again_cancel(struct task *t)
{
	list_remove(&t->link);
}

void loop_free_later(struct loop *l, void *p, void (*free_fn)(void *p))
{
	if (l->later_n == l->later_cap) {
		l->later_cap = MAX(l->later_cap * 2, 16u);
		l->later = must_realloc(l->later, l->later_cap * sizeof(*l->later));
	}
	l->later[l->later_n++] = (struct later){p, free_fn};
}

/* --- posts -------------------------------------------------------------------------------------- */

/*
 * Either the poster sees that the loop is about to sleep, or the loop sees the post: each side first
 * writes its own word and then reads the other's, all sequentially consistent.
 */
void loop_post(struct loop *l, struct post *p, void (*run)(struct post *p))
{
	struct post *top = atomic_load_explicit(&l->posts, memory_order_relaxed);

	p->run = run;
	do {
		p->next = top;
	} while (!atomic_compare_exchange_weak(&l->posts, &top, p));
	if (atomic_load(&l->sleeping) && atomic_exchange(&l->sleeping, false)) {
		sys_eventfd_signal(l->wake.fd);
	}
}

static bool has_posts(const struct loop *l)
{
	return atomic_load(&l->posts) != NULL;
}

static void run_posts(struct loop *l)
{
	struct post *newest;
	struct post *oldest = NULL;

	if (!has_posts(l)) {
		return;
	}
	newest = atomic_exchange(&l->posts, NULL);
	while (newest != NULL) {
		struct post *next = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	while (oldest != NULL) {
		struct post *p = oldest;

		oldest = p->next;
		l->ran.posts++;
		p->run(p);
	}
}

/* --- a turn ------------------------------------------------------------------------------------- */

/* How long nothing is due (-1: for ever), by the time of the turn before. */
static int time_to_sleep_ms(const struct loop *l, int max_wait_ms)
{
	uint64_t next_ms = wheel_next_ms(&l->wheel);
	uint64_t now_ms = l->now_ns / 1000000u; /* rounded down: wake after the slot began */
	uint64_t wait_ms;

	if (l->later_n != 0 || !list_empty(&l->tasks) || next_ms <= now_ms) {
		return 0;
	}
	if (next_ms == UINT64_MAX) {
		return max_wait_ms;
	}
	wait_ms = MIN(next_ms - now_ms, (uint64_t)INT_MAX);
	return max_wait_ms < 0 ? (int)wait_ms : (int)MIN(wait_ms, (uint64_t)max_wait_ms);
}

static int poll_batch(struct loop *l, int timeout_ms)
{
	int n = sys_epoll_wait(l->epoll, l->batch, BATCH, timeout_ms);

	ASSERT(n >= 0);
	return n;
}

static int poll_busily(struct loop *l, int timeout_ms)
{
	uint64_t spin_ns = (uint64_t)l->busy_poll_us * 1000u;
	uint64_t start_ns = clock_mono_ns();
	int n;

	if (timeout_ms > 0) {
		spin_ns = MIN(spin_ns, (uint64_t)timeout_ms * 1000000u);
	}
	do {
		n = poll_batch(l, 0);
	} while (n == 0 && !has_posts(l) && clock_mono_ns() - start_ns < spin_ns);
	return n;
}

static int wait_for_events(struct loop *l, int timeout_ms)
{
	int n;

	if (timeout_ms != 0 && l->busy_poll_us != 0) {
		n = poll_busily(l, timeout_ms);
		if (n != 0) {
			return n;
		}
	}
	if (timeout_ms == 0) {
		return poll_batch(l, 0);
	}
	atomic_store(&l->sleeping, true);
	n = poll_batch(l, has_posts(l) ? 0 : timeout_ms);
	atomic_store(&l->sleeping, false);
	return n;
}

static void run_timers(struct loop *l)
{
	struct list firing;

	wheel_advance(&l->wheel, l->now_ns / 1000000u);
	/* Set aside: a timer that is set to 0 ms by another one belongs to the next turn. */
	list_init(&firing);
	list_splice(&firing, &l->wheel.due);
	while (!list_empty(&firing)) {
		struct timer *t = CONTAINER_OF(firing.next, struct timer, link);

		wheel_clear(&l->wheel, t);
		l->ran.timers++;
		t->on_timer(t);
	}
}

static void run_tasks(struct loop *l)
{
	struct list now;

	list_init(&now);
	list_splice(&now, &l->tasks);
	for (int i = 0; i < TASKS_PER_TURN && !list_empty(&now); i++) {
		struct task *t = CONTAINER_OF(now.next, struct task, link);

		list_remove(&t->link);
		l->ran.tasks++;
		t->run(t);
	}
	/* The others come first in the next turn. */
	list_splice(&l->tasks, &now);
}

/* Before any callback of the turn: an edge is reported once, and who looks at another connection's
 * marks sees all that is known. */
static void mark_events(struct loop *l)
{
	l->batch_early = false;
	for (int i = 0; i < l->batch_n; i++) {
		struct watch *w = l->batch[i].data.ptr;
		uint32_t events = l->batch[i].events;
		bool gone = (events & HANGUP) != 0;

		w->hangup = w->hangup || gone;
		w->readable = w->readable || gone || (events & EPOLLIN) != 0;
		w->writable = w->writable || gone || (events & EPOLLOUT) != 0;
		l->batch_early = l->batch_early || (w->early && gone);
	}
}

static void call_watch(struct loop *l, int i)
{
	struct watch *w = l->batch[i].data.ptr;

	l->batch[i].data.ptr = NULL;
	l->ran.watches++;
	w->on_ready(w);
}

static void call_watches(struct loop *l)
{
	if (l->batch_early) {
		for (int i = 0; i < l->batch_n; i++) {
			const struct watch *w = l->batch[i].data.ptr;

			if (w != NULL && w->early && w->hangup) {
				call_watch(l, i);
			}
		}
	}
	while (l->batch_done < l->batch_n) {
		int i = l->batch_done++;

		if (l->batch[i].data.ptr != NULL) {
			call_watch(l, i);
		}
	}
}

/* There is one writer: a load and a store are enough. */
static void add(atomic_uint_fast64_t *n, uint64_t by)
{
	atomic_store_explicit(
		n, atomic_load_explicit(n, memory_order_relaxed) + by, memory_order_relaxed);
}

static void say_slow(struct loop *l, uint64_t end_ns, uint64_t us)
{
	if (l->said_slow_ns != 0 && end_ns - l->said_slow_ns < SAY_SLOW_EVERY_NS) {
		return;
	}
	l->said_slow_ns = end_ns;
	log_debug("net",
		"a turn of the loop took %llu us: %u descriptors, %u timers, %u posts, %u tasks",
		(unsigned long long)us, l->ran.watches, l->ran.timers, l->ran.posts, l->ran.tasks);
}

static void count_turn(struct loop *l)
{
	uint64_t end_ns = clock_mono_ns();
	uint64_t us = (end_ns - l->now_ns) / 1000u;

	add(&l->turns, 1);
	if (us > atomic_load_explicit(&l->longest_us, memory_order_relaxed)) {
		atomic_store_explicit(&l->longest_us, us, memory_order_relaxed);
	}
	if (us > TURN_SLOW_US) {
		add(&l->over_1ms, 1);
		add(&l->over_5ms, us > TURN_BAD_US);
		say_slow(l, end_ns, us);
	}
}

struct loop_counts loop_counts(const struct loop *l)
{
	return (struct loop_counts){
		.turns = atomic_load_explicit(&l->turns, memory_order_relaxed),
		.over_1ms = atomic_load_explicit(&l->over_1ms, memory_order_relaxed),
		.over_5ms = atomic_load_explicit(&l->over_5ms, memory_order_relaxed),
		.longest_us = atomic_load_explicit(&l->longest_us, memory_order_relaxed),
	};
}

void loop_turn(struct loop *l, int max_wait_ms)
{
	l->batch_n = wait_for_events(l, time_to_sleep_ms(l, max_wait_ms));
	l->batch_done = 0;
	l->now_ns = clock_mono_ns();
	l->in_turn = true;
	l->ran = (struct ran){0};
	mark_events(l);
	run_posts(l);
	run_timers(l);
	run_tasks(l);
	call_watches(l);
	l->batch_n = 0;
	free_what_ended(l);
	l->in_turn = false;
	count_turn(l);
}

void loop_run(struct loop *l)
{
	while (!l->stopped) {
		loop_turn(l, -1);
	}
	l->stopped = false;
}

void loop_stop(struct loop *l)
{
	l->stopped = true;
}

void loop_set_busy_poll(struct loop *l, unsigned us)
{
	l->busy_poll_us = us;
}

uint64_t loop_now_ms(const struct loop *l)
{
	return l->now_ns / 1000000u;
}

uint64_t loop_now_us(const struct loop *l)
{
	(void)l;
	return clock_mono_ns() / 1000u;
}
