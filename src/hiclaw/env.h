/*
 * What HiClaw's environment says (hiclaw-integration.md 3): variables, the secrets file, the controller's token,
 * read once at the start into one struct. A variable that is empty counts as unset, unless it says otherwise.
 *
 * Nothing here is printed by this room: members of struct env_secrets and env_worker are secrets.
 */
#ifndef HICLAW_ENV_H
#define HICLAW_ENV_H

#include "base/arena.h"
#include "base/err.h"
#include "hiclaw/model_traits.h"

/* Of one variable: longer ones are an accident, and become paths, headers and URLs. */
#define ENV_VALUE_MAX 8192u
/* Tokens of Kubernetes have 1 to 2 KB. */
#define ENV_TOKEN_MAX 16384u
#define ENV_CONFIGS_MAX 5u
#define ENV_WARNINGS_MAX 8u
/* A Higress takes up to 45 s until a changed route is active. */
#define ENV_VERIFY_S 50u

/* Where the values come from: the process's environment, or a test's. */
struct env_source {
	/* NULL: unset. What it returns stays until env_read returns. */
	const char *(*get)(const struct env_source *s, const char *name);
	/* Files, NULL: the usual places. */
	const char *secrets, *token, *version, *docker_socket;
};
/* getenv. */
extern const struct env_source env_of_process;

struct env_secrets { /* unset: empty */
	struct bytes admin_password;
	struct bytes manager_key;                  /* of consumer manager */
	struct bytes llm_key;                      /* of the default provider */
	struct bytes fs_access_key, fs_secret_key; /* scoped; both or none count */
	struct bytes minio_user, minio_password;   /* root's; default: the administrator's */
	struct bytes mc_host;                      /* MC_HOST_hiclaw, as it is */
	struct bytes controller_token;
};

enum env_apply { ENV_APPLY_AUTO, ENV_APPLY_FORCE, ENV_APPLY_FILES_ONLY };
enum env_drift { ENV_DRIFT_REAPPLY, ENV_DRIFT_REPORT, ENV_DRIFT_OFF };

/* What the gateway was called before HICLAW_AI_GATEWAY_DOMAIN; clients of that time still ask for it
 * (hiclaw-integration.md §2.2). */
#define ENV_OLD_DOMAIN "ai-gateway.hiclaw.io"

struct env {
	struct bytes admin_user, creds_dir;
	struct env_secrets secrets;
	/* gateway and console */
	struct bytes gateway_domain, gateway_url, admin_url;
	struct bytes gateway_provider; /* "higress", "ai-gateway" */
	struct bytes version;
	uint64_t stream_idle_s;
	/* models */
	struct bytes llm_provider, llm_url; /* llm_url may be empty */
	struct bytes default_model; /* HICLAW_MANAGER_MODEL, HICLAW_DEFAULT_MODEL, built in */
	struct bytes
		boot_model; /* HICLAW_DEFAULT_MODEL: what the Manager's start sets; may be empty */
	bool default_model_set;                       /* somebody gave it */
	struct bytes embedding_model;                 /* empty: disabled */
	struct model_traits overrides;                /* of the default model */
	struct bytes manager_runtime, worker_runtime; /* the latter may be empty */
	/* storage */
	struct bytes storage_provider; /* "minio", "oss" */
	struct bytes bucket;
	struct bytes key_prefix; /* before all keys: empty, or ends with "/" */
	struct bytes s3_endpoint, fs_domain;
	/* controller and runtime */
	struct bytes controller_url;
	bool controller_url_set; /* false: the usual one, if its name resolves */
	struct bytes runtime;    /* "docker", "k8s", "aliyun", "none" */
	struct bytes kube_mode;  /* "embedded", "incluster" or empty */
	struct bytes resource_prefix, container_socket;
	struct bytes agents_dir, workspace_dir;
	uint64_t idle_timeout_min, monitor_port;
	struct bytes monitor_bind; /* empty: all interfaces */
	bool loopback_read;        /* monitor-api.md 2.4 */
	bool backup_required;      /* a change without the backup before it is refused */
	/* Where the Manager's configuration may be, the first that exists is it (env_manager_config). */
	struct bytes configs[ENV_CONFIGS_MAX];
	size_t n_configs;
	/* ours */
	struct bytes reload_url; /* empty: do not call */
	struct bytes probe_url;
	uint64_t
		verify_s; /* how long another gateway is asked whether routes are active; 0: not at all */
	enum env_apply apply;
	enum env_drift drift;
	struct bytes backup_dir; /* empty: below the data directory */
	uint64_t backup_keep;
	bool backup_keep_set; /* somebody gave it: the store's own number of backups too */
	/* Sentences for the log: values that cannot be used, files that are partly unreadable. */
	struct bytes warnings[ENV_WARNINGS_MAX];
	size_t n_warnings;
};

/* Blocks: files. Texts are in the arena, NUL-terminated. Never fails: what cannot be used is left at its
 * default and said in the warnings. */
void env_read(struct arena *a, const struct env_source *from, struct env *out);
/* What a running program reads again when it is told to: the secrets file and the token file. */
void env_read_secrets(struct arena *a, const struct env_source *from, struct env *e);

/* Blocks. The first of e->configs that leads to a regular file; empty: there is none. */
struct bytes env_manager_config(const struct env *e);

struct env_worker { /* <creds_dir>/<worker>.env; unset: empty */
	struct bytes password, minio_password, gateway_key, matrix_token;
};
/* Blocks. ERR_REFUSED: no name of a Worker. ERR_NOT_FOUND and others: the file, in *fault. */
MUST_CHECK int env_read_worker(struct arena *a, struct bytes creds_dir, struct bytes worker,
	struct env_worker *out, struct fault *fault);

#endif
