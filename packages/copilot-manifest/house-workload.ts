import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Found, Scene } from "./finding.ts";
import { stopTimeoutOf } from "./stop-timeout.ts";
import type { Workload } from "./types.ts";
import type { HouseRule } from "./rules.ts";
import { isOn, valueAt } from "./values.ts";

type Rule = (workload: Workload, scene: Scene) => Found[];

const none: Found[] = [];

/** House rules for what runs on ECS: services, workers and jobs. */
export const workloadRules: Partial<Record<HouseRule, Rule>> = {
  "readonly-fs": ({ name, manifest, platform }) => {
    if (/windows/i.test(platform) || isOn(valueAt(manifest, "storage", "readonly_fs"))) return none;
    const message = `The containers of ${name} can write to their own file system.`;
    const hint = "Write `storage: { readonly_fs: true }`, with a volume for what must be written.";
    return [{ path: ["storage", "readonly_fs"], message, hint }];
  },
  placement: ({ name, placement }) => {
    if (placement !== "public") return none;
    const message = `The tasks of ${name} get public addresses, which is Copilot's default.`;
    return [
      {
        path: ["network", "vpc", "placement"],
        message,
        hint: "Write `placement: private` under `network.vpc`.",
      },
    ];
  },
  "no-exec": ({ name, exec }, { production }) => {
    if (!production || !exec) return none;
    const message = `Anyone with \`ecs:ExecuteCommand\` has a shell in ${name}.`;
    return [{ path: ["exec"], message, hint: "Write `exec: false`; a map turns it on in any case." }];
  },
  "single-task": ({ name, type, count }, { production }) => {
    const serves = type === "Load Balanced Web Service" || type === "Backend Service";
    const smallest = typeof count === "number" ? count : count.min;
    if (!production || !serves || smallest >= 2) return none;
    const message = `${name} may run ${smallest === 1 ? "one task" : "no task"}: when it stops, nobody is left.`;
    const hint = "Write `count: 2`, or a `range` that begins with 2.";
    return [{ path: typeof count === "number" ? ["count"] : ["count", "range"], message, hint }];
  },
  healthcheck: ({ name, type, http, image }) => {
    const watched = type === "Scheduled Job" || http !== undefined || image.healthcheck !== undefined;
    if (watched) return none;
    const message = `Nothing tells ECS whether ${name} works: a task that hangs is never replaced, and a bad release passes the circuit breaker.`;
    const hint = "Write `image.healthcheck` with a `command`.";
    return [{ path: ["image", "healthcheck"], message, hint }];
  },
  "log-retention": ({ name, manifest }) => {
    const written = valueAt(manifest, "logging", "retention") ?? valueAt(manifest, "logging", "destination");
    if (written !== undefined) return none;
    const message = `${name} does not say how long its logs are kept; Copilot's default is 30 days.`;
    return [{ path: ["logging"], message, hint: "Write `logging: { retention: <days> }`." }];
  },
  "rollback-alarms": ({ name, type, manifest }, { production }) => {
    if (type === "Scheduled Job") return none;
    const path = ["deployment", "rollback_alarms"];
    const alarms = valueAt(manifest, ...path);
    if (Array.isArray(alarms) && alarms.length > 0) return none;
    const hint = "Write a list with the names of alarms of your own (oldest message, dead letters, errors).";
    if (alarms !== undefined && !Array.isArray(alarms)) {
      const message = `The alarms that Copilot makes for ${name} see processor, memory and delayed messages, not a backlog.`;
      return [{ path, message, hint }];
    }
    const message = `No alarm rolls a bad release of ${name} back.`;
    return production ? [{ path, message, hint }] : none;
  },
  spot: (workload, { production }) => {
    const { name, type, count, manifest } = workload;
    const [spot, from] = [
      valueAt(manifest, "count", "spot"),
      valueAt(manifest, "count", "range", "spot_from"),
    ];
    if (spot === undefined && from === undefined) return none;
    const path = spot === undefined ? ["count", "range", "spot_from"] : ["count", "spot"];
    if (type !== "Worker Service") {
      const message = `${name} answers others, and its tasks may be taken away with two minutes' notice.`;
      return [{ path, message, hint: "Use Spot for workers only: their queue waits." }];
    }
    const first = typeof count === "number" ? 1 : count.spotFrom;
    if (!production || (first ?? 2) >= 2) return none;
    const message = `Every task of ${name} runs on Spot: AWS may take all of them away at once.`;
    return [{ path, message, hint: "Write `spot_from: 2` or more under `count.range`." }];
  },
  "job-limits": ({ name, type, manifest }) => {
    if (type !== "Scheduled Job") return none;
    const found: Found[] = [];
    if (manifest["timeout"] === undefined) {
      const message = `A run of ${name} that hangs is never ended.`;
      found.push({ path: ["on"], message, hint: "Write `timeout`, like 30m." });
    }
    if (manifest["retries"] === undefined) {
      const message = `${name} does not say how often a failed run starts again; Copilot's default is never.`;
      found.push({ path: ["on"], message, hint: "Write `retries`, 0 included." });
    }
    return found;
  },
  "health-path": ({ name, http }) => {
    if (http?.healthcheckPath !== "/") return none;
    const message = `The load balancer asks \`/\` of ${name}: a page that does other work, and may be redirected.`;
    const hint = "Write `http.healthcheck` with a path that only says that the process answers.";
    return [{ path: ["http", "healthcheck"], message, hint }];
  },
  "deregistration-delay": ({ name, http }) => {
    const seconds = http?.deregistrationDelaySeconds ?? 60;
    if (seconds >= 30 && seconds <= 60) return none;
    const what = seconds < 30 ? "cuts requests that still run" : "makes every deployment wait";
    const message = `${name} leaves the load balancer after ${seconds} s, which ${what}.`;
    const hint = "Write `deregistration_delay` between 30s and 60s.";
    return [{ path: ["http", "deregistration_delay"], message, hint }];
  },
  "stop-timeout": (workload, { workspace }) => {
    const { name, type } = workload;
    // An override program may set it, and only running it would tell.
    const program = existsSync(join(workspace.root, "copilot", name, "overrides", "cdk.json"));
    const stop = stopTimeoutOf(workspace, workload);
    if (type === "Scheduled Job" || program || (stop && stop.seconds >= 60)) return none;
    const hint = `Set StopTimeout between 60 and 120: a patch of copilot/${name}/overrides/cfn.patches.yml at /Resources/TaskDefinition/Properties/ContainerDefinitions/0/StopTimeout, or \`taskdef_overrides\`.`;
    const message = `${name} is killed ${stop?.seconds ?? 30} s after SIGTERM.`;
    return [{ path: [], message, hint }];
  },
  "secret-path": ({ name, secrets }, { resolved, environment }) => {
    const found: Found[] = [];
    const prefix = `/copilot/${resolved.application}/${environment}/secrets/`;
    for (const [key, secret] of Object.entries(secrets)) {
      const written = "ssm" in secret ? secret.ssm : "secretsManager" in secret ? secret.secretsManager : "";
      const own =
        "ssm" in secret ? written.startsWith(prefix) : written === "" || written.includes(environment);
      if (own || written.includes("${")) continue;
      const message = `${name} reads ${key} from a name that is not ${environment}'s own: ${written}.`;
      const hint =
        "Write /copilot/${COPILOT_APPLICATION_NAME}/${COPILOT_ENVIRONMENT_NAME}/secrets/NAME, as `copilot secret init` makes it.";
      found.push({ path: ["secrets", key], message, hint });
    }
    return found;
  },
};
