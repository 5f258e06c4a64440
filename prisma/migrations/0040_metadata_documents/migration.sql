-- AlterTable
ALTER TABLE "applications" ADD COLUMN     "metadata_read_at" TIMESTAMPTZ(3),
ADD COLUMN     "metadata_url" TEXT;

-- AlterTable
ALTER TABLE "environments" ADD COLUMN     "allow_metadata_documents" BOOLEAN NOT NULL DEFAULT false;
