-- CreateTable
CREATE TABLE "fingerprint_keys" (
    "id" INTEGER NOT NULL,
    "sealed" TEXT NOT NULL,
    "sealed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "fingerprint_keys_pkey" PRIMARY KEY ("id")
);
