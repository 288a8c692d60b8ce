import { generate } from "selfsigned";

export interface Certificate {
  key: string;
  cert: string;
}

/**
 * A certificate of its own for every run, for the AWS hosts of one region: nothing else trusts it, and it is made without
 * any program of the machine.
 */
export async function awsCertificate(region: string): Promise<Certificate> {
  const hosts = [
    "*.amazonaws.com",
    `*.${region}.amazonaws.com`,
    `*.s3.${region}.amazonaws.com`,
    `*.ecr.${region}.amazonaws.com`,
    `api.ecr.${region}.amazonaws.com`,
  ];
  const { private: key, cert } = await generate([{ name: "commonName", value: "copilot-check" }], {
    keySize: 2048,
    algorithm: "sha256",
    // Clocks of small machines are wrong by minutes.
    notBeforeDate: new Date(Date.now() - 3_600_000),
    notAfterDate: new Date(Date.now() + 86_400_000),
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", digitalSignature: true, keyCertSign: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      { name: "subjectAltName", altNames: hosts.map((value) => ({ type: 2 as const, value })) },
    ],
  });
  return { key, cert };
}
