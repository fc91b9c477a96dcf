#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local const char *context;

void assert_context(const char *text)
{
	context = text;
}

void assert_failed(const char *cond, const char *file, int line)
{
	fprintf(stderr, "sluice: assertion failed: %s (%s:%d)%s%s\n", cond, file, line,
		context != NULL ? ": " : "", context != NULL ? context : "");
	abort();
}

NO_RETURN static void out_of_memory(size_t size)
{
	fprintf(stderr, "sluice: out of memory (%zu bytes wanted); give the process more\n", size);
	abort();
}

void *must_alloc(size_t size)
{
	void *p = calloc(1, size != 0 ? size : 1);

	if (p == NULL) {
		out_of_memory(size);
	}
	return p;
}

void *must_realloc(void *old, size_t size)
{
	void *p = realloc(old, size != 0 ? size : 1);

	if (p == NULL) {
		out_of_memory(size);
	}
	return p;
}

char *must_strdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(must_alloc(n), s, n);
}

char *must_path(const char *dir, const char *name)
{
	size_t n = strlen(dir);
	size_t m = strlen(name);
	char *path = must_alloc(n + m + 2);

	memcpy(path, dir, n);
	path[n] = '/';
	memcpy(path + n + 1, name, m);
	return path;
}
