import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkAlarms } from "./alarms.ts";
import { agreeStep, compare, lambdasStep, linkStep, manifests, renderAll, renderStep } from "./check.ts";
import { gate, lintFiles } from "./lint.ts";
import { formatPlanted, type Found } from "./planted-document.ts";
import { plant, readPlanted, type Planted } from "./planted.ts";
import { rehearseDeploy } from "./rehearse-deploy.ts";
import type { Finding } from "./report.ts";
import { prepare, readSetting, type Setting } from "./setting.ts";
import { copilotBinary, nodeTools, pythonTools } from "./tools.ts";

type Say = (line: string) => void;

const document = "docs/planted-mistakes.md";

interface Tools {
  bin: string;
  modules: string;
  /** A folder for what the steps of one mistake write. */
  scratch: string;
}

/**
 * `copilot-check mistakes`: makes each mistake of the list in a copy of the workspace, and takes down what is said of it;
 * then the refusals of a rehearsal. Compares with the document, or writes it. Resolves to the exit code.
 */
export async function plantMistakes(
  setting: Setting,
  { update, say }: { update: boolean; say: Say },
): Promise<number> {
  const { folders, root } = setting;
  const { environment, mistakes } = readPlanted(join(folders.tools, "planted-mistakes.yml"));
  const bin = await pythonTools(folders, say);
  const modules = await nodeTools(folders, say);
  await prepare(setting);
  const print: Say = (line) => void process.stdout.write(`${line}\n`);
  const scratch = join(folders.local, "check", "mistakes");
  const found: Found[] = [];
  const failed: Finding[] = [];
  let last = { key: "", findings: [] as Finding[] };
  for (const planted of mistakes) {
    const start = performance.now();
    // The same file may hold several mistakes.
    const key = JSON.stringify([planted.step, planted.with, planted.files]);
    if (key !== last.key) {
      rmSync(scratch, { recursive: true, force: true });
      plant(planted, root, join(scratch, "workspace"));
      const tools = { bin, modules, scratch };
      last = { key, findings: await findingsOf(join(scratch, "workspace"), planted, environment, tools) };
    }
    const { findings } = last;
    const seen = findings.find(({ message, hint }) => `${message} ${hint}`.includes(planted.says));
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    print(`${seen ? "✔" : "✘"} ${planted.step.padEnd(9)} ${seconds.padStart(5)} s  ${planted.mistake}`);
    if (seen)
      found.push({
        step: planted.step,
        mistake: planted.mistake,
        planted: Object.keys(planted.files),
        finding: seen,
      });
    else
      failed.push({
        message: `${planted.mistake}: the step ${planted.step} says nothing of "${planted.says}", but: ${
          findings
            .map(({ message }) => message)
            .slice(0, 3)
            .join(" / ") || "nothing"
        }`,
      });
  }
  const rehearsal = await rehearseDeploy(setting, {
    environment,
    binary: copilotBinary(bin),
    modules,
    say: () => undefined,
  });
  for (const { command, mistake } of rehearsal.refusals) print(`✔ rehearsal          ${command}: ${mistake}`);
  failed.push(...rehearsal.findings);
  const text = formatPlanted(found, rehearsal.refusals);
  const path = join(root, document);
  const before = existsSync(path) ? readFileSync(path, "utf8") : "";
  if (update) {
    mkdirSync(join(root, "docs"), { recursive: true });
    writeFileSync(path, text);
  } else if (before !== text)
    failed.push({
      file: document,
      line: text.split("\n").findIndex((line, i) => line !== before.split("\n")[i]) + 1,
      message: "The document does not say what is said of these mistakes.",
      hint: "Read what changed, then write it anew: copilot-check mistakes --update",
    });
  for (const { file, line, message, hint } of failed)
    say(
      `✘ ${file === undefined ? "" : `${file}:${line ?? 1} `}${message}${hint === undefined ? "" : `\n  ${hint}`}`,
    );
  print(`${found.length + rehearsal.refusals.length} passed, ${failed.length} failed`);
  return failed.length === 0 ? 0 : 1;
}

/** What the step says that the mistake is for; the steps before it only as far as it needs them. */
async function findingsOf(
  root: string,
  { step, files, with: names }: Planted,
  environment: string,
  { bin, modules, scratch }: Tools,
): Promise<Finding[]> {
  const setting = await readSetting(root);
  setting.folders.local = scratch;
  if (step === "manifests") return manifests(setting).findings;
  if (step === "lint") return lintFiles(setting, Object.keys(files), { bin, modules }, join(scratch, "lint"));
  if (step === "gate") return (await gate(setting, { bin, modules })).findings;
  const rendering = await renderAll(setting, bin, { environment, names });
  if (step === "render") return renderStep(setting, rendering).findings;
  if (step === "compare") return compare(setting, rendering, false).findings;
  const linked = await linkStep(setting, rendering);
  if (step === "link") return linked.problems;
  if (step === "agree") return agreeStep(setting, linked).findings;
  if (step === "alarms") return checkAlarms(linked).findings;
  return (await lambdasStep(setting, linked, modules)).findings;
}
