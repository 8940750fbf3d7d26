/** The tables, with the indexes that the statements of this program use and no others. */
export const TABLES = `
  CREATE TABLE IF NOT EXISTS restaurant (
    id text PRIMARY KEY, name text NOT NULL, lat double precision NOT NULL, lng double precision NOT NULL,
    currency text NOT NULL, delivery_fee_minor integer NOT NULL, is_open boolean NOT NULL
  );
  CREATE TABLE IF NOT EXISTS menu_item (
    restaurant_id text NOT NULL REFERENCES restaurant, id text NOT NULL, name text NOT NULL,
    price_minor integer NOT NULL, stock integer CHECK (stock >= 0),
    PRIMARY KEY (restaurant_id, id)
  );
  CREATE TABLE IF NOT EXISTS driver (
    id text PRIMARY KEY, name text NOT NULL, vehicle text NOT NULL, is_online boolean NOT NULL, order_id text
  );
  CREATE TABLE IF NOT EXISTS orders (
    id text PRIMARY KEY, customer_id text NOT NULL, idempotency_key text NOT NULL, body_hash text NOT NULL,
    restaurant_id text NOT NULL, status text NOT NULL, version integer NOT NULL, driver_id text,
    lines jsonb NOT NULL, totals jsonb NOT NULL, lat double precision NOT NULL, lng double precision NOT NULL, note text,
    placed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (customer_id, idempotency_key)
  );
  -- What is not over: read after a restart, and by the sweep.
  CREATE INDEX IF NOT EXISTS orders_open ON orders (status) WHERE status NOT IN ('delivered', 'cancelled', 'rejected');
  -- Other programs read it by the transactions, below the oldest that still runs: so none is overtaken.
  CREATE TABLE IF NOT EXISTS order_event (
    order_id text NOT NULL, version integer NOT NULL, kind text NOT NULL, at timestamptz NOT NULL DEFAULT now(),
    body jsonb, transaction xid8 NOT NULL DEFAULT pg_current_xact_id(), position bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (order_id, version)
  );
  CREATE UNIQUE INDEX IF NOT EXISTS order_event_feed ON order_event (transaction, position);
  CREATE TABLE IF NOT EXISTS offer (
    id text PRIMARY KEY, order_id text NOT NULL, driver_id text NOT NULL, status text NOT NULL,
    expires_at timestamptz NOT NULL
  );
  CREATE UNIQUE INDEX IF NOT EXISTS offer_of_order ON offer (order_id) WHERE status = 'open';
  CREATE UNIQUE INDEX IF NOT EXISTS offer_to_driver ON offer (driver_id) WHERE status = 'open';
  CREATE TABLE IF NOT EXISTS ledger_entry (
    order_id text NOT NULL, line smallint NOT NULL, account text NOT NULL, amount_minor integer NOT NULL,
    PRIMARY KEY (order_id, line)
  );
  -- What commands were answered, what tablets and drivers have not acknowledged, what is to be done at the bank.
  CREATE TABLE IF NOT EXISTS command (
    who text NOT NULL, key text NOT NULL, asked text NOT NULL, answer jsonb NOT NULL, PRIMARY KEY (who, key)
  );
  CREATE TABLE IF NOT EXISTS inbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, recipient text NOT NULL, type text NOT NULL,
    order_id text NOT NULL, offer_id text, at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX IF NOT EXISTS inbox_of ON inbox (recipient, id);
  CREATE TABLE IF NOT EXISTS task (order_id text NOT NULL, kind text NOT NULL, PRIMARY KEY (order_id, kind));
  CREATE TABLE IF NOT EXISTS document (path text PRIMARY KEY, body text NOT NULL)`;
