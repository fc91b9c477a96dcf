/*
 * What the load generator measures with: a clock, a histogram, and what the kernel says about the
 * processes under load.
 */
#ifndef BENCH_METER_H
#define BENCH_METER_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_S UINT64_C(1000000000)
#define WATCH_MAX 8

void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

uint64_t now_ns(void);
uint64_t own_cpu_ns(void);

/* Log-linear: 64 steps per power of two. */
struct histogram {
	uint64_t n[64 * 40];
	uint64_t total;
};

void histogram_add(struct histogram *h, uint64_t ns);
/* In microseconds, within 1.6 %. */
double histogram_at(const struct histogram *h, double share);

struct watched {
	int pid[WATCH_MAX];
	unsigned n;
};

/* CPU time of all threads of all of them; ends the program when one is gone. */
uint64_t watched_cpu_ns(const struct watched *w);
uint64_t watched_rss_kb(const struct watched *w);
/* The most that was ever resident. */
uint64_t watched_peak_kb(const struct watched *w);

#endif
