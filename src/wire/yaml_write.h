/*
 * YAML to the byte as the Higress file store writes it (higress-resources.md §1.3: sigs.k8s.io/yaml, YAML
 * 1.1): one document, keys of every map sorted, lists not indented, quotes where a reader would take
 * the text for something else, folding at column 80, literal blocks.
 */
#ifndef WIRE_YAML_WRITE_H
#define WIRE_YAML_WRITE_H

#include "wire/doc.h"

void yaml_write(struct arena *a, struct text *out, const struct doc *d);
/* The order of keys: non-letters before letters, runs of digits as numbers, else by code point. <0, 0, >0. */
int yaml_key_order(struct bytes x, struct bytes y);
/* The same style with keys in the order of the document: for people (export, /system/higress-config). */
void yaml_write_in_order(struct arena *a, struct text *out, const struct doc *d);

#endif
