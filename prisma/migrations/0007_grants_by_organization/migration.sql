-- CreateIndex
CREATE INDEX "grants_environment_id_organization_id_idx" ON "grants"("environment_id", "organization_id");
