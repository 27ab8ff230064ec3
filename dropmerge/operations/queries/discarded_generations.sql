{# Object generations whose dead letter was discarded, unless they were dispatched again after it was written.
   Parameters: dispatch_events (comma-separated). #}
SELECT bucket, object, generation
FROM (
  SELECT
    bucket, object, generation,
    MAX(IF(
      event = 'discarded',
      COALESCE(SAFE_CAST(JSON_VALUE(detail, '$.dead_lettered_at') AS TIMESTAMP), happened_at),
      NULL
    )) AS written,
    MAX(IF(event = 'discarded', NULL, happened_at)) AS last_dispatched_at
  FROM `ops.journal`
  WHERE object IS NOT NULL AND (event = 'discarded' OR event IN UNNEST(SPLIT(@dispatch_events)))
  GROUP BY bucket, object, generation
)
WHERE written >= IFNULL(last_dispatched_at, written)
