{# Rejected rows of a feed that have a key: by value, or by the text as it was typed, where a column of the key is what is
   wrong. And those without any column of the key whose record holds all its texts somewhere. Newest file first.
   Names of steps begin with _, as no column of a contract does.
   Parameters: feed, most, k0, k1 and so on of the key's types, t0, t1 and so on as they were typed, those of the types. #}
WITH _raw AS (
  SELECT
    load_id AS _load, feed AS _feed, bucket AS _bucket, object AS _of, generation AS _made, row_text AS _kept, reasons AS _why,
    CONCAT(IFNULL(JSON_VALUE(row_text, '$.{{ line }}'), ''), IFNULL(JSON_VALUE(row_text, '$.{{ fields }}'), '')) AS _whole{% for column in columns %},
    JSON_VALUE(row_text, '$.{{ column.name }}') AS {{ column.text }}{% endfor %}

  FROM {{ rejected | identifier }} AS _t
  WHERE feed = @feed
),
{% for step in steps %}
_step_{{ loop.index }} AS (
  SELECT
    *,
{% for name, sql in step.items() %}
    {{ sql }} AS {{ name }}{{ '' if loop.last else ',' }}
{% endfor %}
  FROM {{ '_raw' if loop.first else '_step_%d' % loop.index0 }}
),
{% endfor %}
_typed AS (
  SELECT
    *{% for column in columns %},
    {{ column.value }} AS {{ column.name | identifier }}{% endfor %}

  FROM {{ '_step_%d' % steps | length if steps else '_raw' }}
),
_found AS (
  SELECT
    *,
    {% for column in columns %}COALESCE({{ column.name | identifier }} = @k{{ loop.index0 }} OR {{ column.text }} = @t{{ loop.index0 }}, FALSE){{ '' if loop.last else ' AND ' }}{% endfor %} AS _has_key,
    {% for column in columns %}{{ column.text }} IS NULL AND STRPOS(_whole, @t{{ loop.index0 }}) > 0{{ '' if loop.last else ' AND ' }}{% endfor %} AS _may_have_key
  FROM _typed
)
SELECT
  _load AS load_id, _feed AS feed, _bucket AS bucket, _of AS object, _made AS generation, _kept AS row_text, _why AS reasons,
  _has_key AS has_key
FROM _found
WHERE _has_key OR _may_have_key
ORDER BY _has_key DESC, _made DESC, _kept
LIMIT @most
