{# Loads with rejected rows, and how many. Parameters: those of wanted_rejected_rows.sql. #}
SELECT load_id, COUNT(*) AS n
FROM `ops.rejected_rows`
WHERE {% include 'wanted_rejected_rows.sql' %}
GROUP BY load_id
ORDER BY load_id
