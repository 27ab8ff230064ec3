{# When each version was its key's row: from its own version until the next one's, of which a delete is one, and is no row.
   What was so for no time is left out. Where the newest file wins, a row that files repeat is one: without a version, nothing
   in it says that it was written anew. Aliases begin with _, as no column of a contract does. #}
{% set start = order[0] | identifier if feed.versions else 'TIMESTAMP_MICROS(LEAST(' ~ (order[0] | identifier) ~ ', 253000000000000000))' %}
{% macro of_key() %}(PARTITION BY {{ feed.key | map('identifier') | join(', ') }} ORDER BY {{ order | map('identifier') | join(', ') }}){% endmacro %}
CREATE OR REPLACE VIEW {{ view | identifier }}
OPTIONS (labels = [{% for name, text in labels.items() %}({{ name | literal }}, {{ text | literal }}){{ '' if loop.last else ', ' }}{% endfor %}]) AS
SELECT
{% for column in feed.columns %}
  {{ column.name | identifier }},
{% endfor %}
  _from AS _valid_from,
  _to AS _valid_to,
  _to IS NULL AS _is_current
FROM (
  SELECT *, {{ start }} AS _from, LEAD({{ start }}) OVER {{ of_key() }} AS _to
  FROM {% if compared %}(
    SELECT *
    FROM {{ versions | identifier }}
    WHERE TRUE
    QUALIFY
{% for name in compared %}
      {{ ranks[name].of() }} IS DISTINCT FROM LAG({{ ranks[name].of() }}) OVER {{ of_key() }}{{ '' if loop.last else ' OR' }}
{% endfor %}
  ){% else %}{{ versions | identifier }}{% endif %} AS _t
) AS _v
WHERE NOT _deleted AND (_to IS NULL OR _from < _to)
