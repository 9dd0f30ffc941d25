-- When a channel became known: earlier answers did not expect it. What was there before
-- this migration counts as always known.
ALTER TABLE core.channel
    ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT '-infinity';
ALTER TABLE core.channel ALTER COLUMN recorded_at SET DEFAULT now();
