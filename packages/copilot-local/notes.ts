import { text } from "./text.ts";

/** What a setup command wants the people at the dashboard to know. */
export interface Notes {
  title: string;
  /** From a line of JSON: `{"notes":[{"label":"…","value":"…"}]}`. */
  items: { label: string; value: string }[];
  /** Lines that are no JSON, as they were written. */
  text: string;
}

/** Reads the stdout of a setup command. Other JSON lines are its log and no note. Undefined when nothing is left. */
export function readNotes(title: string, stdout: string[]): Notes | undefined {
  const items: Notes["items"] = [];
  const plain: string[] = [];
  for (const line of stdout) {
    const entry = json(line);
    if (entry === undefined) plain.push(line);
    else if (Array.isArray(entry.notes)) {
      for (const note of entry.notes as { label?: unknown; value?: unknown }[]) {
        items.push({ label: text(note.label), value: text(note.value) });
      }
    }
  }
  const lines = plain.join("\n").trim();
  return items.length > 0 || lines !== "" ? { title, items, text: lines } : undefined;
}

function json(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
