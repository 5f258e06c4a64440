-- AlterTable
ALTER TABLE "applications" ADD COLUMN     "require_pushed_authorization_requests" BOOLEAN NOT NULL DEFAULT false;

-- CreateTable
CREATE TABLE "pushed_requests" (
    "environment_id" TEXT NOT NULL,
    "request_hash" TEXT NOT NULL,
    "application_id" TEXT NOT NULL,
    "parameters" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "pushed_requests_pkey" PRIMARY KEY ("environment_id","request_hash")
);

-- CreateIndex
CREATE INDEX "pushed_requests_expires_at_idx" ON "pushed_requests"("expires_at");

-- AddForeignKey
ALTER TABLE "pushed_requests" ADD CONSTRAINT "pushed_requests_environment_id_application_id_fkey" FOREIGN KEY ("environment_id", "application_id") REFERENCES "applications"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;
