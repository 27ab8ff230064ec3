{# Which object generations these loads are of. Parameters: load_ids (comma-separated), since. #}
SELECT DISTINCT load_id, bucket, object, generation
FROM `ops.journal`
WHERE
  happened_at >= @since
  AND bucket IS NOT NULL AND object IS NOT NULL AND generation IS NOT NULL
  AND load_id IN UNNEST(SPLIT(@load_ids))
