-- AlterTable
ALTER TABLE "environments" ADD COLUMN     "bot_check" TEXT NOT NULL DEFAULT 'off',
ADD COLUMN     "refuse_disposable_mail" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "turnstile_secret" TEXT,
ADD COLUMN     "turnstile_site_key" TEXT;
