-- AlterTable
ALTER TABLE "applications" ADD COLUMN     "is_bound_to_operations" BOOLEAN NOT NULL DEFAULT false;

-- CreateTable
CREATE TABLE "operations" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "document" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "operations_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "application_operations" (
    "environment_id" TEXT NOT NULL,
    "application_id" TEXT NOT NULL,
    "operation_id" TEXT NOT NULL,

    CONSTRAINT "application_operations_pkey" PRIMARY KEY ("environment_id","application_id","operation_id")
);

-- CreateTable
CREATE TABLE "graph_quotas" (
    "environment_id" TEXT NOT NULL,
    "caller_id" TEXT NOT NULL,
    "lease" INTEGER NOT NULL,
    "leased" INTEGER NOT NULL,
    "resets_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "graph_quotas_pkey" PRIMARY KEY ("environment_id","caller_id")
);

-- CreateIndex
CREATE INDEX "operations_environment_id_created_at_id_idx" ON "operations"("environment_id", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "operations_environment_id_hash_key" ON "operations"("environment_id", "hash");

-- CreateIndex
CREATE INDEX "application_operations_environment_id_operation_id_idx" ON "application_operations"("environment_id", "operation_id");

-- CreateIndex
CREATE INDEX "graph_quotas_resets_at_idx" ON "graph_quotas"("resets_at");

-- AddForeignKey
ALTER TABLE "operations" ADD CONSTRAINT "operations_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "application_operations" ADD CONSTRAINT "application_operations_environment_id_application_id_fkey" FOREIGN KEY ("environment_id", "application_id") REFERENCES "applications"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "application_operations" ADD CONSTRAINT "application_operations_environment_id_operation_id_fkey" FOREIGN KEY ("environment_id", "operation_id") REFERENCES "operations"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "graph_quotas" ADD CONSTRAINT "graph_quotas_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;
