import { expect, test } from "vitest";
import { column } from "./columns.ts";
import { parseTemplate } from "./template.ts";

const template = parseTemplate(
  "addon.yml",
  `
Parameters:
  App: {Type: String}
  Env: {Type: String}
  VPCID: {Type: String}
  Domain: {Type: String, Default: shop.example}
Mappings:
  By: {live: {Days: 30, Reader: "yes"}, test: {Days: 1, Reader: "no"}}
Conditions:
  HasReader: !Equals [!FindInMap [By, !Ref Env, Reader], "yes"]
Resources:
  Database:
    Type: AWS::RDS::DBCluster
    Properties:
      BackupRetentionPeriod: !FindInMap [By, !Ref Env, Days]
      DBClusterIdentifier: !Sub \${App}-\${Env}
      KmsKeyId: !Ref Key
      DatabaseName: !If [HasReader, live, !Ref "AWS::NoValue"]
      Tags: [{Key: vpc, Value: !Sub "\${App}/\${VPCID}"}]
      Imported: !ImportValue {"Fn::Sub": "\${App}-x"}
  Reader: {Type: AWS::RDS::DBInstance, Condition: HasReader}
  Key: {Type: AWS::KMS::Key}
  Mail: {Type: AWS::Lambda::Function, Properties: {Code: functions/mail}}
`,
);

test("mappings, conditions and known parameters are worked out; what other stacks give is named; references between resources stay", () => {
  const live = column(template, { App: "shop", Env: "live" }, "ap-northeast-1", "1");
  expect(live.Resources).toEqual({
    Database: {
      Type: "AWS::RDS::DBCluster",
      Properties: {
        BackupRetentionPeriod: 30,
        DBClusterIdentifier: "shop-live",
        KmsKeyId: { Ref: "Key" },
        DatabaseName: "live",
        Tags: [{ Key: "vpc", Value: "shop/VPCID" }],
        Imported: "shop-x",
      },
    },
    Reader: { Type: "AWS::RDS::DBInstance" },
    Key: { Type: "AWS::KMS::Key" },
    Mail: {
      Type: "AWS::Lambda::Function",
      Properties: { Code: { S3Bucket: "code", S3Key: "functions/mail" } },
    },
  });
  expect(live.Parameters).toEqual({ Domain: { Type: "String", Default: "shop.example" } });
});

test("what another column leaves out is not there", () => {
  const { Resources } = column(template, { App: "shop", Env: "test" }, "ap-northeast-1", "1") as {
    Resources: Record<string, { Properties?: object }>;
  };
  expect(Object.keys(Resources)).toEqual(["Database", "Key", "Mail"]);
  expect(Resources.Database?.Properties).not.toHaveProperty("DatabaseName");
});
