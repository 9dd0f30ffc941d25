-- A period that is closed: the figures that were published, as the text that was hashed, in
-- a chain, and what became another figure since. Neither is ever changed.
CREATE TABLE core.closing (
    closing_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    park_id integer NOT NULL REFERENCES core.park,
    period_from date NOT NULL,
    period_to date NOT NULL CHECK (period_to > period_from),
    content text NOT NULL, -- canonical JSON, docs/audit.md
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    previous text UNIQUE, -- hash of the park's closing before
    closed_at timestamptz NOT NULL,
    who text NOT NULL CHECK (who <> ''),
    UNIQUE (park_id, sha256),
    UNIQUE (park_id, period_from, period_to)
);

CREATE TABLE core.restatement (
    restatement_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    closing_id bigint NOT NULL REFERENCES core.closing,
    content text NOT NULL,
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    previous text NOT NULL UNIQUE, -- hash of the restatement before, or of the closing
    found_at timestamptz NOT NULL
);
CREATE INDEX restatement_closing ON core.restatement (closing_id);

CREATE FUNCTION core.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% is never changed', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON core.closing
    FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change();
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON core.restatement
    FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change();

-- which batches arrived after an instant; a few pages, as arrivals are in order
CREATE INDEX batch_received ON core.batch USING brin (received_at);
