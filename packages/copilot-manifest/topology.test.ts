import { expect, test } from "vitest";
import { injectedVariables, outputVariable } from "./index.ts";
import { minimal, problemsOf, resolvedOf, workloadOf } from "./testing.ts";

const publisher = (topics: string) =>
  `name: pub\ntype: Backend Service\nimage: { build: Dockerfile }\npublish:\n  topics: ${topics}\n`;
const worker = (subscribe: string) => `${minimal.worker}subscribe: ${subscribe}\n`;
const workerOf = (subscribe: string) => workloadOf(worker(subscribe));

function together(topics: string, subscribe: string) {
  return { "copilot/pub/manifest.yml": publisher(topics), "copilot/svc/manifest.yml": worker(subscribe) };
}

test("a topic's name carries application, environment and workload, and .fifo where it is one", () => {
  const { topology } = resolvedOf({
    "copilot/pub/manifest.yml": publisher("[{ name: plain }, { name: ec-order, fifo: true }]"),
  });
  expect(topology.topics).toMatchObject([
    {
      name: "plain",
      workload: "pub",
      resourceName: "shop-test-pub-plain",
      key: "plain",
      logicalId: "plainSNSTopic",
      fifo: false,
    },
    {
      name: "ec-order",
      resourceName: "shop-test-pub-ec-order.fifo",
      key: "ec-order.fifo",
      logicalId: "ecorderfifoSNSTopic",
      fifo: true,
      contentBasedDeduplication: false,
    },
  ]);
});

test("a topic takes its deduplication from a map", () => {
  const { publishes } = workloadOf(
    `${minimal.backend}publish: { topics: [{ name: a, fifo: { content_based_deduplication: true } }] }\n`,
  );
  expect(publishes).toMatchObject([{ fifo: true, contentBasedDeduplication: true }]);
});

test("every worker has its default queue, subscribed or not, with SQS's own settings and no dead letters", () => {
  expect(workloadOf(minimal.worker).queue).toMatchObject({
    logicalId: "EventsQueue",
    resourceName: "shop-test-svc-EventsQueue",
    fifo: false,
    visibilityTimeoutSeconds: 30,
    retentionSeconds: 345_600,
    delaySeconds: 0,
    env: { variable: "COPILOT_QUEUE_URI" },
    subscriptions: [],
  });
  expect(workloadOf(minimal.worker).queue).not.toHaveProperty("deadLetter");
});

test("a queue has the settings of the manifest; its dead letters are kept 14 days in a queue of the same kind", () => {
  const { queue } = workerOf(
    "{ topics: [{ name: t, service: pub }], queue: { timeout: 90s, retention: 24h, delay: 1500ms, fifo: true, dead_letter: { tries: 3 } } }",
  );
  expect(queue).toMatchObject({
    resourceName: "shop-test-svc-EventsQueue.fifo",
    fifo: true,
    visibilityTimeoutSeconds: 90,
    retentionSeconds: 86_400,
    delaySeconds: 1,
    deadLetter: { tries: 3, resourceName: "shop-test-svc-DeadLetterQueue.fifo", retentionSeconds: 1_209_600 },
  });
});

test("tries: 0 gives a dead letter queue with 0 tries", () => {
  expect(
    workerOf("{ topics: [{ name: t, service: pub }], queue: { dead_letter: { tries: 0 } } }").queue
      ?.deadLetter,
  ).toMatchObject({ tries: 0 });
});

test("high_throughput is one limit per group and nothing more", () => {
  const { queue } = workerOf(
    "{ topics: [{ name: t, service: pub }], queue: { fifo: { high_throughput: true } } }",
  );
  expect(queue).toMatchObject({
    throughputLimit: "perMessageGroupId",
    deduplicationScope: "messageGroup",
    contentBasedDeduplication: false,
  });
});

test("any map under fifo makes a queue FIFO", () => {
  expect(
    workerOf("{ topics: [{ name: t, service: pub }], queue: { fifo: { high_throughput: false } } }").queue
      ?.fifo,
  ).toBe(true);
});

test("without topics the whole queue section is left out; with an empty list it is not", () => {
  expect(workerOf("{ queue: { fifo: true, dead_letter: { tries: 3 } } }").queue).toMatchObject({
    fifo: false,
  });
  expect(workerOf("{ queue: { dead_letter: { tries: 3 } } }").queue).not.toHaveProperty("deadLetter");
  expect(workerOf("{ topics: [], queue: { dead_letter: { tries: 3 } } }").queue?.deadLetter).toMatchObject({
    tries: 3,
  });
});

test("a subscription to the default queue is FIFO when that queue is", () => {
  const fifo = workerOf("{ topics: [{ name: ec-order, service: pub }], queue: { fifo: true } }").queue;
  expect(fifo?.subscriptions).toMatchObject([
    { topic: "shop-test-pub-ec-order.fifo", logicalId: "pubecorderfifoSNSTopicSubscription" },
  ]);
  const standard = workerOf("{ topics: [{ name: ec-order, service: pub }] }").queue;
  expect(standard?.subscriptions).toMatchObject([
    { topic: "shop-test-pub-ec-order", logicalId: "pubecorderSNSTopicSubscription" },
  ]);
});

test("a topic's own queue has its own kind, settings and key in COPILOT_TOPIC_QUEUE_URIS", () => {
  const { queue, topicQueues } = workerOf(
    "{ topics: [{ name: ec-order, service: pub, queue: { fifo: true, timeout: 1m, dead_letter: { tries: 2 } } }, { name: audit, service: pub, queue: true }], queue: { fifo: true } }",
  );
  expect(queue?.subscriptions).toEqual([]);
  expect(topicQueues).toMatchObject([
    {
      logicalId: "pubecorderfifoEventsQueue",
      resourceName: "shop-test-svc-pubecorderfifoEventsQueue.fifo",
      fifo: true,
      visibilityTimeoutSeconds: 60,
      deadLetter: { tries: 2, logicalId: "pubecorderfifoDeadLetterQueue" },
      env: { variable: "COPILOT_TOPIC_QUEUE_URIS", key: "pubEcorderfifoEventsQueue" },
      subscriptions: [{ topic: "shop-test-pub-ec-order.fifo" }],
    },
    { fifo: false, env: { key: "pubAuditEventsQueue" }, subscriptions: [{ topic: "shop-test-pub-audit" }] },
  ]);
});

test("a FIFO default queue and a standard topic with a queue of its own go together", () => {
  const files = together(
    "[{ name: a, fifo: true }, { name: b }]",
    "{ topics: [{ name: a, service: pub }, { name: b, service: pub, queue: true }], queue: { fifo: true } }",
  );
  expect(problemsOf(files)).toEqual([]);
});

test("a filter policy is taken as it is", () => {
  const { queue } = workerOf(
    "{ topics: [{ name: t, service: pub, filter_policy: { kind: [a, { prefix: b }], n: [{ numeric: ['>=', 1] }] } }] }",
  );
  expect(queue?.subscriptions[0]?.filterPolicy).toEqual({
    kind: ["a", { prefix: "b" }],
    n: [{ numeric: [">=", 1] }],
  });
});

test("delivery is in SNS's envelope unless a patch of that subscription makes it raw", () => {
  const files = together(
    "[{ name: a }, { name: b }]",
    "{ topics: [{ name: a, service: pub }, { name: b, service: pub }] }",
  );
  const patch =
    "- op: add\n  path: /Resources/pubaSNSTopicSubscription/Properties/RawMessageDelivery\n  value: true\n";
  const raw = (more: Record<string, string>) =>
    resolvedOf({ ...files, ...more }).topology.queues[0]?.subscriptions.map((s) => s.rawDelivery);
  expect(raw({})).toEqual([false, false]);
  expect(raw({ "copilot/svc/overrides/cfn.patches.yml": patch })).toEqual([true, false]);
  expect(raw({ "copilot/svc/overrides/cfn.patches.yml": patch.replace("true", "false") })).toEqual([
    false,
    false,
  ]);
});

test("patches are read through a link", () => {
  const files = together("[{ name: a }]", "{ topics: [{ name: a, service: pub }] }");
  const patch =
    "- op: add\n  path: /Resources/pubaSNSTopicSubscription/Properties/RawMessageDelivery\n  value: true\n";
  const { topology } = resolvedOf({
    ...files,
    "copilot/shared/cfn.patches.yml": patch,
    "copilot/svc/overrides": { link: "../shared" },
  });
  expect(topology.queues[0]?.subscriptions[0]?.rawDelivery).toBe(true);
});

test("a queue's name keeps SQS's limit of 80 characters, and its end", () => {
  const { queue } = workloadOf(
    `${minimal.worker}subscribe: { topics: [{ name: t, service: p2 }], queue: { fifo: true } }\n`,
    "e".repeat(90),
  );
  expect(queue?.resourceName).toHaveLength(80);
  expect(queue?.resourceName).toMatch(/-EventsQueue\.fifo$/);
});

test("the names of the variables that Copilot injects follow from type and manifest", () => {
  const always = [
    "COPILOT_APPLICATION_NAME",
    "COPILOT_ENVIRONMENT_NAME",
    "COPILOT_SERVICE_NAME",
    "COPILOT_SERVICE_DISCOVERY_ENDPOINT",
  ];
  expect(injectedVariables(workloadOf(minimal.backend))).toEqual(always);
  expect(injectedVariables(workloadOf(minimal.job))).toEqual(always);
  expect(injectedVariables(workloadOf(minimal.web))).toEqual([...always, "COPILOT_LB_DNS"]);
  expect(injectedVariables(workloadOf(`${minimal.backend}http: { path: a }\n`))).toEqual([
    ...always,
    "COPILOT_LB_DNS",
  ]);
  expect(injectedVariables(workloadOf(`${minimal.backend}publish: { topics: [{ name: a }] }\n`))).toEqual([
    ...always,
    "COPILOT_SNS_TOPIC_ARNS",
  ]);
  expect(injectedVariables(workloadOf(minimal.worker))).toEqual([...always, "COPILOT_QUEUE_URI"]);
  expect(injectedVariables(workerOf("{ topics: [{ name: a, service: pub, queue: true }] }"))).toContain(
    "COPILOT_TOPIC_QUEUE_URIS",
  );
  expect(
    injectedVariables(workloadOf(`${minimal.backend}storage: { volumes: { v: { path: /a } } }\n`)),
  ).toContain("COPILOT_MOUNT_POINTS");
});

test.each([
  ["FeedBucketName", "FEED_BUCKET_NAME"],
  ["UsersDDBTable", "USERS_DDB_TABLE"],
  ["Url2", "URL2"],
  ["MyDB2Url", "MY_DB2_URL"],
])("an addon's output %s becomes the variable %s", (output, variable) => {
  expect(outputVariable(output)).toBe(variable);
});
