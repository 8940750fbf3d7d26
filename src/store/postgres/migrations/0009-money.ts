import type { MigrationBuilder } from "node-pg-migrate";
import { LEDGER_LOCK } from "../lock-numbers.js";

/**
 * Facts of money wait here from the commit of their order until they are booked. The trigger copies them out of the
 * outbox in the order's own transaction, so they do not depend on who takes the outbox away, and when: a relay deletes
 * what it has published, a lone node what is days old.
 */
const INBOX = `
CREATE TABLE ledger_inbox (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key      text COLLATE "C" NOT NULL,
  "offset" bigint NOT NULL,
  at       double precision NOT NULL,
  body     bytea NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

-- Facts that nobody could book, for a person to look at.
CREATE TABLE ledger_refused (
  id       bigint PRIMARY KEY,
  key      text NOT NULL,
  "offset" bigint NOT NULL,
  at       double precision NOT NULL,
  body     bytea NOT NULL,
  reason   text NOT NULL
);

CREATE FUNCTION ledger_inbox_v1() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
  INSERT INTO ledger_inbox (key, "offset", at, body) VALUES (NEW.key, NEW."offset", NEW.at, NEW.body);
  RETURN NULL;
END
$function$;
CREATE TRIGGER event_outbox_money AFTER INSERT ON event_outbox FOR EACH ROW
  WHEN (NEW.type IN ('order.delivered', 'order.payment_captured', 'order.payment_refunded') AND NEW.kind = 'order')
  EXECUTE FUNCTION ledger_inbox_v1();
`;

/**
 * The books. A debit is positive, a credit negative. Rows are only ever added, by whomever, and every statement that adds
 * entries adds whole transactions: each sums to zero in its one currency when the statement ends.
 */
const BOOKS = `
CREATE TABLE ledger_transaction (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- What happened: booked once, however often it is told.
  key      text COLLATE "C" NOT NULL UNIQUE,
  kind     text NOT NULL,
  order_id text COLLATE "C" NOT NULL,
  currency text NOT NULL,
  at       double precision NOT NULL,
  note     text NOT NULL DEFAULT ''
);
CREATE INDEX ledger_transaction_at ON ledger_transaction (at);
CREATE INDEX ledger_transaction_order ON ledger_transaction (order_id);

CREATE TABLE ledger_entry (
  transaction  bigint NOT NULL REFERENCES ledger_transaction (id),
  line         integer NOT NULL,
  account      text COLLATE "C" NOT NULL,
  -- Whose: a restaurant, a driver, a customer; empty where the account has no parties.
  party        text COLLATE "C" NOT NULL,
  item         text NOT NULL,
  currency     text NOT NULL,
  amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
  at           double precision NOT NULL,
  PRIMARY KEY (transaction, line)
);
CREATE INDEX ledger_entry_at ON ledger_entry (at);
CREATE INDEX ledger_entry_party ON ledger_entry (account, party, at);

CREATE FUNCTION ledger_balanced_v1() RETURNS trigger LANGUAGE plpgsql AS $function$
DECLARE
  wrong bigint;
BEGIN
  SELECT e.transaction INTO wrong FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction
    WHERE e.transaction IN (SELECT a.transaction FROM added a)
    GROUP BY e.transaction HAVING sum(e.amount_minor) <> 0 OR count(*) FILTER (WHERE e.currency <> t.currency) > 0
    LIMIT 1;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'ledger transaction ' || wrong || ' does not sum to zero';
  END IF;
  RETURN NULL;
END
$function$;
CREATE TRIGGER ledger_entry_balanced AFTER INSERT ON ledger_entry REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_balanced_v1();

CREATE FUNCTION ledger_append_only_v1() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = 'the ledger is only ever added to: book the contrary';
END
$function$;
CREATE TRIGGER ledger_transaction_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transaction
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only_v1();
CREATE TRIGGER ledger_entry_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only_v1();
`;

/**
 * Books what it is given and takes the facts out of the inbox, all or nothing. One at a time over all nodes: -1 when
 * another is at it. What is booked already is passed over; returns how many are new.
 */
const BOOK = `
CREATE FUNCTION ledger_book_v1(
  transaction_key text[], transaction_kind text[], transaction_order text[], transaction_currency text[],
  transaction_at double precision[], transaction_note text[],
  entry_key text[], entry_line integer[], entry_account text[], entry_party text[], entry_item text[],
  entry_amount bigint[], done bigint[], refused bigint[], reasons text[]
) RETURNS integer LANGUAGE plpgsql AS $function$
DECLARE
  booked integer;
BEGIN
  IF NOT pg_try_advisory_xact_lock(${LEDGER_LOCK}) THEN
    RETURN -1;
  END IF;
  IF EXISTS (SELECT w.key FROM unnest(transaction_key) w(key) EXCEPT SELECT e.key FROM unnest(entry_key) e(key)) THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'a ledger transaction has no entries';
  END IF;
  WITH fresh AS (
    INSERT INTO ledger_transaction (key, kind, order_id, currency, at, note)
      SELECT w.* FROM unnest(transaction_key, transaction_kind, transaction_order, transaction_currency,
        transaction_at, transaction_note) w
      ON CONFLICT (key) DO NOTHING
      RETURNING id, key, currency, at
  ), entries AS (
    INSERT INTO ledger_entry (transaction, line, account, party, item, currency, amount_minor, at)
      SELECT f.id, w.line, w.account, w.party, w.item, f.currency, w.amount, f.at
      FROM unnest(entry_key, entry_line, entry_account, entry_party, entry_item, entry_amount)
        w(key, line, account, party, item, amount)
      JOIN fresh f ON f.key = w.key
  )
  SELECT count(*) INTO booked FROM fresh;
  INSERT INTO ledger_refused (id, key, "offset", at, body, reason)
    SELECT i.id, i.key, i."offset", i.at, i.body, w.reason
    FROM unnest(refused, reasons) w(id, reason) JOIN ledger_inbox i ON i.id = w.id
    ON CONFLICT (id) DO NOTHING;
  DELETE FROM ledger_inbox WHERE id = ANY(done) OR id = ANY(refused);
  RETURN booked;
END
$function$;
`;

const PROMOTIONS = `
CREATE TABLE promotion (
  code     text COLLATE "C" PRIMARY KEY,
  -- Rises with every change of the rule: a use is only taken by the rule that the caller has judged by.
  revision bigint NOT NULL,
  rule     json NOT NULL,
  -- Held uses; the row's lock makes uses of one code follow each other.
  used     bigint NOT NULL DEFAULT 0
);
CREATE TABLE promotion_use (
  order_id       text COLLATE "C" PRIMARY KEY,
  code           text COLLATE "C" NOT NULL,
  customer_id    text COLLATE "C" NOT NULL,
  discount_minor bigint NOT NULL,
  -- 'released' stays: a reservation that arrives after its release is refused.
  state          text NOT NULL CHECK (state IN ('held', 'released')),
  at             double precision NOT NULL
);
CREATE INDEX promotion_use_customer ON promotion_use (code, customer_id) WHERE state = 'held';

CREATE FUNCTION promotion_reserve_v1(
  its_code text, its_revision bigint, total_limit bigint, customer_limit bigint,
  its_order text, its_customer text, discount bigint, at_time double precision
) RETURNS text LANGUAGE plpgsql AS $function$
DECLARE
  its_rule promotion;
  known text;
BEGIN
  SELECT * INTO its_rule FROM promotion p WHERE p.code = its_code FOR UPDATE;
  SELECT u.state INTO known FROM promotion_use u WHERE u.order_id = its_order;
  IF known IS NOT NULL THEN
    RETURN known;
  END IF;
  IF its_rule.code IS NULL THEN
    RETURN 'unknown';
  END IF;
  IF its_rule.revision <> its_revision THEN
    RETURN 'changed';
  END IF;
  IF its_rule.used >= total_limit THEN
    RETURN 'used_up';
  END IF;
  IF customer_limit IS NOT NULL AND (SELECT count(*) FROM promotion_use u
      WHERE u.code = its_code AND u.customer_id = its_customer AND u.state = 'held') >= customer_limit THEN
    RETURN 'used_by_customer';
  END IF;
  INSERT INTO promotion_use (order_id, code, customer_id, discount_minor, state, at)
    VALUES (its_order, its_code, its_customer, discount, 'held', at_time)
    ON CONFLICT (order_id) DO NOTHING;
  IF NOT FOUND THEN
    RETURN 'released';
  END IF;
  UPDATE promotion p SET used = p.used + 1 WHERE p.code = its_code;
  RETURN 'held';
END
$function$;

CREATE FUNCTION promotion_release_v1(its_code text, its_order text, at_time double precision)
RETURNS void LANGUAGE plpgsql AS $function$
BEGIN
  PERFORM 1 FROM promotion p WHERE p.code = its_code FOR UPDATE;
  INSERT INTO promotion_use (order_id, code, customer_id, discount_minor, state, at)
    VALUES (its_order, its_code, '', 0, 'released', at_time)
    ON CONFLICT (order_id) DO NOTHING;
  IF FOUND THEN
    RETURN;
  END IF;
  UPDATE promotion_use u SET state = 'released' WHERE u.order_id = its_order AND u.state = 'held';
  IF FOUND THEN
    UPDATE promotion p SET used = p.used - 1 WHERE p.code = its_code;
  END IF;
END
$function$;
`;

const METHODS = `
-- Saved payment methods: the provider's tokens, sealed; never a card.
CREATE TABLE payment_method (
  id          text COLLATE "C" PRIMARY KEY,
  customer_id text COLLATE "C" NOT NULL,
  label       text NOT NULL,
  token       text NOT NULL,
  at          double precision NOT NULL
);
CREATE INDEX payment_method_customer ON payment_method (customer_id, at);
`;

export function up(migration: MigrationBuilder): void {
  for (const sql of [INBOX, BOOKS, BOOK, PROMOTIONS, METHODS]) migration.sql(sql);
}

export function down(migration: MigrationBuilder): void {
  migration.sql(`
DROP TABLE payment_method;
DROP FUNCTION promotion_release_v1, promotion_reserve_v1;
DROP TABLE promotion_use, promotion;
DROP FUNCTION ledger_book_v1;
DROP TABLE ledger_entry, ledger_transaction;
DROP FUNCTION ledger_append_only_v1, ledger_balanced_v1;
DROP TRIGGER event_outbox_money ON event_outbox;
DROP FUNCTION ledger_inbox_v1;
DROP TABLE ledger_refused, ledger_inbox;
`);
}
