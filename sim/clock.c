/* The clock of the simulated world: it stands still until the script moves it. */
#include "base/clock.h"

#include "sim/world.h"

/* 2026-01-01T00:00:00Z when a run begins. */
#define WALL_START_MS 1767225600000u

uint64_t clock_mono_ns(void)
{
	return world()->now_ns;
}

uint64_t clock_wall_ms(void)
{
	return WALL_START_MS + world()->now_ns / 1000000u;
}
