import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..", "..");
const cli = join(import.meta.dirname, "node_modules", "remark-lint-claude-md", "cli.ts");

export interface Found {
  file: string;
  line: number;
  ruleId: string;
  kind: string;
  message: string;
  severity: string;
  related?: string;
}

/** A copy of this repository as git knows it, with its uncommitted files: what is broken in it hurts nobody. */
export class Copy {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "docs-facts-copy-")));

  constructor() {
    const files = execFileSync("git", ["ls-files", "-z", "-c", "-o", "--exclude-standard"], {
      cwd: root,
      encoding: "utf8",
    });
    for (const file of new Set(files.split("\0")))
      if (file !== "" && lstatSync(join(root, file), { throwIfNoEntry: false }))
        cpSync(join(root, file), join(this.folder, file), { recursive: true, verbatimSymlinks: true });
    symlinkSync(join(root, "node_modules"), join(this.folder, "node_modules"));
    this.#git("init", "--quiet");
    writeFileSync(join(this.folder, ".git", "info", "exclude"), "/node_modules\n");
    this.stage();
  }

  #git(...args: string[]): void {
    execFileSync("git", args, { cwd: this.folder });
  }

  /** Git knows everything that is there now. */
  stage(): void {
    this.#git("add", "--all");
  }

  read(file: string): string {
    return readFileSync(join(this.folder, file), "utf8");
  }

  has(file: string): boolean {
    return existsSync(join(this.folder, file));
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(join(this.folder, file)), { recursive: true });
    writeFileSync(join(this.folder, file), text);
  }

  delete(file: string): void {
    rmSync(join(this.folder, file), { recursive: true });
  }

  /** What `claude-md check` finds. */
  check(): Found[] {
    const run = this.#run("check", "--no-cache", "--reporter", "json");
    if (run.status === 2) throw new Error(run.stderr);
    return (JSON.parse(run.stdout) as { findings: Found[] }).findings;
  }

  /** Runs `claude-md fix`. */
  fix(): void {
    const run = this.#run("fix", "--no-cache");
    if (run.status !== 0) throw new Error(run.stderr);
  }

  #run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
    return spawnSync(process.execPath, [cli, ...args], {
      cwd: this.folder,
      encoding: "utf8",
      maxBuffer: 2 ** 28,
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
