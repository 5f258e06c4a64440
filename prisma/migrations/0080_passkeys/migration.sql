-- AlterTable
ALTER TABLE "environments" ADD COLUMN     "is_passkey_multi_factor" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "sign_in_attempts" ADD COLUMN     "passkey_tries" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "users" ADD COLUMN     "passkey_declined_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "passkeys" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "credential_id" TEXT NOT NULL,
    "public_key" BYTEA NOT NULL,
    "counter" BIGINT NOT NULL,
    "transports" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "is_syncable" BOOLEAN NOT NULL,
    "is_backed_up" BOOLEAN NOT NULL,
    "name" TEXT NOT NULL,
    "use_count" INTEGER NOT NULL DEFAULT 0,
    "last_used_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "passkeys_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateIndex
CREATE INDEX "passkeys_environment_id_user_id_idx" ON "passkeys"("environment_id", "user_id");

-- CreateIndex
CREATE UNIQUE INDEX "passkeys_environment_id_credential_id_key" ON "passkeys"("environment_id", "credential_id");

-- AddForeignKey
ALTER TABLE "passkeys" ADD CONSTRAINT "passkeys_environment_id_user_id_fkey" FOREIGN KEY ("environment_id", "user_id") REFERENCES "users"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;
