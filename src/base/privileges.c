/*
 * The system calls themselves: a library for capabilities would be larger than the four calls it wraps.
 * Order matters: the bounding set can only shrink while CAP_SETPCAP is held, groups only change while
 * CAP_SETGID is, and the kernel empties permitted and effective when the last user id leaves 0.
 */
#define _GNU_SOURCE
#include "base/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/num.h"

#define CAPABILITIES_MAX 64
#define KEPT_BY_ROOT (UINT64_C(1) << CAP_DAC_OVERRIDE)

static int fail(struct fault *fault, const char *what)
{
	return fault_set(fault, ERR_IO, 0, 0, "%s failed: %s", what, strerror(errno));
}

/* --- users -------------------------------------------------------------------------------------- */

/* A number, below the one that means "leave as it is" in system calls. */
static bool read_id(const char *text, unsigned *out)
{
	uint64_t n;

	if (!num_parse_u64(bytes_str(text), UINT32_MAX - 1, &n)) {
		return false;
	}
	*out = (unsigned)n;
	return true;
}

static int find_group(const char *name, gid_t *out, struct fault *fault)
{
	const struct group *g = getgrnam(name);
	unsigned id;

	if (g != NULL) {
		*out = g->gr_gid;
		return 0;
	}
	if (read_id(name, &id)) {
		*out = id;
		return 0;
	}
	return fault_set(fault, ERR_NOT_FOUND, 0, 0,
		"there is no group %.64s; create it, or name another", name);
}

int privileges_find(const char *spec, struct privileges_user *out, struct fault *fault)
{
	const char *colon = strchr(spec, ':');
	size_t n = colon != NULL ? (size_t)(colon - spec) : strlen(spec);
	struct privileges_user u = {.name = ""};
	const struct passwd *pw;
	unsigned id;

	if (n == 0 || n >= sizeof(u.name)) {
		return fault_set(fault, ERR_NOT_FOUND, 0, 0,
			"%.64s is no user; give NAME or NAME:GROUP", spec);
	}
	memcpy(u.name, spec, n);
	pw = getpwnam(u.name);
	if (pw == NULL && read_id(u.name, &id)) {
		pw = getpwuid(id);
		u.uid = u.gid = id; /* a number that nobody has, as containers use them */
	} else if (pw == NULL) {
		return fault_set(fault, ERR_NOT_FOUND, 0, 0,
			"there is no user %s; create it (`useradd --system %s`), or name another",
			u.name, u.name);
	}
	if (pw != NULL) {
		u.uid = pw->pw_uid;
		u.gid = pw->pw_gid;
	}
	if (colon != NULL && find_group(colon + 1, &u.gid, fault) != 0) {
		return ERR_NOT_FOUND;
	}
	*out = u;
	return 0;
}

bool privileges_is(const struct privileges_user *u)
{
	return geteuid() == u->uid && getuid() == u->uid && getegid() == u->gid &&
		getgid() == u->gid;
}

/* --- capabilities ------------------------------------------------------------------------------- */

static int get_capabilities(uint64_t *permitted)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct v[2];

	if (syscall(SYS_capget, &head, v) != 0) {
		return -1;
	}
	*permitted = v[0].permitted | (uint64_t)v[1].permitted << 32;
	return 0;
}

/* Permitted and effective become `keep`, inheritable nothing. */
static int set_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	const uint32_t low = (uint32_t)keep;
	const uint32_t high = (uint32_t)(keep >> 32);
	const struct __user_cap_data_struct v[2] = {
		{.permitted = low, .effective = low}, {.permitted = high, .effective = high}};

	return (int)syscall(SYS_capset, &head, v);
}

static int shrink_bounding(uint64_t keep)
{
	for (int cap = 0; cap < CAPABILITIES_MAX; cap++) {
		if ((keep >> cap & 1) != 0 || prctl(PR_CAPBSET_READ, cap, 0, 0, 0) <= 0) {
			continue; /* wanted, gone already, or unknown to this kernel */
		}
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0) {
			return -1;
		}
	}
	return 0;
}

static void clear_ambient(void)
{
	/* Kernels before 4.3 have none; what is not permitted cannot be ambient anyway. */
	IGNORE(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
}

int privileges_drop(struct fault *fault)
{
	uint64_t had;

	clear_ambient();
	if (get_capabilities(&had) != 0) {
		return fail(fault, "capget");
	}
	if (had != 0 && set_capabilities(0) != 0) {
		return fail(fault, "capset");
	}
	return __builtin_popcountll(had);
}

/* --- becoming ----------------------------------------------------------------------------------- */

/* What was asked for, seen from outside: a kernel or a container may have its own idea. */
static int verify(const struct privileges_user *u, uint64_t keep, struct fault *fault)
{
	uid_t uid[3];
	gid_t gid[3];
	uint64_t left;

	if (getresuid(&uid[0], &uid[1], &uid[2]) != 0 ||
		getresgid(&gid[0], &gid[1], &gid[2]) != 0 || get_capabilities(&left) != 0) {
		return fail(fault, "looking at the new identity");
	}
	for (int i = 0; i < 3; i++) {
		if (uid[i] != u->uid || gid[i] != u->gid) {
			return fault_set(fault, ERR_IO, 0, 0,
				"the process is not wholly user %s after the change", u->name);
		}
	}
	if ((left & ~keep) != 0 || (u->uid != 0 && setuid(0) == 0)) {
		return fault_set(fault, ERR_IO, 0, 0,
			"privileges are left after the change to user %s", u->name);
	}
	return 0;
}

int privileges_become(const struct privileges_user *u, struct fault *fault)
{
	const uint64_t keep = u->uid == 0 ? KEPT_BY_ROOT : 0;
	uint64_t had;

	clear_ambient();
	if (get_capabilities(&had) != 0) {
		return fail(fault, "capget");
	}
	if (shrink_bounding(keep) != 0) {
		return fail(fault, "dropping a capability from the bounding set");
	}
	if ((u->uid != 0 ? initgroups(u->name, u->gid) : setgroups(0, NULL)) != 0) {
		return fail(fault, "setgroups");
	}
	if (setresgid(u->gid, u->gid, u->gid) != 0) {
		return fail(fault, "setresgid");
	}
	if (setresuid(u->uid, u->uid, u->uid) != 0) {
		return fail(fault, "setresuid");
	}
	if (set_capabilities(keep & had) != 0) {
		return fail(fault, "capset");
	}
	return verify(u, keep, fault);
}
