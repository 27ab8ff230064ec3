{# The row of a key against the one that the table has. #}
ON {% for name in key %}_t.{{ name | identifier }} = _s.{{ name | identifier }}{{ '' if loop.last else ' AND ' }}{% endfor %}

{% for column, operator, literal in bounds %}
  AND _t.{{ column | identifier }} {{ operator }} {{ literal }}
{% endfor %}
{# What the table has and the contract has not is not of this row: a value that stayed would stand beside new ones. #}
WHEN MATCHED AND {{ order.beats(ranking) }} THEN UPDATE SET
{% for name in names if name not in key %}
  {{ name | identifier }} = _s.{{ name | identifier }}{{ '' if loop.last else ',' }}
{% endfor %}
{% for name, is_array in others %}
  , {{ name | identifier }} = {{ '[]' if is_array else 'NULL' }}
{% endfor %}
WHEN NOT MATCHED THEN
  INSERT ({{ columns }})
  VALUES ({% for name in names %}_s.{{ name | identifier }}{{ '' if loop.last else ', ' }}{% endfor %});
