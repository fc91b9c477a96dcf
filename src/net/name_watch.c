/*
 * Each question names the paths to the system again: the same directory has the same number as before, so a number
 * that is another one shows that the path leads elsewhere now. A new watch begins before the reader looks, hence
 * what happens meanwhile is told at the next question.
 */
#include "net/name_watch.h"

#include <stdlib.h>
#include <unistd.h>

#include "net/sys_watch.h"

struct place {
	char *path;
	int number; /* of its watch; negative: there is none */
	bool sees_all;
	bool lost; /* since the last question */
};

struct name_watch {
	int fd;
	struct place *places;
	size_t n;
	void (*each)(void *arg, size_t place, const char *name);
	void *arg;
};

struct name_watch *name_watch_new(
	const char *root, const char *const *names, size_t n, struct fault *fault)
{
	struct name_watch *w;
	int fd = sys_watch_open(fault);

	ASSERT(n <= NAME_WATCH_MAX);
	if (fd < 0) {
		return NULL;
	}
	w = must_alloc(sizeof(*w));
	*w = (struct name_watch){.fd = fd, .n = n};
	w->places = must_alloc((n + 1) * sizeof(*w->places));
	for (size_t i = 0; i < n; i++) {
		w->places[i] = (struct place){.path = must_path(root, names[i]), .number = -1};
	}
	return w;
}

void name_watch_free(struct name_watch *w)
{
	if (w == NULL) {
		return;
	}
	for (size_t i = 0; i < w->n; i++) {
		free(w->places[i].path);
	}
	free(w->places);
	close(w->fd);
	free(w);
}

/* Two paths may lead to one directory. */
static void on_event(void *arg, int number, const char *name)
{
	struct name_watch *w = arg;

	for (size_t i = 0; i < w->n; i++) {
		struct place *p = &w->places[i];

		if (number >= 0 && p->number != number) {
			continue;
		}
		if (name != NULL) {
			w->each(w->arg, i, name);
		} else {
			p->lost = true;
		}
	}
}

/* Two paths may have led to one directory. */
static void drop_number(struct name_watch *w, int number)
{
	for (size_t i = 0; i < w->n; i++) {
		if (w->places[i].number == number) {
			return;
		}
	}
	sys_watch_remove(w->fd, number);
}

/* Whether the watch that was there is the one of what the path names now. */
static bool watch_place(struct name_watch *w, struct place *p)
{
	struct fault fault;
	int before = p->number;

	p->number = sys_watch_add(w->fd, p->path, &fault);
	if (before >= 0 && p->number != before) {
		drop_number(w, before);
	}
	if (p->number < 0) {
		return false;
	}
	if (p->number != before) {
		p->sees_all = sys_watch_sees_all(p->path);
		return false;
	}
	return p->sees_all;
}

uint32_t name_watch_take(
	struct name_watch *w, void (*each)(void *arg, size_t place, const char *name), void *arg)
{
	bool same[NAME_WATCH_MAX] = {false};
	uint32_t known = 0;

	for (size_t i = 0; i < w->n; i++) {
		w->places[i].lost = false;
		same[i] = watch_place(w, &w->places[i]);
	}
	w->each = each;
	w->arg = arg;
	sys_watch_names(w->fd, on_event, w);
	for (size_t i = 0; i < w->n; i++) {
		if (same[i] && !w->places[i].lost) {
			known |= 1u << i;
		}
	}
	return known;
}
