/*
 * key-auth (data-plane.md §12): who calls, by the credential; and whether the route admits them.
 */
#ifndef FILTER_KEY_AUTH_H
#define FILTER_KEY_AUTH_H

#include "proxy/dialect.h"

extern const struct filter filter_key_auth;

#endif
