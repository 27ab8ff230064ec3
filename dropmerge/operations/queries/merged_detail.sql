{# What a MERGE recorded of itself, as JSON: with one of its loads. Parameters: load_ids (comma-separated), merge_id, since. #}
SELECT detail
FROM `ops.journal`
WHERE event = 'merged' AND load_id IN UNNEST(SPLIT(@load_ids)) AND happened_at >= @since
  AND JSON_VALUE(detail, '$.merge_id') = @merge_id
LIMIT 1
