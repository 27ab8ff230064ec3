{# Each row of each load. Idempotent by itself: what is there of a load is all of it. #}
INSERT INTO {{ target | identifier }} ({{ columns }})
SELECT {{ columns }}
FROM (
{% include 'strategies/rows.sql' %}
) AS _s
WHERE _s._load_id NOT IN (
  SELECT _t._load_id
  FROM {{ target | identifier }} AS _t
  WHERE _t._load_id IN ({{ ids }})
{% for column, operator, literal in bounds %}
    AND _t.{{ column | identifier }} {{ operator }} {{ literal }}
{% endfor %}
);
