#define _GNU_SOURCE
#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

void random_secret(void *out, size_t n)
{
	char *p = out;

	while (n != 0) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0) {
			ASSERT(errno == EINTR);
			continue;
		}
		p += got;
		n -= (size_t)got;
	}
}
