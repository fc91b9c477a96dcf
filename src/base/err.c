#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

enum err fault_set(struct fault *f, enum err err, int status, size_t where, const char *fmt, ...)
{
	va_list ap;

	if (f == NULL) {
		return err;
	}
	f->err = err;
	f->status = status;
	f->where = where;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	return err;
}

const char *err_name(enum err err)
{
	static const char *const names[] = {"none", "syntax", "limit", "refused", "timeout",
		"closed", "reset", "not-found", "io", "tls", "again", "memory", "exists",
		"unsupported"};
	size_t i = (size_t)(-(int)err);

	return i < ARRAY_LEN(names) ? names[i] : "unknown";
}
