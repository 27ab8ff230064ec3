{# Typed columns beside every reason why a row is refused. Parameters: created, object, generation, load_id,
   and those of `row_texts`. ARRAY_TO_STRING leaves out what is NULL
   (https://cloud.google.com/bigquery/docs/reference/standard-sql/array_functions#array_to_string).
   Names of steps begin with _, as no column of a contract does: a column named as a step would mean its whole row. #}
CREATE OR REPLACE TABLE {{ checked | identifier }}
{% if labels %}
OPTIONS (labels = {{ labels | labels }})
{% endif %}
AS
WITH _raw AS (
  SELECT
    {{ passed }},
{% for column in columns %}
    {{ column.source }} AS {{ column.text }},
{% endfor %}
{% if beyond %}
    {{ beyond }} AS {{ rescued }},
{% elif rescued %}
    PARSE_JSON(NULLIF(CONCAT('{', ARRAY_TO_STRING([
      CAST(NULL AS STRING)
{% for aside in asides %}
      , IF({{ aside.text }} IS NULL, NULL, CONCAT({{ aside.name }}, TO_JSON_STRING({{ aside.text }})))
{% endfor %}
    ], ','), '}'), '{}')) AS {{ rescued }},
{% endif %}
    {% if marker %}{{ marker }}{% else %}CAST(NULL AS STRING){% endif %} AS _delete_marker,
    {% if marker %}COALESCE({{ marker }} = @delete_marker, FALSE){% else %}FALSE{% endif %} AS _deleted
  FROM {{ rows }}
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
    *,
{% for column in columns %}
    {{ column.value }} AS {{ column.name | identifier }}{{ '' if loop.last else ',' }}
{% endfor %}
  FROM {{ '_step_%d' % steps | length if steps else '_raw' }}
),
_checked AS (
  SELECT
    *,
    {% if broken %}IF({{ broken }} IS NOT NULL, [{{ broken }}], {% endif %}ARRAY_CONCAT(
      CAST([] AS ARRAY<STRING>)
{% for rule in rules %}
      , IF({{ rule.condition }}, [{{ rule.reason | literal }}], [])
{% endfor %}
    ){% if broken %}){% endif %} AS _reasons
  FROM _typed
)
SELECT
{% for column in columns %}
  {% if column.is_kept %}{{ column.name | identifier }}{% else %}IF(_deleted, {{ column.nothing }}, {{ column.name | identifier }}) AS {{ column.name | identifier }}{% endif %},
{% endfor %}
{% for column in metadata %}
  {{ column.source }} AS {{ column.name }},
{% endfor %}
  _reasons,
  IF(ARRAY_LENGTH(_reasons) = 0, NULL, REGEXP_REPLACE(TO_JSON_STRING(STRUCT(
{%- for column in columns %}{{ column.text }} AS {{ column.name | identifier }}{{ '' if loop.last else ', ' }}{% endfor %}
{%- if rescued %}, {{ rescued }} AS {{ rescued }}{% endif %}
{%- if delete_column %}, _delete_marker AS {{ delete_column | identifier }}{% endif %}
, {{ kept }} AS {{ kept }})), r', ?"{{ kept }}": ?null}$', '}')) AS _row
FROM _checked
