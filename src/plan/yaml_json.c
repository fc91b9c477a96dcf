#include "plan/yaml_json.h"

#include <math.h>
#include <stdio.h>

static void put_number(struct json_writer *w, const struct yaml_node *n)
{
	struct fault fault;
	char text[32];
	int len;

	if (n->type == YAML_INT) {
		json_put_i64(w, n->integer);
	} else if (json_scan_all(NULL, n->text, NULL, &fault) == 0) {
		json_put_raw(w, n->text); /* as it is spelled: 0.1 stays 0.1 */
	} else if (isfinite(n->number)) {
		len = snprintf(text, sizeof(text), "%.17g", n->number);
		json_put_raw(w, bytes_of(text, (size_t)len));
	} else {
		json_put_null(w);
	}
}

/* Depth is bounded by YAML_DEPTH_MAX, below JSON_DEPTH_MAX. */
void yaml_json_put(struct json_writer *w, const struct yaml_node *n)
{
	switch (n->type) {
	case YAML_NULL:
		json_put_null(w);
		break;
	case YAML_BOOL:
		json_put_bool(w, n->boolean);
		break;
	case YAML_INT:
	case YAML_FLOAT:
		put_number(w, n);
		break;
	case YAML_STRING:
		json_put_string(w, n->text);
		break;
	case YAML_SEQ:
		json_open_array(w);
		for (const struct yaml_node *v = n->items; v != NULL; v = v->next) {
			yaml_json_put(w, v);
		}
		json_close_array(w);
		break;
	case YAML_MAP:
		json_open_object(w);
		for (const struct yaml_node *v = n->items; v != NULL; v = v->next) {
			json_key_bytes(w, v->key->text);
			yaml_json_put(w, v);
		}
		json_close_object(w);
		break;
	}
}
