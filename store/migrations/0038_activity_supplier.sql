-- Energy and media that an enterprise of the park passes on to another without a meter in
-- between: the taker has them in its own account, the park by what the supplier took,
-- burnt or made.
ALTER TABLE core.activity
    ADD COLUMN supplier_id integer REFERENCES core.enterprise
        CHECK (supplier_id IS NULL OR use = 'bought'),
    ADD CONSTRAINT activity_from_another CHECK (supplier_id <> enterprise_id);
