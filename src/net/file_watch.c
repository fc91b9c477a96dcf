#include "net/file_watch.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "net/sys_watch.h"

#define PATH_MAX_BYTES 4096u

struct place {
	char *path;
	int number; /* of its watch; negative: why there is none */
};

struct file_watch {
	struct loop *loop;
	struct watch events;
	struct timer quiet, poll;
	uint64_t since_ms; /* when the first change came that was not told yet; 0: there is none */
	uint64_t told_ms;  /* when the last was told; 0: none was */
	struct sys_watch_news news; /* since then */
	void (*on_change)(void *arg);
	void *arg;
	size_t n_places;
	struct place *places; /* the root is the first */
};

static void on_quiet(struct timer *t)
{
	struct file_watch *w = CONTAINER_OF(t, struct file_watch, quiet);

	w->since_ms = 0;
	w->told_ms = loop_now_ms(w->loop);
	w->news = (struct sys_watch_news){.any = false};
	w->on_change(w->arg);
}

/* Who writes several files means them together, and one after the other they take a while. One that is
 * complete is as a rule the only one. Half of one may be a valid file that says less, so its end is
 * waited for. */
static uint64_t quiet_of(const struct file_watch *w, uint64_t now)
{
	bool one = w->news.done != 0 && !w->news.more;
	bool first = w->told_ms == 0 || now - w->told_ms >= FILE_WATCH_LATEST_MS;

	if (w->news.writing != 0) {
		return FILE_WATCH_LATEST_MS;
	}
	return one && first ? FILE_WATCH_ONE_MS : FILE_WATCH_QUIET_MS;
}

/* Told when it is quiet, but not later than FILE_WATCH_LATEST_MS after the first change. */
static void note_change(struct file_watch *w)
{
	uint64_t now = loop_now_ms(w->loop);
	uint64_t latest;

	if (w->since_ms == 0) {
		w->since_ms = MAX(now, (uint64_t)1);
	}
	latest = w->since_ms + FILE_WATCH_LATEST_MS;
	timer_set(w->loop, &w->quiet, latest > now ? MIN(quiet_of(w, now), latest - now) : 0,
		on_quiet);
}

/* Two paths may lead to one directory. */
static void drop_number(struct file_watch *w, int number)
{
	for (size_t i = 0; i < w->n_places; i++) {
		if (w->places[i].number == number) {
			return;
		}
	}
	sys_watch_remove(w->events.fd, number);
}

/* Watches what the path names now. Whether that is a change. */
static bool watch_place(struct file_watch *w, struct place *p)
{
	struct fault fault;
	int before = p->number;

	p->number = sys_watch_add(w->events.fd, p->path, &fault);
	if (p->number != before && before >= 0) {
		drop_number(w, before);
	}
	if (p->number >= 0 || p->number == ERR_NOT_FOUND) {
		return p->number != before;
	}
	if (p->number != before) {
		log_warn("net", "%s; it is read every %u s instead", fault.text,
			FILE_WATCH_POLL_MS / 1000);
	}
	return true;
}

static bool watch_places(struct file_watch *w)
{
	bool changed = false;

	for (size_t i = 0; i < w->n_places; i++) {
		changed = watch_place(w, &w->places[i]) || changed;
	}
	return changed;
}

static void on_events(struct watch *events)
{
	struct file_watch *w = CONTAINER_OF(events, struct file_watch, events);

	sys_watch_take(events->fd, w->places[0].number, &w->news);
	events->readable = false;
	if (w->news.places) {
		IGNORE(watch_places(w)); /* it counts as a change anyway */
	}
	if (w->news.any) {
		note_change(w);
	}
}

static void on_poll(struct timer *t)
{
	struct file_watch *w = CONTAINER_OF(t, struct file_watch, poll);

	if (watch_places(w)) {
		w->news.more = true;
		note_change(w);
	}
	timer_set(w->loop, &w->poll, FILE_WATCH_POLL_MS, on_poll);
}

static void set_places(struct file_watch *w, const struct file_watch_opts *opts)
{
	w->n_places = opts->n_names + 1;
	w->places = must_alloc(w->n_places * sizeof(*w->places));
	for (size_t i = 0; i < w->n_places; i++) {
		char room[PATH_MAX_BYTES];
		struct text t;

		text_init_fixed(&t, room, sizeof(room) - 1);
		text_addf(&t, "%s", opts->root);
		if (i != 0) {
			text_addf(&t, "/%s", opts->names[i - 1]);
		}
		room[text_bytes(&t).n] = '\0'; /* one that is too long is not found */
		w->places[i] = (struct place){must_strdup(room), ERR_NOT_FOUND};
	}
}

static void free_now(void *p)
{
	struct file_watch *w = p;

	for (size_t i = 0; i < w->n_places; i++) {
		free(w->places[i].path);
	}
	free(w->places);
	free(w);
}

struct file_watch *file_watch_new(
	struct loop *l, const struct file_watch_opts *opts, struct fault *fault)
{
	struct file_watch *w;
	int fd = sys_watch_open(fault);

	if (fd < 0) {
		return NULL;
	}
	w = must_alloc(sizeof(*w));
	w->loop = l;
	w->on_change = opts->on_change;
	w->arg = opts->arg;
	if (loop_watch(l, &w->events, fd, on_events) != 0) {
		close(fd);
		free(w);
		fault_set(fault, ERR_IO, 0, 0, "cannot watch directories: %s", sys_error_text());
		return NULL;
	}
	set_places(w, opts);
	IGNORE(watch_places(w)); /* the owner has not read anything yet */
	timer_set(l, &w->poll, FILE_WATCH_POLL_MS, on_poll);
	return w;
}

void file_watch_free(struct file_watch *w)
{
	int fd;

	if (w == NULL) {
		return;
	}
	fd = w->events.fd;
	timer_clear(w->loop, &w->quiet);
	timer_clear(w->loop, &w->poll);
	loop_unwatch(w->loop, &w->events);
	close(fd);
	loop_free_later(w->loop, w, free_now);
}
