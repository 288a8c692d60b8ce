// An alarm rings for inbox rows in no day's partition: whoever looks after queues sees them, and may forget one.
export const sql = `
grant select, delete on inbox_stray to noren_operator;
`;
