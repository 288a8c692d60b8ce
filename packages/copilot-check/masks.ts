/**
 * What differs between two renderings of the same workspace, or only repeats it, replaced by words. Lines stay lines, so
 * that a place in the masked text is a place in the template.
 *
 * - `UpdateID`: a UUID, new each time.
 * - Keys of uploaded addon templates and code: hashes of content that is in git itself.
 * - The manifest that Copilot copies into `Metadata`: a comment in it is no change of the infrastructure.
 */
export function mask(template: string): string {
  return withoutManifest(template)
    .replaceAll(/^(\s*(?:UpdateID|LastForceDeployID):) \S+$/gm, "$1 (new in every rendering)")
    .replaceAll(/(manual\/addons\/[\w-]+\/assets\/)[0-9a-f]{64}/g, "$1(hash of the code)")
    .replaceAll(/(manual\/addons\/[\w-]+\/)[0-9a-f]{64}(\.ya?ml)/g, "$1(hash of the template)$2");
}

function withoutManifest(template: string): string {
  const lines = template.split("\n");
  const start = lines.findIndex((line) => /^ +Manifest: [|>][-+]?\d*$/.test(line));
  if (start < 0 || !lines.slice(0, start).includes("Metadata:")) return template;
  const indent = /^ */.exec(lines[start] ?? "")?.[0].length ?? 0;
  const rest = lines.slice(start + 1);
  const length = rest.findIndex(
    (line) => line.trim() !== "" && (/^ */.exec(line)?.[0].length ?? 0) <= indent,
  );
  const end = length < 0 ? lines.length : start + 1 + length;
  return [
    ...lines.slice(0, start),
    `${" ".repeat(indent)}Manifest: (as in copilot/)`,
    ...lines.slice(end),
  ].join("\n");
}
