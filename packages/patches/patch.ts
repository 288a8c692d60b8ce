/** Words of CloudFormation, and of the patches that the CLI applies to it. */
export type Json = string | number | boolean | Json[] | { [key: string]: Json };
export type Patch = { op: "add" | "replace" | "remove"; path: string; value?: Json };
/** Patches for one reason, which stands above them. */
export type Section = { why: string; patches: Patch[] };

/** What a person must decide; its message is all there is to say. */
export class Mistake extends Error {}

export const sub = (text: string): Json => ({ "Fn::Sub": text });
export const getAtt = (id: string, attribute: string): Json => ({ "Fn::GetAtt": [id, attribute] });
export const imported = (name: string): Json => ({
  "Fn::ImportValue": sub(`\${AppName}-\${EnvName}-${name}`),
});
export const arn = (service: string, rest: string) =>
  sub(`arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${rest}`);
export const set = (id: string, path: string, value: Json): Patch => ({
  op: "add",
  path: `/Resources/${id}/Properties/${path}`,
  value,
});
export const resource = (id: string, value: { [key: string]: Json }): Patch => ({
  op: "add",
  path: `/Resources/${id}`,
  value,
});
