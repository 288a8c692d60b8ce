/**
 * What the CLI keeps in stacks of its own: the key, the bucket, a repository for each workload; with a domain the
 * application's zone below it, and the role with which environments write into both.
 */
export function applicationTemplate(
  application: string,
  workloads: string[],
  domain: string | undefined,
): string {
  const repositories = workloads.map(
    (name) => `  Repository${name.replaceAll(/[^a-z0-9]/g, "DASH")}:
    Type: AWS::ECR::Repository
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      RepositoryName: ${application}/${name}
      ImageScanningConfiguration:
        ScanOnPush: true
`,
  );
  return `# For an account that the Copilot CLI never touched. Where it did, its own stack set has all of this: leave it out.
AWSTemplateFormatVersion: "2010-09-09"
Description: Key, bucket and image repositories of ${application}
${domain === undefined ? "" : zoneParameter}Resources:
  ArtifactKey:
    Type: AWS::KMS::Key
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      Description: Templates, code and images of ${application}
      EnableKeyRotation: true
      KeyPolicy:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal:
              AWS: !Sub arn:\${AWS::Partition}:iam::\${AWS::AccountId}:root
            Action: kms:*
            Resource: "*"
  Bucket:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      VersioningConfiguration:
        Status: Enabled
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - ServerSideEncryptionByDefault:
              SSEAlgorithm: aws:kms
              KMSMasterKeyID: !GetAtt ArtifactKey.Arn
      OwnershipControls:
        Rules:
          - ObjectOwnership: BucketOwnerEnforced
      PublicAccessBlockConfiguration:
        BlockPublicAcls: true
        BlockPublicPolicy: true
        IgnorePublicAcls: true
        RestrictPublicBuckets: true
${repositories.join("")}${domain === undefined ? "" : zone(application, domain)}Outputs:
  KMSKeyARN:
    Value: !GetAtt ArtifactKey.Arn
    Export:
      Name: ${application}-ArtifactKey
  PipelineBucket:
    Value: !Ref Bucket
`;
}

const zoneParameter = `Parameters:
  DomainHostedZoneId:
    Type: AWS::Route53::HostedZone::Id
`;

/** As in Copilot's own stack, names included: the environments look for them. */
function zone(application: string, domain: string): string {
  return `  HostedZone:
    Type: AWS::Route53::HostedZone
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      Name: ${application}.${domain}
  Delegation:
    Type: AWS::Route53::RecordSet
    Properties:
      HostedZoneId: !Ref DomainHostedZoneId
      Name: ${application}.${domain}.
      Type: NS
      TTL: "900"
      ResourceRecords: !GetAtt HostedZone.NameServers
  DelegationRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: ${application}-DNSDelegationRole
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal:
              AWS: !Sub arn:\${AWS::Partition}:iam::\${AWS::AccountId}:root
            Action: sts:AssumeRole
      Policies:
        - PolicyName: DNSDelegationPolicy
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action: [route53:Get*, route53:List*]
                Resource: "*"
              - Effect: Allow
                Action: route53:ChangeResourceRecordSets
                Resource:
                  - !Sub arn:\${AWS::Partition}:route53:::hostedzone/\${HostedZone}
                  - !Sub arn:\${AWS::Partition}:route53:::hostedzone/\${DomainHostedZoneId}
`;
}
