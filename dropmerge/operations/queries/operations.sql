{# Actions on dead letters, newest first: what was asked for, and the last word of how far it is. Parameters: since, id (empty
   for all). #}
SELECT
  operation_id,
  MIN(happened_at) AS began_at,
  MAX(happened_at) AS last_word_at,
  MAX(IF(event = 'operation_began', who, NULL)) AS who,
  MAX(IF(event = 'operation_began', JSON_VALUE(detail, '$.kind'), NULL)) AS kind,
  MAX(IF(event = 'operation_began', JSON_VALUE(detail, '$.why'), NULL)) AS why,
  MAX(IF(event = 'operation_began', CAST(JSON_VALUE(detail, '$.count') AS INT64), NULL)) AS letters,
  LOGICAL_OR(event = 'operation_cancelled') AS is_cancelled,
  LOGICAL_OR(event = 'operation_ended') AS is_ended,
  COALESCE(
    MAX(IF(event = 'operation_ended', detail, NULL)),
    ANY_VALUE(detail HAVING MAX IF(event = 'operation_moved', happened_at, NULL))
  ) AS progress
FROM `ops.journal`
WHERE happened_at >= @since
  AND service = 'console'
  AND event IN ('operation_began', 'operation_moved', 'operation_cancelled', 'operation_ended')
  AND (@id = '' OR operation_id = @id)
GROUP BY operation_id
HAVING LOGICAL_OR(event = 'operation_began')
ORDER BY began_at DESC, operation_id
