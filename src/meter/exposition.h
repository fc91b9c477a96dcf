/*
 * Prometheus' text format, version 0.0.4. Families are written one after the other, each whole; samples
 * of a family follow its head.
 */
#ifndef METER_EXPOSITION_H
#define METER_EXPOSITION_H

#include "base/text.h"

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* type: "counter", "gauge", "histogram". help: one line without a backslash. */
void exposition_family(struct text *t, const char *name, const char *type, const char *help);

/* Appends name="value" to a row of labels, behind a comma when it is not the first. Bytes that are no
 * UTF-8 and control characters become U+FFFD. */
void exposition_label(struct text *labels, const char *name, struct bytes value);

/* name{labels} v; labels may be empty. */
void exposition_u64(struct text *t, const char *name, struct bytes labels, uint64_t v);
/* v / 10^6, exactly. */
void exposition_micro(struct text *t, const char *name, struct bytes labels, uint64_t v);

struct histogram {
	const double *bounds; /* upper ones, ascending */
	unsigned n_bounds;
	const uint64_t *buckets; /* n_bounds + 1, each alone */
	uint64_t sum;
	bool micro; /* sum is in millionths of what bounds are in */
};
void exposition_histogram(
	struct text *t, const char *name, struct bytes labels, const struct histogram *h);

#endif
