#!/bin/sh
# How a running manager adds a worker: a consumer, then its name in the list of every AI route and MCP server. Needs lib.sh's
# environment and a set-up by boot.sh; WORKER is the name, WORKER_KEY its key.
. "${0%/*}/lib.sh"
: "${WORKER:?}" "${WORKER_KEY:?}"

# Logs in only when no cookie is at hand, and believes in the one it has.
[ -s "$jar" ] || {
	login
	expect "log in" "200|201"
}
jq -nc --arg n "$WORKER" --arg k "$WORKER_KEY" '{name: $n, credentials: [{type: "key-auth", source: "BEARER", values: [$k]}]}' |
	curl -fsS -m 30 -o /dev/null -b "$jar" -X POST -H 'Content-Type: application/json' --data-binary @- "$CONSOLE/v1/consumers" &&
	ok "consumer $WORKER" || fail "consumer $WORKER"

authorise() { # route; again after a 409
	for turn in 1 2 3 4 5; do
		call GET "/v1/ai/routes/$1"
		printf %s "$body" | jq -e --arg w "$WORKER" '[(.data // .).authConfig.allowedConsumers[]?] | index($w)' >/dev/null && {
			ok "$1 admits $WORKER already"
			return
		}
		call PUT "/v1/ai/routes/$1" "$(printf %s "$body" | jq -c --arg w "$WORKER" \
			'(.data // .) | .authConfig.allowedConsumers = ((.authConfig.allowedConsumers // []) + [$w])')"
		[ "$status" = 409 ] || break
		ok "turn $turn of $1 was too late"
	done
	expect "$1 admits $WORKER" 200
}

call GET /v1/ai/routes
expect "AI routes" 200
for name in $(printf %s "$body" | jq -r '.data[]?.name'); do
	authorise "$name"
done
# Of MCP servers all who may call are sent again, the new one behind them.
call GET /v1/mcpServer
expect "MCP servers" 200
for name in $(printf %s "$body" | jq -r '(.data // .)[].name'); do
	call GET /v1/mcpServer
	call PUT /v1/mcpServer/consumers "$(printf %s "$body" | jq -c --arg n "$name" --arg w "$WORKER" '{mcpServerName: $n, consumers:
		(["manager"] + ((.data // .)[] | select(.name == $n) | .consumerAuthInfo.allowedConsumers // []) + [$w] | unique)}')"
	expect "$name admits $WORKER" "200|201|204"
done
chat aigw-local.hiclaw.io "$WORKER_KEY"
served "a chat with the key of $WORKER"
exit "$bad"
