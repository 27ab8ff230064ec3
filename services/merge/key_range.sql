{# The least and the greatest value of the first column that the main table is clustered by among these loads. #}
SELECT MIN(_k) AS low, MAX(_k) AS high
FROM (
{% for table in staging %}
  SELECT {{ column | identifier }} AS _k FROM {{ table | identifier }}{{ '' if loop.last else ' UNION ALL' }}
{% endfor %}
)
