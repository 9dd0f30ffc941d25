-- Whose an enterprise is: what one owner has is not compared with each other, because
-- together it would tell the rest of a group apart. What is recorded last counts.
CREATE TABLE core.ownership (
    ownership_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    enterprise_id integer NOT NULL REFERENCES core.enterprise,
    owner text NOT NULL CHECK (owner <> ''),
    source text NOT NULL,
    who text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ownership_enterprise ON core.ownership (enterprise_id);
