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
/* Waits for the running jobs; queued ones are still run. */
void jobs_free(struct jobs *js);
void jobs_submit(struct jobs *js, struct job *j);
/* Runs one queued job on this thread; false when there is none. */
bool jobs_run_one(struct jobs *js);

#endif
