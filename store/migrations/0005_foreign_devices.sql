-- Where devices stand whose topics do not name an enterprise, and how to read them where
-- no format does. A mapping is replaced by a new row; the old one keeps its time.
CREATE TABLE core.mapping (
    mapping_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name core.code NOT NULL,
    enterprise_id integer NOT NULL REFERENCES core.enterprise,
    topic text NOT NULL,
    document text NOT NULL,
    source text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
CREATE UNIQUE INDEX mapping_name ON core.mapping (name) WHERE ended_at IS NULL;

-- What formats have learned from earlier messages: aliases, units, register kinds.
CREATE TABLE core.learned (
    enterprise_id integer NOT NULL REFERENCES core.enterprise,
    format text NOT NULL,
    key text NOT NULL,
    value jsonb NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (enterprise_id, format, key)
);

-- Messages that nobody can place, counted by the pattern of their topic.
CREATE TABLE core.unknown_topic (
    pattern text PRIMARY KEY,
    messages bigint NOT NULL,
    first_at timestamptz NOT NULL DEFAULT now(),
    last_at timestamptz NOT NULL DEFAULT now(),
    topic text NOT NULL,
    payload bytea NOT NULL,
    reason text NOT NULL
);

-- A message that nobody could place has its pattern; one that was read after all, by a
-- mapping that came later, is settled.
ALTER TABLE core.quarantine ADD COLUMN pattern text;
ALTER TABLE core.quarantine ADD COLUMN settled_at timestamptz;
CREATE INDEX quarantine_unplaced ON core.quarantine (quarantine_id)
    WHERE pattern IS NOT NULL AND settled_at IS NULL;

-- Since when a channel has readings whose time is that of their arrival.
ALTER TABLE core.channel ADD COLUMN timed_on_arrival_since timestamptz;
