-- What people state of years and months that no meter of the platform counted: emissions by
-- method of CO2 and energy by basis. Of a subject, method and period the row recorded last
-- counts; without an amount it is withdrawn.
CREATE TABLE core.history (
    history_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id integer NOT NULL REFERENCES core.subject,
    method text NOT NULL CHECK (method <> ''), -- analytics/methods/*.yaml
    period_from date NOT NULL,
    period_to date NOT NULL,
    amount_t double precision CHECK (amount_t >= 0 AND amount_t < 1e12), -- tCO2 or tce
    stage text NOT NULL CHECK (stage IN ('provisional', 'final')),
    source text NOT NULL CHECK (source <> ''),
    who text NOT NULL CHECK (who <> ''),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- a local month, or a natural year
    CHECK (extract(day FROM period_from) = 1),
    CHECK (period_to = period_from + interval '1 month'
           OR (extract(month FROM period_from) = 1
               AND period_to = period_from + interval '1 year'))
);
CREATE INDEX history_subject ON core.history (subject_id, method, period_from);
