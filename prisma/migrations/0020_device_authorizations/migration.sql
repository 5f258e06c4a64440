-- CreateTable
CREATE TABLE "device_authorizations" (
    "environment_id" TEXT NOT NULL,
    "device_code_hash" TEXT NOT NULL,
    "user_code" TEXT NOT NULL,
    "application_id" TEXT NOT NULL,
    "scopes" TEXT[],
    "api_scopes" TEXT[],
    "audiences" TEXT[],
    "poll_interval" INTEGER NOT NULL,
    "polled_at" TIMESTAMPTZ(3),
    "requested_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "grant_id" TEXT,
    "denied_at" TIMESTAMPTZ(3),
    "consumed_at" TIMESTAMPTZ(3),

    CONSTRAINT "device_authorizations_pkey" PRIMARY KEY ("environment_id","device_code_hash")
);

-- CreateIndex
CREATE INDEX "device_authorizations_environment_id_grant_id_idx" ON "device_authorizations"("environment_id", "grant_id");

-- CreateIndex
CREATE INDEX "device_authorizations_expires_at_idx" ON "device_authorizations"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "device_authorizations_environment_id_user_code_key" ON "device_authorizations"("environment_id", "user_code");

-- AddForeignKey
ALTER TABLE "device_authorizations" ADD CONSTRAINT "device_authorizations_environment_id_application_id_fkey" FOREIGN KEY ("environment_id", "application_id") REFERENCES "applications"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "device_authorizations" ADD CONSTRAINT "device_authorizations_environment_id_grant_id_fkey" FOREIGN KEY ("environment_id", "grant_id") REFERENCES "grants"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;
