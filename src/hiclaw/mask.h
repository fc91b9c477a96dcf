/*
 * Secrets of API objects as they are shown (monitor-api.md 4.8, console-api.md 4.3), and back. Pure.
 */
#ifndef HICLAW_MASK_H
#define HICLAW_MASK_H

#include "wire/doc.h"

/* More than 9 characters: the first and the last 3 with stars between them; otherwise stars. In the arena. */
struct bytes mask_secret(struct arena *a, struct bytes secret);
/* A copy of a provider, consumer or certificate whose secrets are masked: tokens, values of credentials, private keys,
 * and whatever a name says is a key, secret, token or password. */
struct doc *mask_object(struct arena *a, const struct doc *d);
/* Without any secret: their members are left out. */
struct doc *mask_strip(struct arena *a, const struct doc *d);
/* What equals the mask of the secret in its place becomes that secret: it came back as it was shown. */
void mask_restore(struct arena *a, struct doc *given, const struct doc *stored);
/* Secrets that are a mask are left out: what they stood for is not known here. */
void mask_forget(struct arena *a, struct doc *given);
/* Secrets that `given` leaves out become those of the stored object. */
void mask_fill(struct arena *a, struct doc *given, const struct doc *stored);

#endif
