import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const packages = join(import.meta.dirname, "..");

interface Manifest {
  license: string;
  description: string;
  keywords: string[];
  exports: Record<string, string>;
  dependencies?: Record<string, string>;
}

/**
 * A library of this repository as it is published: JavaScript, since Node strips no types below node_modules, and
 * declarations. What it talks to the world with (pg, an AWS client) is a peer: whoever uses it makes the clients.
 *
 * @param name of its folder
 * @param out the folder to publish; emptied first
 * @param version of the package, like 1.0.0
 */
export function buildLibrary(name: string, out: string, version: string): void {
  const folder = join(packages, name);
  const own = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  const entries = Object.values(own.exports);
  rmSync(out, { recursive: true, force: true });
  compile(folder, entries, out);
  copyFileSync(join(folder, "README.md"), join(out, "README.md"));
  copyFileSync(join(packages, "../LICENSE"), join(out, "LICENSE"));
  const peers = Object.keys(own.dependencies ?? {});
  const published = {
    name,
    version,
    license: own.license,
    description: own.description,
    keywords: own.keywords,
    type: "module",
    sideEffects: false,
    exports: Object.fromEntries(
      Object.entries(own.exports).map(([path, file]) => [
        path,
        { types: file.replace(/\.ts$/, ".d.ts"), default: file.replace(/\.ts$/, ".js") },
      ]),
    ),
    engines: { node: ">=20" },
    ...(peers.includes("pg") ? { dependencies: { "@types/pg": `^${installed(folder, "@types/pg")}` } } : {}),
    ...(peers.length > 0
      ? { peerDependencies: Object.fromEntries(peers.map((peer) => [peer, `^${installed(folder, peer)}`])) }
      : {}),
  };
  writeFileSync(join(out, "package.json"), `${JSON.stringify(published, undefined, 2)}\n`);
}

/** The version that is tested here is the oldest one promised. */
function installed(folder: string, name: string): string {
  const manifest = readFileSync(join(folder, "node_modules", name, "package.json"), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

function compile(folder: string, entries: string[], out: string): void {
  const typescript = dirname(createRequire(import.meta.url).resolve("typescript/package.json"));
  const options =
    "--ignoreConfig --declaration --rewriteRelativeImportExtensions --strict --skipLibCheck " +
    "--module nodenext --target es2022 --lib es2024 --types node";
  execFileSync(
    process.execPath,
    [
      join(typescript, "bin/tsc"),
      ...options.split(" "),
      "--rootDir",
      folder,
      "--outDir",
      out,
      ...entries.map((entry) => join(folder, entry)),
    ],
    { stdio: "inherit", cwd: folder },
  );
}

if (import.meta.main) {
  const [name, version] = process.argv.slice(2);
  if (name === undefined || version === undefined) {
    process.stderr.write("Usage: node build.ts <package> <version>; then: npm publish ../<package>/dist\n");
    process.exitCode = 2;
  } else buildLibrary(name, join(packages, name, "dist"), version);
}
