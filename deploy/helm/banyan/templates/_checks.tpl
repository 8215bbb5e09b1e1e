{{/*
What a schema cannot see: values that fit each for itself and not together. All of it is said at once, each as what is wrong and
what to do; nothing is made of such values.
*/}}
{{- define "banyan.checks" -}}
{{- $values := .Values -}}
{{- $wrong := list -}}
{{- if not (regexMatch "^[a-z]" (include "banyan.fullname" .)) -}}
{{- $wrong = append $wrong (printf "The release is named %s, and a Service's name begins with a letter. Set fullnameOverride." .Release.Name) -}}
{{- end -}}
{{- if not $values.image.repository -}}
{{- $wrong = append $wrong "image.repository is not set: no image is published. Build one from the Dockerfile of the repository, push it, and name it here." -}}
{{- end -}}
{{- $needed := list "ROOT_KEY" "ADMIN_TOKEN" "DATABASE_URL" -}}
{{- if eq $values.log.kind "kafka" }}{{ $needed = append $needed "BROKER_URL" }}{{ end -}}
{{- if eq $values.mail "smtp" }}{{ $needed = append $needed "SMTP_URL" }}{{ end -}}
{{- range $name := $needed -}}
{{- if not (or $values.existingSecret (index $values.secrets $name).existingSecret) -}}
{{- $wrong = append $wrong (printf "%s has no Secret: name one that has it in existingSecret, or in secrets.%s.existingSecret (docs/kubernetes.md shows how it is made)." $name $name) -}}
{{- end -}}
{{- end -}}
{{- range $name, $from := $values.stores.servers -}}
{{- if not (or $values.existingSecret $from.existingSecret) -}}
{{- $wrong = append $wrong (printf "stores.servers.%s has no Secret: name one in its existingSecret." $name) -}}
{{- end -}}
{{- end -}}
{{- $services := list -}}
{{- range $module, $own := $values.services }}{{ if $own.enabled }}{{ $services = append $services $module }}{{ end }}{{ end -}}
{{- if and $services (not $values.podNetwork.cidrs) -}}
{{- $wrong = append $wrong (printf "podNetwork.cidrs is empty, and %s would register from addresses of pods, which no monolith believes then. Give it the pod network of the cluster, such as [10.244.0.0/16]." (join ", " $services)) -}}
{{- end -}}
{{- if and (or $values.ingress.enabled $values.httpRoute.enabled) (not $values.trustProxy) -}}
{{- $wrong = append $wrong "trustProxy is empty, and an ingress stands in front: all clients would be one address, that of the ingress, to every limit. Give it the addresses of its pods, such as [10.244.0.0/16]." -}}
{{- end -}}
{{- if and $values.ingress.enabled (not $values.ingress.hosts) -}}
{{- $wrong = append $wrong "ingress.hosts is empty: name the hosts that it answers for, such as [shop.example.com]." -}}
{{- end -}}
{{- if and $values.httpRoute.enabled (not $values.httpRoute.parentRefs) -}}
{{- $wrong = append $wrong "httpRoute.parentRefs is empty: name the Gateway that the route belongs to, such as [{name: public, namespace: gateways}]." -}}
{{- end -}}
{{- if and $values.ingress.enabled $values.httpRoute.enabled -}}
{{- $wrong = append $wrong "ingress.enabled and httpRoute.enabled: use one of them." -}}
{{- end -}}
{{- range $module, $own := $values.services -}}
{{- if and (dig "next" "enabled" false $own) (not $own.enabled) -}}
{{- $wrong = append $wrong (printf "services.%s.next is enabled, and services.%s is not: the next release stands beside one. Enable both, or neither." $module $module) -}}
{{- end -}}
{{- end -}}
{{- range $host := include "banyan.hosts" . | fromJsonArray -}}
{{- $said := list -}}
{{- range include "banyan.environment" (dict "root" $ "host" $host) | fromYamlArray }}{{ $said = append $said .name }}{{ end -}}
{{- range $host.of.extraEnv -}}
{{- if has .name $said -}}
{{- $wrong = append $wrong (printf "%s: extraEnv has %s, which is said already: Kubernetes takes each name once. Use the value of the chart that says it, or leave it out." $host.component .name) -}}
{{- end -}}
{{- $said = append $said .name -}}
{{- end -}}
{{- $auto := $host.of.autoscaling -}}
{{- if $auto.enabled -}}
{{- if and (eq $auto.by "keda") (ne $host.role "service") -}}
{{- $wrong = append $wrong (printf "%s.autoscaling.by is keda, which scales services alone here. Use hpa." $host.component) -}}
{{- end -}}
{{- if and (eq $auto.by "keda") (not $values.prometheus.url) -}}
{{- $wrong = append $wrong (printf "prometheus.url is empty, and KEDA asks it how %s does. Give it an address such as http://prometheus-operated.monitoring:9090." $host.component) -}}
{{- end -}}
{{- if gt (int $auto.minReplicas) (int $auto.maxReplicas) -}}
{{- $wrong = append $wrong (printf "%s: autoscaling.minReplicas is %d, and maxReplicas %d. Use at most that." $host.component (int $auto.minReplicas) (int $auto.maxReplicas)) -}}
{{- end -}}
{{- if and $auto.cpuUtilization (not (dig "requests" "cpu" "" (default dict $host.of.resources))) -}}
{{- $wrong = append $wrong (printf "%s: autoscaling.cpuUtilization is a share of resources.requests.cpu, which is not set. Set it, or set cpuUtilization to 0." $host.component) -}}
{{- end -}}
{{- if and (ne $host.role "service") $auto.requestsInProgress -}}
{{- $wrong = append $wrong (printf "%s: autoscaling.requestsInProgress counts what other hosts ask, and clients ask this one. Use cpuUtilization or eventLoopUtilization." $host.component) -}}
{{- end -}}
{{- if and (eq $auto.by "hpa") (not (or $auto.cpuUtilization $auto.requestsInProgress $auto.eventLoopUtilization)) -}}
{{- $wrong = append $wrong (printf "%s: autoscaling is enabled by nothing. Set cpuUtilization, eventLoopUtilization or requestsInProgress." $host.component) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $mounting := 0 -}}
{{- range $host := include "banyan.hosts" . | fromJsonArray -}}
{{- if has (default $host.component $host.module) (list "monolith" "media") -}}
{{- $mounting = add $mounting (sub (int (include "banyan.mostReplicas" $host)) 1) -}}
{{- end -}}
{{- end -}}
{{- if and $values.storage.enabled (not $values.storage.existingClaim) (gt (int $mounting) 1) (not (has "ReadWriteMany" $values.storage.accessModes)) -}}
{{- $wrong = append $wrong (printf "storage.accessModes has no ReadWriteMany, and up to %d pods share the pictures (monoliths, and media as a service). Use a class of storage that has it." $mounting) -}}
{{- end -}}
{{- if and (not $values.storage.enabled) (gt (int $mounting) 1) -}}
{{- $wrong = append $wrong (printf "storage.enabled is false, and up to %d pods would each have pictures of their own, until they end. Enable it, or run one monolith and no media service." $mounting) -}}
{{- end -}}
{{- if and $values.metrics.serviceMonitor.enabled $values.networkPolicy.enabled (not $values.networkPolicy.scrapers) -}}
{{- $wrong = append $wrong "networkPolicy.scrapers is empty, and metrics.serviceMonitor is enabled: no Prometheus would reach a host. Name it, such as [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]." -}}
{{- end -}}
{{- if $wrong -}}
{{- fail (printf "\n\n  - %s\n" (join "\n  - " $wrong)) -}}
{{- end -}}
{{- end -}}
