-- A statement of whose an enterprise is can be withdrawn: by a later row without an owner.
ALTER TABLE core.ownership ALTER COLUMN owner DROP NOT NULL;
