{# The least and the greatest value of each of these columns among these loads. #}
SELECT
{% for column in columns %}
  MIN(_k{{ loop.index }}) AS low_{{ loop.index }}, MAX(_k{{ loop.index }}) AS high_{{ loop.index }}{{ '' if loop.last else ',' }}
{% endfor %}
FROM (
{% for table in staging %}
  SELECT {% for column in columns %}{{ column | identifier }} AS _k{{ loop.index }}{{ '' if loop.last else ', ' }}{% endfor %} FROM {{ table | identifier }}{{ '' if loop.last else ' UNION ALL' }}
{% endfor %}
)
