#define _GNU_SOURCE
#include "net/jobs.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

/* By this much nicer than the rest: a worker that wakes up on a core where a job computes goes first.
 * Not more, because a configuration has to become live under full load too. */
#define NICENESS 5

struct jobs {
	pthread_mutex_t lock;
	pthread_cond_t wake; /* a job was queued, or the end came */
	struct job *first;
	struct job **last; /* where the next one is hung in */
	bool ending;
	unsigned n_threads;
	pthread_t threads[];
};

/* Under the lock. */
static struct job *take(struct jobs *js)
{
	struct job *j = js->first;

	if (j != NULL) {
		js->first = j->next;
		if (js->first == NULL) {
			js->last = &js->first;
		}
	}
	return j;
}

static void on_back_home(struct post *p)
{
	struct job *j = CONTAINER_OF(p, struct job, post);

	j->on_done(j);
}

static void run(struct job *j)
{
	struct loop *home = j->home;

	j->work(j);
	loop_post(home, &j->post, on_back_home);
}

static void *serve(void *arg)
{
	struct jobs *js = arg;

	/* On Linux that is this thread; without it jobs are run all the same. */
	IGNORE(setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + NICENESS));
	pthread_mutex_lock(&js->lock);
	for (;;) {
		struct job *j = take(js);

		if (j != NULL) {
			pthread_mutex_unlock(&js->lock);
			run(j);
			pthread_mutex_lock(&js->lock);
		} else if (js->ending) {
			break;
		} else {
			pthread_cond_wait(&js->wake, &js->lock);
		}
	}
	pthread_mutex_unlock(&js->lock);
	return NULL;
}

/* Signals are for the threads that have a loop to tell. */
static void start_threads(struct jobs *js)
{
	sigset_t all;
	sigset_t before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (unsigned i = 0; i < js->n_threads; i++) {
		int error = pthread_create(&js->threads[i], NULL, serve, js);

		ASSERT(error == 0);
		pthread_setname_np(js->threads[i], "jobs");
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct jobs *jobs_new(unsigned n_threads)
{
	struct jobs *js = must_alloc(sizeof(*js) + n_threads * sizeof(js->threads[0]));

	pthread_mutex_init(&js->lock, NULL);
	pthread_cond_init(&js->wake, NULL);
	js->last = &js->first;
	js->n_threads = n_threads;
	start_threads(js);
	return js;
}

void jobs_end(struct jobs *js)
{
	pthread_mutex_lock(&js->lock);
	js->ending = true;
	pthread_cond_broadcast(&js->wake);
	pthread_mutex_unlock(&js->lock);
	for (unsigned i = 0; i < js->n_threads; i++) {
		pthread_join(js->threads[i], NULL);
	}
	js->n_threads = 0;
	while (jobs_run_one(js)) {}
}

void jobs_free(struct jobs *js)
{
	if (js == NULL) {
		return;
	}
	jobs_end(js);
	pthread_cond_destroy(&js->wake);
	pthread_mutex_destroy(&js->lock);
	free(js);
}

void jobs_submit(struct jobs *js, struct job *j)
{
	bool ended;

	j->next = NULL;
	pthread_mutex_lock(&js->lock);
	ended = js->ending;
	if (!ended) {
		*js->last = j;
		js->last = &j->next;
		pthread_cond_signal(&js->wake);
	}
	pthread_mutex_unlock(&js->lock);
	if (ended) {
		run(j);
	}
}

bool jobs_run_one(struct jobs *js)
{
	struct job *j;

	pthread_mutex_lock(&js->lock);
	j = take(js);
	pthread_mutex_unlock(&js->lock);
	if (j == NULL) {
		return false;
	}
	run(j);
	return true;
}
