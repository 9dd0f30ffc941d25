-- What no meter measures and people state by the month: fuels by invoice or weighing, what
-- processes make or take, gases set free. Of an enterprise's month, item and use the row
-- recorded last counts; without an amount it is withdrawn.
CREATE TABLE core.activity (
    activity_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    enterprise_id integer NOT NULL REFERENCES core.enterprise,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    item text NOT NULL CHECK (item <> ''),
    use text NOT NULL
        CHECK (use IN ('burnt', 'bought', 'process', 'released', 'feedstock')),
    amount double precision CHECK (amount >= 0 AND amount < 1e15),
    unit text NOT NULL,
    -- true: no meter counts any of it; false: a meter of the same carrier goes first
    beside boolean NOT NULL DEFAULT false,
    stage text NOT NULL CHECK (stage IN ('provisional', 'final')),
    source text NOT NULL CHECK (source <> ''),
    who text NOT NULL CHECK (who <> ''),
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX activity_enterprise ON core.activity (enterprise_id, month);
