import { randomUUID } from "node:crypto";
import { creationOrder } from "./creation-order.ts";
import { Evaluator } from "./intrinsics.ts";
import { LinkError } from "./link-error.ts";
import { validateReferences } from "./references.ts";
import {
  attributeOf,
  explicitName,
  generatedName,
  isShared,
  refOf,
  type Named,
  type Place,
} from "./resource-types.ts";
import { textOf } from "./text.ts";
import { parseTemplate, type Definition, type Path, type Template, type Values } from "./template.ts";

/** A resource that exists in a stack. */
export interface Resource extends Named {
  logicalId: string;
  ref: string;
  /** What a custom resource's script answered. */
  data?: Values;
  since: string;
}

interface StackEvent {
  id: string;
  logicalId: string;
  physicalId: string;
  type: string;
  at: string;
  status: string;
  reason?: string;
}

export interface Stack {
  id: string;
  name: string;
  status: string;
  createdAt: string;
  updatedAt?: string;
  parameters: Record<string, string>;
  tags: Record<string, string>;
  outputs: Record<string, string>;
  resources: Map<string, Resource>;
  /** Export names that it reads, with the path where. */
  imports: Map<string, Path>;
  /** Oldest first. */
  events: StackEvent[];
  template?: Template;
  failure?: LinkError;
  parent?: string;
  changeSet?: string;
  role?: string;
}

export interface Change {
  action: "Add" | "Modify" | "Remove";
  logicalId: string;
  type: string;
  physicalId?: string;
}

/** A custom resource's request, as its Lambda would get it. */
export interface CustomRequest {
  kind: "Create" | "Update" | "Delete";
  stack: Stack;
  resource: Resource;
  old: Resource | undefined;
}

export interface Options {
  place: Place;
  zones?: string[];
  /** Answers a custom resource; throws a LinkError when it fails. */
  custom(request: CustomRequest, cloud: CloudFormation): Promise<{ data: Values; physicalId?: string }>;
  /** A reason makes the resource fail: for rehearsing a rollback. */
  fail?(stack: string, logicalId: string): string | undefined;
}

const stackType = "AWS::CloudFormation::Stack";

/**
 * A small CloudFormation in memory: it resolves a whole template and "makes" its resources, which is to say that it gives
 * them names, and it refuses what would not link: unknown names, missing imports, exports in use, duplicates, circles,
 * nested templates that are not there. It knows nothing of what a property may hold.
 */
export class CloudFormation {
  readonly stacks = new Map<string, Stack>();
  readonly exports = new Map<string, { value: string; stack: string }>();
  /** Uploaded objects by `bucket/key`. */
  readonly objects = new Map<string, Buffer>();
  readonly place: Place;
  readonly #options: Options;
  readonly #deleted = new Map<string, Stack>();
  readonly #names = new Map<string, { stack: string; logicalId: string }>();
  readonly #revisions = new Map<string, number>();
  readonly #templates = new Map<string, Template>();

  constructor(options: Options) {
    this.#options = options;
    this.place = options.place;
  }

  /** By name, or by id, a deleted one by its id only. */
  find(nameOrId: string): Stack | undefined {
    const known = this.stacks.get(nameOrId) ?? this.#deleted.get(nameOrId);
    return known ?? [...this.stacks.values()].find(({ id }) => id === nameOrId);
  }

  *resources(): Generator<[Stack, Resource]> {
    for (const stack of this.stacks.values())
      for (const resource of stack.resources.values()) yield [stack, resource];
  }

  /** The object behind an https URL of S3, or behind `s3://`. */
  object(url: string): Buffer | undefined {
    const virtual = /^https:\/\/([^./]+)\.s3[.-][^/]*amazonaws\.com\/(.+)$/.exec(url);
    const path = /^https:\/\/s3[^/]*\/([^/]+)\/(.+)$/.exec(url) ?? /^s3:\/\/([^/]+)\/(.+)$/.exec(url);
    const [, bucket, key] = virtual ?? path ?? [];
    return bucket === undefined ? undefined : this.objects.get(`${bucket}/${decodeURIComponent(key ?? "")}`);
  }

  /** The same text is parsed once. */
  template(file: string, text: string): Template {
    const key = `${file}\0${text}`;
    let template = this.#templates.get(key);
    if (!template) this.#templates.set(key, (template = parseTemplate(file, text)));
    return template;
  }

  create(name: string, tags: Record<string, string> = {}): Stack {
    const { region, account } = this.place;
    const stack: Stack = {
      id: `arn:aws:cloudformation:${region}:${account}:stack/${name}/${randomUUID()}`,
      name,
      status: "REVIEW_IN_PROGRESS",
      createdAt: new Date().toISOString(),
      parameters: {},
      tags,
      outputs: {},
      resources: new Map(),
      imports: new Map(),
      events: [],
    };
    this.stacks.set(name, stack);
    return stack;
  }

  /** The values of a template's parameters: given, else as before (`undefined` asks for that), else the default. */
  parameters(
    template: Template,
    given: Record<string, string | undefined>,
    before: Record<string, string> = {},
  ): Record<string, string> {
    for (const name of Object.keys(given))
      if (!(name in template.Parameters))
        throw new LinkError(`The template has no parameter ${name}, yet a value is given.`, ["Parameters"]);
    return Object.fromEntries(
      Object.entries(template.Parameters).map(([name, definition]) => {
        const value = name in given ? (given[name] ?? before[name]) : definition.Default;
        const path = ["Parameters", name];
        if (value === undefined) throw new LinkError(`The parameter ${name} has no value.`, path);
        const allowed = definition.AllowedValues?.map(String);
        if (allowed && !allowed.includes(String(value)))
          throw new LinkError(
            `The parameter ${name} is ${String(value)}, not one of ${allowed.join(", ")}.`,
            path,
          );
        return [name, String(value)];
      }),
    );
  }

  /** What a change set would show. Throws a LinkError for what its creation refuses. */
  plan(
    stack: Stack,
    template: Template,
    parameters: Record<string, string>,
  ): { changes: Change[]; outputsChanged: boolean } {
    const planned = new Map<string, Resource>();
    const evaluator = this.#evaluator(stack, template, parameters, (id) => {
      const existing = stack.resources.get(id);
      if (existing) return existing;
      const resource = this.#placeholder(id, template.Resources[id]?.Type ?? "");
      planned.set(id, resource);
      return resource;
    });
    const changes: Change[] = [];
    const active = this.#active(template, evaluator);
    for (const id of active) {
      const definition = template.Resources[id] as Definition;
      const before = stack.resources.get(id);
      const after = this.#tryValue(evaluator, definition, id);
      if (!before) changes.push({ action: "Add", logicalId: id, type: definition.Type });
      else if (!same(before.properties, after) || this.#nestedChanged(before, stack))
        changes.push({ action: "Modify", logicalId: id, type: definition.Type, physicalId: before.ref });
    }
    for (const [id, before] of stack.resources)
      if (!active.has(id))
        changes.push({ action: "Remove", logicalId: id, type: before.type, physicalId: before.ref });
    let outputs: unknown;
    try {
      outputs = this.#outputs(template, evaluator);
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
    }
    return { changes, outputsChanged: !same(outputs, stack.outputs) };
  }

  /** Creates or updates. Never throws for what CloudFormation refuses: the stack rolls back and keeps `failure`. */
  async apply(
    stack: Stack,
    template: Template,
    parameters: Record<string, string>,
    tags: Record<string, string>,
    verb: "CREATE" | "UPDATE",
  ): Promise<Stack> {
    const before = { ...stack, resources: stack.resources, imports: stack.imports };
    Object.assign(stack, { status: `${verb}_IN_PROGRESS`, template, tags, parameters });
    delete stack.failure;
    if (verb === "UPDATE") stack.updatedAt = new Date().toISOString();
    this.#event(stack, stack.name, stack.id, stackType, stack.status, "User Initiated");
    const made = new Map<string, Resource>();
    const replaced: Resource[] = [];
    stack.resources = made;
    stack.imports = new Map();
    let current: string | undefined;
    try {
      const evaluator = this.#evaluator(stack, template, parameters, (id) => made.get(id));
      const active = this.#active(template, evaluator);
      for (const id of creationOrder(template, active)) {
        current = id;
        const definition = template.Resources[id] as Definition;
        const path = ["Resources", id, "Properties"];
        const properties = (evaluator.value(definition.Properties ?? {}, path) ?? {}) as Values;
        const old = before.resources.get(id);
        const resource = await this.#make(stack, id, definition.Type, properties, old, verb);
        made.set(id, resource);
        if (old && isCustom(old.type) && old.ref !== resource.ref) replaced.push(old);
      }
      current = undefined;
      const outputs = this.#outputs(template, evaluator);
      this.#publish(stack, template, outputs, evaluator);
      stack.outputs = outputs;
      for (const [id, old] of [...before.resources].toReversed())
        if (!made.has(id)) await this.#forget(stack, old);
      // A script that answers an update with another id has made a new thing; the old one is taken away last.
      for (const old of replaced) await this.#delete(stack, old);
      stack.status = `${verb}_COMPLETE`;
      this.#event(stack, stack.name, stack.id, stackType, stack.status);
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      await this.#rollBack(stack, before, error, current, verb);
    }
    return stack;
  }

  async remove(stack: Stack): Promise<void> {
    for (const [name, { stack: owner }] of this.exports) {
      const users = owner === stack.name ? this.#users(name, stack) : [];
      if (users.length > 0)
        throw new LinkError(`The export ${name} cannot be deleted: ${users.join(", ")} uses it.`);
    }
    this.#event(stack, stack.name, stack.id, stackType, "DELETE_IN_PROGRESS");
    for (const resource of [...stack.resources.values()].toReversed()) await this.#forget(stack, resource);
    for (const [name, { stack: owner }] of this.exports) if (owner === stack.name) this.exports.delete(name);
    stack.resources = new Map();
    stack.status = "DELETE_COMPLETE";
    this.#event(stack, stack.name, stack.id, stackType, stack.status);
    this.stacks.delete(stack.name);
    this.#deleted.set(stack.id, stack);
  }

  #evaluator(
    stack: Stack,
    template: Template,
    parameters: Record<string, string>,
    find: (id: string) => Resource | undefined,
  ): Evaluator {
    const { region, account } = this.place;
    const existing = (id: string): Resource => {
      const definition = template.Resources[id];
      if (!definition) throw new LinkError(`The template has no parameter or resource ${id}.`);
      if (definition.Condition !== undefined && !evaluator.condition(definition.Condition, ["Resources", id]))
        throw new LinkError(`${id} does not exist here: its condition ${definition.Condition} is false.`);
      const resource = find(id);
      if (!resource) throw new LinkError(`${id} does not exist yet.`);
      return resource;
    };
    const evaluator: Evaluator = new Evaluator(template, {
      parameters,
      pseudo: {
        "AWS::Region": region,
        "AWS::AccountId": account,
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::StackName": stack.name,
        "AWS::StackId": stack.id,
        "AWS::NotificationARNs": [],
      },
      zones: this.#options.zones ?? ["a", "c", "d"].map((zone) => region + zone),
      ref: (id) => existing(id).ref,
      getAtt: (id, attribute) => this.#attribute(existing(id), attribute),
      importValue: (name) => {
        const found = this.exports.get(name);
        if (!found) throw new LinkError(`No stack exports ${name}.`);
        stack.imports.set(name, []);
        return found.value;
      },
      include: (location) => {
        const object = this.object(location);
        if (!object) throw new LinkError(`AWS::Include finds no object ${location}.`);
        return parseTemplate(location, object.toString()) as unknown as Values;
      },
    });
    return evaluator;
  }

  #attribute(resource: Resource, attribute: string): unknown {
    if (resource.type === stackType) {
      const name = attribute.replace(/^Outputs\./, "");
      const value = this.find(resource.ref)?.outputs[name];
      if (value === undefined && resource.since !== "")
        throw new LinkError(`The nested stack ${resource.logicalId} has no output ${name}.`);
      return value ?? `(${resource.logicalId}.${attribute})`;
    }
    if (isCustom(resource.type)) {
      const value = resource.data?.[attribute];
      if (value === undefined && resource.since !== "")
        throw new LinkError(`The custom resource ${resource.logicalId} answered no ${attribute}.`);
      return value ?? `(${resource.logicalId}.${attribute})`;
    }
    return attributeOf(resource, attribute, this.place);
  }

  #active(template: Template, evaluator: Evaluator): Set<string> {
    const active = Object.entries(template.Resources).filter(
      ([id, { Condition }]) =>
        Condition === undefined || evaluator.condition(Condition, ["Resources", id, "Condition"]),
    );
    return new Set(active.map(([id]) => id));
  }

  #outputs(template: Template, evaluator: Evaluator): Record<string, string> {
    const active = Object.entries(template.Outputs).filter(
      ([name, { Condition }]) =>
        Condition === undefined || evaluator.condition(Condition, ["Outputs", name, "Condition"]),
    );
    return Object.fromEntries(
      active.map(([name, { Value }]) => {
        const value = evaluator.value(Value, ["Outputs", name, "Value"]);
        return [name, textOf(value)];
      }),
    );
  }

  /** Exports become visible, and those that went away or changed are refused while somebody reads them. */
  #publish(stack: Stack, template: Template, outputs: Record<string, string>, evaluator: Evaluator): void {
    const exported = new Map<string, { value: string; path: Path }>();
    for (const [output, { Export }] of Object.entries(template.Outputs)) {
      const value = outputs[output];
      if (!Export || value === undefined) continue;
      const path = ["Outputs", output, "Export", "Name"];
      const name = String(evaluator.value(Export.Name, path));
      const other = this.exports.get(name);
      if (other && other.stack !== stack.name)
        throw new LinkError(`${name} is already exported by the stack ${other.stack}.`, path);
      if (exported.has(name)) throw new LinkError(`${name} is exported twice by this stack.`, path);
      exported.set(name, { value, path });
    }
    const gone = [...this.exports].filter(
      ([name, { value, stack: owner }]) => owner === stack.name && exported.get(name)?.value !== value,
    );
    for (const [name] of gone) {
      const users = this.#users(name, stack);
      const what = exported.has(name) ? "changed" : "deleted";
      if (users.length === 0) continue;
      const path = exported.get(name)?.path ?? ["Outputs"];
      throw new LinkError(`The export ${name} cannot be ${what}: ${users.join(", ")} uses it.`, path);
    }
    for (const [name] of gone) this.exports.delete(name);
    for (const [name, { value }] of exported) this.exports.set(name, { value, stack: stack.name });
  }

  #users(name: string, except: Stack): string[] {
    return [...this.stacks.values()]
      .filter((stack) => stack !== except && stack.imports.has(name))
      .map((stack) => stack.name);
  }

  async #make(
    stack: Stack,
    id: string,
    type: string,
    properties: Values,
    old: Resource | undefined,
    verb: "CREATE" | "UPDATE",
  ): Promise<Resource> {
    const path = ["Resources", id];
    const kept = old?.type === type ? old : undefined;
    if (kept && type !== stackType && same(kept.properties, properties)) return kept;
    const word = kept ? "UPDATE" : "CREATE";
    const reason = this.#options.fail?.(stack.name, id);
    const name = this.#name(stack, id, type, properties, kept);
    const resource: Resource = {
      logicalId: id,
      type,
      name,
      properties,
      ref: name,
      since: new Date().toISOString(),
    };
    resource.ref = this.#ref(resource, kept);
    this.#event(stack, id, resource.ref, type, `${word}_IN_PROGRESS`);
    if (reason !== undefined) throw new LinkError(reason, path);
    if (type === stackType) await this.#nest(stack, resource, kept, verb);
    else if (isCustom(type)) await this.#custom(kept ? "Update" : "Create", stack, resource, kept);
    else if (type === "AWS::SNS::Subscription") this.#requireTopic(String(properties.TopicArn), id);
    else if (type === "AWS::Lambda::Function") this.#requireCode(properties.Code, id);
    else if (type === "AWS::EC2::Subnet") this.#requireZone(properties.AvailabilityZone, id);
    this.#event(stack, id, resource.ref, type, `${word}_COMPLETE`);
    return resource;
  }

  #name(stack: Stack, id: string, type: string, properties: Values, kept: Resource | undefined): string {
    const explicit = explicitName(type, properties);
    if (explicit === undefined) return kept?.name ?? generatedName(type, stack.name, id, properties);
    if (isShared(type)) return explicit;
    const key = `${type} ${explicit}`;
    const owner = this.#names.get(key);
    if (owner && (owner.stack !== stack.name || owner.logicalId !== id))
      throw new LinkError(`${explicit} exists already: ${owner.logicalId} of the stack ${owner.stack}.`, [
        "Resources",
        id,
      ]);
    this.#names.set(key, { stack: stack.name, logicalId: id });
    return explicit;
  }

  #ref(resource: Resource, kept: Resource | undefined): string {
    if (resource.type === "AWS::ECS::TaskDefinition") {
      const revision = (this.#revisions.get(resource.name) ?? 0) + 1;
      this.#revisions.set(resource.name, revision);
      return refOf(resource, this.place, revision);
    }
    return kept && kept.name === resource.name ? kept.ref : refOf(resource, this.place);
  }

  async #nest(
    stack: Stack,
    resource: Resource,
    kept: Resource | undefined,
    verb: "CREATE" | "UPDATE",
  ): Promise<void> {
    const path = ["Resources", resource.logicalId, "Properties", "TemplateURL"];
    const url = String(resource.properties.TemplateURL);
    if (!url.startsWith("https://"))
      throw new LinkError(`TemplateURL must be an https URL of S3, not ${url}.`, path);
    const object = this.object(url);
    if (!object) throw new LinkError(`There is no object at ${url}.`, path);
    const existing = kept ? this.find(kept.ref) : undefined;
    const name = existing?.name ?? generatedName(stackType, stack.name, resource.logicalId, {});
    const child = existing ?? this.create(name, stack.tags);
    child.parent = stack.name;
    resource.name = name;
    resource.ref = child.id;
    try {
      const template = this.template(name, object.toString());
      validateReferences(template);
      const given = Object.entries((resource.properties.Parameters ?? {}) as Values);
      const parameters = this.parameters(
        template,
        Object.fromEntries(
          given.map(([key, value]) => [key, Array.isArray(value) ? value.join(",") : String(value)]),
        ),
      );
      await this.apply(child, template, parameters, stack.tags, existing ? verb : "CREATE");
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      child.failure = error;
    }
    if (!child.failure) return;
    const { message, path: where, inStack } = child.failure;
    if (!existing) this.stacks.delete(name);
    throw new LinkError(message, where, { inStack: inStack ?? name, cause: child.failure });
  }

  async #custom(
    kind: CustomRequest["kind"],
    stack: Stack,
    resource: Resource,
    old: Resource | undefined,
  ): Promise<void> {
    if (old) resource.ref = old.ref;
    try {
      const { data, physicalId } = await this.#options.custom({ kind, stack, resource, old }, this);
      resource.data = data;
      if (physicalId !== undefined) resource.ref = physicalId;
    } catch (error) {
      if (error instanceof LinkError && error.path.length === 0)
        error.path = ["Resources", resource.logicalId];
      throw error;
    }
  }

  #requireTopic(topic: string, id: string): void {
    for (const [, { type, ref }] of this.resources()) if (type === "AWS::SNS::Topic" && ref === topic) return;
    throw new LinkError(`There is no topic ${topic} to subscribe to.`, [
      "Resources",
      id,
      "Properties",
      "TopicArn",
    ]);
  }

  #requireZone(zone: unknown, id: string): void {
    if (zone === undefined || textOf(zone).slice(0, -1) === this.place.region) return;
    throw new LinkError(`${textOf(zone)} is no zone of ${this.place.region}, the region of this stack.`, [
      "Resources",
      id,
      "Properties",
      "AvailabilityZone",
    ]);
  }

  #requireCode(code: unknown, id: string): void {
    const { S3Bucket, S3Key, ZipFile, ImageUri } = (code ?? {}) as Record<string, unknown>;
    const path = ["Resources", id, "Properties", "Code"];
    if (ZipFile !== undefined || ImageUri !== undefined) return;
    if (S3Bucket === undefined || S3Key === undefined)
      throw new LinkError(
        `The code of ${id} is no object of S3: the CLI uploads a path only with --upload-assets.`,
        path,
      );
    if (!this.objects.has(`${S3Bucket as string}/${S3Key as string}`))
      throw new LinkError(`There is no object ${S3Key as string} for the code of ${id}.`, path);
  }

  async #rollBack(
    stack: Stack,
    before: Pick<Stack, "resources" | "outputs" | "parameters" | "imports" | "template">,
    error: LinkError,
    current: string | undefined,
    verb: "CREATE" | "UPDATE",
  ): Promise<void> {
    const id = current ?? error.resource ?? stack.name;
    if (error.path.length === 0 && current !== undefined) error.path = ["Resources", current];
    const type = stack.template?.Resources[id]?.Type ?? stackType;
    this.#event(stack, id, "", type, `${verb}_FAILED`, error.message);
    const rolling = verb === "CREATE" ? "ROLLBACK_IN_PROGRESS" : "UPDATE_ROLLBACK_IN_PROGRESS";
    if (id !== stack.name)
      this.#event(
        stack,
        stack.name,
        stack.id,
        stackType,
        rolling,
        `The following resource(s) failed to ${verb.toLowerCase()}: [${id}].`,
      );
    for (const [logicalId, resource] of [...stack.resources].toReversed()) {
      const old = before.resources.get(logicalId);
      if (!old) await this.#forget(stack, resource);
      else if (isCustom(resource.type) && old !== resource) {
        // CloudFormation tells the script to go back to what it was.
        await this.#custom("Update", stack, { ...old }, resource).catch(ignoreLinkError);
      } else if (resource.type === stackType && old !== resource) await this.#restoreNested(old);
    }
    stack.resources = before.resources;
    stack.imports = before.imports;
    stack.outputs = before.outputs;
    stack.failure = error;
    if (verb === "UPDATE") {
      stack.parameters = before.parameters;
      if (before.template) stack.template = before.template;
    }
    stack.status = verb === "CREATE" ? "ROLLBACK_COMPLETE" : "UPDATE_ROLLBACK_COMPLETE";
    this.#event(stack, stack.name, stack.id, stackType, stack.status);
  }

  /** A nested stack that was already updated goes back to the template that its parent had. */
  async #restoreNested(old: Resource): Promise<void> {
    const child = this.find(old.ref);
    const object = this.object(String(old.properties.TemplateURL));
    if (!child || !object || child.template?.text === object.toString()) return;
    const template = this.template(child.name, object.toString());
    const given = Object.entries((old.properties.Parameters ?? {}) as Values);
    const parameters = this.parameters(
      template,
      Object.fromEntries(given.map(([key, value]) => [key, String(value)])),
    );
    await this.apply(child, template, parameters, child.tags, "UPDATE");
  }

  async #forget(stack: Stack, resource: Resource): Promise<void> {
    if (isCustom(resource.type)) await this.#delete(stack, resource);
    for (const [key, owner] of this.#names)
      if (owner.stack === stack.name && owner.logicalId === resource.logicalId) this.#names.delete(key);
    const nested = resource.type === stackType ? this.find(resource.ref) : undefined;
    if (nested && nested.status !== "DELETE_COMPLETE") await this.remove(nested);
    this.#event(stack, resource.logicalId, resource.ref, resource.type, "DELETE_COMPLETE");
  }

  async #delete(stack: Stack, resource: Resource): Promise<void> {
    const request = { kind: "Delete" as const, stack, resource, old: undefined };
    await this.#options.custom(request, this).catch(ignoreLinkError);
  }

  #placeholder(id: string, type: string): Resource {
    return { logicalId: id, type, name: `(${id})`, properties: {}, ref: `(${id})`, since: "" };
  }

  #tryValue(evaluator: Evaluator, definition: Definition, id: string): unknown {
    try {
      return evaluator.value(definition.Properties ?? {}, ["Resources", id, "Properties"]);
    } catch (error) {
      // Known only when what it refers to exists: the execution says so.
      if (error instanceof LinkError) return undefined;
      throw error;
    }
  }

  #nestedChanged({ type, properties, ref }: Resource, stack: Stack): boolean {
    if (type !== stackType) return false;
    const object = this.object(String(properties.TemplateURL));
    return stack.status.includes("ROLLBACK") || this.find(ref)?.template?.text !== object?.toString();
  }

  #event(
    stack: Stack,
    logicalId: string,
    physicalId: string,
    type: string,
    status: string,
    reason?: string,
  ): void {
    stack.events.push({
      id: randomUUID(),
      logicalId,
      physicalId,
      type,
      at: new Date().toISOString(),
      status,
      ...(reason === undefined ? {} : { reason }),
    });
  }
}

function isCustom(type: string): boolean {
  return type.startsWith("Custom::") || type === "AWS::CloudFormation::CustomResource";
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function ignoreLinkError(error: unknown): void {
  if (!(error instanceof LinkError)) throw error;
}
