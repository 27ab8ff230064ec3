{# The rows of all staging tables, each with every column. #}
{% for source in sources %}
    SELECT {% for name in names %}{{ name | identifier if name not in source.absent else 'CAST(NULL AS STRING) AS ' ~ (name | identifier) }}{{ '' if loop.last else ', ' }}{% endfor %} FROM {{ source.table | identifier }}{{ '' if loop.last else ' UNION ALL' }}
{% endfor %}
