#!/bin/sh
# Tells Elasticsearch how long lines are kept, and Kibana where they are: once at each start, and the same each time. Runs in
# Elasticsearch's image, which has curl.
#   set-up.sh elasticsearch | kibana
set -eu
cd "$(dirname "$0")"
elasticsearch=${ELASTICSEARCH:-http://elasticsearch:9200}
kibana=${KIBANA:-http://kibana:5601}

# METHOD URL FILE
send() {
  echo "set-up.sh: $1 $2"
  curl --silent --show-error --fail-with-body --retry 60 --retry-delay 2 --retry-all-errors \
    --request "$1" --header 'content-type: application/json' --header 'kbn-xsrf: banyan' \
    --data-binary "@$3" "$2"
  echo
}

case ${1:-} in
  elasticsearch)
    send PUT "$elasticsearch/_ilm/policy/banyan-logs" lifecycle.json
    # Elasticsearch's own template for logs of OpenTelemetry takes in what is there under this name.
    send PUT "$elasticsearch/_component_template/logs-otel@custom" logs.json
    ;;
  kibana) send POST "$kibana/api/data_views/data_view" data-view.json ;;
  *)
    echo "set-up.sh: say elasticsearch or kibana" >&2
    exit 2
    ;;
esac
