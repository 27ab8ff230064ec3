{# The rows of a key in tables of its feed, the first table's first, each with its place in the total order: of each step
   of the order a number, greater for a greater value, where NULL is the smallest. A column that a table lacks is NULL.
   Of a checked table the marked rows, with what is wrong with them.
   Parameters: most, k0, k1 and so on, of the key's types. #}
WITH _found AS (
{% for table in tables %}
  SELECT
    {{ loop.index0 }} AS _table,
{% for column in columns %}
    {% if column.name in table.columns %}{{ column.name | identifier }}{% else %}CAST({{ column.nothing }} AS {{ column.sql }}) AS {{ column.name | identifier }}{% endif %},
{% endfor %}
    {% if table.is_checked %}_reasons{% else %}CAST([] AS ARRAY<STRING>) AS _reasons{% endif %},
    {% if table.is_checked %}_row{% else %}CAST(NULL AS STRING) AS _row{% endif %}

  FROM {{ table.name | identifier }} AS _t
  WHERE {% if table.is_checked %}'{{ mark }}' IN UNNEST(_reasons){% else %}{% for name in key %}{{ name | identifier }} = @k{{ loop.index0 }}{{ '' if loop.last else ' AND ' }}{% endfor %}{% endif %}

{{ '' if loop.last else '  UNION ALL' }}
{% endfor %}
)
SELECT
  *{% for rank in ranking %},
  DENSE_RANK() OVER (ORDER BY {{ rank.of() }} NULLS FIRST) AS _rank_{{ loop.index0 }}{% endfor %}

FROM _found
ORDER BY _table{% for rank in ranking %}, _rank_{{ loop.index0 }} DESC{% endfor %}

LIMIT @most
