/*
 * POST page/preview: what a change would do and where a request would go (page/rehearse.h has the question and the
 * answer). For the administrator, on a jobs thread; nothing is changed.
 */
#ifndef PAGE_PREVIEW_H
#define PAGE_PREVIEW_H

#include "manage/manage.h"
#include "page/rehearse.h"
#include "store/writer.h"

/* Accident: pages that ask faster than plans compile. */
#define PREVIEW_OPEN_MAX 4u
/* Attack: a route is small, the longest texts of one are its lists of consumers. */
#define PREVIEW_BODY_MAX ((size_t)1 << 20)

struct previews;

struct previews_opts {
	struct manage *manage;
	const struct writer *writer; /* for the snapshot */
	/* Control: how plans are compiled; before is not looked at. */
	struct plan_env (*plan)(void *arg);
	/* As struct op has it; with the same arg. */
	bool (*address_allowed)(void *arg, struct bytes host, const char **why);
	void *arg;
};

/* Joins the listeners. */
struct previews *previews_new(const struct previews_opts *opts);
/* When all calls have ended (manage_stop) and the jobs too. NULL is allowed. */
void previews_free(struct previews *ps);

#endif
