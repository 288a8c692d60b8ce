import { expect, test } from "vitest";
import type { CloudFormation } from "./cloud-formation.ts";
import { domainNames } from "./domain-names.ts";
import { cloud, deploy } from "./testing.ts";
import type { Values } from "./template.ts";

function names(aws: CloudFormation = cloud(), domain: string | undefined = "shop.example") {
  const calls = domainNames(aws, domain);
  return (operation: string, input: Values = {}): Values => calls[operation]?.(input) as Values;
}

const upsert = (HostedZoneId: string, Name: string, Value: string, Action = "UPSERT") => ({
  HostedZoneId,
  ChangeBatch: {
    Changes: [{ Action, ResourceRecordSet: { Name, Type: "CNAME", ResourceRecords: [{ Value }] } }],
  },
});

test("the domain's zone is there from the start, a stack's with the stack, each with its own name servers", async () => {
  const aws = cloud();
  const call = names(aws);
  const zones = (dnsname: string) =>
    (call("ListHostedZonesByName", { dnsname }).HostedZones as Values[]).map(({ Name }) => Name);
  expect(zones("shop.example")).toEqual(["shop.example."]);
  expect(zones("test.shop.example")).toEqual([]);
  const stack = await deploy(
    aws,
    "shop",
    "Resources: {Z: {Type: AWS::Route53::HostedZone, Properties: {Name: test.shop.example}}}\nOutputs: {N: {Value: !Join [' ', !GetAtt Z.NameServers]}}",
  );
  expect(zones("test.shop.example")[0]).toBe("test.shop.example.");
  const zone = stack.resources.get("Z")?.ref ?? "";
  const [record] = call("ListResourceRecordSets", { HostedZoneId: zone }).ResourceRecordSets as Values[];
  expect(record).toMatchObject({ Name: "test.shop.example.", Type: "NS" });
  const servers = ((record ?? {}).ResourceRecords as { Value: string }[]).map(({ Value }) =>
    Value.slice(0, -1),
  );
  expect(stack.outputs.N).toBe(servers.join(" "));
});

test("without a domain there is no zone", () => {
  expect(domainNames(cloud(), undefined).ListHostedZonesByName?.({ dnsname: "shop.example" })).toMatchObject({
    HostedZones: [],
  });
});

test("a certificate is issued when every name's record is there, one record for a domain and its wildcard", () => {
  const call = names();
  const { CertificateArn } = call("RequestCertificate", {
    DomainName: "shop.example",
    SubjectAlternativeNames: ["shop.example", "*.shop.example"],
  });
  const status = () => (call("DescribeCertificate", { CertificateArn }).Certificate as Values).Status;
  expect(status()).toBe("PENDING_VALIDATION");
  const { DomainValidationOptions: options } = call("DescribeCertificate", { CertificateArn })
    .Certificate as { DomainValidationOptions: { ResourceRecord: { Name: string; Value: string } }[] };
  expect(options).toHaveLength(2);
  const { Name, Value } = options[0]?.ResourceRecord ?? { Name: "", Value: "" };
  call("ChangeResourceRecordSets", upsert("Z0DOMAIN0OFFLINE", Name, Value));
  expect(status()).toBe("ISSUED");
  call("DeleteCertificate", { CertificateArn });
  expect(status).toThrow("Could not find certificate");
});

test("a name of another zone, an unknown zone, and a record that is not there are refused", () => {
  const call = names();
  expect(() =>
    call("ChangeResourceRecordSets", upsert("Z0DOMAIN0OFFLINE", "www.other.example", "a")),
  ).toThrow("is not permitted in zone shop.example");
  expect(() => call("ChangeResourceRecordSets", upsert("Z0", "www.shop.example", "a"))).toThrow(
    "No hosted zone found",
  );
  expect(() =>
    call("ChangeResourceRecordSets", upsert("Z0DOMAIN0OFFLINE", "www.shop.example", "a", "DELETE")),
  ).toThrow("was not found");
});
