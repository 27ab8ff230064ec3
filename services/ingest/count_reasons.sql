{# The reasons by frequency; no row: what this counts goes to logs and dead letters. #}
SELECT _why AS why, COUNT(*) AS n
FROM {{ checked | identifier }}, UNNEST(_reasons) AS _why
GROUP BY _why
ORDER BY COUNT(*) DESC, _why
LIMIT 20
