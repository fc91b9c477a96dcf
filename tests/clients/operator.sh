#!/bin/sh
# How a tool server for operators works: the password with every request, no cookie; every answer must be JSON. Needs lib.sh's
# environment and a set-up by boot.sh.
. "${0%/*}/lib.sh"

# The result is the member data where there is one, else the body.
tool() { # what, method, path, [body]
	what=$1
	shift
	if [ $# -gt 2 ]; then
		set -- -X "$1" -H 'Content-Type: application/json' --data-binary "$3" "$CONSOLE$2"
	else
		set -- -X "$1" "$CONSOLE$2"
	fi
	status=$(curl -sS -m 30 -u "$ADMIN:$PASSWORD" -o "$WORK/body" -w '%{http_code}' "$@") || status=000
	body=$(cat "$WORK/body")
	[ "$status" -lt 400 ] && [ "$status" != 000 ] && jq -e 'if type == "object" then .success != false else true end' "$WORK/body" >/dev/null || {
		fail "$what"
		return
	}
	result=$(jq -c 'if type == "object" and has("data") then .data else . end' "$WORK/body")
	ok "$what"
}

merge() { # path, JSON
	tool "read $1" GET "$1"
	tool "change $1" PUT "$1" "$(printf %s "$result" | jq -c --argjson m "$2" '. + $m')"
}

tool "routes" GET /v1/routes
tool "add a route" POST /v1/routes '{"name":"tools","domains":["tools.example.com"],"path":{"matchType":"PRE","matchValue":"/"},"services":[{"name":"tools.dns","port":80}]}'
tool "a route" GET /v1/routes/tools
merge /v1/routes/tools '{"methods":["GET","POST"]}'
[ "$(printf %s "$result" | jq -c .methods)" = '["GET","POST"]' ] && ok "the methods are set" || fail "the methods are not set"
tool "service sources" GET /v1/service-sources
tool "add a service source" POST /v1/service-sources '{"name":"tools","type":"dns","domain":"tools.example.com","port":80}'
merge /v1/service-sources/tools '{"port":8080}'
[ "$(printf %s "$result" | jq .port)" = 8080 ] && ok "the port is changed" || fail "the port is not changed"
tool "add a domain" POST /v1/domains '{"name":"tools.example.com","enableHttps":"off"}'
for at in /v1/global /v1/domains/tools.example.com /v1/routes/tools /v1/services/tools.dns; do
	for url in first second; do
		tool "request-block at $at" GET "$at/plugin-instances/request-block"
		tool "set it to $url" PUT "$at/plugin-instances/request-block" \
			"$(printf %s "$result" | jq -c --arg u "$url" '.configurations = ((.configurations // {}) + {block_urls: [$u]}) | .enabled = true')"
		[ "$(printf %s "$result" | jq -r '.configurations.block_urls[0]')" = "$url" ] && ok "it is $url" || fail "it is not $url"
	done
done
exit "$bad"
