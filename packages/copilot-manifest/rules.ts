import type { RuleSet } from "./types.ts";

export const setNames = ["recommended", "strict"] as const satisfies RuleSet[];

/** What Copilot or AWS refuses, ignores or loses without a word: wrong in every workspace. */
const recommended = {
  "no-workspace": "there is a `copilot/` folder",
  "no-application": "`copilot/.workspace` names the application",
  settings: "copilot-manifest.yml is understood",
  "exception-unused": "every exception still excepts something",
  yaml: "files are YAML",
  "second-document": "one document per file",
  "duplicate-key": "no key twice in one map",
  "unknown-key": "every key is one that Copilot reads",
  "unknown-type": "the type of a manifest exists",
  "unknown-environment": "sections and stages name environments that exist",
  "unknown-workload": "pipelines deploy workloads that exist",
  "unknown-dependency": "`depends_on` names what is deployed in the same stage",
  "unknown-reference": "addons refer to what their template has",
  "unknown-export": "`from_cfn` does not misspell an export of the workspace",
  "duplicate-export": "an export is made by one stack",
  type: "values have the type that Copilot reads",
  value: "values are within AWS's limits",
  missing: "what a section needs is there",
  name: "names are their folders' and of the form that Copilot takes",
  "name-limit": "names fit AWS's limits, environment and workload included",
  image: "`image` has a build or a location",
  size: "cpu and memory are a pair that Fargate has",
  count: "scaling has what it needs, and can be kept",
  http: "a web service has a way in",
  connect: "Service Connect has a port to name",
  container: "names of containers exist",
  volume: "volumes are complete",
  stage: "a stage does not exclude itself",
  schedule: "a schedule can be used",
  cycle: "nothing waits for itself: deployments, containers, resources",
  fifo: "FIFO settings agree with each other",
  "fifo-mismatch": "topic and queue are both FIFO, or neither",
  "no-publisher": "a subscription has a publisher",
  "duplicate-topic": "a topic is published and subscribed once",
  "queue-without-topics": "`subscribe.queue` has the `topics` without which Copilot drops it",
  "queue-retention": "a message lives longer than the scaling lets it wait",
  "override-ignored": "an environment's value takes effect",
  "reserved-variable": "the process does not contradict Copilot's own variables",
  "undefined-variable": "Copilot's own `${NAME}`s are not misspelt",
  "injected-variable": "what Copilot injects is not set as well",
  "duplicate-variable": "a name is a variable or a secret, not both",
  "undeclared-variable": "what the code requires, the manifest gives (with `code` in the settings)",
  "unread-variable": "what the manifest gives, the code reads (with `code` in the settings)",
  "unserved-health-path": "the code serves the path of its health check (with `code` in the settings)",
  "unread-code": "the scan of the code finds and understands it (with `code` in the settings)",
  "missing-file": "files that a build needs exist",
  patch: "a patch finds what it patches",
  mapping: "`Mappings` have a value for every environment",
  addon: "resources of addons have a type",
  "addon-conflict": "Copilot can merge the addon templates of a folder",
  "addon-parameter": "every parameter of an addon has a value",
  link: "symbolic links lead somewhere",
  alias: "web services have names where certificates are imported, and zones only there",
  "duplicate-path": "no two services answer the same path of the same name",
  "missing-permission": "who prolongs or counts messages in code may do so (with `code` in the settings)",
  "exec-readonly": "`exec` is not asked of a read-only file system, where it never works",
  "spot-arm": "Spot is not asked for on ARM, which Copilot refuses",
  "stop-timeout-limit": "the stop time-out is within Fargate's 120 s",
  "secret-value": "no key, token or password stands in a manifest",
} as const;

/** House rules: good in most workspaces, wrong in none that does without. */
const strict = {
  "readonly-fs": "`storage.readonly_fs: true`",
  placement: "`network.vpc.placement: private`; Copilot's default gives tasks public addresses",
  "no-exec": "no `exec` in production",
  "single-task": "services that others call have 2 tasks or more in production",
  "dead-letter": "each queue has `dead_letter.tries` between 3 and 10",
  "dead-letter-retention": "a standard queue keeps messages shorter than its dead letters live",
  "queue-retention-margin": "a message lives longer than all its tries may take",
  "queue-timeout-margin": "a queue's `timeout` is 3 times what a message may take",
  healthcheck: "services without a load balancer have `image.healthcheck`",
  "log-retention": "`logging.retention` is written",
  "rollback-alarms":
    "`deployment.rollback_alarms` is a list in production: the map's alarms do not see a backlog",
  spot: "Spot is for workers, and in production never for the first task",
  "job-limits": "jobs have `timeout` and `retries`",
  "secret-variable": "no variable whose name or value looks like a secret's",
  "secret-path": "secrets have a name of their own per environment",
  "account-id": "no account id",
  "flow-logs": "production logs its network's connections",
  "access-logs": "production logs its load balancer's requests",
  "ssl-policy": "production's load balancer takes TLS 1.2 and 1.3 only",
  "container-insights": "production has Container Insights",
  "health-path": "the load balancer's health check has a path of its own, not `/`",
  "deregistration-delay": "`http.deregistration_delay` is between 30 and 60 s",
  "stop-timeout": "services have 60 to 120 s between SIGTERM and SIGKILL",
  "raw-delivery": "subscriptions deliver the message itself, not SNS's envelope",
  "lambda-shape": "a workload has the same generated Lambdas in every environment, so that one patch fits",
  "null-override": "an environment's section has no empty value: it takes nothing away",
  "no-workspace-file": "`copilot/.workspace` is committed",
  "undescribed-environment": "sections and stages name environments that have a folder here",
  "vpc-reference": "addons of environments do not ask for Copilot's own network, which imported ones lack",
  "own-export": "addons of environments import nothing that their own environment exports",
  "local-template":
    "addons nest no template of their own folder: Copilot gives it an address that CloudFormation refuses",
  approval: "production is deployed after approval",
  "undeployed-workload": "an environment's pipelines deploy every workload",
  "deploy-order": "a pipeline deploys publishers before their subscribers",
} as const;

export type HouseRule = keyof typeof strict;

/** Every rule, and what it demands. */
export const rules: Record<RuleSet, Record<string, string>> = { recommended, strict };

export const ruleNames = [...Object.keys(recommended), ...Object.keys(strict)];

export function isRule(name: string): boolean {
  return ruleNames.includes(name);
}

export function isHouseRule(name: string): name is HouseRule {
  return Object.hasOwn(strict, name);
}
