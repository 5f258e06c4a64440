-- AlterTable
ALTER TABLE "access_requests" ADD COLUMN     "terms_version" INTEGER;

-- AlterTable
ALTER TABLE "environments" ADD COLUMN     "allow_access_requests" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "allow_subscriptions" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "subscribers" ADD COLUMN     "terms_version" INTEGER;
