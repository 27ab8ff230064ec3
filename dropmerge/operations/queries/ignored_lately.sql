{# How many object generations were ignored, and the name of one. Parameters: since. #}
SELECT
  COUNT(DISTINCT CONCAT(bucket, '/', object, '#', CAST(generation AS STRING))) AS n,
  MAX(object) AS example
FROM `ops.journal`
WHERE event = 'ignored' AND happened_at >= @since
