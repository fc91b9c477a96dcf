#include "hiclaw/config_watch.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "net/file_watch.h"

struct config_watch {
	struct loop *loop;
	struct jobs *jobs;
	struct file_watch *files; /* NULL: stopped */
	char *path;
	void (*on_change)(void *arg);
	void *arg;
	struct job job;
	bool looking, again, known;
	struct file_stat last, now;
};

static void look(struct job *j)
{
	struct config_watch *w = CONTAINER_OF(j, struct config_watch, job);

	if (file_stat(w->path, &w->now) != 0) {
		w->now = (struct file_stat){0};
	}
}

static bool is_other(const struct file_stat *x, const struct file_stat *y)
{
	return x->exists != y->exists || x->inode != y->inode || x->size != y->size ||
		x->mtime_ns != y->mtime_ns || x->ctime_ns != y->ctime_ns;
}

static void start(struct config_watch *w);

static void on_looked(struct job *j)
{
	struct config_watch *w = CONTAINER_OF(j, struct config_watch, job);
	bool changed = w->known && is_other(&w->last, &w->now);

	w->looking = false;
	w->last = w->now;
	w->known = true;
	if (w->files == NULL) {
		return;
	}
	if (w->again) {
		start(w);
	}
	if (changed) {
		w->on_change(w->arg);
	}
}

static void start(struct config_watch *w)
{
	w->again = w->looking;
	if (!w->looking) {
		w->looking = true;
		w->job = (struct job){.home = w->loop, .work = look, .on_done = on_looked};
		jobs_submit(w->jobs, &w->job);
	}
}

static void on_files(void *arg)
{
	start(arg);
}

/* The directory as one of those in the directory above it: that is what is watched for changes of files. */
static struct file_watch *watch(struct config_watch *w, struct fault *why)
{
	const char *slash = strrchr(w->path, '/'), *above = slash;
	struct file_watch_opts o = {.n_names = 1, .on_change = on_files, .arg = w};
	struct file_watch *f;
	const char *names[1];
	char *root, *name;

	while (above > w->path && above[-1] != '/') {
		above--;
	}
	root = bytes_dup(bytes_of(w->path, (size_t)(above - w->path)));
	name = bytes_dup(bytes_of(above, (size_t)(slash - above)));
	names[0] = name;
	o.root = root;
	o.names = names;
	f = file_watch_new(w->loop, &o, why);
	free(root);
	free(name);
	return f;
}

struct config_watch *config_watch_new(
	struct loop *l, struct jobs *js, const char *path, void (*on_change)(void *arg), void *arg)
{
	struct config_watch *w = must_alloc(sizeof(*w));
	struct fault why = {0};

	*w = (struct config_watch){.loop = l,
		.jobs = js,
		.path = must_strdup(path),
		.on_change = on_change,
		.arg = arg};
	w->files = watch(w, &why);
	if (w->files == NULL) {
		log_warn("hiclaw", "changes of %s are noticed within a minute only: %s", path,
			why.text);
		config_watch_free(w);
		return NULL;
	}
	start(w);
	return w;
}

void config_watch_stop(struct config_watch *w)
{
	if (w != NULL) {
		file_watch_free(w->files);
		w->files = NULL;
	}
}

void config_watch_free(struct config_watch *w)
{
	if (w != NULL) {
		config_watch_stop(w);
		free(w->path);
		free(w);
	}
}
