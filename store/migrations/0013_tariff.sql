-- Tariffs as data: a row is never changed; of the rows of a code that hold a day, the one
-- recorded last applies. Days are local ones of the park.
CREATE TABLE core.tariff (
    tariff_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL CHECK (code <> ''),
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to > valid_from),
    terms jsonb NOT NULL,
    source text NOT NULL CHECK (source <> ''),
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tariff_code ON core.tariff (code);

-- By which tariff and method a park, an enterprise or a meter is billed.
CREATE TABLE core.billing (
    billing_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id integer NOT NULL REFERENCES core.subject,
    tariff text NOT NULL,
    method text NOT NULL CHECK (method IN ('capacity', 'contract', 'demand', 'none')),
    capacity_kva double precision CHECK (capacity_kva > 0 AND capacity_kva < 1e9),
    -- null: no adjustment by power factor
    power_factor_standard double precision
        CHECK (power_factor_standard IN (0.80, 0.85, 0.90)),
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to > valid_from),
    source text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CHECK (method <> 'capacity' OR capacity_kva IS NOT NULL)
);
CREATE INDEX billing_subject ON core.billing (subject_id);

-- Days that a tariff treats as hot, by what the notice names as its measure.
CREATE TABLE core.hot_day (
    park_id integer NOT NULL REFERENCES core.park,
    day date NOT NULL,
    hot boolean NOT NULL,
    source text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (park_id, day, recorded_at)
);
