CREATE TABLE parcels (id uuid PRIMARY KEY, depot text NOT NULL);
