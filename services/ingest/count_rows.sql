{# How many rows passed and failed, and why. #}
SELECT
  COUNT(*) AS total,
  COUNTIF(ARRAY_LENGTH(_reasons) > 0) AS bad,
  COUNTIF(_deleted AND ARRAY_LENGTH(_reasons) = 0) AS deletes
FROM {{ checked | identifier }}
