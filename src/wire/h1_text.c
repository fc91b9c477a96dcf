/*
 * Words and checks for the heads that we write ourselves.
 */
#include "wire/h1.h"
#include "wire/h1_scan.h"

#include "base/num.h"

/* Looked up by binary search: ordered by status. */
static const struct {
	unsigned status;
	const char *reason;
} reasons[] = {
	{100, "Continue"},
	{101, "Switching Protocols"},
	{102, "Processing"},
	{103, "Early Hints"},
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{203, "Non-Authoritative Information"},
	{204, "No Content"},
	{205, "Reset Content"},
	{206, "Partial Content"},
	{207, "Multi-Status"},
	{300, "Multiple Choices"},
	{301, "Moved Permanently"},
	{302, "Found"},
	{303, "See Other"},
	{304, "Not Modified"},
	{307, "Temporary Redirect"},
	{308, "Permanent Redirect"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{402, "Payment Required"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{407, "Proxy Authentication Required"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{410, "Gone"},
	{411, "Length Required"},
	{412, "Precondition Failed"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{416, "Range Not Satisfiable"},
	{417, "Expectation Failed"},
	{421, "Misdirected Request"},
	{422, "Unprocessable Content"},
	{423, "Locked"},
	{424, "Failed Dependency"},
	{425, "Too Early"},
	{426, "Upgrade Required"},
	{428, "Precondition Required"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{451, "Unavailable For Legal Reasons"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
	{505, "HTTP Version Not Supported"},
	{507, "Insufficient Storage"},
	{511, "Network Authentication Required"},
};

const char *h1_reason(unsigned status)
{
	size_t lo = 0;
	size_t hi = ARRAY_LEN(reasons);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (reasons[mid].status == status) {
			return reasons[mid].reason;
		}
		if (reasons[mid].status < status) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return "Unknown";
}

bool h1_is_token(struct bytes s)
{
	return s.n > 0 && h1_scan_token(s.p, s.p + s.n) == s.p + s.n;
}

bool h1_is_value(struct bytes s)
{
	if (s.n == 0) {
		return true;
	}
	return bytes_trim(s).n == s.n && h1_scan_value(s.p, s.p + s.n) == s.p + s.n;
}

size_t h1_chunk_head(char *out, uint64_t n)
{
	size_t len = num_format_hex(out, n);
	out[len++] = '\r';
	out[len++] = '\n';
	return len;
}
