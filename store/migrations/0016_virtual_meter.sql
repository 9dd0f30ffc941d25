-- Virtual meters: their usage of a quantity is a sum of other meters' usage, each times a
-- coefficient. A formula is stated as a whole, dated, and never changed; of those whose
-- validity holds an instant, the one recorded last applies.
ALTER TABLE core.channel DROP CONSTRAINT channel_kind_check;
ALTER TABLE core.channel ADD CONSTRAINT channel_kind_check
    CHECK (kind IN ('register', 'delta', 'gauge', 'total', 'virtual'));

CREATE TABLE core.formula (
    formula_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel_id integer NOT NULL REFERENCES core.channel,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz CHECK (valid_to > valid_from),
    source text NOT NULL CHECK (source <> ''),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX formula_channel ON core.formula (channel_id);

CREATE TABLE core.virtual_term (
    formula_id bigint NOT NULL REFERENCES core.formula,
    place integer NOT NULL,
    meter_id integer NOT NULL REFERENCES core.meter,
    quantity text NOT NULL,
    coefficient double precision NOT NULL
        CHECK (coefficient <> 0 AND coefficient > -1e6 AND coefficient < 1e6),
    PRIMARY KEY (formula_id, place)
);
CREATE INDEX virtual_term_meter ON core.virtual_term (meter_id);
