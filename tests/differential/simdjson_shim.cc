/* simdjson behind a C function; the only C++ of the tree, and linked into no program but the test. */
#include "tests/differential/simdjson_shim.h"

#include <simdjson.h>

#include <cstdio>
#include <string>

using namespace simdjson;

static void put_number(std::string &out, const char *format, unsigned long long v)
{
	char room[32];

	std::snprintf(room, sizeof(room), format, v);
	out += room;
}

static void put_string(std::string &out, std::string_view s)
{
	put_number(out, "s%llu:", s.size());
	out.append(s);
}

static void put(std::string &out, dom::element e)
{
	char room[64];

	switch (e.type()) {
	case dom::element_type::ARRAY:
		out += '[';
		for (dom::element item : dom::array(e)) {
			put(out, item);
		}
		out += ']';
		break;
	case dom::element_type::OBJECT:
		out += '{';
		for (dom::key_value_pair member : dom::object(e)) {
			put_string(out, member.key);
			put(out, member.value);
		}
		out += '}';
		break;
	case dom::element_type::STRING:
		put_string(out, std::string_view(e));
		break;
	case dom::element_type::INT64:
		std::snprintf(room, sizeof(room), "i%lld;", (long long)int64_t(e));
		out += room;
		break;
	case dom::element_type::UINT64:
		put_number(out, "i%llu;", (unsigned long long)uint64_t(e));
		break;
	case dom::element_type::DOUBLE:
		std::snprintf(room, sizeof(room), "d%a;", double(e));
		out += room;
		break;
	case dom::element_type::BOOL:
		out += bool(e) ? 't' : 'f';
		break;
	case dom::element_type::NULL_VALUE:
		out += 'n';
		break;
	}
}

extern "C" enum theirs simdjson_read(const char *p, size_t n, char **out, size_t *out_n)
{
	static thread_local dom::parser parser;
	static thread_local std::string facts;
	dom::element root;
	error_code error = parser.parse(p, n).get(root);

	if (error == NUMBER_ERROR) {
		return THEIRS_NUMBER;
	}
	if (error == STRING_ERROR) {
		return THEIRS_STRING;
	}
	if (error != SUCCESS) {
		return THEIRS_REFUSED;
	}
	facts.clear();
	put(facts, root);
	*out = facts.data();
	*out_n = facts.size();
	return THEIRS_READ;
}
