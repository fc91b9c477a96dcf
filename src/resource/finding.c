#include "resource/finding.h"

#include <stdarg.h>
#include <stdio.h>

#define SENTENCE_MAX 400u
/* A sentence with its file. */
#define FINDING_LINE_MAX 1024u

void findings_init(struct findings *f, struct arena *a)
{
	*f = (struct findings){.arena = a};
	f->end = &f->first;
}

/* Names from files may hold anything; a finding is one line on a terminal. */
static struct bytes one_line(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f) {
			p[i] = '?';
		}
	}
	return bytes_of(p, n);
}

void findings_add(struct findings *f, const struct finding *at, const char *fmt, ...)
{
	struct finding *copy = arena_alloc(f->arena, sizeof(*copy));
	char sentence[SENTENCE_MAX];
	va_list ap;

	f->n++;
	f->errors += at->level == FINDING_ERROR;
	if (copy == NULL) {
		return; /* the arena is spent: counted, not kept */
	}
	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	*copy = *at;
	copy->next = NULL;
	copy->file = arena_copy(f->arena, at->file);
	copy->text = arena_copy(f->arena, one_line(sentence, strlen(sentence)));
	*f->end = copy;
	f->end = &copy->next;
}

void finding_format(const struct finding *f, struct text *out)
{
	static const char *const levels[] = {"error", "warning", "info"};

	text_add_bytes(out, f->file);
	text_addf(out, ":%u:%u: %s: ", f->line, f->column, levels[f->level]);
	text_add_bytes(out, f->text);
	text_addf(out, " (%s)", f->code);
}

void findings_print(const struct findings *f, FILE *out)
{
	struct text t;

	text_init(&t, FINDING_LINE_MAX);
	for (const struct finding *at = f->first; at != NULL; at = at->next) {
		text_clear(&t);
		finding_format(at, &t);
		fprintf(out, BYTES_FMT "\n", BYTES_ARG(text_bytes(&t)));
	}
	text_done(&t);
}
