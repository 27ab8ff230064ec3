{# Which object generation a dead letter was about. Parameters: id, since. #}
SELECT bucket, object, generation
FROM `ops.journal`
WHERE
  happened_at >= @since
  AND bucket IS NOT NULL AND object IS NOT NULL AND generation IS NOT NULL
  AND JSON_VALUE(detail, '$.dead_letter_id') = @id
LIMIT 1
