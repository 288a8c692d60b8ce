import { expect, test } from "vitest";
import { withDomain } from "./domain.ts";

const addon = (domain: string) => `Parameters:
  App:
    Type: String
    Default: untouched
  MailDomain:
    Type: String
    Default: ${domain}

Resources: {}
`;

test("the domain of an addon becomes the decided one, and nothing else of it changes", () => {
  expect(withDomain(addon("noren.example"), "shop.example")).toBe(addon("shop.example"));
});

test("an addon without a domain is none of its business", () => {
  expect(withDomain("Parameters:\n  App:\n    Type: String\n", "shop.example")).toBeUndefined();
});
