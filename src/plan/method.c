#include "plan/plan.h"

static const char *const names[] = {
	[METHOD_OTHER] = "",
	[METHOD_GET] = "GET",
	[METHOD_HEAD] = "HEAD",
	[METHOD_POST] = "POST",
	[METHOD_PUT] = "PUT",
	[METHOD_DELETE] = "DELETE",
	[METHOD_CONNECT] = "CONNECT",
	[METHOD_OPTIONS] = "OPTIONS",
	[METHOD_TRACE] = "TRACE",
	[METHOD_PATCH] = "PATCH",
};

enum method method_of(struct bytes name)
{
	for (unsigned m = METHOD_GET; m < ARRAY_LEN(names); m++) {
		if (bytes_eq(name, bytes_str(names[m]))) {
			return (enum method)m;
		}
	}
	return METHOD_OTHER;
}

const char *method_name(enum method m)
{
	return names[m];
}
