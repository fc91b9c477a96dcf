#include "console/ep_session.h"

#include <stdlib.h>

#include "console/audit.h"
#include "manage/password.h"

/* Of user and display names; the front end allows 256. */
#define NAME_MAX_BYTES 256u

static struct doc *user_of(struct act *a, const struct account *account)
{
	struct doc *d = doc_map(a->arena);

	doc_set(a->arena, d, "name", doc_string(a->arena, account->name));
	doc_set(a->arena, d, "password", doc_null(a->arena));
	doc_set(a->arena, d, "displayName", doc_string(a->arena, account->display));
	doc_set(a->arena, d, "avatarUrl", doc_null(a->arena));
	return d;
}

/* False: refused. */
static bool keep_account(struct act *a, struct account *next)
{
	struct fault f;

	if (account_save(next, a->env->account_path, &f) != 0) {
		act_refuse(a, f.status != 0 ? (unsigned)f.status : 500, "nothing was changed: %s",
			f.text);
		account_unref(next);
		return false;
	}
	a->account_next = next;
	return true;
}

static bool hash(struct act *a, struct bytes password, char out[PASSWORD_HASH_MAX])
{
	if (!password_hash(password, out)) {
		act_refuse(a, 400, "the password must have 1 to %u bytes and no NUL", PASSWORD_MAX);
		return false;
	}
	return true;
}

/* --- initialisation ----------------------------------------------------------------------------- */

static bool may_init(struct act *a)
{
	struct bytes code = act_member(a, "setupCode");

	if (a->account->initialized) {
		act_refuse(a, 500, "The system is already initialized.");
		return false;
	}
	if (a->env->setup_code == NULL || a->local ||
		(code.n != 0 && bytes_eq_secret(code, bytes_str(a->env->setup_code)))) {
		return true;
	}
	act_refuse(a, 403,
		"initialisation from another machine needs the set-up code that was printed at the "
		"start, as member setupCode");
	return false;
}

static struct bytes text_in(struct act *a, const struct doc *map, const char *key)
{
	return doc_text(doc_get(a->arena, map, key), BYTES(""));
}

/* Public values are texts whatever they were. */
static struct account *add_configs(struct act *a, struct account *account)
{
	for (const struct doc *c = doc_first(a->arena, doc_get(a->arena, a->body, "configs"));
		c != NULL; c = c->next) {
		struct bytes value = c->type == DOC_BOOL
			? (c->boolean ? BYTES("true") : BYTES("false"))
			: c->text;
		struct account *next;

		if (c->key.n == 0 || c->type == DOC_NULL || c->type == DOC_LIST ||
			c->type == DOC_MAP) {
			continue;
		}
		next = account_with_config(account, c->key, value);
		account_unref(account);
		account = next;
	}
	return account;
}

void ep_session_init(struct act *a)
{
	const struct doc *admin = doc_get(a->arena, a->body, "adminUser");
	struct bytes name = text_in(a, admin, "name");
	struct bytes display = text_in(a, admin, "displayName");
	struct bytes password = text_in(a, admin, "password");
	char hashed[PASSWORD_HASH_MAX];

	if (!may_init(a)) {
		return;
	}
	if (name.n == 0 || display.n == 0 || password.n == 0 || name.n > NAME_MAX_BYTES ||
		display.n > NAME_MAX_BYTES) {
		act_refuse(a, 400,
			"adminUser needs name, displayName (at most %u bytes each) and password",
			NAME_MAX_BYTES);
		return;
	}
	if (hash(a, password, hashed) &&
		keep_account(a,
			add_configs(a,
				account_with_admin(
					a->account, name, display, bytes_str(hashed))))) {
		a->user = name;
		audit_event(a, "initialised", true);
	}
}

int ep_session_seed(struct account **account, const char *path, bool *made, struct fault *fault)
{
	const char *password = getenv("HICLAW_ADMIN_PASSWORD");
	const char *user = getenv("HICLAW_ADMIN_USER");
	char hashed[PASSWORD_HASH_MAX];
	struct account *next;
	struct bytes name;
	int rc;

	*made = false;
	if ((*account)->initialized || password == NULL || password[0] == '\0') {
		return 0;
	}
	if (!password_hash(bytes_str(password), hashed)) {
		return (int)fault_set(fault, ERR_LIMIT, 0, 0,
			"HICLAW_ADMIN_PASSWORD is too long: at most %u bytes", PASSWORD_MAX);
	}
	name = bytes_str(user != NULL && user[0] != '\0' ? user : "admin");
	if (name.n > NAME_MAX_BYTES) {
		return (int)fault_set(fault, ERR_LIMIT, 0, 0,
			"HICLAW_ADMIN_USER is too long: at most %u bytes", NAME_MAX_BYTES);
	}
	next = account_with_admin(*account, name, name, bytes_str(hashed));
	rc = account_save(next, path, fault);
	if (rc != 0) {
		account_unref(next);
		return rc;
	}
	account_unref(*account);
	*account = next;
	*made = true;
	return 0;
}

/* --- sessions ----------------------------------------------------------------------------------- */

void ep_session_login(struct act *a)
{
	struct bytes name = act_member(a, "username");
	struct bytes password = act_member(a, "password");
	const struct account *account = a->account;
	bool known;

	if (name.n == 0) {
		name = act_member(a, "name"); /* as one of HiClaw's documents has it */
	}
	if (name.n == 0 || password.n == 0) {
		act_refuse(a, 400, "username and password are needed");
		return;
	}
	known = account->initialized && bytes_eq_secret(name, account->name);
	if (!password_is(password, account->initialized ? account->hash : BYTES("")) || !known) {
		audit_event(a, "log-in", false);
		act_refuse(a, 401,
			account->initialized
				? "Incorrect username or password."
				: "nobody can log in before the system is initialized");
		return;
	}
	a->user = account->name;
	audit_event(a, "log-in", true);
	a->cookie = bytes_eq(act_member(a, "autoLogin"), BYTES("true")) ? ACT_COOKIE_KEPT
									: ACT_COOKIE_SESSION;
	a->data = user_of(a, account);
}

void ep_session_logout(struct act *a)
{
	a->cookie = ACT_COOKIE_DELETED;
}

void ep_session_info(struct act *a)
{
	a->data = user_of(a, a->account);
}

static bool is_switched_off(const struct account *account)
{
	return bytes_eq_nocase(
		pairs_get(&account->configs, "admin.password-change.disabled"), BYTES("true"));
}

void ep_session_change_password(struct act *a)
{
	struct bytes before = act_member(a, "oldPassword");
	struct bytes after = act_member(a, "newPassword");
	const struct account *account = a->account;
	char hashed[PASSWORD_HASH_MAX];

	if (is_switched_off(account)) {
		act_refuse(
			a, 403, "the password cannot be changed here: the configuration says so");
		return;
	}
	if (before.n == 0 || after.n == 0) {
		act_refuse(a, 400, "oldPassword and newPassword are needed");
		return;
	}
	if (!password_is(before, account->hash)) {
		audit_event(a, "password changed", false);
		act_refuse(a, 400, "Incorrect old password.");
		return;
	}
	if (hash(a, after, hashed) &&
		keep_account(a,
			account_with_admin(
				account, account->name, account->display, bytes_str(hashed)))) {
		a->cookie = ACT_COOKIE_DELETED;
		audit_event(a, "password changed", true);
	}
}
