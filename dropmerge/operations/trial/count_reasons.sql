{# How many rejected rows have each reason, the most frequent first. #}
SELECT _why AS why, COUNT(*) AS n
FROM {{ rejected | identifier }}, UNNEST(reasons) AS _why
GROUP BY _why
ORDER BY COUNT(*) DESC, _why
