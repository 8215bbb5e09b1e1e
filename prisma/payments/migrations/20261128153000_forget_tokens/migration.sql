-- The card's token of a charge that is over is of no use to anybody.
UPDATE "payments" SET "token" = NULL WHERE "token" IS NOT NULL AND "status" <> 'pending';
