/*
 * What a provider says may quote the key that it was sent: texts of others are shown without what looks like one.
 * Pure.
 */
#ifndef HICLAW_MASK_TEXT_H
#define HICLAW_MASK_TEXT_H

#include "base/text.h"
#include "resource/object.h"

/*
 * Appends text to out with three stars in place of each of the secrets (may be NULL; of at least 4 bytes), of what
 * stands behind "Bearer " and "Basic ", and of words that look like keys: those that begin as vendors' keys do, and
 * long ones of letters and digits mixed. The first three characters of such a word stay. keep: a word that is none
 * although it looks so (a model).
 */
void mask_text(
	struct bytes text, const struct strings *secrets, struct bytes keep, struct text *out);

#endif
