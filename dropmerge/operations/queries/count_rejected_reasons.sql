{# Rejected rows of each file by reason. Parameters: those of wanted_rejected_rows.sql. #}
SELECT feed, object, generation, why, COUNT(*) AS n
FROM `ops.rejected_rows`, UNNEST(reasons) AS why
WHERE {% include 'wanted_rejected_rows.sql' %}
GROUP BY feed, object, generation, why
ORDER BY generation DESC, feed, object, n DESC, why
