-- AlterTable
ALTER TABLE "payments" ADD COLUMN     "reason" TEXT;
