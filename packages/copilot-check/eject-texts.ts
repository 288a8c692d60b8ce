/** The script that deploys an ejected folder: POSIX sh and the AWS CLI, nothing else. */
export function deployScript(application: string, region: string, domain: string | undefined): string {
  const zone =
    domain === undefined
      ? ""
      : `
# The domain's own zone, which was there before.
domain_zone=$(aws route53 list-hosted-zones-by-name --dns-name ${domain} --query "HostedZones[?Name=='${domain}.'].Id | [0]" --output text)
`;
  return `#!/bin/sh
# ./deploy.sh [stack …]    Deploys these stacks, or all in the order of order.txt. Needs the AWS CLI and credentials.
#   IMAGE_TAG   tag of the images in the repositories (default: latest)
#   BUCKET, KEY_ARN   of an account that the Copilot CLI set up: read from its stack when they are not given
set -eu
cd "$(dirname "$0")"
AWS_REGION=\${AWS_REGION:-${region}}
AWS_DEFAULT_REGION=$AWS_REGION
export AWS_REGION AWS_DEFAULT_REGION
IMAGE_TAG=\${IMAGE_TAG:-latest}
account=$(aws sts get-caller-identity --query Account --output text)
${zone}work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

output() { # <stack> <output>
  aws cloudformation describe-stacks --stack-name "$1" --query "Stacks[0].Outputs[?OutputKey=='$2'].OutputValue" --output text
}

# The bucket and the key: of our own stack, or of the stack set that the CLI left.
find_application() {
  [ -z "\${BUCKET:-}" ] || return 0
  stack=$(aws cloudformation list-stacks --stack-status-filter CREATE_COMPLETE UPDATE_COMPLETE --query "StackSummaries[?starts_with(StackName,'StackSet-${application}-infrastructure-')].StackName | [0]" --output text)
  [ "$stack" != None ] || stack=${application}-application
  BUCKET=$(output "$stack" PipelineBucket)
  KEY_ARN=$(output "$stack" KMSKeyARN)
}

fill() { # <file>: what only the account knows
  sed -e "s|@ACCOUNT@|$account|g" -e "s|@BUCKET@|\${BUCKET:-}|g" -e "s|@KEY_ARN@|\${KEY_ARN:-}|g" -e "s|@IMAGE_TAG@|$IMAGE_TAG|g" -e "s|@UPDATE_ID@|$(date +%s)|g"${domain === undefined ? "" : ' -e "s|@DOMAIN_ZONE@|${domain_zone##*/}|g"'} "$1"
}

deploy() { # <stack>
  fill "templates/$1.yml" >"$work/template.yml"
  parameters=parameters/$1.json
  # Some values are given only once: afterwards they belong to what is deployed.
  if [ -f "parameters/$1.create.json" ] && ! aws cloudformation describe-stacks --stack-name "$1" >/dev/null 2>&1; then
    parameters=parameters/$1.create.json
  fi
  fill "$parameters" >"$work/parameters.json"
  set -- "$1" --stack-name "$1" --template-file "$work/template.yml" --capabilities CAPABILITY_NAMED_IAM CAPABILITY_AUTO_EXPAND --no-fail-on-empty-changeset
  # An empty list is no list to the AWS CLI.
  [ "$(tr -d '[:space:]' <"$work/parameters.json")" = "[]" ] || set -- "$@" --parameter-overrides "file://$work/parameters.json"
  # A template above 51,200 bytes goes through the bucket.
  [ -z "\${BUCKET:-}" ] || set -- "$@" --s3-bucket "$BUCKET" --s3-prefix templates
  name=$1
  shift
  echo "--- $name"
  # shellcheck disable=SC2046 # one word for each tag
  aws cloudformation deploy "$@" --tags $(cat "tags/$name.txt")
}

upload() {
  mkdir -p "$work/objects"
  cp -R objects/. "$work/objects"
  find "$work/objects" -name '*.yml' | while read -r file; do
    fill "$file" >"$work/filled" && cp "$work/filled" "$file"
  done
  aws s3 cp "$work/objects" "s3://$BUCKET" --recursive --only-show-errors
}

[ $# -gt 0 ] || set -- $(cat order.txt)
if [ "$1" = ${application}-application ]; then
  deploy "$1"
  shift
fi
find_application
upload
for stack in "$@"; do deploy "$stack"; done
`;
}

interface Surroundings {
  domain: string | undefined;
  permissionsBoundary: string | undefined;
  /** Buildspecs that the pipelines run before and after the stacks of a release. */
  before: string[];
  after: string[];
}

/** How a team leaves the CLI, and comes back. */
export function guide(
  application: string,
  region: string,
  environments: string[],
  { domain, permissionsBoundary, before, after }: Surroundings,
): string {
  const prepared = [
    ...(domain === undefined ? [] : [`a hosted zone for ${domain} in Route 53`]),
    ...(permissionsBoundary === undefined ? [] : [`an IAM policy ${permissionsBoundary}`]),
  ];
  const code = (files: string[]): string => files.map((file) => `\`${file}\``).join(", ");
  const around = [
    ...(before.length === 0 ? [] : [`before the stacks of a release ${code(before)}`]),
    ...(after.length === 0 ? [] : [`afterwards ${code(after)}`]),
  ];
  const builds =
    around.length === 0
      ? ""
      : `\n   The pipelines ran ${around.join(", ")}: \`deploy.sh\` does not. Run the same commands there.`;
  return `# ${application} without the Copilot CLI

Everything that the CLI would deploy into ${environments.join(", ")}, as plain CloudFormation. The stacks have the names that
Copilot gives them, so an account that it deployed is taken over in place: nothing is made anew, nothing stops.

| | |
|---|---|
| \`templates/\`, \`parameters/\`, \`tags/\` | one file for each stack. \`@ACCOUNT@\` and the like are filled in by the script |
| \`objects/\` | what the templates expect in the bucket: the scripts of custom resources, addon templates, code |
| \`order.txt\` | the order: a stack stands after all that it reads from |
| \`deploy.sh\` | \`aws s3 cp\` and \`aws cloudformation deploy\`, nothing else |

## Leave: an account that Copilot deployed
1. Freeze: no \`copilot … deploy\` and no pipeline run from here on. Disable the pipelines' first transition.
2. Remove the line \`${application}-application\` from \`order.txt\`. The key, the bucket and the repositories are in Copilot's
   stack \`StackSet-${application}-infrastructure-…\`, where \`deploy.sh\` finds them.
3. See that nothing changes, for one environment: \`aws cloudformation deploy … --no-execute-changeset\` with the filled-in
   template of \`${application}-${environments[0] ?? "test"}\`, then read the change set. Expected: hashes of code, \`UpdateID\`, nothing that is replaced.
4. \`IMAGE_TAG=<the tag that runs now> ./deploy.sh ${application}-${environments[0] ?? "test"}\`, then its workloads, one by one.
5. Put this folder into git. From now on templates are edited by hand; images are built and pushed by your own
   pipeline, which ends in \`IMAGE_TAG=$(git rev-parse HEAD) ./deploy.sh <stack>\`.${builds}
6. Keep the parameters below \`/copilot/applications/${application}\` in Parameter Store: they cost nothing, and are the way back.
7. When you are sure: \`aws cloudformation delete-stack\` for each \`pipeline-${application}-…\`.

## Start: an empty account${prepared.length === 0 ? "" : `\n0. There must be ${prepared.join(" and ")}.`}
1. \`./deploy.sh ${application}-application\`: the key, the bucket, the repositories${domain === undefined ? "" : ", the zone"} (region ${region}).
2. Push an image for each workload: \`<account>.dkr.ecr.${region}.amazonaws.com/${application}/<workload>:<tag>\`.
3. The secrets that the manifests name, in Parameter Store, each with the tags \`copilot-application\` and \`copilot-environment\`.
4. \`IMAGE_TAG=<tag> ./deploy.sh\` without \`${application}-application\`: the rest of \`order.txt\`.

## Come back
The CLI knows an application by Parameter Store and by the names of its stacks. With step 6 kept, \`copilot env deploy\` and
\`copilot svc deploy\` update the same stacks again; what was edited by hand since must first be a manifest, an addon or an
override, or it is undone. Compare before: \`copilot svc package\`, and the template in here.

## What stays Copilot's
- The custom resources' scripts (\`objects/manual/scripts\`): they add a workload to its environment's stack, find rule
  priorities, read the number of running tasks. They run on \`nodejs24.x\`, and nothing of them needs the CLI.
- The environment's parameters \`ALBWorkloads\`, \`NATWorkloads\` and the like are given when the stack is made (\`….create.json\`), never again: the scripts write them.
- A domain with certificates was set up by \`copilot app init --domain\`: its hosted zones and roles stay where they are.
`;
}
