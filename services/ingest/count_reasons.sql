{# The reasons by frequency, with one row that shows each. #}
SELECT why, COUNT(*) AS n, MIN(_row) AS example
FROM {{ checked | identifier }}, UNNEST(_reasons) AS why
GROUP BY why
ORDER BY n DESC, why
LIMIT 20
