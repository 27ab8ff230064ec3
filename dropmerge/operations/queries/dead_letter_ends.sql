{# How these dead letters ended, as the journal has it: the last event of each. Parameters: ids (comma-separated), since. #}
SELECT JSON_VALUE(detail, '$.dead_letter_id') AS id, event, happened_at, who, JSON_VALUE(detail, '$.why') AS why
FROM `ops.journal`
WHERE happened_at >= @since
  AND event IN ('replayed', 'discarded')
  AND JSON_VALUE(detail, '$.dead_letter_id') IN UNNEST(SPLIT(@ids))
QUALIFY ROW_NUMBER() OVER (PARTITION BY JSON_VALUE(detail, '$.dead_letter_id') ORDER BY happened_at DESC) = 1
