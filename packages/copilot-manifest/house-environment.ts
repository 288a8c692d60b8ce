import type { Finding } from "./finding.ts";
import { at, isNull, positionOf, textOf } from "./node.ts";
import { isFalse } from "./read-workload.ts";
import type { HouseRule } from "./rules.ts";
import type { MapNode, Node, Workspace } from "./types.ts";

interface Demand {
  rule: HouseRule;
  path: string[];
  message: string;
  hint: string;
  /** Whether the environment can be asked for it. */
  applies: (root: MapNode, workspace: Workspace) => boolean;
}

const balanced = (_root: MapNode, { workloads }: Workspace) =>
  [...workloads.values()].some(({ type }) => type === "Load Balanced Web Service");

const demands: Demand[] = [
  {
    rule: "flow-logs",
    path: ["network", "vpc", "flow_logs"],
    message: "Nobody can say afterwards who spoke with whom in the network of",
    hint: "Write `flow_logs: { retention: <days> }` under `network.vpc`.",
    // An imported network is logged, or not, by whoever owns it.
    applies: (root) => !isWritten(at(root, "network", "vpc", "id")),
  },
  {
    rule: "access-logs",
    path: ["http", "public", "access_logs"],
    message: "The requests to the load balancer leave no trace in",
    hint: "Write `access_logs: true` under `http.public`.",
    applies: balanced,
  },
  {
    rule: "ssl-policy",
    path: ["http", "public", "ssl_policy"],
    message: "The load balancer takes AWS's policy of 2016, TLS 1.0 included, in",
    hint: "Write `ssl_policy: ELBSecurityPolicy-TLS13-1-2-2021-06` under `http.public`.",
    applies: balanced,
  },
  {
    rule: "container-insights",
    path: ["observability", "container_insights"],
    message: "There are no figures of single tasks and their restarts in",
    hint: "Write `container_insights: true` under `observability`.",
    applies: () => true,
  },
];

/** What an environment that people live from has to switch on. */
export function environmentFindings(workspace: Workspace, production: string[]): Finding[] {
  return production.flatMap((name) => {
    const root = workspace.environmentManifests.get(name)?.root;
    if (!root) return [];
    return demands
      .filter(({ path, applies }) => applies(root, workspace) && !isWritten(at(root, ...path)))
      .map(({ rule, path, message, hint }) => ({
        rule,
        message: `${message} ${name}.`,
        hint,
        environment: name,
        ...positionOf(root, path),
      }));
  });
}

function isWritten(node: Node | undefined): boolean {
  return node !== undefined && !isNull(node) && !isFalse(node) && textOf(node) !== "";
}
