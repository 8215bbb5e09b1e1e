{{/*
What a host is told, by role: names of variables as src/banyan/config reads them. Nothing secret stands here; secrets are keys of
Secrets that exist already. A value that has to be there makes a pod wait that says which key is missing; `optional` ones are used
where they are.
*/}}

{{/* @param name of the variable; from: {existingSecret, key}; secret: where values say of none. */}}
{{- define "banyan.fromSecret" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ default .secret .from.existingSecret }}
      key: {{ default .name .from.key }}
      {{- if .optional }}
      optional: true
      {{- end }}
{{- end -}}

{{- define "banyan.environment" -}}
{{- $root := .root -}}
{{- $values := .root.Values -}}
{{- $host := .host -}}
{{- $runs := default $host.component $host.module -}}
{{- $ipv6 := eq $values.podNetwork.ipFamily "IPv6" -}}
- name: POD_IP
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
- name: INSTANCE_ID
  value: {{ printf "%s-*" $runs | quote }}
- name: RELEASE
  value: {{ include "banyan.imageTag" (dict "root" $root "image" $host.of.image) | quote }}
- name: HOST
  value: {{ ternary "::" "0.0.0.0" $ipv6 | quote }}
- name: INTERNAL_PORT
  value: {{ include "banyan.port.internal" $root | quote }}
- name: ADVERTISE_URL
  value: {{ printf (ternary "http://[$(POD_IP)]:%s" "http://$(POD_IP):%s" $ipv6) (include "banyan.port.internal" $root) | quote }}
- name: DATA_DIR
  value: /var/lib/banyan/data
- name: DRAIN_DELAY_MS
  value: {{ mul (int $host.of.drainDelaySeconds) 1000 | quote }}
- name: SECURITY_LOG
  value: {{ $values.securityLog | quote }}
{{ if eq $host.role "service" -}}
{{ include "banyan.environment.service" . }}
{{- else -}}
{{ include "banyan.environment.public" . }}
{{- end }}
{{- if has $runs (list "monolith" "media") }}
- name: STORAGE_URL
  value: file:///var/lib/banyan/{{ ternary "media" "data/media" $values.storage.enabled }}
{{- end }}
{{- if has $runs (list "monolith" "notifications") }}
{{ include "banyan.environment.mail" . }}
{{- end }}
{{- with $values.telemetry.endpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ . | quote }}
{{- if or $values.existingSecret $values.secrets.OTEL_EXPORTER_OTLP_HEADERS.existingSecret }}
{{ include "banyan.fromSecret" (dict "name" "OTEL_EXPORTER_OTLP_HEADERS" "from" $values.secrets.OTEL_EXPORTER_OTLP_HEADERS "secret" $values.existingSecret "optional" true) }}
{{- end }}
{{- range $signal, $exporter := $values.telemetry.exporters }}
- name: {{ printf "OTEL_%s_EXPORTER" (upper $signal) }}
  value: {{ $exporter | quote }}
{{- end }}
- name: OTEL_METRIC_EXPORT_INTERVAL
  value: {{ mul (int $values.telemetry.metricsSeconds) 1000 | quote }}
{{- with $values.telemetry.resourceAttributes }}
- name: OTEL_RESOURCE_ATTRIBUTES
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Monoliths and gateways alone. */}}
{{- define "banyan.environment.public" -}}
{{- $root := .root -}}
{{- $values := .root.Values -}}
{{- $host := .host -}}
{{- $monolith := eq $host.role "monolith" -}}
- name: MODULES
  value: {{ ternary "all" "none" $monolith | quote }}
- name: PORT
  value: {{ include "banyan.port.public" $root | quote }}
{{- if $values.adminPort.enabled }}
- name: ADMIN_PORT
  value: {{ include "banyan.port.admin" $root | quote }}
- name: ADMIN_HOST
  value: {{ ternary "::" "0.0.0.0" (eq $values.podNetwork.ipFamily "IPv6") | quote }}
{{- end }}
- name: CONSOLE
  value: {{ $values.console | quote }}
{{- with $values.trustProxy }}
- name: TRUST_PROXY
  value: {{ join "," . | quote }}
{{- end }}
- name: RATE_LIMIT
  value: {{ int $values.rateLimit.perSecond | quote }}
{{- with $values.rateLimit.exempt }}
- name: RATE_LIMIT_EXEMPT
  value: {{ join "," . | quote }}
{{- end }}
{{- with $values.podNetwork.cidrs }}
- name: SERVICE_NETWORKS
  value: {{ join "," . | quote }}
{{- end }}
{{- range $name := list "ROOT_KEY" "ADMIN_TOKEN" "DATABASE_URL" }}
{{ include "banyan.fromSecret" (dict "name" $name "from" (index $values.secrets $name) "secret" $values.existingSecret) }}
{{- end }}
{{- if or $values.existingSecret $values.secrets.NOTIFY_URL.existingSecret }}
{{ include "banyan.fromSecret" (dict "name" "NOTIFY_URL" "from" $values.secrets.NOTIFY_URL "secret" $values.existingSecret "optional" true) }}
{{- end }}
{{- range $name, $from := $values.stores.servers }}
{{ include "banyan.fromSecret" (dict "name" (printf "STORE_%s_URL" (include "banyan.upper" $name)) "from" $from "secret" $values.existingSecret) }}
{{- end }}
{{- if eq $values.log.kind "kafka" }}
{{ include "banyan.fromSecret" (dict "name" "BROKER_URL" "from" $values.secrets.BROKER_URL "secret" $values.existingSecret) }}
{{- end }}
{{- if $monolith }}
{{- with $values.stores.madeAt }}
- name: STORES
  value: {{ . | quote }}
{{- end }}
{{- with $values.placements }}
- name: PLACEMENTS
  value: {{ . | quote }}
{{- end }}
{{- range $module, $own := $values.services }}
{{- $secret := include "banyan.moduleSecret" (dict "root" $root "module" $module) }}
{{- range $name := include "banyan.databaseUrls" (dict "module" $module "of" $own) | fromJsonArray }}
{{ include "banyan.fromSecret" (dict "name" $name "from" (dict) "secret" $secret "optional" true) }}
{{- end }}
{{- if and (eq $values.log.kind "kafka") $values.log.userPerModule }}
{{ include "banyan.fromSecret" (dict "name" (printf "BROKER_URL_%s" (include "banyan.upper" $module)) "from" (dict "key" "BROKER_URL") "secret" $secret "optional" true) }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "banyan.environment.service" -}}
{{- $root := .root -}}
{{- $values := .root.Values -}}
{{- $module := .host.module -}}
{{- $secret := include "banyan.moduleSecret" (dict "root" $root "module" $module) -}}
- name: CONTROL_URL
  value: {{ printf "http://%s-control:%s" (include "banyan.fullname" $root) (include "banyan.port.internal" $root) | quote }}
{{ include "banyan.fromSecret" (dict "name" "SERVICE_KEY" "from" (dict) "secret" $secret) }}
{{- range $name := include "banyan.databaseUrls" (dict "module" $module "of" .host.of) | fromJsonArray }}
{{ include "banyan.fromSecret" (dict "name" $name "from" (dict) "secret" $secret) }}
{{- end }}
{{- if eq $values.log.kind "postgres" }}
- name: BROKER_URL
  value: postgres
{{- else if $values.log.userPerModule }}
{{ include "banyan.fromSecret" (dict "name" "BROKER_URL" "from" (dict) "secret" $secret) }}
{{- else }}
{{ include "banyan.fromSecret" (dict "name" "BROKER_URL" "from" $values.secrets.BROKER_URL "secret" $values.existingSecret) }}
{{- end }}
{{- end -}}

{{- define "banyan.environment.mail" -}}
{{- $values := .root.Values -}}
{{- if eq $values.mail "smtp" -}}
{{ include "banyan.fromSecret" (dict "name" "SMTP_URL" "from" $values.secrets.SMTP_URL "secret" $values.existingSecret) }}
{{- else -}}
- name: MAIL_URL
  value: file:///var/lib/banyan/data/mail
{{- end -}}
{{- end -}}

{{/* The variables with a module's databases: its own schema, and those that it brings. */}}
{{- define "banyan.databaseUrls" -}}
{{- $own := printf "DATABASE_URL_%s" (include "banyan.upper" .module) -}}
{{- $names := list $own -}}
{{- range .of.schemas -}}
{{- $names = append $names (printf "%s_%s" $own (include "banyan.upper" .)) -}}
{{- end -}}
{{- $names | toJson -}}
{{- end -}}
