/*
 * WasmPlugins that are kept, and shown by the management API, and do nothing here.
 */
#ifndef PLAN_UNSERVED_H
#define PLAN_UNSERVED_H

#include "resource/object.h"

/* Says so, once for each that would do something. */
void unserved_find(const struct snapshot *s, struct findings *f);

#endif
