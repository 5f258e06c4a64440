-- CreateIndex
CREATE INDEX "sign_in_attempts_environment_id_user_id_idx" ON "sign_in_attempts"("environment_id", "user_id");
