CREATE EXTENSION IF NOT EXISTS "pg_trgm";
CREATE EXTENSION IF NOT EXISTS "btree_gin";

-- A space stands before each part: what begins with "an" is what holds " an", which has trigrams of its own.
ALTER TABLE "users"
    ADD COLUMN "search_text" TEXT NOT NULL GENERATED ALWAYS AS (
        lower(' ' || coalesce("first_name", '') || ' ' || coalesce("last_name", '') || ' ' || coalesce("provided_id", ''))
    ) STORED,
    ADD COLUMN "search_contacts" TEXT NOT NULL DEFAULT '';

UPDATE "users" SET "search_contacts" = "found"."contacts"
FROM (
    SELECT "environment_id", "user_id", string_agg(' ' || "normalized", '' ORDER BY "created_at", "id") AS "contacts"
    FROM "identities" GROUP BY "environment_id", "user_id"
) AS "found"
WHERE "users"."environment_id" = "found"."environment_id" AND "users"."id" = "found"."user_id";

ALTER TABLE "organizations"
    ADD COLUMN "search_text" TEXT NOT NULL GENERATED ALWAYS AS (
        lower(' ' || "name" || ' ' || coalesce("external_id", '') || ' ' || coalesce("handle", ''))
    ) STORED;

-- The datamodel has no word for GIN over a text: the condition, which always holds, keeps it from dropping these.
CREATE INDEX "users_search" ON "users" USING GIN
    ("environment_id", "id" gin_trgm_ops, "search_text" gin_trgm_ops, "search_contacts" gin_trgm_ops) WHERE "environment_id" IS NOT NULL;
CREATE INDEX "organizations_search" ON "organizations" USING GIN
    ("environment_id", "id" gin_trgm_ops, "search_text" gin_trgm_ops) WHERE "environment_id" IS NOT NULL;

-- Rare texts must look rare to the planner: with fewer samples it would walk the whole list to find a handful.
ALTER TABLE "users" ALTER COLUMN "search_text" SET STATISTICS 3000, ALTER COLUMN "search_contacts" SET STATISTICS 3000;
ALTER TABLE "organizations" ALTER COLUMN "search_text" SET STATISTICS 3000;
