import { expect, test } from "vitest";
import { minimal, workloadOf } from "./testing.ts";

test("what is not written has Copilot's defaults", () => {
  expect(workloadOf(minimal.backend)).toMatchObject({
    cpu: 256,
    memory: 512,
    count: 1,
    placement: "public",
    platform: "linux/x86_64",
    logRetentionDays: 30,
    exec: false,
    variables: {},
    secrets: {},
    publishes: [],
  });
});

test("App Runner has a size of its own", () => {
  expect(workloadOf(minimal.appRunner)).toMatchObject({ cpu: 1024, memory: 2048 });
});

test("there is no container health check unless one is given, and what is left out of it has defaults", () => {
  expect(workloadOf(minimal.backend).image.healthcheck).toBeUndefined();
  const manifest = `${minimal.backend}  healthcheck:\n    command: [CMD, "true"]\n    timeout: 2500ms\n`;
  expect(workloadOf(manifest).image.healthcheck).toEqual({
    command: ["CMD", "true"],
    intervalSeconds: 10,
    timeoutSeconds: 2,
    retries: 2,
    startPeriodSeconds: 0,
  });
});

test("the load balancer checks / after 60 seconds, and drains for 60, unless told otherwise", () => {
  expect(workloadOf(minimal.web).http).toEqual({
    path: "/",
    healthcheckPath: "/",
    alias: [],
    gracePeriodSeconds: 60,
    deregistrationDelaySeconds: 60,
  });
  const manifest = `${minimal.web}  healthcheck:\n    path: health\n    port: 8081\n    grace_period: 10s\n  alias: [a.example.com, b.example.com]\n  target_port: 8081\n`;
  expect(workloadOf(manifest).http).toMatchObject({
    healthcheckPath: "/health",
    healthcheckPort: 8081,
    gracePeriodSeconds: 10,
    alias: ["a.example.com", "b.example.com"],
    targetPort: 8081,
  });
});

test.each([
  ["Dockerfile", { dockerfile: "Dockerfile", context: "." }],
  ["web/Dockerfile", { dockerfile: "web/Dockerfile", context: "web" }],
  ["{ dockerfile: web/Dockerfile, context: . }", { dockerfile: "web/Dockerfile", context: "." }],
  ["{ context: ./web }", { dockerfile: "web/Dockerfile", context: "web" }],
  ["{ args: { WORKLOAD: a } }", { dockerfile: "Dockerfile", context: ".", args: { WORKLOAD: "a" } }],
])("image.build: %s is found where Copilot looks for it", (build, expected) => {
  const manifest = `name: svc\ntype: Backend Service\nimage:\n  build: ${build}\n`;
  expect(workloadOf(manifest).image.build).toEqual({ args: {}, ...expected });
});

test("Service Connect is off unless written, names the service by itself, and without a port it is a client only", () => {
  const connect = (connectText: string, port: string) => {
    return workloadOf(`${minimal.backend}${port}network:\n  connect: ${connectText}\n`).connect;
  };
  expect(workloadOf(minimal.backend).connect).toBeUndefined();
  expect(connect("true", "  port: 80\n")).toEqual({ alias: "svc", port: 80 });
  expect(connect("{ alias: api }", "  port: 80\n")).toEqual({ alias: "api", port: 80 });
  expect(connect("true", "")).toEqual({});
  expect(connect("false", "  port: 80\n")).toBeUndefined();
});

test("services have a discovery name, jobs have none", () => {
  expect(workloadOf(minimal.worker).discoveryName).toBe("svc.test.shop.local");
  expect(workloadOf(minimal.job).discoveryName).toBeUndefined();
});

test("count is a number, or a range with its metrics", () => {
  const count = (text: string) => workloadOf(`${minimal.worker}count: ${text}\n`).count;
  expect(count("3")).toBe(3);
  expect(count("{ range: 1-4, cpu_percentage: 70 }")).toEqual({ min: 1, max: 4, cpuPercentage: 70 });
  expect(count("{ range: { min: 2, max: 8, spot_from: 3 }, memory_percentage: { value: 60 } }")).toEqual({
    min: 2,
    max: 8,
    spotFrom: 3,
    memoryPercentage: 60,
  });
  expect(count("{ spot: 2 }")).toBe(2);
});

test("queue_delay aims at the latency divided by the time for one message, rounded up", () => {
  const count = workloadOf(
    `${minimal.worker}count: { range: 1-4, queue_delay: { acceptable_latency: 1m, msg_processing_time: 7s } }\n`,
  ).count;
  expect(count).toMatchObject({ queueDelayTarget: 9 });
});

test("variables and secrets are told apart by where they come from", () => {
  const manifest = `${minimal.backend}variables:\n  A: 10\n  B: { from_cfn: x }\n  C:\nsecrets:\n  S: /ssm\n  T: { secretsmanager: name }\n  U: { from_cfn: y }\n`;
  const { variables, secrets } = workloadOf(manifest);
  expect(variables).toEqual({ A: { value: "10" }, B: { fromCfn: "x" }, C: { value: "" } });
  expect(secrets).toEqual({ S: { ssm: "/ssm" }, T: { secretsManager: "name" }, U: { fromCfn: "y" } });
});

test("a number in a variable keeps its spelling", () => {
  expect(workloadOf(`${minimal.backend}variables: { A: 1.10, B: 007, C: yes }\n`).variables).toEqual({
    A: { value: "1.10" },
    B: { value: "007" },
    C: { value: "yes" },
  });
});

test("command and entrypoint given as text are split like a shell", () => {
  const { command, entrypoint } = workloadOf(
    `${minimal.backend}command: node -e "1 + 1"\nentrypoint: [a, b c]\n`,
  );
  expect(command).toEqual(["node", "-e", "1 + 1"]);
  expect(entrypoint).toEqual(["a", "b c"]);
});

test("placement and security groups take all their forms", () => {
  const network = (text: string) => workloadOf(`${minimal.backend}network: { vpc: ${text} }\n`);
  expect(network("{ placement: private }").placement).toBe("private");
  expect(network("{ placement: { subnets: [a, b] } }").placement).toEqual({ ids: ["a", "b"] });
  expect(network("{ security_groups: [sg-1, { from_cfn: x }] }").securityGroups).toEqual([
    "sg-1",
    { fromCfn: "x" },
  ]);
  expect(network("{ security_groups: { groups: [sg-1], deny_default: true } }").securityGroups).toEqual([
    "sg-1",
  ]);
});

test("exec is on for true, for Go's other words for it, and for any map", () => {
  const exec = (text: string) => workloadOf(`${minimal.backend}exec: ${text}\n`).exec;
  expect([exec("true"), exec("yes"), exec("{ enable: false }")]).toEqual([true, true, true]);
  expect([exec("false"), exec("no")]).toEqual([false, false]);
});

test("a job has its schedule, its time limit and its retries; 0 retries are none", () => {
  const job = workloadOf(`${minimal.job}timeout: 1h30m\nretries: 2\n`);
  expect(job).toMatchObject({ schedule: { cron: "0 0 * * *" }, timeoutSeconds: 5400, retries: 2 });
  expect(workloadOf(`${minimal.job}retries: 0\n`).retries).toBeUndefined();
});

test("the whole merged manifest is there as plain values", () => {
  const { manifest } = workloadOf(
    `${minimal.backend}storage: { readonly_fs: true }\nenvironments: { test: { cpu: 512 } }\n`,
  );
  expect(manifest).toEqual({
    name: "svc",
    type: "Backend Service",
    image: { build: "Dockerfile" },
    storage: { readonly_fs: true },
    cpu: 512,
  });
});
