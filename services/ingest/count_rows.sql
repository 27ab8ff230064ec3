{# How many rows passed and failed, and how many times several good ones share key and version. #}
SELECT
  COUNT(*) AS total,
  COUNTIF(ARRAY_LENGTH(_reasons) > 0) AS bad,
  COUNTIF(_deleted AND ARRAY_LENGTH(_reasons) = 0) AS deletes,
  (
    SELECT COUNT(*)
    FROM (
      SELECT 1
      FROM {{ checked | identifier }}
      WHERE ARRAY_LENGTH(_reasons) = 0
      GROUP BY {{ shared | map('identifier') | join(', ') }}
      HAVING COUNT(*) > 1
    )
  ) AS repeated
FROM {{ checked | identifier }}
