#!/bin/sh
# copilot/tunnel.sh <environment> [local port]
# A way to the environment's database: starts the tunnel task of copilot/addons/database.yml, forwards a port of this machine
# to the database until Ctrl-C, and stops the task (which ends by itself after four hours). Beside it, in another terminal:
#   DATABASE_HOST=127.0.0.1 DATABASE_PORT=15432 npx pnpm@12 ops queues staging
# Needs: aws with its session-manager-plugin, and a profile that assumes the role <application>-<environment>-operator.
set -eu
environment=${1:?usage: copilot/tunnel.sh <environment> [local port]}
port=${2:-15432}
application=$(sed -n 's/^application: *//p' "$(dirname "$0")/.workspace")
command -v session-manager-plugin >/dev/null || { echo "Install session-manager-plugin, which aws ssm start-session calls." >&2; exit 1; }

exported() {
  value=$(aws cloudformation list-exports --query "Exports[?Name=='$application-$environment-$1'].Value" --output text | tr -d '\n')
  [ -n "$value" ] || { echo "No stack exports $application-$environment-$1: $environment is not deployed here, or its Entry (copilot/addons/database.yml) is vpn." >&2; exit 1; }
  printf %s "$value"
}
definition=$(exported TunnelTask)
cluster=$(exported ClusterId)
subnets=$(exported PrivateSubnets)
group=$(exported DatabaseClientSecurityGroup)
host=$(exported DatabaseHost)
remote=$(exported DatabasePort)

task=$(aws ecs run-task --cluster "$cluster" --launch-type FARGATE --task-definition "$definition" --count 1 \
  --enable-execute-command --started-by "$(id -un)" \
  --network-configuration "awsvpcConfiguration={subnets=[$subnets],securityGroups=[$group],assignPublicIp=DISABLED}" \
  --query "tasks[0].taskArn" --output text)
[ "$task" != None ] || { echo "ECS started no task of $definition: there may be no capacity, or a role is missing." >&2; exit 1; }
trap 'aws ecs stop-task --cluster "$cluster" --task "$task" --reason "tunnel closed" >/dev/null' EXIT
trap 'exit 130' INT TERM
echo "$task starts (about a minute) …" >&2
aws ecs wait tasks-running --cluster "$cluster" --tasks "$task"

# A task that runs has no agent yet.
tries=0
until [ "$(aws ecs describe-tasks --cluster "$cluster" --tasks "$task" \
  --query "tasks[0].containers[0].managedAgents[?name=='ExecuteCommandAgent'].lastStatus | [0]" --output text)" = RUNNING ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 30 ] || { echo "The agent of $task does not come up: aws logs tail /copilot/$application-$environment-tunnel" >&2; exit 1; }
  sleep 2
done
runtime=$(aws ecs describe-tasks --cluster "$cluster" --tasks "$task" --query "tasks[0].containers[0].runtimeId" --output text)
echo "127.0.0.1:$port is the database of $environment until Ctrl-C." >&2
aws ssm start-session --target "ecs:${cluster}_${task##*/}_${runtime}" \
  --document-name AWS-StartPortForwardingSessionToRemoteHost \
  --parameters "{\"host\":[\"$host\"],\"portNumber\":[\"$remote\"],\"localPortNumber\":[\"$port\"]}"
