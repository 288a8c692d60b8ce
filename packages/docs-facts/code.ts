import type { Workload } from "copilot-manifest";

/**
 * The folder of a workload's code, relative to the workspace: a build argument that names one, else the context of the
 * build or the folder of the Dockerfile, unless that is the root itself.
 */
export function codeOf(workload: Workload, isFolder: (path: string) => boolean): string | undefined {
  const { build } = workload.image;
  if (!build) return undefined;
  const dockerfile = build.dockerfile.includes("/")
    ? build.dockerfile.slice(0, build.dockerfile.lastIndexOf("/"))
    : ".";
  return [...Object.values(build.args), build.context, dockerfile].find(
    (path) => path !== "" && path !== "." && !path.startsWith("..") && isFolder(path),
  );
}
