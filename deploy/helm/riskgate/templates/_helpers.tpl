{{- define "riskgate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "riskgate.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "riskgate.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "riskgate.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "riskgate.selector" -}}
app.kubernetes.io/name: {{ include "riskgate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "riskgate.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{ include "riskgate.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "riskgate.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}{{ .repository }}@{{ .digest }}{{- else -}}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{- end -}}
{{- end -}}
{{- end -}}

{{- define "riskgate.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}{{ default (include "riskgate.fullname" .) .Values.serviceAccount.name }}
{{- else -}}{{ default "default" .Values.serviceAccount.name }}{{- end -}}
{{- end -}}

{{/* Names of secret settings, sorted. */}}
{{- define "riskgate.secretNames" -}}
{{- if .Values.secrets.existingSecret -}}{{ .Values.secrets.keys | sortAlpha | join " " }}
{{- else -}}{{ keys .Values.secrets.values | sortAlpha | join " " }}{{- end -}}
{{- end -}}

{{- define "riskgate.secret" -}}
{{- if .Values.secrets.existingSecret -}}{{ .Values.secrets.existingSecret }}
{{- else if or .Values.secrets.values .Values.secrets.files -}}{{ include "riskgate.fullname" . }}-secrets{{- end -}}
{{- end -}}

{{- define "riskgate.configFiles" -}}
{{- $files := dict -}}
{{- with .Values.policy }}{{- $_ := set $files "policy.yaml" . }}{{- end -}}
{{- range $name, $text := .Values.candidates }}{{- $_ := set $files (printf "candidate-%s.yaml" $name) $text }}{{- end -}}
{{- with .Values.gatewayProfiles }}{{- $_ := set $files "gateway-profiles.yaml" . }}{{- end -}}
{{- with .Values.alerts }}{{- $_ := set $files "alerts.yaml" . }}{{- end -}}
{{- with .Values.webhooks }}{{- $_ := set $files "webhooks.yaml" . }}{{- end -}}
{{- with .Values.sharedSignals }}{{- $_ := set $files "shared-signals.yaml" . }}{{- end -}}
{{- toYaml $files -}}
{{- end -}}

{{- define "riskgate.configMap" -}}
{{- if .Values.existingConfigMap -}}{{ .Values.existingConfigMap }}
{{- else if ne (include "riskgate.configFiles" .) "{}" -}}{{ include "riskgate.fullname" . }}-config{{- end -}}
{{- end -}}

{{/* What the chart itself sets, and settings; an error where both say something. */}}
{{- define "riskgate.environment" -}}
{{- $env := dict "API_KEYS_FILE" "/etc/riskgate/api-keys/api-keys.yaml" -}}
{{- $_ := set $env "DRAIN_DELAY_MS" (mul 1000 (int .Values.drainDelaySeconds) | toString) -}}
{{- if .Values.grpc.enabled }}{{- $_ := set $env "GRPC_PORT" "8081" }}{{- end -}}
{{- if ne .Values.dataDir.type "none" }}{{- $_ := set $env "DATA_DIR" "/var/lib/riskgate" }}{{- end -}}
{{- range $name := splitList " " (include "riskgate.secretNames" .) -}}
{{- if $name }}{{- $_ := set $env (printf "%s_FILE" $name) (printf "/etc/riskgate/secrets/%s" $name) }}{{- end -}}
{{- end -}}
{{- $config := "/etc/riskgate/config" -}}
{{- if .Values.policy }}{{- $_ := set $env "POLICY_FILE" (printf "%s/policy.yaml" $config) }}{{- end -}}
{{- if .Values.gatewayProfiles }}{{- $_ := set $env "GATEWAY_PROFILES_FILE" (printf "%s/gateway-profiles.yaml" $config) }}{{- end -}}
{{- if .Values.alerts }}{{- $_ := set $env "ALERTS_FILE" (printf "%s/alerts.yaml" $config) }}{{- end -}}
{{- if .Values.webhooks }}{{- $_ := set $env "WEBHOOKS_FILE" (printf "%s/webhooks.yaml" $config) }}{{- end -}}
{{- if .Values.sharedSignals }}{{- $_ := set $env "SHARED_SIGNALS_FILE" (printf "%s/shared-signals.yaml" $config) }}{{- end -}}
{{- if .Values.candidates -}}
{{- $paths := list -}}
{{- range $name := keys .Values.candidates | sortAlpha }}{{- $paths = append $paths (printf "%s/candidate-%s.yaml" $config $name) }}{{- end -}}
{{- $_ := set $env "POLICY_CANDIDATES" (join "," $paths) -}}
{{- end -}}
{{- range $name, $value := .Values.settings -}}
{{- if hasKey $env $name }}{{- fail (printf "settings.%s: the chart sets it already, from another value" $name) }}{{- end -}}
{{- /* YAML reads `on` as true; all settings that are switched take on and off but one. */ -}}
{{- if kindIs "bool" $value }}{{- $_ := set $env $name (eq $name "ALLOW_INSECURE_START" | ternary (toString $value) ($value | ternary "on" "off")) }}
{{- else if kindIs "float64" $value }}{{- $_ := set $env $name (printf "%.0f" $value) }}
{{- else }}{{- $_ := set $env $name (toString $value) }}{{- end -}}
{{- end -}}
{{- toYaml $env -}}
{{- end -}}

{{/* What keeps a deployment from working, or from being safe, said before anything is installed. */}}
{{- define "riskgate.check" -}}
{{- $values := .Values -}}
{{- $names := splitList " " (include "riskgate.secretNames" .) -}}
{{- $isSeveral := or $values.autoscaling.enabled (gt (int $values.replicas) 1) -}}
{{- if not (or $values.apiKeys.text $values.apiKeys.existingSecret) }}{{- fail "apiKeys: set text or existingSecret; nobody could ask without a key" }}{{- end -}}
{{- if and $values.apiKeys.text $values.apiKeys.existingSecret }}{{- fail "apiKeys: text and existingSecret exclude each other" }}{{- end -}}
{{- if and $values.secrets.existingSecret (or $values.secrets.values $values.secrets.files) }}{{- fail "secrets: existingSecret excludes values and files" }}{{- end -}}
{{- if and $values.secrets.keys (not $values.secrets.existingSecret) }}{{- fail "secrets: keys are those of existingSecret" }}{{- end -}}
{{- if not (or (has "ID_HASH_KEY" $names) (has "ID_HASH_KEYS" $names)) }}{{- fail "secrets: ID_HASH_KEY (or ID_HASH_KEYS) is needed, under values, or in existingSecret and under keys" }}{{- end -}}
{{- if and $values.existingConfigMap (ne (include "riskgate.configFiles" .) "{}") }}{{- fail "existingConfigMap excludes policy, candidates, gatewayProfiles, alerts, webhooks and sharedSignals" }}{{- end -}}
{{- range $name := keys $values.secrets.files -}}
{{- if hasKey $values.secrets.values $name }}{{- fail (printf "secrets.files.%s stands under values too" $name) }}{{- end -}}
{{- end -}}
{{- $redis := or (has "REDIS_URL" $names) (hasKey $values.settings "REDIS_SENTINELS") (hasKey $values.settings "REDIS_CLUSTER") -}}
{{- if and $isSeveral (not $redis) (not $values.allowSeparateReplicas) }}{{- fail "several replicas need a Redis: REDIS_URL under secrets, REDIS_SENTINELS or REDIS_CLUSTER under settings; or allowSeparateReplicas, or replicas: 1" }}{{- end -}}
{{- if and (eq $values.dataDir.type "persistentVolumeClaim") $isSeveral }}{{- fail "dataDir: one replica alone can write to a persistentVolumeClaim; replicas share a history in PostgreSQL (HISTORY_URL) or Redis" }}{{- end -}}
{{- if and $values.autoscaling.enabled (gt (int $values.autoscaling.minReplicas) (int $values.autoscaling.maxReplicas)) }}{{- fail "autoscaling: minReplicas is above maxReplicas" }}{{- end -}}
{{- end -}}
