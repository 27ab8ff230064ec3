{# Typed columns beside every reason why a row is refused. Text is checked before it is cast: casts accept more
   than the contract does (hexadecimal integers, exponents). Parameters: created, object, generation, load_id,
   and delete_marker where the file has one.
   Names of steps begin with _, as no column of a contract does: a column named as a step would mean its whole row. #}
{% macro raw(c) %}`_raw_{{ c.name }}`{% endmacro %}
{% macro matches(c, pattern) %}REGEXP_CONTAINS({{ raw(c) }}, r'{{ pattern }}'){% endmacro %}
{% macro integer(c) %}{{ matches(c, '^[+-]?[0-9]+$') }}{% endmacro %}
{% macro number(c) %}{{ matches(c, '^[+-]?[0-9]+([.][0-9]+)?$') }}{% endmacro %}
{% macro long(c) %}{{ matches(c, '[.][0-9]{9}[0-9]*[1-9]') }}{% endmacro %}
{# BigQuery loads a byte that is not UTF-8 as U+FFFD, which may make one key of two, and a live row of a delete. #}
{% macro replaced(text) %}STRPOS({{ text }}, CHR(65533)) > 0{% endmacro %}
{# GoogleSQL reads infinity in 1e400. #}
{% macro float(c) %}{{ matches(c, '^[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$') }}{% endmacro %}
{# GoogleSQL knows the years 1 to 9999, and offsets of at most 14 hours. #}
{% set day = '([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-[0-9]{2}-[0-9]{2}' %}
{% macro instant(c) %}{{ matches(c, '^' ~ day ~ '[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)$') }}{% endmacro %}
{# An offset may lead out of those years. #}
{% macro known(c) %}SAFE_CAST({{ raw(c) }} AS TIMESTAMP) BETWEEN TIMESTAMP '0001-01-01 00:00:00+00:00' AND TIMESTAMP '9999-12-31 23:59:59.999999+00:00'{% endmacro %}
{% macro typed(c) %}
{% if c.type == 'STRING' %}{{ raw(c) }}
{%- elif c.type == 'INT64' %}IF({{ integer(c) }}, SAFE_CAST({{ raw(c) }} AS INT64), NULL)
{%- elif c.type == 'NUMERIC' %}IF({{ number(c) }} AND NOT {{ long(c) }}, SAFE.PARSE_NUMERIC({{ raw(c) }}), NULL)
{%- elif c.type == 'FLOAT64' %}IF({{ float(c) }} AND NOT IS_INF(SAFE_CAST({{ raw(c) }} AS FLOAT64)), SAFE_CAST({{ raw(c) }} AS FLOAT64), NULL)
{%- elif c.type == 'BOOL' %}CASE LOWER({{ raw(c) }}) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END
{%- elif c.type == 'DATE' %}IF({{ matches(c, '^' ~ day ~ '$') }}, SAFE_CAST({{ raw(c) }} AS DATE), NULL)
{%- elif c.type == 'TIMESTAMP' %}IF({{ instant(c) }} AND {{ known(c) }}, SAFE_CAST({{ raw(c) }} AS TIMESTAMP), NULL)
{%- endif %}
{% endmacro %}
{% macro why(name, reason, condition) %}
    IF({{ live[name] }}COALESCE({{ condition }}, FALSE), [{{ (reason ~ ': ' ~ name) | literal }}], CAST([] AS ARRAY<STRING>))
{%- endmacro %}
CREATE OR REPLACE TABLE {{ checked | identifier }} AS
WITH _raw AS (
  SELECT
{% for c in feed.columns %}
    NULLIF({{ c.name | identifier }}, '') AS {{ raw(c) }},
{% endfor %}
    {% if has_delete %}{{ feed.delete.column | identifier }}{% else %}CAST(NULL AS STRING){% endif %} AS _marker,
    {% if has_delete %}COALESCE({{ feed.delete.column | identifier }} = @delete_marker, FALSE){% else %}FALSE{% endif %} AS _deleted
  FROM {{ raw_table | identifier }}
),
_typed AS (
  SELECT
    *,
{% for c in feed.columns %}
    {{ typed(c) }} AS {{ c.name | identifier }}{{ '' if loop.last else ',' }}
{% endfor %}
  FROM _raw
),
_checked AS (
  SELECT
    *,
    ARRAY_CONCAT(
      CAST([] AS ARRAY<STRING>)
{% if has_delete %}
      , {{ why(feed.delete.column, 'not_utf8', replaced('_marker')) }}
{% endif %}
{% for c in feed.columns %}
      , {{ why(c.name, 'not_utf8', replaced(raw(c))) }}
{% if c.name in feed.required %}
      , {{ why(c.name, 'missing_value', raw(c) ~ ' IS NULL') }}
{% endif %}
{% set absent = c.name | identifier ~ ' IS NULL' %}
{% if c.type == 'INT64' %}
      , {{ why(c.name, 'not_an_integer', raw(c) ~ ' IS NOT NULL AND ' ~ absent) }}
{% elif c.type == 'NUMERIC' %}
      , {{ why(c.name, 'not_a_number', raw(c) ~ ' IS NOT NULL AND NOT ' ~ number(c)) }}
      , {{ why(c.name, 'too_many_decimals', number(c) ~ ' AND ' ~ long(c)) }}
      , {{ why(c.name, 'number_out_of_range', number(c) ~ ' AND NOT ' ~ long(c) ~ ' AND ' ~ absent) }}
{% elif c.type == 'FLOAT64' %}
      , {{ why(c.name, 'not_a_number', raw(c) ~ ' IS NOT NULL AND NOT ' ~ float(c)) }}
      , {{ why(c.name, 'number_out_of_range', float(c) ~ ' AND ' ~ absent) }}
{% elif c.type == 'BOOL' %}
      , {{ why(c.name, 'not_a_boolean', raw(c) ~ ' IS NOT NULL AND ' ~ absent) }}
{% elif c.type == 'DATE' %}
      , {{ why(c.name, 'not_a_date', raw(c) ~ ' IS NOT NULL AND ' ~ absent) }}
{% elif c.type == 'TIMESTAMP' %}
      , {{ why(c.name, 'not_a_timestamp', raw(c) ~ ' IS NOT NULL AND ' ~ absent) }}
{% endif %}
{% if c.name == feed.version and c.type == 'TIMESTAMP' %}
      , {{ why(c.name, 'version_in_the_future', c.name | identifier ~ ' > TIMESTAMP_ADD(@created, INTERVAL 24 HOUR)') }}
{% elif c.name == feed.version and c.type == 'DATE' %}
      , {{ why(c.name, 'version_in_the_future', c.name | identifier ~ ' > DATE(TIMESTAMP_ADD(@created, INTERVAL 24 HOUR))') }}
{% endif %}
{% if c.check %}
      , {{ why(c.name, 'check_failed', 'NOT (' ~ feed.check_sql(c) ~ ')') }}
{% endif %}
{% endfor %}
    ) AS _reasons
  FROM _typed
)
SELECT
{% for c in feed.columns %}
  {% if c.name in feed.key or c.name == feed.version %}{{ c.name | identifier }}{% else %}IF(_deleted, NULL, {{ c.name | identifier }}) AS {{ c.name | identifier }}{% endif %},
{% endfor %}
  _deleted,
  @generation AS _generation,
  @object AS _object,
  @load_id AS _load_id,
  _reasons,
  IF(ARRAY_LENGTH(_reasons) = 0, NULL, TO_JSON_STRING(STRUCT(
{%- for c in feed.columns %}{{ raw(c) }} AS {{ c.name | identifier }}{{ '' if loop.last else ', ' }}{% endfor %}
{%- if feed.delete %}, _marker AS {{ feed.delete.column | identifier }}{% endif %}))) AS _row
FROM _checked
