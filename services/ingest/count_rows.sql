{# How many rows passed and failed, and why. #}
SELECT
  COUNT(*) AS total,
  COUNTIF(ARRAY_LENGTH(_reasons) > 0) AS bad
FROM {{ checked | identifier }}
