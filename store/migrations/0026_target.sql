-- Targets, quotas and budgets by year. A row is never changed: of a subject, kind, method
-- and year the one recorded last applies; a value of null withdraws it.
CREATE TABLE core.target (
    target_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id integer NOT NULL REFERENCES core.subject,
    kind text NOT NULL CHECK (kind IN ('energy', 'co2', 'energy_intensity',
                                       'co2_intensity', 'water', 'demand')),
    method text, -- of energy and co2: how they are counted
    year integer NOT NULL CHECK (year BETWEEN 1990 AND 2200),
    value double precision CHECK (value >= 0 AND value < 1e12),
    unit text NOT NULL,
    -- what does not count against it: renewable, feedstock
    excluded text[] NOT NULL DEFAULT '{}'
        CHECK (excluded <@ ARRAY['renewable', 'feedstock']),
    source text NOT NULL CHECK (source <> ''),
    who text NOT NULL CHECK (who <> ''),
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind IN ('water', 'demand')) = (method IS NULL)),
    CHECK (excluded = '{}' OR kind = 'energy')
);
CREATE INDEX target_subject ON core.target (subject_id, year);
