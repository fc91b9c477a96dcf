/*
 * What a call's connection and head say about who asks, before any password is looked at.
 */
#ifndef MANAGE_ACCESS_H
#define MANAGE_ACCESS_H

#include "manage/call.h"

/* Whether the request comes from a program on this machine that means this machine: no proxy in
 * between, and no page of a browser that was led here by a name (DNS rebinding). */
bool access_is_local(const struct call *c);
/* Whether it would change something and comes from a page that is not ours, in a browser that sends what the
 * user is known by, or reaches what only this machine may. Programs say nothing of pages. */
bool access_is_other_site(const struct call *c);
/* Where a page is from that asks, whatever it asks for. */
enum access_site {
	ACCESS_NO_PAGE, /* a program, or a person who typed the address */
	ACCESS_OWN_PAGE,
	ACCESS_OTHER_PAGE
};
enum access_site access_site(const struct call *c);
/* Whether the peer is this machine; of what came through the gateway, its peer. */
bool access_is_loopback(const struct call *c);
/* Whether it brings this token as "Authorization: Bearer". token NULL: never. */
bool access_has_token(const struct call *c, const char *token);

#endif
