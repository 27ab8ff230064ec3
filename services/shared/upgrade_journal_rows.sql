{# The events that were set aside, in today's columns; nothing where they are there already. #}
INSERT INTO {{ journal | identifier }}
  (happened_at, event, service, load_id, feed, bucket, object, generation, who, operation_id, detail)
SELECT
  `at`, event, service, load_id, feed, bucket, object, generation, JSON_VALUE(detail, '$.who'), NULL, detail
FROM {{ before | identifier }}
WHERE NOT EXISTS (
  SELECT 1
  FROM {{ journal | identifier }}
  WHERE happened_at = (SELECT MIN(`at`) FROM {{ before | identifier }})
)
