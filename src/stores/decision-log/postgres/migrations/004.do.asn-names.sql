-- The name of the autonomous system, as the evidence said it. It is in no index: an index of what is there
-- already would keep every replica waiting for as long as all of it is read.
ALTER TABLE riskgate.entries ADD COLUMN asn_name text;

-- With the names of autonomous systems. A replica of an earlier version goes on with the function that has none:
-- its decisions are of no name. Appends a batch, all or nothing, unless the writer has appended it before. One statement, so that the lock
-- is never held while the server waits for a client.
CREATE FUNCTION riskgate.append_batch(
  by_writer text, batch int8, is_synced boolean, span_bytes_max int8,
  ids uuid[], ats int8[], ends int8[], shape_ids int8[], asns int8[], buckets int2[], telemetries uuid[],
  devices uuid[], accounts uuid[], ips uuid[], networks uuid[], visitors uuid[], more_devices text[],
  countries text[], actions text[], bodies text[],
  new_shapes int8[], new_texts text[], today int4,
  count_starts int8[], count_shapes int8[], counts int4[],
  latency_starts int8[], latency_series text[], latency_buckets int2[], latency_counts int4[],
  asn_names text[]
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
      devices, country, action, body, asn_name)
    SELECT first + n - 1, i, a, e, s, asn, b, t, d, acc, ip, net, v, more::uuid[], country, action, body, asn_name
    FROM unnest(ids, ats, ends, shape_ids, asns, buckets, telemetries, devices,
      accounts, ips, networks, visitors, more_devices, countries, actions, bodies, asn_names)
      WITH ORDINALITY AS r (i, a, e, s, asn, b, t, d, acc, ip, net, v, more, country, action, body, asn_name, n);
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
