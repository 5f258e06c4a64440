-- CreateTable
CREATE TABLE "address_failures" (
    "environment_id" TEXT NOT NULL,
    "address" TEXT NOT NULL,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "locked_until" TIMESTAMPTZ(3),
    "counted_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "address_failures_pkey" PRIMARY KEY ("environment_id","address")
);

-- CreateIndex
CREATE INDEX "address_failures_counted_at_idx" ON "address_failures"("counted_at");

-- AddForeignKey
ALTER TABLE "address_failures" ADD CONSTRAINT "address_failures_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;
