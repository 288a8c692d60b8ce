import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { documentationOf } from "./documentation.ts";
import { type RuleName, rules } from "./rules.ts";

interface Manifest {
  license: string;
  description: string;
  keywords: string[];
  dependencies: Record<string, string>;
}

/**
 * The package as it is published: JavaScript, since Node strips no types below node_modules, with declarations and
 * what `explain` prints.
 *
 * @param out the folder to publish; emptied first.
 * @param version of the package, like 1.0.0.
 * @param options.declarations false leaves them out (they take seconds).
 */
export async function buildPackage(
  out: string,
  version: string,
  options: { declarations?: boolean } = {},
): Promise<void> {
  const own = JSON.parse(readFileSync(join(import.meta.dirname, "package.json"), "utf8")) as Manifest;
  rmSync(out, { recursive: true, force: true });
  await build({
    entryPoints: ["cli.ts", "index.ts", "preset.ts"].map((name) => join(import.meta.dirname, name)),
    outdir: out,
    bundle: true,
    splitting: true,
    packages: "external",
    platform: "node",
    target: "node22",
    format: "esm",
    logLevel: "warning",
  });
  chmodSync(join(out, "cli.js"), 0o755);
  mkdirSync(join(out, "rules"));
  for (const name of Object.keys(rules) as RuleName[])
    writeFileSync(join(out, "rules", `${name}.md`), documentationOf(name));
  if (options.declarations ?? true) declare(out);
  for (const name of ["README.md", "LICENSE"]) copyIfThere(name, out);
  const entry = (name: string) => ({ types: `./types/${name}.d.ts`, default: `./${name}.js` });
  const published = {
    name: "remark-lint-claude-md",
    version,
    license: own.license,
    description: own.description,
    keywords: own.keywords,
    type: "module",
    sideEffects: false,
    exports: { ".": entry("index"), "./preset": entry("preset") },
    bin: { "claude-md": "./cli.js" },
    engines: { node: ">=22" },
    dependencies: own.dependencies,
  };
  writeFileSync(join(out, "package.json"), `${JSON.stringify(published, undefined, 2)}\n`);
}

function declare(out: string): void {
  const typescript = dirname(createRequire(import.meta.url).resolve("typescript/package.json"));
  const files = ["index.ts", "preset.ts"].map((name) => join(import.meta.dirname, name));
  execFileSync(
    process.execPath,
    [
      join(typescript, "bin/tsc"),
      ..."--ignoreConfig --declaration --emitDeclarationOnly --rewriteRelativeImportExtensions --strict --skipLibCheck".split(
        " ",
      ),
      ..."--module nodenext --target es2024 --lib es2024 --types node".split(" "),
      "--rootDir",
      import.meta.dirname,
      "--outDir",
      join(out, "types"),
      ...files,
    ],
    { stdio: "inherit", cwd: import.meta.dirname },
  );
}

function copyIfThere(name: string, out: string): void {
  for (const folder of [import.meta.dirname, join(import.meta.dirname, "../..")])
    try {
      writeFileSync(join(out, name), readFileSync(join(folder, name)));
      return;
    } catch {
      // The next folder, or none.
    }
}

if (import.meta.main) {
  const [version] = process.argv.slice(2);
  if (version === undefined) {
    process.stderr.write("Usage: node build.ts <version>; then: npm publish ./dist\n");
    process.exitCode = 2;
  } else await buildPackage(join(import.meta.dirname, "dist"), version);
}
