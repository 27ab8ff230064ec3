{# How many rows passed and failed, and for what most of all; how many good ones lose to another with their key, and how
   many times several share key and version. #}
SELECT
  COUNT(*) AS total,
  COUNTIF(ARRAY_LENGTH(_reasons) > 0) AS bad,
  COUNTIF(_deleted AND ARRAY_LENGTH(_reasons) = 0) AS deletes,
  (
    SELECT _why
    FROM {{ checked | identifier }} AS _c, UNNEST(_c._reasons) AS _why
    GROUP BY _why
    ORDER BY COUNT(*) DESC, _why
    LIMIT 1
  ) AS commonest_reason,
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
