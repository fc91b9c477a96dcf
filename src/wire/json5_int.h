/*
 * What reader and editor of JSON5 share: its characters. For these files only.
 */
#ifndef WIRE_JSON5_INT_H
#define WIRE_JSON5_INT_H

#include "wire/json5.h"

/* Length of the blank at p (n > 0 bytes), line ends among them; 0: there is none. */
size_t json5_blank(const char *p, size_t n);
/* Length of the line end at p: LF, CR, U+2028, U+2029 (CR LF are two); 0: there is none. */
size_t json5_line_end(const char *p, size_t n);
/* Length of the comment at p, of a line's without its line end; 0: there is none, or it does not end. */
size_t json5_comment(const char *p, size_t n);
/* Length of the escape at p, whose backslash is there; 0: there is no such escape. */
size_t json5_escape(const char *p, size_t n);
/* raw: the inside of a string, valid, with escapes. p NULL: no memory. */
struct bytes json5_unescape(struct arena *a, struct bytes raw);

#endif
