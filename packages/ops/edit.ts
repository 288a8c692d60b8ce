import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { definitionOf } from "@noren/events";
import { editParked } from "worker";
import { demandReason, fieldsOf, operate } from "./operate.ts";
import type { Intent } from "./operate.ts";
import { messageOf, messagesOf, pretty } from "./parked.ts";
import type { Place } from "./parked.ts";
import { Refusal } from "./refusal.ts";
import type { Target } from "./target.ts";

/** Where the new body comes from: a file, `-` for standard input, or undefined for the operator's editor. */
export type NewBody = { file?: string | undefined; variables: NodeJS.ProcessEnv };

/** Replaces the body of a parked message by what a person has made of it, if the event's schema accepts that. */
export async function edit(
  target: Target,
  place: Place & { n: string },
  from: NewBody,
  intent: Intent,
): Promise<void> {
  demandReason(target, intent);
  const { workload, groupId, n } = place;
  const { output } = intent;
  const before = messageOf(await messagesOf(target, place), place, target);
  const text = read(from, pretty(before.body));
  const body = compact(text);
  if (body === compact(before.body)) {
    output.note("Nothing was edited.");
    return;
  }
  prove(body);
  await operate(target, intent, async (client, record) => {
    let found;
    try {
      found = await editParked(client, { consumer: workload, groupId, n, body });
    } catch (error) {
      if ((error as { code?: string }).code !== undefined) throw error;
      throw new Refusal(`the edit is refused: ${(error as Error).message}`, undefined, { cause: error });
    }
    if (!found) throw new Refusal("it is not parked any more: somebody replayed or discarded it meanwhile.");
    if (found.body !== before.body) {
      throw new Refusal(
        "somebody else has edited it since you looked at it, and their edit was kept.",
        `pnpm ops parked look ${target.name} ${workload} ${groupId} ${n} shows it, pnpm ops log ${target.name} who it was.`,
      );
    }
    await record({
      action: "edit",
      workload,
      subject: found.eventId ?? groupId,
      detail: { group: groupId, type: found.type, before: found.body, after: body },
      // Whose event it was, and whose it is now.
      companies: { bodies: [found.body, body], action: "event.edited" },
    });
  });
  output.out(output.json ? body : pretty(body));
  if (!intent.dryRun) output.note(`Next: pnpm ops parked replay ${target.name} ${workload} ${groupId}`);
}

/** Refuses a body that its own schema refuses: the handler would see it no better. */
function prove(body: string): void {
  const { type = "" } = fieldsOf(body);
  let definition;
  try {
    const { version } = JSON.parse(body) as { version: number };
    definition = definitionOf({ type, version });
  } catch (error) {
    throw new Refusal(
      `the edit is refused: ${(error as Error).message}`,
      "packages/events has every event.",
      {
        cause: error,
      },
    );
  }
  try {
    definition.parse(JSON.parse(body));
  } catch (error) {
    throw new Refusal(`the edit is refused: it is no ${type}.\n  ${(error as Error).message}`, undefined, {
      cause: error,
    });
  }
}

function compact(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body));
  } catch {
    return body.trim();
  }
}

function read({ file, variables }: NewBody, before: string): string {
  if (file !== undefined) {
    try {
      return readFileSync(file === "-" ? 0 : file, "utf8");
    } catch (error) {
      throw new Refusal(`cannot read ${file}: ${(error as Error).message}`, undefined, { cause: error });
    }
  }
  const editor = variables["VISUAL"] ?? variables["EDITOR"] ?? "vi";
  const folder = mkdtempSync(join(tmpdir(), "ops-"));
  try {
    const draft = join(folder, "event.json");
    // It may hold names and addresses: nobody else may read it, and it is gone afterwards.
    writeFileSync(draft, `${before}\n`, { mode: 0o600 });
    const { status, error } = spawnSync(`${editor} "${draft}"`, { shell: true, stdio: "inherit" });
    if (error || status !== 0) throw new Refusal(`${editor} did not end well, so nothing was edited.`);
    return readFileSync(draft, "utf8");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
