-- The text of every policy under its hash, for ever.
CREATE TABLE riskgate.policies (
  hash text PRIMARY KEY,
  -- UTF-8. Not a text: a text holds no NUL.
  body bytea NOT NULL
);
