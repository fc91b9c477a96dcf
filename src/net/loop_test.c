#define _GNU_SOURCE
#include "net/loop.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

/* What the callbacks of one test did, a letter each. */
struct story {
	char text[64];
	size_t n;
};

static void tell(struct story *s, char c)
{
	assert_true(s->n + 1 < sizeof(s->text));
	s->text[s->n++] = c;
	s->text[s->n] = '\0';
}

/* One end of a socket pair, watched. */
struct end {
	struct watch watch;
	struct loop *loop;
	struct story *story;
	struct end *victim; /* unwatched by the callback */
	int peer;
	char letter;
};

static void on_end(struct watch *w)
{
	struct end *e = CONTAINER_OF(w, struct end, watch);

	tell(e->story, e->letter);
	if (e->victim != NULL) {
		loop_unwatch(e->loop, &e->victim->watch);
	}
}

static void end_open(struct end *e, struct loop *l, struct story *story, char letter)
{
	int fds[2];

	*e = (struct end){.loop = l, .story = story, .letter = letter};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	e->peer = fds[1];
	assert_int_equal(loop_watch(l, &e->watch, fds[0], on_end), 0);
}

static void end_close(struct end *e)
{
	int fd = e->watch.fd;

	loop_unwatch(e->loop, &e->watch);
	if (fd >= 0) {
		close(fd);
	}
	if (e->peer >= 0) {
		close(e->peer);
	}
}

static void say(struct end *e)
{
	assert_int_equal(write(e->peer, "x", 1), 1);
}

static void hang_up(struct end *e)
{
	close(e->peer);
	e->peer = -1;
}

/* The first event of a socket says that it is writable; get it out of the way. */
static void settle(struct loop *l, struct story *s)
{
	loop_turn(l, 0);
	*s = (struct story){.n = 0};
}

/* --- order -------------------------------------------------------------------------------------- */

struct worker {
	struct post post;
	struct timer timer;
	struct task task;
	struct story *story;
	struct loop *loop;
};

static void on_post(struct post *p)
{
	tell(CONTAINER_OF(p, struct worker, post)->story, 'p');
}

static void on_timer(struct timer *t)
{
	tell(CONTAINER_OF(t, struct worker, timer)->story, 't');
}

static void on_task(struct task *t)
{
	tell(CONTAINER_OF(t, struct worker, task)->story, 'k');
}

static void a_turn_runs_posts_timers_tasks_events(void **state)
{
	struct story story = {.n = 0};
	struct loop *l = loop_new();
	struct worker w = {.story = &story};
	struct end e;

	(void)state;
	end_open(&e, l, &story, 'e');
	settle(l, &story);
	say(&e);
	loop_again(l, &w.task, on_task);
	timer_set(l, &w.timer, 0, on_timer);
	loop_post(l, &w.post, on_post);
	loop_turn(l, -1);
	assert_string_equal(story.text, "ptke");
	end_close(&e);
	loop_free(l);
}

static void on_timer_again(struct timer *t)
{
	struct worker *w = CONTAINER_OF(t, struct worker, timer);

	tell(w->story, 't');
	timer_set(w->loop, t, 0, on_timer_again);
}

static void on_task_again(struct task *t)
{
	struct worker *w = CONTAINER_OF(t, struct worker, task);

	tell(w->story, 'k');
	loop_again(w->loop, t, on_task_again);
}

static void what_asks_to_run_again_waits_for_the_next_turn(void **state)
{
	struct story story = {.n = 0};
	struct worker w = {.story = &story, .loop = loop_new()};

	(void)state;
	timer_set(w.loop, &w.timer, 0, on_timer_again);
	loop_again(w.loop, &w.task, on_task_again);
	loop_turn(w.loop, -1);
	assert_string_equal(story.text, "tk");
	loop_turn(w.loop, -1);
	assert_string_equal(story.text, "tktk");
	loop_again_cancel(&w.task);
	timer_clear(w.loop, &w.timer);
	loop_turn(w.loop, 0);
	assert_string_equal(story.text, "tktk");
	loop_free(w.loop);
}

static void on_task_cancels(struct task *t)
{
	struct worker *w = CONTAINER_OF(t, struct worker, task);

	tell(w[0].story, 'k');
	loop_again_cancel(&w[1].task);
	timer_clear(w->loop, &w[1].timer);
}

static void on_timer_cancels(struct timer *t)
{
	on_task_cancels(&CONTAINER_OF(t, struct worker, timer)->task);
}

static void what_is_cancelled_in_its_own_turn_does_not_run(void **state)
{
	struct story story = {.n = 0};
	struct loop *l = loop_new();
	struct worker w[2] = {{.story = &story, .loop = l}, {.story = &story, .loop = l}};

	(void)state;
	loop_again(l, &w[0].task, on_task_cancels);
	loop_again(l, &w[1].task, on_task);
	loop_turn(l, 0);
	assert_string_equal(story.text, "k");
	timer_set(l, &w[0].timer, 0, on_timer_cancels);
	timer_set(l, &w[1].timer, 0, on_timer);
	loop_turn(l, 0);
	assert_string_equal(story.text, "kk");
	loop_free(l);
}

/* --- descriptors -------------------------------------------------------------------------------- */

static void early_hangups_come_first(void **state)
{
	struct story story = {.n = 0};
	struct loop *l = loop_new();
	struct end a;
	struct end idle;
	struct end chatty;

	(void)state;
	end_open(&a, l, &story, 'a');
	end_open(&idle, l, &story, 'i');
	end_open(&chatty, l, &story, 'c');
	idle.watch.early = chatty.watch.early = true;
	settle(l, &story);
	say(&a);
	say(&chatty);
	hang_up(&idle);
	loop_turn(l, -1);
	/* Early is for hangups alone: the chatty one takes its turn. */
	assert_string_equal(story.text, "iac");
	assert_true(idle.watch.hangup && idle.watch.readable && idle.watch.writable);
	assert_false(chatty.watch.hangup);
	end_close(&a);
	end_close(&idle);
	end_close(&chatty);
	loop_free(l);
}

static void an_unwatched_watch_is_not_called(void **state)
{
	static const struct {
		bool early; /* the one that unwatches is called out of turn */
		const char *reason;
	} rows[] = {
		{false, "the victim stands behind in the batch"},
		{true, "the victim stands before in the batch and was passed over"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct story story = {.n = 0};
		struct loop *l = loop_new();
		struct end ends[2];
		struct end *killer = &ends[rows[i].early];
		struct end *victim = &ends[!rows[i].early];
		int fd;

		end_open(&ends[0], l, &story, '0');
		end_open(&ends[1], l, &story, '1');
		settle(l, &story);
		killer->watch.early = rows[i].early;
		killer->victim = victim;
		fd = victim->watch.fd;
		say(&ends[0]);
		say(&ends[1]);
		hang_up(killer);
		loop_turn(l, -1);
		if (story.n != 1 || story.text[0] != killer->letter) {
			fail_msg("called \"%s\": %s", story.text, rows[i].reason);
		}
		assert_int_equal(victim->watch.fd, -1);
		close(fd);
		end_close(&ends[0]);
		end_close(&ends[1]);
		loop_free(l);
	}
}

static void a_half_close_is_a_hangup_that_can_be_read(void **state)
{
	struct story story = {.n = 0};
	struct loop *l = loop_new();
	struct end e;

	(void)state;
	end_open(&e, l, &story, 'e');
	settle(l, &story);
	assert_true(e.watch.writable && !e.watch.readable && !e.watch.hangup);
	e.watch.readable = false;
	assert_int_equal(shutdown(e.peer, SHUT_WR), 0);
	loop_turn(l, -1);
	assert_string_equal(story.text, "e");
	assert_true(e.watch.readable && e.watch.hangup);
	end_close(&e);
	loop_free(l);
}

static void a_listener_is_reported_until_it_is_empty(void **state)
{
	struct story story = {.n = 0};
	struct loop *l = loop_new();
	struct end e = {.loop = l, .story = &story, .letter = 'L', .peer = -1};
	struct sys_addr addr;
	int clients[2];

	(void)state;
	assert_int_equal(sys_addr_parse(&addr, "127.0.0.1", 9, 0), 0);
	assert_int_equal(loop_watch_listener(l, &e.watch, sys_listen(&addr, 16, &addr), on_end), 0);
	for (int i = 0; i < 2; i++) {
		clients[i] = sys_connect(&addr);
		assert_true(clients[i] >= 0);
	}
	for (int i = 0; i < 2; i++) {
		struct sys_addr peer;
		int fd;

		loop_turn(l, 1000);
		fd = sys_accept(e.watch.fd, &peer);
		assert_true(fd >= 0);
		sys_close(fd, false);
		sys_close(clients[i], false);
	}
	assert_string_equal(story.text, "LL");
	loop_turn(l, 0);
	assert_string_equal(story.text, "LL");
	end_close(&e);
	loop_free(l);
}

/* --- time --------------------------------------------------------------------------------------- */

struct alarm {
	struct timer timer;
	struct loop *loop;
	uint64_t fired_ns;
};

static void on_alarm(struct timer *t)
{
	struct alarm *a = CONTAINER_OF(t, struct alarm, timer);

	a->fired_ns = clock_mono_ns();
	loop_stop(a->loop);
}

static void a_timer_is_never_early(void **state)
{
	static const struct {
		uint64_t pause_ms, after_ms;
		unsigned busy_us;
		int wait_ms;
		const char *reason;
	} rows[] = {
		{0, 1, 0, -1, "the shortest wait"},
		{0, 7, 0, -1, "a few milliseconds"},
		{0, 7, 100, -1, "polling before it sleeps"},
		{0, 2, 10000, -1, "polling longer than the wait"},
		{0, 1, 0, 0, "turn after turn, without the sleep that rounds up"},
		{0, 3, 0, 0, "the same, longer"},
		{30, 10, 0, 0,
			"set long after the last turn: counted from now, not from that turn"},
	};

	(void)state;
	/* Several times, because a loop that rounds down is early by a part of a millisecond or none. */
	for (size_t i = 0; i < 5 * ARRAY_LEN(rows); i++) {
		size_t row = i % ARRAY_LEN(rows);
		struct loop *l = loop_new();
		struct alarm a = {.loop = l};
		uint64_t start_ns;

		loop_set_busy_poll(l, rows[row].busy_us);
		loop_turn(l, 0);
		usleep((useconds_t)rows[row].pause_ms * 1000 + 300);
		start_ns = clock_mono_ns();
		timer_set(l, &a.timer, rows[row].after_ms, on_alarm);
		while (timer_is_set(&a.timer)) {
			loop_turn(l, rows[row].wait_ms);
		}
		if (a.fired_ns - start_ns < rows[row].after_ms * 1000000u) {
			fail_msg("early: %s", rows[row].reason);
		}
		loop_free(l);
	}
}

static void a_turn_ends_without_events_when_it_was_told_to(void **state)
{
	struct loop *l = loop_new();
	struct alarm a = {.loop = l};

	(void)state;
	timer_set(l, &a.timer, 3600000, on_alarm);
	loop_turn(l, 0);
	loop_turn(l, 3);
	assert_true(timer_is_set(&a.timer));
	timer_clear(l, &a.timer);
	loop_free(l);
}

/* --- ends --------------------------------------------------------------------------------------- */

struct corpse {
	struct story *story;
	struct loop *loop;
	struct corpse *next;
};

static void bury(void *p)
{
	struct corpse *c = p;

	tell(c->story, 'f');
	if (c->next != NULL) {
		loop_free_later(c->loop, c->next, bury);
	}
	free(c);
}

static void on_task_ends(struct task *t)
{
	struct worker *w = CONTAINER_OF(t, struct worker, task);
	struct corpse *first = calloc(1, sizeof(*first));
	struct corpse *second = calloc(1, sizeof(*second));

	assert_true(first != NULL && second != NULL);
	*second = (struct corpse){w->story, w->loop, NULL};
	*first = (struct corpse){w->story, w->loop, second};
	loop_free_later(w->loop, first, bury);
	tell(w->story, 'k');
}

static void memory_ends_with_the_turn(void **state)
{
	struct story story = {.n = 0};
	struct worker w = {.story = &story, .loop = loop_new()};
	struct end e;

	(void)state;
	end_open(&e, w.loop, &story, 'e');
	settle(w.loop, &story);
	say(&e);
	loop_again(w.loop, &w.task, on_task_ends);
	loop_turn(w.loop, -1);
	assert_string_equal(story.text, "keff");
	/* From outside of a turn: with the next one, which does not sleep for it. */
	on_task_ends(&w.task);
	loop_turn(w.loop, -1);
	assert_string_equal(story.text, "keffkff");
	on_task_ends(&w.task);
	end_close(&e);
	loop_free(w.loop);
}

/* --- posts -------------------------------------------------------------------------------------- */

static void on_task_posts(struct task *t)
{
	struct worker *w = CONTAINER_OF(t, struct worker, task);

	tell(w->story, 'k');
	loop_post(w->loop, &w->post, on_post);
}

static void a_post_that_comes_before_the_sleep_prevents_it(void **state)
{
	static const unsigned busy_us[] = {0, 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(busy_us); i++) {
		struct story story = {.n = 0};
		struct worker w = {.story = &story, .loop = loop_new()};

		loop_turn(w.loop, 0);
		loop_set_busy_poll(w.loop, busy_us[i]);
		loop_again(w.loop, &w.task, on_task_posts);
		loop_turn(w.loop, -1);
		loop_turn(w.loop, -1);
		assert_string_equal(story.text, "kp");
		loop_free(w.loop);
	}
}

#define POSTERS 4
#define POSTS 4000

struct letter {
	struct post post;
	struct poster *from;
	unsigned nr;
};

struct poster {
	pthread_t thread;
	struct loop *loop;
	unsigned next; /* written by the loop's thread alone */
	unsigned *open;
	struct letter letters[POSTS];
};

static void on_letter(struct post *p)
{
	struct letter *letter = CONTAINER_OF(p, struct letter, post);
	struct poster *from = letter->from;

	assert_int_equal(letter->nr, from->next);
	from->next++;
	if (--*from->open == 0) {
		loop_stop(from->loop);
	}
}

static void *post_all(void *arg)
{
	struct poster *me = arg;

	for (unsigned i = 0; i < POSTS; i++) {
		me->letters[i].from = me;
		me->letters[i].nr = i;
		loop_post(me->loop, &me->letters[i].post, on_letter);
		if (i % 64 == 0) {
			usleep(20); /* let it fall asleep now and then */
		}
	}
	return NULL;
}

static void posts_of_many_threads_all_arrive_in_order(void **state)
{
	static const unsigned busy_us[] = {0, 20};

	(void)state;
	for (size_t round = 0; round < ARRAY_LEN(busy_us); round++) {
		struct poster *posters = calloc(POSTERS, sizeof(*posters));
		struct loop *l = loop_new();
		unsigned open = POSTERS * POSTS;

		assert_non_null(posters);
		loop_set_busy_poll(l, busy_us[round]);
		for (int i = 0; i < POSTERS; i++) {
			posters[i].loop = l;
			posters[i].open = &open;
			pthread_create(&posters[i].thread, NULL, post_all, &posters[i]);
		}
		/* Nothing but the posts wakes this loop: a lost wake-up is a hang. */
		loop_run(l);
		assert_int_equal(open, 0);
		for (int i = 0; i < POSTERS; i++) {
			pthread_join(posters[i].thread, NULL);
		}
		loop_free(l);
		free(posters);
	}
}

struct numbered {
	struct task task;
	struct story *story;
	char letter;
};

static void on_numbered(struct task *t)
{
	struct numbered *n = CONTAINER_OF(t, struct numbered, task);

	tell(n->story, n->letter);
}

static void many_tasks_take_several_turns_in_order(void **state)
{
	struct story story = {0};
	struct loop *l = loop_new();
	struct numbered v[20] = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		v[i].story = &story;
		v[i].letter = (char)('a' + i);
		loop_again(l, &v[i].task, on_numbered);
	}
	loop_turn(l, -1);
	assert_true(story.n > 0 &&
		story.n < ARRAY_LEN(v)); /* other work is not held up by all of them */
	v[0].letter = 'z';
	loop_again(l, &v[0].task, on_numbered);
	for (int i = 0; i < 5; i++) {
		loop_turn(l, 0);
	}
	assert_string_equal(story.text, "abcdefghijklmnopqrstz");
	loop_free(l);
}

/* --- how long turns took ------------------------------------------------------------------------- */

struct worker_of_us {
	struct task task;
	unsigned us;
};

static void work(struct task *t)
{
	uint64_t end_ns =
		clock_mono_ns() + CONTAINER_OF(t, struct worker_of_us, task)->us * 1000ull;

	while (clock_mono_ns() < end_ns) {}
}

static void turns_are_counted_by_their_length(void **state)
{
	static const struct {
		unsigned us;
		uint64_t over_1ms, over_5ms;
		const char *why;
	} rows[] = {
		{1500, 1, 0, "over one millisecond"},
		{6000, 2, 1, "over five is over one as well"},
	};
	struct loop *l = loop_new();
	struct alarm a = {.loop = l};
	struct loop_counts c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct worker_of_us w = {.us = rows[i].us};

		loop_again(l, &w.task, work);
		loop_turn(l, 0);
		c = loop_counts(l);
		print_message("%s: longest %u us\n", rows[i].why, (unsigned)c.longest_us);
		assert_int_equal(c.turns, i + 1);
		assert_true(c.over_1ms >= rows[i].over_1ms);
		assert_true(c.over_5ms >= rows[i].over_5ms);
		assert_true(c.longest_us >= rows[i].us);
	}
	timer_set(l, &a.timer, 400, on_alarm);
	while (timer_is_set(&a.timer)) {
		loop_turn(l, -1);
	}
	/* What a turn waited is not its length. */
	assert_true(loop_counts(l).longest_us < 400000);
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_turn_runs_posts_timers_tasks_events),
		cmocka_unit_test(what_asks_to_run_again_waits_for_the_next_turn),
		cmocka_unit_test(what_is_cancelled_in_its_own_turn_does_not_run),
		cmocka_unit_test(early_hangups_come_first),
		cmocka_unit_test(an_unwatched_watch_is_not_called),
		cmocka_unit_test(a_half_close_is_a_hangup_that_can_be_read),
		cmocka_unit_test(a_listener_is_reported_until_it_is_empty),
		cmocka_unit_test(a_timer_is_never_early),
		cmocka_unit_test(a_turn_ends_without_events_when_it_was_told_to),
		cmocka_unit_test(memory_ends_with_the_turn),
		cmocka_unit_test(a_post_that_comes_before_the_sleep_prevents_it),
		cmocka_unit_test(posts_of_many_threads_all_arrive_in_order),
		cmocka_unit_test(many_tasks_take_several_turns_in_order),
		cmocka_unit_test(turns_are_counted_by_their_length),
	};

	alarm(120); /* a lost wake-up must not hang whoever runs this */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
