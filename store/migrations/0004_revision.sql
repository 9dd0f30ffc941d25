-- A correction lies over the readings, which never change: of the revisions of one
-- instant of a channel the one recorded last applies. `value_after` null strikes the
-- reading out; at an instant without a reading the revision adds one.
CREATE TABLE core.revision (
    revision_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel_id integer NOT NULL REFERENCES core.channel,
    at timestamptz NOT NULL
        CHECK (at >= '2000-01-01 00:00Z' AND at < '2100-01-01 00:00Z'),
    until timestamptz CHECK (until > at AND until < '2100-01-02 00:00Z'),
    value_before double precision CHECK (value_before > -1e15 AND value_before < 1e15),
    value_after double precision CHECK (value_after > -1e15 AND value_after < 1e15),
    who text NOT NULL CHECK (who <> ''),
    why text NOT NULL CHECK (why <> ''),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX revision_channel ON core.revision (channel_id, at);

-- Who typed the readings of a batch that came by hand.
CREATE TABLE core.typed (
    batch_id bigint PRIMARY KEY,
    who text NOT NULL CHECK (who <> '')
);
