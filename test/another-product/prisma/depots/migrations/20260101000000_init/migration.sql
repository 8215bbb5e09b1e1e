CREATE TABLE depots (name text PRIMARY KEY, parcels int NOT NULL);
