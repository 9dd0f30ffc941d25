-- Messages that a source has taken from its broker and not stored yet, as it last said.
ALTER TABLE core.source_total ADD COLUMN in_flight integer NOT NULL DEFAULT 0;
ALTER TABLE core.source_total ADD COLUMN in_flight_at timestamptz;
