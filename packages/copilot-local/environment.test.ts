import { expect, test } from "vitest";
import { toLocalhost } from "./environment.ts";

const hosts = new Map([
  ["backend-api", "127.0.0.1:8010"],
  ["backend-api.staging.noren.local", "127.0.0.1:8010"],
  ["shop.example", "127.0.0.1:8002"],
]);

test.each([
  ["http://backend-api:8010/v1", "http://127.0.0.1:8010/v1"],
  ["http://backend-api", "http://127.0.0.1:8010"],
  ["http://Backend-API:80/", "http://127.0.0.1:8010/"],
  ["https://shop.example/cart?x=http://backend-api", "http://127.0.0.1:8002/cart?x=http://127.0.0.1:8010"],
  ["backend-api:8010", "127.0.0.1:8010"],
  ["backend-api.staging.noren.local", "127.0.0.1"],
  ["backend-api.staging.noren.local:8010", "127.0.0.1:8010"],
  // No workload's address, or not an address at all.
  ["backend-api", "backend-api"],
  ["https://backend-api.example/", "https://backend-api.example/"],
  ["https://example.com", "https://example.com"],
  ["see backend-api:8010", "see backend-api:8010"],
  ["", ""],
])("%s becomes %s", (value, local) => {
  expect(toLocalhost(value, hosts)).toBe(local);
});

test("a bare name is a host only where the variable says that it is one", () => {
  expect(toLocalhost("backend-api", hosts, true)).toBe("127.0.0.1");
});
