-- CreateTable
CREATE TABLE "page_previews" (
    "environment_id" TEXT NOT NULL,
    "token_hash" TEXT NOT NULL,
    "content" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "page_previews_pkey" PRIMARY KEY ("environment_id","token_hash")
);

-- CreateIndex
CREATE INDEX "page_previews_expires_at_idx" ON "page_previews"("expires_at");

-- AddForeignKey
ALTER TABLE "page_previews" ADD CONSTRAINT "page_previews_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;
