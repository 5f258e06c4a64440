-- AlterTable
ALTER TABLE "environments" ADD COLUMN     "brand" JSONB NOT NULL DEFAULT '{}';

-- What pages look like is kept in memory, environment by environment.
CREATE OR REPLACE FUNCTION "announce_environment"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gatehouse_changes', 'environments');
    PERFORM pg_notify('gatehouse_changes', CASE TG_OP WHEN 'DELETE' THEN OLD."id" ELSE NEW."id" END);
    RETURN NULL;
END $$;

CREATE FUNCTION "announce_business"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gatehouse_changes', e."id") FROM "environments" e WHERE e."business_id" = NEW."id";
    RETURN NULL;
END $$;

CREATE TRIGGER "announced" AFTER UPDATE ON "businesses" FOR EACH ROW EXECUTE FUNCTION "announce_business"();
CREATE TRIGGER "announced" AFTER INSERT OR UPDATE OR DELETE ON "logos" FOR EACH ROW EXECUTE FUNCTION "announce_change"();
DROP TRIGGER "announced" ON "organizations";
CREATE TRIGGER "announced" AFTER UPDATE OF "is_suspended", "name", "theme", "colors" OR DELETE ON "organizations" FOR EACH ROW EXECUTE FUNCTION "announce_change"();
