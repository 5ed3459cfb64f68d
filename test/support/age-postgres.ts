const DAY_MS = 86_400_000;

let aged = 0;

/** SQL after which all that a history in PostgreSQL holds has been appended so many days ago. */
export function toAged(days: number): string {
  aged += 1;
  const us = days * DAY_MS * 1000;
  return `DO $$ DECLARE s record; BEGIN
    FOR s IN SELECT * FROM riskgate.spans LOOP
      EXECUTE format('ALTER TABLE riskgate.entries DETACH PARTITION riskgate.%I', s.name);
      EXECUTE format('UPDATE riskgate.%I SET pos = pos - ${us}, at = at - ${us / 1000}', s.name);
      EXECUTE format('ALTER TABLE riskgate.%I RENAME TO %I', s.name, s.name || '_aged_${aged}');
      EXECUTE format('ALTER TABLE riskgate.entries ATTACH PARTITION riskgate.%I FOR VALUES FROM (%s) TO (%s)',
        s.name || '_aged_${aged}', s.begins - ${us}, s.ends - ${us});
    END LOOP;
    UPDATE riskgate.spans SET begins = begins - ${us}, ends = ends - ${us}, name = name || '_aged_${aged}';
    UPDATE riskgate.labels SET pos = pos - ${us}, at = at - ${us / 1000};
    UPDATE riskgate.minute_counts SET start = start - ${us / 1000};
    UPDATE riskgate.minute_latencies SET start = start - ${us / 1000};
    UPDATE riskgate.shapes SET seen = seen - ${days};
  END $$`;
}
