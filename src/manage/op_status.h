/*
 * What HTTP says of an operation that was refused (console-api.md §2.3).
 */
#ifndef MANAGE_OP_STATUS_H
#define MANAGE_OP_STATUS_H

#include "resource/op.h"

/* 0 for OP_OK. A 409 that is answered to POST or PUT means "this name exists" or "another version" and nothing
 * else: clients take it for a success (T5). */
unsigned op_status(enum op_rc rc);

#endif
