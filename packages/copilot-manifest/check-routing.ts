import { at, itemsOf, textOf } from "./node.ts";
import type { Problem, Resolved, Workload, Workspace } from "./types.ts";
import { valueAt } from "./values.ts";

/** What the load balancer is told: names, zones and paths. */
export function checkRouting(workspace: Workspace, resolved: Resolved, problems: Problem[]): void {
  const manifest = workspace.environmentManifests.get(resolved.environment)?.root;
  for (const workload of resolved.workloads) {
    if (workload.type !== "Load Balanced Web Service" || !manifest) continue;
    const imports = [
      itemsOf(at(manifest, "http", "public", "certificates")).length > 0,
      textOf(at(manifest, "cdn", "certificate")) !== undefined,
    ];
    names(workload, resolved.environment, imports.includes(true), problems);
  }
  paths(resolved.workloads, problems);
}

interface Rule {
  at: (string | number)[];
  path: string;
  aliases: string[];
  zoned: boolean;
  /** From where: two rules may part the world between them. */
  sources: unknown;
}

function rulesOf({ manifest, http }: Workload): Rule[] {
  if (!http) return [];
  const more = valueAt(manifest, "http", "additional_rules");
  const written = [
    { place: ["http"], rule: manifest["http"] },
    ...(Array.isArray(more) ? more : []).map((rule: unknown, i) => ({
      place: ["http", "additional_rules", i],
      rule,
    })),
  ];
  return written.map(({ place, rule }) => {
    const alias = valueAt(rule, "alias");
    const all = alias === undefined ? [] : Array.isArray(alias) ? (alias as unknown[]) : [alias];
    const path = textAt(rule, "path") ?? "/";
    return {
      at: place,
      path: `/${path.replace(/^\/|\/$/g, "")}`,
      aliases: all.map((name) => String(valueAt(name, "name") ?? name)),
      sources: valueAt(rule, "allowed_source_ips"),
      zoned: all.some((name) => valueAt(name, "hosted_zone") !== undefined),
    };
  });
}

function textAt(value: unknown, ...path: string[]): string | undefined {
  const found = valueAt(value, ...path);
  return typeof found === "string" ? found : undefined;
}

/** An environment with certificates of its own takes only services with names; zones belong to such certificates. */
function names(workload: Workload, environment: string, imports: boolean, problems: Problem[]): void {
  if (imports && valueAt(workload.manifest, "nlb", "alias") !== undefined) {
    const message = `${environment} imports certificates, and ${workload.name} has an \`nlb.alias\`: Copilot refuses the two together.`;
    const hint = `Leave the alias out, or the certificates of ${environment}.`;
    problems.push({ rule: "alias", message, hint, ...workload.source(["nlb", "alias"]) });
  }
  // A load balancer of one's own has its certificates too, which are not described here.
  if (valueAt(workload.manifest, "http", "alb") !== undefined) return;
  for (const rule of rulesOf(workload)) {
    if (imports && rule.aliases.length === 0) {
      const message = `${environment} imports certificates, and ${workload.name} has no name there: Copilot refuses to deploy it.`;
      problems.push({
        rule: "alias",
        message,
        hint: "Write `alias` with a name of the certificate.",
        ...workload.source(rule.at),
      });
    }
    if (!imports && rule.zoned) {
      const message = `The alias of ${workload.name} has a \`hosted_zone\`, and ${environment} imports no certificates: Copilot refuses to deploy it.`;
      const hint = `Write \`http.public.certificates\` in the manifest of ${environment}, or leave the zone out.`;
      problems.push({ rule: "alias", message, hint, ...workload.source([...rule.at, "alias"]) });
    }
  }
}

/** Two services with the same name and path: one of them never gets a request. Without names each has its own. */
function paths(workloads: Workload[], problems: Problem[]): void {
  const taken = new Map<string, string>();
  for (const workload of workloads) {
    const balancer = textAt(workload.manifest, "http", "alb") ?? workload.type;
    for (const rule of rulesOf(workload)) {
      for (const alias of rule.aliases.filter((name) => !name.includes("${"))) {
        const key = JSON.stringify([balancer, alias.toLowerCase(), rule.path, rule.sources]);
        const other = taken.get(key);
        taken.set(key, workload.name);
        if (other === undefined) continue;
        const message = `${workload.name} and ${other} both answer ${rule.path} of ${alias}: one of the two never gets a request.`;
        const hint = "Give one of them another `path` or `alias`.";
        problems.push({ rule: "duplicate-path", message, hint, ...workload.source([...rule.at, "path"]) });
      }
    }
  }
}
