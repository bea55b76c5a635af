-- What a rotation needed, kept when its token is pending no more: until then the agent's row says
-- it. Rotations of before have no offers to show.

ALTER TABLE rotations ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rotations ADD COLUMN offered_at INTEGER;              -- the newest offer
ALTER TABLE rotations ADD COLUMN last_reason TEXT NOT NULL DEFAULT '';
