-- AlterTable
ALTER TABLE "mfa_factors" ADD COLUMN     "organization_id" TEXT;

-- AlterTable
ALTER TABLE "users" ADD COLUMN     "access_ended_at" TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "mfa_factors_environment_id_organization_id_idx" ON "mfa_factors"("environment_id", "organization_id");

-- AddForeignKey
ALTER TABLE "subscribers" ADD CONSTRAINT "subscribers_environment_id_user_id_fkey" FOREIGN KEY ("environment_id", "user_id") REFERENCES "users"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "access_requests" ADD CONSTRAINT "access_requests_environment_id_user_id_fkey" FOREIGN KEY ("environment_id", "user_id") REFERENCES "users"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "mfa_factors" ADD CONSTRAINT "mfa_factors_environment_id_organization_id_fkey" FOREIGN KEY ("environment_id", "organization_id") REFERENCES "organizations"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;
