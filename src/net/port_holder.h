/*
 * Which process of this machine listens at a TCP port, for a message to a person whose own listener could not have it. Blocking
 * reads of /proc: at the start, before the sandbox. Whose descriptors may not be looked at stays unknown.
 */
#ifndef NET_PORT_HOLDER_H
#define NET_PORT_HOLDER_H

#include "base/text.h"

/* Appends "name (process 123)". False: it cannot be told, and nothing is appended. */
bool port_holder(uint16_t port, struct text *out);

/* --- pure ------------------------------------------------------------------------------------------------ */

/* The inode of the first socket that listens at the port, of a text as /proc/net/tcp has it; 0: none. */
uint64_t port_holder_inode(struct bytes table, uint16_t port);

#endif
