/*
 * Generic routes: an Ingress and a rule of key-auth.internal each (higress-resources.md §3.5). Every Ingress is
 * shown, whoever wrote it; what a route object cannot say is read-only.
 */
#include "resource/op_int.h"

static bool is_internal(struct bytes name)
{
	return bytes_ends(name, BYTES(".internal"));
}

static enum op_rc refuse_internal(struct op *o, struct bytes name)
{
	return op_refuse(o, OP_READ_ONLY,
		"the route " BYTES_FMT
		" belongs to an AI route or MCP server: change that one instead (names that end in "
		"\".internal\" are the gateway's own)",
		BYTES_ARG(name));
}

/* --- save --------------------------------------------------------------------------------------- */

static enum op_rc check_place(
	struct op *o, enum op_mode mode, struct bytes name, const struct doc *body)
{
	const char *why = NULL;
	bool there = draft_look(&o->draft, RESOURCE_INGRESS, name) != NULL;

	if (mode == OP_CREATE) {
		return there ? op_refuse(o, OP_EXISTS, "the route " BYTES_FMT " exists already",
				       BYTES_ARG(name))
			     : OP_OK;
	}
	if (!there) {
		return op_refuse(o, OP_MISSING, "there is no route " BYTES_FMT, BYTES_ARG(name));
	}
	op_ingress_read(o, name, &why);
	if (why != NULL) {
		return op_refuse(o, OP_READ_ONLY,
			"the route " BYTES_FMT " cannot be changed here, only in its file: %s",
			BYTES_ARG(name), why);
	}
	return op_check_version(o, RESOURCE_INGRESS, name, body);
}

static enum op_rc check_route(struct op *o, struct doc *route)
{
	const struct doc *services = doc_get(o->arena, route, "services");

	if (doc_first(o->arena, services) == NULL) {
		return op_refuse(o, OP_INVALID, "services must be given, and not be empty");
	}
	return op_ingress_check(o, route);
}

static enum op_rc save(struct op *o, enum op_mode mode, struct bytes name, struct doc *body)
{
	struct doc *route = NULL;
	enum op_rc rc = is_internal(name) ? refuse_internal(o, name)
					  : op_check_name(o, "route", name, name);

	rc = rc != OP_OK ? rc : op_shape_take(o, &op_shape_route, body, &route);
	rc = rc != OP_OK ? rc : check_route(o, route);
	rc = rc != OP_OK ? rc : op_auth_check(o, doc_get(o->arena, route, "authConfig"));
	rc = rc != OP_OK ? rc : check_place(o, mode, name, body);
	if (rc != OP_OK) {
		return rc;
	}
	op_ingress_write(o, name, route);
	op_auth_write(o, name, doc_get(o->arena, route, "authConfig"));
	return OP_OK;
}

/* --- others ------------------------------------------------------------------------------------- */

static enum op_rc remove_route(struct op *o, struct bytes name)
{
	if (is_internal(name)) {
		return refuse_internal(o, name);
	}
	if (draft_remove(&o->draft, RESOURCE_INGRESS, name)) {
		op_rules_forget(o, "ingress", name);
	}
	return OP_OK;
}

static struct doc *read_route(struct op *o, struct bytes name)
{
	const char *why = NULL;
	struct doc *out = op_ingress_read(o, name, &why);

	if (out != NULL) {
		doc_set(o->arena, out, "readonlyReason",
			why != NULL ? doc_str(o->arena, why) : doc_null(o->arena));
	}
	return out;
}

static struct strings list(struct op *o)
{
	return op_list_kept(o, RESOURCE_INGRESS, NULL);
}

const struct op_noun op_route = {"route", save, remove_route, read_route, list};
