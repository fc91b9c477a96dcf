/*
 * Threads for what blocks or takes long (files with fsync, compiling, PEM, password hashes): values
 * in, values out. A job's work touches nothing shared; its result comes back by loop_post. The threads
 * have a lower priority than those that have a loop: traffic does not wait for a job.
 */
#ifndef NET_JOBS_H
#define NET_JOBS_H

#include "net/loop.h"

struct jobs;

struct job {
	struct post post;
	struct job *next;
	struct loop *home;              /* where on_done runs */
	void (*work)(struct job *j);    /* on a jobs thread */
	void (*on_done)(struct job *j); /* on home's thread; the job is the caller's again */
};

/* n_threads 0: no thread; jobs_run_one runs them by hand (the simulated world). */
struct jobs *jobs_new(unsigned n_threads);
/*
 * Waits for the running jobs and runs the queued ones; the threads are gone then. What is submitted after
 * it, by somebody who is ending too, runs in jobs_submit.
 */
void jobs_end(struct jobs *js);
/* As jobs_end, if that was not called; nobody may submit to it any more. NULL is nothing. */
void jobs_free(struct jobs *js);
void jobs_submit(struct jobs *js, struct job *j);
/* Runs one queued job on this thread; false when there is none. */
bool jobs_run_one(struct jobs *js);

#endif
