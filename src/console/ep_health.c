#include "console/ep_health.h"

#include "console/console_int.h"

/* Plain: Higress Console says "ok" to whoever asks whether it is ready. */
static void reply(struct call *c, unsigned status, const char *word)
{
	struct text body;
	struct page *page;

	text_init(&body, 64);
	text_add_str(&body, word);
	page = page_new(&body);
	call_reply(c, status, "text/plain", page, NULL);
	page_unref(page);
}

void ep_health_live(struct console *console, struct call *c)
{
	(void)console;
	reply(c, 200, "ok");
}

void ep_health_ready(struct console *console, struct call *c)
{
	switch (console->opts.state(console->opts.arg)) {
	case CONSOLE_STARTING:
		reply(c, 503, "starting");
		break;
	case CONSOLE_READY:
		reply(c, 200, "ok");
		break;
	case CONSOLE_DRAINING:
		reply(c, 503, "draining");
		break;
	}
}
