/*
 * Upstream addresses that may be set through an API (product: files are trusted, requests are not): never
 * link-local ones, nor those at which clouds give out credentials, by address or by name. Private and
 * loopback ones are fine: models are run at home.
 */
#ifndef MANAGE_UPSTREAM_ALLOWED_H
#define MANAGE_UPSTREAM_ALLOWED_H

#include "base/bytes.h"

/* For struct op. host: a name or an address, without port; *why is constant. arg is not looked at. */
bool upstream_allowed(void *arg, struct bytes host, const char **why);

#endif
