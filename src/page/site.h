/*
 * The web page: its document at "/" of the console's and the monitor's listeners, at "/agm/" of all that reach
 * management, at "/" for the page's own host of the gateway; its other files below "a/<hash>/", beside it.
 *
 * Whatever comes below "/agm" is looked at as if it had come without: so the page finds the APIs beside itself,
 * wherever it is. Nothing here is a secret; what the page shows it asks the APIs for.
 */
#ifndef PAGE_SITE_H
#define PAGE_SITE_H

#include "manage/manage.h"

struct site;

/* Joins the listeners; before the others that answer there, for whom it takes "/agm" off. */
struct site *site_new(struct manage *m);
/* When all calls have ended (manage_stop) and the jobs too. NULL is allowed. */
void site_free(struct site *s);

#endif
