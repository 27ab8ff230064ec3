{# Names of files that the journal knows since a time and that begin so, or whose last part does. Parameters: beginning,
   since. #}
SELECT DISTINCT object
FROM `ops.journal`
WHERE object IS NOT NULL
  AND happened_at >= @since
  AND (STARTS_WITH(object, @beginning) OR STARTS_WITH(ARRAY_REVERSE(SPLIT(object, '/'))[SAFE_OFFSET(0)], @beginning))
ORDER BY object
LIMIT 100
