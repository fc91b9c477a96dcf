#!/bin/sh
# How a controller reconciles: wait for health, services and routes, the idle timeout in the configuration text, provider, AI
# route; then a worker's life. Needs lib.sh's environment.
. "${0%/*}/lib.sh"
route=/v1/ai/routes/default-ai-route

session() {
	call POST /system/init "$(jq -nc --arg u "$ADMIN" --arg p "$PASSWORD" \
		'{adminUser: {name: $u, password: $p, displayName: $u}}')"
	login
	expect "log in" "200|201"
}

ensure() { # what, path, body: made, or there
	call POST "$2" "$3"
	expect "$1" "200|201|409"
}

ensure_source() { # name, type, domain, port
	ensure "source $1" /v1/service-sources "$(jq -nc --arg n "$1" --arg t "$2" --arg d "$3" --argjson p "$4" \
		'{type: $t, name: $n, domain: $d, port: $p, protocol: "http", properties: {}, authN: {enabled: false}}')"
}

ensure_route() { # name, domains as JSON, path, service, port
	ensure "route $1" /v1/routes "$(jq -nc --arg n "$1" --argjson h "$2" --arg v "$3" --arg s "$4" --argjson p "$5" \
		'{name: $n, domains: $h, path: {matchType: "PRE", matchValue: $v, caseSensitive: false},
		services: [{name: $s, port: $p, weight: 100}]}')"
}

# Line by line, as the controller does it: below a line "    downstream:", before the next one as far left.
idle_timeout() { # seconds
	call GET /system/higress-config
	expect "configuration" 200
	edited=$(printf %s "$body" | jq -r .data | awk -v line="      idleTimeout: $1" '
		in_block && /^    [^ ]/ { if (!done) print line; in_block = 0; done = 1 }
		in_block && /^      idleTimeout:/ { print line; done = 1; next }
		{ print }
		/^    downstream:$/ { in_block = 1; done = 0 }')
	call PUT /system/higress-config "$(jq -nc --arg c "$edited" '{config: $c}')"
	expect "idle timeout" "200|201|204"
	call GET /system/higress-config
	if printf %s "$body" | jq -r .data | grep -q "^      idleTimeout: $1\$"; then ok "it is $1"; else fail "it is not $1"; fi
}

start() {
	call GET /v1/consumers
	expect healthy 200
	ensure_source tuwunel dns tuwunel.local 6167
	ensure_route matrix-homeserver null /_matrix tuwunel.dns 6167
	ensure_source element-web static 127.0.0.1:8088 8088
	ensure_route matrix-web-client '["matrix.example.com"]' / element-web.static 8088
	idle_timeout 900
	ensure_source models dns "$model_host" "$model_port"
	ensure "provider models" /v1/ai/providers "$(jq -nc --arg u "$MODEL_URL" --argjson p "$model_port" \
		'{name: "models", type: "openai", tokens: ["sk-model"], protocol: "openai/v1", rawConfigs:
		{openaiCustomUrl: $u, openaiCustomServiceName: "models.dns", openaiCustomServicePort: $p}}')"
	call GET "$route"
	case $status in
	200) ok "AI route is there" ;;
	404) ensure "AI route" /v1/ai/routes '{"name":"default-ai-route","domains":[],"pathPredicate":{"matchType":"PRE","matchValue":"/v1","caseSensitive":false},"upstreams":[{"provider":"models","weight":100,"modelMapping":{}}],"authConfig":{"enabled":true,"allowedCredentialTypes":["key-auth"]}}' ;;
	*) fail "AI route, neither there nor missing" ;;
	esac
	call DELETE /v1/routes/default
	ok "route default ($status)"
}

# Written even when it changes nothing, so that credentials are applied; again after a 409.
change_list() { # jq expression over the list $l, consumer
	call GET /v1/ai/routes
	for name in $(printf %s "$body" | jq -r '.data[].name'); do
		for turn in 1 2 3 4 5; do
			call GET "/v1/ai/routes/$name"
			call PUT "/v1/ai/routes/$name" "$(printf %s "$body" | jq -c --arg w "$2" \
				".data | .authConfig.allowedConsumers = ((.authConfig.allowedConsumers // []) as \$l | $1 | if . == [] then null else . end)")"
			[ "$status" = 409 ] && [ "$turn" -lt 5 ] || break
		done
		expect "consumers of $name" 200
	done
}

worker() { # name, key
	ensure "consumer $1" /v1/consumers "$(jq -nc --arg n "$1" --arg k "$2" \
		'{name: $n, credentials: [{type: "key-auth", source: "BEARER", values: [$k]}]}')"
	change_list '($l - [$w]) + [$w]' "$1"
	chat any.example.com "$2"
	served "a chat with the key of $1"
	change_list '($l - [$w]) + [$w]' "$1"
}

retire() { # name, key
	change_list '$l - [$w]' "$1"
	call DELETE "/v1/consumers/$1"
	expect "$1 is gone" "200|204|404"
	call GET /v1/ai/routes
	case $body in *"\"$1\""*) fail "$1 is still listed" ;; *) ok "no AI route lists $1" ;; esac
	chat any.example.com "$2"
	expect "its key is refused" "401|403"
}

expose() { # name, port
	ensure "domain of $1" /v1/domains "{\"name\":\"worker-$1-$2-local.hiclaw.io\",\"enableHttps\":\"off\"}"
	ensure_source "worker-$1-$2" dns "$1.local" "$2"
	ensure_route "worker-$1-$2" "[\"worker-$1-$2-local.hiclaw.io\"]" / "worker-$1-$2.dns" "$2"
}

unexpose() { # name, port
	for path in "routes/worker-$1-$2" "service-sources/worker-$1-$2" "domains/worker-$1-$2-local.hiclaw.io"; do
		call DELETE "/v1/$path"
		expect "$path is taken back" 204
	done
}

session
start
start
worker worker-alice gk-alice-0001
expose alice 18999
unexpose alice 18999
expose alice 18999
retire worker-alice gk-alice-0001
worker worker-alice gk-alice-0002
exit "$bad"
