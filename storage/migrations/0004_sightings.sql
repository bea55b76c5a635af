-- Who was seen with a token that should not be his: a retired token that was shown again (reuse), a
-- live one beside a session that answers (contested). Each a JSON object, or absent: no such matter
-- is open. Tokens retired below reuse_floor prove nothing when they are shown.

ALTER TABLE agents ADD COLUMN last_address TEXT NOT NULL DEFAULT '';
ALTER TABLE agents ADD COLUMN reuse_floor INTEGER NOT NULL DEFAULT 0;
ALTER TABLE agents ADD COLUMN reuse TEXT CHECK (reuse IS NULL OR json_valid(reuse));
ALTER TABLE agents ADD COLUMN contested TEXT CHECK (contested IS NULL OR json_valid(contested));
-- What the first schema buried does not say whether a newer token was followed.
UPDATE agents SET reuse_floor = next_generation;
