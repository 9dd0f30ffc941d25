-- Hypertables where TimescaleDB is; compression and retention where its edition has them.
-- Everything works alike without: the tables are then ordinary ones.
DO $$
DECLARE
    name text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        RETURN;
    END IF;
    PERFORM create_hypertable('core.reading', by_range('at', interval '28 days'),
                              create_default_indexes => false);
    PERFORM create_hypertable('core.usage_15min', by_range('start', interval '84 days'),
                              create_default_indexes => false);
    PERFORM create_hypertable('core.usage_day', by_range('start', interval '4 years'),
                              create_default_indexes => false);
    PERFORM create_hypertable('core.usage_month', by_range('start', interval '40 years'),
                              create_default_indexes => false);
    PERFORM create_hypertable('core.demand', by_range('start', interval '84 days'),
                              create_default_indexes => false);
    IF current_setting('timescaledb.license', true) <> 'timescale' THEN
        RETURN;
    END IF;
    FOREACH name IN ARRAY ARRAY['reading', 'usage_15min'] LOOP
        EXECUTE format(
            'ALTER TABLE core.%I SET (timescaledb.compress, '
            'timescaledb.compress_segmentby = ''channel_id'', '
            'timescaledb.compress_orderby = %L)',
            name, CASE name WHEN 'reading' THEN 'at' ELSE 'start' END);
        EXECUTE format('SELECT add_compression_policy(''core.%I'', interval ''90 days'')',
                       name);
    END LOOP;
    PERFORM add_retention_policy('core.reading', interval '20 years');
END
$$;
