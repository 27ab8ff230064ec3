{# The reasons by frequency, with the beginning of one row that shows each: a row may have 100 MB. #}
SELECT why, COUNT(*) AS n, SUBSTR(MIN(_row), 1, 200) AS example
FROM {{ checked | identifier }}, UNNEST(_reasons) AS why
GROUP BY why
ORDER BY n DESC, why
LIMIT 20
