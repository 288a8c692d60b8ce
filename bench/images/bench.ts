import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Builder } from "./builder.ts";
import { bundled, entriesOf, imagesOf, sizeOf, startOf } from "./bundles.ts";
import { table, type Row } from "./table.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "7" },
    "no-images": { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});
const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "noren-images-"));

try {
  process.exitCode = main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function main(): number {
  const asked = imagesOf(root).filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const unknown = positionals.filter((name) => !asked.some((image) => image.name === name));
  if (unknown.length > 0)
    throw new Error(`No manifest in copilot/ builds an image for ${unknown.join(", ")}.`);
  const why = values["no-images"] ? "--no-images was given" : Builder.missing();
  const builder = why === undefined ? new Builder(root, join(folder, "storage")) : undefined;
  process.stderr.write(
    builder
      ? "The base is a local stand-in: this host's Node and what it needs.\n"
      : `No image is built: ${why}.\n`,
  );
  const rows: Row[] = [];
  try {
    builder?.makeBase();
    for (const { name, workload } of asked) {
      const bundle = bundled(root, workload, join(folder, "bundles", name));
      for (const entry of entriesOf(bundle.folder)) {
        const ratio = startOf(bundle.folder, entry, Number(values.rounds));
        rows.push({ name, entry, bytes: sizeOf(bundle.folder, entry), folder: bundle.bytes, ratio });
      }
      if (!builder) continue;
      const image = builder.build(name, workload);
      for (const row of rows.filter((one) => one.name === name)) {
        row.image = image.bytes;
        row.run = builder.start(image, row.entry);
        process.stderr.write(`${name} ${row.entry}: ${row.run}\n`);
      }
    }
  } finally {
    builder?.close();
  }
  const text = table(rows, builder !== undefined);
  process.stdout.write(text);
  if (values.write) writeFileSync(join(import.meta.dirname, "images.md"), text);
  return 0;
}
