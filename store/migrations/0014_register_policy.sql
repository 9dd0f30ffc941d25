-- How the registers of a meter are judged, where not as documented: of a setting the row
-- recorded last applies, null being the default again.
CREATE TABLE core.register_policy (
    register_policy_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    meter_id integer NOT NULL REFERENCES core.meter,
    name text NOT NULL CHECK (name IN ('measured_up_to_s', 'straight_up_to_s',
                                       'stuck_after_s', 'momentary')),
    value double precision CHECK (value >= 0 AND value <= 31622400),
    source text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX register_policy_meter ON core.register_policy (meter_id);
