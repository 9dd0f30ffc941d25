"""What the tests of the dashboards share: a small park whose figures are worked by hand.

Park P, 2026-03-09 to 2026-03-11 Shanghai time: A draws 100 kW, B 200 kW, C 50 kW, but A
400 kW in the window from 11 March 09:30 and B 500 kW in that from 20:00. The park has
5 kW in every window that no enterprise's meter explains, so its peak is
400 + 200 + 50 + 5 = 655 kW at 09:30, against 100 + 500 + 50 + 5 = 655 kW at 20:00, the
later of two equals. A window of 9000 kW known to one half does not compete. Behind a
transformer of 1000 kVA the lagging energy is three quarters of the active one, so the
apparent power is 1.25 of the active. The running window is expected to end at 840 kW of
800 kW, five minutes of it being over: 40 kW too much are 60 kW of the ten minutes left.
"""

from collections.abc import Iterator

import psycopg
import pytest

NAME = 'O\'Neill "Steel" 钢铁'

SEED = """
INSERT INTO core.subject (kind) VALUES ('park'), ('enterprise'), ('enterprise'),
    ('enterprise'), ('meter'), ('meter'), ('meter'), ('park');
INSERT INTO core.park (park_id, code, name, zone, region) VALUES
    (1, 'P', 'Park''s', 'Asia/Shanghai', 'CN-JS'), (8, 'EMPTY', '空', 'Asia/Shanghai', 'CN');
INSERT INTO core.enterprise (enterprise_id, park_id, code, name) VALUES
    (2, 1, 'A', %(name)s), (3, 1, 'B', 'B'), (4, 1, 'C', 'C');
INSERT INTO core.meter (meter_id, park_id, enterprise_id, code, name, confirmed_at)
    SELECT 3 + n, 1, n, 'M1', 'M1', now() FROM generate_series(2, 4) AS n;
INSERT INTO core.assignment (meter_id, enterprise_id, valid_from, source)
    SELECT 3 + n, n, '2000-01-01Z', 'test' FROM generate_series(2, 4) AS n;
INSERT INTO core.channel (subject_id, quantity, kind, unit, flow)
    SELECT n, quantity, kind, unit, 'electricity' FROM (
        SELECT n, 'energy_import', 'register', 'kwh' FROM generate_series(5, 7) AS n
        UNION ALL SELECT n, 'power', 'gauge', 'kw' FROM generate_series(5, 7) AS n
        UNION ALL SELECT n, 'energy_import', 'total', 'kwh' FROM generate_series(1, 4) AS n
    ) AS c (n, quantity, kind, unit);
INSERT INTO core.reading (channel_id, at, value, batch_id)
    SELECT channel_id, now() - s * interval '1 minute', 80 + subject_id + s, 1
    FROM core.channel, generate_series(1, 5) AS s
    WHERE quantity = 'power' AND subject_id IN (5, 6)
    UNION ALL
    SELECT channel_id, now() - interval '16 minutes', 7, 1
    FROM core.channel WHERE quantity = 'power' AND subject_id = 7;
INSERT INTO core.contract_demand (subject_id, kw, valid_from, valid_to, source,
                                  recorded_at) VALUES
    (1, 600, '2025-01-01Z', NULL, 'first', '2025-01-01Z'),
    (1, 800, '2026-03-01Z', '2026-04-01Z', 'correction', '2026-03-02Z'),
    (1, 999, '2026-03-01Z', NULL, 'entered last, known earlier', '2026-03-01Z');
INSERT INTO core.usage_15min (channel_id, start, amount, measured_s, estimated_s,
                              expected_s)
    SELECT c.channel_id, at, kw / 4.0, 900, 0, 900 FROM core.channel c JOIN (
        SELECT n, at, CASE
            WHEN n = 2 AND at = '2026-03-11 09:30+08' THEN 400
            WHEN n = 3 AND at = '2026-03-11 20:00+08' THEN 500
            ELSE (ARRAY[100, 200, 50])[n - 1] END AS kw
        FROM generate_series(2, 4) AS n,
             generate_series('2026-03-09 00:00+08'::timestamptz,
                             '2026-03-11 23:45+08', interval '15 minutes') AS at) AS w
        ON c.subject_id = w.n AND c.kind = 'total';
INSERT INTO core.usage_15min (channel_id, start, amount, measured_s, estimated_s,
                              expected_s)
    SELECT c.channel_id, start, (sum(fixed_kw) + 5) / 4, 810, 90, 900
    FROM core.demand, core.channel c WHERE c.subject_id = 1
    GROUP BY c.channel_id, start;
UPDATE core.usage_15min u SET amount = 2250, measured_s = 450, estimated_s = 0
    FROM core.channel c
    WHERE c.channel_id = u.channel_id AND c.subject_id = 1
      AND start = '2026-03-10 12:00+08';
INSERT INTO core.usage_day (channel_id, start, amount, measured_s, estimated_s,
                            expected_s)
    SELECT c.channel_id, day, 2400, CASE WHEN c.subject_id = 7 THEN 43200 ELSE 86400 END,
           CASE WHEN c.subject_id = 7 THEN 21600 ELSE 0 END, 86400
    FROM core.channel c, generate_series('2026-03-09 00:00+08'::timestamptz,
                                         '2026-03-11 00:00+08', interval '1 day') AS day
    WHERE c.kind <> 'gauge';
INSERT INTO core.channel (subject_id, quantity, kind, unit, flow)
    VALUES (1, 'reactive_energy_q1', 'total', 'kvarh', 'electricity');
INSERT INTO core.usage_15min (channel_id, start, amount, measured_s, estimated_s,
                              expected_s)
    SELECT r.channel_id, u.start, 0.75 * u.amount, 900, 0, 900
    FROM core.channel c JOIN core.usage_15min u USING (channel_id), core.channel r
    WHERE c.subject_id = 1 AND c.quantity = 'energy_import'
      AND r.quantity = 'reactive_energy_q1';
INSERT INTO core.billing (subject_id, tariff, method, capacity_kva, valid_from, source)
    VALUES (1, 'CN-JS', 'contract', 1000, '2026-01-01', 'test');
INSERT INTO core.forecast (subject_id, start, window_min, known_s, made_at, energy_kwh,
                           expected_kw, low_kw, high_kw, contract_kw, shed_state, shed_kw)
    SELECT 1, date_bin('15 minutes', now(), '2000-01-01Z') + n * interval '15 minutes',
           15, known_s, now(), 50, expected, expected - 20, expected + 30, 800, 'needed',
           (expected - 800) / (1 - known_s / 900.0)
    FROM generate_series(0, 1) AS n,
         (VALUES (0, 900), (300, 840)) AS told (known_s, expected);
INSERT INTO core.usage_month SELECT channel_id, '2026-03-01 00:00+08', 7200, 259200, 0,
    2678400 FROM core.channel WHERE kind = 'total' AND quantity = 'energy_import';
INSERT INTO core.book (subject_id, month, figure, value, coverage, estimated, provisional)
    SELECT 1, (date_trunc('month', now() AT TIME ZONE 'Asia/Shanghai')
               - n * interval '1 month')::date, figure, amount, 1, false, false
    FROM generate_series(1, 12) AS n,
         (VALUES ('co2_t/location_region', 100), ('co2_t_scope1/location_region', 30),
                 ('co2_t_scope2/location_region', 70), ('co2_t/ets', 90))
         AS f (figure, amount)
    WHERE NOT (figure = 'co2_t/ets' AND n = 3);
INSERT INTO core.trajectory_state VALUES
    (1, 'location_region', 'regional', '省级因子', 'tCO2', 'grid_average/CN-JS/2023',
     'declining-unconfirmed', 'too_few_years_after', 2020, 2024, 2020, 1500, false, 4,
     0.1, 4, -6, -1.6984, 0.0894, -25),
    (1, 'ets', 'ets', '配额', 'tCO2', '', 'unknown', 'too_few_years', NULL, NULL, NULL,
     NULL, false, NULL, NULL, 0, NULL, NULL, NULL, NULL);
INSERT INTO core.trajectory_year (subject_id, method, year, value_t, rule, provisional,
                                  stated_t, metered_t, coverage, months_complete) VALUES
    (1, 'location_region', 2023, 1400, 'stated_year', false, 1400, NULL, NULL, 0),
    (1, 'location_region', 2024, 1350, 'metered_complete', false, NULL, 1350, 1, 12),
    (1, 'location_region', 2025, 600, 'metered_in_part', true, NULL, 600, 0.5, 6);
INSERT INTO core.trajectory_month (subject_id, method, month, rolling_t, month_t, metered)
    SELECT 1, 'location_region', '2026-02-01'::date - n * interval '1 month',
           CASE WHEN n <> 1 THEN 1200 + n END, CASE WHEN n <> 1 THEN 100 END, n <> 1
    FROM generate_series(0, 2) AS n;
INSERT INTO core.budget_year VALUES
    (1, 2026, 'co2', 'location_region', 1000, 'tCO2', 200, 800, 40, 1100, NULL, NULL,
     '2026-11-20', 'uniform', 1, true, 2);
INSERT INTO core.budget_month (subject_id, year, kind, method, month, used, pace, path)
    SELECT 1, 2026, 'co2', 'location_region',
           '2026-01-01'::date + n * interval '1 month',
           CASE WHEN n < 2 THEN 100 * (n + 1) END, 80 * (n + 1), 100 * (n + 1)
    FROM generate_series(0, 11) AS n;
INSERT INTO core.zero_carbon VALUES
    (1, '2026-03-01', 1.145, 223118.8, 194860, 0.2, 'below_200k_tce', 'no_threshold',
     184146.8, 150000000, 0.504, 59271.8, 1, true);
INSERT INTO core.target (subject_id, kind, method, year, value, unit, source, who) VALUES
    (1, 'energy_intensity', 'calorific', 2026, 0.25, 'tce/10^4 CNY', 'plan', 'Clerk One'),
    (2, 'energy_intensity', 'calorific', 2026, 0.1, 'tce/10^4 CNY', 'plan', 'Clerk One');
INSERT INTO core.intensity (subject_id, span, month, figure, value, numerator_t,
        added_value_10k_cny, coverage, estimated, provisional, complete, publishable,
        place, reason)
    SELECT id, span, month, 'tce/calorific', value, value * 100,
           CASE WHEN id <> 4 THEN 100 END, CASE WHEN id = 4 THEN 0.5 ELSE 1 END, id = 3,
           true, month < '2026-03-01', id <> 4 AND month < '2026-03-01',
           CASE WHEN month < '2026-03-01' THEN place END,
           CASE WHEN month >= '2026-03-01' THEN 'not_over'
                WHEN id = 4 THEN 'denominator_missing' END
    FROM (VALUES (1, 0.3, NULL), (2, 0.2, 1), (3, 0.4, 2), (4, NULL, NULL))
             AS e (id, value, place),
         (VALUES ('month'), ('year_to_date'), ('rolling_12')) AS s (span),
         (VALUES ('2026-01-01'::date), ('2026-02-01'), ('2026-03-01')) AS m (month);
"""


def pytest_configure(config: pytest.Config) -> None:
    # classic dashboards are what Grafana 11 to 13 all read; the SDK would rather v2
    config.addinivalue_line(
        "filterwarnings", "ignore:Prefer using dashboardv2:DeprecationWarning"
    )


@pytest.fixture
def park(database: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection to a database with the park, reading as Grafana's login does."""
    with psycopg.connect(database, autocommit=True) as conn:
        for statement in SEED.split(";\n")[:-1]:
            values = {"name": NAME} if "%(name)s" in statement else None
            conn.execute(statement.encode(), values)
        conn.execute("ANALYZE")
        conn.execute("SET ROLE parkwatt_grafana")
        yield conn
