{{/*
Which hosts a release has, as a list that every kind of object is made of: {component, role, module?, of}. `of` is what values
say of the host: `hosts`, then `eachService` for a service, then its own. The next release of a service (`next`) is a host beside it, of
one pod that nothing scales unless `next` says otherwise.
*/}}
{{- define "banyan.hosts" -}}
{{- $all := .Values.hosts -}}
{{- $hosts := list (dict "component" "monolith" "role" "monolith" "of" (mergeOverwrite (deepCopy $all) (deepCopy .Values.monolith))) -}}
{{- if .Values.gateway.enabled -}}
{{- $hosts = append $hosts (dict "component" "gateway" "role" "gateway" "of" (mergeOverwrite (deepCopy $all) (deepCopy .Values.gateway))) -}}
{{- end -}}
{{- range $module, $own := .Values.services -}}
{{- if $own.enabled -}}
{{- $of := mergeOverwrite (deepCopy $all) (deepCopy $.Values.eachService) (deepCopy $own) -}}
{{- $hosts = append $hosts (dict "component" $module "role" "service" "module" $module "of" $of) -}}
{{- $next := default dict $own.next -}}
{{- if $next.enabled -}}
{{- $one := dict "replicas" 1 "autoscaling" (dict "enabled" false) -}}
{{- $beside := mergeOverwrite (deepCopy $of) $one (deepCopy $next) -}}
{{- $hosts = append $hosts (dict "component" (printf "%s-next" $module) "role" "service" "module" $module "of" $beside) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $hosts | toJson -}}
{{- end -}}

{{/* Whose port is the public one. */}}
{{- define "banyan.entrance" -}}
{{- ternary "gateway" "monolith" (and .Values.gateway.enabled .Values.gateway.entrance) -}}
{{- end -}}

{{/* The ports, as the Dockerfile has them. */}}
{{- define "banyan.port.public" -}}3000{{- end -}}
{{- define "banyan.port.internal" -}}4000{{- end -}}
{{- define "banyan.port.admin" -}}3001{{- end -}}

{{/* A host is gone so long after DRAIN_DELAY_MS, whoever holds on (src/banyan/host/stopping.ts). */}}
{{- define "banyan.stopSeconds" -}}22{{- end -}}

{{/*
preStop, then the signal: DRAIN_DELAY_MS (a monolith that was told to run services of its own waits it twice), the stop itself,
and what it takes to be seen as ended.
*/}}
{{- define "banyan.graceSeconds" -}}
{{- $delays := ternary 2 1 (eq .role "monolith") -}}
{{- add (int .of.preStopSeconds) (mul $delays (int .of.drainDelaySeconds)) (int (include "banyan.stopSeconds" .)) 6 -}}
{{- end -}}

{{/* How many processes there may be at once: the most that are scaled to, and one that a rollout starts besides. */}}
{{- define "banyan.mostReplicas" -}}
{{- $autoscaling := .of.autoscaling -}}
{{- add1 (ternary (int $autoscaling.maxReplicas) (int .of.replicas) $autoscaling.enabled) -}}
{{- end -}}

{{/* DATABASE_URL_<MODULE> and the like. */}}
{{- define "banyan.upper" -}}
{{- . | upper | replace "-" "_" -}}
{{- end -}}

{{/* The Secret of a module. */}}
{{- define "banyan.moduleSecret" -}}
{{- $own := index .root.Values.services .module -}}
{{- default (printf "%s-%s" (include "banyan.fullname" .root) .module) $own.existingSecret -}}
{{- end -}}

{{/* How many connections one process of a host may open, as src/banyan/host/role-upkeep.ts counts them. */}}
{{- define "banyan.connections" -}}
{{- $modules := len .root.Values.services -}}
{{- $schemas := 0 -}}
{{- range .root.Values.services }}{{ $schemas = add $schemas (len (default list .schemas)) }}{{ end -}}
{{- if eq .host.role "monolith" -}}
{{- /* Of each module 7, one more of the module of sessions, 6 of each schema that a module brings, 11 of placement and log. */ -}}
{{- add (mul 7 $modules) 1 (mul 6 $schemas) 11 -}}
{{- else if eq .host.role "gateway" -}}
11
{{- else -}}
{{- add 12 (mul 6 (len (default list .host.of.schemas))) -}}
{{- end -}}
{{- end -}}
