-- AlterTable
ALTER TABLE "sign_in_attempts" ADD COLUMN     "code_for" TEXT;
