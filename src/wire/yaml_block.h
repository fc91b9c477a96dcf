/*
 * Inside the room only, and for tests: the two readers behind yaml_parse.
 *
 * Most files are written by tools and have one form: ASCII, block mappings and lists, a key and its
 * scalar on one line. That form is read here line by line, several times faster than by libyaml. What
 * is not certain to be of that form is left to libyaml, so this reader refuses much and never errs:
 * what it takes it reads as libyaml does (yaml_fuzz.c compares the trees).
 */
#ifndef WIRE_YAML_BLOCK_H
#define WIRE_YAML_BLOCK_H

#include "wire/yaml.h"

/* False: not of that form, or beyond a limit; the arena has got fuller, *out is untouched. */
MUST_CHECK bool yaml_block_read(struct arena *a, struct bytes text, struct yaml_doc *out);
/* Through libyaml, whatever the form; as yaml_parse, without its look at size and directives. */
MUST_CHECK int yaml_read_events(
	struct arena *a, struct bytes text, struct yaml_doc *out, struct fault *fault);

#endif
