-- AlterTable
ALTER TABLE "environments" ADD COLUMN     "require_dpop_nonce" BOOLEAN NOT NULL DEFAULT false;
