apiVersion: v1
data:
  domain: zimomo.com
  enableHttps: "off"
kind: ConfigMap
metadata:
  creationTimestamp: "2026-01-01T00:00:00Z"
  labels:
    higress.io/config-map-type: domain
    higress.io/resource-definer: higress
  name: domain-zimomo.com
  namespace: higress-system
  resourceVersion: "1"
