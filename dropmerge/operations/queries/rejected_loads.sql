{# Loads with rejected rows, and how many. Parameters: those of wanted_rejected_rows.sql. #}
SELECT load_id, feed, bucket, object, generation, COUNT(*) AS n
FROM `ops.rejected_rows`
WHERE {% include 'wanted_rejected_rows.sql' %}
GROUP BY load_id, feed, bucket, object, generation
ORDER BY feed, object, generation
