import { expect, test } from "vitest";
import { deniedActions } from "./role-actions.ts";
import { parseTemplate } from "./template.ts";

const template = parseTemplate(
  "pipeline",
  `Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      ManagedPolicyArns: [arn:aws:iam::aws:policy/AWSCloudFormationReadOnlyAccess]
      Policies:
        - PolicyDocument: {Statement: [{Effect: Allow, Action: "ecs:Run*", Resource: "*"}]}
  Beside:
    Type: AWS::IAM::Policy
    Properties:
      Roles: [!Ref Role]
      PolicyDocument: {Statement: [{Effect: Allow, Action: [logs:GetLogEvents], Resource: "*"}]}
  Others:
    Type: AWS::IAM::Policy
    Properties:
      Roles: [!Ref Another]
      PolicyDocument: {Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}
  Another: {Type: AWS::IAM::Role}
`,
);

test("a role may do what its own, its attached and AWS's policies allow, and nothing that another role may", () => {
  const asked = ["cloudformation:ListExports", "logs:GetLogEvents", "s3:PutObject"];
  expect(deniedActions(template, "Role", asked)).toEqual(["s3:PutObject"]);
});

test("whoever runs a task must be allowed to give it its role", () => {
  expect(deniedActions(template, "Role", ["ecs:RunTask"])).toEqual(["iam:PassRole"]);
  expect(deniedActions(template, "Another", ["ecs:RunTask"])).toEqual([]);
});
