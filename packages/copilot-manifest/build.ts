import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

interface Manifest {
  license: string;
  description: string;
  dependencies: Record<string, string>;
}

/**
 * The package for other workspaces: the command as one file of JavaScript, since Node strips no types below
 * node_modules. Only the parser of code stays a dependency: it is native.
 * @param out the folder to publish; emptied first
 * @param version of the package, like 1.0.0
 */
export async function buildPackage(out: string, version: string): Promise<void> {
  const own = JSON.parse(readFileSync(join(import.meta.dirname, "package.json"), "utf8")) as Manifest;
  const { "oxc-parser": parser = "" } = own.dependencies;
  rmSync(out, { recursive: true, force: true });
  await build({
    entryPoints: [join(import.meta.dirname, "cli.ts")],
    outfile: join(out, "cli.mjs"),
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    // `yaml` is CommonJS inside, and asks for Node's modules by `require`.
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
    logLevel: "warning",
  });
  chmodSync(join(out, "cli.mjs"), 0o755);
  copyFileSync(join(import.meta.dirname, "README.md"), join(out, "README.md"));
  copyFileSync(join(import.meta.dirname, "../../LICENSE"), join(out, "LICENSE"));
  const published = {
    name: "copilot-manifest",
    version,
    license: own.license,
    description: own.description,
    type: "module",
    bin: { "copilot-manifest": "./cli.mjs" },
    engines: { node: ">=20" },
    dependencies: { "oxc-parser": parser },
  };
  writeFileSync(join(out, "package.json"), `${JSON.stringify(published, undefined, 2)}\n`);
}

if (import.meta.main) {
  const [version] = process.argv.slice(2);
  if (version === undefined) {
    process.stderr.write("Usage: node build.ts <version>; then: npm publish ./dist\n");
    process.exitCode = 2;
  } else await buildPackage(join(import.meta.dirname, "dist"), version);
}
