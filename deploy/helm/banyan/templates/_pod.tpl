{{/*
The pod of a host. Guarantees: it fits Pod Security "restricted"; it writes DATA_DIR, /tmp and the folder of pictures and nothing
else; its probes ask the internal port, which is the only one that every host has.
*/}}
{{- define "banyan.pod" -}}
{{- $root := .root -}}
{{- $values := .root.Values -}}
{{- $host := .host -}}
{{- $of := .host.of -}}
{{- $storage := and $values.storage.enabled (has (default $host.component $host.module) (list "monolith" "media")) -}}
serviceAccountName: {{ include "banyan.serviceAccountName" $root }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
terminationGracePeriodSeconds: {{ include "banyan.graceSeconds" $host }}
securityContext:
  {{- toYaml $values.podSecurityContext | nindent 2 }}
{{- with $of.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $of.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $of.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $of.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $of.topologySpread }}
topologySpreadConstraints:
  {{- range $key := . }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "banyan.selector" $root | nindent 8 }}
        app.kubernetes.io/component: {{ $host.component }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}
containers:
  - name: host
    image: {{ include "banyan.image" (dict "root" $root "image" $of.image) | quote }}
    imagePullPolicy: {{ include "banyan.pullPolicy" (dict "root" $root "image" $of.image) }}
    command:
      - node
      - --import
      - ./src/banyan/compile-cache.mjs
      - {{ ternary (printf "extracted/%s/main.ts" $host.module) "src/main.ts" (eq $host.role "service") }}
    env:
      {{- include "banyan.environment" . | nindent 6 }}
      {{- with $of.extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- with $of.extraEnvFrom }}
    envFrom:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    ports:
      - { name: internal, containerPort: {{ include "banyan.port.internal" $root }}, protocol: TCP }
      {{- if ne $host.role "service" }}
      - { name: http, containerPort: {{ include "banyan.port.public" $root }}, protocol: TCP }
      {{- if $values.adminPort.enabled }}
      - { name: admin, containerPort: {{ include "banyan.port.admin" $root }}, protocol: TCP }
      {{- end }}
      {{- end }}
    # It answers once its database is ready (a monolith migrates before) and its modules are put together.
    startupProbe:
      httpGet: { path: /health/live, port: internal }
      {{- toYaml $of.probes.startup | nindent 6 }}
    # Its modules reach their stores, and it was not told to stop: it may get requests.
    readinessProbe:
      httpGet: { path: /health/ready, port: internal }
      {{- toYaml $of.probes.readiness | nindent 6 }}
    # It answers at all. What it stands on has no part in it: a restart mends no database.
    livenessProbe:
      httpGet: { path: /health/live, port: internal }
      {{- toYaml $of.probes.liveness | nindent 6 }}
    {{- if $of.preStopSeconds }}
    lifecycle:
      preStop:
        # The endpoint is taken away meanwhile; what still comes is answered as ever.
        sleep: { seconds: {{ int $of.preStopSeconds }} }
    {{- end }}
    {{- with $of.resources }}
    resources:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    securityContext:
      {{- toYaml $values.containerSecurityContext | nindent 6 }}
    volumeMounts:
      - { name: tmp, mountPath: /tmp }
      - { name: data, mountPath: /var/lib/banyan/data }
      {{- if $storage }}
      - { name: pictures, mountPath: /var/lib/banyan/media }
      {{- end }}
      {{- if and (eq $values.log.kind "kafka") $values.log.ca.existingSecret }}
      - { name: kafka-ca, mountPath: /etc/banyan/kafka, readOnly: true }
      {{- end }}
      {{- with $of.extraVolumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
volumes:
  # Node's compile cache; a comparison's and a difference's files while they are made.
  - name: tmp
    emptyDir: { sizeLimit: {{ $values.scratch.tmp }} }
  # instance.json, passwords of the first users, mails without a server, the security log where it is a file.
  - name: data
    emptyDir: { sizeLimit: {{ $values.scratch.data }} }
  {{- if $storage }}
  - name: pictures
    persistentVolumeClaim:
      claimName: {{ default (printf "%s-pictures" (include "banyan.fullname" $root)) $values.storage.existingClaim }}
  {{- end }}
  {{- if and (eq $values.log.kind "kafka") $values.log.ca.existingSecret }}
  - name: kafka-ca
    secret:
      secretName: {{ $values.log.ca.existingSecret }}
      items: [{ key: {{ $values.log.ca.key }}, path: ca.crt }]
  {{- end }}
  {{- with $of.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
