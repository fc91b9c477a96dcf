/*
 * basic-auth: who calls, by a user's name and password (RFC 7617); and whether the route admits them. Asked
 * before key-auth, as in Higress; a route may ask for both.
 */
#ifndef FILTER_BASIC_AUTH_H
#define FILTER_BASIC_AUTH_H

#include "proxy/dialect.h"

extern const struct filter filter_basic_auth;

#endif
