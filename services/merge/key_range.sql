{# The least and the greatest value of the first key column among these loads. #}
SELECT MIN(_k) AS low, MAX(_k) AS high
FROM (
{% for table in staging %}
  SELECT {{ feed.key[0] | identifier }} AS _k FROM {{ table | identifier }}{{ '' if loop.last else ' UNION ALL' }}
{% endfor %}
)
