{# Object generations that the journal knows and whose names end so. Parameters: ending, since. #}
SELECT DISTINCT bucket, object, generation
FROM `ops.journal`
WHERE
  happened_at >= @since
  AND bucket IS NOT NULL AND object IS NOT NULL AND generation IS NOT NULL
  AND ENDS_WITH(object, @ending)
