/*
 * The simulated world: what the product believes to be the system. Its clock, randomness, network,
 * disk and resolver are made for one run of one scenario and thrown away with it.
 *
 * The functions that are replaced (clock_mono_ns, sys_recv, file_read …) have no argument that could
 * carry the world, so the current one is held in a single variable in world.c.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "base/random.h"
#include "base/text.h"

struct disk;
struct names;
struct simnet;

struct world {
	uint64_t now_ns;       /* moved by the script only */
	struct random chance;  /* order of turns, sizes of pieces: the scenario's own */
	struct random secrets; /* what the product gets as randomness */
	struct simnet *net;
	struct disk *disk;
	struct names *names;
	struct text wrong; /* what no program may do: a closed descriptor used, a double close … */
};

/* Makes the world of one run; the same seed gives the same run. */
void world_begin(uint64_t seed);
void world_end(void);
struct world *world(void);

/* The product did what the kernel would refuse: the scenario fails with this sentence. */
void world_wrong(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Uniform in 0..n-1, by the scenario's seed. */
uint64_t world_chance(uint64_t n);
void world_clock_move(uint64_t ns);

#endif
