#!/bin/sh
# copilot/smoke.sh <environment>
# From outside, over the internet: every alias of the environment answers on its app's health path, and plain HTTP only leads
# to HTTPS. The names come from the environment's stack, the paths from the manifests. Needs: aws, curl, jq.
set -eu
environment=${1:?usage: copilot/smoke.sh <environment>}
application=$(sed -n 's/^application: *//p' "$(dirname "$0")/.workspace")
cd "$(dirname "$0")/.."

aliases=$(aws cloudformation describe-stacks --stack-name "$application-$environment" --output text \
  --query "Stacks[0].Parameters[?ParameterKey=='Aliases'].ParameterValue")
names=$(printf %s "$aliases" | jq -r 'to_entries[] | .key as $app | .value[] | "\($app) \(.)"')
[ -n "$names" ] || { echo "The stack $application-$environment knows no alias: is a web app deployed?" >&2; exit 1; }
printf '%s\n' "$names" | while read -r app host; do
  path=$(sed -n 's/^    path: \(\/.*\)$/\1/p' "copilot/$app/manifest.yml")
  curl --fail --silent --show-error --output /dev/null --retry 10 --retry-all-errors --max-time 10 "https://$host$path"
  plain=$(curl --silent --show-error --output /dev/null --max-time 10 --write-out '%{http_code} %{redirect_url}' "http://$host$path")
  case "$plain" in
    "301 https://$host"*) echo "✔ $app answers at https://$host$path" ;;
    *) echo "http://$host$path should lead to HTTPS, but answers $plain" >&2; exit 1 ;;
  esac
done
