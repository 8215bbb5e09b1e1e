-- AlterTable
ALTER TABLE "pictures" ADD COLUMN     "stripped" BOOLEAN NOT NULL DEFAULT false;

-- CreateIndex
CREATE INDEX "pictures_user_id_idx" ON "pictures"("user_id");
