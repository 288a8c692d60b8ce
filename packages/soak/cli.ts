import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { readWorkspace, resolve } from "copilot-manifest";
import { ledger } from "./ledger.ts";
import { play } from "./play.ts";
import type { Ending } from "./play.ts";
import { plants } from "./plants.ts";
import { shorten, suspects, tighten } from "./shorten.ts";
import { isFault, storyOf, tell } from "./story.ts";
import type { Step } from "./story.ts";

const usage = `pnpm soak [--minutes 5] [--seed 1] [--rate 5] [--faults 10]
  --minutes N   how long the story lasts
  --seed S      the same seed is the same story; without it, one is drawn and told
  --rate R      deeds per second
  --faults F    mean seconds between two faults; 0 for none
  --replay FILE plays a story that an earlier run has written
  --shorten M   after a failure, look for a shorter story for M minutes (10); 0 does not look
  --plant NAME  plants a bug first, to see that it is found: ${Object.keys(plants).join(", ")}
`;

const workloads = resolve(readWorkspace(join(import.meta.dirname, "../..")), "staging").workloads.toSorted(
  (a, b) => a.name.localeCompare(b.name),
);
/** Everything that takes part in what a story does; the web apps only pass requests on. The relay twice: all goes through it. */
const services = workloads
  .filter(({ type, name }) => type !== "Scheduled Job" && !name.endsWith("-web-app"))
  .flatMap(({ name }) => (name === "backend-outbox" ? [name, name] : [name]));
/** They find nothing broken and break nothing, whenever they run. */
const jobs = workloads.filter(({ type }) => type === "Scheduled Job").map(({ name }) => name);

const options = {
  minutes: { type: "string", default: "5" },
  seed: { type: "string" },
  rate: { type: "string", default: "5" },
  faults: { type: "string", default: "10" },
  replay: { type: "string" },
  shorten: { type: "string", default: "10" },
  plant: { type: "string" },
  help: { type: "boolean", default: false },
} as const;
const { values } = parsed();
if (values.help) {
  process.stdout.write(usage);
  process.exit(0);
}

const say = (text: string) => void process.stdout.write(`${text}\n`);
const seed = values.seed === undefined ? Math.floor(Math.random() * 1e6) : figure("seed");
const shortenMinutes = figure("shorten");
const steps = values.replay
  ? (JSON.parse(await readFile(values.replay, "utf8")) as Step[])
  : storyOf({
      seed,
      minutes: figure("minutes"),
      rate: figure("rate"),
      faultSeconds: figure("faults"),
      services,
      jobs,
    });

if (steps.length === 0)
  refuse("The story has no step: nothing would be proved. Give it more --minutes or --rate.");
say(`seed ${seed}: ${steps.length} steps, ${steps.filter(isFault).length} of them faults`);
const ending = await play(steps, { seed, plant: values.plant, say });
report(ending);
if (ending.violations.length > 0) {
  const shortest = await shortestOf(steps, ending);
  // Where the runner keeps its own data, which git does not see.
  const folder = join(import.meta.dirname, "../../.local");
  await mkdir(folder, { recursive: true });
  const path = join(folder, `soak-${seed}.json`);
  await writeFile(path, JSON.stringify(shortest));
  const file = relative(process.cwd(), path);
  say(`\nThe shortest story that was found to go wrong, ${shortest.length} of ${steps.length} steps:`);
  for (const step of shortest.slice(0, 60)) say(tell(step));
  if (shortest.length > 60) say(`… and ${shortest.length - 60} more`);
  const plant = values.plant ? ` --plant ${values.plant}` : "";
  say(`\nIt is kept in ${file}. Play it: pnpm soak --seed ${seed} --replay ${file}${plant}`);
  process.exitCode = 1;
}

/** First what happened around a deed that went wrong, then ever smaller parts of what still does. */
async function shortestOf(story: Step[], { violations }: Ending): Promise<Step[]> {
  const until = Date.now() + shortenMinutes * 60_000;
  const enough = () => Date.now() > until;
  let tries = 0;
  const fails = async (some: Step[]) => {
    tries += 1;
    const again = await play(tighten(some), { seed, plant: values.plant, settleMs: 90_000 });
    const wrong = again.violations.length > 0;
    say(`  try ${tries}: ${some.length} steps ${wrong ? "go wrong too" : "are fine"}`);
    return wrong;
  };
  const wrong = new Set(violations.flatMap(({ n }) => n ?? []));
  let start = story;
  for (const some of suspects(story, wrong, isFault)) {
    if (enough()) break;
    if (!(await fails(some))) continue;
    start = some;
    break;
  }
  return tighten(await shorten(start, fails, enough));
}

function report(ending: Ending): void {
  const { violations } = ending;
  say(`\n${ledger(ending)}`);
  for (const { law, what, n } of violations.slice(0, 40))
    say(`  ${law}: ${what}${n === undefined ? "" : ` (step #${n})`}`);
  if (violations.length > 40) say(`  … and ${violations.length - 40} more`);
}

function parsed() {
  try {
    return parseArgs({ options });
  } catch (error) {
    return refuse(`${(error as Error).message.split(". ")[0]}. pnpm soak --help says what there is.`);
  }
}

function figure(name: "minutes" | "seed" | "rate" | "faults" | "shorten"): number {
  const value = Number(values[name]);
  return value >= 0 ? value : refuse(`--${name} ${values[name]} is no number.`);
}

function refuse(message: string): never {
  process.stderr.write(`✘ ${message}\n`);
  process.exit(2);
}
