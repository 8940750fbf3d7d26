import type { MigrationBuilder } from "node-pg-migrate";

/** Reviews, what they come to, and who reported them. What support decides is in the audit. */
export function up(migration: MigrationBuilder): void {
  migration.sql(`
CREATE TABLE review (
  id          text COLLATE "C" PRIMARY KEY,
  order_id    text COLLATE "C" NOT NULL,
  rated       text COLLATE "C" NOT NULL CHECK (rated IN ('restaurant', 'driver', 'customer')),
  rated_id    text COLLATE "C" NOT NULL,
  author_role text COLLATE "C" NOT NULL,
  author_id   text COLLATE "C" NOT NULL,
  stars       integer NOT NULL CHECK (stars BETWEEN 1 AND 5),
  text        text NOT NULL,
  at          double precision NOT NULL,
  hidden      boolean NOT NULL DEFAULT false,
  reports     integer NOT NULL DEFAULT 0,
  UNIQUE (order_id, rated)
);
CREATE INDEX review_shown ON review (rated, rated_id, at DESC, id DESC) WHERE NOT hidden;
CREATE INDEX review_reported ON review (reports DESC, id) WHERE reports > 0;
CREATE INDEX review_author ON review (author_role, author_id);

-- Of shown reviews; kept by the trigger, so that nothing can change a review and forget it.
CREATE TABLE rating_total (
  rated    text COLLATE "C" NOT NULL,
  rated_id text COLLATE "C" NOT NULL,
  stars    bigint NOT NULL,
  count    bigint NOT NULL,
  PRIMARY KEY (rated, rated_id)
);

CREATE FUNCTION rating_total_v1() RETURNS trigger LANGUAGE plpgsql AS $function$
DECLARE
  change integer := 0;
BEGIN
  IF TG_OP = 'INSERT' THEN
    change := CASE WHEN NEW.hidden THEN 0 ELSE 1 END;
  ELSIF NEW.hidden IS DISTINCT FROM OLD.hidden THEN
    change := CASE WHEN NEW.hidden THEN -1 ELSE 1 END;
  END IF;
  IF change <> 0 THEN
    INSERT INTO rating_total AS t (rated, rated_id, stars, count) VALUES (NEW.rated, NEW.rated_id, change * NEW.stars, change)
      ON CONFLICT (rated, rated_id) DO UPDATE SET stars = t.stars + excluded.stars, count = t.count + excluded.count;
  END IF;
  RETURN NULL;
END
$function$;
CREATE TRIGGER review_totals AFTER INSERT OR UPDATE ON review FOR EACH ROW EXECUTE FUNCTION rating_total_v1();

CREATE TABLE review_report (
  review_id   text COLLATE "C" NOT NULL REFERENCES review,
  role        text COLLATE "C" NOT NULL,
  reporter_id text COLLATE "C" NOT NULL,
  reason      text NOT NULL,
  at          double precision NOT NULL,
  PRIMARY KEY (review_id, role, reporter_id)
);
`);
}

export function down(migration: MigrationBuilder): void {
  migration.sql(`
DROP TABLE review_report;
DROP TABLE rating_total;
DROP TABLE review;
DROP FUNCTION rating_total_v1;
`);
}
