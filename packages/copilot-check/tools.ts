import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { execute } from "./copilot-cli.ts";
import { UserError } from "./user-error.ts";

/** SHA-256 of the official release 1.34.1, by platform. The Python package `copilot-bin` carries the same file. */
const releases: Record<string, string> = {
  "linux-x64": "620117da1445bceffecc51d7e73d1798938c4b68a242dc4eadd056aa48467a65",
  "linux-arm64": "cefb3400fdfd7a818ca33ef47ee6b81b09d8fdb010cb627ca7fc4ab991bced4b",
  "darwin-x64": "f465af30fde0e68bf0d6f25a7c27ef2782a36ced51b152e4b59ce7e9f1d950d6",
  "darwin-arm64": "f465af30fde0e68bf0d6f25a7c27ef2782a36ced51b152e4b59ce7e9f1d950d6",
};

export interface ToolFolders {
  /** Holds requirements.txt, package.json and package-lock.json. */
  tools: string;
  /** Where they are installed. */
  local: string;
}

type Say = (line: string) => void;

/** The folder of the programs of `requirements.txt`, installed if the file changed since. Needs Python 3.10 or newer. */
export async function pythonTools(folders: ToolFolders, say: Say): Promise<string> {
  return python(folders, say, {
    file: "requirements.txt",
    folder: "venv",
    what: "the CLI, cfn-lint and checkov into a Python environment of their own (about a minute)",
  });
}

/** The folder of the AWS CLI, in an environment of its own: it and checkov want different versions of the same library. */
export async function awsTools(folders: ToolFolders, say: Say): Promise<string> {
  return python(folders, say, { file: "aws-requirements.txt", folder: "aws", what: "the AWS CLI" });
}

async function python(
  { tools, local }: ToolFolders,
  say: Say,
  { file, folder, what }: { file: string; folder: string; what: string },
): Promise<string> {
  const requirements = join(tools, file);
  const venv = join(local, folder);
  const bin = join(venv, "bin");
  if (isInstalled(venv, [requirements])) return bin;
  say(`Installs ${what} …`);
  rmSync(venv, { recursive: true, force: true });
  const program = await findPython();
  await mustRun(
    program,
    ["-m", "venv", venv],
    "Debian keeps it in a package of its own: apt-get install python3-venv",
  );
  const install = [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--require-hashes",
    "-r",
    requirements,
  ];
  await mustRun(
    join(bin, "python"),
    install,
    `Its message is above. What is installed stands in ${requirements}.`,
  );
  markInstalled(venv, [requirements]);
  return bin;
}

async function findPython(): Promise<string> {
  const question = "import sys; print('%d.%d' % sys.version_info[:2]); sys.exit(sys.version_info < (3, 10))";
  const seen: string[] = [];
  for (const name of ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python"]) {
    const { code, stdout } = await execute(name, ["-c", question]);
    if (code === 0) return name;
    if (code === 1 && stdout !== "") seen.push(`${name} is ${stdout.trim()}`);
  }
  throw new UserError(
    `Python 3.10 or newer is needed for this check${seen.length > 0 ? ` (${seen.join(", ")})` : ""}.`,
    "Install it (https://www.python.org, or your system's python3 and python3-venv), and run the same command again.",
  );
}

/** The CLI's program, its SHA-256 compared with the official release's before anything runs it. */
export function copilotBinary(bin: string): string {
  const file = join(bin, "copilot");
  const platform = `${process.platform}-${process.arch}`;
  const expected = releases[platform];
  const hint =
    "The file must be the official release 1.34.1: remove the Python environment, and run the same command again.";
  if (expected === undefined)
    throw new UserError(`There is no Copilot CLI for ${platform}.`, "Run it on Linux or macOS.");
  if (!existsSync(file)) throw new UserError(`The Copilot CLI is not at ${file}.`, hint);
  const actual = createHash("sha256").update(readFileSync(file)).digest("hex");
  if (actual !== expected)
    throw new UserError(
      `${file} is not the official Copilot CLI: its SHA-256 is ${actual}, not ${expected}.`,
      hint,
    );
  return file;
}

/** `node_modules` of the tools that come from npm: scanners, and the clients that Lambda's runtime brings along. */
export async function nodeTools({ tools, local }: ToolFolders, say: Say): Promise<string> {
  const folder = join(local, "node-tools");
  const files = ["package.json", "package-lock.json"].map((name) => join(tools, name));
  const modules = join(folder, "node_modules");
  if (isInstalled(folder, files)) return modules;
  say("Installs the scanners from npm, and the AWS clients of Lambda's runtime …");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of ["package.json", "package-lock.json"])
    copyFileSync(join(tools, name), join(folder, name));
  await mustRun(
    "npm",
    ["ci", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", "--silent"],
    `npm's message is above.`,
  );
  markInstalled(folder, files);
  return modules;
}

async function mustRun(program: string, args: string[], hint: string): Promise<void> {
  // npm puts its own program before Node's; the Node that runs this must be the one that it finds.
  const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ""}` };
  const { code, stdout, stderr } = await execute(program, args, { env });
  if (code === 0) return;
  process.stderr.write(stdout + stderr);
  throw new UserError(`\`${program} ${args.slice(0, 3).join(" ")} …\` ended with exit code ${code}.`, hint);
}

const stamp = "installed-from";

function isInstalled(folder: string, sources: string[]): boolean {
  const file = join(folder, stamp);
  const expected = stampOf(sources);
  return existsSync(file) && readFileSync(file, "utf8") === expected;
}

function markInstalled(folder: string, sources: string[]): void {
  writeFileSync(join(folder, stamp), stampOf(sources));
}

function stampOf(sources: string[]): string {
  const hash = createHash("sha256");
  for (const source of sources) {
    if (!existsSync(source))
      throw new UserError(`${source} is missing.`, "It pins what this check installs.");
    hash.update(readFileSync(source));
  }
  return hash.digest("hex");
}
