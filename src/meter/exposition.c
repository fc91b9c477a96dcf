#include "meter/exposition.h"

#define MILLION 1000000u

void exposition_family(struct text *t, const char *name, const char *type, const char *help)
{
	text_addf(t, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void exposition_label(struct text *labels, const char *name, struct bytes value)
{
	if (labels->n != 0) {
		text_add_char(labels, ',');
	}
	text_add_str(labels, name);
	text_add_str(labels, "=\"");
	for (size_t i = 0; i < value.n;) {
		unsigned char c = (unsigned char)value.p[i];
		size_t len = text_utf8(value.p + i, value.n - i);

		if (c == '\n') {
			text_add_str(labels, "\\n");
		} else if (c == '"' || c == '\\') {
			text_add_char(labels, '\\');
			text_add_char(labels, (char)c);
		} else if (len == 0 || c < 0x20 || c == 0x7f) {
			text_add_str(labels, "\xef\xbf\xbd");
		} else {
			text_add(labels, value.p + i, len);
		}
		i += MAX(len, 1u);
	}
	text_add_char(labels, '"');
}

static void add_name(struct text *t, const char *name, struct bytes labels)
{
	text_add_str(t, name);
	if (labels.n != 0) {
		text_add_char(t, '{');
		text_add_bytes(t, labels);
		text_add_char(t, '}');
	}
	text_add_char(t, ' ');
}

void exposition_u64(struct text *t, const char *name, struct bytes labels, uint64_t v)
{
	add_name(t, name, labels);
	text_add_u64(t, v);
	text_add_char(t, '\n');
}

void exposition_micro(struct text *t, const char *name, struct bytes labels, uint64_t v)
{
	add_name(t, name, labels);
	text_addf(t, "%llu.%06llu\n", (unsigned long long)(v / MILLION),
		(unsigned long long)(v % MILLION));
}

/* name_bucket{labels,le="0.01"} v. A bound has at most eight digits. */
static void add_bucket(
	struct text *t, const char *name, struct bytes labels, const char *le, uint64_t v)
{
	text_add_str(t, name);
	text_add_str(t, "_bucket{");
	text_add_bytes(t, labels);
	text_addf(t, "%sle=\"%s\"} ", labels.n != 0 ? "," : "", le);
	text_add_u64(t, v);
	text_add_char(t, '\n');
}

static void add_suffixed(struct text *t, const char *name, const char *suffix, struct bytes labels)
{
	text_add_str(t, name);
	add_name(t, suffix, labels);
}

void exposition_histogram(
	struct text *t, const char *name, struct bytes labels, const struct histogram *h)
{
	uint64_t below = 0;

	for (unsigned i = 0; i < h->n_bounds; i++) {
		char room[32];
		struct text le;

		text_init_fixed(&le, room, sizeof(room));
		text_addf(&le, "%.10g", h->bounds[i]);
		below += h->buckets[i];
		add_bucket(t, name, labels, text_cstr(&le), below);
	}
	below += h->buckets[h->n_bounds];
	add_bucket(t, name, labels, "+Inf", below);
	add_suffixed(t, name, "_sum", labels);
	if (h->micro) {
		text_addf(t, "%llu.%06llu\n", (unsigned long long)(h->sum / MILLION),
			(unsigned long long)(h->sum % MILLION));
	} else {
		text_addf(t, "%llu\n", (unsigned long long)h->sum);
	}
	add_suffixed(t, name, "_count", labels);
	text_addf(t, "%llu\n", (unsigned long long)below);
}
