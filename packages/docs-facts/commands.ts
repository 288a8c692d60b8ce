import type { CommandProblem } from "./command-problem.ts";
import { eventProblem } from "./command-event.ts";
import { copilotProblem } from "./command-copilot.ts";
import { fileProblem } from "./command-file.ts";
import { scriptProblem } from "./command-scripts.ts";
import type { Model } from "./model.ts";

/** What is wrong with a command that a document in `dir` tells people to type; undefined when nothing is known to be. */
export function commandProblem(
  model: Model,
  argv: readonly string[],
  dir: string,
): CommandProblem | undefined {
  // `LOG_LEVEL=debug copilot …`
  let start = 0;
  while (/^[A-Za-z_]\w*=/.test(argv[start] ?? "")) start++;
  const program = argv[start];
  const rest = argv.slice(start + 1);
  const problem =
    program === "copilot"
      ? copilotProblem(model, rest, dir)
      : (scriptProblem(model, program ?? "", rest, dir) ?? fileProblem(model, program ?? "", rest));
  if (problem)
    return { ...problem, ...(problem.word === undefined ? {} : { word: problem.word + start + 1 }) };
  return eventProblem(model, argv);
}
