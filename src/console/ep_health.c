#include "console/ep_health.h"

#include "console/console_int.h"
#include "manage/access.h"
#include "proxy/upstream_states.h"

/* Three lists of at most UPSTREAM_STATES_MAX entries of below 600 bytes. */
#define STATES_TEXT_MAX ((size_t)2 << 20)

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

void ep_health_upstreams(struct console *console, struct call *c)
{
	struct text body;
	struct page *page;

	if (!access_is_local(c) && !access_has_token(c, console->opts.metrics_token)) {
		call_refuse(c, 403, NULL,
			"the states of upstreams are open to this machine by its address or as "
			"localhost, and to the metrics token as bearer");
		return;
	}
	text_init(&body, STATES_TEXT_MAX);
	upstream_states_put(console->opts.gateway, &body);
	page = page_new(&body);
	call_reply(c, 200, "application/json", page, NULL);
	page_unref(page);
}
