-- CreateTable
CREATE TABLE "reserved_domains" (
    "domain" TEXT NOT NULL,
    "business_id" TEXT NOT NULL,
    "reserved_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "reserved_domains_pkey" PRIMARY KEY ("domain")
);
