{# How many keys each of these loads has; one without rows is not there. #}
SELECT _load_id AS load_id, COUNT(DISTINCT TO_JSON_STRING(STRUCT({{ feed.key | map('identifier') | join(', ') }}))) AS key_count
FROM (
{% for table in staging %}
  SELECT _load_id, {{ feed.key | map('identifier') | join(', ') }} FROM {{ table | identifier }}{{ '' if loop.last else ' UNION ALL' }}
{% endfor %}
)
GROUP BY _load_id
