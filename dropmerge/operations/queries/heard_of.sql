{# Those of these object generations that have an event. Parameters: generations (comma-separated), since. #}
SELECT DISTINCT bucket, object, generation
FROM `ops.journal`
WHERE happened_at >= @since AND bucket IS NOT NULL AND object IS NOT NULL
  AND CAST(generation AS STRING) IN UNNEST(SPLIT(@generations))
