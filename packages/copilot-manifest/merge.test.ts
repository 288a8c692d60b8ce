import * as fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { merge } from "./merge.ts";
import { toValue } from "./node.ts";
import type { Schema } from "./schema.ts";
import { minimal, resolvedOf, workloadOf } from "./testing.ts";
import type { Problem } from "./types.ts";
import { overridable, workloadTypes } from "./workload-schema.ts";
import { parseYaml } from "./yaml.ts";

/** The base's section, the environment's, and what Copilot makes of the two. */
function merged(base: string, over: string, type: (typeof workloadTypes)[number] = "Backend Service") {
  const problems: Problem[] = [];
  const read = (text: string) => {
    const { root } = parseYaml("m.yml", text);
    if (root?.kind !== "map") throw new Error(`not read: ${text}`);
    return root;
  };
  return { value: toValue(merge(read(base), read(over), overridable(type), problems)), problems };
}

test("a map is merged by its keys", () => {
  const { value } = merged("variables: { A: one, B: two }", "variables: { B: three, C: four }");
  expect(value).toEqual({ variables: { A: "one", B: "three", C: "four" } });
});

test("a variable set to null or to the empty text becomes empty, it is not removed", () => {
  const { value } = merged("variables: { A: one, B: two }", 'variables: { A: null, B: "" }');
  expect(value).toEqual({ variables: { A: "", B: "" } });
});

test("a variable's other form replaces the first one whole", () => {
  expect(merged("variables: { A: { from_cfn: x } }", "variables: { A: one }").value).toEqual({
    variables: { A: "one" },
  });
  expect(merged("secrets: { A: /ssm }", "secrets: { A: { secretsmanager: x } }").value).toEqual({
    secrets: { A: { secretsmanager: "x" } },
  });
});

test("sidecars and volumes are merged deeply, by field", () => {
  const { value } = merged(
    "sidecars: { nginx: { port: '80', image: nginx, variables: { A: one } } }",
    "sidecars: { nginx: { variables: { B: two } }, log: { image: log } }",
  );
  expect(value).toEqual({
    sidecars: {
      nginx: { port: "80", image: "nginx", variables: { A: "one", B: "two" } },
      log: { image: "log" },
    },
  });
});

test("a scalar that is set replaces, zero values included", () => {
  expect(merged("exec: true\ncount: 2\ncpu: 256", "exec: false\ncount: 0").value).toEqual({
    exec: false,
    count: 0,
    cpu: 256,
  });
});

test("a list replaces the list whole; an empty one removes it", () => {
  expect(
    merged("publish: { topics: [{ name: a }, { name: b }] }", "publish: { topics: [{ name: c }] }").value,
  ).toEqual({
    publish: { topics: [{ name: "c" }] },
  });
  expect(merged("command: [a, b]", "command: []").value).toEqual({ command: [] });
});

test("command and entrypoint: the new form unsets the other", () => {
  expect(merged("command: a b", "command: [c]").value).toEqual({ command: ["c"] });
  expect(merged("entrypoint: [a]", "entrypoint: b c").value).toEqual({ entrypoint: "b c" });
});

test("image.build and image.location unset each other", () => {
  expect(merged("image: { build: Dockerfile, port: 80 }", "image: { location: x }").value).toEqual({
    image: { location: "x", port: 80 },
  });
  expect(merged("image: { location: x }", "image: { build: { context: web } }").value).toEqual({
    image: { build: { context: "web" } },
  });
});

test("image.build: a map over a text unsets it, a map over a map merges", () => {
  expect(merged("image: { build: Dockerfile }", "image: { build: { target: dev } }").value).toEqual({
    image: { build: { target: "dev" } },
  });
  expect(
    merged("image: { build: { dockerfile: a, args: { A: one } } }", "image: { build: { args: { B: two } } }")
      .value,
  ).toEqual({
    image: { build: { dockerfile: "a", args: { A: "one", B: "two" } } },
  });
});

test("count: a number over a map drops all scaling, a map over a number drops the number", () => {
  expect(merged("count: { range: 1-4, cpu_percentage: 70 }", "count: 2").value).toEqual({ count: 2 });
  expect(merged("count: 2", "count: { range: 1-4, cpu_percentage: 70 }").value).toEqual({
    count: { range: "1-4", cpu_percentage: 70 },
  });
});

test("count: a map over a map merges, and range changes its form", () => {
  const { value } = merged(
    "count: { range: 1-4, cpu_percentage: 70 }",
    "count: { range: { min: 2, max: 8 } }",
  );
  expect(value).toEqual({ count: { range: { min: 2, max: 8 }, cpu_percentage: 70 } });
});

test("count: spot unsets scaling, scaling unsets spot", () => {
  expect(merged("count: { range: 1-4, cpu_percentage: 70 }", "count: { spot: 2 }").value).toEqual({
    count: { spot: 2 },
  });
  expect(merged("count: { spot: 2 }", "count: { range: 1-4, cpu_percentage: 70 }").value).toEqual({
    count: { range: "1-4", cpu_percentage: 70 },
  });
});

test("queue.fifo: true drops a map, a map is merged into a map", () => {
  const fifo = (text: string) => `subscribe: { queue: { fifo: ${text} } }`;
  const worker = (base: string, over: string) => merged(fifo(base), fifo(over), "Worker Service");
  expect(worker("{ high_throughput: true }", "true").value).toEqual({ subscribe: { queue: { fifo: true } } });
  expect(worker("{ high_throughput: true }", "{ content_based_deduplication: true }").value).toEqual({
    subscribe: { queue: { fifo: { high_throughput: true, content_based_deduplication: true } } },
  });
});

test("queue.fifo: Copilot ignores a map over true, and false over a map; that is said", () => {
  const fifo = (text: string) => `subscribe:\n  queue:\n    fifo: ${text}`;
  const map = merged(fifo("true"), fifo("{ high_throughput: true }"), "Worker Service");
  expect(map.value).toEqual({ subscribe: { queue: { fifo: true } } });
  expect(map.problems).toMatchObject([{ rule: "override-ignored", line: 3 }]);
  const off = merged(fifo("{ high_throughput: true }"), fifo("false"), "Worker Service");
  expect(off.value).toEqual({ subscribe: { queue: { fifo: { high_throughput: true } } } });
  expect(off.problems).toMatchObject([{ rule: "override-ignored" }]);
});

test("exec stays on when the base has a map and the environment says false", () => {
  const { value, problems } = merged("exec: { enable: true }", "exec: false");
  expect(value).toEqual({ exec: { enable: true } });
  expect(problems).toMatchObject([{ rule: "override-ignored" }]);
});

test("queue, dead_letter, healthcheck and network are merged field by field", () => {
  const { value } = merged(
    "subscribe: { queue: { timeout: 1m, dead_letter: { tries: 3 } } }\nimage: { healthcheck: { command: [a], retries: 3 } }\nnetwork: { vpc: { placement: private } }",
    "subscribe: { queue: { dead_letter: { tries: 5 } } }\nimage: { healthcheck: { retries: 1 } }\nnetwork: { connect: true }",
    "Worker Service",
  );
  expect(value).toEqual({
    subscribe: { queue: { timeout: "1m", dead_letter: { tries: 5 } } },
    image: { healthcheck: { command: ["a"], retries: 1 } },
    network: { vpc: { placement: "private" }, connect: true },
  });
});

test.each([
  ["network: { vpc: { placement: private } }", "network: { vpc: { placement: { subnets: [a] } } }"],
  ["network: { connect: true }", "network: { connect: { alias: a } }"],
  ["network: { vpc: { security_groups: [a] } }", "network: { vpc: { security_groups: { groups: [b] } } }"],
  ["platform: linux/arm64", "platform: { osfamily: linux, architecture: arm64 }"],
  ["http: { healthcheck: /a }", "http: { healthcheck: { path: /b } }"],
  ["http: { alias: a }", "http: { alias: [{ name: b, hosted_zone: z }] }"],
  ["storage: { volumes: { v: { efs: true } } }", "storage: { volumes: { v: { efs: { id: a } } } }"],
])("the new form of a union unsets the old one: %s", (one, other) => {
  const [first, second] = [parseYaml("a", one).root, parseYaml("a", other).root];
  expect(merged(one, other).value).toEqual(toValue(second));
  expect(merged(other, one).value).toEqual(toValue(first));
});

test("storage: uid and gid unset a file system's id, and the reverse", () => {
  const efs = (text: string) => `storage: { volumes: { v: { path: /a, efs: ${text} } } }`;
  const { value } = merged(efs("{ id: fs-1, root_dir: / }"), efs("{ uid: 1, gid: 1 }"));
  expect(value).toEqual({ storage: { volumes: { v: { path: "/a", efs: { uid: 1, gid: 1 } } } } });
});

test("http's old targetContainer is the same key as target_container", () => {
  expect(merged("http: { target_container: a }", "http: { targetContainer: b }").value).toEqual({
    http: { target_container: "b" },
  });
});

test("an environment set to null, and one that is not written, change nothing", () => {
  const manifest = `${minimal.backend}cpu: 512\nmemory: 1024\nenvironments:\n  test:\n  other:\n    cpu: 1024\n`;
  expect(workloadOf(manifest, "test").cpu).toBe(512);
  expect(workloadOf(manifest, "third").cpu).toBe(512);
  expect(workloadOf(manifest, "other").cpu).toBe(1024);
});

test("a value that is set to null leaves the base as it is", () => {
  expect(merged("cpu: 512\nimage: { build: Dockerfile }", "cpu:\nimage: { build: null }").value).toEqual({
    cpu: 512,
    image: { build: "Dockerfile" },
  });
});

test("a merged value knows where it was written: in the base or in the environment", () => {
  const manifest = `${minimal.backend}variables:\n  A: one\n  B: two\nenvironments:\n  test:\n    variables:\n      B: three\n`;
  const workload = workloadOf(manifest);
  expect(workload.source(["variables", "A"])).toEqual({
    file: "copilot/svc/manifest.yml",
    line: 6,
    column: 3,
  });
  expect(workload.source(["variables", "B"])).toEqual({
    file: "copilot/svc/manifest.yml",
    line: 11,
    column: 7,
  });
});

test("sections of environments are interpolated with the one environment that is asked for", () => {
  const manifest = `${minimal.backend}environments:\n  test:\n    variables:\n      A: \${COPILOT_ENVIRONMENT_NAME}\n`;
  expect(workloadOf(manifest).variables).toEqual({ A: { value: "test" } });
});

test("merging an environment twice is merging it once, for every type and whatever is written", () => {
  for (const type of workloadTypes) {
    const section = arbitrary(overridable(type));
    fc.assert(
      fc.property(section, section, (base, over) => {
        const once = merged(stringify(base), stringify(over), type).value;
        expect(merged(stringify(once), stringify(over), type).value).toEqual(once);
      }),
      { numRuns: 15 },
    );
  }
});

test("nothing written in an environment is never a change, for every type and whatever is written", () => {
  for (const type of workloadTypes) {
    fc.assert(
      fc.property(arbitrary(overridable(type)), (base) => {
        expect(merged(stringify(base), "{}", type).value).toEqual(
          toValue(parseYaml("m", stringify(base)).root),
        );
      }),
      { numRuns: 8 },
    );
  }
});

test("whatever a workspace holds, reading it ends in problems and never in an exception", () => {
  fc.assert(
    fc.property(
      fc.anything({ values: [fc.string(), fc.integer(), fc.boolean(), fc.constant(null)] }),
      (value) => {
        const { problems } = resolvedOf({ "copilot/svc/manifest.yml": stringify(value) ?? "" });
        expect(problems.length).toBeGreaterThan(0);
      },
    ),
    { numRuns: 40 },
  );
});

/** Something that fits a schema, with maps that are never empty: Copilot takes an empty map for nothing. */
function arbitrary(schema: Schema): fc.Arbitrary<unknown> {
  const word = fc.constantFrom("alpha", "beta", "1m");
  switch (schema.kind) {
    case "string":
    case "any":
      return word;
    case "int":
    case "float":
      return fc.integer({ min: 1, max: 9 });
    case "bool":
      return fc.boolean();
    case "duration":
      return fc.constantFrom("1s", "2m");
    case "list":
      return fc.array(arbitrary(schema.of), { minLength: 1, maxLength: 2 });
    case "dict":
      return fc.dictionary(fc.constantFrom("A", "B"), arbitrary(schema.of), { minKeys: 1, maxKeys: 2 });
    case "map":
      return record(schema);
    default:
      return fc.oneof(
        ...[schema.scalar, schema.list, schema.map].flatMap((form) => (form ? [arbitrary(form)] : [])),
      );
  }
}

function record(schema: Extract<Schema, { kind: "map" }>): fc.Arbitrary<unknown> {
  const [, dropped = []] = schema.exclusive ?? [];
  const old = Object.keys(schema.renamed ?? {});
  const keys = Object.entries(schema.keys).filter(([key]) => !dropped.includes(key) && !old.includes(key));
  const fields = Object.fromEntries(keys.map(([key, of]) => [key, arbitrary(of)]));
  return fc.record(fields, { requiredKeys: keys.slice(0, 1).map(([key]) => key) });
}
