{# The built table's rows, columns and clustering in the place of the live table's: at once, but where that is
   partitioned otherwise, or has not the columns to be clustered by, which no call changes. #}
{% if drops %}
DROP TABLE {{ main | identifier }};
{% endif %}
CREATE OR REPLACE TABLE {{ main | identifier }} (
{% for name, kind, is_required in columns %}
  {{ name | identifier }} {{ kind }}{{ ' NOT NULL' if is_required }}{{ '' if loop.last else ',' }}
{% endfor %}
)
{% if partition %}
PARTITION BY {{ partition }}
{% endif %}
{% if key %}CLUSTER BY {{ key | map('identifier') | join(', ') }}{% endif %}
OPTIONS (labels = {{ labels | labels }})
AS
SELECT {% for name, _, _ in columns %}{{ name | identifier }}{{ '' if loop.last else ', ' }}{% endfor %}

FROM {{ built | identifier }} AS _t
