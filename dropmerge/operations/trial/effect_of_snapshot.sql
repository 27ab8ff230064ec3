{# What the newest file would do to a main table, none where it is not there: keys that it has, and keys that it lacks.
   A file that is older than what is there changes no row that people see. #}
{% set keys = feed.key | map('identifier') | join(', ') %}
{% macro same(one, other) %}{% for name in feed.key %}{{ one }}.{{ name | identifier }} = {{ other }}.{{ name | identifier }}{{ '' if loop.last else ' AND ' }}{% endfor %}{% endmacro %}
WITH
_staged AS (SELECT {{ keys }}, COUNT(*) AS _rows FROM {{ staged | identifier }} GROUP BY {{ keys }}),
_before AS (
{% if before %}
  SELECT {{ keys }}, _generation FROM {{ before | identifier }} WHERE NOT _deleted
{% else %}
  SELECT {{ keys }}, 0 AS _generation FROM {{ staged | identifier }} WHERE FALSE
{% endif %}
)
SELECT
  COALESCE((SELECT MAX(_generation) FROM _before), 0) > {{ generation }} AS is_older,
  (SELECT COUNT(*) FROM _staged AS _s WHERE NOT EXISTS (SELECT 1 FROM _before AS _b WHERE {{ same('_b', '_s') }})) AS inserted,
  (SELECT COUNT(*) FROM _staged AS _s WHERE EXISTS (SELECT 1 FROM _before AS _b WHERE {{ same('_b', '_s') }})) AS updated,
  (SELECT COUNT(*) FROM _before AS _b WHERE NOT EXISTS (SELECT 1 FROM _staged AS _s WHERE {{ same('_b', '_s') }})) AS deleted,
  COALESCE((SELECT SUM(_rows) FROM _staged), 0) AS staged,
  (SELECT COUNT(*) FROM _staged) AS distinct_keys
