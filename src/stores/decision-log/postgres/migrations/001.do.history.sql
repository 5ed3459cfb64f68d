-- The history of all replicas. Migrations are forward-only and additive: a replica of an earlier version goes
-- on with the tables and functions that it knows. Everything is in the schema `riskgate`, and names it.
--
-- A position is the server's time in microseconds at which a record was appended, raised where two would meet.
-- Positions are given under one lock that ends with the commit: whoever sees a record sees all before it.

CREATE TABLE riskgate.entries (
  pos int8 NOT NULL,
  -- Unix milliseconds: when it was decided or happened, or when the records of a gap began to be lost.
  at int8 NOT NULL,
  -- Of gaps and events alone: the same, or when the last record of a gap was lost.
  ends int8,
  -- What it is filtered and counted by; 0 is a gap, -1 an event.
  shape int8 NOT NULL,
  asn int8,
  -- The bucket of its latency.
  bucket int2,
  id uuid NOT NULL,
  telemetry uuid,
  device uuid,
  account uuid,
  ip uuid,
  network uuid,
  visitor uuid,
  -- Devices beyond the first.
  devices uuid[],
  country text,
  action text,
  body text NOT NULL
) PARTITION BY RANGE (pos);

-- Compressed, and then out of the row where it is large still, as the server does by itself: what searches and
-- counts reads five times less.
DO $$
BEGIN
  ALTER TABLE riskgate.entries ALTER COLUMN body SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
  -- A server that was built without it compresses in its own way.
  NULL;
END $$;

-- With what decisions are grouped by, so that their texts are not read for that.
CREATE UNIQUE INDEX entries_by_pos ON riskgate.entries (pos) INCLUDE (at, shape, bucket, asn, country, action);
CREATE INDEX entries_by_id ON riskgate.entries (id);
CREATE INDEX entries_by_shape ON riskgate.entries (shape, pos);
CREATE INDEX entries_by_telemetry ON riskgate.entries (telemetry, pos) WHERE telemetry IS NOT NULL;
CREATE INDEX entries_by_device ON riskgate.entries (device, pos) WHERE device IS NOT NULL;
CREATE INDEX entries_by_account ON riskgate.entries (account, pos) WHERE account IS NOT NULL;
CREATE INDEX entries_by_ip ON riskgate.entries (ip, pos) WHERE ip IS NOT NULL;
CREATE INDEX entries_by_network ON riskgate.entries (network, pos) WHERE network IS NOT NULL;
CREATE INDEX entries_by_visitor ON riskgate.entries (visitor, pos) WHERE visitor IS NOT NULL;
CREATE INDEX entries_by_devices ON riskgate.entries USING gin (devices) WITH (fastupdate = off) WHERE devices IS NOT NULL;
-- Records that waited long for the log, and those of a clock that is wrong: a time says nothing of their position.
CREATE INDEX entries_out_of_time ON riskgate.entries (pos) WHERE abs(pos / 1000 - at) > 600000;

-- The last position that was given.
CREATE SEQUENCE riskgate.positions MINVALUE 0 START 0;

-- The partitions, which follow each other without overlapping.
CREATE TABLE riskgate.spans (
  begins int8 PRIMARY KEY,
  ends int8 NOT NULL UNIQUE,
  name text NOT NULL UNIQUE,
  -- Only what is kept longer is still there.
  is_thinned boolean NOT NULL DEFAULT false
);

CREATE TABLE riskgate.shapes (
  id int8 PRIMARY KEY,
  text text NOT NULL,
  -- The position of the batch that brought it.
  since int8 NOT NULL,
  -- The latest day on which a process used it, in days since 1970.
  seen int4 NOT NULL
);
CREATE INDEX shapes_by_since ON riskgate.shapes (since, id);

-- Decisions of one minute, and in `hour_counts` of hours whose minutes are added up.
CREATE TABLE riskgate.minute_counts (
  start int8 NOT NULL, shape int8 NOT NULL, count int4 NOT NULL, PRIMARY KEY (start, shape)
) WITH (fillfactor = 70);
CREATE TABLE riskgate.hour_counts (
  start int8 NOT NULL, shape int8 NOT NULL, count int4 NOT NULL, PRIMARY KEY (start, shape)
);
CREATE TABLE riskgate.minute_latencies (
  start int8 NOT NULL, series text NOT NULL, bucket int2 NOT NULL, count int4 NOT NULL,
  PRIMARY KEY (start, series, bucket)
) WITH (fillfactor = 70);
CREATE TABLE riskgate.hour_latencies (
  start int8 NOT NULL, series text NOT NULL, bucket int2 NOT NULL, count int4 NOT NULL,
  PRIMARY KEY (start, series, bucket)
);

-- All labels of a decision, and the one in force.
CREATE TABLE riskgate.labels (
  pos int8 PRIMARY KEY, at int8 NOT NULL, shape int8 NOT NULL, label text NOT NULL, history text NOT NULL
);
CREATE INDEX labels_by_label ON riskgate.labels (label, pos);
CREATE INDEX labels_by_time ON riskgate.labels (at);

-- When an hour (Unix milliseconds) last changed, by a position that is given to nothing else; -1 is the whole.
CREATE TABLE riskgate.changes (hour int8 PRIMARY KEY, change int8 NOT NULL) WITH (fillfactor = 50);

-- The last batch of each process, so that one that is tried again is kept once.
CREATE TABLE riskgate.writers (writer text PRIMARY KEY, number int8 NOT NULL, at int8 NOT NULL) WITH (fillfactor = 50);

-- Waits for all that others append or change, and keeps them waiting until the end of the transaction.
CREATE FUNCTION riskgate.lock_history() RETURNS void LANGUAGE sql
  AS $$ SELECT pg_advisory_xact_lock(1919513451, 1) $$;

-- Takes `amount` positions and returns the first; the history has to be locked.
CREATE FUNCTION riskgate.take_positions(amount int8) RETURNS int8 LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  first int8;
BEGIN
  SELECT greatest(last_value + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::int8)
    INTO first FROM riskgate.positions;
  PERFORM setval('riskgate.positions', first + amount - 1);
  RETURN first;
END $$;

-- Adds a partition for a position behind the last one: of a day, or of an hour or five minutes where the last
-- one grew so fast that a day or an hour would be larger than `bytes_max`.
CREATE FUNCTION riskgate.add_span(at_pos int8, bytes_max int8) RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  last riskgate.spans;
  per_us float8;
  length int8 := 3600000000;
  begins int8;
  ends int8;
  name text;
BEGIN
  SELECT * INTO last FROM riskgate.spans ORDER BY spans.begins DESC LIMIT 1;
  IF FOUND THEN
    per_us := pg_total_relation_size(format('riskgate.%I', last.name)::regclass)
      / greatest(least(at_pos, last.ends) - last.begins, 1)::float8;
    length := CASE
      WHEN per_us * 86400000000 <= bytes_max THEN 86400000000
      WHEN per_us * 3600000000 <= bytes_max THEN 3600000000
      ELSE 300000000
    END;
  END IF;
  begins := greatest(at_pos - at_pos % length, coalesce(last.ends, 0));
  ends := begins - begins % length + length;
  name := 'entries_' || to_char(to_timestamp(begins / 1000000) AT TIME ZONE 'UTC', 'YYYYMMDD_HH24MISS');
  EXECUTE format('CREATE TABLE riskgate.%I (LIKE riskgate.entries INCLUDING ALL)', name);
  EXECUTE format('ALTER TABLE riskgate.entries ATTACH PARTITION riskgate.%I FOR VALUES FROM (%s) TO (%s)', name, begins, ends);
  INSERT INTO riskgate.spans (begins, ends, name) VALUES (begins, ends, name);
END $$;

-- Marks hours, and the whole, as changed; the history has to be locked.
CREATE FUNCTION riskgate.mark_changed(hours int8[], change int8) RETURNS void LANGUAGE sql AS $$
  INSERT INTO riskgate.changes AS known SELECT DISTINCT hour, $2 FROM unnest(coalesce(hours, '{}') || -1::int8) AS hour
    ON CONFLICT (hour) DO UPDATE SET change = excluded.change;
$$;

-- Appends a batch, all or nothing, unless the writer has appended it before. One statement, so that the lock
-- is never held while the server waits for a client.
CREATE FUNCTION riskgate.append_batch(
  by_writer text, batch int8, is_synced boolean, span_bytes_max int8,
  ids uuid[], ats int8[], ends int8[], shape_ids int8[], asns int8[], buckets int2[], telemetries uuid[],
  devices uuid[], accounts uuid[], ips uuid[], networks uuid[], visitors uuid[], more_devices text[],
  countries text[], actions text[], bodies text[],
  new_shapes int8[], new_texts text[], today int4,
  count_starts int8[], count_shapes int8[], counts int4[],
  latency_starts int8[], latency_series text[], latency_buckets int2[], latency_counts int4[]
) RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  size int8 := cardinality(ids);
  first int8;
BEGIN
  IF NOT is_synced THEN
    PERFORM set_config('synchronous_commit', 'off', true);
  ELSIF current_setting('synchronous_commit') IN ('off', 'local') THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  PERFORM riskgate.lock_history();
  IF EXISTS (SELECT FROM riskgate.writers WHERE writer = by_writer AND number >= batch) THEN
    RETURN;
  END IF;
  INSERT INTO riskgate.writers AS known VALUES (by_writer, batch, (extract(epoch FROM clock_timestamp()) * 1000)::int8)
    ON CONFLICT (writer) DO UPDATE SET number = excluded.number, at = excluded.at;
  IF size = 0 THEN
    RETURN;
  END IF;
  first := riskgate.take_positions(size);
  WHILE first + size > coalesce((SELECT max(spans.ends) FROM riskgate.spans), 0) LOOP
    PERFORM riskgate.add_span(greatest(first, coalesce((SELECT max(spans.ends) FROM riskgate.spans), 0)), span_bytes_max);
  END LOOP;
  INSERT INTO riskgate.entries (pos, id, at, ends, shape, asn, bucket, telemetry, device, account, ip, network, visitor,
      devices, country, action, body)
    SELECT first + n - 1, i, a, e, s, asn, b, t, d, acc, ip, net, v, more::uuid[], country, action, body
    FROM unnest(ids, ats, ends, shape_ids, asns, buckets, telemetries, devices,
      accounts, ips, networks, visitors, more_devices, countries, actions, bodies)
      WITH ORDINALITY AS r (i, a, e, s, asn, b, t, d, acc, ip, net, v, more, country, action, body, n);
  INSERT INTO riskgate.shapes AS known SELECT id, text, first, today FROM unnest(new_shapes, new_texts) AS r (id, text)
    ON CONFLICT (id) DO UPDATE SET seen = greatest(known.seen, excluded.seen);
  INSERT INTO riskgate.minute_counts AS known SELECT * FROM unnest(count_starts, count_shapes, counts)
    ON CONFLICT (start, shape) DO UPDATE SET count = known.count + excluded.count;
  INSERT INTO riskgate.minute_latencies AS known
    SELECT * FROM unnest(latency_starts, latency_series, latency_buckets, latency_counts)
    ON CONFLICT (start, series, bucket) DO UPDATE SET count = known.count + excluded.count;
  PERFORM riskgate.mark_changed((SELECT array_agg(DISTINCT s - s % 3600000) FROM unnest(count_starts) AS s), first);
  PERFORM pg_notify('riskgate_history', '');
END $$;

-- Replaces the labels of a decision. False where they are no longer `known` (null: none).
CREATE FUNCTION riskgate.set_labels(
  at_pos int8, known text, in_force text, labels_now text, is_synced boolean
) RETURNS boolean LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  hour int8;
BEGIN
  IF is_synced AND current_setting('synchronous_commit') IN ('off', 'local') THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  PERFORM riskgate.lock_history();
  IF known IS NULL THEN
    INSERT INTO riskgate.labels SELECT pos, at, shape, in_force, labels_now FROM riskgate.entries WHERE pos = at_pos
      ON CONFLICT (pos) DO NOTHING RETURNING at - at % 3600000 INTO hour;
  ELSE
    UPDATE riskgate.labels SET label = in_force, history = labels_now WHERE pos = at_pos AND history = known
      RETURNING at - at % 3600000 INTO hour;
  END IF;
  IF hour IS NULL THEN
    RETURN false;
  END IF;
  PERFORM riskgate.mark_changed(ARRAY[hour], riskgate.take_positions(1));
  PERFORM pg_notify('riskgate_history', '');
  RETURN true;
END $$;

-- Adds partitions until there is one for the time that begins ten minutes from now.
CREATE FUNCTION riskgate.keep_ahead(bytes_max int8) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  now_us int8 := (extract(epoch FROM clock_timestamp()) * 1000000)::int8;
  last_us int8 := (SELECT max(ends) FROM riskgate.spans);
BEGIN
  IF last_us > now_us + 600000000 THEN
    RETURN;
  END IF;
  PERFORM riskgate.lock_history();
  LOOP
    last_us := (SELECT max(ends) FROM riskgate.spans);
    EXIT WHEN last_us > now_us + 600000000;
    PERFORM riskgate.add_span(greatest(now_us, last_us), bytes_max);
  END LOOP;
END $$;

-- Removes a partition, unless others use the history at this moment: nobody waits longer than a tenth of a
-- second for it.
CREATE FUNCTION riskgate.drop_span(of_begins int8) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  span riskgate.spans;
  hours int8[];
BEGIN
  PERFORM set_config('lock_timeout', '100ms', true);
  PERFORM riskgate.lock_history();
  LOCK TABLE riskgate.entries IN ACCESS EXCLUSIVE MODE;
  DELETE FROM riskgate.spans WHERE begins = of_begins RETURNING * INTO span;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  EXECUTE format('DROP TABLE riskgate.%I', span.name);
  WITH gone AS (DELETE FROM riskgate.labels WHERE pos >= span.begins AND pos < span.ends RETURNING at)
    SELECT array_agg(DISTINCT at - at % 3600000) INTO hours FROM gone;
  PERFORM riskgate.mark_changed(hours, riskgate.take_positions(1));
  PERFORM pg_notify('riskgate_history', '');
END $$;

-- Copies the labelled decisions of a partition to a table that can take its place. Keeps nobody waiting.
CREATE FUNCTION riskgate.copy_labelled(of_begins int8) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  span riskgate.spans := (SELECT s FROM riskgate.spans AS s WHERE begins = of_begins);
BEGIN
  EXECUTE format('DROP TABLE IF EXISTS riskgate.%I', span.name || '_kept');
  -- The check spares a look at every row when it is attached.
  EXECUTE format(
    'CREATE TABLE riskgate.%I (LIKE riskgate.entries INCLUDING ALL, CONSTRAINT kept CHECK (pos >= %s AND pos < %s))',
    span.name || '_kept', span.begins, span.ends);
  EXECUTE format(
    'INSERT INTO riskgate.%I SELECT e.* FROM riskgate.%I AS e JOIN riskgate.labels USING (pos)',
    span.name || '_kept', span.name);
END $$;

-- Puts that table in the place of the partition, with what was labelled meanwhile. Waits as drop_span does.
CREATE FUNCTION riskgate.thin_span(of_begins int8) RETURNS void LANGUAGE plpgsql AS $$
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
    'INSERT INTO riskgate.%I SELECT e.* FROM riskgate.%I AS e JOIN riskgate.labels USING (pos)
      WHERE NOT EXISTS (SELECT FROM riskgate.%I AS known WHERE known.pos = e.pos)',
    kept, span.name, kept);
  EXECUTE format('ALTER TABLE riskgate.entries DETACH PARTITION riskgate.%I', span.name);
  EXECUTE format('DROP TABLE riskgate.%I', span.name);
  EXECUTE format('ALTER TABLE riskgate.entries ATTACH PARTITION riskgate.%I FOR VALUES FROM (%s) TO (%s)',
    kept, span.begins, span.ends);
  EXECUTE format('ALTER TABLE riskgate.%I DROP CONSTRAINT kept', kept);
  UPDATE riskgate.spans SET name = kept, is_thinned = true WHERE begins = of_begins;
  PERFORM riskgate.mark_changed('{}', riskgate.take_positions(1));
  PERFORM pg_notify('riskgate_history', '');
END $$;

-- Adds the minutes before a time (Unix milliseconds, a whole hour) up to hours.
CREATE FUNCTION riskgate.fold_minutes(before_ms int8) RETURNS void LANGUAGE sql AS $$
  WITH gone AS (DELETE FROM riskgate.minute_counts WHERE start < before_ms RETURNING *)
  INSERT INTO riskgate.hour_counts AS known
    SELECT start - start % 3600000, shape, sum(count) FROM gone GROUP BY 1, 2
    ON CONFLICT (start, shape) DO UPDATE SET count = known.count + excluded.count;
  WITH gone AS (DELETE FROM riskgate.minute_latencies WHERE start < before_ms RETURNING *)
  INSERT INTO riskgate.hour_latencies AS known
    SELECT start - start % 3600000, series, bucket, sum(count) FROM gone GROUP BY 1, 2, 3
    ON CONFLICT (start, series, bucket) DO UPDATE SET count = known.count + excluded.count;
$$;

-- Forgets what no longer matters: counts of before a time (Unix milliseconds, a whole hour), processes that
-- have long ended, and shapes that nothing has any more.
CREATE FUNCTION riskgate.forget_old(before_ms int8) RETURNS void LANGUAGE sql AS $$
  DELETE FROM riskgate.hour_counts WHERE start < before_ms;
  DELETE FROM riskgate.hour_latencies WHERE start < before_ms;
  DELETE FROM riskgate.changes WHERE hour >= 0 AND hour < before_ms;
  DELETE FROM riskgate.writers WHERE at < (extract(epoch FROM clock_timestamp()) - 604800) * 1000;
  DELETE FROM riskgate.shapes
    WHERE seen < least(before_ms / 86400000, (SELECT min(begins) / 86400000000 FROM riskgate.spans)) - 1
      AND NOT EXISTS (SELECT FROM riskgate.hour_counts WHERE shape = id);
$$;
