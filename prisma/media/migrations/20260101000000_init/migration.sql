-- CreateTable
CREATE TABLE "pictures" (
    "id" UUID NOT NULL,
    "user_id" UUID,
    "status" TEXT NOT NULL,
    "content_type" TEXT NOT NULL,
    "width" INTEGER NOT NULL,
    "height" INTEGER NOT NULL,
    "bytes" INTEGER NOT NULL,
    "sha256" TEXT NOT NULL,
    "thumb_bytes" INTEGER NOT NULL,
    "thumb_sha256" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "pictures_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "pictures_status_created_at_idx" ON "pictures"("status", "created_at");
