-- AlterTable
ALTER TABLE "applications" ADD COLUMN     "asks_for_names" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "shows_sign_in_link" BOOLEAN NOT NULL DEFAULT true;

-- AlterTable
ALTER TABLE "sign_in_attempts" ADD COLUMN     "phone" TEXT,
ADD COLUMN     "username" TEXT,
ADD COLUMN     "uses_phone" BOOLEAN NOT NULL DEFAULT false;

-- There is no password for a phone.
UPDATE "applications" SET "phone_sign_in" = 'off' WHERE "phone_sign_in" = 'password';
