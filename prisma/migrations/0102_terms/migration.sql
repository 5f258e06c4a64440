-- AlterTable
ALTER TABLE "applications" ADD COLUMN     "asks_marketing_consent" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "environments" ADD COLUMN     "is_acceptance_required" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "privacy_uri" TEXT,
ADD COLUMN     "terms_uri" TEXT,
ADD COLUMN     "terms_version" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "sign_in_attempts" ADD COLUMN     "accepted_terms" INTEGER,
ADD COLUMN     "wants_marketing" BOOLEAN;

-- CreateTable
CREATE TABLE "terms_acceptances" (
    "environment_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "terms_uri" TEXT,
    "privacy_uri" TEXT,
    "is_explicit" BOOLEAN NOT NULL,
    "accepted_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "terms_acceptances_pkey" PRIMARY KEY ("environment_id","user_id","version")
);

-- AddForeignKey
ALTER TABLE "terms_acceptances" ADD CONSTRAINT "terms_acceptances_environment_id_user_id_fkey" FOREIGN KEY ("environment_id", "user_id") REFERENCES "users"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;
