-- AlterTable
ALTER TABLE "environments" ADD COLUMN     "email_sender_id" TEXT;

-- AlterTable
ALTER TABLE "sign_in_attempts" ADD COLUMN     "email_sender_id" TEXT;

-- CreateTable
CREATE TABLE "email_senders" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "name" TEXT,
    "email" TEXT,
    "host" TEXT,
    "port" INTEGER,
    "security" TEXT,
    "username" TEXT,
    "password" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "replaced_at" TIMESTAMPTZ(3),

    CONSTRAINT "email_senders_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "mail_deliveries" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "recipient" TEXT NOT NULL,
    "is_custom" BOOLEAN NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'pending',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "failure" TEXT,
    "response_code" INTEGER,
    "last_attempt_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "mail_deliveries_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateIndex
CREATE INDEX "email_senders_replaced_at_idx" ON "email_senders"("replaced_at");

-- CreateIndex
CREATE INDEX "mail_deliveries_environment_id_status_id_idx" ON "mail_deliveries"("environment_id", "status", "id");

-- CreateIndex
CREATE INDEX "mail_deliveries_created_at_idx" ON "mail_deliveries"("created_at");

-- CreateIndex
CREATE UNIQUE INDEX "environments_id_email_sender_id_key" ON "environments"("id", "email_sender_id");

-- AddForeignKey
ALTER TABLE "environments" ADD CONSTRAINT "environments_id_email_sender_id_fkey" FOREIGN KEY ("id", "email_sender_id") REFERENCES "email_senders"("environment_id", "id") ON DELETE NO ACTION ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "email_senders" ADD CONSTRAINT "email_senders_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "mail_deliveries" ADD CONSTRAINT "mail_deliveries_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;
