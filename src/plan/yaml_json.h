/*
 * Values of a configuration that are sent as JSON.
 */
#ifndef PLAN_YAML_JSON_H
#define PLAN_YAML_JSON_H

#include "resource/object.h"
#include "wire/json.h"

/* Writes the value; numbers as they are spelled where JSON allows it, those that JSON lacks as null. */
void yaml_json_put(struct json_writer *w, const struct yaml_node *n);

#endif
