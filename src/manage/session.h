/*
 * Who asks (console-api.md §1): the session cookie, a signed statement that needs no store and is good until the
 * password changes; and HTTP Basic. Pure; control and jobs threads.
 */
#ifndef MANAGE_SESSION_H
#define MANAGE_SESSION_H

#include "manage/account.h"
#include "http/head.h"

#define SESSION_COOKIE "_hi_sess"
/* 30 days: as long as a browser keeps one with autoLogin. */
#define SESSION_MAX_AGE_S 2592000u
/* Attack: a long header that is signed to be compared. */
#define SESSION_TOKEN_MAX 1024u

/* "1.<name in hex>.<generation>.<issued, s>.<HMAC in hex>" */
void session_token(const struct account *a, int64_t now_s, struct text *out);
MUST_CHECK bool session_token_is_good(const struct account *a, struct bytes token);

/* The value of our cookie; p NULL: none. Of several the first that a token may be. */
struct bytes session_cookie_of(const struct head *h);
/* A Set-Cookie value. token empty: deletes it. */
void session_set_cookie(struct bytes token, bool keep, struct text *out);

/* "Basic <base64>" into name and password, which point into room. False: it is none. */
#define SESSION_BASIC_MAX 2048u
MUST_CHECK bool session_basic(struct bytes header, char room[SESSION_BASIC_MAX], struct bytes *name,
	struct bytes *password);

#endif
