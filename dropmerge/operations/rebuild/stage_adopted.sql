{# The rows that were there before the first file, in the contract's columns; one that they lack is NULL. #}
CREATE OR REPLACE TABLE {{ staging | identifier }} AS
SELECT
{% for name, kind, there in columns %}
  {% if there == kind %}{{ name | identifier }}{% elif there %}CAST({{ name | identifier }} AS {{ kind }}){% else %}CAST(NULL AS {{ kind }}){% endif %} AS {{ name | identifier }}{{ '' if loop.last else ',' }}
{% endfor %}
FROM {{ adopted | identifier }} AS _t
