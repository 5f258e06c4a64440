ALTER TABLE "sessions" ADD COLUMN "browser_hash" TEXT;

CREATE UNIQUE INDEX "sessions_environment_id_browser_hash_key" ON "sessions"("environment_id", "browser_hash");
