#!/bin/sh
# How a container boots whose services are elsewhere, in a cluster: fewer things, found by name. Needs lib.sh's environment, and
# KEY, the manager's key. Its writes count by their status alone.
. "${0%/*}/lib.sh"
: "${KEY:?}"
provider=${PROVIDER:-models}

put_up() { # what, path, body
	call POST "$2" "$3"
	case $status in
	409) ok "$1: exists" ;;
	*) expect "$1" "200|201|204" ;;
	esac
}

call POST /system/init "$(jq -nc --arg u "$ADMIN" --arg p "$PASSWORD" '{adminUser: {name: $u, password: $p, displayName: $u}}')"
case $body in
*'"success":true'* | *'"name"'*) ok initialised ;;
*) if printf %s "$body" | grep -q 'already.\{0,1\}init'; then ok "initialised before"; else fail initialise; fi ;;
esac
login
expect "log in" "200|201"
call GET /v1/consumers
expect "the session counts" 200

put_up "source tuwunel" /v1/service-sources '{"name":"tuwunel","type":"dns","domain":"tuwunel.hiclaw.svc.cluster.local","port":6167}'
put_up "source element-web" /v1/service-sources '{"name":"element-web","type":"dns","domain":"element-web","port":8088}'
put_up "consumer manager" /v1/consumers "$(jq -nc --arg k "$KEY" \
	'{name: "manager", credentials: [{type: "key-auth", source: "BEARER", values: [$k]}]}')"
if [ "$provider" = qwen ]; then
	put_up "provider qwen" /v1/ai/providers '{"type":"qwen","name":"qwen","tokens":["sk-model"],"protocol":"openai/v1","tokenFailoverConfig":{"enabled":false},"rawConfigs":{"qwenEnableSearch":false,"qwenEnableCompatible":true,"qwenFileIds":[],"hiclawMode":true}}'
else
	put_up "provider $provider" /v1/ai/providers "$(jq -nc --arg n "$provider" --arg u "$MODEL_URL" '{name: $n, type: "openai",
		tokens: ["sk-model"], modelMapping: {}, protocol: "openai/v1", rawConfigs: {openaiCustomUrl: $u, hiclawMode: true}}')"
fi
put_up "AI route" /v1/ai/routes "$(jq -nc --arg p "$provider" '{name: "default-ai-route", domains: [],
	pathPredicate: {matchType: "PRE", matchValue: "/v1", caseSensitive: false},
	upstreams: [{provider: $p, weight: 100, modelMapping: {}}],
	authConfig: {enabled: true, allowedCredentialTypes: ["key-auth"], allowedConsumers: ["manager"]}}')"
put_up "route matrix-homeserver" /v1/routes '{"name":"matrix-homeserver","domains":[],"path":{"matchType":"PRE","matchValue":"/_matrix"},"services":[{"name":"tuwunel.dns","port":6167,"weight":100}]}'
put_up "route element-web" /v1/routes '{"name":"element-web","domains":[],"path":{"matchType":"PRE","matchValue":"/"},"services":[{"name":"element-web.dns","port":8088,"weight":100}]}'
# With a type and nothing behind it.
status=$(curl -sS -m 30 -o "$WORK/body" -w '%{http_code}' -b "$jar" -X DELETE -H 'Content-Type: application/json' -d "" \
	"$CONSOLE/v1/routes/default") || status=000
body=$(cat "$WORK/body")
expect "route default" "200|204|404"
[ "$provider" = qwen ] || {
	chat any.example.com "$KEY"
	served "a chat with the manager's key"
}
exit "$bad"
