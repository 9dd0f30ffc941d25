-- The accounts of a park, its intensities, its way over the peak and its budgets, as the
-- analysis made them, for those who read SQL. Functions of what lies behind them: rows are
-- replaced when it changes, and made_at says when. Null is unknown.

-- How often the job wrote amounts of a park, and what the book that is kept rests on.
CREATE TABLE core.book_change (
    park_id integer PRIMARY KEY REFERENCES core.park,
    changes bigint NOT NULL
);
CREATE TABLE core.book_kept (
    park_id integer PRIMARY KEY REFERENCES core.park,
    fingerprint text NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE core.book (
    subject_id integer NOT NULL REFERENCES core.subject,
    month date NOT NULL, -- local, its first day
    -- tce/METHOD, co2_t/METHOD, added_value_10k_cny; of the park also co2_t_scope1/METHOD,
    -- co2_t_scope2/METHOD
    figure text NOT NULL,
    value double precision,
    coverage double precision, -- lowest known share of what counts
    estimated boolean NOT NULL,
    provisional boolean NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subject_id, month, figure)
);

-- Per 10^4 CNY of added value at current prices, over the months that end with `month`.
CREATE TABLE core.intensity (
    subject_id integer NOT NULL REFERENCES core.subject,
    span text NOT NULL CHECK (span IN ('month', 'year_to_date', 'rolling_12')),
    month date NOT NULL,
    figure text NOT NULL, -- tce/METHOD, co2_t/METHOD
    value double precision,
    numerator_t double precision,
    added_value_10k_cny double precision,
    coverage double precision,
    estimated boolean NOT NULL,
    provisional boolean NOT NULL,
    complete boolean NOT NULL, -- the months are over
    publishable boolean NOT NULL,
    place integer, -- among the park's enterprises
    reason text, -- why there is none
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subject_id, span, month, figure)
);

CREATE TABLE core.trajectory_year (
    subject_id integer NOT NULL REFERENCES core.subject,
    method text NOT NULL,
    year integer NOT NULL,
    value_t double precision,
    rule text NOT NULL,
    provisional boolean NOT NULL, -- decides nothing
    metered_t double precision,
    stated_t double precision,
    coverage double precision,
    months_complete integer NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subject_id, method, year)
);

CREATE TABLE core.trajectory_month (
    subject_id integer NOT NULL REFERENCES core.subject,
    method text NOT NULL,
    month date NOT NULL,
    rolling_t double precision, -- twelve months that end with it
    month_t double precision,
    metered boolean NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subject_id, method, month)
);

CREATE TABLE core.trajectory_state (
    subject_id integer NOT NULL REFERENCES core.subject,
    method text NOT NULL,
    title text NOT NULL,
    title_zh text NOT NULL,
    unit text NOT NULL,
    factors text NOT NULL, -- codes of those of electricity, of the newest months
    state text NOT NULL,
    reason text NOT NULL,
    first_year integer,
    last_year integer,
    peak_year integer,
    peak_t double precision,
    peak_is_first_known boolean NOT NULL,
    years_after integer,
    below_peak double precision,
    n integer NOT NULL, -- of the years after the peak
    s double precision,
    z double precision,
    p double precision,
    sen_slope_t_per_year double precision,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subject_id, method)
);

CREATE TABLE core.budget_year (
    subject_id integer NOT NULL REFERENCES core.subject,
    year integer NOT NULL,
    kind text NOT NULL,
    method text NOT NULL, -- empty: it has none
    value double precision,
    unit text NOT NULL,
    used double precision, -- of an intensity: the year to date
    remaining double precision,
    ahead_of_pace double precision,
    year_end double precision,
    year_end_low double precision,
    year_end_high double precision,
    spent_on date,
    how text, -- the year's end was found
    coverage double precision,
    publishable boolean NOT NULL,
    months_over integer NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subject_id, year, kind, method)
);

CREATE TABLE core.budget_month (
    subject_id integer NOT NULL REFERENCES core.subject,
    year integer NOT NULL,
    kind text NOT NULL,
    method text NOT NULL,
    month date NOT NULL, -- all are cumulative at its end
    used double precision, -- null: not over, or not known
    pace double precision,
    path double precision,
    low double precision,
    high double precision,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subject_id, year, kind, method, month)
);

-- Core indicator of the national zero-carbon park over the twelve months before `month`.
CREATE TABLE core.zero_carbon (
    subject_id integer NOT NULL REFERENCES core.subject,
    month date NOT NULL, -- the first day after them
    value double precision, -- tCO2/tce
    co2_t double precision,
    tce double precision,
    aim double precision,
    size_class text NOT NULL,
    state text NOT NULL,
    gap_t double precision,
    green_kwh double precision, -- would reach the aim, or all there is
    with_all_green double precision,
    rest_t double precision, -- still to save where all power is green
    coverage double precision,
    publishable boolean NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subject_id, month)
);
