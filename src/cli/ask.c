/* Everything is set up for one request and taken down again: a command makes a handful of them. */
#include "cli/ask.h"

#include <signal.h>

/* What a request and an answer may hold in segments; the answer moves on into a text. */
#define POOL_BYTES ((size_t)4 << 20)

struct asking {
	struct loop *loop;
	bool done;
};

static void on_done(struct fetch *f)
{
	struct asking *x = f->arg;

	x->done = true;
	loop_stop(x->loop);
}

static void run(struct fetch *f)
{
	struct asking x = {.loop = loop_new()};
	struct fetcher *fr = fetcher_new(x.loop, POOL_BYTES, f->tls, NULL);

	f->answer_max = ASK_ANSWER_MAX;
	f->on_done = on_done;
	f->arg = &x;
	fetch_start(fr, f);
	while (!x.done) {
		loop_run(x.loop);
	}
	fetcher_free(fr);
	loop_free(x.loop);
}

enum fetch_rc ask(struct fetch *f)
{
	signal(SIGPIPE, SIG_IGN);
	if (f->tls && tls_global_init(NULL, &f->why) != 0) {
		return f->rc = FETCH_BROKEN;
	}
	run(f);
	if (f->rc != FETCH_DONE) {
		fetch_done(f);
	}
	return f->rc;
}
