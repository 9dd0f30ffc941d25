-- What a person says of a register at an instant: which kind of event it was. It stands
-- for what the rules would say; the newest one of an instant applies.
CREATE TABLE core.judgement (
    judgement_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel_id integer NOT NULL REFERENCES core.channel,
    at timestamptz NOT NULL,
    verdict text NOT NULL
        CHECK (verdict IN ('real', 'left out', 'rollover', 'reset', 'replacement', 'rule')),
    -- of a replacement: the last value of the old register, the first of the new one
    final double precision CHECK (final > -1e15 AND final < 1e15),
    initial double precision CHECK (initial > -1e15 AND initial < 1e15),
    who text NOT NULL CHECK (who <> ''),
    why text NOT NULL CHECK (why <> ''),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((verdict = 'replacement') = (final IS NOT NULL AND initial IS NOT NULL))
);
CREATE INDEX judgement_channel ON core.judgement (channel_id, at);

-- What a fall that is no rollover means for a meter: 'unknown', or 'restart' where its
-- register is known to begin again at 0.
CREATE TABLE core.fall_policy (
    fall_policy_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    meter_id integer NOT NULL REFERENCES core.meter,
    fall text NOT NULL CHECK (fall IN ('unknown', 'restart')),
    source text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX fall_policy_meter ON core.fall_policy (meter_id);

ALTER TABLE core.register_event ADD COLUMN confidence double precision NOT NULL
    DEFAULT 1 CHECK (confidence > 0 AND confidence <= 1);
ALTER TABLE core.register_event ALTER COLUMN confidence DROP DEFAULT;
