/*
 * request-block (plan/blocking.h): refuses requests for what their address, headers or body hold. Asked behind the plugins
 * that ask who calls, as in Higress. The head is judged as soon as its route is known, which often is before a byte of
 * the body is read. Bodies are compared as they were sent, decompressed where the gateway decompresses them.
 */
#ifndef FILTER_REQUEST_BLOCK_H
#define FILTER_REQUEST_BLOCK_H

#include "proxy/dialect.h"

/* Of a body between two looks at other exchanges: a part of a millisecond. */
#define REQUEST_BLOCK_SLICE 131072u

extern const struct filter filter_request_block;

#endif
