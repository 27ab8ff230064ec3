{# The reasons by frequency, with the beginning of one row that shows each: a row may have 100 MB. #}
SELECT _why AS why, COUNT(*) AS n, SUBSTR(MIN(_row), 1, 200) AS example
FROM {{ checked | identifier }}, UNNEST(_reasons) AS _why
GROUP BY _why
ORDER BY COUNT(*) DESC, _why
LIMIT 20
