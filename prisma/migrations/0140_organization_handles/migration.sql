-- Whose handle a callback URL is at is kept in memory.
DROP TRIGGER "announced" ON "organizations";
CREATE TRIGGER "announced" AFTER UPDATE OF "is_suspended", "name", "handle", "theme", "colors" OR DELETE ON "organizations" FOR EACH ROW EXECUTE FUNCTION "announce_change"();
