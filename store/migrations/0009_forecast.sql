-- What the running 15-minute window is expected to come to, as last told: from the energy
-- known so far and what followed in like windows. One row a window; the last one told
-- before its end stays, so that forecasts can be compared with what came.
CREATE TABLE core.forecast (
    subject_id integer NOT NULL,
    start timestamptz NOT NULL,
    made_at timestamptz NOT NULL,
    known_s double precision NOT NULL CHECK (known_s >= 0 AND known_s <= 900),
    energy_kwh double precision NOT NULL
        CHECK (energy_kwh > -1e300 AND energy_kwh < 1e300),
    expected_kw double precision NOT NULL
        CHECK (expected_kw > -1e300 AND expected_kw < 1e300),
    low_kw double precision NOT NULL CHECK (low_kw <= expected_kw),
    high_kw double precision NOT NULL CHECK (high_kw >= expected_kw),
    contract_kw double precision CHECK (contract_kw > 0 AND contract_kw < 1e300),
    -- to be dropped from now to the window's end to stay at the contract; null: no need,
    -- or no contract
    shed_kw double precision CHECK (shed_kw > 0 AND shed_kw < 1e300),
    PRIMARY KEY (subject_id, start)
);
