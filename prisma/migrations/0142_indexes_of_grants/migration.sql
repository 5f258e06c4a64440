-- CreateIndex
CREATE INDEX "authorization_codes_environment_id_grant_id_idx" ON "authorization_codes"("environment_id", "grant_id");

-- CreateIndex
CREATE INDEX "grants_environment_id_application_id_idx" ON "grants"("environment_id", "application_id");
