-- What the running 15-minute window was expected to come to, each minute as it was told.
-- What was known then stays, so that forecasts can be compared with what came and later
-- ones can learn from it; it is no function of the readings and is never restated.
CREATE TABLE core.forecast (
    subject_id integer NOT NULL,
    start timestamptz NOT NULL,
    known_s double precision NOT NULL CHECK (known_s >= 0 AND known_s <= 900),
    made_at timestamptz NOT NULL,
    energy_kwh double precision NOT NULL
        CHECK (energy_kwh > -1e300 AND energy_kwh < 1e300),
    latest_kw double precision CHECK (latest_kw > -1e300 AND latest_kw < 1e300),
    expected_kw double precision CHECK (expected_kw > -1e300 AND expected_kw < 1e300),
    low_kw double precision CHECK (low_kw <= expected_kw AND low_kw > -1e300),
    high_kw double precision CHECK (high_kw >= expected_kw AND high_kw < 1e300),
    contract_kw double precision CHECK (contract_kw > 0 AND contract_kw < 1e300),
    -- to be dropped from then to the window's end to end at the contract demand
    shed_state text NOT NULL
        CHECK (shed_state IN ('unknown', 'not needed', 'needed', 'impossible')),
    shed_kw double precision CHECK (shed_kw > 0 AND shed_kw < 1e300),
    PRIMARY KEY (subject_id, start, known_s)
);
