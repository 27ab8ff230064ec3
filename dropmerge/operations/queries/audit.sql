{# What commands did in some time: one row per run of a command and kind of event. Of an earlier release an event has no run:
   it is one of its own. Parameters: since. #}
SELECT
  MIN(happened_at) AS happened_at,
  operation_id,
  event,
  MIN(COALESCE(who, JSON_VALUE(detail, '$.who'))) AS who,
  MIN(JSON_VALUE(detail, '$.why')) AS why,
  STRING_AGG(DISTINCT feed, ', ' ORDER BY feed) AS feeds,
  STRING_AGG(DISTINCT JSON_VALUE(detail, '$.reason'), ', ' ORDER BY JSON_VALUE(detail, '$.reason')) AS reasons,
  MIN(object) AS object,
  SUM(COALESCE(
    CAST(JSON_VALUE(detail, '$.tombstones') AS INT64),
    CAST(JSON_VALUE(detail, '$.rows') AS INT64),
    CAST(JSON_VALUE(detail, '$.files') AS INT64),
    1
  )) AS n
FROM (
  SELECT *, IF(operation_id IS NULL, ROW_NUMBER() OVER (ORDER BY happened_at), 0) AS alone
  FROM `ops.journal`
  WHERE happened_at >= @since AND service = 'console'
)
GROUP BY operation_id, alone, event
ORDER BY happened_at, operation_id, event
