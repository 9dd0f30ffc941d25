-- Factors of a park's or an enterprise's own: a measured calorific value, a supplier's heat.
-- They stand in for the shipped ones of the same kind, carrier and basis while they are
-- valid. A factor of 0 needs evidence. Other gases come with their warming potential.
ALTER TABLE core.factor
    ADD COLUMN subject_id integer REFERENCES core.subject,
    ADD COLUMN evidence text,
    ADD COLUMN who text,
    ADD CHECK (subject_id IS NULL OR value > 0 OR evidence <> ''),
    ADD CHECK (valid_to > valid_from);
CREATE INDEX factor_subject ON core.factor (subject_id);
