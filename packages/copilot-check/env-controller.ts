import type { CloudFormation, CustomRequest } from "./cloud-formation.ts";
import { LinkError } from "./link-error.ts";
import { validateReferences } from "./references.ts";
import type { Values } from "./template.ts";

/** The parameters of an environment's stack that list workloads, each of which switches a feature on. */
const lists = [
  "ALBWorkloads",
  "InternalALBWorkloads",
  "EFSWorkloads",
  "NATWorkloads",
  "AppRunnerPrivateWorkloads",
];

/**
 * What Copilot's custom-resource scripts do, without running them: EnvController adds the workload to the environment's
 * parameters and updates that stack (the load balancer and NAT gateways appear so), rule priorities count up, the desired
 * count is the manifest's. For linking, where no script is run; a rehearsal runs the real ones.
 */
export async function scriptless(request: CustomRequest, cloud: CloudFormation): Promise<{ data: Values }> {
  const { kind, resource } = request;
  const { properties, type } = resource;
  switch (type) {
    case "Custom::EnvControllerFunction":
      return { data: await controlEnvironment(kind, properties, cloud) };
    case "Custom::RulePriorityFunction": {
      const paths = Array.isArray(properties.RulePath) ? properties.RulePath.length : 1;
      const priority = (i: number) => (i === 0 ? "Priority" : `Priority${i}`);
      return { data: Object.fromEntries(Array.from({ length: paths }, (_, i) => [priority(i), i + 1])) };
    }
    case "Custom::DynamicDesiredCountFunction":
      return { data: { DesiredCount: Number(properties.DefaultDesiredCount) } };
    default:
      return { data: {} };
  }
}

async function controlEnvironment(kind: string, properties: Values, cloud: CloudFormation): Promise<Values> {
  const name = String(properties.EnvStack);
  const environment = cloud.find(name);
  if (!environment?.template) throw new LinkError(`There is no environment stack ${name}.`);
  const wanted = kind === "Delete" ? [] : ((properties.Parameters ?? []) as string[]);
  const workload = String(properties.Workload);
  const parameters = { ...environment.parameters };
  for (const list of lists) {
    const before = (parameters[list] ?? "").split(",").filter((item) => item !== "" && item !== workload);
    if (wanted.includes(list) && parameters[list] === undefined)
      throw new LinkError(`The environment stack ${name} has no parameter ${list}.`);
    if (parameters[list] !== undefined)
      parameters[list] = [...before, ...(wanted.includes(list) ? [workload] : [])].join(",");
  }
  if (JSON.stringify(parameters) !== JSON.stringify(environment.parameters)) {
    validateReferences(environment.template);
    await cloud.apply(environment, environment.template, parameters, environment.tags, "UPDATE");
    if (environment.failure)
      throw new LinkError(`The environment could not be updated: ${environment.failure.message}`);
  }
  return { ...environment.outputs };
}
