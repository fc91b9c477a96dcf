# What the clients of this directory have in common. Sourced; wants in the environment: CONSOLE and GATEWAY (URLs),
# MODEL_URL (of an OpenAI-compatible server, with /v1), ADMIN, PASSWORD and WORK, a directory to write to.
# shellcheck shell=sh
set -eu
: "${CONSOLE:?}" "${GATEWAY:?}" "${MODEL_URL:?}" "${ADMIN:?}" "${PASSWORD:?}" "${WORK:?}"
jar=$WORK/cookies
bad=0
status=
body=

# Asks management; sets status and body. Without a third argument nothing is sent.
call() { # method, path, [body]
	if [ $# -gt 2 ]; then
		status=$(curl -sS -m 30 -o "$WORK/body" -w '%{http_code}' -b "$jar" -X "$1" \
			-H 'Content-Type: application/json' --data-binary "$3" "$CONSOLE$2") || status=000
	else
		status=$(curl -sS -m 30 -o "$WORK/body" -w '%{http_code}' -b "$jar" -X "$1" "$CONSOLE$2") || status=000
	fi
	body=$(cat "$WORK/body")
	: >"$WORK/body"
}

fail() { # what
	printf "ERROR: %s: %s %s\n" "$*" "$status" "$body"
	bad=1
}

ok() { # what
	echo "ok: $*"
}

# Statuses that count as success, as a pattern: expect "create x" "200|201".
expect() { # what, statuses
	case "|$2|" in
	*"|$status|"*) ok "$1 ($status)" ;;
	*) fail "$1, wanted $2" ;;
	esac
}

login() {
	: >"$jar"
	status=$(jq -n --arg u "$ADMIN" --arg p "$PASSWORD" '{username: $u, password: $p}' |
		curl -sS -m 30 -o "$WORK/body" -w '%{http_code}' -c "$jar" -X POST \
			-H 'Content-Type: application/json' --data-binary @- "$CONSOLE/session/login") || status=000
	body=$(cat "$WORK/body")
}

# The parts of MODEL_URL.
model_scheme=${MODEL_URL%%://*}
model_rest=${MODEL_URL#*://}
model_authority=${model_rest%%/*}
model_host=${model_authority%:*}
model_port=${model_authority##*:}

# A chat through the gateway: the text of the answer must be a completion.
chat() { # host, key, [model]
	status=$(jq -nc --arg m "${3:-qwen-plus}" '{model: $m, messages: [{role: "user", content: "hello"}]}' |
		curl -sS -m 30 -o "$WORK/body" -w '%{http_code}' -H "Host: $1" -H "Authorization: Bearer $2" \
			-H 'Content-Type: application/json' --data-binary @- "$GATEWAY/v1/chat/completions") || status=000
	body=$(cat "$WORK/body")
}

served() { # what: the last chat was answered by a model
	if [ "$status" = 200 ] && jq -e '.choices[0].message.content | length > 0' "$WORK/body" >/dev/null; then
		ok "$1 (served)"
	else
		fail "$1"
	fi
}
