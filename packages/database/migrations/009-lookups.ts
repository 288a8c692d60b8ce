const lookups = [
  "register_by_device(text)",
  "register_by_enrolment(text)",
  "company_by_storefront(text, text)",
  "company_ids()",
  "mall_account_by_mail(text)",
  "companies_with_due_schedules()",
];

// A function runs with its owner's rights, so the look-ups go to a role that cannot log in, owns nothing else and reads
// the few tables named in its policies. Its right to create is lent only for the hand-over.
export const sql = `
grant noren_lookup to current_user;
grant create on schema public to noren_lookup;
${lookups
  .map(
    (signature) => `
alter function ${signature} owner to noren_lookup;
revoke execute on function ${signature} from public;
grant execute on function ${signature} to noren_app;`,
  )
  .join("")}
revoke create on schema public from noren_lookup;
revoke noren_lookup from current_user;
`;
