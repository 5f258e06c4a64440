-- DropIndex
DROP INDEX "logos_environment_id_organization_id_type_idx";

-- CreateIndex
CREATE UNIQUE INDEX "logos_environment_id_organization_id_type_key" ON "logos"("environment_id", "organization_id", "type") NULLS NOT DISTINCT;
