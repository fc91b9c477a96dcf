#include "console/ep_health.h"

#include "console/console_int.h"

static void reply(struct call *c, unsigned status, const char *word)
{
	struct text body;
	struct page *page;

	text_init(&body, 64);
	text_addf(&body, "{\"status\":\"%s\"}", word);
	page = page_new(&body);
	call_reply(c, status, "application/json", page, NULL);
	page_unref(page);
}

void ep_health_live(struct call *c)
{
	reply(c, 200, "ok");
}

void ep_health_ready(struct call *c)
{
	switch (c->console->opts.state(c->console->opts.arg)) {
	case CONSOLE_STARTING:
		reply(c, 503, "starting");
		break;
	case CONSOLE_READY:
		reply(c, 200, "ready");
		break;
	case CONSOLE_DRAINING:
		reply(c, 503, "draining");
		break;
	}
}
