#!/bin/sh
# copilot/bootstrap.sh <environment>
# Makes, in the account whose credentials the shell has, what `copilot deploy` presupposes; then deploys the environment: its
# network and database, its schema, its workloads. Every step may be run again. For `public`, which has no pipeline, it is the
# way to deploy. Needs: aws, copilot 1.34.1, docker, jq, npx; secrets that SSM lacks are made, or asked for.
set -eu
environment=${1:?usage: copilot/bootstrap.sh <staging|production|customer|public>}
cd "$(dirname "$0")/.."
application=$(sed -n 's/^application: *//p' copilot/.workspace)

# The region, the domain, and the policy that no role of the application may exceed (permissions-boundary.json) are decided
# here and nowhere else: copilot-check.config.ts reads these lines. An application gets domain and policy at its creation only.
AWS_REGION=ap-northeast-1
domain=noren.example
boundary=noren-boundary

# Newer versions of aws open a pager, which would wait for somebody to leave it.
export AWS_REGION AWS_DEFAULT_REGION=$AWS_REGION AWS_PAGER=""
[ -f "copilot/environments/$environment/manifest.yml" ] || { echo "There is no environment $environment below copilot/environments." >&2; exit 1; }

case "$(copilot version)" in
  *v1.34.1*) ;;
  *) echo "Install copilot 1.34.1 (copilot/pipelines/package.sh has its address and SHA-256)." >&2; exit 1 ;;
esac
account=$(aws sts get-caller-identity --query Account --output text)
echo "--- account $account, region $AWS_REGION"

if [ "$environment" = public ]; then
  # `public` lives in production's network.
  exports=$(aws cloudformation list-exports --query "Exports[?starts_with(Name,'$application-production-')].[Name,Value]" --output text)
  exported() { printf '%s\n' "$exports" | awk -v name="$application-production-$1" '$1 == name { print $2 }'; }
  PRODUCTION_VPC_ID=$(exported VpcId)
  PRODUCTION_PUBLIC_SUBNET_1=$(exported PublicSubnets | cut -d, -f1)
  PRODUCTION_PUBLIC_SUBNET_2=$(exported PublicSubnets | cut -d, -f2)
  PRODUCTION_PRIVATE_SUBNET_1=$(exported PrivateSubnets | cut -d, -f1)
  PRODUCTION_PRIVATE_SUBNET_2=$(exported PrivateSubnets | cut -d, -f2)
  [ -n "$PRODUCTION_VPC_ID" ] || { echo "Deploy production first: public lives in its network." >&2; exit 1; }
else
  # Manifests of all environments are read together; these stay unused.
  PRODUCTION_VPC_ID=- PRODUCTION_PUBLIC_SUBNET_1=- PRODUCTION_PUBLIC_SUBNET_2=- PRODUCTION_PRIVATE_SUBNET_1=- PRODUCTION_PRIVATE_SUBNET_2=-
fi
export PRODUCTION_VPC_ID PRODUCTION_PUBLIC_SUBNET_1 PRODUCTION_PUBLIC_SUBNET_2 PRODUCTION_PRIVATE_SUBNET_1 PRODUCTION_PRIVATE_SUBNET_2

echo "--- application $application, domain $domain (its hosted zone must exist in Route 53)"
if ! aws ssm get-parameter --name "/copilot/applications/$application" >/dev/null 2>&1; then
  aws iam get-policy --policy-arn "arn:aws:iam::$account:policy/$boundary" >/dev/null 2>&1 ||
    aws iam create-policy --policy-name "$boundary" --policy-document file://copilot/permissions-boundary.json >/dev/null
  copilot app init "$application" --domain "$domain" --permissions-boundary "$boundary"
fi

echo "--- image scanning of the account's registry"
aws ecr put-registry-scanning-configuration --scan-type ENHANCED \
  --rules '[{"scanFrequency":"CONTINUOUS_SCAN","repositoryFilters":[{"filter":"'"$application"'/*","filterType":"WILDCARD"}]}]' >/dev/null

echo "--- rule set for received mail: one is active per account and region, environments add their rules to it"
aws ses describe-receipt-rule-set --rule-set-name "$application" >/dev/null 2>&1 ||
  aws ses create-receipt-rule-set --rule-set-name "$application"
active=$(aws ses describe-active-receipt-rule-set --query Metadata.Name --output text)
case "$active" in
  "$application") ;;
  None) aws ses set-active-receipt-rule-set --rule-set-name "$application" ;;
  *) echo "The rule set $active is active in this account. Decide by hand which one shall be: activating ours stops its mail." >&2; exit 1 ;;
esac

echo "--- environment $environment"
if ! aws ssm get-parameter --name "/copilot/applications/$application/environments/$environment" >/dev/null 2>&1; then
  if [ -n "${AWS_PROFILE:-}" ]; then
    copilot env init --name "$environment" --default-config --region "$AWS_REGION" --profile "$AWS_PROFILE"
  else
    : "${AWS_ACCESS_KEY_ID:?copilot env init wants credentials by name: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and its two companions}"
    copilot env init --name "$environment" --default-config --region "$AWS_REGION" \
      --aws-access-key-id "$AWS_ACCESS_KEY_ID" --aws-secret-access-key "$AWS_SECRET_ACCESS_KEY" --aws-session-token "${AWS_SESSION_TOKEN:-}"
  fi
fi
copilot env deploy --name "$environment"
# It holds the database and the buckets: nobody deletes it by mistake. Whoever means it takes this away first.
aws cloudformation update-termination-protection --enable-termination-protection --stack-name "$application-$environment" >/dev/null

echo "--- secrets"
for name in $(sed -n 's|.*/secrets/\([A-Z_]*\) *$|\1|p' copilot/*/manifest.yml | sort -u); do
  parameter=/copilot/$application/$environment/secrets/$name
  aws ssm get-parameter --name "$parameter" >/dev/null 2>&1 && continue
  case "$name" in
    SERVICE_TOKEN_KEY | SESSION_KEY) value=$(openssl rand -base64 48 | tr -d '\n') ;;
    *)
      printf '%s (input is shown nowhere): ' "$parameter"
      if [ -t 0 ]; then stty -echo; read -r value; stty echo; else read -r value; fi
      echo
      ;;
  esac
  [ -n "$value" ] || { echo "$parameter must not be empty." >&2; exit 1; }
  # The file keeps the value off the command line, where other processes could read it.
  file=$(mktemp)
  jq -n --arg app "$application" --arg env "$environment" --arg name "$parameter" --rawfile value /dev/stdin \
    '{Name: $name, Type: "SecureString", Value: ($value | rtrimstr("\n")), Tags: [{Key: "copilot-application", Value: $app}, {Key: "copilot-environment", Value: $env}]}' \
    >"$file" <<SECRET
$value
SECRET
  aws ssm put-parameter --cli-input-json "file://$file" >/dev/null
  rm -f "$file"
done

# A tag of our repositories is never moved, and all environments share them.
tag=$environment-$(git rev-parse --short HEAD)-$(date +%s)

echo "--- schema, before the first service that needs it; the migrations are in backend-api's image"
copilot svc init --name backend-api
made=$(mktemp -d)
copilot svc package --name backend-api --env "$environment" --tag "$tag-schema" --output-dir "$made" --upload-assets
copilot/migrate.sh "$environment" "$(jq -er .Parameters.ContainerImage "$made/backend-api-$environment.params.json")"
rm -rf "$made"

echo "--- workloads, backend-outbox first: its topics must exist before a subscriber is packaged"
npx --yes pnpm@12 --filter "./functions/*" run build
copilot deploy --all --init-wkld --env "$environment" --name backend-outbox/1,backend-api/2 --tag "$tag"

echo "--- images: keep 50; a tag is never moved, except latest, which copilot moves"
for repository in $(aws ecr describe-repositories --query "repositories[?starts_with(repositoryName,'$application/')].repositoryName" --output text); do
  aws ecr put-lifecycle-policy --repository-name "$repository" --lifecycle-policy-text \
    '{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":50},"action":{"type":"expire"}}]}' >/dev/null
  aws ecr put-image-tag-mutability --repository-name "$repository" --image-tag-mutability IMMUTABLE_WITH_EXCLUSION \
    --image-tag-mutability-exclusion-filters filterType=WILDCARD,filter=latest >/dev/null
done

echo "--- from outside"
copilot/smoke.sh "$environment"
echo "$environment is deployed."
