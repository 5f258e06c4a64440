-- AlterTable
ALTER TABLE "applications" ADD COLUMN     "refresh_token_grace_period" INTEGER NOT NULL DEFAULT 30;

-- CreateTable
CREATE TABLE "revoked_tokens" (
    "environment_id" TEXT NOT NULL,
    "jti" TEXT NOT NULL,
    "is_machine" BOOLEAN NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "revoked_tokens_pkey" PRIMARY KEY ("environment_id","jti")
);

-- CreateIndex
CREATE INDEX "revoked_tokens_expires_at_idx" ON "revoked_tokens"("expires_at");

-- AddForeignKey
ALTER TABLE "revoked_tokens" ADD CONSTRAINT "revoked_tokens_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Machines' revoked tokens are kept in memory (src/db/lookups.ts); people's are read with their grant.
CREATE TRIGGER "announced" AFTER INSERT ON "revoked_tokens" FOR EACH ROW WHEN (NEW."is_machine") EXECUTE FUNCTION "announce_change"();
