/*
 * The body of an answer, which several calls may send at once.
 */
#ifndef MANAGE_PAGE_H
#define MANAGE_PAGE_H

#include "base/text.h"

struct page {
	unsigned refs;
	struct text text;
	bool constant;   /* the bytes are nobody's to free */
	unsigned *count; /* decremented when it goes; NULL: nobody counts */
};

/* Takes the text over; one reference, the caller's. */
struct page *page_new(struct text *text);
/* The same of bytes that stay as long as the program. */
struct page *page_new_constant(struct bytes b);
struct page *page_ref(struct page *p);
void page_unref(struct page *p);

#endif
