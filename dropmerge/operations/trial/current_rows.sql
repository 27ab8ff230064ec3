{# What people query, by key. Parameter: most. #}
SELECT {% for column in feed.columns %}{{ column.name | identifier }}{{ '' if loop.last else ', ' }}{% endfor %}

FROM {{ current | identifier }}
{% if feed.key %}ORDER BY {% for name in feed.key %}{{ name | identifier }}{{ '' if loop.last else ', ' }}{% endfor %}{% endif %}

LIMIT @most
