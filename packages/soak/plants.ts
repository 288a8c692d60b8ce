/**
 * Bugs to plant into a running workspace, so that the soak itself can be proved: each is what a real mistake would do,
 * made in the database so that no program has to be changed.
 */
export const plants: Record<string, string> = {
  /** A relay with a cursor that begins at the newest row: what was committed while none ran is never sent. */
  "relay-begins-at-the-newest": `
    create function planted() returns trigger language plpgsql security definer as
      $$ begin delete from outbox; return null; end $$;
    create trigger planted after insert on relay_member for each row execute function planted();`,
  /** A writer that forgets one event in twenty. */
  "forgotten-events": `
    create function planted() returns trigger language plpgsql as
      $$ begin return case when new.id % 20 = 0 then null else new end; end $$;
    create trigger planted before insert on outbox for each row execute function planted();`,
  /** A till that prints the return receipt, and gives back only every second customer's money. */
  "refunds-keep-the-cash": `
    create sequence planted_refunds;
    grant usage on planted_refunds to noren_app;
    create function planted() returns trigger language plpgsql as
      $$ begin return case when nextval('planted_refunds') % 2 = 0 then null else new end; end $$;
    create trigger planted before insert on cash_moves for each row when (new.kind = 'refund')
      execute function planted();`,
  /** A worker that forgets to put every second bought piece on the shelf. */
  "bought-goods-vanish": `
    create sequence planted_moves;
    grant usage on planted_moves to noren_app;
    create function planted() returns trigger language plpgsql as
      $$ begin return case when nextval('planted_moves') % 2 = 0 then null else new end; end $$;
    create trigger planted before insert on stock_moves for each row when (new.kind = 'buyback')
      execute function planted();`,
  /** Somebody who mends a shelf's number by hand, without a move in the ledger. */
  "a-level-without-its-move": `
    update stock_levels set on_hand = on_hand + 1
    where product_id = (select product_id from stock_levels order by product_id limit 1);`,
};
