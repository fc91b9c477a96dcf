#define _GNU_SOURCE
#include "meter.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("load: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(2);
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t own_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* --- histogram ---------------------------------------------------------------------------------- */

static size_t slot_of(uint64_t us)
{
	unsigned power;

	if (us < 64) {
		return (size_t)us;
	}
	power = 63u - (unsigned)__builtin_clzll(us);
	return (size_t)((power - 5) * 64 + ((us >> (power - 6)) & 63));
}

static double slot_us(size_t slot)
{
	size_t power = slot / 64;

	return power == 0 ? (double)slot
			  : (double)(64 + slot % 64) * (double)(UINT64_C(1) << (power - 1));
}

void histogram_add(struct histogram *h, uint64_t ns)
{
	size_t slot = slot_of(ns / 1000);

	h->n[slot < 64 * 40 ? slot : 64 * 40 - 1]++;
	h->total++;
}

double histogram_at(const struct histogram *h, double share)
{
	uint64_t wanted = (uint64_t)((double)h->total * share), seen = 0;

	for (size_t i = 0; i < 64 * 40; i++) {
		seen += h->n[i];
		if (seen > wanted) {
			return slot_us(i);
		}
	}
	return 0;
}

/* --- the watched processes ---------------------------------------------------------------------- */

static uint64_t thread_cpu_ns(int pid, const char *tid)
{
	char path[512];
	uint64_t ns = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, tid);
	f = fopen(path, "r");
	if (f == NULL) {
		return 0;
	}
	if (fgets(path, sizeof(path), f) != NULL) {
		ns = strtoull(path, NULL, 10);
	}
	fclose(f);
	return ns;
}

uint64_t watched_cpu_ns(const struct watched *w)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < w->n; i++) {
		char path[64];
		struct dirent *e;
		DIR *d;

		snprintf(path, sizeof(path), "/proc/%d/task", w->pid[i]);
		d = opendir(path);
		if (d == NULL) {
			die("process %d is gone", w->pid[i]);
		}
		while ((e = readdir(d)) != NULL) {
			if (e->d_name[0] != '.') {
				sum += thread_cpu_ns(w->pid[i], e->d_name);
			}
		}
		closedir(d);
	}
	return sum;
}

static uint64_t status_kb(const struct watched *w, const char *name)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < w->n; i++) {
		char line[256];
		FILE *f;

		snprintf(line, sizeof(line), "/proc/%d/status", w->pid[i]);
		f = fopen(line, "r");
		while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
			if (strncmp(line, name, strlen(name)) == 0) {
				sum += strtoull(line + strlen(name), NULL, 10);
			}
		}
		if (f != NULL) {
			fclose(f);
		}
	}
	return sum;
}

uint64_t watched_rss_kb(const struct watched *w)
{
	return status_kb(w, "VmRSS:");
}

uint64_t watched_peak_kb(const struct watched *w)
{
	return status_kb(w, "VmHWM:");
}
