-- The ground: who and what there is, what was read, what follows from it.
-- Dated rows are never changed: of the rows whose validity holds an instant, the one
-- recorded last applies; `recorded_at` lets any earlier state be asked for.

CREATE SCHEMA core;

CREATE DOMAIN core.code AS text CHECK (VALUE ~ '^[A-Za-z0-9._-]{1,64}$');

-- park, enterprise and meter share one row of ids, so that demand and channels can
-- belong to any of them.
CREATE TABLE core.subject (
    subject_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('park', 'enterprise', 'meter'))
);

CREATE TABLE core.park (
    park_id integer PRIMARY KEY REFERENCES core.subject,
    code core.code NOT NULL UNIQUE,
    name text NOT NULL,
    zone text NOT NULL,
    region text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE core.enterprise (
    enterprise_id integer PRIMARY KEY REFERENCES core.subject,
    park_id integer NOT NULL REFERENCES core.park,
    code core.code NOT NULL,
    name text NOT NULL,
    industry_code text,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (park_id, code)
);

-- A meter's code is unique in the enterprise whose topic it speaks on: were it unique in
-- the park, a refusal would tell one enterprise what its neighbour owns.
CREATE TABLE core.meter (
    meter_id integer PRIMARY KEY REFERENCES core.subject,
    park_id integer NOT NULL REFERENCES core.park,
    enterprise_id integer NOT NULL REFERENCES core.enterprise,
    code core.code NOT NULL,
    name text NOT NULL,
    role text NOT NULL DEFAULT 'main' CHECK (role IN ('main', 'sub', 'check')),
    parent_id integer REFERENCES core.meter,
    measured_up_to_s double precision NOT NULL DEFAULT 1350
        CHECK (measured_up_to_s > 0 AND measured_up_to_s <= 86400),
    recorded_at timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz,
    UNIQUE (enterprise_id, code)
);

CREATE TABLE core.assignment (
    assignment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    meter_id integer NOT NULL REFERENCES core.meter,
    enterprise_id integer NOT NULL REFERENCES core.enterprise,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz CHECK (valid_to > valid_from),
    source text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX assignment_meter ON core.assignment (meter_id);

CREATE TABLE core.multiplier (
    multiplier_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    meter_id integer NOT NULL REFERENCES core.meter,
    ct double precision NOT NULL CHECK (ct > 0 AND ct < 1e9),
    pt double precision NOT NULL CHECK (pt > 0 AND pt < 1e9),
    valid_from timestamptz NOT NULL,
    valid_to timestamptz CHECK (valid_to > valid_from),
    source text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX multiplier_meter ON core.multiplier (meter_id);

CREATE TABLE core.contract_demand (
    contract_demand_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id integer NOT NULL REFERENCES core.subject,
    kw double precision NOT NULL CHECK (kw > 0 AND kw < 1e9),
    valid_from timestamptz NOT NULL,
    valid_to timestamptz CHECK (valid_to > valid_from),
    source text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX contract_demand_subject ON core.contract_demand (subject_id);

CREATE TABLE core.enterprise_year (
    enterprise_id integer NOT NULL REFERENCES core.enterprise,
    year integer NOT NULL CHECK (year BETWEEN 1990 AND 2200),
    above_designated_size boolean NOT NULL,
    source text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (enterprise_id, year, recorded_at)
);

-- Periods are half-open calendar dates of the park's zone.
CREATE TABLE core.added_value (
    added_value_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    enterprise_id integer NOT NULL REFERENCES core.enterprise,
    period_from date NOT NULL,
    period_to date NOT NULL CHECK (period_to > period_from),
    amount_10k_cny double precision NOT NULL
        CHECK (amount_10k_cny > -1e12 AND amount_10k_cny < 1e12),
    prices text NOT NULL DEFAULT 'current'
        CHECK (prices IN ('current', 'comparable')),
    stage text NOT NULL DEFAULT 'final' CHECK (stage IN ('provisional', 'final')),
    source text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX added_value_enterprise ON core.added_value (enterprise_id, period_from);

CREATE TABLE core.factor (
    factor_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('co2', 'energy')),
    carrier text NOT NULL,
    basis text NOT NULL,
    region text NOT NULL,
    data_year integer,
    published date,
    valid_from date,
    valid_to date,
    value double precision NOT NULL CHECK (value >= 0 AND value < 1e6),
    unit text NOT NULL,
    source text NOT NULL,
    verified boolean NOT NULL,
    note text,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (code, recorded_at)
);

-- One quantity of one subject. A meter's channels are register, delta or gauge; an
-- enterprise's and a park's are totals of what is counted below them.
CREATE TABLE core.channel (
    channel_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id integer NOT NULL REFERENCES core.subject,
    quantity text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('register', 'delta', 'gauge', 'total')),
    unit text NOT NULL,
    digits integer CHECK (digits BETWEEN 1 AND 15),
    UNIQUE (subject_id, quantity, kind)
);

CREATE TABLE core.batch (
    batch_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now(),
    source text NOT NULL,
    parser text NOT NULL,
    messages integer NOT NULL,
    received integer NOT NULL,
    inserted integer NOT NULL,
    duplicate integer NOT NULL,
    conflict integer NOT NULL,
    quarantined integer NOT NULL,
    CHECK (received = inserted + duplicate + conflict + quarantined)
);

-- The batches of a source added up, so that nobody has to.
CREATE TABLE core.source_total (
    source text PRIMARY KEY,
    messages bigint NOT NULL,
    received bigint NOT NULL,
    inserted bigint NOT NULL,
    duplicate bigint NOT NULL,
    conflict bigint NOT NULL,
    quarantined bigint NOT NULL,
    CHECK (received = inserted + duplicate + conflict + quarantined)
);

-- `until` is set for interval amounts (delta): the amount of [at, until).
CREATE TABLE core.reading (
    channel_id integer NOT NULL,
    at timestamptz NOT NULL
        CHECK (at >= '2000-01-01 00:00Z' AND at < '2100-01-01 00:00Z'),
    value double precision NOT NULL CHECK (value > -1e15 AND value < 1e15),
    until timestamptz CHECK (until > at AND until < '2100-01-02 00:00Z'),
    batch_id bigint NOT NULL,
    PRIMARY KEY (channel_id, at)
);

CREATE TABLE core.conflict (
    conflict_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel_id integer NOT NULL,
    at timestamptz NOT NULL,
    stored double precision NOT NULL,
    refused double precision NOT NULL,
    refused_until timestamptz,
    batch_id bigint NOT NULL
);

CREATE TABLE core.quarantine (
    quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id bigint NOT NULL,
    topic text NOT NULL,
    payload bytea NOT NULL,
    reason text NOT NULL,
    readings integer NOT NULL CHECK (readings > 0)
);

-- What the job must recompute. `settled` spans are already as wide as they must be.
CREATE TABLE core.dirty (
    dirty_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    park_id integer NOT NULL,
    channel_id integer NOT NULL,
    start timestamptz NOT NULL,
    stop timestamptz NOT NULL CHECK (stop > start),
    settled boolean NOT NULL DEFAULT false
);
CREATE INDEX dirty_park ON core.dirty (park_id);

CREATE TABLE core.usage_15min (
    channel_id integer NOT NULL,
    start timestamptz NOT NULL,
    -- finite; a reading within its bounds, times a ratio, always fits
    amount double precision NOT NULL CHECK (amount > -1e300 AND amount < 1e300),
    measured_s double precision NOT NULL,
    estimated_s double precision NOT NULL,
    expected_s double precision NOT NULL,
    PRIMARY KEY (channel_id, start)
);

CREATE TABLE core.usage_day (LIKE core.usage_15min INCLUDING ALL);
CREATE TABLE core.usage_month (LIKE core.usage_15min INCLUDING ALL);

-- `sliding_kw` is the highest 15-minute mean power, at one-minute steps, of the windows
-- that begin in this quarter; null where the readings are too far apart to know it.
CREATE TABLE core.demand (
    subject_id integer NOT NULL,
    start timestamptz NOT NULL,
    fixed_kw double precision NOT NULL CHECK (fixed_kw > -1e300 AND fixed_kw < 1e300),
    measured double precision NOT NULL,
    coverage double precision NOT NULL,
    sliding_kw double precision CHECK (sliding_kw > -1e300 AND sliding_kw < 1e300),
    sliding_start timestamptz,
    PRIMARY KEY (subject_id, start)
);

CREATE TABLE core.register_event (
    register_event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel_id integer NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    value_before double precision NOT NULL,
    value_after double precision NOT NULL,
    rule text NOT NULL,
    UNIQUE (channel_id, at, kind)
);
