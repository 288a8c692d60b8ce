import type { CloudFormation } from "./cloud-formation.ts";
import { type Answers, ServiceError } from "./protocols.ts";
import { nameServers } from "./resource-types.ts";
import type { Values } from "./template.ts";
import { textOf } from "./text.ts";

interface RecordSet {
  Name: string;
  Type: string;
  TTL?: string;
  ResourceRecords?: { Value: string }[];
  AliasTarget?: Values;
}

interface Zone {
  id: string;
  /** Without the last dot. */
  name: string;
}

/** The zone that must be there before `app init --domain`: the domain's own, registered and delegated. */
const domainZone = "Z0DOMAIN0OFFLINE";

/**
 * Route 53 and ACM: what `app init --domain` and the custom resources of an environment with a domain ask. Zones are the
 * domain's own and those that stacks made; a certificate is issued when all records that prove its names are there.
 */
export function domainNames(cloud: CloudFormation, domain: string | undefined): Answers {
  const records = new Map<string, Map<string, RecordSet>>();
  const zones = (): Zone[] => [
    ...(domain === undefined ? [] : [{ id: domainZone, name: domain }]),
    ...[...cloud.resources()]
      .filter(([, { type }]) => type === "AWS::Route53::HostedZone")
      .map(([, { ref, properties }]) => ({ id: ref, name: bare(String(properties.Name)) })),
  ];
  const find = (id: unknown): Zone => {
    const zone = zones().find((known) => known.id === id);
    if (!zone) throw new ServiceError("NoSuchHostedZone", `No hosted zone found with ID: ${String(id)}`, 404);
    return zone;
  };
  const recordsOf = (zone: Zone): Map<string, RecordSet> => {
    const own = records.get(zone.id) ?? new Map([[`${zone.name} NS`, delegation(zone)]]);
    records.set(zone.id, own);
    return own;
  };
  const change = (zone: Zone, Action: string, set: RecordSet): void => {
    const name = bare(set.Name);
    if (name !== zone.name && !name.endsWith(`.${zone.name}`))
      throw new ServiceError(
        "InvalidChangeBatch",
        `RRSet with DNS name ${name}. is not permitted in zone ${zone.name}.`,
      );
    const own = recordsOf(zone);
    const key = `${name} ${set.Type}`;
    if (Action === "DELETE" && !own.delete(key))
      throw new ServiceError(
        "InvalidChangeBatch",
        `Tried to delete resource record set [name='${name}.', type='${set.Type}'] but it was not found`,
      );
    if (Action === "CREATE" && own.has(key))
      throw new ServiceError(
        "InvalidChangeBatch",
        `Tried to create resource record set [name='${name}.', type='${set.Type}'] but it already exists`,
      );
    if (Action !== "DELETE") own.set(key, set);
  };
  return {
    ListHostedZonesByName: ({ dnsname }) => {
      // Route 53 sorts by the labels from the right, and begins with the name that was asked for.
      const wanted = bare(dnsname === undefined ? "" : textOf(dnsname));
      const found = zones().toSorted((a, b) => Number(b.name === wanted) - Number(a.name === wanted));
      const listed = found.some(({ name }) => name === wanted) ? found : [];
      return {
        HostedZones: listed.map(({ id, name }) => ({
          Id: `/hostedzone/${id}`,
          Name: `${name}.`,
          CallerReference: id,
          Config: { PrivateZone: false },
        })),
        DNSName: dnsname,
        IsTruncated: false,
        MaxItems: "100",
      };
    },
    ListResourceRecordSets: ({ HostedZoneId }) => ({
      ResourceRecordSets: [...recordsOf(find(HostedZoneId)).values()],
      IsTruncated: false,
      MaxItems: "300",
    }),
    ChangeResourceRecordSets: ({ HostedZoneId, ChangeBatch }) => {
      const zone = find(HostedZoneId);
      const { Changes } = ChangeBatch as { Changes: { Action: string; ResourceRecordSet: RecordSet }[] };
      for (const { Action, ResourceRecordSet } of Changes) change(zone, Action, ResourceRecordSet);
      return { ChangeInfo: { Id: "/change/C0OFFLINE", Status: "INSYNC", SubmittedAt: now() } };
    },
    GetChange: ({ Id }) => ({
      ChangeInfo: { Id: `/change/${String(Id)}`, Status: "INSYNC", SubmittedAt: now() },
    }),
    ...certificates(cloud, (name, type, value) =>
      zones().some((zone) =>
        recordsOf(zone)
          .get(`${bare(name)} ${type}`)
          ?.ResourceRecords?.some(({ Value }) => bare(Value) === bare(value)),
      ),
    ),
  };
}

/** ACM. A wildcard and its domain are proven by one record, as ACM has it. */
function certificates(
  { place }: CloudFormation,
  exists: (name: string, type: string, value: string) => boolean,
): Answers {
  const names = new Map<string, string[]>();
  let made = 0;
  const described = (arn: string): Values => {
    const own = names.get(arn);
    if (!own) throw new ServiceError("ResourceNotFoundException", `Could not find certificate ${arn}.`);
    const options = own.map((DomainName) => {
      const ResourceRecord = {
        Name: `_proof.${DomainName.replace(/^\*\./, "")}.`,
        Type: "CNAME",
        Value: "_proof.acm-validations.aws.",
      };
      const proven = exists(ResourceRecord.Name, ResourceRecord.Type, ResourceRecord.Value);
      return {
        DomainName,
        ValidationMethod: "DNS",
        ValidationStatus: proven ? "SUCCESS" : "PENDING_VALIDATION",
        ResourceRecord,
      };
    });
    const issued = options.every(({ ValidationStatus }) => ValidationStatus === "SUCCESS");
    return {
      CertificateArn: arn,
      DomainName: own[0],
      SubjectAlternativeNames: own,
      DomainValidationOptions: options,
      Status: issued ? "ISSUED" : "PENDING_VALIDATION",
      InUseBy: [],
    };
  };
  return {
    RequestCertificate: ({ DomainName, SubjectAlternativeNames }) => {
      const CertificateArn = `arn:aws:acm:${place.region}:${place.account}:certificate/00000000-0000-4000-8000-${String((made += 1)).padStart(12, "0")}`;
      const own = new Set([String(DomainName), ...((SubjectAlternativeNames ?? []) as string[])]);
      names.set(CertificateArn, [...own]);
      return { CertificateArn };
    },
    DescribeCertificate: ({ CertificateArn }) => ({ Certificate: described(String(CertificateArn)) }),
    ListCertificates: () => ({
      CertificateSummaryList: [...names].map(([CertificateArn, [DomainName]]) => ({
        CertificateArn,
        DomainName,
      })),
    }),
    DeleteCertificate: ({ CertificateArn }) => void names.delete(String(CertificateArn)),
  };
}

function delegation({ id, name }: Zone): RecordSet {
  const ResourceRecords = nameServers(id).map((server) => ({ Value: `${server}.` }));
  return { Name: `${name}.`, Type: "NS", TTL: "172800", ResourceRecords };
}

function bare(name: string): string {
  return name.replace(/\.$/, "").toLowerCase();
}

function now(): string {
  return new Date().toISOString();
}
