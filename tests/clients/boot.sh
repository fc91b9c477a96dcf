#!/bin/sh
# How a container that brings its own manager boots: initialise, log in, set everything up. Run again it must find what it
# made; FIRST_BOOT=no leaves out what is done once. Needs lib.sh's environment, and KEY, the manager's key; with GITHUB_TOKEN
# it makes an MCP server, too.
. "${0%/*}/lib.sh"
: "${KEY:?}"
gateway_domain=aigw.example.com
local_domain=aigw-local.hiclaw.io
provider=${PROVIDER:-openai-compat}

# A write as this client judges it; its order matters. "exists" is as good as done.
put_up() { # what, method, path, body
	call "$2" "$3" "$4"
	case $body in *'<!DOCTYPE html>'*)
		fail "$1: HTML"
		return
		;;
	esac
	case $status in 401 | 403)
		fail "$1: no session"
		return
		;;
	esac
	case $body in *'"success":true'*)
		ok "$1"
		return
		;;
	esac
	[ "$status" != 409 ] || {
		ok "$1: exists"
		return
	}
	case $body in *'"success":false'*)
		printf "WARNING: %s: %s %s\n" "$1" "$status" "$body"
		bad=1
		return
		;;
	esac
	case $status in
	200 | 201 | 204) ok "$1" ;;
	*)
		printf "WARNING: %s: %s %s\n" "$1" "$status" "$body"
		bad=1
		;;
	esac
}

found() { # path
	call GET "$1"
	[ "$status" = 200 ] && [ -n "$body" ]
}

begin() {
	call POST /system/init "$(jq -nc --arg u "$ADMIN" --arg p "$PASSWORD" \
		'{adminUser: {name: $u, password: $p, displayName: $u}}')"
	case $body in
	*'"success":true'* | *'"name"'*) ok initialised ;;
	*) if printf %s "$body" | grep -q 'already.\{0,1\}init'; then ok "initialised before"; else fail initialise; fi ;;
	esac
	login
	expect "log in" "200|201"
	[ -s "$jar" ] || fail "no cookie"
	call GET /v1/consumers
	expect "the session counts" 200
}

source_body() { # name, address, port
	jq -nc --arg n "$1" --arg d "$2" --argjson p "$3" \
		'{name: $n, type: "static", domain: $d, port: $p, properties: {}, authN: {enabled: false}}'
}

route_body() { # name, path, service, port, [domain]...
	name=$1 path=$2 service=$3 port=$4
	shift 4
	jq -nc --arg n "$name" --arg v "$path" --arg s "$service" --argjson p "$port" '{name: $n, domains: $ARGS.positional,
		path: {matchType: "PRE", matchValue: $v}, services: [{name: $s, port: $p, weight: 100}]}' --args "$@"
}

once() {
	put_up "source tuwunel" POST /v1/service-sources "$(source_body tuwunel 127.0.0.1:6167 6167)"
	put_up "source element-web" POST /v1/service-sources "$(source_body element-web 127.0.0.1:8088 8088)"
	put_up "source minio" POST /v1/service-sources "$(source_body minio 127.0.0.1:9000 9000)"
	put_up "source openclaw-console" POST /v1/service-sources "$(source_body openclaw-console 127.0.0.1:18888 18888)"
	for domain in matrix.example.com storage.example.com fs-local.hiclaw.io console.example.com; do
		put_up "domain $domain" POST /v1/domains "{\"name\":\"$domain\",\"enableHttps\":\"off\"}"
	done
	put_up "consumer manager" POST /v1/consumers "$(jq -nc --arg k "$KEY" \
		'{name: "manager", credentials: [{type: "key-auth", source: "BEARER", values: [$k]}]}')"
	put_up "route matrix-homeserver" POST /v1/routes "$(route_body matrix-homeserver /_matrix tuwunel.static 6167)"
	put_up "route matrix-web-client" POST /v1/routes \
		"$(route_body matrix-web-client / element-web.static 8088 matrix.example.com)"
	put_up "route http-filesystem" POST /v1/routes \
		"$(route_body http-filesystem / minio.static 9000 storage.example.com fs-local.hiclaw.io)"
	put_up "route openclaw-console" POST /v1/routes \
		"$(route_body openclaw-console / openclaw-console.static 18888 console.example.com)"
	put_up "password of the console" PUT /v1/routes/openclaw-console/plugin-instances/basic-auth \
		"$(jq -nc --arg c "$ADMIN:$PASSWORD" '{version: null, scope: "ROUTE", target: "openclaw-console",
			targets: {ROUTE: "openclaw-console"}, pluginName: "basic-auth", pluginVersion: null, internal: false,
			enabled: true, rawConfigurations: "consumers:\n  - name: admin\n    credential: \($c)"}')"
}

provider_body() {
	case $provider in
	qwen)
		jq -nc '{type: "qwen", name: "qwen", tokens: ["sk-model"], protocol: "openai/v1",
			tokenFailoverConfig: {enabled: false}, rawConfigs: {qwenEnableSearch: false,
			qwenEnableCompatible: true, qwenFileIds: [], hiclawMode: true}}'
		;;
	openai-compat)
		jq -nc --arg u "$MODEL_URL" --argjson p "$model_port" '{type: "openai", name: "openai-compat",
			tokens: ["sk-model"], version: 0, protocol: "openai/v1", tokenFailoverConfig: {enabled: false},
			rawConfigs: {openaiCustomUrl: $u, openaiCustomServiceName: "openai-compat.dns",
			openaiCustomServicePort: $p, hiclawMode: true}}'
		;;
	*)
		jq -nc --arg n "$provider" --arg u "$MODEL_URL" '{name: $n, type: "openai", tokens: ["sk-model"],
			modelMapping: {}, protocol: "openai/v1", rawConfigs: {apiUrl: $u, hiclawMode: true}}'
		;;
	esac
}

either() { # what, collection, name, body: PUT what is found, POST what is not
	if found "$2/$3"; then
		put_up "$1, again" PUT "$2/$3" "$4"
	else
		put_up "$1" POST "$2" "$4"
	fi
}

always() {
	for domain in "$gateway_domain" "$local_domain"; do
		put_up "domain $domain" POST /v1/domains "{\"name\":\"$domain\",\"enableHttps\":\"off\"}"
	done
	[ "$provider" != openai-compat ] || either "its source" /v1/service-sources openai-compat \
		"$(jq -nc --arg h "$model_host" --argjson p "$model_port" --arg s "$model_scheme" \
			'{type: "dns", name: "openai-compat", port: $p, protocol: $s, proxyName: "", domain: $h}')"
	either "provider $provider" /v1/ai/providers "$provider" "$(provider_body)"
	if found /v1/ai/routes/default-ai-route; then
		put_up "AI route, again" PUT /v1/ai/routes/default-ai-route "$(printf %s "$body" | jq -c --arg p "$provider" \
			--arg g "$gateway_domain" --arg l "$local_domain" '.data | .upstreams[0].provider = $p
			| .domains = [$g, $l] | .headerControl.enabled = true
			| .headerControl.request.add = [{key: "user-agent", value: "HiClaw/2.0"}]
			| .headerControl.request.set //= [] | .headerControl.request.remove //= []
			| .headerControl.response.add //= [] | .headerControl.response.set //= []
			| .headerControl.response.remove //= []')"
	else
		put_up "AI route" POST /v1/ai/routes "$(jq -nc --arg p "$provider" --arg g "$gateway_domain" \
			--arg l "$local_domain" '{name: "default-ai-route", domains: [$g, $l],
			pathPredicate: {matchType: "PRE", matchValue: "/", caseSensitive: false},
			upstreams: [{provider: $p, weight: 100, modelMapping: {}}],
			authConfig: {enabled: true, allowedCredentialTypes: ["key-auth"], allowedConsumers: ["manager"]},
			headerControl: {enabled: true, request: {add: [{key: "user-agent", value: "HiClaw/1.0"}], set: [],
			remove: []}, response: {add: [], set: [], remove: []}}}')"
	fi
}

# An MCP server of tools, and who may call it: its list is set anew each time, then looked at before it is added to.
tools() { # name, host of the API, token
	put_up "source of $1" POST /v1/service-sources "$(jq -nc --arg d "$2" \
		'{type: "dns", name: "github-api", domain: $d, port: 443, protocol: "https"}')"
	put_up "MCP server $1" PUT /v1/mcpServer "$(jq -nc --arg n "$1" --arg g "$gateway_domain" --arg l "$local_domain" \
		--arg c "server:
  name: github-mcp-server
  config:
    accessToken: \"$3\"
tools:
- name: get_me
  description: Who I am
  args: []
  requestTemplate:
    url: https://$2/user
    method: GET
    headers:
    - key: Authorization
      value: \"Bearer {{.config.accessToken}}\"
" '{name: $n, description: "GitHub", type: "OPEN_API", rawConfigurations: $c, mcpServerName: $n, domains: [$g, $l],
		services: [{name: "github-api.dns", port: 443, weight: 100}],
		consumerAuthInfo: {type: "key-auth", enable: true, allowedConsumers: ["manager"]}}')"
	call GET "/v1/mcpServer/consumers?mcpServerName=$1&consumerName=manager"
	expect "who may call $1" 200
	[ "$(printf %s "$body" | jq -r '.total // 0')" != 0 ] ||
		put_up "manager may call $1" PUT /v1/mcpServer/consumers "{\"mcpServerName\":\"$1\",\"consumers\":[\"manager\"]}"
}

begin
[ "${FIRST_BOOT:-yes}" = no ] || once
always
[ -z "${GITHUB_TOKEN:-}" ] || tools mcp-github api.github.com "$GITHUB_TOKEN"
[ "$provider" = qwen ] || {
	chat "$local_domain" "$KEY"
	served "a chat with the manager's key"
}
exit "$bad"
