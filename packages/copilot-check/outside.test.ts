import { expect, onTestFinished, test } from "vitest";
import { answerOf, outside } from "./outside.ts";
import { cloud, deploy } from "./testing.ts";

const template = `Resources:
  Plain: {Type: AWS::ElasticLoadBalancingV2::Listener, Properties: {Protocol: HTTP}}
  Secure: {Type: AWS::ElasticLoadBalancingV2::Listener, Properties: {Protocol: HTTPS}}
  Group: {Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {HealthCheckPath: /pos/health}}
  Leads:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties:
      ListenerArn: !Ref Plain
      Priority: 1
      Conditions: [{Field: host-header, HostHeaderConfig: {Values: [pos.shop.example]}}]
      Actions: [{Type: redirect, RedirectConfig: {Protocol: HTTPS}}]
  Forwards:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties:
      ListenerArn: !Ref Secure
      Priority: 1
      Conditions:
        - {Field: host-header, HostHeaderConfig: {Values: [pos.shop.example]}}
        - {Field: path-pattern, PathPatternConfig: {Values: [/pos, /pos/*]}}
      Actions: [{Type: forward, TargetGroupArn: !Ref Group}]
`;

test("a listener's rule answers for its host and path only, the target on its health path only", async () => {
  const aws = cloud();
  expect((await deploy(aws, "s", template)).failure).toBeUndefined();
  const ask = (scheme: string, host: string, path: string) => answerOf(aws, scheme, host, path).status;
  expect(ask("https", "pos.shop.example", "/pos/health")).toBe(200);
  expect(ask("https", "pos.shop.example", "/pos/else")).toBe(404);
  expect(ask("https", "pos.shop.example", "/health")).toBe(404);
  expect(ask("https", "posxshop.example", "/pos/health")).toBe(404);
  expect(answerOf(aws, "http", "pos.shop.example", "/pos/health")).toEqual({
    status: 301,
    location: "https://pos.shop.example:443/pos/health",
  });
});

test("what goes wrong while it looks for a name is an answer of its own, and the next is answered", async () => {
  let broken = true;
  const account = {
    answer: () => {
      if (broken) throw new Error("a bug");
      return { HostedZones: [] };
    },
  };
  const seen = await outside(cloud(), account);
  onTestFinished(() => seen.close());
  const ask = () => fetch(`${seen.url}/https/pos.shop.example/`);
  const failed = await ask();
  expect([failed.status, await failed.text()]).toEqual([500, "Error: a bug"]);
  broken = false;
  expect((await ask()).status).toBe(523);
});
