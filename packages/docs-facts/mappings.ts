import { at, entriesOf, itemsOf, type MapNode, type Node, textOf } from "copilot-manifest";

type Mappings = MapNode | undefined;

/** What a property of a template is in every environment, where it is written out or found in a mapping by `Env`. */
export function textsIn(
  node: Node | undefined,
  mappings: Mappings,
  environments: readonly string[],
): Map<string, string> | undefined {
  const text = textOf(node);
  if (text !== undefined) return new Map(environments.map((environment) => [environment, text]));
  const [mapping, key, field] = itemsOf(at(node, "Fn::FindInMap"));
  const [first, last] = [textOf(mapping), textOf(field)];
  if (first === undefined || last === undefined || textOf(at(key, "Ref")) !== "Env") return undefined;
  const found = environments.flatMap((environment) => {
    const value = textOf(at(mappings, first, environment, last));
    return value === undefined ? [] : [[environment, value] as const];
  });
  return found.length === environments.length ? new Map(found) : undefined;
}

/** One row of a mapping whose keys are environments. */
export interface Row {
  key: string;
  of: Map<string, string>;
}

/** The rows of the mappings whose keys are environments. Ranges of subnets are nobody's to compare. */
export function rowsOf(mappings: Mappings, environments: readonly string[]): Row[] {
  return entriesOf(mappings).flatMap(([, { value }]) => {
    const own = environments.map((environment) => [environment, at(value, environment)] as const);
    const keys = new Set(own.flatMap(([, node]) => entriesOf(node).map(([key]) => key)));
    return [...keys]
      .map((key) => ({
        key,
        of: new Map(
          own.flatMap(([environment, node]) => {
            const text = textOf(at(node, key));
            return text === undefined ? [] : [[environment, text] as const];
          }),
        ),
      }))
      .filter(({ of }) => ![...of.values()].every((text) => /^[\d.]+\/\d+$/.test(text)));
  });
}
