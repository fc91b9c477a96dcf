/* Randomness of the simulated world: as unlike secrets as possible, the same for the same seed. */
#include "base/random.h"

#include <string.h>

#include "sim/world.h"

void random_secret(void *out, size_t n)
{
	char *p = out;

	while (n != 0) {
		uint64_t v = random_u64(&world()->secrets);
		size_t part = MIN(n, sizeof(v));

		memcpy(p, &v, part);
		p += part;
		n -= part;
	}
}
