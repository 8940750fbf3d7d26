import type { MigrationBuilder } from "node-pg-migrate";

/**
 * What search stands on. `restaurant_change` says in which transaction each restaurant's row of the index changed last:
 * a reader that goes on from the oldest transaction still open at its last reading misses none, however long it took,
 * and needs neither clocks nor messages. `search_term` counts what was searched for, by day, of nobody in particular.
 */
export function up(migration: MigrationBuilder): void {
  migration.sql(`
CREATE TABLE restaurant_change (
  key     text COLLATE "C" PRIMARY KEY,
  changed xid8 NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX restaurant_change_changed ON restaurant_change (changed, key);

CREATE FUNCTION note_restaurant_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO restaurant_change (key, changed) VALUES (coalesce(NEW.key, OLD.key), pg_current_xact_id())
    ON CONFLICT (key) DO UPDATE SET changed = excluded.changed;
  RETURN NULL;
END $$;
CREATE TRIGGER actor_index_restaurant_written AFTER INSERT OR UPDATE ON actor_index
  FOR EACH ROW WHEN (NEW.kind = 'restaurant') EXECUTE FUNCTION note_restaurant_change();
CREATE TRIGGER actor_index_restaurant_removed AFTER DELETE ON actor_index
  FOR EACH ROW WHEN (OLD.kind = 'restaurant') EXECUTE FUNCTION note_restaurant_change();

CREATE TABLE search_term (
  day           int NOT NULL,
  text          text COLLATE "C" NOT NULL,
  searches      bigint NOT NULL,
  found_nothing bigint NOT NULL,
  PRIMARY KEY (day, text)
) WITH (fillfactor = 70);
`);
}

export function down(migration: MigrationBuilder): void {
  migration.sql(`
DROP TABLE search_term;
DROP TRIGGER actor_index_restaurant_removed ON actor_index;
DROP TRIGGER actor_index_restaurant_written ON actor_index;
DROP FUNCTION note_restaurant_change();
DROP TABLE restaurant_change;
`);
}
