{# The row of each key in the newest file that has it; a tombstone unless that is the newest of all. So an older file that
   comes late brings nothing back, and neither the order nor the grouping of merges decides anything.
   The newest generation is in the ledger, and among these loads, also where its file has no row. #}
{% import 'strategies/order.sql' as order %}
{% macro newest() %}
SELECT GREATEST({{ loads | map(attribute='generation') | max }}, COALESCE(MAX(l.generation), 0)) AS _newest
    FROM {{ ledger | identifier }} AS l
    WHERE l.feed = {{ feed.name | literal }} AND l.table_id = {{ table_id | literal }}
{%- endmacro %}
MERGE {{ target | identifier }} AS _t
USING (
  SELECT
{% for name in names %}
    {% if name == '_deleted' %}_w._generation < _n._newest AS _deleted{% elif name in kept %}_w.{{ name | identifier }}{% else %}IF(_w._generation < _n._newest, {{ nothing.get(name, 'NULL') }}, _w.{{ name | identifier }}) AS {{ name | identifier }}{% endif %}{{ '' if loop.last else ',' }}
{% endfor %}
  FROM (
    SELECT {{ columns }}
    FROM (
{% include 'strategies/rows.sql' %}
    )
    WHERE TRUE
    QUALIFY {{ order.winner(feed.key, ranking) }}
  ) AS _w
  CROSS JOIN (
    {{ newest() }}
  ) AS _n
) AS _s
{% include 'strategies/matched.sql' %}

UPDATE {{ target | identifier }} AS _t
SET
  _deleted = TRUE
{% for name in names if name not in kept %}
  , {{ name | identifier }} = {{ nothing.get(name, 'NULL') }}
{% endfor %}
{% for name, is_array in others %}
  , {{ name | identifier }} = {{ '[]' if is_array else 'NULL' }}
{% endfor %}
WHERE NOT _t._deleted
  AND _t._generation < (
    {{ newest() }}
  );
