{# The last failed delivery of each object generation that has not gone on since.
   Parameters: since, goes_on (events, comma-separated). #}
SELECT bucket, object, generation, service, happened_at, attempt, error
FROM (
  SELECT
    bucket, object, generation, service, happened_at, event,
    JSON_VALUE(detail, '$.attempt') AS attempt,
    JSON_VALUE(detail, '$.error') AS error
  FROM `ops.journal`
  WHERE happened_at >= @since
    AND object IS NOT NULL
    AND (event = 'failed' OR event IN UNNEST(SPLIT(@goes_on)))
  QUALIFY ROW_NUMBER() OVER (PARTITION BY bucket, object, generation ORDER BY happened_at DESC) = 1
)
WHERE event = 'failed'
