import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { CloudFormation, Resource } from "./cloud-formation.ts";
import type { Account } from "./stand-in.ts";
import type { Values } from "./template.ts";

export interface Outside {
  /** `<url>/https/<host>/<path>` answers as `https://<host>/<path>` would. */
  url: string;
  close(): Promise<void>;
}

/**
 * What somebody outside would see of the load balancers that stacks made: a name must be in DNS, a listener's rule must take
 * it, and the target answers on its health path alone.
 */
export async function outside(cloud: CloudFormation, account: Account): Promise<Outside> {
  const server = createServer((request, response) => {
    const [, scheme = "", host = "", path = ""] = /^\/(https?)\/([^/]+)(\/.*)$/.exec(request.url ?? "") ?? [];
    hasAddress(cloud, account, host)
      .then((found): ReturnType<typeof answerOf> =>
        found ? answerOf(cloud, scheme, host, path) : { status: 523 },
      )
      .then(({ status, location }) =>
        response.writeHead(status, location === undefined ? {} : { location }).end(),
      )
      .catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => closed(server),
  };
}

/** Status of one request, and where it leads. */
export function answerOf(
  cloud: CloudFormation,
  scheme: string,
  host: string,
  path: string,
): { status: number; location?: string } {
  const all = [...cloud.resources()].map(([, resource]) => resource);
  const listeners = new Set(
    all
      .filter(
        ({ type, properties }) => type.endsWith("::Listener") && properties.Protocol === scheme.toUpperCase(),
      )
      .map(({ ref }) => ref),
  );
  const [rule] = all
    .filter(
      ({ type, properties }) =>
        type.endsWith("::ListenerRule") && listeners.has(String(properties.ListenerArn)),
    )
    .filter(({ properties }) => takes(properties, host, path))
    .toSorted((a, b) => Number(a.properties.Priority) - Number(b.properties.Priority));
  const [action] = (rule?.properties.Actions ?? []) as {
    Type: string;
    TargetGroupArn?: string;
    RedirectConfig?: Values;
  }[];
  if (action?.Type === "redirect")
    return {
      status: 301,
      location: `${String(action.RedirectConfig?.Protocol).toLowerCase()}://${host}:443${path}`,
    };
  const group = all.find(({ ref, type }) => type.endsWith("::TargetGroup") && ref === action?.TargetGroupArn);
  return { status: group?.properties.HealthCheckPath === path ? 200 : 404 };
}

function takes(properties: Values, host: string, path: string): boolean {
  const conditions = properties.Conditions as {
    Field: string;
    HostHeaderConfig?: Values;
    PathPatternConfig?: Values;
  }[];
  return conditions.every(({ Field, HostHeaderConfig, PathPatternConfig }) => {
    const values = (HostHeaderConfig?.Values ?? PathPatternConfig?.Values ?? []) as string[];
    const given = Field === "host-header" ? host : path;
    return values.some((pattern) =>
      new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", ".*")}$`).test(given),
    );
  });
}

/** A stack's own record, or one that a custom resource's script wrote. */
async function hasAddress(cloud: CloudFormation, account: Account, host: string): Promise<boolean> {
  const isHost = (name: unknown): boolean => String(name).replace(/\.$/, "") === host;
  const records = ({ type, properties }: Resource): unknown[] =>
    type === "AWS::Route53::RecordSet"
      ? [properties.Name]
      : type === "AWS::Route53::RecordSetGroup"
        ? ((properties.RecordSets ?? []) as Values[]).map(({ Name }) => Name)
        : [];
  if ([...cloud.resources()].some(([, resource]) => records(resource).some(isHost))) return true;
  const ask = (operation: string, input: Values): Promise<Values> =>
    Promise.resolve(
      account.answer({ protocol: "query", host: "route53.amazonaws.com", operation, input }) as Values,
    );
  for (let name = host; name.includes("."); name = name.replace(/^[^.]*\./, "")) {
    const { HostedZones } = (await ask("ListHostedZonesByName", { dnsname: name })) as {
      HostedZones: { Id: string }[];
    };
    for (const { Id } of HostedZones) {
      const { ResourceRecordSets } = await ask("ListResourceRecordSets", {
        HostedZoneId: Id.replace("/hostedzone/", ""),
      });
      if ((ResourceRecordSets as Values[]).some(({ Name, Type }) => Type === "A" && isHost(Name)))
        return true;
    }
  }
  return false;
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => void server.close(() => resolve()));
}
