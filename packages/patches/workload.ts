import type { Queue, Workload } from "copilot-manifest";
import { arn, getAtt, imported, Mistake, resource, set, sub } from "./patch.ts";
import type { Json, Section } from "./patch.ts";
import { jobAlarms, serviceAlarms } from "./alarms.ts";

/** One workload as every environment sees it; what must not differ is taken from the first. */
export type Views = [Workload, ...Workload[]];

/** What a workload's stack needs beyond what the CLI writes. */
export function patchesOf(views: Views): Section[] {
  const [workload] = views;
  const job = workload.type === "Scheduled Job";
  const sections = [runtimes(workload), logs(workload), user()];
  if (!job) sections.push(stopping(workload), breaker(), zones(), collector());
  sections.push(...secrets(views));
  if (workload.queue) sections.push(...queue(workload.queue));
  if (workload.publishes.length > 0) sections.push(throughput(workload));
  sections.push(job ? jobAlarms() : serviceAlarms(workload));
  return sections;
}

function runtimes({ type, count, http }: Workload): Section {
  const functions = ["EnvControllerFunction"];
  if (http) functions.push("RulePriorityFunction");
  if (typeof count === "object") functions.push("DynamicDesiredCountFunction");
  if (typeof count === "object" && type === "Worker Service")
    functions.push("BacklogPerTaskCalculatorFunction");
  return {
    why: "The Lambdas that Copilot generates ask for nodejs20.x, which Lambda no longer supports.",
    patches: functions.map((id) => ({
      op: "replace",
      path: `/Resources/${id}/Properties/Runtime`,
      value: "nodejs24.x",
    })),
  };
}

function logs({ type, count }: Workload): Section {
  const groups = ["LogGroup"];
  if (typeof count === "object" && type === "Worker Service") groups.push("BacklogPerTaskCalculatorLogGroup");
  return {
    why: "Logs are encrypted with the environment's key (copilot/environments/overrides).",
    patches: groups.map((id) => set(id, "KmsKeyId", imported("LogKeyArn"))),
  };
}

const container = "ContainerDefinitions/0";

function user(): Section {
  return {
    why: "Never root, whatever the image says.",
    patches: [set("TaskDefinition", `${container}/User`, "1000:1000")],
  };
}

/** All architectures of v0.48.0; the digest is that of two public Dockerfiles (one is GOV.UK Pay's), no registry was asked. */
const collectorImage =
  "public.ecr.aws/aws-observability/aws-otel-collector:v0.48.0@sha256:9b28046359054b414f4ba76056ba4e8cffda2d53fbcee06171d7eeecd71326c3";

/** The container that `observability.tracing` adds after the workload's own. */
function collector(): Section {
  const set1 = (property: string, value: Json) =>
    set("TaskDefinition", `ContainerDefinitions/1/${property}`, value);
  return {
    why: "Copilot's collector is of 2022, and takes the task with it when it ends: spans are worth less than a sale.",
    patches: [
      set1("Image", collectorImage),
      set1("Essential", false),
      set1("Memory", 128),
      set1("User", "1000:1000"),
      set1("ReadonlyRootFilesystem", true),
    ],
  };
}

function stopping({ type }: Workload): Section {
  const worker = type === "Worker Service";
  return {
    why: worker
      ? "Time to finish what is in hand when a task is stopped: 120 s is Fargate's limit, and Copilot has no field for it."
      : "Time to finish what is in hand when a task is stopped; ECS's default is 30 s, and Copilot has no field for it.",
    patches: [set("TaskDefinition", `${container}/StopTimeout`, worker ? 120 : 60)],
  };
}

function breaker(): Section {
  const path = "DeploymentConfiguration/DeploymentCircuitBreaker/ResetOnHealthyTask";
  return {
    why: "A task that is healthy for a moment and then crashes counts: by default each healthy one starts the count anew.",
    patches: [set("Service", path, false)],
  };
}

function zones(): Section {
  return {
    why: "After a zone was away its share of the tasks comes back by itself.",
    patches: [set("Service", "AvailabilityZoneRebalancing", "ENABLED")],
  };
}

/** Copilot lets the agent read every secret with the environment's tags; here it reads what this manifest lists. */
function secrets(views: Views): Section[] {
  const listed = views.flatMap(({ name, secrets: own }) =>
    Object.values(own).map((secret) => {
      if (!("ssm" in secret))
        throw new Mistake(
          `${name}: a secret that is no SSM parameter; teach packages/patches its permission.`,
        );
      // The manifest was read for one environment; the patch serves all.
      return secret.ssm.replace(/^\/copilot\/[^/]+\/[^/]+\//, "/copilot/${AppName}/${EnvName}/");
    }),
  );
  const names = [...new Set(listed)].toSorted();
  const policies = "/Resources/ExecutionRole/Properties/Policies/0";
  if (names.length === 0) {
    const why =
      "The manifest lists no secret and no env_file, so starting a task takes no permission beyond the image and the log.";
    return [{ why, patches: [{ op: "remove", path: policies }] }];
  }
  const parameters = names.map((name) => arn("ssm", `parameter${name}`));
  const statement = {
    Effect: "Allow",
    Action: ["ssm:GetParameters"],
    Resource: parameters,
    Condition: {
      StringEquals: {
        "ssm:ResourceTag/copilot-application": sub("${AppName}"),
        "ssm:ResourceTag/copilot-environment": sub("${EnvName}"),
      },
    },
  };
  return [
    {
      why: "Starting a task reads the secrets that the manifest lists. Copilot grants every one with the environment's tags.",
      patches: [{ op: "replace", path: `${policies}/PolicyDocument/Statement`, value: [statement] }],
    },
  ];
}

function queue({ subscriptions }: Queue): Section[] {
  const onlyTls = (id: string): Json => ({
    Sid: "OnlyTls",
    Effect: "Deny",
    Principal: "*",
    Action: "sqs:*",
    Resource: getAtt(id, "Arn"),
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  });
  const topics = subscriptions.map(({ service, name }) =>
    arn("sns", `\${AppName}-\${EnvName}-${service}-${name}.fifo`),
  );
  const undelivered = "UndeliveredQueue";
  return [
    {
      why: "A key that is years old is a key of the past; and SNS may use it for this account only.",
      patches: [
        set("EventsKMSKey", "EnableKeyRotation", true),
        set("EventsKMSKey", "KeyPolicy/Statement/1/Condition", {
          StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } },
        }),
      ],
    },
    {
      why: "Nobody speaks to the queues in clear text.",
      patches: [
        set("QueuePolicy", "PolicyDocument/Statement/-", onlyTls("EventsQueue")),
        set("DeadLetterPolicy", "PolicyDocument/Statement/-", onlyTls("DeadLetterQueue")),
      ],
    },
    {
      why: `What SNS cannot deliver, by a wrong policy or key, is lost unless a queue takes it. Not with the worker's key:
it must take messages when that key is what is wrong.`,
      patches: [
        resource(undelivered, {
          Type: "AWS::SQS::Queue",
          DeletionPolicy: "Retain",
          UpdateReplacePolicy: "Retain",
          Properties: { FifoQueue: true, MessageRetentionPeriod: 1_209_600, SqsManagedSseEnabled: true },
        }),
        resource("UndeliveredPolicy", {
          Type: "AWS::SQS::QueuePolicy",
          Properties: {
            Queues: [{ Ref: undelivered }],
            PolicyDocument: {
              Version: "2012-10-17",
              Statement: [
                {
                  Effect: "Allow",
                  Principal: { Service: "sns.amazonaws.com" },
                  Action: "sqs:SendMessage",
                  Resource: getAtt(undelivered, "Arn"),
                  Condition: { ArnEquals: { "aws:SourceArn": topics } },
                },
                onlyTls(undelivered),
              ],
            },
          },
        }),
      ],
    },
    {
      why: "The body is the event itself, not SNS's envelope around it. One pair for each subscription of the manifest.",
      patches: subscriptions.flatMap(({ logicalId }) => [
        set(logicalId, "RawMessageDelivery", true),
        set(logicalId, "RedrivePolicy", { deadLetterTargetArn: getAtt(undelivered, "Arn") }),
      ]),
    },
  ];
}

function throughput({ publishes }: Workload): Section {
  return {
    why: "Throughput counts per message group, not per topic: Copilot has no field for it. One for each topic of the manifest.",
    patches: publishes.map(({ logicalId }) => set(logicalId, "FifoThroughputScope", "MessageGroup")),
  };
}
