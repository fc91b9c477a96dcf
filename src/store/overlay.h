/*
 * Objects that are served for a while beside those of the files and are in no file: never written, in no journal and in
 * no backup, and gone with the process. They are kept as API objects and made onto every snapshot that is compiled, so they
 * stay whatever changes meanwhile; what management shows and changes is the files alone.
 *
 * Used by the one jobs thread that has the turn: of writes (store/writer.h), of loads.
 */
#ifndef STORE_OVERLAY_H
#define STORE_OVERLAY_H

#include "resource/op.h"

/* Accident: whoever puts and never drops. */
#define OVERLAY_MAX 64u

struct overlay;

struct overlay_object {
	const struct op_noun *noun;
	const struct doc *body;
};

struct overlay *overlay_new(void);
/* NULL is allowed. */
void overlay_free(struct overlay *o);

/* The objects, made in this order, each called so; bodies are copied. op: on the snapshot that they are to be beside; what it
 * refuses is not taken, and op->why says the reason. */
MUST_CHECK enum op_rc overlay_put(struct overlay *o, struct op *op, struct bytes name,
	const struct overlay_object *v, size_t n);
/* All that are called so. */
void overlay_drop(struct overlay *o, struct bytes name);
/* base with them: the caller's reference, to be compiled; base itself where there are none. One that cannot be made any
 * more, because a file has taken its name meanwhile, is left out. o may be NULL: there are none. */
struct snapshot *overlay_apply(const struct overlay *o, struct snapshot *base);

#endif
