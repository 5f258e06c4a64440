-- AlterTable
ALTER TABLE "applications" ADD COLUMN     "jwks" JSONB,
ADD COLUMN     "jwks_uri" TEXT;

-- CreateTable
CREATE TABLE "used_jtis" (
    "environment_id" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "used_jtis_pkey" PRIMARY KEY ("environment_id","hash")
);

-- CreateIndex
CREATE INDEX "used_jtis_expires_at_idx" ON "used_jtis"("expires_at");

-- AddForeignKey
ALTER TABLE "used_jtis" ADD CONSTRAINT "used_jtis_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;
