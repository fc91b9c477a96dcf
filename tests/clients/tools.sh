#!/bin/sh
# How a manager adds MCP servers to a gateway that runs: one of tools and one that stands for another server; then a test
# that takes a worker's permission away by the words of a guide, and gives it back. Needs lib.sh's environment and a set-up
# by boot.sh; WORKERS is a list of names.
. "${0%/*}/lib.sh"
: "${WORKERS:?}"
domain=aigw-local.hiclaw.io

[ -s "$jar" ] || {
	login
	expect "log in" "200|201"
}

server() { # name, its service, configuration
	call POST /v1/service-sources "$(jq -nc --arg n "${2%.dns}" '{type: "dns", name: $n, domain: "api.example.com",
		port: 443, protocol: "https"}')"
	expect "source ${2%.dns}" "200|201|409"
	call PUT /v1/mcpServer "$(jq -nc --arg n "$1" --arg s "$2" --arg c "$3" --arg d "$domain" '{name: $n, description: $n,
		type: "OPEN_API", rawConfigurations: $c, mcpServerName: $n, domains: [$d],
		services: [{name: $s, port: 443, weight: 100}],
		consumerAuthInfo: {type: "key-auth", enable: true, allowedConsumers: ["manager"]}}')"
	expect "MCP server $1" "200|201|204"
	call GET "/v1/mcpServer/consumers?mcpServerName=$1&consumerName=manager"
	expect "who may call $1" 200
	[ "$(printf %s "$body" | jq -r '.total // 0')" != 0 ] || change PUT "$1" manager
	# shellcheck disable=SC2086 # a list of names
	change PUT "$1" manager $WORKERS
}

change() { # method, server, consumer...
	method=$1 name=$2
	shift 2
	call "$method" /v1/mcpServer/consumers "$(jq -nc --arg n "$name" '{mcpServerName: $n, consumers: $ARGS.positional}' --args "$@")"
	expect "$method of $* at $name" "200|201|204"
}

allowed() { # server, consumer: "yes" or "no"
	call GET "/v1/mcpServer/consumers?mcpServerName=$1"
	case $body in *"\"consumerName\":\"$2\""*) echo yes ;; *) echo no ;; esac
}

is() { # what, expected, got
	if [ "$2" = "$3" ]; then ok "$1: $2"; else fail "$1: $3, not $2"; fi
}

server mcp-weather weather-api.dns 'server:
  name: weather
tools:
- name: forecast
  description: The weather of a city
  args:
  - name: city
    description: ""
    type: string
    required: true
    position: query
  requestTemplate:
    url: https://api.example.com/forecast
    method: GET
'
server mcp-remote remote-proxy.dns 'server:
  name: remote
  type: mcp-proxy
  transport: http
  mcpServerURL: https://api.example.com/mcp
  timeout: 5000
'
first=${WORKERS%% *}
is "$first before" yes "$(allowed mcp-weather "$first")"
change DELETE mcp-weather "$first"
is "$first after a removal" no "$(allowed mcp-weather "$first")"
change PUT mcp-weather "$first"
is "$first again" yes "$(allowed mcp-weather "$first")"
call DELETE "/v1/mcpServer/consumers?consumer=$first"
expect "a removal as the guide has it" 204
for name in mcp-weather mcp-remote; do
	is "$first at $name" no "$(allowed $name "$first")"
	change PUT "$name" "$first"
done
call GET /v1/mcpServers
is "servers by the guide's path" "mcp-remote mcp-weather" "$(printf %s "$body" | jq -r '[.data[].name | select(. != "mcp-github")] | join(" ")')"
exit "$bad"
