-- What the maker of an enrollment code could do when it was made: a code never enrolls an agent that
-- may more. Codes of before say nothing, so they enroll agents without capabilities only.
ALTER TABLE enrollment_codes ADD COLUMN maker_capabilities TEXT NOT NULL DEFAULT '[]'
  CHECK (json_valid(maker_capabilities));
