-- AlterTable
ALTER TABLE "environments" ADD COLUMN     "default_country" TEXT NOT NULL DEFAULT 'US';

-- CreateTable
CREATE TABLE "phone_senders" (
    "environment_id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "account_sid" TEXT,
    "from" TEXT,
    "url" TEXT,
    "secret" TEXT NOT NULL,
    "last_sent_at" TIMESTAMPTZ(3),
    "last_failed_at" TIMESTAMPTZ(3),
    "last_failure" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "phone_senders_pkey" PRIMARY KEY ("environment_id")
);

-- AddForeignKey
ALTER TABLE "phone_senders" ADD CONSTRAINT "phone_senders_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Whether there is one is kept in memory (src/db/lookups.ts); how its latest texts went is not.
CREATE TRIGGER "announced" AFTER INSERT OR DELETE ON "phone_senders" FOR EACH ROW EXECUTE FUNCTION "announce_change"();

-- Texts are counted beside mails.
ALTER TABLE "mailed_codes" RENAME TO "sent_codes";
ALTER TABLE "sent_codes" RENAME CONSTRAINT "mailed_codes_pkey" TO "sent_codes_pkey";
ALTER INDEX "mailed_codes_environment_id_normalized_sent_at_idx" RENAME TO "sent_codes_environment_id_normalized_sent_at_idx";
ALTER INDEX "mailed_codes_sent_at_idx" RENAME TO "sent_codes_sent_at_idx";
