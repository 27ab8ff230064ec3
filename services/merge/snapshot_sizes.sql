{# How many rows are live, the newest generation that was merged, and how many keys each of these loads has. #}
SELECT
  (SELECT COUNTIF(NOT _t._deleted) FROM {{ main | identifier }} AS _t) AS live,
  (
    SELECT COALESCE(MAX(l.generation), 0)
    FROM {{ ledger | identifier }} AS l
    WHERE l.feed = {{ feed.name | literal }} AND l.table_id = {{ table_id | literal }}
  ) AS newest,
{% for table in staging %}
  (SELECT COUNT(*) FROM (SELECT 1 FROM {{ table | identifier }} GROUP BY {{ feed.key | map('identifier') | join(', ') }})) AS keys_{{ loop.index0 }}{{ '' if loop.last else ',' }}
{% endfor %}
