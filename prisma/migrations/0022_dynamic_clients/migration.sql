-- AlterTable
ALTER TABLE "applications" ADD COLUMN     "is_dynamic" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "environments" ADD COLUMN     "allow_dynamic_registration" BOOLEAN NOT NULL DEFAULT false;

-- CreateTable
CREATE TABLE "consents" (
    "environment_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "application_id" TEXT NOT NULL,
    "scopes" TEXT[],
    "audiences" TEXT[],
    "given_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "consents_pkey" PRIMARY KEY ("environment_id","user_id","application_id")
);

-- CreateIndex
CREATE INDEX "consents_environment_id_application_id_idx" ON "consents"("environment_id", "application_id");

-- CreateIndex
CREATE INDEX "applications_is_dynamic_created_at_idx" ON "applications"("is_dynamic", "created_at");

-- AddForeignKey
ALTER TABLE "consents" ADD CONSTRAINT "consents_environment_id_user_id_fkey" FOREIGN KEY ("environment_id", "user_id") REFERENCES "users"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "consents" ADD CONSTRAINT "consents_environment_id_application_id_fkey" FOREIGN KEY ("environment_id", "application_id") REFERENCES "applications"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;
