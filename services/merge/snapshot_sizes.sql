{# How many rows are live, the newest generation that was merged, and by its id how many keys each of these loads has; one
   without rows is not there. #}
SELECT 'live' AS what, COUNTIF(NOT _t._deleted) AS number
FROM {{ main | identifier }} AS _t
UNION ALL
SELECT 'newest' AS what, COALESCE(MAX(l.generation), 0) AS number
FROM {{ ledger | identifier }} AS l
WHERE l.feed = {{ feed.name | literal }} AND l.table_id = {{ table_id | literal }}
UNION ALL
SELECT _load_id AS what, COUNT(DISTINCT TO_JSON_STRING(STRUCT({{ feed.key | map('identifier') | join(', ') }}))) AS number
FROM (
{% for table in staging %}
  SELECT _load_id, {{ feed.key | map('identifier') | join(', ') }} FROM {{ table | identifier }}{{ '' if loop.last else ' UNION ALL' }}
{% endfor %}
)
GROUP BY _load_id
