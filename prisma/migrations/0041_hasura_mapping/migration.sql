-- AlterTable
ALTER TABLE "applications" ADD COLUMN     "is_hasura_mapping_enabled" BOOLEAN NOT NULL DEFAULT false;
