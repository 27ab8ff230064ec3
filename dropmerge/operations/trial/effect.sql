{# What a load does to a main table: rows by what they were before and are after. Parameter: load_id.
   `before`: a table of keys and tombstones, none where there is no main table; `after`: the same once the load is
   merged. Without `after` it is counted what a MERGE would do: of each key the winner of the load and of `before`.
   Names of steps begin with _, as no column of a contract does. #}
{% set keys = feed.key | map('identifier') | join(', ') %}
{% macro same(one, other) %}{% for name in feed.key %}{{ one }}.{{ name | identifier }} = {{ other }}.{{ name | identifier }}{{ '' if loop.last else ' AND ' }}{% endfor %}{% endmacro %}
WITH
_staged AS (
  SELECT {{ keys }}{% for name in order %}, {{ name | identifier }}{% endfor %}, _load_id FROM {{ staged | identifier }} AS _s
),
{% if before %}
_before AS (
  SELECT {{ keys }}{% if not after %}{% for name in order if name != '_deleted' %}, {{ name | identifier }}{% endfor %}, _load_id{% endif %}, _deleted
  FROM {{ before | identifier }} AS _t
{% if not after %}
  WHERE EXISTS (SELECT 1 FROM _staged AS _s WHERE {{ same('_s', '_t') }})
{% for column, operator, literal in bounds %}
    AND _t.{{ column | identifier }} {{ operator }} {{ literal }}
{% endfor %}
{% endif %}
),
{% endif %}
_after AS (
  SELECT {{ keys }}, _deleted, _load_id
{% if after %}
  FROM {{ after | identifier }} AS _t
{% else %}
  FROM (
    SELECT {{ keys }}{% for name in order %}, {{ name | identifier }}{% endfor %}, _load_id FROM _staged
{% if before %}
    UNION ALL
    SELECT {{ keys }}{% for name in order %}, {{ name | identifier }}{% endfor %}, _load_id FROM _before
{% endif %}
  )
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY {{ keys }}
    ORDER BY {% for rank in ranking %}{{ rank.of() }} DESC NULLS LAST{{ '' if loop.last else ', ' }}{% endfor %}

  ) = 1
{% endif %}
),
_changed AS (
  SELECT _a._deleted AS _gone, {% if before %}COALESCE(NOT _b._deleted, FALSE){% else %}FALSE{% endif %} AS _was
  FROM _after AS _a
{% if before %}
  LEFT JOIN _before AS _b ON {{ same('_a', '_b') }}
{% endif %}
  WHERE _a._load_id = @load_id{% if before and after %} OR (_a._deleted AND NOT _b._deleted){% endif %}

)
SELECT
  COUNTIF(NOT _was AND NOT _gone) AS inserted,
  COUNTIF(_was AND NOT _gone) AS updated,
  COUNTIF(_was AND _gone) AS deleted,
  COUNTIF(NOT _was AND _gone) AS tombstones,
  (SELECT COUNT(*) FROM _staged) AS staged,
  (SELECT COUNT(*) FROM (SELECT 1 FROM _staged GROUP BY {{ keys }})) AS distinct_keys
FROM _changed
