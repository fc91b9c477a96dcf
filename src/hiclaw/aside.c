#include "hiclaw/aside.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/text.h"

struct copies { /* oldest first */
	struct bytes dir, prefix;
	size_t n, max;
	char *names[ASIDE_MAX];
};

static void drop_oldest(struct copies *c)
{
	struct text path;

	text_init(&path, SIZE_MAX);
	text_add_bytes(&path, c->dir);
	text_add_str(&path, c->names[0]);
	IGNORE(file_remove(text_cstr(&path))); /* the next call tries again */
	text_done(&path);
	free(c->names[0]);
	c->n--;
	memmove(c->names, c->names + 1, c->n * sizeof(char *));
}

static bool count(void *arg, const char *name)
{
	struct copies *c = arg;

	if (bytes_starts(bytes_str(name), c->prefix)) {
		if (c->n == c->max) {
			drop_oldest(c);
		}
		c->names[c->n++] = must_strdup(name);
	}
	return true;
}

void aside_prune(const char *file, const char *kind, size_t max)
{
	const char *name = strrchr(file, '/');
	struct copies c = {.max = max};
	struct text prefix;
	char *dir;

	ASSERT(name != NULL && max > 0 && max <= ASIDE_MAX);
	c.dir = bytes_of(file, (size_t)(++name - file));
	dir = bytes_dup(c.dir);
	text_init(&prefix, SIZE_MAX);
	text_addf(&prefix, "%s.%s.", name, kind);
	c.prefix = text_bytes(&prefix);
	IGNORE(file_list(dir, count, &c, NULL)); /* what cannot be listed is kept */
	while (c.n > 0) {
		free(c.names[--c.n]);
	}
	text_done(&prefix);
	free(dir);
}
