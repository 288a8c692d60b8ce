import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { CloudFormation } from "./cloud-formation.ts";
import { runPhases, type Buildspec } from "./code-build.ts";
import { copilotCli, offline, reasonOf } from "./copilot-cli.ts";
import { LinkError } from "./link-error.ts";
import { stackNames } from "./names.ts";
import { oneOffTasks, type OneOffTask } from "./one-off-tasks.ts";
import { operatedAccount, operatorCalls } from "./operator-calls.ts";
import { outside } from "./outside.ts";
import { programs } from "./programs.ts";
import { validateReferences } from "./references.ts";
import { makeApplication, makeEnvironment } from "./rehearse-deploy.ts";
import type { Finding } from "./report.ts";
import { deniedActions } from "./role-actions.ts";
import type { Setting } from "./setting.ts";
import type { StandIn } from "./stand-in.ts";
import { parseTemplate, type Template, type Values } from "./template.ts";
import { rehearsedAccount } from "./rehearsed-account.ts";

export interface StageOptions {
  pipeline: string;
  /** The pipeline's own template, as rendered. */
  template: string;
  /** The source, with what the build made in it. */
  checkout: string;
  /** What the build uploaded, by `bucket/key`. */
  objects: Map<string, Buffer>;
  revision: string;
  scratch: string;
  /** The Copilot CLI. */
  binary: string;
  /** Folder of the AWS CLI. */
  aws: string;
  /** The AWS clients of Lambda's runtime. */
  modules: string;
  say: (line: string) => void;
}

interface Action {
  order: number;
  name: string;
  configuration: Values;
  inputs: string[];
}

/**
 * The stages after Build in an account where application and environment are what the CLI made of them: CloudFormation
 * actions with the build's artifacts, CodeBuild actions with the real `aws`, in their order. First with one-off tasks that
 * fail: then nothing may be deployed.
 */
export async function rehearseStages(setting: Setting, options: StageOptions): Promise<Finding[]> {
  const { workspace, region, config, variables } = setting;
  const { pipeline, checkout, scratch, say } = options;
  const state = operatedAccount();
  if (config.permissionsBoundary !== undefined) state.policies.add(config.permissionsBoundary);
  const tasks: OneOffTask[] = [];
  let exitCode = 3;
  const {
    cloud,
    answers: operated,
    aws,
  } = await rehearsedAccount(setting, {
    modules: options.modules,
    scratch,
    beside: (made) => ({
      ...operatorCalls(made, state),
      ...oneOffTasks(made, { tasks, exitCode: () => exitCode }),
    }),
  });
  const seen = await outside(cloud, operated);
  try {
    const place = join(scratch, "account");
    const cli = copilotCli(aws, { binary: options.binary, root: checkout, scratch: place, region });
    const template = parseTemplate("pipeline", options.template);
    const stages = stagesOf(template);
    for (const args of [
      makeApplication(setting),
      ...stages.flatMap(({ environment }) => makeEnvironment(environment, region)),
      ...[...workspace.workloads.values()].map(({ name, type }) => [
        type === "Scheduled Job" ? "job" : "svc",
        "init",
        "--name",
        name,
      ]),
    ]) {
      const run = await cli.run(args, variables);
      if (run.code !== 0)
        return [{ message: `The account cannot be prepared: copilot ${args.join(" ")}: ${reasonOf(run)}` }];
    }
    for (const [key, object] of options.objects) cloud.objects.set(key, object);
    const PATH = programs({
      folder: join(scratch, "programs"),
      copilot: cli.script(variables),
      awsProgram: join(options.aws, "aws"),
      aws: offline(aws, {
        cert: join(place, "cert.pem"),
        home: join(place, "home"),
        region,
        path: options.aws,
      }),
      outside: seen.url,
      docker: join(place, "bin"),
      root: checkout,
    });
    const run = async (report: (line: string) => void): Promise<Finding[]> => {
      for (const { environment, actions } of stages)
        for (const action of actions) {
          const { configuration } = action;
          const refused =
            configuration.TemplatePath !== undefined
              ? await deployStack(cloud, checkout, configuration)
              : configuration.ProjectName === undefined
                ? undefined
                : await build(action, template, { ...options, region, PATH, calls: aws.calls, say: report });
          report(`${refused === undefined ? "✔" : "✘"} ${environment}  ${action.order}  ${action.name}`);
          if (refused !== undefined) return [{ message: `${action.name}: ${refused}` }];
        }
      return [];
    };
    const failed = await run(() => undefined);
    const left = [...workspace.workloads.keys()].filter((name) =>
      stages.some(({ environment }) =>
        cloud.find(stackNames.workload(workspace.application, environment, name)),
      ),
    );
    const findings: Finding[] = [];
    if (tasks.length > 0) {
      say(`✔ a one-off task that fails stops the pipeline ${pipeline}: ${left.length} workloads deployed`);
      if (failed.length === 0) findings.push({ message: `A one-off task failed, and ${pipeline} went on.` });
      if (left.length > 0)
        findings.push({ message: `After the failed task ${pipeline} deployed ${left.join(", ")}.` });
    }
    exitCode = 0;
    return [...findings, ...(await run(say))];
  } finally {
    await seen.close();
    await aws.close();
  }
}

/** The stages that deploy, with their actions by run order, approvals included. */
function stagesOf({ Resources }: Template): { environment: string; actions: Action[] }[] {
  const pipeline = Object.values(Resources).find(({ Type }) => Type === "AWS::CodePipeline::Pipeline");
  const stages = (pipeline?.Properties?.Stages ?? []) as {
    Name: string;
    Actions?: {
      Name: string;
      RunOrder?: number;
      Configuration?: Values;
      InputArtifacts?: { Name: string }[];
    }[];
  }[];
  return stages
    .filter(({ Name }) => Name.startsWith("DeployTo-"))
    .map(({ Name, Actions = [] }) => ({
      environment: Name.slice("DeployTo-".length),
      actions: Actions.map(({ Name: name, RunOrder = 1, Configuration = {}, InputArtifacts = [] }) => ({
        name,
        order: RunOrder,
        configuration: Configuration,
        inputs: InputArtifacts.map((artifact) => artifact.Name),
      })).toSorted((a, b) => a.order - b.order),
    }));
}

/** A CloudFormation action; resolves to why it is refused. */
async function deployStack(
  cloud: CloudFormation,
  artifacts: string,
  configuration: Values,
): Promise<string | undefined> {
  const [template, parameters] = [configuration.TemplatePath, configuration.TemplateConfiguration].map(
    (path) => join(artifacts, String(path).replace(/^[^:]*::/, "")),
  ) as [string, string];
  for (const file of [template, parameters])
    if (!existsSync(file))
      return `it needs ${file.slice(artifacts.length + 1)}, which the build did not make.`;
  const { Parameters = {}, Tags = {} } = JSON.parse(readFileSync(parameters, "utf8")) as Record<
    string,
    Record<string, string> | undefined
  >;
  const name = String(configuration.StackName);
  const stack = cloud.find(name) ?? cloud.create(name, Tags);
  try {
    const parsed = cloud.template(name, readFileSync(template, "utf8"));
    validateReferences(parsed);
    await cloud.apply(stack, parsed, cloud.parameters(parsed, Parameters), Tags, "CREATE");
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    stack.failure = error;
  }
  return stack.failure && `${stack.failure.path.join("/")}: ${stack.failure.message}`;
}

/** A CodeBuild action: its project's buildspec, a file of the source or written in the project itself. */
async function build(
  { configuration, inputs }: Action,
  { Resources }: Template,
  options: StageOptions & { region: string; PATH: string; calls: StandIn["calls"] },
): Promise<string | undefined> {
  const { checkout } = options;
  if (inputs.length > 1 && configuration.PrimarySource === undefined)
    return "it has several input artifacts and no PrimarySource, which CodePipeline refuses.";
  const id = (configuration.ProjectName as Values | undefined)?.Ref;
  const { Source, Environment, ServiceRole } = (Resources[String(id)]?.Properties ?? {}) as {
    Source?: { BuildSpec?: string };
    ServiceRole?: { "Fn::GetAtt"?: string | string[] };
    Environment?: { EnvironmentVariables?: { Name: string; Value: unknown }[] };
  };
  const written = String(Source?.BuildSpec);
  const inline = written.includes("\n");
  if (!inline && !existsSync(join(checkout, written))) return `there is no buildspec ${written} in git.`;
  const given = (Environment?.EnvironmentVariables ?? []).filter(({ Value }) => typeof Value === "string");
  const before = options.calls.length;
  const failed = await runPhases(
    parse(inline ? written : readFileSync(join(checkout, written), "utf8")) as Buildspec,
    {
      ...options,
      instead: {},
      variables: {
        ...Object.fromEntries(given.map(({ Name, Value }) => [Name, String(Value)])),
        // The first artifact is the source; here the others lie in the same place.
        ...Object.fromEntries(inputs.slice(1).map((name) => [`CODEBUILD_SRC_DIR_${name}`, checkout])),
        PATH: options.PATH,
      },
    },
  );
  // `ecs.<region>.amazonaws.com` is asked for RunTask: ecs:RunTask.
  const asked = options.calls
    .slice(before)
    .map(({ host, operation }) => `${host.split(".")[0]}:${operation}`);
  const role = [ServiceRole?.["Fn::GetAtt"] ?? ""].flat()[0]?.split(".")[0] ?? "";
  const denied = deniedActions({ Resources } as Template, role, asked);
  return failed ?? (denied.length === 0 ? undefined : `its role ${role} allows no ${denied.join(", ")}.`);
}
