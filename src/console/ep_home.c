#include "console/ep_home.h"

static const char html[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>sluice</title>\n"
	"<h1>sluice</h1>\n<p>This is the management listener of an AI gateway. It speaks the REST API "
	"of Higress Console: <a href=\"/v1/openapi.json\">its description</a> asks for the "
	"administrator's name and password.</p>\n<p><a href=\"/system/info\">Version</a> · <a "
	"href=\"/healthz/ready\">health</a></p>\n</html>\n";

void ep_home(struct console *console, struct call *c)
{
	struct page *page;
	struct text body;

	(void)console;
	text_init(&body, sizeof(html));
	text_add_str(&body, html);
	page = page_new(&body);
	call_reply(c, 200, "text/html; charset=utf-8", page, NULL);
	page_unref(page);
}
