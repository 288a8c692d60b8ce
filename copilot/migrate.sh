#!/bin/sh
# copilot/migrate.sh <environment> <image of backend-api>
# Brings the environment's database to this image's schema: one task in the private subnets, before the services that need
# it. Prints the task's log and ends with its exit code. A schema that is up to date is left alone, so it may be run again.
# Needs: aws, and an environment that is deployed (its addon database.yml has the task definition).
set -eu
environment=${1:?usage: copilot/migrate.sh <environment> <image>}
image=${2:?usage: copilot/migrate.sh <environment> <image>}
application=$(sed -n 's/^application: *//p' "$(dirname "$0")/.workspace")

# Newer versions of aws open a pager, which would wait for somebody to leave it.
export AWS_PAGER=""

exports=$(aws cloudformation list-exports --query "Exports[?starts_with(Name,'$application-$environment-')].[Name,Value]" --output text)
exported() {
  value=$(printf '%s\n' "$exports" | awk -v name="$application-$environment-$1" '$1 == name { print $2 }')
  [ -n "$value" ] || { echo "No stack exports $application-$environment-$1. Deploy the environment first: copilot env deploy --name $environment" >&2; exit 1; }
  printf %s "$value"
}
cluster=$(exported ClusterId)
subnets=$(exported PrivateSubnets)
group=$(exported DatabaseClientSecurityGroup)
base=$(exported MigrationTask)

# The environment's task definition with this image in it, as a revision of the same family.
definition=$(aws ecs describe-task-definition --task-definition "$base" --output json --query "taskDefinition.{
  family: family, networkMode: networkMode, cpu: cpu, memory: memory, runtimePlatform: runtimePlatform,
  requiresCompatibilities: requiresCompatibilities, executionRoleArn: executionRoleArn,
  containerDefinitions: [merge(containerDefinitions[0], {image: '$image'})]}")
revision=$(aws ecs register-task-definition --cli-input-json "$definition" --query taskDefinition.taskDefinitionArn --output text)
task=$(aws ecs run-task --cluster "$cluster" --launch-type FARGATE --task-definition "$revision" --count 1 \
  --network-configuration "awsvpcConfiguration={subnets=[$subnets],securityGroups=[$group],assignPublicIp=DISABLED}" \
  --query "tasks[0].taskArn" --output text)
[ "$task" != None ] || { echo "ECS started no task of $revision: there may be no capacity, or a role is missing." >&2; exit 1; }
echo "$task migrates $environment with $image"

# One wait gives up after ten minutes; a migration may take an hour, as long as the build that waits for it.
waited=0
until aws ecs wait tasks-stopped --cluster "$cluster" --tasks "$task"; do
  waited=$((waited + 1))
  [ "$waited" -lt 6 ] || { echo "The task still runs. Follow it: aws logs tail /copilot/$application-$environment-migration --follow" >&2; exit 1; }
done
code=$(aws ecs describe-tasks --cluster "$cluster" --tasks "$task" --query "tasks[0].containers[0].exitCode" --output text)
case "$code" in
  None)
    reason=$(aws ecs describe-tasks --cluster "$cluster" --tasks "$task" --query "tasks[0].[stoppedReason, containers[0].reason]" --output text)
    echo "The migration never started: $reason" >&2
    exit 1
    ;;
esac
aws logs get-log-events --log-group-name "/copilot/$application-$environment-migration" \
  --log-stream-name "copilot/migration/${task##*/}" --start-from-head --query "events[].[message]" --output text || true
[ "$code" = 0 ] || echo "The migration failed with exit code $code; its last line above says why. What it had begun is rolled back: no service is deployed." >&2
exit "$code"
