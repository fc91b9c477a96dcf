#include "base/line_cut.h"

#include <string.h>

size_t line_cut(char *line, size_t n)
{
	const size_t mark_n = sizeof(LINE_CUT_MARK) - 1;
	size_t end = 0, depth = 0;
	bool text = false;

	for (size_t i = 0; i + mark_n <= n; i++) {
		char c = line[i];

		if (text) {
			i += c == '\\';
			text = c != '"';
		} else if (c == '"') {
			text = true;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			depth--;
		} else if (c == ',' && depth == 1) {
			end = i;
		}
	}
	if (end == 0) {
		return 0;
	}
	memcpy(line + end, LINE_CUT_MARK, mark_n);
	return end + mark_n;
}
