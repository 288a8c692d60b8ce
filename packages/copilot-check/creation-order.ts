import { LinkError } from "./link-error.ts";
import { dependsOn, referencesIn } from "./references.ts";
import type { Template } from "./template.ts";

/** The active resources so that each comes after all that it refers to. A circle is a LinkError that names its members. */
export function creationOrder(template: Template, active: Set<string>): string[] {
  const order: string[] = [];
  const done = new Set<string>();
  const open: string[] = [];
  const visit = (id: string): void => {
    if (done.has(id)) return;
    if (open.includes(id)) {
      const circle = [...open.slice(open.indexOf(id)), id];
      throw new LinkError(`Circular dependency between resources: ${circle.join(" → ")}.`, ["Resources", id]);
    }
    open.push(id);
    for (const name of needs(template, id)) if (active.has(name)) visit(name);
    open.pop();
    done.add(id);
    order.push(id);
  };
  for (const id of active) visit(id);
  return order;
}

function needs(template: Template, id: string): string[] {
  const references = [...referencesIn(template.Resources[id]?.Properties, ["Resources", id, "Properties"])];
  return [
    ...references.filter(({ kind }) => kind === "ref").map(({ name }) => name),
    ...dependsOn(template, id),
  ];
}
