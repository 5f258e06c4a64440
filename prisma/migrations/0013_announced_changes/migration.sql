-- Processes keep what every request asks for in memory: each of these says when that is over (src/db/lookups.ts).
CREATE FUNCTION "announce_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gatehouse_changes', CASE TG_OP WHEN 'DELETE' THEN OLD."environment_id" ELSE NEW."environment_id" END);
    RETURN NULL;
END $$;

CREATE FUNCTION "announce_environment"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gatehouse_changes', 'environments');
    RETURN NULL;
END $$;

CREATE TRIGGER "announced" AFTER INSERT OR UPDATE OR DELETE ON "environments" FOR EACH ROW EXECUTE FUNCTION "announce_environment"();
CREATE TRIGGER "announced" AFTER INSERT OR UPDATE OR DELETE ON "signing_keys" FOR EACH ROW EXECUTE FUNCTION "announce_change"();
CREATE TRIGGER "announced" AFTER INSERT OR UPDATE OR DELETE ON "applications" FOR EACH ROW EXECUTE FUNCTION "announce_change"();
CREATE TRIGGER "announced" AFTER INSERT OR UPDATE OR DELETE ON "application_apis" FOR EACH ROW EXECUTE FUNCTION "announce_change"();
CREATE TRIGGER "announced" AFTER UPDATE OR DELETE ON "apis" FOR EACH ROW EXECUTE FUNCTION "announce_change"();
CREATE TRIGGER "announced" AFTER UPDATE OF "is_suspended" OR DELETE ON "organizations" FOR EACH ROW EXECUTE FUNCTION "announce_change"();

-- One id in one environment is one row: without this the planner looks the id up by its trigrams.
CREATE INDEX "users_id_idx" ON "users" ("id");
CREATE INDEX "organizations_id_idx" ON "organizations" ("id");
