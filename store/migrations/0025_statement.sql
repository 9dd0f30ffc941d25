-- What enterprises (and for an index of volume or an area a park) state of a period. A row
-- is never changed: of a period a final statement counts before a provisional one, and of
-- these the one recorded last. An amount of null withdraws what its stage said before.
-- Periods are half-open calendar dates of the park's zone.
CREATE TABLE core.statement (
    statement_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id integer NOT NULL REFERENCES core.subject,
    kind text NOT NULL CHECK (kind <> ''), -- store/statement_kinds.py
    product core.code, -- of output; of a pollutant: which
    unit text NOT NULL CHECK (unit <> ''),
    period_from date NOT NULL,
    period_to date NOT NULL CHECK (period_to > period_from),
    amount double precision CHECK (amount > -1e12 AND amount < 1e12),
    prices text CHECK (prices IN ('current', 'comparable')), -- null: no money
    price_base integer CHECK (price_base BETWEEN 1990 AND 2200), -- whose prices
    stage text NOT NULL DEFAULT 'final' CHECK (stage IN ('provisional', 'final')),
    source text NOT NULL,
    who text NOT NULL DEFAULT '',
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CHECK (price_base IS NULL OR prices = 'comparable')
);
CREATE INDEX statement_subject ON core.statement (subject_id, kind, period_from);

-- Added value becomes one kind of statement and keeps its ids, which parentages name.
INSERT INTO core.statement (statement_id, subject_id, kind, unit, period_from, period_to,
                            amount, prices, stage, source, recorded_at)
OVERRIDING SYSTEM VALUE
SELECT added_value_id, enterprise_id, 'added_value', '10k_cny', period_from, period_to,
       amount_10k_cny, prices, stage, source, recorded_at
FROM core.added_value ORDER BY added_value_id;
SELECT setval(pg_get_serial_sequence('core.statement', 'statement_id'),
              coalesce(max(statement_id), 0) + 1, false)
FROM core.statement;
DROP TABLE core.added_value;

-- Of a year the statement recorded last applies.
ALTER TABLE core.enterprise_year ADD COLUMN who text NOT NULL DEFAULT '';
ALTER TABLE core.enterprise_year ALTER COLUMN recorded_at SET DEFAULT clock_timestamp();

-- The industry of an enterprise by GB/T 4754, dated: the digits without the letter.
CREATE TABLE core.industry (
    industry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    enterprise_id integer NOT NULL REFERENCES core.enterprise,
    code text NOT NULL CHECK (code ~ '^[0-9]{2,4}$'),
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to > valid_from),
    source text NOT NULL,
    who text NOT NULL DEFAULT '',
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX industry_enterprise ON core.industry (enterprise_id);
INSERT INTO core.industry (enterprise_id, code, valid_from, source, recorded_at)
SELECT enterprise_id, ltrim(industry_code, 'ABCDEFGHIJKLMNOPQRST'), '2000-01-01',
       'as registered', recorded_at
FROM core.enterprise WHERE industry_code ~ '^[A-T]?[0-9]{2,4}$';
ALTER TABLE core.enterprise DROP COLUMN industry_code;
