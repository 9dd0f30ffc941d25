-- How the demand of a park, an enterprise or a meter is measured: over which window, in
-- fixed ones or in those that may begin at any minute. Without a rule: 15 minutes, fixed.
CREATE TABLE core.demand_rule (
    demand_rule_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id integer NOT NULL REFERENCES core.subject,
    window_min integer NOT NULL CHECK (window_min IN (15, 30, 60)),
    method text NOT NULL CHECK (method IN ('fixed', 'sliding')),
    valid_from timestamptz NOT NULL,
    valid_to timestamptz CHECK (valid_to > valid_from),
    source text NOT NULL CHECK (source <> ''),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX demand_rule_subject ON core.demand_rule (subject_id);
