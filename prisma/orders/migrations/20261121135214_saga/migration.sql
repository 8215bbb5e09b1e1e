-- AlterTable
ALTER TABLE "orders" ADD COLUMN     "saga" TEXT NOT NULL DEFAULT 'choreography',
ADD COLUMN     "payment_token" TEXT;

-- CreateTable
CREATE TABLE "saga_style" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "style" TEXT NOT NULL,
    "changed_at" TIMESTAMPTZ(3) NOT NULL,
    "changed_by" TEXT NOT NULL,

    CONSTRAINT "saga_style_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sagas" (
    "id" UUID NOT NULL,
    "path" TEXT NOT NULL,
    "step" TEXT NOT NULL,
    "data" JSON NOT NULL,
    "ending" TEXT,
    "trouble" TEXT,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "awaits" BOOLEAN NOT NULL DEFAULT false,
    "version" INTEGER NOT NULL DEFAULT 0,
    "due_at" TIMESTAMPTZ(3),
    "deadline_at" TIMESTAMPTZ(3),
    "cause" JSON,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "sagas_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "saga_steps" (
    "saga_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "step" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "instance" TEXT,
    "attempts" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "why" TEXT,
    "causation_id" TEXT,

    CONSTRAINT "saga_steps_pkey" PRIMARY KEY ("saga_id","id")
);

-- CreateIndex
CREATE INDEX "sagas_due_at_idx" ON "sagas"("due_at");


-- Added by hand: the one row, its words, and the indexes on the few orders that are still open or still undone.
INSERT INTO "saga_style" ("style", "changed_at", "changed_by") VALUES ('choreography', now(), 'installation');
ALTER TABLE "saga_style" ADD CHECK ("id" = 1), ADD CHECK ("style" IN ('choreography', 'orchestration'));
CREATE INDEX "orders_open" ON "orders" ("created_at") WHERE "status" = 'placed';
CREATE INDEX "orders_undone" ON "orders" ("decided_at") WHERE "status" IN ('rejected', 'cancelled');
CREATE INDEX "sagas_open" ON "sagas" ("deadline_at") WHERE "path" <> 'done';
