#!/bin/sh
# copilot/pipelines/package.sh <environment>
# Builds and pushes the image of every workload, uploads its addons, and writes its stack into infrastructure/, where the
# stages of the pipeline look for <workload>-<environment>.stack.yml. COPILOT names a binary to use instead of the download.
set -eu
environment=${1:?usage: copilot/pipelines/package.sh <environment>}
cd "$(dirname "$0")/../.."

if [ -z "${COPILOT:-}" ]; then
  COPILOT=$(mktemp -d)/copilot
  curl -fsSL --retry 3 -o "$COPILOT" https://github.com/aws/copilot-cli/releases/download/v1.34.1/copilot-linux-amd64-v1.34.1
  echo "620117da1445bceffecc51d7e73d1798938c4b68a242dc4eadd056aa48467a65  $COPILOT" | sha256sum --check --quiet
  chmod +x "$COPILOT"
fi

# The code of Lambda functions is packaged as it lies on disk.
npx --yes pnpm@12 --filter "./functions/*" run build

# A tag of our repositories is never moved, and all environments share them: the same commit comes here once for each, and
# again when somebody retries a build.
tag=$environment-${CODEBUILD_RESOLVED_SOURCE_VERSION:-$(git rev-parse HEAD)}-${CODEBUILD_BUILD_NUMBER:-$(date +%s)}

for manifest in copilot/*/manifest.yml; do
  workload=$(basename "$(dirname "$manifest")")
  kind=svc
  grep -q '^type: Scheduled Job' "$manifest" && kind=job
  echo "--- $workload"
  "$COPILOT" "$kind" package --name "$workload" --env "$environment" \
    --tag "$tag" --output-dir infrastructure --upload-assets
done
