{# How many rows passed and failed, how many good ones lose to another with their key, and how many times several share key
   and version. #}
SELECT
  COUNT(*) AS total,
  COUNTIF(ARRAY_LENGTH(_reasons) > 0) AS bad,
  COUNTIF(_deleted AND ARRAY_LENGTH(_reasons) = 0) AS deletes,
{% if key %}
  (
    SELECT COALESCE(SUM(_n - 1), 0)
    FROM (
      SELECT COUNT(*) AS _n
      FROM {{ checked | identifier }}
      WHERE ARRAY_LENGTH(_reasons) = 0
      GROUP BY {{ key | map('identifier') | join(', ') }}
    )
  ) AS lost,
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
{% else %}
  0 AS lost,
  0 AS repeated
{% endif %}
FROM {{ checked | identifier }}
