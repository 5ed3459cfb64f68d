-- What was labelled meanwhile is found by the labels of the partition alone: writers wait for it, and a look at
-- the whole partition takes as long as that is large.
CREATE OR REPLACE FUNCTION riskgate.thin_span(of_begins int8) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  span riskgate.spans;
  kept text;
BEGIN
  PERFORM set_config('lock_timeout', '100ms', true);
  PERFORM riskgate.lock_history();
  LOCK TABLE riskgate.entries IN ACCESS EXCLUSIVE MODE;
  SELECT * INTO span FROM riskgate.spans WHERE begins = of_begins;
  kept := span.name || '_kept';
  EXECUTE format(
    'INSERT INTO riskgate.%I SELECT e.* FROM riskgate.%I AS e WHERE e.pos = ANY (ARRAY(
      SELECT pos FROM riskgate.labels WHERE pos >= %s AND pos < %s EXCEPT SELECT pos FROM riskgate.%I))',
    kept, span.name, span.begins, span.ends, kept);
  EXECUTE format('ALTER TABLE riskgate.entries DETACH PARTITION riskgate.%I', span.name);
  EXECUTE format('DROP TABLE riskgate.%I', span.name);
  EXECUTE format('ALTER TABLE riskgate.entries ATTACH PARTITION riskgate.%I FOR VALUES FROM (%s) TO (%s)',
    kept, span.begins, span.ends);
  EXECUTE format('ALTER TABLE riskgate.%I DROP CONSTRAINT kept', kept);
  UPDATE riskgate.spans SET name = kept, is_thinned = true WHERE begins = of_begins;
  PERFORM riskgate.mark_changed('{}', riskgate.take_positions(1));
  PERFORM pg_notify('riskgate_history', '');
END $$;
