-- Null-free, so that a list sorted by it has one order for whoever reads it: never is before any time.
ALTER TABLE "users"
    ADD COLUMN "active_at" TIMESTAMPTZ(3) NOT NULL
        GENERATED ALWAYS AS (coalesce("last_signed_in_at", '1970-01-01T00:00:00Z'::timestamptz(3))) STORED;

CREATE INDEX "users_environment_id_active_at_id_idx" ON "users"("environment_id", "active_at", "id");
CREATE INDEX "organizations_environment_id_name_id_idx" ON "organizations"("environment_id", "name", "id");
CREATE INDEX "applications_environment_id_type_created_at_id_idx" ON "applications"("environment_id", "type", "created_at", "id");
CREATE INDEX "imports_environment_id_state_created_at_id_idx" ON "imports"("environment_id", "state", "created_at", "id");

-- Few are suspended; those who are not are found by walking the list.
CREATE INDEX "users_suspended" ON "users"("environment_id", "created_at", "id") WHERE "is_suspended";
CREATE INDEX "organizations_suspended" ON "organizations"("environment_id", "created_at", "id") WHERE "is_suspended";
