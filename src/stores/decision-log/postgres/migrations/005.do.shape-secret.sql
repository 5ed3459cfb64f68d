-- What ids of shapes are made with beside their text, so that nobody outside can prepare two texts of one id. Made
-- here, once for the database, in the transaction of the migration: replicas that start together share it. A replica
-- of an earlier version goes on with ids without it, which are less than all of these.
CREATE TABLE riskgate.shape_secret (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  secret text NOT NULL
);
-- 244 random bits of the server's generator for keys.
INSERT INTO riskgate.shape_secret (secret) VALUES (gen_random_uuid()::text || gen_random_uuid()::text);
