#include "manage/page.h"

#include <stdlib.h>

struct page *page_new(struct text *text)
{
	struct page *p = must_alloc(sizeof(*p));

	p->refs = 1;
	p->text = *text;
	*text = (struct text){.max = 0};
	return p;
}

struct page *page_new_constant(struct bytes b)
{
	struct page *p = must_alloc(sizeof(*p));

	p->refs = 1;
	p->constant = true;
	p->text = (struct text){.p = (char *)(uintptr_t)b.p, .n = b.n, .cap = b.n, .max = b.n};
	return p;
}

struct page *page_ref(struct page *p)
{
	p->refs++;
	return p;
}

void page_unref(struct page *p)
{
	if (p == NULL || --p->refs != 0) {
		return;
	}
	if (p->count != NULL) {
		--*p->count;
	}
	if (!p->constant) {
		text_done(&p->text);
	}
	free(p);
}
