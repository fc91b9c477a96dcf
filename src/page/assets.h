/*
 * The files of the page as the build put them into the program (page/pack.c).
 */
#ifndef PAGE_ASSETS_H
#define PAGE_ASSETS_H

#include <stddef.h>

struct asset {
	const char *name, *type;
	size_t at, n;               /* in assets_bytes: as it is */
	size_t packed_at, packed_n; /* with gzip */
};

extern const char assets_bytes[];
extern const char assets_hash[]; /* of all of them */
extern const struct asset assets[];
extern const size_t assets_n;

#endif
