-- Packs of indicators as people bring them (shipped ones are files), and what people state
-- of a park's year for them. Of a name, or of a park, name and year, the row recorded last
-- counts; a statement without a value is withdrawn.
CREATE TABLE core.indicator_pack (
    indicator_pack_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    terms jsonb NOT NULL,
    source text NOT NULL CHECK (source <> ''),
    who text NOT NULL CHECK (who <> ''),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX indicator_pack_name ON core.indicator_pack (name);

CREATE TABLE core.indicator_input (
    indicator_input_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    park_id integer NOT NULL REFERENCES core.park,
    name text NOT NULL CHECK (name <> ''),
    year integer NOT NULL CHECK (year BETWEEN 1980 AND 2100),
    value double precision CHECK (value > -1e15 AND value < 1e15),
    unit text NOT NULL,
    evidence text,
    source text NOT NULL CHECK (source <> ''),
    who text NOT NULL CHECK (who <> ''),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX indicator_input_park ON core.indicator_input (park_id, year);
