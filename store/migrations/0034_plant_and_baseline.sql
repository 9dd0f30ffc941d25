-- What own plant can do: peak power of photovoltaics, energy of storage, power and number of
-- charging piles. Of the rows whose validity holds a day, the one recorded last applies; one
-- without a value says that there is none known.
CREATE TABLE core.plant (
    plant_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id integer NOT NULL REFERENCES core.subject,
    what text NOT NULL
        CHECK (what IN ('pv_kwp', 'storage_kwh', 'charging_kw', 'charging_piles')),
    value double precision CHECK (value >= 0 AND value < 1e9),
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to > valid_from),
    source text NOT NULL CHECK (source <> ''),
    who text NOT NULL CHECK (who <> ''),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX plant_subject ON core.plant (subject_id);

-- Energy baselines as they are defined: what is explained, by what, over which months. Of a
-- subject and name the row recorded last applies.
CREATE TABLE core.energy_baseline (
    energy_baseline_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id integer NOT NULL REFERENCES core.subject,
    name text NOT NULL CHECK (name <> ''),
    figure text NOT NULL, -- a quantity, or a method of energy
    variables text[] NOT NULL CHECK (cardinality(variables) BETWEEN 1 AND 8),
    first_month date NOT NULL CHECK (extract(day FROM first_month) = 1),
    last_month date NOT NULL CHECK (extract(day FROM last_month) = 1),
    source text NOT NULL CHECK (source <> ''),
    who text NOT NULL CHECK (who <> ''),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (last_month > first_month)
);
CREATE INDEX energy_baseline_subject ON core.energy_baseline (subject_id);

-- What drives energy: production of a month, or the mean outdoor temperature of a day. Of a
-- subject, name and day on which the period begins the row recorded last counts.
CREATE TABLE core.driver (
    driver_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id integer NOT NULL REFERENCES core.subject,
    name text NOT NULL CHECK (name <> ''),
    grain text NOT NULL CHECK (grain IN ('day', 'month')),
    first date NOT NULL CHECK (grain = 'day' OR extract(day FROM first) = 1),
    value double precision CHECK (value > -1e12 AND value < 1e12), -- null: withdrawn
    unit text NOT NULL,
    source text NOT NULL CHECK (source <> ''),
    who text NOT NULL CHECK (who <> ''),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX driver_subject ON core.driver (subject_id, name, first);
