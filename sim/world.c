#include "sim/world.h"

#include <stdlib.h>

#include "sim/disk.h"
#include "sim/names.h"
#include "sim/simnet.h"

/* 2026-01-01: any start would do, but a small one would hide sums that wrap. */
#define START_NS 3600000000000u
#define WRONG_MAX 4096u

static struct world *current;

struct world *world(void)
{
	ASSERT(current != NULL);
	return current;
}

/* Neighbouring seeds give unlike states (splitmix64, Steele et al. 2014). */
static uint64_t spread(uint64_t *x)
{
	uint64_t z = (*x += 0x9e3779b97f4a7c15u);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

void world_begin(uint64_t seed)
{
	struct world *w = must_alloc(sizeof(*w));

	ASSERT(current == NULL);
	w->now_ns = START_NS;
	for (int i = 0; i < 2; i++) {
		w->chance.s[i] = spread(&seed);
		w->secrets.s[i] = spread(&seed);
	}
	text_init(&w->wrong, WRONG_MAX);
	w->net = simnet_new();
	w->disk = disk_new();
	w->names = names_new();
	current = w;
}

void world_end(void)
{
	simnet_free(current->net);
	disk_free(current->disk);
	names_free(current->names);
	text_done(&current->wrong);
	free(current);
	current = NULL;
}

void world_wrong(const char *fmt, ...)
{
	va_list ap;

	if (current->wrong.n != 0) {
		text_add_str(&current->wrong, "; ");
	}
	va_start(ap, fmt);
	text_addv(&current->wrong, fmt, ap);
	va_end(ap);
}

uint64_t world_chance(uint64_t n)
{
	return random_below(&current->chance, n);
}

void world_clock_move(uint64_t ns)
{
	current->now_ns += ns;
}
