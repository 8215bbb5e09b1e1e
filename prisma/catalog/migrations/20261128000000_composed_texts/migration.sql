-- Names and descriptions in composed form (NFC), in which they are searched: what was written before is brought into it.
-- Canonically the same text, so no event tells of it. Only a database in UTF-8 knows forms at all.
DO $$
BEGIN
    IF current_setting('server_encoding') = 'UTF8' THEN
        UPDATE "products"
        SET "name" = normalize("name", NFC), "description" = normalize("description", NFC)
        WHERE "name" IS NOT NFC NORMALIZED OR "description" IS NOT NFC NORMALIZED;
    END IF;
END $$;
