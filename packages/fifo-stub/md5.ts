import { createHash } from "node:crypto";

export type MessageAttribute = {
  DataType: string;
  StringValue?: string;
  /** Base64, as in the JSON protocol. */
  BinaryValue?: string;
};

export function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

/** MD5OfMessageAttributes: names in order; of each the name, type, kind of value and value, each with its length before it. */
export function md5OfAttributes(
  attributes: Record<string, MessageAttribute> | undefined,
): string | undefined {
  const names = Object.keys(attributes ?? {}).toSorted();
  if (!attributes || names.length === 0) return undefined;
  const hash = createHash("md5");
  const add = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  };
  for (const name of names) {
    const { DataType, StringValue, BinaryValue } = attributes[name]!;
    add(Buffer.from(name));
    add(Buffer.from(DataType));
    const binary = BinaryValue !== undefined;
    hash.update(Buffer.from([binary ? 2 : 1]));
    add(binary ? Buffer.from(BinaryValue, "base64") : Buffer.from(StringValue ?? ""));
  }
  return hash.digest("hex");
}
