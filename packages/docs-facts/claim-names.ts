import type { Claim } from "remark-lint-claude-md";
import type { Model } from "./model.ts";
import { nameOf } from "./tree.ts";

/** Inline code, or Japanese. */
const before = String.raw`\u{60}|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}、。・:(「] ?`;

/**
 * A workload's old name. Only where several are named alike (`worker-item`, `worker-order`) does another of the kind
 * look like one; what begins with a known name (`worker-item-errors`) belongs to it.
 */
export function nameClaims({ application, workloads, tree, sourced }: Model, files: string[]): Claim[] {
  const kinds = Map.groupBy(workloads, ({ name }) => /^[a-z][a-z0-9]*-/.exec(name)?.[0]);
  return [...kinds].flatMap(([prefix, own]): Claim[] => {
    const [first] = own;
    if (prefix === undefined || !first || own.length < 2) return [];
    // What all begin with is the project's name, which its buckets and repositories have, too.
    if (own.length === workloads.length || prefix === `${application}-`) return [];
    // Folders and files may be named alike without being workloads.
    const others = tree.files.flatMap((file) =>
      file
        .split("/")
        .filter((segment) => segment.startsWith(prefix))
        .map((segment) => nameOf(segment).replace(/\..*$/, "")),
    );
    const known = [...new Set([...own.map(({ name }) => name), ...others])];
    return [
      {
        type: "name",
        // Between English words, `worker-side` is one of them.
        pattern: new RegExp(
          String.raw`(?<=${before})(?!(?:${known.join("|")})(?![a-z0-9]))${prefix}[a-z][a-z0-9]*(?:-[a-z0-9]+)*(?![\w/.*<{-])`,
          "u",
        ),
        truth: sourced(
          own.map(({ name }) => name),
          first.any.source(["name"]),
        ),
        in: files,
      },
    ];
  });
}
