{# Of these object generations the last event of each kind that says how it ended, or that it was sent on its way again.
   Parameters: generations (comma-separated), since. #}
SELECT bucket, object, generation, happened_at, event, service, feed, who, operation_id, detail
FROM `ops.journal`
WHERE CAST(generation AS STRING) IN UNNEST(SPLIT(@generations))
  AND happened_at >= @since
  AND event IN ('checked', 'dead_lettered', 'discarded', 'undone', 'announced', 'replayed')
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY bucket, object, generation, event
  ORDER BY COALESCE(SAFE_CAST(JSON_VALUE(detail, '$.dead_lettered_at') AS TIMESTAMP), happened_at) DESC, happened_at DESC
) = 1
