{# Each key's winner, of the loads and of what is there. Deletes are rows like any other, and stay as tombstones. #}
{% import 'strategies/order.sql' as order %}
MERGE {{ target | identifier }} AS _t
USING (
  SELECT {{ columns }}
  FROM (
{% include 'strategies/rows.sql' %}
  )
  WHERE TRUE
  QUALIFY {{ order.winner(key, ranking) }}
) AS _s
{% include 'strategies/matched.sql' %}
