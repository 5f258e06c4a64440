-- CreateTable
CREATE TABLE "page_texts" (
    "environment_id" TEXT NOT NULL,
    "language" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "text" TEXT NOT NULL,

    CONSTRAINT "page_texts_pkey" PRIMARY KEY ("environment_id","language","key")
);

-- AddForeignKey
ALTER TABLE "page_texts" ADD CONSTRAINT "page_texts_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What pages say is kept in memory, environment by environment.
CREATE TRIGGER "announced" AFTER INSERT OR UPDATE OR DELETE ON "page_texts" FOR EACH ROW EXECUTE FUNCTION "announce_change"();
