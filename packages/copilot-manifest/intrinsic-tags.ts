import type { MapNode, Node, Position } from "./types.ts";

/** CloudFormation's short tag in its long form: `!GetAtt A.Arn` → `{ "Fn::GetAtt": ["A", "Arn"] }`. */
export function intrinsic(tag: string, value: Node, at: Position): MapNode {
  const name = tag === "Ref" || tag === "Condition" ? tag : `Fn::${tag}`;
  const split = tag === "GetAtt" && value.kind === "scalar" ? attributeOf(value.text, at) : value;
  return { kind: "map", at, entries: new Map([[name, { key: at, value: split }]]) };
}

function attributeOf(text: string, at: Position): Node {
  const dot = text.indexOf(".");
  const parts = dot < 0 ? [text] : [text.slice(0, dot), text.slice(dot + 1)];
  return {
    kind: "list",
    at,
    items: parts.map((part) => ({ kind: "scalar", value: part, text: part, style: "quoted", at })),
  };
}
