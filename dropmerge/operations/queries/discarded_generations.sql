{# Object generations whose dead letter was discarded, unless they were dispatched again after it was written, or the
   discard was undone.
   Parameters: since, dispatch_events (comma-separated), generations (comma-separated, empty for all). #}
SELECT bucket, object, generation
FROM (
  SELECT
    bucket, object, generation,
    MAX(IF(
      event = 'discarded',
      COALESCE(SAFE_CAST(JSON_VALUE(detail, '$.dead_lettered_at') AS TIMESTAMP), happened_at),
      NULL
    )) AS written,
    MAX(IF(event = 'discarded', happened_at, NULL)) AS discarded_at,
    MAX(IF(event = 'undone', happened_at, NULL)) AS undone_at,
    MAX(IF(event IN UNNEST(SPLIT(@dispatch_events)), happened_at, NULL)) AS last_dispatched_at
  FROM `ops.journal`
  WHERE
    happened_at >= @since
    AND (@generations = '' OR CAST(generation AS STRING) IN UNNEST(SPLIT(@generations)))
    AND bucket IS NOT NULL AND object IS NOT NULL AND generation IS NOT NULL
    AND (event IN ('discarded', 'undone') OR event IN UNNEST(SPLIT(@dispatch_events)))
  GROUP BY bucket, object, generation
)
WHERE written >= IFNULL(last_dispatched_at, written) AND (undone_at IS NULL OR discarded_at > undone_at)
