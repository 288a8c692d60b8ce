import { join } from "node:path";
import { CloudFormation } from "./cloud-formation.ts";
import { runScripts, type ScriptRun } from "./custom-resources.ts";
import { emptyAccount } from "./empty-account.ts";
import { account } from "./names.ts";
import { answeredFirst } from "./operator-calls.ts";
import type { Answers } from "./protocols.ts";
import type { Setting } from "./setting.ts";
import { type Account, standIn, type StandIn } from "./stand-in.ts";

export interface RehearsedAccount {
  cloud: CloudFormation;
  /** What answers its calls. */
  answers: Account;
  aws: StandIn;
}

export interface RehearsedOptions {
  /** The AWS clients of Lambda's runtime, for the custom resources' scripts. */
  modules: string;
  /** A folder for what the scripts write. */
  scratch: string;
  /** Every run of a script is added here. */
  runs?: ScriptRun[];
  /** Why a resource of a stack cannot be made, where it shall not. */
  fail?: (stack: string, id: string) => string | undefined;
  /** Calls that people make beside the CLI. */
  beside?: (cloud: CloudFormation) => Answers;
}

/** An empty account in which stacks are carried out, with the custom resources' scripts on Node 24, at a loopback address. */
export async function rehearsedAccount(
  { workspace, region, config }: Setting,
  { modules, scratch, runs = [], fail, beside }: RehearsedOptions,
): Promise<RehearsedAccount> {
  // The scripts are started by the cloud, and call the address that is known only after it.
  let endpoint = "";
  const cloud = new CloudFormation({
    place: { region, account },
    custom: runScripts({ endpoint: () => endpoint, modules, scratch: join(scratch, "scripts"), runs }),
    ...(fail ? { fail } : {}),
  });
  const empty = emptyAccount(workspace, cloud, config);
  const answers = beside ? answeredFirst(beside(cloud), empty) : empty;
  const aws = await standIn(answers, region);
  endpoint = aws.endpoint;
  return { cloud, answers, aws };
}
