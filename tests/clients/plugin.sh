#!/bin/sh
# How a skill that switches models works: its installer, the switch in both of its versions, its small scripts and the server
# of its page. Needs lib.sh's environment, a set-up by boot.sh, and KEY, the manager's key.
. "${0%/*}/lib.sh"
: "${KEY:?}"
domain=aigw-local.hiclaw.io
local_name=local

# Once more after a log-in when there is no session.
step() { # what, method, path, body
	call "$2" "$3" "$4"
	case $status in 401 | 403)
		login
		call "$2" "$3" "$4"
		;;
	esac
	expect "$1" "200|201|204|409"
}

install() {
	step "source monitor" POST /v1/service-sources '{"name":"monitor","type":"static","domain":"127.0.0.1:18080","port":18080}'
	step "route of its page" POST /v1/routes '{"name":"ai-gateway-monitor","domains":[],"path":{"matchType":"PRE","matchValue":"/ni_status"},"services":[{"name":"monitor.static","port":18080,"weight":100}]}'
	step "key of its page" PUT /v1/routes/ai-gateway-monitor/plugin-instances/key-auth \
		"$(jq -nc --arg k "$KEY" '{enabled: true, rawConfigurations: "consumers:\n  - \($k)"}')"
	step "no key of its page" PUT /v1/routes/ai-gateway-monitor/plugin-instances/key-auth \
		'{"enabled":true,"rawConfigurations":"consumers:\n  - "}'
	step "route of its manager" POST /v1/routes '{"name":"higress-manager-agm","domains":[],"path":{"matchType":"PRE","matchValue":"/agm"},"services":[{"name":"higress-manager.static","port":18900,"weight":100}],"rewrite":{"enabled":true,"rewriteType":"PREFIX","matchValue":"/agm","replacement":"/"}}'
	step "password of its manager" PUT /v1/routes/higress-manager-agm/plugin-instances/basic-auth \
		"$(jq -nc --arg c "$ADMIN:$PASSWORD" '{version: null, scope: "ROUTE", target: "higress-manager-agm",
			targets: {ROUTE: "higress-manager-agm"}, pluginName: "basic-auth", pluginVersion: null, internal: false,
			enabled: true, rawConfigurations: "consumers:\n  - name: admin\n    credential: \($c)"}')"
}

model_route() { # provider
	jq -nc --arg p "$1" --arg d "$domain" '{name: "\($p)-ai-route", domains: [$d],
		pathPredicate: {matchType: "PRE", matchValue: "/", caseSensitive: false},
		upstreams: [{provider: $p, weight: 100, modelMapping: {}}], modelPredicates: [{matchType: "PRE", matchValue: $p}],
		authConfig: {enabled: true, allowedCredentialTypes: ["key-auth"], allowedConsumers: ["manager"]},
		headerControl: {enabled: true, request: {add: [{key: "user-agent", value: "HiClaw/1.0"}], set: [], remove: []},
		response: {add: [], set: [], remove: []}}}'
}

# Asks the gateway with the provider's token: it fails only when the answer has the word "error" in quotes.
try_token() { # provider
	call GET /v1/ai/providers
	token=$(printf %s "$body" | jq -r --arg p "$1" '.data[]? | select(.name == $p) | .tokens[0] | if type == "object" then .value else . end')
	[ -n "$token" ] || fail "provider $1 has no token"
	chat ai-gateway.hiclaw.io "$token"
	case $body in *'"error"'*) fail "the test of $1" ;; *) ok "the test of $1 ($status)" ;; esac
}

newer_switch() { # provider: a route of its own for each
	try_token "$1"
	call GET /v1/ai/routes
	there=$(printf %s "$body" | jq -r --arg p "$1" '(.data.items? // .data)[]
		| select(.name | endswith("-ai-route")) | select(.name != "default-ai-route" and .upstreams[0].provider == $p) | .name')
	[ -z "$there" ] || {
		ok "$1 has its route already"
		return
	}
	call POST /v1/ai/routes "$(model_route "$1")"
	expect "route of $1" "200|201"
}

older_switch() { # provider: the one route is turned
	try_token "$1"
	call GET /v1/ai/routes/default-ai-route
	if [ -z "$(printf %s "$body" | jq -r .data)" ]; then
		call POST /v1/ai/routes "$(model_route "$1" | jq -c '.name = "default-ai-route" | del(.modelPredicates)')"
	else
		call PUT /v1/ai/routes/default-ai-route \
			"$(printf %s "$body" | jq -c --arg p "$1" '.data | del(.modelPredicates) | .upstreams[0].provider = $p')"
	fi
	expect "the default route leads to $1" "200|201"
}

# What the page's server takes for a failure: nothing, HTML, success false, any code.
judged() { # what
	case $body in
	'' | *'<!DOCTYPE html>'*) fail "$1" ;;
	*)
		if printf %s "$body" | jq -e '(type == "object") and ((.success == false) or (.code // false | . != false and . != 0))' >/dev/null; then
			fail "$1"
		else
			ok "$1"
		fi
		;;
	esac
}

server() { # provider
	call GET /v1/ai/providers
	judged "the list for the page"
	call POST /v1/service-sources "$(jq -nc --arg p "$1" --arg d "$model_host" --argjson q "$model_port" \
		'{type: "dns", name: "\($p).dns", domain: $d, port: $q}')"
	expect "a source with a dot in its name is refused" 400
	call POST /v1/ai/providers "$(jq -nc --arg p "$1" --arg u "$MODEL_URL" '{name: $p, type: "openai", tokens: ["sk-page"],
		rawConfigs: {_custom: "true", openaiCustomUrl: $u, openaiCustomServiceName: "\($p).dns", openaiCustomServicePort: 443}}')"
	judged "provider $1, whose service never comes to be"
	call PUT "/v1/ai/routes/$1-ai-route" "$(model_route "$1")"
	judged "its route"
	call GET /v1/ai/routes
	judged "the routes"
	printf %s "$body" | jq -e --arg n "$1-ai-route" '.data | map(select(.name == $n and .upstreams[0])) | length == 1' >/dev/null &&
		ok "$1-ai-route is listed" || fail "$1-ai-route is not listed"
	chat "$domain" "$KEY" "$1"
	served "a chat for model $1"
}

page() { # provider: backup and restore
	call GET /v1/ai/providers
	before=$(printf %s "$body" | jq -cS .data)
	call DELETE "/v1/ai/providers/$1"
	expect "$1 is removed" "200|204"
	printf %s "$before" | jq -c '.[]' >"$WORK/backup"
	while read -r each; do
		call POST /v1/ai/providers "$each"
		expect "$(printf %s "$each" | jq -r .name) is restored" "200|201|409"
	done <"$WORK/backup"
	call GET /v1/ai/providers
	[ "$(printf %s "$body" | jq -cS .data)" = "$before" ] && ok "all is as it was" || fail "the backup was not restored"
}

: >"$jar"
install
install
call POST /v1/ai/providers "$(jq -nc --arg n "$local_name" --arg u "$MODEL_URL" \
	'{name: $n, type: "openai", tokens: ["sk-local"], rawConfigs: {apiUrl: $u}}')"
expect "provider $local_name" "200|201|409"
newer_switch "$local_name"
newer_switch "$local_name"
chat "$domain" "$KEY" "$local_name-1"
served "a chat for a model of $local_name"
older_switch "$local_name"
call GET /v1/ai/routes/default-ai-route
[ "$(printf %s "$body" | jq -r '.data.upstreams[0].provider')" = "$local_name" ] && ok "assigned" || fail "not assigned"
chat "$domain" "$KEY"
served "a chat on the default route"
server paged
page "$local_name"
exit "$bad"
