{{- define "burgee.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "burgee.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "burgee.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "burgee.selector" -}}
app.kubernetes.io/name: {{ include "burgee.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "burgee.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "burgee.selector" . }}
{{- end -}}

{{- define "burgee.secret" -}}
{{- .Values.existingSecret | default (include "burgee.fullname" .) -}}
{{- end -}}

{{- define "burgee.image" -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}

{{/* What all pods have in common. */}}
{{- define "burgee.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65534
  runAsGroup: 65534
  fsGroup: 65534
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: tmp
    emptyDir: {}
  - name: snapshots
    emptyDir: {}
{{- end -}}

{{/* What all containers have in common. */}}
{{- define "burgee.container" -}}
image: {{ include "burgee.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
volumeMounts:
  - name: tmp
    mountPath: /tmp
  - name: snapshots
    mountPath: /var/lib/burgee/snapshots
{{- end -}}

{{- define "burgee.env" -}}
- name: POD_IP
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
# Prometheus and kubelet ask a pod by its address.
- name: DJANGO_ALLOWED_HOSTS
  value: {{ printf "%s,%s,%s.%s,%s.%s.svc,localhost,$(POD_IP)" (join "," .Values.allowedHosts) (include "burgee.fullname" .) (include "burgee.fullname" .) .Release.Namespace (include "burgee.fullname" .) .Release.Namespace | quote }}
{{- $defaults := dict
  "ENV" "production"
  "PORT" "8000"
  "GUNICORN_KEEP_ALIVE" "75"
  "ENABLE_ADMIN_ACCESS_USER_PASS" "true"
  "FLAGSMITH_DOMAIN" (first .Values.allowedHosts)
  "PROMETHEUS_ENABLED" (ternary "true" "false" .Values.metrics.enabled)
  "TASK_RUN_METHOD" (ternary "TASK_PROCESSOR" "SEPARATE_THREAD" .Values.taskProcessor.enabled)
}}
{{- range $name, $value := mergeOverwrite $defaults .Values.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- define "burgee.envFrom" -}}
- secretRef:
    name: {{ include "burgee.secret" . }}
{{- with .Values.extraEnvFrom }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* A release waits until its database is ready for it. */}}
{{- define "burgee.waiting" -}}
- name: wait-for-migrations
  {{- include "burgee.container" . | nindent 2 }}
  args: [waitfordb, --migrations, --waitfor, "300"]
  env:
    {{- include "burgee.env" . | nindent 4 }}
  envFrom:
    {{- include "burgee.envFrom" . | nindent 4 }}
{{- end -}}

{{- define "burgee.placement" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
