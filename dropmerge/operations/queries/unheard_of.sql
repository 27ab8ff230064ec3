{# Which of these object generations have no event. Parameters: sources (gs://bucket/name#generation, a line each), since. #}
SELECT one AS source
FROM UNNEST(SPLIT(@sources, '\n')) AS one
LEFT JOIN (
  SELECT DISTINCT CONCAT('gs://', bucket, '/', object, '#', CAST(generation AS STRING)) AS source
  FROM `ops.journal`
  WHERE happened_at >= @since AND object IS NOT NULL
) AS k ON k.source = one
WHERE k.source IS NULL
