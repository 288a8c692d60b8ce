import {
  type AddonStack,
  at,
  type Node,
  type Position,
  readPatches,
  textOf,
  type Workload,
  type Workspace,
} from "copilot-manifest";

/** A CloudWatch alarm that an addon or a patch makes. */
export interface Alarm {
  /** Without what every name begins with: application, environment, workload. */
  name: string;
  description: string;
  /** A deployment that makes it ring is rolled back. */
  rollsBack: boolean;
  at: Position;
}

const type = "AWS::CloudWatch::Alarm";

/** The alarms of a workload's stack: from its patches, and from its addons. */
export function alarmsOf(workspace: Workspace, workload: Workload, addons: AddonStack | undefined): Alarm[] {
  const rollback = rollbackAlarms(workload);
  const patched = readPatches(workspace.files, `copilot/${workload.name}`, []).flatMap((patch) => {
    if (patch.op !== "add" || textOf(at(patch.value, "Type")) !== type) return [];
    return [alarm(patch.path.split("/").at(-1) ?? "", at(patch.value, "Properties"), patch.at, rollback)];
  });
  return [...patched, ...alarmsIn(addons, rollback)];
}

/** The alarms of an addon stack. */
export function alarmsIn(addons: AddonStack | undefined, rollback: readonly string[] = []): Alarm[] {
  return [...(addons?.resources ?? [])].flatMap(([id, resource]) =>
    resource.type === type ? [alarm(id, resource.properties, resource.at, rollback)] : [],
  );
}

function alarm(
  id: string,
  properties: Node | undefined,
  place: Position,
  rollback: readonly string[],
): Alarm {
  const written = at(properties, "AlarmName");
  const name = withoutParameters(textOf(written) ?? textOf(at(written, "Fn::Sub")) ?? id);
  return {
    name,
    description: textOf(at(properties, "AlarmDescription")) ?? "",
    rollsBack: rollback.some((full) => full === name || full.endsWith(`-${name}`)),
    at: place,
  };
}

function withoutParameters(name: string): string {
  return name.replace(/^(?:\$\{[^}]+\}-?)+/, "");
}

/** The names in `deployment.rollback_alarms`. */
function rollbackAlarms({ manifest }: Workload): string[] {
  const { deployment } = manifest as { deployment?: { rollback_alarms?: unknown } };
  const alarms = deployment?.rollback_alarms;
  return Array.isArray(alarms) ? alarms.filter((name) => typeof name === "string") : [];
}
