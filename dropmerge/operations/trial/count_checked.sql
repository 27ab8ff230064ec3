{# How many rows were checked, and how many of them failed. #}
SELECT COUNT(*) AS total, COUNTIF(ARRAY_LENGTH(_reasons) > 0) AS bad
FROM {{ checked | identifier }}
