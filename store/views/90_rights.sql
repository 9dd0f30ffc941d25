-- Grafana's login is a member of this role: it reads these views and nothing else. A
-- server where we may not make roles works too; its owner then grants by hand.
DO $$
BEGIN
    BEGIN
        CREATE ROLE parkwatt_grafana NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN
        NULL;
    END;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'parkwatt_grafana') THEN
        GRANT USAGE ON SCHEMA grafana TO parkwatt_grafana;
        GRANT SELECT ON ALL TABLES IN SCHEMA grafana TO parkwatt_grafana;
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA grafana TO parkwatt_grafana;
    END IF;
END
$$;
