-- How many agents there are, kept as they come and go: counting a million rows takes as long as
-- reading them, and whoever watches a server asks every few seconds.
CREATE TABLE agent_totals (
  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  agents INTEGER NOT NULL,  -- of all types
  admins INTEGER NOT NULL   -- of type admin, among them
) STRICT;
INSERT INTO agent_totals SELECT 1, count(*), count(*) FILTER (WHERE type = 'admin') FROM agents;

CREATE TRIGGER agents_total_inserted AFTER INSERT ON agents BEGIN
  UPDATE agent_totals SET agents = agents + 1, admins = admins + (NEW.type = 'admin');
END;
CREATE TRIGGER agents_total_deleted AFTER DELETE ON agents BEGIN
  UPDATE agent_totals SET agents = agents - 1, admins = admins - (OLD.type = 'admin');
END;
CREATE TRIGGER agents_total_updated AFTER UPDATE OF type ON agents
WHEN (OLD.type = 'admin') <> (NEW.type = 'admin') BEGIN
  UPDATE agent_totals SET admins = admins + (NEW.type = 'admin') - (OLD.type = 'admin');
END;
