activity.activity_id bigint NOT NULL IDENTITY
activity.enterprise_id integer NOT NULL
activity.month date NOT NULL
activity.item text NOT NULL
activity.use text NOT NULL
activity.amount double precision
activity.unit text NOT NULL
activity.beside boolean NOT NULL DEFAULT false
activity.stage text NOT NULL
activity.source text NOT NULL
activity.who text NOT NULL
activity.recorded_at timestamp with time zone NOT NULL DEFAULT now()
activity.supplier_id integer
activity: CHECK (((amount >= (0)::double precision) AND (amount < ('1000000000000000'::numeric)::double precision)))
activity: CHECK (((supplier_id IS NULL) OR (use = 'bought'::text)))
activity: CHECK ((EXTRACT(day FROM month) = (1)::numeric))
activity: CHECK ((item <> ''::text))
activity: CHECK ((source <> ''::text))
activity: CHECK ((stage = ANY (ARRAY['provisional'::text, 'final'::text])))
activity: CHECK ((supplier_id <> enterprise_id))
activity: CHECK ((use = ANY (ARRAY['burnt'::text, 'bought'::text, 'process'::text, 'released'::text, 'feedstock'::text])))
activity: CHECK ((who <> ''::text))
activity: FOREIGN KEY (enterprise_id) REFERENCES enterprise(enterprise_id)
activity: FOREIGN KEY (supplier_id) REFERENCES enterprise(enterprise_id)
activity: PRIMARY KEY (activity_id)
CREATE INDEX activity_enterprise ON core.activity USING btree (enterprise_id, month)
CREATE UNIQUE INDEX activity_pkey ON core.activity USING btree (activity_id)
assignment.assignment_id bigint NOT NULL IDENTITY
assignment.meter_id integer NOT NULL
assignment.enterprise_id integer NOT NULL
assignment.valid_from timestamp with time zone NOT NULL
assignment.valid_to timestamp with time zone
assignment.source text NOT NULL
assignment.recorded_at timestamp with time zone NOT NULL DEFAULT now()
assignment: CHECK ((valid_to > valid_from))
assignment: FOREIGN KEY (enterprise_id) REFERENCES enterprise(enterprise_id)
assignment: FOREIGN KEY (meter_id) REFERENCES meter(meter_id)
assignment: PRIMARY KEY (assignment_id)
CREATE INDEX assignment_meter ON core.assignment USING btree (meter_id)
CREATE UNIQUE INDEX assignment_pkey ON core.assignment USING btree (assignment_id)
batch.batch_id bigint NOT NULL IDENTITY
batch.received_at timestamp with time zone NOT NULL DEFAULT now()
batch.source text NOT NULL
batch.parser text NOT NULL
batch.messages integer NOT NULL
batch.received integer NOT NULL
batch.inserted integer NOT NULL
batch.duplicate integer NOT NULL
batch.conflict integer NOT NULL
batch.quarantined integer NOT NULL
batch: CHECK ((received = (((inserted + duplicate) + conflict) + quarantined)))
batch: PRIMARY KEY (batch_id)
CREATE INDEX batch_received ON core.batch USING brin (received_at)
CREATE UNIQUE INDEX batch_pkey ON core.batch USING btree (batch_id)
billing.billing_id bigint NOT NULL IDENTITY
billing.subject_id integer NOT NULL
billing.tariff text NOT NULL
billing.method text NOT NULL
billing.capacity_kva double precision
billing.power_factor_standard double precision
billing.valid_from date NOT NULL
billing.valid_to date
billing.source text NOT NULL
billing.recorded_at timestamp with time zone NOT NULL DEFAULT now()
billing: CHECK (((capacity_kva > (0)::double precision) AND (capacity_kva < ('1000000000'::numeric)::double precision)))
billing: CHECK (((method <> 'capacity'::text) OR (capacity_kva IS NOT NULL)))
billing: CHECK ((method = ANY (ARRAY['capacity'::text, 'contract'::text, 'demand'::text, 'none'::text])))
billing: CHECK ((power_factor_standard = ANY (ARRAY[(0.80)::double precision, (0.85)::double precision, (0.90)::double precision])))
billing: CHECK ((valid_to > valid_from))
billing: FOREIGN KEY (subject_id) REFERENCES subject(subject_id)
billing: PRIMARY KEY (billing_id)
CREATE INDEX billing_subject ON core.billing USING btree (subject_id)
CREATE UNIQUE INDEX billing_pkey ON core.billing USING btree (billing_id)
book.subject_id integer NOT NULL
book.month date NOT NULL
book.figure text NOT NULL
book.value double precision
book.coverage double precision
book.estimated boolean NOT NULL
book.provisional boolean NOT NULL
book.made_at timestamp with time zone NOT NULL DEFAULT now()
book: FOREIGN KEY (subject_id) REFERENCES subject(subject_id)
book: PRIMARY KEY (subject_id, month, figure)
CREATE UNIQUE INDEX book_pkey ON core.book USING btree (subject_id, month, figure)
book_change.park_id integer NOT NULL
book_change.changes bigint NOT NULL
book_change: FOREIGN KEY (park_id) REFERENCES park(park_id)
book_change: PRIMARY KEY (park_id)
CREATE UNIQUE INDEX book_change_pkey ON core.book_change USING btree (park_id)
book_kept.park_id integer NOT NULL
book_kept.fingerprint text NOT NULL
book_kept.kept_at timestamp with time zone NOT NULL DEFAULT now()
book_kept: FOREIGN KEY (park_id) REFERENCES park(park_id)
book_kept: PRIMARY KEY (park_id)
CREATE UNIQUE INDEX book_kept_pkey ON core.book_kept USING btree (park_id)
budget_month.subject_id integer NOT NULL
budget_month.year integer NOT NULL
budget_month.kind text NOT NULL
budget_month.method text NOT NULL
budget_month.month date NOT NULL
budget_month.used double precision
budget_month.pace double precision
budget_month.path double precision
budget_month.low double precision
budget_month.high double precision
budget_month.made_at timestamp with time zone NOT NULL DEFAULT now()
budget_month: FOREIGN KEY (subject_id) REFERENCES subject(subject_id)
budget_month: PRIMARY KEY (subject_id, year, kind, method, month)
CREATE UNIQUE INDEX budget_month_pkey ON core.budget_month USING btree (subject_id, year, kind, method, month)
budget_year.subject_id integer NOT NULL
budget_year.year integer NOT NULL
budget_year.kind text NOT NULL
budget_year.method text NOT NULL
budget_year.value double precision
budget_year.unit text NOT NULL
budget_year.used double precision
budget_year.remaining double precision
budget_year.ahead_of_pace double precision
budget_year.year_end double precision
budget_year.year_end_low double precision
budget_year.year_end_high double precision
budget_year.spent_on date
budget_year.how text
budget_year.coverage double precision
budget_year.publishable boolean NOT NULL
budget_year.months_over integer NOT NULL
budget_year.made_at timestamp with time zone NOT NULL DEFAULT now()
budget_year: FOREIGN KEY (subject_id) REFERENCES subject(subject_id)
budget_year: PRIMARY KEY (subject_id, year, kind, method)
CREATE UNIQUE INDEX budget_year_pkey ON core.budget_year USING btree (subject_id, year, kind, method)
channel.channel_id integer NOT NULL IDENTITY
channel.subject_id integer NOT NULL
channel.quantity text NOT NULL
channel.kind text NOT NULL
channel.unit text NOT NULL
channel.timed_on_arrival_since timestamp with time zone
channel.recorded_at timestamp with time zone NOT NULL DEFAULT now()
channel.flow text NOT NULL
channel: CHECK ((kind = ANY (ARRAY['register'::text, 'delta'::text, 'gauge'::text, 'total'::text, 'virtual'::text])))
channel: FOREIGN KEY (subject_id) REFERENCES subject(subject_id)
channel: PRIMARY KEY (channel_id)
channel: UNIQUE (subject_id, quantity, kind)
CREATE UNIQUE INDEX channel_pkey ON core.channel USING btree (channel_id)
CREATE UNIQUE INDEX channel_subject_id_quantity_kind_key ON core.channel USING btree (subject_id, quantity, kind)
closing.closing_id bigint NOT NULL IDENTITY
closing.park_id integer NOT NULL
closing.period_from date NOT NULL
closing.period_to date NOT NULL
closing.content text NOT NULL
closing.sha256 text NOT NULL
closing.previous text
closing.closed_at timestamp with time zone NOT NULL
closing.who text NOT NULL
closing: CHECK ((period_to > period_from))
closing: CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text))
closing: CHECK ((who <> ''::text))
closing: FOREIGN KEY (park_id) REFERENCES park(park_id)
closing: PRIMARY KEY (closing_id)
closing: UNIQUE (park_id, period_from, period_to)
closing: UNIQUE (park_id, sha256)
closing: UNIQUE (previous)
CREATE UNIQUE INDEX closing_park_id_period_from_period_to_key ON core.closing USING btree (park_id, period_from, period_to)
CREATE UNIQUE INDEX closing_park_id_sha256_key ON core.closing USING btree (park_id, sha256)
CREATE UNIQUE INDEX closing_pkey ON core.closing USING btree (closing_id)
CREATE UNIQUE INDEX closing_previous_key ON core.closing USING btree (previous)
conflict.conflict_id bigint NOT NULL IDENTITY
conflict.channel_id integer NOT NULL
conflict.at timestamp with time zone NOT NULL
conflict.stored double precision NOT NULL
conflict.refused double precision NOT NULL
conflict.refused_until timestamp with time zone
conflict.batch_id bigint NOT NULL
conflict: PRIMARY KEY (conflict_id)
CREATE UNIQUE INDEX conflict_pkey ON core.conflict USING btree (conflict_id)
contract_demand.contract_demand_id bigint NOT NULL IDENTITY
contract_demand.subject_id integer NOT NULL
contract_demand.kw double precision NOT NULL
contract_demand.valid_from timestamp with time zone NOT NULL
contract_demand.valid_to timestamp with time zone
contract_demand.source text NOT NULL
contract_demand.recorded_at timestamp with time zone NOT NULL DEFAULT now()
contract_demand: CHECK (((kw > (0)::double precision) AND (kw < ('1000000000'::numeric)::double precision)))
contract_demand: CHECK ((valid_to > valid_from))
contract_demand: FOREIGN KEY (subject_id) REFERENCES subject(subject_id)
contract_demand: PRIMARY KEY (contract_demand_id)
CREATE INDEX contract_demand_subject ON core.contract_demand USING btree (subject_id)
CREATE UNIQUE INDEX contract_demand_pkey ON core.contract_demand USING btree (contract_demand_id)
demand_rule.demand_rule_id bigint NOT NULL IDENTITY
demand_rule.subject_id integer NOT NULL
demand_rule.window_min integer NOT NULL
demand_rule.method text NOT NULL
demand_rule.valid_from timestamp with time zone NOT NULL
demand_rule.valid_to timestamp with time zone
demand_rule.source text NOT NULL
demand_rule.recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
demand_rule: CHECK ((method = ANY (ARRAY['fixed'::text, 'sliding'::text])))
demand_rule: CHECK ((source <> ''::text))
demand_rule: CHECK ((valid_to > valid_from))
demand_rule: CHECK ((window_min = ANY (ARRAY[15, 30, 60])))
demand_rule: FOREIGN KEY (subject_id) REFERENCES subject(subject_id)
demand_rule: PRIMARY KEY (demand_rule_id)
CREATE INDEX demand_rule_subject ON core.demand_rule USING btree (subject_id)
CREATE UNIQUE INDEX demand_rule_pkey ON core.demand_rule USING btree (demand_rule_id)
demand_sliding.subject_id integer NOT NULL
demand_sliding.start timestamp with time zone NOT NULL
demand_sliding.kw double precision NOT NULL
demand_sliding.after_s double precision NOT NULL
demand_sliding: CHECK (((after_s >= (0)::double precision) AND (after_s < (900)::double precision)))
demand_sliding: CHECK (((kw > ('-1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision) AND (kw < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision)))
demand_sliding: PRIMARY KEY (subject_id, start)
CREATE UNIQUE INDEX demand_sliding_pkey ON core.demand_sliding USING btree (subject_id, start)
dirty.dirty_id bigint NOT NULL IDENTITY
dirty.park_id integer NOT NULL
dirty.channel_id integer NOT NULL
dirty.start timestamp with time zone NOT NULL
dirty.stop timestamp with time zone NOT NULL
dirty.settled boolean NOT NULL DEFAULT false
dirty: CHECK ((stop > start))
dirty: PRIMARY KEY (dirty_id)
CREATE INDEX dirty_park ON core.dirty USING btree (park_id)
CREATE UNIQUE INDEX dirty_pkey ON core.dirty USING btree (dirty_id)
driver.driver_id bigint NOT NULL IDENTITY
driver.subject_id integer NOT NULL
driver.name text NOT NULL
driver.grain text NOT NULL
driver.first date NOT NULL
driver.value double precision
driver.unit text NOT NULL
driver.source text NOT NULL
driver.who text NOT NULL
driver.recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
driver: CHECK (((grain = 'day'::text) OR (EXTRACT(day FROM first) = (1)::numeric)))
driver: CHECK (((value > ('-1000000000000'::numeric)::double precision) AND (value < ('1000000000000'::numeric)::double precision)))
driver: CHECK ((grain = ANY (ARRAY['day'::text, 'month'::text])))
driver: CHECK ((name <> ''::text))
driver: CHECK ((source <> ''::text))
driver: CHECK ((who <> ''::text))
driver: FOREIGN KEY (subject_id) REFERENCES subject(subject_id)
driver: PRIMARY KEY (driver_id)
CREATE INDEX driver_subject ON core.driver USING btree (subject_id, name, first)
CREATE UNIQUE INDEX driver_pkey ON core.driver USING btree (driver_id)
energy_baseline.energy_baseline_id bigint NOT NULL IDENTITY
energy_baseline.subject_id integer NOT NULL
energy_baseline.name text NOT NULL
energy_baseline.figure text NOT NULL
energy_baseline.variables text[] NOT NULL
energy_baseline.first_month date NOT NULL
energy_baseline.last_month date NOT NULL
energy_baseline.source text NOT NULL
energy_baseline.who text NOT NULL
energy_baseline.recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
energy_baseline: CHECK (((cardinality(variables) >= 1) AND (cardinality(variables) <= 8)))
energy_baseline: CHECK ((EXTRACT(day FROM first_month) = (1)::numeric))
energy_baseline: CHECK ((EXTRACT(day FROM last_month) = (1)::numeric))
energy_baseline: CHECK ((last_month > first_month))
energy_baseline: CHECK ((name <> ''::text))
energy_baseline: CHECK ((source <> ''::text))
energy_baseline: CHECK ((who <> ''::text))
energy_baseline: FOREIGN KEY (subject_id) REFERENCES subject(subject_id)
energy_baseline: PRIMARY KEY (energy_baseline_id)
CREATE INDEX energy_baseline_subject ON core.energy_baseline USING btree (subject_id)
CREATE UNIQUE INDEX energy_baseline_pkey ON core.energy_baseline USING btree (energy_baseline_id)
enterprise.enterprise_id integer NOT NULL
enterprise.park_id integer NOT NULL
enterprise.code code NOT NULL
enterprise.name text NOT NULL
enterprise.recorded_at timestamp with time zone NOT NULL DEFAULT now()
enterprise: FOREIGN KEY (enterprise_id) REFERENCES subject(subject_id)
enterprise: FOREIGN KEY (park_id) REFERENCES park(park_id)
enterprise: PRIMARY KEY (enterprise_id)
enterprise: UNIQUE (park_id, code)
CREATE UNIQUE INDEX enterprise_park_id_code_key ON core.enterprise USING btree (park_id, code)
CREATE UNIQUE INDEX enterprise_pkey ON core.enterprise USING btree (enterprise_id)
enterprise_year.enterprise_id integer NOT NULL
enterprise_year.year integer NOT NULL
enterprise_year.above_designated_size boolean NOT NULL
enterprise_year.source text NOT NULL
enterprise_year.recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
enterprise_year.who text NOT NULL DEFAULT ''::text
enterprise_year: CHECK (((year >= 1990) AND (year <= 2200)))
enterprise_year: FOREIGN KEY (enterprise_id) REFERENCES enterprise(enterprise_id)
enterprise_year: PRIMARY KEY (enterprise_id, year, recorded_at)
CREATE UNIQUE INDEX enterprise_year_pkey ON core.enterprise_year USING btree (enterprise_id, year, recorded_at)
factor.factor_id integer NOT NULL IDENTITY
factor.code text NOT NULL
factor.kind text NOT NULL
factor.carrier text NOT NULL
factor.basis text NOT NULL
factor.region text NOT NULL
factor.data_year integer
factor.published date
factor.valid_from date
factor.valid_to date
factor.value double precision NOT NULL
factor.unit text NOT NULL
factor.source text NOT NULL
factor.verified boolean NOT NULL
factor.note text
factor.recorded_at timestamp with time zone NOT NULL DEFAULT now()
factor.subject_id integer
factor.evidence text
factor.who text
factor: CHECK (((subject_id IS NULL) OR (value > (0)::double precision) OR (evidence <> ''::text)))
factor: CHECK (((value >= (0)::double precision) AND (value < ('1000000'::numeric)::double precision)))
factor: CHECK ((kind = ANY (ARRAY['co2'::text, 'energy'::text])))
factor: CHECK ((valid_to > valid_from))
factor: FOREIGN KEY (subject_id) REFERENCES subject(subject_id)
factor: PRIMARY KEY (factor_id)
factor: UNIQUE (code, recorded_at)
CREATE INDEX factor_subject ON core.factor USING btree (subject_id)
CREATE UNIQUE INDEX factor_code_recorded_at_key ON core.factor USING btree (code, recorded_at)
CREATE UNIQUE INDEX factor_pkey ON core.factor USING btree (factor_id)
fall_policy.fall_policy_id bigint NOT NULL IDENTITY
fall_policy.meter_id integer NOT NULL
fall_policy.fall text NOT NULL
fall_policy.source text NOT NULL
fall_policy.recorded_at timestamp with time zone NOT NULL DEFAULT now()
fall_policy: CHECK ((fall = ANY (ARRAY['unknown'::text, 'restart'::text])))
fall_policy: FOREIGN KEY (meter_id) REFERENCES meter(meter_id)
fall_policy: PRIMARY KEY (fall_policy_id)
CREATE INDEX fall_policy_meter ON core.fall_policy USING btree (meter_id)
CREATE UNIQUE INDEX fall_policy_pkey ON core.fall_policy USING btree (fall_policy_id)
forecast.subject_id integer NOT NULL
forecast.start timestamp with time zone NOT NULL
forecast.known_s double precision NOT NULL
forecast.made_at timestamp with time zone NOT NULL
forecast.energy_kwh double precision NOT NULL
forecast.latest_kw double precision
forecast.expected_kw double precision
forecast.low_kw double precision
forecast.high_kw double precision
forecast.contract_kw double precision
forecast.shed_state text NOT NULL
forecast.shed_kw double precision
forecast.window_min integer NOT NULL
forecast: CHECK (((contract_kw > (0)::double precision) AND (contract_kw < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision)))
forecast: CHECK (((energy_kwh > ('-1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision) AND (energy_kwh < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision)))
forecast: CHECK (((expected_kw > ('-1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision) AND (expected_kw < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision)))
forecast: CHECK (((high_kw >= expected_kw) AND (high_kw < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision)))
forecast: CHECK (((known_s >= (0)::double precision) AND (known_s <= ((60 * window_min))::double precision)))
forecast: CHECK (((latest_kw > ('-1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision) AND (latest_kw < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision)))
forecast: CHECK (((low_kw <= expected_kw) AND (low_kw > ('-1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision)))
forecast: CHECK (((shed_kw > (0)::double precision) AND (shed_kw < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision)))
forecast: CHECK ((shed_state = ANY (ARRAY['unknown'::text, 'not needed'::text, 'needed'::text, 'impossible'::text])))
forecast: CHECK ((window_min = ANY (ARRAY[15, 30, 60])))
forecast: PRIMARY KEY (subject_id, start, known_s)
CREATE UNIQUE INDEX forecast_pkey ON core.forecast USING btree (subject_id, start, known_s)
formula.formula_id bigint NOT NULL IDENTITY
formula.channel_id integer NOT NULL
formula.valid_from timestamp with time zone NOT NULL
formula.valid_to timestamp with time zone
formula.source text NOT NULL
formula.recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
formula: CHECK ((source <> ''::text))
formula: CHECK ((valid_to > valid_from))
formula: FOREIGN KEY (channel_id) REFERENCES channel(channel_id)
formula: PRIMARY KEY (formula_id)
CREATE INDEX formula_channel ON core.formula USING btree (channel_id)
CREATE UNIQUE INDEX formula_pkey ON core.formula USING btree (formula_id)
green_match.green_match_id bigint NOT NULL IDENTITY
green_match.park_id integer NOT NULL
green_match.kind text NOT NULL
green_match.reference text NOT NULL
green_match.production_month date NOT NULL
green_match.enterprise_id integer NOT NULL
green_match.month date NOT NULL
green_match.kwh double precision NOT NULL
green_match.source text NOT NULL
green_match.who text NOT NULL
green_match.recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
green_match: CHECK (((kwh >= (0)::double precision) AND (kwh < ('1000000000000000'::numeric)::double precision)))
green_match: CHECK ((EXTRACT(day FROM month) = (1)::numeric))
green_match: CHECK ((source <> ''::text))
green_match: CHECK ((who <> ''::text))
green_match: FOREIGN KEY (enterprise_id) REFERENCES enterprise(enterprise_id)
green_match: FOREIGN KEY (park_id) REFERENCES park(park_id)
green_match: PRIMARY KEY (green_match_id)
CREATE INDEX green_match_park ON core.green_match USING btree (park_id)
CREATE UNIQUE INDEX green_match_pkey ON core.green_match USING btree (green_match_id)
green_power.green_power_id bigint NOT NULL IDENTITY
green_power.park_id integer NOT NULL
green_power.kind text NOT NULL
green_power.reference text NOT NULL
green_power.production_month date NOT NULL
green_power.kwh double precision NOT NULL
green_power.technology text NOT NULL
green_power.plant text
green_power.producer_id integer
green_power.part_of text
green_power.evidence text
green_power.issued date
green_power.expires date
green_power.cancelled boolean NOT NULL DEFAULT false
green_power.source text NOT NULL
green_power.who text NOT NULL
green_power.recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
green_power: CHECK (((kwh > (0)::double precision) AND (kwh < ('1000000000000000'::numeric)::double precision)))
green_power: CHECK ((EXTRACT(day FROM production_month) = (1)::numeric))
green_power: CHECK ((expires > production_month))
green_power: CHECK ((kind = ANY (ARRAY['certificate'::text, 'trade'::text, 'direct'::text, 'self_use'::text])))
green_power: CHECK ((reference <> ''::text))
green_power: CHECK ((source <> ''::text))
green_power: CHECK ((who <> ''::text))
green_power: FOREIGN KEY (park_id) REFERENCES park(park_id)
green_power: FOREIGN KEY (producer_id) REFERENCES enterprise(enterprise_id)
green_power: PRIMARY KEY (green_power_id)
CREATE INDEX green_power_park ON core.green_power USING btree (park_id)
CREATE UNIQUE INDEX green_power_pkey ON core.green_power USING btree (green_power_id)
history.history_id bigint NOT NULL IDENTITY
history.subject_id integer NOT NULL
history.method text NOT NULL
history.period_from date NOT NULL
history.period_to date NOT NULL
history.amount_t double precision
history.stage text NOT NULL
history.source text NOT NULL
history.who text NOT NULL
history.recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
history: CHECK (((amount_t >= (0)::double precision) AND (amount_t < ('1000000000000'::numeric)::double precision)))
history: CHECK (((period_to = (period_from + '1 mon'::interval)) OR ((EXTRACT(month FROM period_from) = (1)::numeric) AND (period_to = (period_from + '1 year'::interval)))))
history: CHECK ((EXTRACT(day FROM period_from) = (1)::numeric))
history: CHECK ((method <> ''::text))
history: CHECK ((source <> ''::text))
history: CHECK ((stage = ANY (ARRAY['provisional'::text, 'final'::text])))
history: CHECK ((who <> ''::text))
history: FOREIGN KEY (subject_id) REFERENCES subject(subject_id)
history: PRIMARY KEY (history_id)
CREATE INDEX history_subject ON core.history USING btree (subject_id, method, period_from)
CREATE UNIQUE INDEX history_pkey ON core.history USING btree (history_id)
hot_day.park_id integer NOT NULL
hot_day.day date NOT NULL
hot_day.hot boolean NOT NULL
hot_day.source text NOT NULL
hot_day.recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
hot_day: FOREIGN KEY (park_id) REFERENCES park(park_id)
hot_day: PRIMARY KEY (park_id, day, recorded_at)
CREATE UNIQUE INDEX hot_day_pkey ON core.hot_day USING btree (park_id, day, recorded_at)
indicator_input.indicator_input_id bigint NOT NULL IDENTITY
indicator_input.park_id integer NOT NULL
indicator_input.name text NOT NULL
indicator_input.year integer NOT NULL
indicator_input.value double precision
indicator_input.unit text NOT NULL
indicator_input.evidence text
indicator_input.source text NOT NULL
indicator_input.who text NOT NULL
indicator_input.recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
indicator_input: CHECK (((value > ('-1000000000000000'::numeric)::double precision) AND (value < ('1000000000000000'::numeric)::double precision)))
indicator_input: CHECK (((year >= 1980) AND (year <= 2100)))
indicator_input: CHECK ((name <> ''::text))
indicator_input: CHECK ((source <> ''::text))
indicator_input: CHECK ((who <> ''::text))
indicator_input: FOREIGN KEY (park_id) REFERENCES park(park_id)
indicator_input: PRIMARY KEY (indicator_input_id)
CREATE INDEX indicator_input_park ON core.indicator_input USING btree (park_id, year)
CREATE UNIQUE INDEX indicator_input_pkey ON core.indicator_input USING btree (indicator_input_id)
indicator_pack.indicator_pack_id bigint NOT NULL IDENTITY
indicator_pack.name text NOT NULL
indicator_pack.terms jsonb NOT NULL
indicator_pack.source text NOT NULL
indicator_pack.who text NOT NULL
indicator_pack.recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
indicator_pack: CHECK ((name <> ''::text))
indicator_pack: CHECK ((source <> ''::text))
indicator_pack: CHECK ((who <> ''::text))
indicator_pack: PRIMARY KEY (indicator_pack_id)
CREATE INDEX indicator_pack_name ON core.indicator_pack USING btree (name)
CREATE UNIQUE INDEX indicator_pack_pkey ON core.indicator_pack USING btree (indicator_pack_id)
industry.industry_id bigint NOT NULL IDENTITY
industry.enterprise_id integer NOT NULL
industry.code text NOT NULL
industry.valid_from date NOT NULL
industry.valid_to date
industry.source text NOT NULL
industry.who text NOT NULL DEFAULT ''::text
industry.recorded_at timestamp with time zone NOT NULL DEFAULT now()
industry: CHECK ((code ~ '^[0-9]{2,4}$'::text))
industry: CHECK ((valid_to > valid_from))
industry: FOREIGN KEY (enterprise_id) REFERENCES enterprise(enterprise_id)
industry: PRIMARY KEY (industry_id)
CREATE INDEX industry_enterprise ON core.industry USING btree (enterprise_id)
CREATE UNIQUE INDEX industry_pkey ON core.industry USING btree (industry_id)
intensity.subject_id integer NOT NULL
intensity.span text NOT NULL
intensity.month date NOT NULL
intensity.figure text NOT NULL
intensity.value double precision
intensity.numerator_t double precision
intensity.added_value_10k_cny double precision
intensity.coverage double precision
intensity.estimated boolean NOT NULL
intensity.provisional boolean NOT NULL
intensity.complete boolean NOT NULL
intensity.publishable boolean NOT NULL
intensity.place integer
intensity.reason text
intensity.made_at timestamp with time zone NOT NULL DEFAULT now()
intensity: CHECK ((span = ANY (ARRAY['month'::text, 'year_to_date'::text, 'rolling_12'::text])))
intensity: FOREIGN KEY (subject_id) REFERENCES subject(subject_id)
intensity: PRIMARY KEY (subject_id, span, month, figure)
CREATE UNIQUE INDEX intensity_pkey ON core.intensity USING btree (subject_id, span, month, figure)
judgement.judgement_id bigint NOT NULL IDENTITY
judgement.channel_id integer NOT NULL
judgement.at timestamp with time zone NOT NULL
judgement.verdict text NOT NULL
judgement.final double precision
judgement.initial double precision
judgement.who text NOT NULL
judgement.why text NOT NULL
judgement.recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
judgement: CHECK (((final > ('-1000000000000000'::numeric)::double precision) AND (final < ('1000000000000000'::numeric)::double precision)))
judgement: CHECK (((initial > ('-1000000000000000'::numeric)::double precision) AND (initial < ('1000000000000000'::numeric)::double precision)))
judgement: CHECK (((verdict = 'replacement'::text) = ((final IS NOT NULL) AND (initial IS NOT NULL))))
judgement: CHECK ((verdict = ANY (ARRAY['real'::text, 'left out'::text, 'rollover'::text, 'reset'::text, 'replacement'::text, 'rule'::text])))
judgement: CHECK ((who <> ''::text))
judgement: CHECK ((why <> ''::text))
judgement: FOREIGN KEY (channel_id) REFERENCES channel(channel_id)
judgement: PRIMARY KEY (judgement_id)
CREATE INDEX judgement_channel ON core.judgement USING btree (channel_id, at)
CREATE UNIQUE INDEX judgement_pkey ON core.judgement USING btree (judgement_id)
learned.enterprise_id integer NOT NULL
learned.format text NOT NULL
learned.key text NOT NULL
learned.value jsonb NOT NULL
learned.recorded_at timestamp with time zone NOT NULL DEFAULT now()
learned: FOREIGN KEY (enterprise_id) REFERENCES enterprise(enterprise_id)
learned: PRIMARY KEY (enterprise_id, format, key)
CREATE UNIQUE INDEX learned_pkey ON core.learned USING btree (enterprise_id, format, key)
mapping.mapping_id bigint NOT NULL IDENTITY
mapping.name code NOT NULL
mapping.enterprise_id integer NOT NULL
mapping.topic text NOT NULL
mapping.document text NOT NULL
mapping.source text NOT NULL
mapping.recorded_at timestamp with time zone NOT NULL DEFAULT now()
mapping.ended_at timestamp with time zone
mapping: FOREIGN KEY (enterprise_id) REFERENCES enterprise(enterprise_id)
mapping: PRIMARY KEY (mapping_id)
CREATE UNIQUE INDEX mapping_name ON core.mapping USING btree (name) WHERE (ended_at IS NULL)
CREATE UNIQUE INDEX mapping_pkey ON core.mapping USING btree (mapping_id)
meter.meter_id integer NOT NULL
meter.park_id integer NOT NULL
meter.enterprise_id integer NOT NULL
meter.code code NOT NULL
meter.name text NOT NULL
meter.measured_up_to_s double precision NOT NULL DEFAULT 1350
meter.recorded_at timestamp with time zone NOT NULL DEFAULT now()
meter.confirmed_at timestamp with time zone
meter: CHECK (((measured_up_to_s > (0)::double precision) AND (measured_up_to_s <= (86400)::double precision)))
meter: FOREIGN KEY (enterprise_id) REFERENCES enterprise(enterprise_id)
meter: FOREIGN KEY (meter_id) REFERENCES subject(subject_id)
meter: FOREIGN KEY (park_id) REFERENCES park(park_id)
meter: PRIMARY KEY (meter_id)
meter: UNIQUE (enterprise_id, code)
CREATE UNIQUE INDEX meter_enterprise_id_code_key ON core.meter USING btree (enterprise_id, code)
CREATE UNIQUE INDEX meter_pkey ON core.meter USING btree (meter_id)
multiplier.multiplier_id bigint NOT NULL IDENTITY
multiplier.meter_id integer NOT NULL
multiplier.ct double precision NOT NULL
multiplier.pt double precision NOT NULL
multiplier.valid_from timestamp with time zone NOT NULL
multiplier.valid_to timestamp with time zone
multiplier.source text NOT NULL
multiplier.recorded_at timestamp with time zone NOT NULL DEFAULT now()
multiplier: CHECK (((ct > (0)::double precision) AND (ct < ('1000000000'::numeric)::double precision)))
multiplier: CHECK (((pt > (0)::double precision) AND (pt < ('1000000000'::numeric)::double precision)))
multiplier: CHECK ((valid_to > valid_from))
multiplier: FOREIGN KEY (meter_id) REFERENCES meter(meter_id)
multiplier: PRIMARY KEY (multiplier_id)
CREATE INDEX multiplier_meter ON core.multiplier USING btree (meter_id)
CREATE UNIQUE INDEX multiplier_pkey ON core.multiplier USING btree (multiplier_id)
ownership.ownership_id bigint NOT NULL IDENTITY
ownership.enterprise_id integer NOT NULL
ownership.owner text
ownership.source text NOT NULL
ownership.who text NOT NULL
ownership.recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
ownership: CHECK ((owner <> ''::text))
ownership: FOREIGN KEY (enterprise_id) REFERENCES enterprise(enterprise_id)
ownership: PRIMARY KEY (ownership_id)
CREATE INDEX ownership_enterprise ON core.ownership USING btree (enterprise_id)
CREATE UNIQUE INDEX ownership_pkey ON core.ownership USING btree (ownership_id)
park.park_id integer NOT NULL
park.code code NOT NULL
park.name text NOT NULL
park.zone text NOT NULL
park.region text NOT NULL
park.recorded_at timestamp with time zone NOT NULL DEFAULT now()
park: FOREIGN KEY (park_id) REFERENCES subject(subject_id)
park: PRIMARY KEY (park_id)
park: UNIQUE (code)
CREATE UNIQUE INDEX park_code_key ON core.park USING btree (code)
CREATE UNIQUE INDEX park_pkey ON core.park USING btree (park_id)
placement.placement_id bigint NOT NULL IDENTITY
placement.meter_id integer NOT NULL
placement.role text NOT NULL
placement.parent_id integer
placement.valid_from timestamp with time zone NOT NULL
placement.valid_to timestamp with time zone
placement.source text NOT NULL
placement.recorded_at timestamp with time zone NOT NULL DEFAULT now()
placement: CHECK ((parent_id <> meter_id))
placement: CHECK ((role = ANY (ARRAY['main'::text, 'park'::text, 'sub'::text, 'check'::text])))
placement: CHECK ((valid_to > valid_from))
placement: FOREIGN KEY (meter_id) REFERENCES meter(meter_id)
placement: FOREIGN KEY (parent_id) REFERENCES meter(meter_id)
placement: PRIMARY KEY (placement_id)
CREATE INDEX placement_meter ON core.placement USING btree (meter_id)
CREATE INDEX placement_parent ON core.placement USING btree (parent_id)
CREATE UNIQUE INDEX placement_pkey ON core.placement USING btree (placement_id)
plant.plant_id bigint NOT NULL IDENTITY
plant.subject_id integer NOT NULL
plant.what text NOT NULL
plant.value double precision
plant.valid_from date NOT NULL
plant.valid_to date
plant.source text NOT NULL
plant.who text NOT NULL
plant.recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
plant: CHECK (((value >= (0)::double precision) AND (value < ('1000000000'::numeric)::double precision)))
plant: CHECK ((source <> ''::text))
plant: CHECK ((valid_to > valid_from))
plant: CHECK ((what = ANY (ARRAY['pv_kwp'::text, 'storage_kwh'::text, 'charging_kw'::text, 'charging_piles'::text])))
plant: CHECK ((who <> ''::text))
plant: FOREIGN KEY (subject_id) REFERENCES subject(subject_id)
plant: PRIMARY KEY (plant_id)
CREATE INDEX plant_subject ON core.plant USING btree (subject_id)
CREATE UNIQUE INDEX plant_pkey ON core.plant USING btree (plant_id)
plate.plate_id bigint NOT NULL IDENTITY
plate.meter_id integer NOT NULL
plate.accuracy_class double precision
plate.rated_per_h double precision
plate.source text NOT NULL
plate.recorded_at timestamp with time zone NOT NULL DEFAULT now()
plate: CHECK (((accuracy_class > (0)::double precision) AND (accuracy_class <= (20)::double precision)))
plate: CHECK (((rated_per_h > (0)::double precision) AND (rated_per_h < ('1000000000000'::numeric)::double precision)))
plate: FOREIGN KEY (meter_id) REFERENCES meter(meter_id)
plate: PRIMARY KEY (plate_id)
CREATE INDEX plate_meter ON core.plate USING btree (meter_id)
CREATE UNIQUE INDEX plate_pkey ON core.plate USING btree (plate_id)
quarantine.quarantine_id bigint NOT NULL IDENTITY
quarantine.batch_id bigint NOT NULL
quarantine.topic text NOT NULL
quarantine.payload bytea NOT NULL
quarantine.reason text NOT NULL
quarantine.readings integer NOT NULL
quarantine.pattern text
quarantine.settled_at timestamp with time zone
quarantine: CHECK ((readings > 0))
quarantine: PRIMARY KEY (quarantine_id)
CREATE INDEX quarantine_unplaced ON core.quarantine USING btree (quarantine_id) WHERE ((pattern IS NOT NULL) AND (settled_at IS NULL))
CREATE UNIQUE INDEX quarantine_pkey ON core.quarantine USING btree (quarantine_id)
reading.channel_id integer NOT NULL
reading.at timestamp with time zone NOT NULL
reading.value double precision NOT NULL
reading.until timestamp with time zone
reading.batch_id bigint NOT NULL
reading: CHECK (((at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (at < '2100-01-01 00:00:00+00'::timestamp with time zone)))
reading: CHECK (((until > at) AND (until < '2100-01-02 00:00:00+00'::timestamp with time zone)))
reading: CHECK (((value > ('-1000000000000000'::numeric)::double precision) AND (value < ('1000000000000000'::numeric)::double precision)))
reading: PRIMARY KEY (channel_id, at)
CREATE UNIQUE INDEX reading_pkey ON core.reading USING btree (channel_id, at)
register_digits.register_digits_id bigint NOT NULL IDENTITY
register_digits.channel_id integer NOT NULL
register_digits.digits integer NOT NULL
register_digits.source text NOT NULL
register_digits.recorded_at timestamp with time zone NOT NULL DEFAULT now()
register_digits: CHECK (((digits >= 1) AND (digits <= 15)))
register_digits: FOREIGN KEY (channel_id) REFERENCES channel(channel_id)
register_digits: PRIMARY KEY (register_digits_id)
CREATE INDEX register_digits_channel ON core.register_digits USING btree (channel_id)
CREATE UNIQUE INDEX register_digits_pkey ON core.register_digits USING btree (register_digits_id)
register_event.register_event_id bigint NOT NULL IDENTITY
register_event.channel_id integer NOT NULL
register_event.at timestamp with time zone NOT NULL
register_event.kind text NOT NULL
register_event.value_before double precision NOT NULL
register_event.value_after double precision NOT NULL
register_event.rule text NOT NULL
register_event.confidence double precision NOT NULL
register_event: CHECK (((confidence > (0)::double precision) AND (confidence <= (1)::double precision)))
register_event: PRIMARY KEY (register_event_id)
register_event: UNIQUE (channel_id, at, kind)
CREATE UNIQUE INDEX register_event_channel_id_at_kind_key ON core.register_event USING btree (channel_id, at, kind)
CREATE UNIQUE INDEX register_event_pkey ON core.register_event USING btree (register_event_id)
register_policy.register_policy_id bigint NOT NULL IDENTITY
register_policy.meter_id integer NOT NULL
register_policy.name text NOT NULL
register_policy.value double precision
register_policy.source text NOT NULL
register_policy.recorded_at timestamp with time zone NOT NULL DEFAULT now()
register_policy: CHECK (((value >= (0)::double precision) AND (value <= (31622400)::double precision)))
register_policy: CHECK ((name = ANY (ARRAY['measured_up_to_s'::text, 'straight_up_to_s'::text, 'stuck_after_s'::text, 'momentary'::text])))
register_policy: FOREIGN KEY (meter_id) REFERENCES meter(meter_id)
register_policy: PRIMARY KEY (register_policy_id)
CREATE INDEX register_policy_meter ON core.register_policy USING btree (meter_id)
CREATE UNIQUE INDEX register_policy_pkey ON core.register_policy USING btree (register_policy_id)
restatement.restatement_id bigint NOT NULL IDENTITY
restatement.closing_id bigint NOT NULL
restatement.content text NOT NULL
restatement.sha256 text NOT NULL
restatement.previous text NOT NULL
restatement.found_at timestamp with time zone NOT NULL
restatement: CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text))
restatement: FOREIGN KEY (closing_id) REFERENCES closing(closing_id)
restatement: PRIMARY KEY (restatement_id)
restatement: UNIQUE (previous)
CREATE INDEX restatement_closing ON core.restatement USING btree (closing_id)
CREATE UNIQUE INDEX restatement_pkey ON core.restatement USING btree (restatement_id)
CREATE UNIQUE INDEX restatement_previous_key ON core.restatement USING btree (previous)
revision.revision_id bigint NOT NULL IDENTITY
revision.channel_id integer NOT NULL
revision.at timestamp with time zone NOT NULL
revision.until timestamp with time zone
revision.value_before double precision
revision.value_after double precision
revision.who text NOT NULL
revision.why text NOT NULL
revision.recorded_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
revision: CHECK (((at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (at < '2100-01-01 00:00:00+00'::timestamp with time zone)))
revision: CHECK (((until > at) AND (until < '2100-01-02 00:00:00+00'::timestamp with time zone)))
revision: CHECK (((value_after > ('-1000000000000000'::numeric)::double precision) AND (value_after < ('1000000000000000'::numeric)::double precision)))
revision: CHECK (((value_before > ('-1000000000000000'::numeric)::double precision) AND (value_before < ('1000000000000000'::numeric)::double precision)))
revision: CHECK ((who <> ''::text))
revision: CHECK ((why <> ''::text))
revision: FOREIGN KEY (channel_id) REFERENCES channel(channel_id)
revision: PRIMARY KEY (revision_id)
CREATE INDEX revision_channel ON core.revision USING btree (channel_id, at)
CREATE UNIQUE INDEX revision_pkey ON core.revision USING btree (revision_id)
source_total.source text NOT NULL
source_total.messages bigint NOT NULL
source_total.received bigint NOT NULL
source_total.inserted bigint NOT NULL
source_total.duplicate bigint NOT NULL
source_total.conflict bigint NOT NULL
source_total.quarantined bigint NOT NULL
source_total.in_flight integer NOT NULL DEFAULT 0
source_total.in_flight_at timestamp with time zone
source_total: CHECK ((received = (((inserted + duplicate) + conflict) + quarantined)))
source_total: PRIMARY KEY (source)
CREATE UNIQUE INDEX source_total_pkey ON core.source_total USING btree (source)
statement.statement_id bigint NOT NULL IDENTITY
statement.subject_id integer NOT NULL
statement.kind text NOT NULL
statement.product code
statement.unit text NOT NULL
statement.period_from date NOT NULL
statement.period_to date NOT NULL
statement.amount double precision
statement.prices text
statement.price_base integer
statement.stage text NOT NULL DEFAULT 'final'::text
statement.source text NOT NULL
statement.who text NOT NULL DEFAULT ''::text
statement.recorded_at timestamp with time zone NOT NULL DEFAULT now()
statement: CHECK (((amount > ('-1000000000000'::numeric)::double precision) AND (amount < ('1000000000000'::numeric)::double precision)))
statement: CHECK (((price_base >= 1990) AND (price_base <= 2200)))
statement: CHECK (((price_base IS NULL) OR (prices = 'comparable'::text)))
statement: CHECK ((kind <> ''::text))
statement: CHECK ((period_to > period_from))
statement: CHECK ((prices = ANY (ARRAY['current'::text, 'comparable'::text])))
statement: CHECK ((stage = ANY (ARRAY['provisional'::text, 'final'::text])))
statement: CHECK ((unit <> ''::text))
statement: FOREIGN KEY (subject_id) REFERENCES subject(subject_id)
statement: PRIMARY KEY (statement_id)
CREATE INDEX statement_subject ON core.statement USING btree (subject_id, kind, period_from)
CREATE UNIQUE INDEX statement_pkey ON core.statement USING btree (statement_id)
subject.subject_id integer NOT NULL IDENTITY
subject.kind text NOT NULL
subject: CHECK ((kind = ANY (ARRAY['park'::text, 'enterprise'::text, 'meter'::text])))
subject: PRIMARY KEY (subject_id)
CREATE UNIQUE INDEX subject_pkey ON core.subject USING btree (subject_id)
target.target_id bigint NOT NULL IDENTITY
target.subject_id integer NOT NULL
target.kind text NOT NULL
target.method text
target.year integer NOT NULL
target.value double precision
target.unit text NOT NULL
target.excluded text[] NOT NULL DEFAULT '{}'::text[]
target.source text NOT NULL
target.who text NOT NULL
target.recorded_at timestamp with time zone NOT NULL DEFAULT now()
target: CHECK (((excluded = '{}'::text[]) OR (kind = 'energy'::text)))
target: CHECK (((kind = ANY (ARRAY['water'::text, 'demand'::text])) = (method IS NULL)))
target: CHECK (((value >= (0)::double precision) AND (value < ('1000000000000'::numeric)::double precision)))
target: CHECK (((year >= 1990) AND (year <= 2200)))
target: CHECK ((excluded <@ ARRAY['renewable'::text, 'feedstock'::text]))
target: CHECK ((kind = ANY (ARRAY['energy'::text, 'co2'::text, 'energy_intensity'::text, 'co2_intensity'::text, 'water'::text, 'demand'::text])))
target: CHECK ((source <> ''::text))
target: CHECK ((who <> ''::text))
target: FOREIGN KEY (subject_id) REFERENCES subject(subject_id)
target: PRIMARY KEY (target_id)
CREATE INDEX target_subject ON core.target USING btree (subject_id, year)
CREATE UNIQUE INDEX target_pkey ON core.target USING btree (target_id)
tariff.tariff_id bigint NOT NULL IDENTITY
tariff.code text NOT NULL
tariff.valid_from date NOT NULL
tariff.valid_to date
tariff.terms jsonb NOT NULL
tariff.source text NOT NULL
tariff.recorded_at timestamp with time zone NOT NULL DEFAULT now()
tariff: CHECK ((code <> ''::text))
tariff: CHECK ((source <> ''::text))
tariff: CHECK ((valid_to > valid_from))
tariff: PRIMARY KEY (tariff_id)
CREATE INDEX tariff_code ON core.tariff USING btree (code)
CREATE UNIQUE INDEX tariff_pkey ON core.tariff USING btree (tariff_id)
trajectory_month.subject_id integer NOT NULL
trajectory_month.method text NOT NULL
trajectory_month.month date NOT NULL
trajectory_month.rolling_t double precision
trajectory_month.month_t double precision
trajectory_month.metered boolean NOT NULL
trajectory_month.made_at timestamp with time zone NOT NULL DEFAULT now()
trajectory_month: FOREIGN KEY (subject_id) REFERENCES subject(subject_id)
trajectory_month: PRIMARY KEY (subject_id, method, month)
CREATE UNIQUE INDEX trajectory_month_pkey ON core.trajectory_month USING btree (subject_id, method, month)
trajectory_state.subject_id integer NOT NULL
trajectory_state.method text NOT NULL
trajectory_state.title text NOT NULL
trajectory_state.title_zh text NOT NULL
trajectory_state.unit text NOT NULL
trajectory_state.factors text NOT NULL
trajectory_state.state text NOT NULL
trajectory_state.reason text NOT NULL
trajectory_state.first_year integer
trajectory_state.last_year integer
trajectory_state.peak_year integer
trajectory_state.peak_t double precision
trajectory_state.peak_is_first_known boolean NOT NULL
trajectory_state.years_after integer
trajectory_state.below_peak double precision
trajectory_state.n integer NOT NULL
trajectory_state.s double precision
trajectory_state.z double precision
trajectory_state.p double precision
trajectory_state.sen_slope_t_per_year double precision
trajectory_state.made_at timestamp with time zone NOT NULL DEFAULT now()
trajectory_state: FOREIGN KEY (subject_id) REFERENCES subject(subject_id)
trajectory_state: PRIMARY KEY (subject_id, method)
CREATE UNIQUE INDEX trajectory_state_pkey ON core.trajectory_state USING btree (subject_id, method)
trajectory_year.subject_id integer NOT NULL
trajectory_year.method text NOT NULL
trajectory_year.year integer NOT NULL
trajectory_year.value_t double precision
trajectory_year.rule text NOT NULL
trajectory_year.provisional boolean NOT NULL
trajectory_year.metered_t double precision
trajectory_year.stated_t double precision
trajectory_year.coverage double precision
trajectory_year.months_complete integer NOT NULL
trajectory_year.made_at timestamp with time zone NOT NULL DEFAULT now()
trajectory_year: FOREIGN KEY (subject_id) REFERENCES subject(subject_id)
trajectory_year: PRIMARY KEY (subject_id, method, year)
CREATE UNIQUE INDEX trajectory_year_pkey ON core.trajectory_year USING btree (subject_id, method, year)
typed.batch_id bigint NOT NULL
typed.who text NOT NULL
typed: CHECK ((who <> ''::text))
typed: PRIMARY KEY (batch_id)
CREATE UNIQUE INDEX typed_pkey ON core.typed USING btree (batch_id)
unknown_topic.pattern text NOT NULL
unknown_topic.messages bigint NOT NULL
unknown_topic.first_at timestamp with time zone NOT NULL DEFAULT now()
unknown_topic.last_at timestamp with time zone NOT NULL DEFAULT now()
unknown_topic.topic text NOT NULL
unknown_topic.payload bytea NOT NULL
unknown_topic.reason text NOT NULL
unknown_topic: PRIMARY KEY (pattern)
CREATE UNIQUE INDEX unknown_topic_pkey ON core.unknown_topic USING btree (pattern)
usage_15min.channel_id integer NOT NULL
usage_15min.start timestamp with time zone NOT NULL
usage_15min.amount double precision NOT NULL
usage_15min.measured_s double precision NOT NULL
usage_15min.estimated_s double precision NOT NULL
usage_15min.expected_s double precision NOT NULL
usage_15min: CHECK (((amount > ('-1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision) AND (amount < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision)))
usage_15min: PRIMARY KEY (channel_id, start)
CREATE UNIQUE INDEX usage_15min_pkey ON core.usage_15min USING btree (channel_id, start)
usage_day.channel_id integer NOT NULL
usage_day.start timestamp with time zone NOT NULL
usage_day.amount double precision NOT NULL
usage_day.measured_s double precision NOT NULL
usage_day.estimated_s double precision NOT NULL
usage_day.expected_s double precision NOT NULL
usage_day: CHECK (((amount > ('-1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision) AND (amount < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision)))
usage_day: PRIMARY KEY (channel_id, start)
CREATE UNIQUE INDEX usage_day_pkey ON core.usage_day USING btree (channel_id, start)
usage_month.channel_id integer NOT NULL
usage_month.start timestamp with time zone NOT NULL
usage_month.amount double precision NOT NULL
usage_month.measured_s double precision NOT NULL
usage_month.estimated_s double precision NOT NULL
usage_month.expected_s double precision NOT NULL
usage_month: CHECK (((amount > ('-1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision) AND (amount < ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision)))
usage_month: PRIMARY KEY (channel_id, start)
CREATE UNIQUE INDEX usage_month_pkey ON core.usage_month USING btree (channel_id, start)
virtual_term.formula_id bigint NOT NULL
virtual_term.place integer NOT NULL
virtual_term.meter_id integer NOT NULL
virtual_term.quantity text NOT NULL
virtual_term.coefficient double precision NOT NULL
virtual_term: CHECK (((coefficient <> (0)::double precision) AND (coefficient > ('-1000000'::numeric)::double precision) AND (coefficient < ('1000000'::numeric)::double precision)))
virtual_term: FOREIGN KEY (formula_id) REFERENCES formula(formula_id)
virtual_term: FOREIGN KEY (meter_id) REFERENCES meter(meter_id)
virtual_term: PRIMARY KEY (formula_id, place)
CREATE INDEX virtual_term_meter ON core.virtual_term USING btree (meter_id)
CREATE UNIQUE INDEX virtual_term_pkey ON core.virtual_term USING btree (formula_id, place)
zero_carbon.subject_id integer NOT NULL
zero_carbon.month date NOT NULL
zero_carbon.value double precision
zero_carbon.co2_t double precision
zero_carbon.tce double precision
zero_carbon.aim double precision
zero_carbon.size_class text NOT NULL
zero_carbon.state text NOT NULL
zero_carbon.gap_t double precision
zero_carbon.green_kwh double precision
zero_carbon.with_all_green double precision
zero_carbon.rest_t double precision
zero_carbon.coverage double precision
zero_carbon.publishable boolean NOT NULL
zero_carbon.made_at timestamp with time zone NOT NULL DEFAULT now()
zero_carbon: FOREIGN KEY (subject_id) REFERENCES subject(subject_id)
zero_carbon: PRIMARY KEY (subject_id, month)
CREATE UNIQUE INDEX zero_carbon_pkey ON core.zero_carbon USING btree (subject_id, month)
