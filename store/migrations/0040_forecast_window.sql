-- A running window is as long as the rule of demand says; until now all were 15 minutes.
DROP SCHEMA IF EXISTS grafana CASCADE; -- its views are made anew
DELETE FROM ledger.applied WHERE name LIKE 'views/%';

ALTER TABLE core.forecast
    ADD COLUMN window_min integer NOT NULL DEFAULT 15 CHECK (window_min IN (15, 30, 60)),
    DROP CONSTRAINT forecast_known_s_check,
    ADD CONSTRAINT forecast_known_s_check
        CHECK (known_s >= 0 AND known_s <= 60 * window_min);
ALTER TABLE core.forecast ALTER COLUMN window_min DROP DEFAULT;
