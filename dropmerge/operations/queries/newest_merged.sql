{# Of each of these objects the newest generation that is merged. Parameters: objects (gs://bucket/name, a line each), since,
   tables, gone. #}
SELECT j.bucket, j.object, MAX(j.generation) AS generation
FROM `ops.journal` AS j
JOIN ({% include 'ledger.sql' %}) AS l ON l.load_id = j.load_id
WHERE j.happened_at >= @since
  AND CONCAT('gs://', j.bucket, '/', j.object) IN UNNEST(SPLIT(@objects, '\n'))
  AND l.is_current
GROUP BY j.bucket, j.object
