import {
  any,
  bool,
  cidr,
  dictOf,
  either,
  int,
  listOf,
  map,
  oneOf,
  string,
  strings,
  type ScalarSchema,
} from "./schema.ts";

const subnet = map({ id: string, cidr, az: string });
const rule = map({ cidr, ports: string, ip_protocol: string });
const deprecatedSecurityGroups = map({
  ingress: map({ restrict_to: map({ cdn: bool, source_ips: strings }), from_vpc: bool }),
});

/** `copilot/environments/<name>/manifest.yml` */
export const environmentSchema = map({
  name: string,
  type: string,
  network: map({
    vpc: map({
      id: string,
      cidr,
      subnets: map({ public: listOf(subnet), private: listOf(subnet) }),
      security_group: map({ ingress: listOf(rule), egress: listOf(rule) }),
      flow_logs: either({ scalar: bool, map: map({ retention: int }) }),
    }),
  }),
  observability: map({ container_insights: bool }),
  http: map({
    public: map({
      security_groups: deprecatedSecurityGroups,
      certificates: strings,
      access_logs: either({ scalar: bool, map: map({ bucket_name: string, prefix: string }) }),
      ingress: map({ cdn: bool, source_ips: listOf(cidr) }),
      ssl_policy: string,
    }),
    private: map({
      subnets: strings,
      certificates: strings,
      security_groups: deprecatedSecurityGroups,
      ingress: map({ vpc: bool }),
      ssl_policy: string,
    }),
  }),
  cdn: either({
    scalar: bool,
    map: map({
      certificate: string,
      terminate_tls: bool,
      static_assets: map({ location: string, alias: string, path: string }),
    }),
  }),
});

const versionOne: ScalarSchema = {
  kind: "int",
  refuse: (text) =>
    text === "1" ? undefined : "must be 1; Copilot then says that it cannot find the pipeline",
};
const prePost = dictOf(map({ buildspec: string, depends_on: strings }));

/** `copilot/pipelines/<name>/manifest.yml` */
export const pipelineSchema = map({
  name: string,
  version: versionOne,
  source: map({
    provider: oneOf("GitHub", "GitHubV1", "CodeCommit", "Bitbucket"),
    properties: map({
      branch: string,
      repository: string,
      connection_name: string,
      output_artifact_format: string,
      access_token_secret: string,
    }),
  }),
  build: map({ image: string, buildspec: string, additional_policy: map({ PolicyDocument: any }) }),
  stages: listOf(
    map({
      name: string,
      requires_approval: bool,
      test_commands: strings,
      deployments: dictOf(
        map({ depends_on: strings, stack_name: string, template_path: string, template_config: string }),
      ),
      pre_deployments: prePost,
      post_deployments: prePost,
    }),
  ),
});
