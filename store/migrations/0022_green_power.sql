-- Power of proven green origin. Of a park's kind, reference and month of production the row
-- recorded last counts; of a record, an enterprise and a month of consumption the match
-- recorded last, one of 0 kWh takes it back.
CREATE TABLE core.green_power (
    green_power_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    park_id integer NOT NULL REFERENCES core.park,
    kind text NOT NULL CHECK (kind IN ('certificate', 'trade', 'direct', 'self_use')),
    reference text NOT NULL CHECK (reference <> ''), -- batch id, or contract
    production_month date NOT NULL CHECK (extract(day FROM production_month) = 1),
    kwh double precision NOT NULL CHECK (kwh > 0 AND kwh < 1e15),
    technology text NOT NULL,
    plant text, -- where it was made
    producer_id integer REFERENCES core.enterprise, -- where one of the park made it
    part_of text, -- the trade or direct supply whose kWh the certificates stand for
    evidence text, -- settlement, certificate, or monthly original record
    issued date,
    expires date CHECK (expires > production_month),
    cancelled boolean NOT NULL DEFAULT false,
    source text NOT NULL CHECK (source <> ''),
    who text NOT NULL CHECK (who <> ''),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX green_power_park ON core.green_power (park_id);

CREATE TABLE core.green_match (
    green_match_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    park_id integer NOT NULL REFERENCES core.park,
    kind text NOT NULL,
    reference text NOT NULL,
    production_month date NOT NULL,
    enterprise_id integer NOT NULL REFERENCES core.enterprise,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    kwh double precision NOT NULL CHECK (kwh >= 0 AND kwh < 1e15),
    source text NOT NULL CHECK (source <> ''),
    who text NOT NULL CHECK (who <> ''),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX green_match_park ON core.green_match (park_id);
