# shellcheck shell=sh
# The configuration that script/bench and script/guard measure with.

# What the mock is asked for streams: events of 300 bytes, ten a second.
sse_model=bench-sse-1000000+slow-100

# Routes for h00.bench and so on; consumer n may use route n modulo routes. The provider has a
# credential of its own and maps the model.
resources() { # directory, routes, consumers, upstream's address, protocol
	root=$1/resources
	mkdir -p "$root/mcpbridges" "$root/wasmplugins" "$root/ingresses"
	host=${4%:*} port=${4##*:} type=static domain=$4 service_port=80
	[ "$5" = http ] || type=dns domain=localhost service_port=$port host=localhost
	cat >"$root/mcpbridges/default.yaml" <<-YAML
		apiVersion: networking.higress.io/v1
		kind: McpBridge
		metadata:
		  name: default
		  namespace: higress-system
		spec:
		  registries:
		  - domain: $domain
		    name: llm-bench.internal
		    port: $service_port
		    protocol: $5
		    type: $type
	YAML
	cat >"$root/wasmplugins/ai-proxy.internal.yaml" <<-YAML
		apiVersion: extensions.higress.io/v1alpha1
		kind: WasmPlugin
		metadata:
		  labels:
		    higress.io/wasm-plugin-name: ai-proxy
		  name: ai-proxy.internal
		  namespace: higress-system
		spec:
		  defaultConfig:
		    providers:
		    - apiTokens:
		      - sk-upstream
		      id: bench
		      modelMapping:
		        bench: bench+slow-0
		        $sse_model: bench-sse-1000001+slow-100
		      openaiCustomUrl: $5://$host:$port/v1
		      protocol: openai
		      type: openai
		  defaultConfigDisable: false
		  matchRules:
		  - config:
		      activeProviderId: bench
		    configDisable: false
		    service:
		    - llm-bench.internal.$type
		  priority: 100
	YAML
	awk -v root="$root" -v routes="$2" -v consumers="$3" -v to="llm-bench.internal.$type:$service_port" 'BEGIN {
		file = root "/wasmplugins/key-auth.internal.yaml"
		printf "apiVersion: extensions.higress.io/v1alpha1\nkind: WasmPlugin\nmetadata:\n  labels:\n" \
			"    higress.io/wasm-plugin-name: key-auth\n  name: key-auth.internal\n" \
			"  namespace: higress-system\nspec:\n  defaultConfig:\n    allow: []\n    consumers:\n" >file
		for (i = 0; i < consumers; i++)
			printf "    - credentials:\n      - Bearer key-%06d\n      in_header: true\n" \
				"      in_query: false\n      keys:\n      - Authorization\n      name: c%06d\n", i, i >file
		printf "    global_auth: false\n    keys:\n    - x-higress-dummy-key\n" \
			"  defaultConfigDisable: false\n  matchRules:\n" >file
		for (r = 0; r < routes; r++) {
			printf "  - config:\n      allow:\n" >file
			for (i = r; i < consumers; i += routes) printf "      - c%06d\n", i >file
			printf "    configDisable: false\n    ingress:\n    - ai-route-r%02d.internal\n", r >file
		}
		printf "  phase: AUTHN\n  priority: 310\n" >file
		close(file)
		for (r = 0; r < routes; r++) {
			file = sprintf("%s/ingresses/ai-route-r%02d.internal.yaml", root, r)
			printf "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  annotations:\n" \
				"    higress.io/destination: %s\n  name: ai-route-r%02d.internal\n" \
				"  namespace: higress-system\nspec:\n  ingressClassName: higress\n  rules:\n" \
				"  - host: h%02d.bench\n    http:\n      paths:\n      - backend:\n          resource:\n" \
				"            apiGroup: networking.higress.io\n            kind: McpBridge\n" \
				"            name: default\n        path: /v1\n        pathType: Prefix\n", to, r, r >file
			close(file)
		}
	}'
}
