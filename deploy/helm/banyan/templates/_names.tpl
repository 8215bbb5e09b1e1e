{{/*
How the objects of a release are named and labelled. Every object is <release>-banyan-<what>, or <what> is alone with a name
that is given; a host's pods are found by name, instance and component.
*/}}

{{- define "banyan.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 30 | trimSuffix "-" -}}
{{- end -}}

{{/* 40 at most: what is behind it has to fit into the 63 of a Service's name. */}}
{{- define "banyan.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "banyan.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "banyan.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "banyan.selector" -}}
app.kubernetes.io/name: {{ include "banyan.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "banyan.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "banyan.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: {{ include "banyan.name" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "banyan.podLabels" -}}
{{ include "banyan.selector" . }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What every host of this release has, and nobody else: whom internal ports let in. */}}
{{- define "banyan.hostLabel" -}}
banyan/host: "true"
{{- end -}}

{{- define "banyan.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "banyan.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Of a host, or of the release's own jobs. @param image what the host says of its own */}}
{{- define "banyan.image" -}}
{{- $image := mergeOverwrite (deepCopy .root.Values.image) (default dict .image) -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (include "banyan.imageTag" .) -}}
{{- end -}}
{{- end -}}

{{/* The tag of the same image: of which release a host says to be. */}}
{{- define "banyan.imageTag" -}}
{{- $image := mergeOverwrite (deepCopy .root.Values.image) (default dict .image) -}}
{{- default .root.Chart.AppVersion $image.tag -}}
{{- end -}}

{{- define "banyan.pullPolicy" -}}
{{- $image := mergeOverwrite (deepCopy .root.Values.image) (default dict .image) -}}
{{- $image.pullPolicy -}}
{{- end -}}
