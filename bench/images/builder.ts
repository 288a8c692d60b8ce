import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { askedFor } from "./bundles.ts";

const base = "localhost/noren-base";

export interface Built {
  tag: string;
  /** What it adds to its base. */
  bytes: number;
}

interface ImageConfig {
  User: string;
  Env: string[];
  WorkingDir: string;
  Cmd?: string[];
}

/**
 * Builds the images without a Docker engine: Debian's buildah with a storage of its own, on a stand-in for the base, so
 * that no registry of images is asked.
 */
export class Builder {
  readonly #root: string;
  readonly #storage: string;
  #driver = "overlay";

  constructor(root: string, storage: string) {
    this.#root = root;
    this.#storage = storage;
    mkdirSync(storage, { recursive: true });
  }

  /** Why no image can be built here; undefined where it can. */
  static missing(): string | undefined {
    if (process.platform !== "linux") return "that takes Linux";
    if (spawnSync("buildah", ["--version"]).error)
      return "buildah is not installed (Debian: apt-get install buildah)";
    return process.getuid?.() === 0 ? undefined : "that takes root";
  }

  /** An image with this host's Node, npm and shell: all that the Dockerfile asks of its base. */
  makeBase(): void {
    // Where the kernel lets no overlay be mounted: slower, and larger.
    if (this.#try("from", "scratch").status !== 0) this.#driver = "vfs";
    const container = this.#buildah("from", "scratch");
    const into = this.#buildah("mount", container);
    for (const folder of ["dev", "etc", "proc", "root", "tmp", "usr/bin", "bin", "usr/local/bin"])
      mkdirSync(join(into, folder), { recursive: true });
    chmodSync(join(into, "tmp"), 0o1777);
    writeFileSync(join(into, "etc/passwd"), "root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/tmp:/bin/sh\n");
    copyProgram(process.execPath, into, "usr/local/bin/node");
    copyProgram(whereIs("sh"), into, "bin/sh");
    copyProgram(whereIs("env"), into, "usr/bin/env");
    const npm = dirname(dirname(realpathSync(whereIs("npx"))));
    cpSync(npm, join(into, "usr/local/lib/npm"), { recursive: true });
    for (const name of ["npm", "npx"]) {
      const program = join(into, "usr/local/bin", name);
      writeFileSync(program, `#!/bin/sh\nexec node /usr/local/lib/npm/bin/${name}-cli.js "$@"\n`);
      chmodSync(program, 0o755);
    }
    const path = "PATH=/usr/local/bin:/usr/bin:/bin";
    this.#buildah("config", "--env", path, ...trusted(), container);
    this.#buildah("commit", "--quiet", "--rm", container, base);
  }

  /** The image of one workload, from the root's Dockerfile as it is. */
  build(name: string, workload: string): Built {
    const tag = `localhost/${name}`;
    const args = [`BASE=${base}`, `WORKLOAD=${workload}`].flatMap((text) => ["--build-arg", text]);
    const options = ["--isolation=chroot", "--layers", "--pull=never", ...ownRegistry()];
    this.#buildah("build", ...options, ...args, "--tag", tag, this.#root);
    return { tag, bytes: this.#size(tag) - this.#size(base) };
  }

  /**
   * Starts an entry once, as ECS would: the image's user and variables and no others, on a file system of which nothing can
   * be written. Says how that ended; throws when the entry did not get as far as naming its variables.
   */
  start({ tag }: Built, entry: string): string {
    const { User: user, Env: env, WorkingDir: folder, Cmd: [program = "node"] = [] } = this.#configOf(tag);
    const container = this.#buildah("from", tag);
    const files = this.#buildah("mount", container);
    const readOnly = 'mount --bind "$0" "$0" && mount --bind /dev "$0/dev" && mount -o remount,bind,ro "$0"';
    const inside = 'cd "$0" && (echo > /tmp/x) 2> /dev/null && echo WRITABLE; exec "$@"';
    const chroot = ["chroot", `--userspec=${user}`, files, "/usr/bin/env", "-i", ...env];
    const command = [...chroot, "/bin/sh", "-c", inside, folder, program, entry];
    const { status, stdout, stderr } = spawnSync(
      "unshare",
      ["--mount", "sh", "-c", `${readOnly} && exec "$@"`, files, ...command],
      { encoding: "utf8" },
    );
    this.#buildah("rm", container);
    if (stdout.includes("WRITABLE")) throw new Error(`${tag}: its file system could be written.`);
    const asked = askedFor(stdout + stderr);
    if (status !== 1 || asked.length === 0)
      throw new Error(
        `${tag} ${entry} asked for no variables, but ended with ${status}:\n${stdout}${stderr}`,
      );
    return `uid ${user}, read-only: asks for ${asked.length} variables`;
  }

  close(): void {
    this.#try("rm", "--all");
    this.#try("rmi", "--all", "--force");
  }

  #configOf(tag: string): ImageConfig {
    const text = this.#buildah("inspect", "--type", "image", tag);
    return (JSON.parse(text) as { OCIv1: { config: ImageConfig } }).OCIv1.config;
  }

  #size(image: string): number {
    const text = this.#buildah("inspect", "--type", "image", "--format", "{{.Manifest}}", image);
    const { layers } = JSON.parse(text) as { layers: { size: number }[] };
    return layers.reduce((sum, { size }) => sum + size, 0);
  }

  #try(...args: string[]) {
    const folders = ["--root", join(this.#storage, "root"), "--runroot", join(this.#storage, "run")];
    const options = { encoding: "utf8", maxBuffer: 2 ** 28 } as const;
    return spawnSync("buildah", ["--storage-driver", this.#driver, ...folders, ...args], options);
  }

  #buildah(...args: string[]): string {
    const { status, stdout, stderr } = this.#try(...args);
    if (status !== 0) throw new Error(`buildah ${args[0]} ended with ${status}:\n${stderr.slice(-4000)}`);
    return stdout.trim();
  }
}

/** The build stage installs as this host does: from the registry that its npm is set to. */
function ownRegistry(): string[] {
  const files = [
    // As the project's own settings: the build stage's folder is the Dockerfile's WORKDIR.
    [join(homedir(), ".npmrc"), "/noren/.npmrc"],
    [certificates, certificates],
  ];
  return files.flatMap(([from, to]) => (from && existsSync(from) ? ["--volume", `${from}:${to}:ro`] : []));
}

const certificates = "/etc/ssl/certs/ca-certificates.crt";

/** And trusts whom this host trusts; the real base knows the public authorities alone. */
function trusted(): string[] {
  return existsSync(certificates) ? ["--env", `NODE_EXTRA_CA_CERTS=${certificates}`] : [];
}

function copyProgram(program: string, into: string, to: string): void {
  cpSync(realpathSync(program), join(into, to));
  const { stdout } = spawnSync("ldd", [program], { encoding: "utf8" });
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, library = ""]) => library);
  const libc = libraries.find((library) => library.includes("/libc.so"));
  // The rest of the C library: other programs of the build (pnpm, esbuild) name more of its parts.
  const rest = ["librt.so.1", "libutil.so.1", "libresolv.so.2", "libnss_dns.so.2", "libnss_files.so.2"];
  const more =
    libc === undefined
      ? []
      : rest.map((name) => join(dirname(libc), name)).filter((path) => existsSync(path));
  for (const library of [...libraries, ...more]) cpSync(realpathSync(library), join(into, library));
}

function whereIs(program: string): string {
  const { stdout } = spawnSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" });
  if (stdout === "") throw new Error(`${program} is not on the PATH: the stand-in for the base needs it.`);
  return stdout.trim();
}
