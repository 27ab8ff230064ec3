{# Each key's winner, of the loads and of what is there. Deletes are rows like any other, and stay as tombstones. #}
{% macro wins(rank, one, other) %}{{ rank.of(one) }} > {{ rank.of(other) }} OR ({{ one }}.{{ rank.name | identifier }} IS NOT NULL AND {{ other }}.{{ rank.name | identifier }} IS NULL){% endmacro %}
{# The first step that differs decides. Flat, because a nested condition is refused for a wide contract. #}
{% macro beats() %}
CASE
{% for rank in ranking %}
  WHEN {{ wins(rank, '_s', '_t') }} THEN TRUE
  WHEN {{ wins(rank, '_t', '_s') }} THEN FALSE
{% endfor %}
  ELSE FALSE
END
{%- endmacro %}
{% set columns = names | map('identifier') | join(', ') %}
MERGE {{ main | identifier }} AS _t
USING (
  SELECT {{ columns }}
  FROM (
{% for source in sources %}
    SELECT {% for name in names %}{{ name | identifier if name not in source.absent else 'CAST(NULL AS STRING) AS ' ~ (name | identifier) }}{{ '' if loop.last else ', ' }}{% endfor %} FROM {{ source.table | identifier }}{{ '' if loop.last else ' UNION ALL' }}
{% endfor %}
  )
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY {{ feed.key | map('identifier') | join(', ') }}
    ORDER BY {% for rank in ranking %}{{ rank.of() }} DESC NULLS LAST{{ '' if loop.last else ', ' }}{% endfor %}

  ) = 1
) AS _s
ON {% for name in feed.key %}_t.{{ name | identifier }} = _s.{{ name | identifier }}{{ '' if loop.last else ' AND ' }}{% endfor %}

{% for operator, literal in bounds %}
  AND _t.{{ feed.key[0] | identifier }} {{ operator }} {{ literal }}
{% endfor %}
{# What the table has and the contract has not is not of this row: a value that stayed would stand beside new ones. #}
WHEN MATCHED AND {{ beats() }} THEN UPDATE SET
{% for name in names if name not in feed.key %}
  {{ name | identifier }} = _s.{{ name | identifier }}{{ '' if loop.last else ',' }}
{% endfor %}
{% for name, is_array in others %}
  , {{ name | identifier }} = {{ '[]' if is_array else 'NULL' }}
{% endfor %}
WHEN NOT MATCHED THEN
  INSERT ({{ columns }})
  VALUES ({% for name in names %}_s.{{ name | identifier }}{{ '' if loop.last else ', ' }}{% endfor %});
