-- AlterTable
ALTER TABLE "grants" ADD COLUMN     "amr" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- AlterTable
ALTER TABLE "mfa_factors" ADD COLUMN     "last_step" INTEGER;

-- AlterTable
ALTER TABLE "sessions" ADD COLUMN     "mfa_proofs" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- AlterTable
ALTER TABLE "sign_in_attempts" ADD COLUMN     "mfa_pending" TEXT,
ADD COLUMN     "mfa_proofs" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- AlterTable
ALTER TABLE "users" ADD COLUMN     "mfa_declined" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- CreateTable
CREATE TABLE "recovery_codes" (
    "environment_id" TEXT NOT NULL,
    "factor_id" TEXT NOT NULL,
    "code_hash" TEXT NOT NULL,

    CONSTRAINT "recovery_codes_pkey" PRIMARY KEY ("environment_id","factor_id","code_hash")
);

-- AddForeignKey
ALTER TABLE "recovery_codes" ADD CONSTRAINT "recovery_codes_environment_id_factor_id_fkey" FOREIGN KEY ("environment_id", "factor_id") REFERENCES "mfa_factors"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;
